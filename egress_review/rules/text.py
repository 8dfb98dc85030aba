"""Hiding places in text: what a reader does not see and a program reads back."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from egress_review import kinds
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule

_TR = "Unicode TR 36 and 39; Trojan Source (CVE-2021-42574)"
INVISIBLE = rule(
    "text.invisible",
    "blocks",
    "Invisible characters",
    source=_TR,
    why="Zero-width, tag and variation characters encode bits that nobody sees.",
    remedy="Write the file again in plain text, or remove the characters named.",
)
DIRECTION = rule(
    "text.direction",
    "blocks",
    "Direction-changing characters",
    source=_TR,
    why="They make text read otherwise than it is stored.",
    remedy="Remove the characters named.",
)
SCRIPTS = rule(
    "text.scripts",
    "blocks",
    "Look-alike letters",
    source=_TR,
    why="Letters of another script inside a word look the same and carry a bit each.",
    remedy="Type the words named again in one script.",
)
CONTROL = rule(
    "text.control",
    "blocks",
    "Control characters",
    source="ECMA-48: conceal and erase codes",
    why="Escape codes hide text on a screen (conceal, erase, back-space) that stays in the file.",
    remedy="Print without colours or escape codes (for instance through `cat -v`) and save again.",
)
SPACES = rule(
    "text.spaces",
    "blocks",
    "Spaces at the ends of lines",
    source="SNOW and other whitespace steganography",
    why="Runs of spaces and tabs at line ends are a known channel.",
    remedy="Strip them: sed -i 's/[ \\t]*$//' FILE.",
)
ENDINGS = rule(
    "text.line-endings",
    "blocks",
    "Mixed line ends",
    source="Observed",
    why="Lines that end in different ways can carry a bit each.",
    remedy="Save the file with one kind of line end.",
)
ODD_SPACES = rule(
    "text.odd-spaces",
    "blocks",
    "Several kinds of space",
    source=_TR,
    why="Spaces of different widths between words encode bits.",
    remedy="Replace them by ordinary spaces.",
)
ENCODED = rule(
    "text.encoded",
    "blocks",
    "A long encoded run",
    source="Observed",
    why="Base64, hexadecimal and similar runs carry any file as text.",
    remedy="Remove the run; add the thing itself as a file of its own.",
)
NOT_UTF8 = rule(
    "text.encoding",
    "warns",
    "Not UTF-8",
    source="Observed",
    why="Bytes outside UTF-8 may read differently elsewhere.",
    remedy="Save the file as UTF-8.",
)
LONG = rule(
    "text.long",
    "blocks",
    "More text than can be read",
    source="Fail closed: above 16 MiB only the beginning, the end and the different cells of a table are searched",
    why="Nobody reads a text of this length.",
    remedy="Keep what a reader needs; results are short.",
)
VALUES = rule("text.values", "warns", "Long runs of numbers", source="Observed",
    why="Many numbers one after the other, without the form of a table, look like a column of the data.",
    remedy="Show a summary in place of the values.")  # fmt: skip

_ZERO_WIDTH = {0x200B, 0x200C, 0x200D, 0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0x180E, 0xFEFF, 0x034F, 0x00AD, 0x115F, 0x1160,
               0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x2800, 0x1D173, 0x1D174, 0x1D175, 0x1D176, 0x1D177, 0x1D178, 0x1D179, 0x1D17A,
               0xFFF9, 0xFFFA, 0xFFFB, 0x206A, 0x206B, 0x206C, 0x206D, 0x206E, 0x206F}  # fmt: skip
_BIDI = {0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069, 0x200E, 0x200F, 0x061C}
_SPACES = {
    0x00A0,
    0x1680,
    0x2000,
    0x2001,
    0x2002,
    0x2003,
    0x2004,
    0x2005,
    0x2006,
    0x2007,
    0x2008,
    0x2009,
    0x200A,
    0x202F,
    0x205F,
    0x3000,
}
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_-])(?:[A-Za-z0-9+/_-]{40,}={0,2}|[A-Z2-7]{40,}={0,6})(?![A-Za-z0-9+/=])")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?[0-9a-fA-F]{48,}(?![0-9A-Za-z])")
_HEX_GROUPS = re.compile(
    r"(?:\b[0-9a-fA-F]{2}[ :,-]){24,}|(?:\\x[0-9a-fA-F]{2}){12,}|(?:\\u[0-9a-fA-F]{4}){8,}|(?:%[0-9a-fA-F]{2}){16,}|(?:&#x?[0-9a-fA-F]+;){12,}"
)
_BITS = re.compile(r"(?<![0-9.])[01](?:[01 ]{62,})[01](?![0-9.])")
_BASE85 = re.compile(r"(?<!\S)[!-~]{60,}(?!\S)")
_LINES64 = re.compile(r"(?:^[A-Za-z0-9+/]{16,76}={0,2}\r?\n){4,}", re.MULTILINE)
_NUMBERS = re.compile(r"(?<!\d)(?:[-+]?\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?[\s,;|]++){60,}+")
_MORSE = re.compile(r"(?:[.\-·]{1,6}[ /]+){40,}")


LONG_TEXT = 2 * 1024**2  # bytes that a reader may be asked to read
_ORDINARY = bytes([9, 10, 13, *range(32, 127)])


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in the text of text files, and in every text inside the others."""
    if subject.kind in ("csv", "text", "json", "html", "svg", "notebook"):
        yield from _raw(subject)
    if subject.kind in ("csv", "text", "json", "xml") and len(subject.data) > LONG_TEXT:
        yield LONG.found(subject.name, f"The text is {len(subject.data) / 1024**2:.1f} MiB long.")
        yield from _odd_characters(subject)
    for where, text in subject.texts:
        yield from in_text(where, text)
        yield from encoded_runs(where, text, numbers=subject.kind != "csv")


def _raw(subject: Subject) -> Iterator[Finding]:
    decoded = kinds.decode(subject.data)
    if decoded is None:
        return
    text, encoding = decoded
    if encoding in ("latin-1", "utf-16"):
        yield NOT_UTF8.found(subject.name, f"The text is in {encoding}, not UTF-8.")
    data = subject.data
    if subject.kind not in ("html", "svg") and b"\r" in data:
        both, bare = data.count(b"\r\n"), data.count(b"\n")
        lone = data.count(b"\r") - both
        if (
            sum(count > 0 for count in (both, bare - both, lone)) > 1
            and subject.kind != "notebook"
            and not (
                subject.kind == "csv" and b'"' in data and lone == 0 and both > bare - both > 0 and _quoted_breaks(text)
            )
        ):
            yield ENDINGS.found(subject.name, f"{both} lines end in CR LF, {bare - both} in LF and {lone} in CR.")
    if subject.kind in ("text", "csv", "json"):
        yield from _line_ends(subject, data)


def _odd_characters(subject: Subject) -> Iterator[Finding]:
    """Characters that show nothing or turn the text, anywhere in a long file: what is left when plain ones are taken out."""
    decoded = kinds.decode(subject.data)
    if decoded is None:
        return
    text, encoding = decoded
    if encoding in ("utf-8", "utf-8-sig"):
        left = subject.data.translate(None, _ORDINARY).decode("utf-8", "replace").removeprefix("\ufeff")
    else:
        left = re.sub(r"[\t\n\r -~]+", "", text)
    yield from (found for found in in_text(subject.name, left) if found.rule not in (SCRIPTS.id, ODD_SPACES.id))


def _quoted_breaks(text: str) -> bool:
    return len(text) < 1_000_000 and re.search(r'"[^"]*\n[^"]*"', text) is not None


def _line_ends(subject: Subject, data: bytes) -> Iterator[Finding]:
    trailing = (
        re.findall(rb"[^\s]([ \t]+)\r?(?=\n|\Z)", data)
        if b" \n" in data or b"\t\n" in data or b" \r" in data or b"\t\r" in data or data[-1:] in b" \t"
        else []
    )
    alone = re.findall(rb"(?<=\n)([ \t]+)\r?(?=\n)", data) if b"\n " in data or b"\n\t" in data else []
    runs = trailing + alone
    if not runs:
        return
    tabs = any(b"\t" in run and b" " in run for run in runs)
    # Printed frames pad their columns: then nearly every line ends in spaces or the widths vary with the text.
    lines = max(1, data.count(b"\n"))
    lengths = {len(run) for run in runs}
    mixed = 0.05 < len(runs) / lines < 0.95
    whole = _padded(data)
    empty_tab_columns = subject.kind == "csv" and all(set(run) == {9} for run in runs)
    if tabs or (not whole and not empty_tab_columns and len(runs) >= 4 and (mixed or len(lengths) > 1)):
        yield SPACES.found(subject.name, f"{len(runs)} of {lines} lines end in spaces or tabs.")


def _padded(data: bytes) -> bool:
    """Whether a program filled lines up to one width, block by block, as statsmodels and Stata do."""
    lines = [line.rstrip(b"\r") for line in data.split(b"\n")]
    odd = 0
    for place, line in enumerate(lines):
        if line != line.rstrip() and line.strip():
            near = lines[max(0, place - 3) : place] + lines[place + 1 : place + 4]
            odd += not any(len(line) == len(other) for other in near)
        elif line and not line.strip():
            odd += 1
    return odd <= 2


def in_text(where: str, text: str) -> Iterator[Finding]:
    """Characters that are not what they seem."""
    bad = re.findall(r"[\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x9f]", text)
    if bad:
        conceal = re.search(r"\x1b\[[0-9;]*8m|\x1b\[[0-9;]*[JKsu]|\x08|\x1b\]|\x1b[PX^_]", text)
        colours_only = not conceal and set(bad) == {"\x1b"}
        names = ", ".join(sorted({f"U+{ord(c):04X}" for c in bad})[:8])
        yield CONTROL.found(
            where,
            f"{many(len(bad), 'control character', 'control characters')} ({names}).",
            severity="warns" if colours_only else "blocks",
        )
    if re.search(r"[^\n]\r(?!\n)[^\n]", text):
        yield CONTROL.found(
            where, "Carriage returns write over a line: part of the text cannot be seen.", severity="warns"
        )
    if text.isascii():
        return
    counts = Counter(text)
    invisible = {
        c: n for c, n in counts.items() if _is_invisible(c) and not (c == "\ufeff" and text.startswith(c) and n == 1)
    }
    joiners = invisible.get("\u200d", 0)
    if (
        invisible
        and not (set(invisible) == {"\ufe0f"} and invisible["\ufe0f"] < 20)
        and not (set(invisible) <= {"\u200d", "\ufe0f"} and joiners < 5 and any(ord(c) > 0x1F000 for c in counts))
    ):
        names = ", ".join(f"U+{ord(c):04X} × {n}" for c, n in sorted(invisible.items())[:8])
        yield INVISIBLE.found(where, f"Characters that show nothing: {names}.")
    bidi = {c: n for c, n in counts.items() if ord(c) in _BIDI}
    if bidi:
        yield DIRECTION.found(
            where, "Direction marks: " + ", ".join(f"U+{ord(c):04X} × {n}" for c, n in sorted(bidi.items())[:8]) + "."
        )
    kinds_of_space = {c for c in counts if ord(c) in _SPACES}
    if (
        len(kinds_of_space) >= 2
        or any(counts[c] >= 1 and c not in "\u00a0\u202f\u2009\u2003\u3000" for c in kinds_of_space)
        or (kinds_of_space and sum(counts[c] for c in kinds_of_space) >= 8 and _mixed_spaces(text))
    ):
        yield ODD_SPACES.found(
            where, "Kinds of space: " + ", ".join(sorted(f"U+{ord(c):04X} × {counts[c]}" for c in kinds_of_space)) + "."
        )
    yield from _scripts(where, text)


def _mixed_spaces(text: str) -> bool:
    odd = sum(text.count(chr(code)) for code in _SPACES)
    grouped = len(re.findall(r"\d[\u00a0\u202f\u2009]\d", text)) + len(
        re.findall(r"[\u00a0\u202f\u2009][%°€:;?!±×=<>]|[±×=<>(][\u00a0\u202f\u2009]", text)
    )
    return odd - grouped >= 8


def _is_invisible(character: str) -> bool:
    code = ord(character)
    return (
        code in _ZERO_WIDTH
        or 0xE0000 <= code <= 0xE0FFF
        or 0xFE00 <= code <= 0xFE0F
        or (unicodedata.category(character) in ("Cf", "Co", "Cn") and code not in _BIDI)
    )


def _script(character: str) -> str:
    name = unicodedata.name(character, "?")
    return "MATH" if name.startswith(("MATHEMATICAL", "FULLWIDTH")) else name.split()[0]


def _scripts(where: str, text: str) -> Iterator[Finding]:
    mixed = []
    for word in re.findall(r"[^\W\d_]{2,}", text):
        if word.isascii():
            continue
        found = {_script(c) for c in word if c.isalpha()}
        if (
            "LATIN" in found
            and found & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "MATH", "COPTIC", "LISU"}
            and not _unit(word)
        ) or ({"CYRILLIC", "GREEK"} <= found):
            mixed.append(word)
    if mixed:
        yield SCRIPTS.found(where, f"{many(len(mixed), 'word mixes', 'words mix')} scripts, such as {mixed[0][:30]!r}.")


def _unit(word: str) -> bool:
    """Greek letters beside Latin ones are usual in units and symbols, not inside words."""
    greek = [c for c in word if _script(c) == "GREEK"]
    return (
        len(word) <= 5
        and all(c in "αβγδεζηθικλμνξπρστυφχψωΔΣΩΓΛΠΦΨΘΒ" for c in greek)
        and "CYRILLIC" not in {_script(c) for c in word}
    )


def _dense(run: str) -> bool:
    """Whether a run has the mixture of encoded bytes: not words, not one letter over and over."""
    kinds_seen = sum(
        (any(c.islower() for c in run), any(c.isupper() for c in run), any(c.isdigit() for c in run), "+" in run)
    )
    if re.search(r"(?<![A-Za-z_.-])(?:[A-Za-z_.-]{3,}+/){2}", run) or "--" in run or "__" in run or len(set(run)) < 10:
        return False  # a path, a rule or a name
    pairs = itertools.pairwise(run)
    changes = sum(a.islower() != b.islower() or a.isdigit() != b.isdigit() for a, b in pairs)
    if kinds_seen >= 3:
        return changes > len(run) * 0.15
    return kinds_seen == 2 and len(run) >= 56 and changes > len(run) * (0.04 if run.upper() == run else 0.15)


def encoded_runs(where: str, text: str, *, numbers: bool = True) -> Iterator[Finding]:
    """Runs that decode to bytes."""
    for title, pattern in (
        ("hexadecimal", _HEX),
        ("escaped bytes", _HEX_GROUPS),
        ("bits", _BITS),
        ("base64 lines", _LINES64),
        ("dots and dashes", _MORSE),
    ):
        match = pattern.search(text)
        if match and len(set(match.group())) > (1 if title in ("bits", "dots and dashes") else 4):
            if title == "base64 lines" and not _dense(match.group().replace("\n", "")[:4000]):
                continue
            if title == "hexadecimal" and len(match.group()) <= 64 and len(pattern.findall(text)) <= 2:
                continue  # one or two SHA-256 sums
            if title == "dots and dashes" and not re.search(r"\.[-]|-\.", match.group()):
                continue
            yield ENCODED.found(
                where, f"A run of {len(match.group())} characters of {title} begins with {match.group()[:24]!r}."
            )
    for match in _BASE64.finditer(text):
        run = match.group()
        if _dense(run):
            yield ENCODED.found(
                where, f"A run of {len(run)} characters that looks like base64 begins with {run[:24]!r}."
            )
            break
    for match in _BASE85.finditer(text):
        run = match.group()
        if (
            len(set(run)) > 30
            and sum(not c.isalnum() for c in run) > len(run) * 0.1
            # Code, paths and tables without a space have these; base85 has none of them, Ascii85 has them all.
            and (not set(run) & set(",.\"'/:\\") or (len(run) > 100 and len(set(run)) > 55))
        ):
            yield ENCODED.found(where, f"A run of {len(run)} characters without a space looks like an encoded file.")
            break
    if numbers and not where.startswith("table"):
        match = _NUMBERS.search(text)
        if match and "\n" not in match.group().strip("\n")[:400]:
            yield VALUES.found(where, f"{len(match.group().split())} numbers follow one after the other.")
