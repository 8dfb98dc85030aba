"""PDF files: objects, streams, revisions, text."""

from __future__ import annotations

from tests.fuzz import looking, seeds
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target

_BITS = ("/Type/Page", "/Annots[2 0 R]", "/Contents 4 0 R", "/Names<</JavaScript 1 0 R>>", "/AF[]", "/OCProperties<<>>", "/Metadata 4 0 R", "/Parent 2 0 R", "/Kids[3 0 R]", "/Count 1",
         "/Count -1", "/MediaBox[0 0 9 9]", "/MediaBox[0 0 1e9 1e9]", "/Annots 5", "/Contents[4 0 R 4 0 R]", "/Contents 3", "/Resources<<>>", "/Root 1 0 R", "/Info 4 0 R", "/Kids[2 0 R]",
         "/Metadata 9", "/PieceInfo 1", "/Filter/FlateDecode", "null", "<<", ">>", "[", "]", "(x)", "<41>", "1 0 R", "/Encrypt<<>>", "/Names 7", "/UserUnit 1000")  # fmt: skip
_DRAW = (
    "BT",
    "ET",
    "3 Tr",
    "1 g",
    "(x) Tj",
    "/F1 0.5 Tf",
    "/F1 . Tf",
    "/M0 Do",
    "q",
    "Q",
    "1 1 1 rg",
    "-9999 0 Td",
    "1 0 0 1 0 0 cm",
    "0 0 9 9 re",
    "f",
    "/F1 ..5 Tf",
    "%x\n",
)


def run(data: bytes) -> None:
    choices = Choices(data)
    looking.checked("fig.pdf", choices.rest() if choices.number(2) == 0 else _pdf(choices))


def _pdf(choices: Choices) -> bytes:
    """A file whose cross-reference table is right, of objects that need not be."""
    drawn = " ".join(choices.text(_DRAW, 6) for _ in range(choices.number(20))).encode("latin-1", "replace")
    usual = [b"<</Type/Catalog/Pages 2 0 R %s>>", b"<</Type/Pages/Kids[3 0 R]/Count 1 %s>>", b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 90 90]/Contents 4 0 R %s>>",
             b"<</Length %d %%s>>stream\n%s\nendstream" % (len(drawn), drawn.replace(b"%", b"%%"))]  # fmt: skip
    made, places = b"%PDF-1.7\n", []
    for number, body in enumerate(usual, 1):
        more = " ".join(choices.text(_BITS, 6) for _ in range(choices.pick((0, 0, 1, 3)))).encode("latin-1", "replace")
        places.append(len(made))
        made += b"%d 0 obj" % number + (body % more if choices.number(19) else more) + b"endobj\n"
    more = " ".join(choices.text(_BITS, 6) for _ in range(choices.pick((0, 0, 2)))).encode("latin-1", "replace")
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        made
        + b"xref\n0 5\n0000000000 65535 f \n"
        + table
        + b"trailer<</Size 5/Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF\n" % (more, len(made))
    )


def start() -> list[bytes]:
    return [b"\x00" + body for body in seeds.files(".pdf")] + [b"\x01" + bytes(range(n, n + 90)) for n in range(8)]


TARGET = Target("pdfs", "PDF files", run, start, tuple(bit.encode() for bit in (*_BITS, *_DRAW)))
