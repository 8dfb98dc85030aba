"""Plain text, logs, LaTeX and Markdown: the checks of text, the tables printed in it, identifiers, rows of the source."""

from __future__ import annotations

from tests.fuzz import looking, seeds
from tests.fuzz.contract import Target

_ENDINGS = (".txt", ".md", ".log", ".tex", ".py", ".xml", ".csv.txt")


def run(data: bytes) -> None:
    if data:
        looking.checked(f"out{_ENDINGS[data[0] % len(_ENDINGS)]}", data[1:])


def start() -> list[bytes]:
    return [b"\x00" + body for body in seeds.files(".txt", ".md", ".log", ".tex", ".py", ".R")]


_WORDS = (b"|", b"---", b"&", b"\\\\", b"\\hline", b"coef    std err", b"nhs", b"max 17.5", b"  ", b"\n\n", b"\x1b[8m", b"\xe2\x80\x8b", b"No. Observations:",
          b"Df Residuals:", b"\xff\xfe", b"\xef\xbb\xbf", b"2001-01-01", b"age=18 income=10000.5", b"0x", b"\\x41", b"n = 3", b"count", b"%", b"\r")  # fmt: skip
TARGET = Target("texts", "plain text and the tables printed in it", run, start, _WORDS, share=1.5)
