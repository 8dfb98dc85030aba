"""Excel workbooks: a ZIP that is sound, of parts whose XML is not."""

from __future__ import annotations

import functools
import io
import zipfile

from tests.fuzz import looking, seeds
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target

_BITS = ('<c r="A1" t="s"><v>0</v></c>', '<c r="A1" t="s"><v>99999999999999999999</v></c>', '<c r="A1" t="inlineStr"><is><t>x</t></is></c>', '<c r="XFD1048576"><v>1</v></c>',
         '<c r="A1" t="d"><v>2001-01-01</v></c>', '<c r="A1" t="e"><v>#N/A</v></c>', '<c r="A1" t="b"><v>1</v></c>', '<c r="A1" s="9"><v>1e300</v></c>', "<f>1+1</f>", '<row r="1">', "</row>",
         '<row hidden="1" r="2">', "<v>\u0663</v>", "<v>\u00b2</v>", "<t>=x</t>", ' t="s"', "<!-- c -->", "<?pi?>", '<definedName name="a">1</definedName>', '<sheet name="h" state="hidden" r:id="rId1"/>',
         '<dimension ref="A1:XFD1048576"/>', '<mergeCell ref="A1:B2"/>', "<si><t>a</t></si>", "<extLst/>", "&amp;", "&x;", '<hyperlink location="x"/>', "<oddHeader>x</oddHeader>",
         '<dataValidation type="list"/>', "<v>-5</v>", "<v>1</v>", '<numFmt numFmtId="164" formatCode="yyyy"/>', "<v>1e9</v>", "<v>nan</v>")  # fmt: skip


@functools.cache
def _parts() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(min(seeds.files(".xlsx"), key=len))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def run(data: bytes) -> None:
    choices = Choices(data)
    if choices.number(3) == 0:
        looking.checked("out.xlsx", choices.rest())
        return
    parts = dict(_parts())
    for _ in range(1 + choices.number(4)):
        name = choices.pick(sorted(parts))
        text = parts[name].decode()
        marks = [place for place, letter in enumerate(text) if letter in '<>"='] or [0]
        at = choices.pick(marks) + choices.number(1)
        cut = choices.pick((0, 0, 0, 1, 5, 40))
        parts[name] = (text[:at] + choices.text(_BITS, 8) + text[at + cut :]).encode("utf-8", "replace")
    if choices.number(9) == 0:
        parts.pop(choices.pick(sorted(parts)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(zipfile.ZipInfo(name), body)
    looking.checked("out.xlsx", out.getvalue())


def start() -> list[bytes]:
    return [b"\x00" + body for body in seeds.files(".xlsx", ".xlsm")] + [
        bytes([1 + n % 3]) + bytes(range(n, n + 60)) for n in range(20)
    ]


TARGET = Target("workbook", "Excel workbooks", run, start, tuple(bit.encode() for bit in _BITS), share=1.5)
