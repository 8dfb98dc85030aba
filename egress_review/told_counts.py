"""Counts that a text tells outside tables: in sentences, lists, trees, arrays and dictionaries. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from egress_review.composite_cells import word_number


@dataclass(frozen=True)
class Told:
    """One count: the number, the words it stands in, and whether they leave no doubt that it is of people."""

    number: int
    words: str
    certain: bool


_SMALL_WORD = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
_NUMBER = rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d+|{_SMALL_WORD})"
_KIND = (
    r"(?:patients?|people|persons?|participants?|subjects?|individuals?|women|woman|men|man|girls?|boys?|children|child"
    r"|infants?|babies|mothers?|fathers?|deaths?|respondents?|pupils?|students?|inmates|veterans?|residents?|carriers?"
    r"|survivors?|adults?|cases|households?|employees|firms)"
)
_DEED = (
    r"(?:died|withdrew|dropped out|tested (?:positive|negative)|relapsed|declined|recovered|developed|attempted|refused"
    r"|were (?:lost|excluded|admitted|diagnosed|hospitali[sz]ed|deceased|infected|positive|male|female)"
    r"|was (?:lost|excluded|admitted|diagnosed|infected|positive)|reported (?!in\b)"
    r"|had (?:attempted|died|a history|been diagnosed|the mutation))"
)
_BETWEEN = (
    r"(?:(?:of the|of these|of them|treated|control|female|male|young|older|elderly|black|white|pregnant|other|more"
    r"|further|new|single) ){0,2}"
)
_ANYONE = rf"(?! in (?:{_NUMBER}|every|each|a)\b)(?! per\b)(?! (?:years|aged \d+ (?:to|and)))"
_SENTENCE = re.compile(
    rf"(?<![\w.,/=%-])({_NUMBER}) {_BETWEEN}(?:{_KIND}\b{_ANYONE}|{_DEED})",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?<![\w.])[nN]\s?=\s?(\d[\d,]*)(?![\d,]*[.]?\w)")
_OF_ALL = re.compile(rf"(?<![\w.,/=%-])({_NUMBER}) (?:out )?of (?:the |our |all )?(\d[\d,]*) {_KIND}\b", re.IGNORECASE)
_SHARE_OF = re.compile(
    rf"\b(?:of|among) (?:the |our |all )?(\d[\d,]*) {_KIND}\b[^.\n%]{{0,60}}?"
    r"(?<![\d.])(\d{1,2}(?:\.\d+)?) ?\\?(?:%|per ?cent)",
    re.IGNORECASE,
)
_CODE_CALL = re.compile(r"\w\([^()\n]*$")
_COUNT_SHARE = re.compile(r"(?<![\w.,/=-])(\d[\d,]*) ?\((\d{1,3}(?:\.\d+)?) ?\\?%\)")
_LEAF = re.compile(
    r"(?:samples|n_samples|leaf_count|n_node_samples|leaf_size)\"?\s*[=:]\s*(\d+)"
    r"|(?:value|weights|class_counts)\s*[=:]\s*\[\[?\s*([\d.,\s]+?)\s*\]",
    re.IGNORECASE,
)
_RPART = re.compile(r"^\s*\d+\)\s+\S.*?\s(\d+)\s+[\d.]+(?:e[+-]?\d+)?\s+\S+(?:\s+\([\d. ]+\))?\s*\*?\s*$", re.MULTILINE)
_DICTIONARY = re.compile(r"(?:Counter\()?\{((?:\s*+[^{}:,\n]{1,40}+:\s*+\d++\s*+,?){2,60})\}")
_PAIR = re.compile(r"([^{}:,\n]{1,40}):\s*(\d+)\s*(?:,|$)")
_ARRAYS = re.compile(r"array\(\[([\d,\s]+)\](?:, dtype=\w+)?\)")
_TUPLE_OF_ARRAYS = re.compile(r"\(\s*array\(\[[^\]]*\][^)]*\)\s*,\s*array\(\[[^\]]*\][^)]*\)")
_MATRIX = re.compile(
    r"\[\s*+\[\s*+\d++(?:[\s,]++\d++)+\s*+\]\s*+,?\s*+(?:\[\s*+\d++(?:[\s,]++\d++)+\s*+\]\s*+,?\s*+)+\]"
)
_LISTED = re.compile(
    r"^[ \t]*(?:[-*•+] +|\d+[.)] +|[\w.]+ *-> *)?([^\n:=]{1,60}?) ?[:=] ?(\d[\d,]*)[ \t]*"
    r"(?:\(\d+(?:\.\d+)? ?%\))?[ \t]*$"
)
_COUNTED = re.compile(
    r"\b(?:counts?|sizes?|balance|frequenc\w+|value_counts|tabulation|crosstab|contingency|confusion|observed"
    r"|distribution of|number of (?:people|patients|participants|cases)|patients|participants|cases|deaths|enrol\w+"
    r"|excluded|randomi[sz]ed|eligib\w+|screened|analysed|analyzed|declined|lost to follow|withdr\w+|died|allocated)\b",
    re.IGNORECASE,
)
_FLOW = re.compile(
    r"\b(?:declined|died|withdr\w+|lost to follow|excluded|refused|randomi[sz]ed|eligib\w+|screened|enrol\w+|did not"
    r"|deaths?|patients|participants)\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"^\s*(?:import |from \w+ import|def |library\(|#!|SELECT\b)", re.MULTILINE)
MAX_TEXT = 500_000


def told(text: str) -> Iterator[Told]:
    """Every count of people in `text`, in no order of weight; what reads as a program tells of nobody."""
    text = text[:MAX_TEXT]
    code = bool(_CODE.search(text))
    if not code:
        yield from _sentences(text)
        yield from _lists(text)
    yield from _trees(text)
    yield from _printed(text)


def _number(text: str) -> int:
    word = word_number(text)
    return word if word is not None else int(text.replace(",", ""))


def _around(text: str, start: int, end: int) -> str:
    return " ".join(text[max(0, start - 20) : end + 20].split())


def _sentences(text: str) -> Iterator[Told]:
    plain = text.replace("{,}", ",")
    for match in _SENTENCE.finditer(plain):
        if re.match(r"one\b", match[1], re.IGNORECASE) and not re.search(_DEED, match.group()):
            continue  # `one person`, `one patient` is how one speaks of anyone
        yield Told(_number(match[1].lower()), _around(plain, match.start(), match.end()), certain=False)
    for match in _NAMED.finditer(plain):
        line = plain[plain.rfind("\n", 0, match.start()) + 1 : match.start()]
        if not _CODE_CALL.search(line):
            yield Told(_number(match[1]), _around(plain, match.start(), match.end()), certain=True)
    for match in _OF_ALL.finditer(plain):
        yield Told(_number(match[1].lower()), _around(plain, match.start(), match.end()), certain=True)
    for match in _SHARE_OF.finditer(plain):
        few = round(_number(match[1]) * float(match[2]) / 100)
        yield Told(few, _around(plain, match.start(), match.end()), certain=False)
    for match in _COUNT_SHARE.finditer(plain):
        yield Told(_number(match[1]), _around(plain, match.start(), match.end()), certain=True)


def _lists(text: str) -> Iterator[Told]:
    """Lines of a name and a whole number, below words or with names that say what is counted."""
    lines = text.splitlines()
    group: list[tuple[str, int]] = []
    heading = ""
    for line in [*lines, ""]:
        match = _LISTED.match(line)
        if match:
            group.append((match[1].strip(), _number(match[2])))
            continue
        if group:
            yield from _listed(heading, group)
            group = []
        if line.strip():
            heading = line.strip()


def _listed(heading: str, group: list[tuple[str, int]]) -> Iterator[Told]:
    names = " ".join(name for name, _ in group)
    flows = sum(bool(_FLOW.search(name)) for name, _ in group)
    if (
        (len(group) >= 2 and _COUNTED.search(heading) and len(heading) < 80)
        or flows >= 2
        or (flows and len(group) == 1)
    ):
        for name, number in group:
            if not re.search(
                r"seed|depth|epoch|version|threshold|folds?\b|rounds?\b|iterations?", names, re.IGNORECASE
            ):
                yield Told(number, f"{name}: {number}", certain=flows < len(group) or len(group) > 1)


def _trees(text: str) -> Iterator[Told]:
    for match in _LEAF.finditer(text):
        for part in re.findall(r"\d+(?:\.\d+)?", match[1] or match[2] or ""):
            value = float(part)
            if value.is_integer() and (match[1] or "[" in match.group()):
                yield Told(int(value), " ".join(match.group().split()), certain=True)
    if "denotes terminal node" in text:
        for match in _RPART.finditer(text):
            yield Told(int(match[1]), " ".join(match.group().split())[:80], certain=True)


def _printed(text: str) -> Iterator[Told]:
    for match in _DICTIONARY.finditer(text):
        before = text[max(0, match.start() - 60) : match.start()].rpartition("\n")[2]
        if match.group().startswith("Counter(") or _COUNTED.search(before):
            for pair in _PAIR.finditer(match[1]):
                yield Told(int(pair[2]), pair.group().strip(" ,"), certain=True)
    for match in _TUPLE_OF_ARRAYS.finditer(text):  # as numpy's histogram and unique give them
        for array in _ARRAYS.finditer(match.group()):
            for part in re.findall(r"\d+", array[1]):
                yield Told(int(part), " ".join(array.group().split())[:80], certain=True)
    for match in _MATRIX.finditer(text):
        before = text[max(0, match.start() - 120) : match.start()]
        if _COUNTED.search(before):
            for part in re.findall(r"\d+", match.group()):
                yield Told(int(part), " ".join(match.group().split())[:80], certain=True)
