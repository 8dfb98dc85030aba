"""File types, told from the bytes; the name only has to agree."""

from __future__ import annotations

import json
import struct
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Kind:
    """A file type: the endings that may carry it and whether it may leave at all."""

    id: str
    title: str
    endings: tuple[str, ...]
    may_leave: bool = True


_LIST = (
    Kind("csv", "comma or tab separated table", (".csv", ".tsv", ".tab")),
    Kind(
        "text",
        "plain text",
        (".txt", ".log", ".out", ".md", ".rst", ".tex", ".py", ".r", ".do", ".sql", ".jl", ".bib", ".toml", ".yaml", ".yml",
         ".ini", ".cfg", ".sas", ".sps", ".stan", ".qmd", ".rmd", ".lst", ".smcl", ".dat", ".text", ".typ", ".sh", ""),
    ),
    Kind("json", "JSON", (".json", ".jsonl", ".ndjson", ".geojson")),
    Kind("notebook", "Jupyter notebook", (".ipynb",)),
    Kind("html", "HTML page", (".html", ".htm")),
    Kind("svg", "SVG drawing", (".svg",)),
    Kind("png", "PNG image", (".png",)),
    Kind("jpeg", "JPEG image", (".jpg", ".jpeg")),
    Kind("pdf", "PDF", (".pdf",)),
    Kind("xlsx", "Excel workbook", (".xlsx",)),
    Kind("parquet", "Parquet table", (".parquet", ".pq")),
    Kind("feather", "Feather or Arrow table", (".feather", ".arrow", ".ipc")),
    Kind("empty", "empty file", (), may_leave=True),
    Kind("zip", "ZIP archive", (".zip",), may_leave=False),
    Kind("archive", "archive or compressed file", (".gz", ".bz2", ".xz", ".zst", ".7z", ".tar", ".tgz", ".rar", ".lz4"), may_leave=False),
    Kind("office", "office document with parts of its own", (".docx", ".pptx", ".odt", ".ods", ".odp", ".doc", ".xls", ".xlsb"), may_leave=False),
    Kind("pickle", "Python pickle", (".pkl", ".pickle", ".p", ".sav"), may_leave=False),
    Kind("model", "saved model", (".joblib", ".onnx", ".pt", ".pth", ".h5", ".hdf5", ".keras", ".safetensors", ".cbm", ".ubj", ".gguf", ".pmml"), may_leave=False),
    Kind("array", "saved array", (".npy", ".npz", ".mat"), may_leave=False),
    Kind("statistics", "file of a statistics program", (".dta", ".sav", ".sas7bdat", ".rds", ".rdata", ".rda", ".xpt", ".por"), may_leave=False),
    Kind("database", "database", (".sqlite", ".db", ".duckdb", ".sqlite3"), may_leave=False),
    Kind("image", "other image or media", (".gif", ".bmp", ".tif", ".tiff", ".webp", ".eps", ".ps", ".mp4", ".wav"), may_leave=False),
    Kind("program", "program", (".exe", ".so", ".pyc", ".bin", ".class", ".wasm"), may_leave=False),
    Kind("xml", "XML", (".xml",), may_leave=False),
    Kind("unknown", "unknown type", (), may_leave=False),
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.id: kind for kind in _LIST}

# (offset, bytes, kind); the first that fits wins.
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "png"), (0, b"\xff\xd8\xff", "jpeg"), (0, b"%PDF-", "pdf"), (0, b"PAR1", "parquet"),
    (0, b"ARROW1", "feather"), (0, b"FEA1", "feather"), (0, b"GIF8", "image"), (0, b"BM\x00", "image"), (0, b"II*\x00", "image"),
    (0, b"MM\x00*", "image"), (0, b"%!PS", "image"), (0, b"\x1f\x8b", "archive"), (0, b"BZh", "archive"), (0, b"\xfd7zXZ\x00", "archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "archive"), (0, b"Rar!", "archive"), (0, b"\x28\xb5\x2f\xfd", "archive"), (0, b"\x04\x22\x4d\x18", "archive"),
    (257, b"ustar", "archive"), (0, b"SQLite format 3\x00", "database"), (8, b"DUCK", "database"), (0, b"\x7fELF", "program"),
    (0, b"MZ", "program"), (0, b"\xca\xfe\xba\xbe", "program"), (0, b"\x00asm", "program"), (0, b"\x93NUMPY", "array"),
    (0, b"MATLAB 5.0", "array"), (0, b"\x89HDF\r\n\x1a\n", "model"), (0, b"<stata_dta>", "statistics"), (0, b"RDX", "statistics"),
    (0, b"RDA", "statistics"), (0, b"$FL2", "statistics"), (0, b"HEADER RECORD", "statistics"), (84, b"SAS FILE", "statistics"), (0, b"GGUF", "model"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"), (8, b"WEBP", "image"),
)  # fmt: skip


def ending_of(name: str) -> str:
    """The last suffix of a name in lower case, such as `.csv`, or an empty string."""
    return PurePosixPath(name).suffix.lower()


def _zip_kind(data: bytes) -> str:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, RuntimeError, OSError, EOFError, IndexError, struct.error):
        return "zip"
    if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names):
        return "office" if any(name.endswith("workbook.bin") for name in names) else "xlsx"
    if "[Content_Types].xml" in names or "mimetype" in names:
        return "office"
    if any(name.endswith(("data.pkl", "config.json", "model.json", "model.weights.h5")) for name in names):
        return "model"
    return "array" if names and all(name.endswith(".npy") for name in names) else "zip"


def _looks_pickled(data: bytes) -> bool:
    if data[:1] == b"\x80" and len(data) > 2 and data[1] in (2, 3, 4, 5):
        return True
    return len(data) > 3 and data[-1:] == b"." and data[:1] in b"(]}c" and b"\n" in data[:200] and b"\nt" in data[:4000]


_kept: list[tuple[bytes, tuple[str, str] | None]] = []


def keep_decoded(data: bytes) -> None:
    """From now on `decode` of these very bytes costs nothing. For a process that looks at one file: nothing lets go of it."""
    _kept[:] = [(data, decode(data))]


def decode(data: bytes) -> tuple[str, str] | None:
    """The text and its encoding (`utf-8`, `utf-8-sig`, `utf-16`, `latin-1`), or None for what is no text."""
    if _kept and _kept[0][0] is data:
        return _kept[0][1]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), "utf-16"
        except UnicodeDecodeError:
            return None
    if b"\x00" in data:
        return None
    try:
        return (data[3:].decode(), "utf-8-sig") if data.startswith(b"\xef\xbb\xbf") else (data.decode(), "utf-8")
    except UnicodeDecodeError:
        controls = sum(data[:65536].count(bytes([code])) for code in range(1, 32) if code not in (9, 10, 12, 13, 27))
        return None if controls else (data.decode("latin-1"), "latin-1")


def tell(name: str, data: bytes) -> str:
    """The kind of these bytes. Text is told apart by its ending where its content allows it."""
    if not data:
        return "empty"
    for offset, signature, kind in SIGNATURES:
        if data.startswith(signature, offset):
            return kind
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(data)
    ending = ending_of(name)
    text = decode(data)
    if text is None:
        if _looks_pickled(data) or ending in KINDS["pickle"].endings:
            return "pickle"
        return "model" if ending in KINDS["model"].endings else "unknown"
    if _looks_pickled(data[:4000] + data[-1:]):
        return "pickle"
    return _text_kind(ending, text[0])


def _text_kind(ending: str, text: str) -> str:
    start = text[:4096].lstrip("\ufeff \t\r\n")
    lower = start.lower()
    if lower.startswith(("<!doctype html", "<html")):
        return "html"
    if lower.startswith(("<?xml", "<svg", "<!doctype svg", "<!--")) and "<svg" in text[:20000].lower():
        return "svg"
    if start.startswith(("{", "[")) and ending not in KINDS["text"].endings[:7]:
        kind = _json_kind(ending, text)
        if kind:
            return kind
    if ending in KINDS["html"].endings:
        return "html"
    if lower.startswith("<?xml") or ending in (".xml", ".pmml"):
        return "xml"
    for kind_id in ("csv", "svg", "json", "notebook"):
        if ending in KINDS[kind_id].endings:
            return kind_id
    return "text"


def _json_kind(ending: str, text: str) -> str | None:
    if ending in (".jsonl", ".ndjson"):
        return "json"
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and "nbformat" in value and "cells" in value:
        return "notebook"
    return "json" if isinstance(value, dict | list) else None


def fits(name: str, kind: str) -> bool:
    """Whether the ending of the name is one of the kind's own."""
    known = KINDS[kind]
    return not known.endings or ending_of(name) in known.endings
