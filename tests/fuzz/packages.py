"""Libraries in Python that are instrumented besides our own packages, by target."""

PACKAGES: dict[str, list[str]] = {
    "notebook": ["nbformat"],
    "pickles": ["pickletools"],
    "bundle": ["zipfile"],
    "zips": ["zipfile"],
    "identifiers": ["stdnum"],
    "printed": ["markdown_it"],
    "tokens": [],
}
