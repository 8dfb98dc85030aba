"""What runs inside the sandbox: opens one file, lets every rule look, makes previews and canonical forms."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from access_control.settings import Profile
from egress_review import kinds, tables
from egress_review.findings import MAX_FINDINGS, MAX_TEXT, Finding, verdict_of
from egress_review.rules.catalogue import Subject
from egress_review.source_index import SourceIndex
from egress_review.source_table import SourceTable

MAX_INPUT = 1 << 30
MEMBERS, MEMBER_BYTES = 200, 64 * 1024**2  # of an archive that are looked into
LONG_TEXT = 2 * 1024**2  # characters of a text that nobody reads any more
SEARCHED_TEXT = 16 * 1024**2  # characters that are searched all the same


class Prepared(NamedTuple):
    """What a task may look into besides its file; opened before the process shuts itself in."""

    indexes: list[SourceIndex]
    sources: list[SourceTable]


def preload() -> None:
    """Imports all that a task may need."""
    import openpyxl.workbook  # noqa: F401
    import PIL.JpegImagePlugin
    import PIL.PngImagePlugin
    import pyarrow.feather
    import pyarrow.parquet  # noqa: F401
    import pypdfium2  # noqa: F401
    import python_calamine  # noqa: F401
    import resvg_py  # noqa: F401
    import scipy.optimize

    import egress_review.canonical_forms
    import egress_review.pickle_tables
    import egress_review.previews
    import egress_review.rules.families  # noqa: F401

    scipy.optimize.linprog([1.0], A_ub=[[1.0]], b_ub=[1.0], method="highs")  # its own late imports
    PIL.Image.init()


def prepare(task: dict[str, Any]) -> Prepared:
    """Maps the indexes and the mounted data, while this process may still open them."""
    from egress_review.source_index import open_index
    from egress_review.source_table import open_source

    return Prepared(
        [open_index(Path(folder)) for folder in task.get("indexes", [])],
        [open_source(Path(each["path"]), each["name"], each["unit"]) for each in task.get("sources", [])],
    )


def run(task: dict[str, Any], source: int, prepared: Prepared) -> tuple[dict[str, Any], list[bytes]]:
    """Does the task named in `task["do"]`: check, preview or rewrite."""
    size = os.fstat(source).st_size
    if size > MAX_INPUT:
        return {"failure": "size"}, []
    data = b""
    while len(data) < size:
        part = os.pread(source, size - len(data), len(data))
        if not part:
            break
        data = part if not data else data + part
    if task["do"] == "check":
        return check(task, data, prepared), []
    if task["do"] == "preview":
        from egress_review.previews import make

        return make(data, str(task["kind"]))
    if task["do"] == "rewrite":
        from egress_review.canonical_forms import rewrite_bytes

        rewritten = rewrite_bytes(data, str(task["kind"]))
        return {"rewritten": rewritten is not None}, [rewritten] if rewritten is not None else []
    return {"failure": "crash", "detail": "no such task"}, []


def check(task: dict[str, Any], data: bytes, prepared: Prepared) -> dict[str, Any]:
    """All findings in one file, as JSON values."""
    name = str(task["name"])
    kinds.keep_decoded(data)
    kind = kinds.tell(name, data)
    subject = Subject(
        name, kind, data, Profile.model_validate(task["profile"]), list(task["peers"]), dict(task["disk"])
    )
    subject.claim = str(task.get("claims", {}).get(name, ""))
    subject.checksum = name in task.get("right", [])
    subject.facts["_indexes"], subject.facts["_sources"] = prepared.indexes, prepared.sources
    findings = _look(subject)
    if kind == "zip":
        findings += _members(subject)
    unique = list(dict.fromkeys(findings))
    unique.sort(key=lambda finding: ("blocks", "warns", "informs").index(finding.severity))
    facts: dict[str, Any] = {key: value for key, value in subject.facts.items() if not key.startswith("_")}
    facts |= {
        "bytes": len(data),
        "tables": len(subject.tables),
        "compared_with": [f"{index.dataset} v{index.version}" for index in prepared.indexes],
    }
    facts["shapes"] = [[table.where, table.height, table.width] for table in subject.tables[:20]]
    return {
        "kind": kind,
        "verdict": verdict_of(unique),
        "findings": [f.as_dict() for f in unique[:MAX_FINDINGS]],
        "facts": facts,
    }


def _look(subject: Subject) -> list[Finding]:
    from egress_review.rules import families, outcome, types

    findings: list[Finding] = []
    broken = _open(subject)
    if broken:
        findings.append(types.BROKEN.found(subject.name, f"The file cannot be read: {broken}."))
    for family in families.CONTAINER:
        try:
            findings += family(subject)
        except ValueError as error:
            findings.append(types.BROKEN.found(subject.name, f"The file cannot be read: {error}."))
        except (MemoryError, RecursionError):
            raise  # the file is more than a worker may hold
        except (Exception, pl.exceptions.PanicException) as error:  # what the other rules found is told all the same
            findings.append(outcome.CRASH.found(subject.name, f"{family.__module__}: {type(error).__name__}: {error}"))
    for family in (*families.CONTENT, *families.SOURCE):
        try:
            findings += family(subject)
        except (MemoryError, RecursionError):
            raise  # the file is more than a worker may hold
        except (Exception, pl.exceptions.PanicException) as error:  # what the other rules found is told all the same
            findings.append(outcome.CRASH.found(subject.name, f"{family.__module__}: {type(error).__name__}: {error}"))
    return findings


def _members(archive: Subject) -> list[Finding]:
    """What is in the files inside a ZIP archive, as if they had come by themselves; one level, within limits."""
    from egress_review.rules import zipped

    findings: list[Finding] = []
    try:
        opened = zipped.open_zip(archive.data)
        entries = [entry for entry in opened.infolist() if not entry.filename.endswith("/")]  # a name may be empty
        left = MEMBER_BYTES
        for number, entry in enumerate(entries):
            left -= entry.file_size
            if number == MEMBERS or left < 0:
                findings.append(
                    zipped.UNSEEN.found(archive.name, f"Of {len(entries)} members {number} were looked into.")
                )
                break
            if entry.flag_bits & 1:
                continue  # zip.encrypted says so
            data = zipped.member(opened, entry.filename)
            name = f"{archive.name}/{entry.filename}"
            inner = Subject(name, kinds.tell(name, data), data, archive.profile, archive.peers, dict(archive.disk))
            inner.facts |= {key: archive.facts[key] for key in ("_indexes", "_sources")}
            here = [found for found in _look(inner) if not found.rule.startswith("file.")]
            findings += [found if name in found.where else _within(found, name) for found in here]
            archive.tables += inner.tables
            for told, most in (("source", 20), ("recomputed", 40)):
                if evidence := inner.facts.get(told):
                    archive.facts[told] = [*archive.facts.get(told, []), *evidence][:most]
    except ValueError as error:
        findings.append(zipped.UNSEEN.found(archive.name, f"The members cannot be looked into: {error}."))
    return findings


def _within(finding: Finding, name: str) -> Finding:
    return replace(finding, where=f"{name}, {finding.where}"[:MAX_TEXT])


def _open(subject: Subject) -> str:
    """Fills in tables, texts, markup and images; says what is broken."""
    try:
        if subject.kind == "xlsx":
            from egress_review.rules import zipped

            zipped.open_zip(subject.data)  # a bomb is refused before it is unpacked
        subject.tables = tables.extract_bytes(subject.data, subject.kind)
        _texts(subject)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        return f"{error or type(error).__name__}"[:300]
    except (Exception, pl.exceptions.PanicException) as error:  # a parser of untrusted bytes may raise anything
        return f"{type(error).__name__}: {error}"[:300]
    return ""


def _texts(subject: Subject) -> None:
    kind, data = subject.kind, subject.data
    if kind in ("csv", "text", "json", "xml"):
        decoded = kinds.decode(data)
        subject.texts = [("the text", _readable(decoded[0], kind))] if decoded and not subject.checksum else []
        if kind == "csv" and len(data) > LONG_TEXT:
            subject.texts += [("the cells", _different_cells(table)) for table in subject.tables]
    elif kind in ("html", "svg"):
        decoded = kinds.decode(data)
        if decoded:
            subject.texts = [("the page", _without_markup(decoded[0], kind))]
    elif kind == "notebook":
        _notebook_texts(subject)
    elif kind in ("xlsx", "parquet", "feather"):
        for table in subject.tables:
            cells = [
                t
                for c in range(table.width)
                if table.columns[c].dtype.to_python() is str
                for t in table.texts(c).drop_nulls().unique().sort().head(200_000).to_list()
            ]
            subject.texts.append((f"table {table.where}".strip(), "\n".join([*table.header, *cells])))
    elif kind == "pdf":
        subject.texts = _pdf_texts(data)
        from egress_review import printed_tables

        subject.tables = [table for where, text in subject.texts for table in printed_tables.tables_in(where, text)]


def _readable(text: str, kind: str) -> str:
    """The text; of one that is too long to leave anyway (rule text.long) the beginning and the end.

    Of a long CSV file the cells are searched beside these, each once: that is all of it, and quick.
    """
    if len(text) <= (LONG_TEXT if kind == "csv" else SEARCHED_TEXT):
        return text
    return text[: LONG_TEXT // 8] + "\n" + text[-LONG_TEXT // 8 :]


def _different_cells(table: tables.Table) -> str:
    """All different cells that are no numbers, or that are numbers long enough to name someone."""
    found: list[str] = []
    for column in range(table.width):
        values = table.numbers(column)
        with np.errstate(invalid="ignore"):
            wanted = np.isnan(values) | ((values >= 1e8) & (values < 1e13) & (values == np.floor(values)))
        if wanted.any():
            texts = table.texts(column).filter(pl.Series(wanted)).drop_nulls().unique().sort()
            found.append("\n".join(texts.to_list()))
    return "\n".join(found)[:SEARCHED_TEXT]


_PATHS = re.compile(
    r"\s(?:d|points|transform|style|clip-path|xlink:href|href|class|id|viewBox)=(?:\"[^\"]*\"|'[^']*')|<style.*?</style>",
    re.DOTALL,
)


def _without_markup(text: str, kind: str) -> str:
    """Text, comments and attributes; of drawings without the paths."""
    if kind == "svg":
        text = _PATHS.sub(" ", text)
        return re.sub(r"data:image/png;base64,[A-Za-z0-9+/=\s]+", " ", text)
    text = re.sub(
        r"</?(?:t[rdh]|p|div|li|br|table|thead|tbody|h\d|span|b|i|em|strong|style|body|html|head)\b[^>]{0,80}>",
        " ",
        text,
    )
    return re.sub(r"\s(?:href|src)=\"https?://[^\"]{0,200}\"", " ", text)


def _notebook_texts(subject: Subject) -> None:
    notebook = tables.load_notebook(subject.data)
    markup: list[tuple[str, str, str]] = []
    images: list[tuple[str, str, bytes]] = []
    for number, cell in enumerate(notebook.get("cells", []), 1):
        source = cell.get("source", "")
        text = "".join(source) if isinstance(source, list) else str(source)
        subject.texts.append((f"cell {number}, source", text))
        if cell.get("cell_type") == "markdown" and "<" in text:
            markup.append((f"cell {number}", text, "html"))
    for where, media, value in tables.notebook_outputs(notebook):
        if not isinstance(value, str):
            subject.texts.append((where, str(value)))
        elif media in ("image/png", "image/jpeg"):
            try:
                images.append((where, media.split("/")[1], base64.b64decode(value, validate=False)))
            except ValueError as error:
                raise ValueError(f"an image in {where} is not base64") from error
        elif media == "text/html":
            markup.append((where, value, "html"))
            subject.texts.append((where, _without_markup(value, "html")))
        elif media == "image/svg+xml":
            markup.append((where, value, "svg"))
            subject.texts.append((where, _without_markup(value, "svg")))
        else:
            if media == "text/markdown" and "<" in value:  # a viewer takes it for HTML
                markup.append((where, value, "html"))
            subject.texts.append((where, value))
    subject.facts["_markup"] = markup
    subject.facts["_images"] = images


def _pdf_texts(data: bytes) -> list[tuple[str, str]]:
    import pypdfium2

    found = []
    try:
        document = pypdfium2.PdfDocument(data)
        for number in range(min(len(document), 200)):
            found.append(
                (f"page {number + 1}", document[number].get_textpage().get_text_bounded().replace("\r\n", "\n"))
            )
    except pypdfium2.PdfiumError as error:
        raise ValueError(f"the PDF cannot be read: {error}") from error
    return found
