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
  const shows = event.target.closest("[data-shows]");
  if (shows) {
    showCell(document.getElementById(shows.dataset.shows));
  }
  const cell = event.target.closest(".preview[data-file] td");
  if (cell) {
    nameCell(cell);
  }
});

// The cell that a finding names: brought into view and lit for a moment.
function showCell(cell) {
  if (cell) {
    cell.scrollIntoView({ block: "center", inline: "center" });
    cell.classList.remove("flash");
    requestAnimationFrame(() => cell.classList.add("flash"));
  }
}

// A click on a cell of a preview opens the comment on that file, with the cell's place in it.
function nameCell(cell) {
  const place = cell.closest(".file")?.querySelector(".on-file input[name=place]");
  if (place) {
    const row = cell.closest("tr").querySelector("th")?.textContent ?? "";
    const head = cell.closest("table").querySelectorAll("thead th")[cell.cellIndex]?.textContent ?? "";
    place.closest("details").open = true;
    place.value = `row ${row} / ${head}`.slice(0, 100);
    place.closest("form").querySelector("textarea").focus();
  }
}

// Tables that are wider than the window can be scrolled by keyboard, and say what they are.
function markScrollers() {
  document.querySelectorAll(".scroll, pre").forEach((box, number) => {
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) {
      const title = box.closest("section")?.querySelector("h2") ?? document.querySelector("h1");
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", `${title?.textContent ?? "Page"}, part ${number + 1}`);
    } else {
      ["tabindex", "role", "aria-label"].forEach((name) => box.removeAttribute(name));
    }
  });
}
window.addEventListener("resize", markScrollers);
document.addEventListener("toggle", markScrollers, true); // what was folded has no size until it is opened

function afterSwap() {
  markScrollers();
  document.querySelectorAll("[data-shows]").forEach((button) => {
    button.hidden = !document.getElementById(button.dataset.shows);
  });
}
document.addEventListener("htmx:afterSettle", afterSwap);
document.addEventListener("DOMContentLoaded", () => {
  afterSwap();
  document.querySelectorAll("[data-keys]").forEach((line) => {
    line.hidden = false;
    const box = line.querySelector("input");
    box.checked = localStorage.getItem("enclave-keys") !== "off";
    box.addEventListener("change", () => localStorage.setItem("enclave-keys", box.checked ? "on" : "off"));
  });
});

// Keys of the review page. They can be switched off there, and never act while somebody types.
document.addEventListener("keydown", (event) => {
  const files = [...document.querySelectorAll("section.file")];
  const typing = event.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select");
  if (!files.length || typing || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  if (!document.getElementById("use-keys")?.checked) {
    return;
  }
  const here = Math.max(0, files.findIndex((file) => file.contains(document.activeElement)));
  const started = files.some((file) => file.contains(document.activeElement));
  const file = files[here];
  const acts = {
    j: () => goTo(files[started ? Math.min(here + 1, files.length - 1) : 0]),
    k: () => goTo(files[Math.max(here - 1, 0)]),
    a: () => choose(file, "approve"),
    c: () => choose(file, "changes"),
    r: () => choose(file, "reject"),
    w: () => file.querySelector("textarea[name=reason]")?.focus(),
    n: () => document.getElementById("next-request")?.click(),
  };
  if (acts[event.key]) {
    event.preventDefault();
    acts[event.key]();
  }
});

function goTo(file) {
  const title = file.querySelector("h2");
  file.scrollIntoView({ block: "start" });
  title.focus({ preventScroll: true });
}

function choose(file, verdict) {
  const radio = file.querySelector(`input[name=verdict][value=${verdict}]`);
  if (radio) {
    radio.checked = true;
    radio.focus();
  }
}

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

// A file that is too big is told before it is sent: <input type=file data-most="bytes" data-most-said="64 MiB">.
document.addEventListener("change", (event) => {
  const most = Number(event.target.dataset?.most ?? 0);
  if (most) {
    const file = event.target.files[0];
    const tooBig = file && file.size > most;
    event.target.setCustomValidity(tooBig ? `${file.name} is too big: at most ${event.target.dataset.mostSaid}.` : "");
    event.target.reportValidity();
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
  event.submitter?.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
});
