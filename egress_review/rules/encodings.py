"""Codes in text that no single pattern names: words that are none, symbols used as letters, numbers that spell something."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule

CODED = rule(
    "text.coded-words",
    "warns",
    "Words that are no words",
    source="Observed: an encoded file cut into short pieces",
    why="Pieces of base64, hexadecimal and the like pass for names or references one by one; together they are a file.",
    remedy="Take the keys, references or encoded pieces out.",
)
PIECES = rule(
    "text.coded-lines",
    "blocks",
    "Lines of an encoded file",
    source="uuencode, yEnc, quoted-printable, Ascii85, hexadecimal dumps",
    why="Lines of equal length without a word in them are a file written as text.",
    remedy="Remove the lines; add the thing itself as a file of its own.",
)
SYMBOLS = rule(
    "text.symbols",
    "blocks",
    "Symbols used as letters",
    source="Observed: bytes written as emoji, Braille, rare letters or punctuation",
    why="A long row of many different symbols is a code; nobody reads it as text.",
    remedy="Remove the symbols.",
)
WORDS = rule(
    "text.word-code",
    "warns",
    "Words without a sentence",
    source="Observed: word lists such as BIP 39 or the spelling alphabet",
    why="Many words in a row, none of which holds a sentence together, may stand for bytes.",
    remedy="Write sentences, or remove the list.",
)
SPELT = rule(
    "text.numbers-spell", "blocks", "Numbers that spell a text", source="Observed: character codes given as counts, rates or times",
    why="Read as character codes, the numbers give words.", remedy="Remove the numbers.",
)  # fmt: skip

SEARCHED = 1_000_000  # characters of one text; a longer one is refused for its length in any case
_WORD = re.compile(r"[A-Za-z0-9]{4,200}")
_PROSE = re.compile(r"(?:[A-Za-z]{2,14}[ ,.;\n]{1,2}){40,}")
# Words that hold a sentence together, in the languages in which results are written.
_GLUE_TEXT = (
    "the of and to in is was for are with that on by as at from not be this or an it we were which der die das und ist von zu den mit ein eine "
    "für im nicht auf des dem le la les et des du un une est dans pour que qui el los las de y en por se con una il che di per non del della e o "
    "a os as do da em het een van en dat niet op te ja on ei se että oli och att det som en av på og til ikke i og jeg w z na i nie do że jest ve "
    "bir bu ile için yang dan di ini untuk ya na wa kwa ni az es egy nem hogy je se v na si"
)
_DIGITS = re.compile(r"(\d+)")
_GLUE = frozenset(_GLUE_TEXT.split())
_BIGRAMS_TEXT = (
    "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ea ra ce li ch ll be ma "
    "si om ur la el di so us un ie ei ge sc da au ns ta tr il ss et ad ss ol pe mo po na ni no ca lo os do em qu ui ec ol ia sa sp ac ct am id im "
    "pr mi op rs tu ir ke rt sh ut ul av ow ag ab ot ig ay ck ef ex em gh wo fo ho pa fi ba bo wa we wi up ev"
)
_BIGRAMS = frozenset(_BIGRAMS_TEXT.split())


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in every text of the file."""
    for where, text in subject.texts:
        plain = text[:SEARCHED]
        if not where.startswith("table") or subject.kind == "csv":
            yield from _lines(where, plain)
        yield from _tokens(where, plain)
        yield from _symbols(where, plain)
        if subject.kind in ("text", "notebook", "html", "pdf"):
            yield from _sentences(where, plain)
        yield from _spelling(where, plain)


# -- pieces and lines


def _changes(word: str) -> int:
    """How often a word changes between small letters, capitals and digits, beyond what names and numbers do."""
    kinds = ["a" if c.islower() else "A" if c.isupper() else "0" if c.isdigit() else "+" for c in word]
    steps = [(a, b) for a, b in itertools.pairwise(kinds) if a != b]
    return len([step for step in steps if step != ("A", "a")]) if len(steps) > 1 else 0


def _is_piece(word: str) -> bool:
    if re.fullmatch(
        r"0x[0-9A-Fa-f]+|\d+(?:[eE]\d+)?|[A-Za-z]\d+[A-Za-z]?|(?:[A-Z]?[a-z]++)++\d*|(?:[a-z]+\d+){1,2}|[A-Z]+[a-z]*\d*|\d+[a-z]{1,3}",
        word,
    ):
        return bool(re.search(r"(?:[a-z][A-Z]){2}|[A-Z][a-z][A-Z][a-z][A-Z]", word))
    return _changes(word) >= 2


def _tokens(where: str, text: str) -> Iterator[Finding]:
    words = set(_WORD.findall(re.sub(r"https?://(?:dx\.)?doi\.org/10\.\d+/\S*?(?=[\s,;)}])", " ", text)))
    pieces = {word for word in words if _is_piece(word)}
    letters = sum(map(len, pieces))
    if len(pieces) >= 16 and letters >= 100 and len(pieces) > 0.12 * len(words):
        example = max(sorted(pieces), key=_changes)
        yield CODED.found(
            where,
            f"{len(pieces)} different words mix letters, capitals and digits as encoded pieces do, such as {example[:24]!r}.",
            severity="blocks" if len(pieces) > 0.5 * len(words) and letters >= 250 else None,
        )
    for long in re.findall(r"[A-Za-z]{40,}", text):
        if len(set(long.lower())) > 3 or re.fullmatch(r"[ACGTUacgtu]+", long):
            yield PIECES.found(where, f"A word of {len(long)} letters begins with {long[:24]!r}.")
            break
    yield from _no_language(where, text)


def looks_coded(words: Iterable[str]) -> bool:
    """Whether names taken together are pieces of an encoded file."""
    pieces = {piece for word in set(words) for piece in _WORD.findall(word)}
    coded = {piece for piece in pieces if _is_piece(piece) or re.fullmatch(r"c?[0-9a-f]{8,}", piece)}
    return len(coded) >= 12 and len(coded) > 0.4 * len(pieces) and sum(map(len, coded)) >= 80


def _no_language(where: str, text: str) -> Iterator[Finding]:
    """Letters whose neighbours are those of no European language: a cipher, or letters standing for bytes."""
    words = {
        word
        for word in re.findall(r"(?<![\w\\])[A-Za-z]{4,39}(?!\w)", text)
        if word.isupper() or word.islower() or word.istitle()
    }
    if len(words) < 25:
        return
    pairs = [a + b for word in words for a, b in itertools.pairwise(word.lower())]
    share = sum(pair in _BIGRAMS for pair in pairs) / len(pairs)
    if share < 0.27:
        yield CODED.found(
            where, f"The {len(words)} different words are in no known language, such as {min(words)[:24]!r}."
        )
    turned = list(re.findall(r"(?<!\w)[a-z]{2,12}[A-Z](?!\w)", text))
    if len(set(turned)) >= 8:
        yield CODED.found(
            where, f"{len(set(turned))} words end in their capital, as names do that are written backwards."
        )


_HEX_WORD = re.compile(
    r"(?<![\w.])(?:0x)?(?:[0-9a-f]{2}|[0-9a-f]{4}|[0-9a-f]{8}|[0-9A-F]{2}|[0-9A-F]{4}|[0-9A-F]{8})(?![\w.])"
)
_ESCAPES = re.compile(
    r"(?:=[0-9A-F]{2}){12,}|(?:\\[0-7]{3}){12,}|(?:\\char\d{2,3}\s*){12,}|(?:&#\d{2,3};?\s*){12,}|<~[!-uz\s]{40,}~>|=ybegin |^begin [0-7]{3} \S",
    re.MULTILINE,
)


def _lines(where: str, text: str) -> Iterator[Finding]:
    escaped = _ESCAPES.search(text)
    if escaped:
        yield PIECES.found(where, f"An encoded part begins with {escaped.group()[:24]!r}.")
    lines = text.splitlines()
    hexes = [_HEX_WORD.findall(line) for line in lines if len(line) < 4000]
    groups = [group.removeprefix("0x") for found in hexes if len(found) >= 6 for group in found]
    lettered = sum(
        bool(re.search(r"[a-fA-F]", group)) and bool(re.search(r"\d", group) or len(group) == 2) for group in groups
    )
    if len(groups) >= 24 and lettered > 0.25 * len(groups):
        yield PIECES.found(where, f"{len(groups)} groups of hexadecimal digits, such as {' '.join(groups[:4])!r}.")
    colons = set(re.findall(r"(?:[0-9a-fA-F]{2,4}:){5,}[0-9a-fA-F]{2,4}", text))
    if len(colons) >= 3:
        yield PIECES.found(where, f"{len(colons)} addresses of bytes, such as {min(colons)[:30]!r}.")
    yield from _even_lines(where, lines)


def _even_lines(where: str, lines: Sequence[str]) -> Iterator[Finding]:
    for place in range(len(lines) - 3):
        first = lines[place]
        if not 15 < len(first) < 200 or len({len(line) for line in lines[place : place + 3]}) > 1:
            continue
        block = lines[place : place + 3]
        if (
            all(re.fullmatch(r"[A-Za-z0-9+/=_-]+", line) and len(set(line)) > 3 for line in block)
            and len(set(block)) == 3
        ) and not all(re.fullmatch(r"[a-z]+(?:[_-][a-z]+)*|[-_=+]+|\d+", line) for line in block):
            yield PIECES.found(where, f"Lines of {len(first)} characters without a blank, such as {first[:24]!r}.")
            return
        if all(not re.search(r"\s", line) and len(set(line)) > 11 and _soup(line) for line in block):
            yield PIECES.found(
                where, f"Lines of {len(first)} letters and signs without a blank, such as {first[:24]!r}."
            )
            return
        # uuencode tells the length of a line by its first character.
        if all(
            re.fullmatch(r"[!-M][ -`]+", line)
            and len(re.findall(r"[!-+/:<-@A-Z^]", line)) > 0.5 * len(line)
            and len(line) == 1 + -(-(ord(line[0]) - 32) // 3) * 4
            for line in block
        ):
            yield PIECES.found(where, f"Lines of uuencode, such as {first[:24]!r}.")
            return


def _soup(line: str) -> bool:
    signs = [c for c in line if not c.isalnum()]
    return (
        len(signs) > 0.12 * len(line)
        and len(set(signs) & set("!#$%&*+<>?@^`|~;{}")) >= 3
        and bool(re.search(r"[A-Za-z]", line))
    )


# -- symbols

_USUAL_SCRIPTS_TEXT = (
    "LATIN GREEK CYRILLIC HEBREW ARABIC CJK HIRAGANA KATAKANA KATAKANA-HIRAGANA HANGUL DEVANAGARI BENGALI GURMUKHI GUJARATI TAMIL TELUGU KANNADA "
    "MALAYALAM SINHALA THAI LAO MYANMAR GEORGIAN ARMENIAN ETHIOPIC KHMER TIBETAN MONGOLIAN ORIYA MICRO MODIFIER FEMININE MASCULINE HALFWIDTH "
    "FULLWIDTH DOUBLE-STRUCK"
)
_USUAL_SCRIPTS = frozenset(_USUAL_SCRIPTS_TEXT.split())


def _symbols(where: str, text: str) -> Iterator[Finding]:
    for run in re.finditer(r"[!?.,;:+*/#%&'~^$@|<>=\-]{40,}", text):
        if len(set(run.group())) >= 4 and max(Counter(run.group()).values()) < 0.5 * len(run.group()):
            yield SYMBOLS.found(
                where, f"{len(run.group())} punctuation marks follow one another, such as {run.group()[:24]!r}."
            )
    if text.isascii():
        return
    counts = Counter(c for c in text if ord(c) > 0x7F)
    marks = {c: n for c, n in counts.items() if unicodedata.category(c) in ("So", "Sk")}
    drawn = {c: n for c, n in marks.items() if 0x2500 <= ord(c) <= 0x259F}
    other = {c: n for c, n in marks.items() if c not in drawn and c not in "°©®™✓✔✗✘●○■□▪▲▼★☆→←↑↓´¨¯¸"}
    if len(drawn) >= 32 or (sum(other.values()) >= 40 and len(other) >= 5) or sum(other.values()) >= 150:
        yield SYMBOLS.found(
            where, f"{sum(marks.values())} symbols of {len(marks)} kinds, such as {''.join(sorted(marks))[:12]!r}."
        )
    small = sum(counts[c] for c in "⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉")
    if small and re.search(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]{10,}|[₀-₉]{10,}", text):
        yield SYMBOLS.found(where, f"{small} raised or lowered digits stand in a row.")
    digits = re.findall(r"[\d.,]+", text)
    mixed = [number for number in digits if not number.isascii() and re.search(r"[0-9]", number)]
    families = {
        ord(c) - unicodedata.digit(c, 0)
        for number in digits
        for c in number
        if c.isdigit() and ord(c) > 0x7F and unicodedata.category(c) == "Nd"
    }
    if mixed or len(families) > 1:
        yield SYMBOLS.found(
            where,
            f"{many(len(mixed), 'number mixes', 'numbers mix')} digits of several scripts, such as {(mixed or ['?'])[0][:20]!r}.",
        )
    yield from _letters(where, counts)


def _letters(where: str, counts: Counter[str]) -> Iterator[Finding]:
    letters = {c: n for c, n in counts.items() if c.isalpha()}
    rare = Counter[str]()
    for c, n in letters.items():
        script = unicodedata.name(c, "?").split()[0]
        if script not in _USUAL_SCRIPTS:
            rare[script] += n
    if sum(rare.values()) >= 30:
        yield SYMBOLS.found(
            where,
            f"{sum(rare.values())} letters of scripts that no result is written in: {', '.join(sorted(rare))[:60]}.",
        )
    latin = {c for c in letters if 0x100 <= ord(c) <= 0x24F or 0x1E00 <= ord(c) <= 0x1EFF or 0x250 <= ord(c) <= 0x2AF}
    if len(latin) > 60 and not {c for c in letters if 0x1EA0 <= ord(c) <= 0x1EF9}:
        yield SYMBOLS.found(where, f"{len(latin)} different accented letters, more than any language has.")
    for title, low, high, charsets in (
        ("Chinese characters", 0x3400, 0x9FFF, ("gb2312", "big5", "shift_jis")),
        ("Korean syllables", 0xAC00, 0xD7A3, ("euc_kr",)),
    ):
        signs = {c: n for c, n in letters.items() if low <= ord(c) <= high}
        total = sum(signs.values())
        if total >= 40 and max(_known(signs, charset) for charset in charsets) < 0.9 * total:
            yield SYMBOLS.found(where, f"{total} {title}, of which many are in no text that people write.")


def _known(signs: dict[str, int], charset: str) -> int:
    total = 0
    for c, n in signs.items():
        try:
            c.encode(charset)
        except UnicodeEncodeError:
            continue
        total += n
    return total


# -- words and numbers


def _sentences(where: str, text: str) -> Iterator[Finding]:
    for run in _PROSE.finditer(text):
        words = re.findall(r"[A-Za-z]+", run.group().lower())
        if (
            len(words) >= 60
            and sum(word in _GLUE for word in words) < 0.04 * len(words)
            and len(set(words)) < 0.97 * len(words)
        ):
            yield WORDS.found(where, f"{len(words)} words in a row make no sentence: {' '.join(words[:5])} …")
            return
    lone = [line.strip().lower() for line in text.splitlines() if re.fullmatch(r"\s*[A-Za-z]{2,14}\s*", line)]
    if len(lone) >= 60 and len(set(lone)) < 0.85 * len(lone):
        yield WORDS.found(where, f"{len(lone)} lines hold one word each, and the words come again.")
    firsts = [line.split()[0] for line in text.splitlines() if re.match(r"\s*\w\s+\S", line)]
    if (
        len(firsts) >= 40
        and len(
            {
                re.sub(r"^\s*\w\s+", "", re.sub(r"\d+", "0", line))
                for line in text.splitlines()
                if re.match(r"\s*\w\s+\S", line)
            }
        )
        <= 2
        and len(set(firsts)) > 8
    ):
        yield WORDS.found(where, "The first letters of the lines are the only thing in which they differ.")


def reads_as_text(codes: Iterable[float]) -> bool:
    """Whether numbers, taken as character codes, give words: small letters that follow one another as in a language."""
    values = list(codes)
    if len(values) < 24 or any(v != int(v) or not (v in (9, 10, 13) or 32 <= v <= 126) for v in values):
        return False
    text = "".join(chr(int(v)) for v in values)
    usual = sum(c.isalnum() or c in " ,.;:\n-_/\"'" for c in text)
    small = re.findall(r"[a-z]+", text)
    pairs = [a + b for word in small for a, b in itertools.pairwise(word)]
    return (
        usual > 0.9 * len(text)
        and len(set(values)) > 8
        and len(pairs) > 0.15 * len(text)
        and sum(p in _BIGRAMS for p in pairs) > 0.4 * len(pairs)
    )


def _spelling(where: str, text: str) -> Iterator[Finding]:
    """Numbers in a row, and numbers at the same place of lines that are otherwise alike."""
    for run in re.finditer(r"(?:(?<![\w.])-?\d{1,4}(?:\.0*)?[\s,;\]\[]{1,3}){24,}", text):
        if reads_as_text(float(n) for n in re.findall(r"\d+", re.sub(r"\.0*\b", "", run.group()))):
            yield SPELT.found(
                where, "Numbers that follow one another spell words when they are read as character codes."
            )
            return
    columns: dict[tuple[str, int], list[str]] = {}
    for line in text.splitlines()[:20_000]:
        parts = _DIGITS.split(line)
        shape = "0".join(parts[::2])[:200]
        for place, number in enumerate(parts[1:24:2]):
            columns.setdefault((shape, place), []).append(number)
    for (shape, _), numbers in columns.items():
        if len(numbers) >= 24 and spells(numbers):
            yield SPELT.found(
                where, f"In lines such as {shape[:50]!r} one number spells words when it is read as character codes."
            )
            return


def spells(numbers: Sequence[str]) -> bool:
    """Whether whole numbers spell words: as they are, without their last digits, or by their last or first three digits."""
    values = [int(n) for n in numbers if len(n) < 18]
    if len(values) < 24 or len(set(values)) < 8:
        return False
    scaled: list[list[float]] = [[v / scale for v in values] for scale in (1, 5, 10, 100, 1000)]
    ends: list[list[float]] = (
        [[float(v % 1000) for v in values], [float(n[:3]) for n in numbers]]
        if all(len(n) >= 3 for n in numbers)
        else []
    )
    if any(reads_as_text(tries) for tries in [*scaled, *ends]):
        return True
    # Thousandths and millionths of a second are even; bytes stay below 256.
    return all(len(n) == 6 for n in numbers) and any(
        all(int(t) < 256 for t in three) and len(set(three)) > 12 and len(set(other)) > 12 and three != sorted(three)
        for three, other in (
            ([n[:3] for n in numbers], [n[3:] for n in numbers]),
            ([n[3:] for n in numbers], [n[:3] for n in numbers]),
        )
    )
