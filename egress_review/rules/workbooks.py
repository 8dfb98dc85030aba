"""Hiding places in Excel workbooks: what the sheet in front of you does not show."""

from __future__ import annotations

import re
from collections.abc import Iterator

import lxml.etree

from egress_review.findings import Finding
from egress_review.rules import zipped
from egress_review.rules.catalogue import Subject, many, rule

_SOURCE = "ISO/IEC 29500; observed"
HIDDEN = rule(
    "xlsx.hidden",
    "blocks",
    "Hidden sheets, rows, columns or cells",
    source=_SOURCE,
    why="They are in the file and on no screen.",
    remedy="Save only the values you show, as CSV.",
)
COMMENTS = rule(
    "xlsx.comments",
    "blocks",
    "Comments, text boxes and objects",
    source=_SOURCE,
    why="They hold text beside the cells.",
    remedy="Remove them, or save the sheet as CSV.",
)
CACHES = rule(
    "xlsx.caches",
    "blocks",
    "Caches and links to other data",
    source=_SOURCE,
    why="Pivot caches and external links keep every row of the table they were made from.",
    remedy="Paste the pivot table as values, or save it as CSV.",
)
ORPHANS = rule(
    "xlsx.orphans",
    "blocks",
    "Parts or strings that no cell uses",
    source=_SOURCE,
    why="A program that deletes cells may leave their text in the file.",
    remedy="Save the sheet as CSV.",
)
MACROS = rule(
    "xlsx.macros",
    "blocks",
    "Macros and active parts",
    source=_SOURCE,
    why="They run when the file is opened.",
    remedy="Save the sheet as CSV.",
)
FORMULAS = rule(
    "xlsx.formulas",
    "warns",
    "Formulas",
    source=_SOURCE,
    why="A formula and its kept value may disagree, and formulas can reach out of the file.",
    remedy="Paste as values.",
)
METADATA = rule("xlsx.metadata", "blocks", "Free text in the properties", source=_SOURCE,
    why="Document properties and defined names hold text that no sheet shows.", remedy="Save the sheet as CSV.")  # fmt: skip

_USUAL = re.compile(
    r"^(?:\[Content_Types\]\.xml|_rels/\.rels|docProps/(?:app|core)\.xml|xl/workbook\.xml|xl/_rels/workbook\.xml\.rels|xl/styles\.xml"
    r"|xl/theme/theme\d+\.xml|xl/sharedStrings\.xml|xl/worksheets/sheet\d+\.xml|xl/worksheets/_rels/sheet\d+\.xml\.rels"
    r"|xl/metadata\.xml|xl/calcChain\.xml|xl/tables/table\d+\.xml|xl/drawings/(?:_rels/)?drawing\d+\.xml(?:\.rels)?|xl/charts/chart\d+\.xml)$"
)
_PARSER = {"resolve_entities": False, "no_network": True, "huge_tree": False, "load_dtd": False}


def _tree(data: bytes) -> lxml.etree._Element:
    try:
        return lxml.etree.fromstring(
            data, lxml.etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
        )
    except lxml.etree.XMLSyntaxError as error:
        raise ValueError(f"a part of the workbook is no XML: {error}") from error


def _tag(element: lxml.etree._Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in an Excel workbook."""
    if subject.kind != "xlsx":
        return
    archive = zipped.open_zip(subject.data)
    names = archive.namelist()
    for name in names:
        low = name.lower()
        if (
            "vba" in low
            or "activex" in low
            or (low.endswith((".bin", ".exe", ".dll")) and "printersettings" not in low)
        ):
            yield MACROS.found(name, "The workbook has a part that runs or that is no table.")
        elif (
            "comments" in low
            or "vmldrawing" in low
            or "embeddings" in low
            or "media/" in low
            or "threaded" in low
            or "persons" in low
        ):
            yield COMMENTS.found(name, "The workbook has comments, pictures or embedded objects.")
        elif (
            "pivot" in low
            or "externallink" in low
            or "connections" in low
            or "querytable" in low
            or "datamodel" in low
            or "slicer" in low
        ):
            yield CACHES.found(name, "The workbook has a cache or a link that holds other data.")
        elif not _USUAL.match(name) and not name.endswith("/"):
            yield ORPHANS.found(name, "This part is none that a plain workbook has.")
    if "xl/workbook.xml" in names:
        yield from _book(_tree(zipped.member(archive, "xl/workbook.xml")))
    used: set[int] = set()
    for name in names:
        if re.match(r"^xl/worksheets/[^/]+\.xml$", name):
            yield from _sheet(name, zipped.member(archive, name), used)
        if name in {"docProps/core.xml", "docProps/app.xml"}:
            yield from _properties(name, _tree(zipped.member(archive, name)))
        if "drawings/drawing" in name and name.endswith(".xml"):
            text = "".join(str(t) for t in _tree(zipped.member(archive, name)).itertext()).strip()
            if re.search(r"[A-Za-z]{3}", text):
                yield COMMENTS.found(name, "A text box or picture with text is on a sheet.")
    styles = zipped.member(archive, "xl/styles.xml").decode("utf-8", "replace") if "xl/styles.xml" in names else ""
    if 'formatCode=";;;' in styles:
        yield HIDDEN.found("xl/styles.xml", "A number format shows nothing (;;;).")
    if re.search(r'<font>(?:(?!</font>).)*<color rgb="(?:FF|00)FFFFFF"', styles, re.DOTALL) and not re.search(
        r'<fgColor rgb="(?:FF|00)(?!FFFFFF)', styles
    ):
        yield HIDDEN.found("xl/styles.xml", "There is white text.")
    if "xl/sharedStrings.xml" in names:
        strings = [e for e in _tree(zipped.member(archive, "xl/sharedStrings.xml")) if _tag(e) == "si"]
        orphans = [i for i in range(len(strings)) if i not in used]
        if orphans:
            text = "".join(str(t) for t in strings[orphans[0]].itertext())
            yield ORPHANS.found(
                "xl/sharedStrings.xml",
                f"{many(len(orphans), 'string is', 'strings are')} in no cell, such as {text[:40]!r}.",
            )
        if any(_tag(e) in ("rPh", "phoneticPr") and _tag(e) == "rPh" for s in strings for e in s):
            yield ORPHANS.found("xl/sharedStrings.xml", "Strings have phonetic runs, which no cell shows.")


def _book(tree: lxml.etree._Element) -> Iterator[Finding]:
    for element in tree.iter():
        tag = _tag(element)
        if tag == "sheet" and element.get("state") in ("hidden", "veryHidden"):
            yield HIDDEN.found(f"sheet {element.get('name')}", f"This sheet is {element.get('state')}.")
        if tag == "definedName":
            name, text = str(element.get("name", "")), element.text or ""
            usual = name.startswith("_xlnm.") and re.fullmatch(r"[^\"]*![\$A-Z0-9:,!'\w .-]+", text)
            if (
                (element.get("hidden") == "1" and not (usual and name == "_xlnm._FilterDatabase"))
                or element.get("comment")
                or not (usual or re.fullmatch(r"[^\"]{1,60}!\$?[A-Z]+\$?\d+(?::\$?[A-Z]+\$?\d+)?", text))
            ):
                yield METADATA.found(f"defined name {name[:40]}", "A defined name is hidden or holds text.")


def _sheet(name: str, data: bytes, used: set[int]) -> Iterator[Finding]:
    hidden_rows = hidden_columns = formulas = bad_formulas = 0
    notes: list[str] = []
    for element in _tree(data).iter():
        tag = _tag(element)
        if tag == "row" and (element.get("hidden") in ("1", "true") or element.get("ht") in ("0", "0.0")):
            hidden_rows += 1
        elif tag == "col" and (element.get("hidden") in ("1", "true") or element.get("width") in ("0", "0.0")):
            hidden_columns += 1
        elif tag == "c" and element.get("t") == "s":
            for value in element:
                if _tag(value) == "v" and value.text and value.text.isdigit():
                    used.add(int(value.text))
        elif tag == "f":
            formulas += 1
            bad_formulas += bool(re.search(r"WEBSERVICE|HYPERLINK|DDE|\[|cmd|EXEC", element.text or "", re.IGNORECASE))
        elif tag == "dataValidation":
            notes += [
                str(element.get(key)) for key in ("prompt", "error", "promptTitle", "errorTitle") if element.get(key)
            ]
            notes += ["".join(str(t) for t in element.itertext())] if element.get("type") == "list" else []
        elif tag in ("oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter"):
            notes += [element.text] if element.text and len(element.text) > 40 else []
        elif tag == "hyperlink" and (element.get("tooltip") or element.get("location", "")[60:]):
            notes.append("hyperlink")
        elif tag == "extLst" and len(lxml.etree.tostring(element)) > 4000:
            notes.append("extension list")
        elif not isinstance(element.tag, str):
            notes.append("XML comment")
    if hidden_rows or hidden_columns:
        yield HIDDEN.found(
            name, f"Hidden: {many(hidden_rows, 'row', 'rows')} and {many(hidden_columns, 'column', 'columns')}."
        )
    if formulas:
        yield FORMULAS.found(
            name,
            f"{many(formulas, 'cell holds a formula', 'cells hold formulas')}.",
            severity="blocks" if bad_formulas else None,
        )
    if notes:
        yield COMMENTS.found(name, f"Text beside the cells: {', '.join(note[:30] for note in notes[:5])}.")


def _properties(name: str, tree: lxml.etree._Element) -> Iterator[Finding]:
    for element in tree.iter():
        text = (element.text or "").strip()
        if _tag(element) in (
            "description",
            "subject",
            "keywords",
            "category",
            "contentStatus",
            "title",
            "Manager",
            "Company",
            "HyperlinkBase",
            "Template",
        ) and len(text) > (40 if _tag(element) in ("title", "Company") else 0):
            yield METADATA.found(name, f"The property {_tag(element)} holds text of {len(text)} characters.")
        elif len(text) > 200:
            yield METADATA.found(name, f"The property {_tag(element)} is {len(text)} characters long.")
