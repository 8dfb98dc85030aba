// Small helps for pages that work without them.
"use strict";

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-back]");
  if (link && history.length > 1) {
    event.preventDefault();
    history.back();
  }
  const print = event.target.closest("[data-print]");
  if (print) {
    window.print();
  }
  const all = event.target.closest("[data-tick]");
  if (all) {
    document.querySelectorAll(`input[type=checkbox][name="${all.dataset.tick}"]`).forEach((box) => {
      if (!box.closest("tr")?.hidden) {
        box.checked = true;
      }
    });
  }
});

// A filter for the rows of a table: <input data-filter="table-id">.
document.addEventListener("input", (event) => {
  const table = event.target.dataset?.filter && document.getElementById(event.target.dataset.filter);
  if (table) {
    const words = event.target.value.toLowerCase();
    table.querySelectorAll("tbody tr").forEach((row) => {
      row.hidden = !row.textContent.toLowerCase().includes(words);
    });
  }
});

// A form that was sent is not sent twice by an impatient click.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post" || event.target.hasAttribute("hx-post")) {
    return;
  }
  if (event.target.dataset.sent) {
    event.preventDefault();
    return;
  }
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
});
