"""What stands in a text and is not shown when the text is used: comments, unused links, options, parts that a program skips."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from egress_review import kinds
from egress_review.findings import Finding
from egress_review.rules import markup
from egress_review.rules.catalogue import Subject, many, rule

COMMENT = rule(
    "aside.comment",
    "warns",
    "Values in comments or skipped parts",
    source="Observed: TeX, Markdown, YAML, scripts",
    why="A comment is not shown in the finished page; values of people in it are seen by nobody.",
    remedy="Remove the values from the comment.",
)
HIDDEN = rule(
    "aside.hidden",
    "blocks",
    "Text that the finished page hides",
    source="Observed: \\phantom, white text, \\iffalse, text after the end",
    why="It is in the file and on no page.",
    remedy="Remove it.",
)
LINKS = rule(
    "aside.links",
    "blocks",
    "Links that carry data",
    source="Observed: link titles, unused references, addresses with data in them",
    why="A link's address and title are not shown, and opening it tells them to a server.",
    remedy="Remove the link, or write its plain address.",
)
RECORDS = rule("aside.records", "blocks", "People by name, with values", source="HIPAA Safe Harbor",
    why="Lines of names with numbers beside them are records of people.", remedy="Remove them.")  # fmt: skip
ROWS = rule("aside.rows", "blocks", "Kept rows of a model, written as text", source="SACRO-ML: instance-based models; leaves of one person",
    why="Support vectors, nearest neighbours and leaves of one person are rows of the data.", remedy="Release a table of coefficients or importances.")  # fmt: skip

_NAMED = re.compile(
    r"(?<!\w)[A-ZÀ-Þ][a-zà-ÿß'’-]+[ _][A-ZÀ-Þ][a-zà-ÿß'’-]+[\"']?\s*[,;|:\t ]\s*[\"']?(?:\d{1,3}[\"']?\s*[,;|\t ]|\d{4}-\d\d-\d\d)"
)
_KEPT = re.compile(
    r"[\"'_](?:support_vectors?_?|_?fit_X|X_train_?|training_data|train_data|inducing_points|TrainingInstances|exemplars)[\"']?\s*[:=]|^\s*total_sv \d",
    re.MULTILINE,
)
_LEAF = re.compile(r"(?:\bn|samples|n_node_samples|count|leaf_count|cover)[\"']?\s*[=:]\s*\[?\s*([\d., ]+)")


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in source texts, in the cells of notebooks, and in every readable text."""
    if subject.kind == "text":
        decoded = kinds.decode(subject.data)
        if decoded:
            yield from _source(subject.name, kinds.ending_of(subject.name), decoded[0][:1_000_000])
    for where, text in subject.texts:
        short = text[:1_000_000]
        if where.endswith(", source"):
            yield from _markdown(where, short)
            yield from _tex(where, short)
            yield from _comments(where, short, "#")
        elif subject.kind == "notebook":
            yield from _tex(where, short)
        names = {match.group()[:60] for match in _NAMED.finditer(short)}
        if len(names) >= 6:
            yield RECORDS.found(where, f"{len(names)} names stand before numbers, as in records of people.")
        yield from _kept(subject, where, short)


def _source(name: str, ending: str, text: str) -> Iterator[Finding]:
    if ending in (".md", ".rmd", ".qmd", ".rst", ".txt", ""):
        yield from _markdown(name, text)
    if ending in (".tex", ".md", ".rmd", ".qmd", ".bib", ".typ"):
        yield from _tex(name, text)
    mark = {
        ".py": "#",
        ".r": "#",
        ".jl": "#",
        ".yaml": "#",
        ".yml": "#",
        ".toml": "#",
        ".sh": "#",
        ".do": "*",
        ".sql": "--",
        ".tex": "%",
        ".ini": ";",
        ".stan": "//",
    }.get(ending)
    if mark:
        yield from _comments(name, text, mark)
    if re.match(r"\s*\{\\rtf", text):
        yield HIDDEN.found(name, "This is a rich text (RTF), which can hide text; only plain text may leave.")
    if ending == ".bib":
        for field, value in re.findall(r"^\s*(\w+)\s*=\s*[{\"](.{60,})[}\"]", text, re.MULTILINE):
            if like_data(value) or (
                field.lower()
                not in (
                    "title",
                    "abstract",
                    "author",
                    "booktitle",
                    "url",
                    "note",
                    "journal",
                    "editor",
                    "keywords",
                    "annote",
                    "publisher",
                    "institution",
                    "howpublished",
                )
                and len(value) > 200
            ):
                yield HIDDEN.found(
                    name,
                    f"The field {field!r} of a reference holds {len(value)} characters that are none of a reference.",
                )


def like_data(text: str) -> bool:
    """Whether a stretch of text is values rather than words: many numbers, or segments of one shape."""
    tokens = re.findall(r"[^\s,;|{}()\[\]\"]+", text)
    numbers = [t for t in tokens if re.fullmatch(r"[-+]?\d[\d.]*%?", t)]
    if len(numbers) >= 20 and len(numbers) > 0.4 * len(tokens):
        return True
    parts = [part.strip() for part in re.split(r"[\n;]", text) if part.strip()]
    shapes = [part.count(",") + part.count("|") + part.count("\t") for part in parts if re.search(r"\d", part)]
    return (
        len(shapes) >= 6
        and max(shapes.count(shape) for shape in set(shapes) if shape >= 2 or shape == max(shapes)) >= 6
        and max(shapes) >= 2
    )


def _markdown(where: str, text: str) -> Iterator[Finding]:
    if re.search(r"<[a-zA-Z!][^>]*>", text) and re.search(
        r"<(?:!--|\w+[^>]*\s[\w-]+|details|template|script|style|textarea|iframe|noscript)", text
    ):
        yield from markup.in_markup(where, f"<div>{text}</div>", svg=False)
    for comment in re.findall(r"^\[(?://|comment|_)[^\]]*\]:\s*(?:#|<>)?\s*[(\"'](.*)[)\"']\s*$", text, re.MULTILINE):
        if len(comment) > 120 or like_data(comment):
            yield HIDDEN.found(where, f"A comment of {len(comment)} characters is not shown on the page.")
    named = dict(re.findall(r"^\s{0,3}\[(\^?[^\]\n]{1,80})\]:\s*(\S.*)$", text, re.MULTILINE))
    spare = [
        label
        for label, _ in named.items()
        if label != "//" and not re.search(r"\[" + re.escape(label) + r"\](?!:)", text, re.IGNORECASE)
    ]
    if len(spare) >= 4 or any(len(named[label]) > 160 or like_data(named[label]) for label in spare):
        yield LINKS.found(where, f"{many(len(spare), 'reference is', 'references are')} defined and used nowhere.")
    for address, title in re.findall(r"\]\(\s*<?([^\s)>]+)>?(?:\s+\"([^\"]*)\")?\s*\)", text):
        carries = (
            len(address) > 160
            or address.lower().startswith("data:")
            or (re.match(r"https?://", address) and re.search(r"[?#][^)]{24,}", address))
        )
        if carries or len(title) > 120:
            yield LINKS.found(where, f"A link's address or title holds {max(len(address), len(title))} characters.")
            break
    if re.search(r"!\[[^\]]*\]\(\s*<?https?://", text):
        yield LINKS.found(where, "A picture is loaded from another server.")
    for info in re.findall(r"^\s{0,3}(?:```|~~~)[ \t]*([^\n`]{60,})$", text, re.MULTILINE):
        yield HIDDEN.found(
            where, f"After the start of a block of code {len(info)} characters stand that no page shows."
        )
    front = re.match(r"---\n(.*?)\n(?:---|\.\.\.)\n", text, re.DOTALL)
    if front and (like_data(front[1]) or any(len(line) > 200 for line in front[1].splitlines())):
        yield HIDDEN.found(where, "The header of the document holds values that no page shows.")


def _tex(where: str, text: str) -> Iterator[Finding]:
    if "\\" not in text and "%" not in text:
        return
    after = re.search(r"\\end\{document\}(.*)", text, re.DOTALL)
    if after and len(after[1].strip()) > 40:
        yield HIDDEN.found(where, f"{len(after[1].strip())} characters come after the end of the document.")
    skipped = re.findall(r"\\iffalse(.*?)\\fi\b|\\begin\{comment\}(.*?)\\end\{comment\}", text, re.DOTALL)
    if any(len(body) > 200 or like_data(body) for pair in skipped for body in pair):
        yield HIDDEN.found(where, "A part that is skipped holds text.")
    veiled = re.search(
        r"\\[hv]?phantom\s*\{[^{}]{24,}|\\(?:text)?color\s*(?:\[[^\]]*\])?\{\s*(?:white|#?f{3,6}|[^}]*!0)\s*\}|\\transparent\{0|\\fontsize\{0?\.?\d\}|\\(?:scale|resize)box\{0?\.0\d*\}|\\pdfliteral|\\special\{|\\write18|\\immediate\\write",
        text,
        re.IGNORECASE,
    )
    if veiled:
        yield HIDDEN.found(where, f"A command hides what follows: {veiled.group()[:40]!r}.")
    yield from _math_comments(where, text)


def _math_comments(where: str, text: str) -> Iterator[Finding]:
    for body in re.findall(r"\$\$(.*?)\$\$|\\\[(.*?)\\\]", text, re.DOTALL):
        for comment in re.findall(r"(?<!\\)%(.*)", body[0] or body[1]):
            if len(comment) > 80 or like_data(comment):
                yield HIDDEN.found(where, f"A comment of {len(comment)} characters stands in a formula.")


def _comments(where: str, text: str, mark: str) -> Iterator[Finding]:
    lines = [line.strip().lstrip(mark).strip() for line in text.splitlines() if line.strip().startswith(mark)]
    if len(lines) >= 5 and like_data("\n".join(lines)):
        yield COMMENT.found(where, "The comments hold lines of values.")
    inside = re.findall(r"(?:\"\"\"|''')(.*?)(?:\"\"\"|''')", text, re.DOTALL)
    if any(like_data(body) for body in inside):
        yield COMMENT.found(where, "A long string in the code holds lines of values.")


def _kept(subject: Subject, where: str, text: str) -> Iterator[Finding]:
    if subject.kind not in ("json", "text", "notebook", "xml"):
        return
    found = _KEPT.search(text)
    if found and len(re.findall(r"\d", text[found.end() : found.end() + 400])) >= 12:
        yield ROWS.found(where, f"The model keeps rows of its data: {found.group().strip()[:40]!r}.")
    leaves = [float(n) for match in _LEAF.findall(text) for n in re.findall(r"\d+(?:\.\d+)?", match)]
    if len(leaves) >= 8 and ("|---" in text or "threshold" in text or "leaf" in text or "split" in text):
        small = sum(n < subject.profile.threshold for n in leaves if n == int(n))
        if small > 0.3 * len(leaves):
            yield ROWS.found(where, f"{small} leaves of a tree hold fewer than {subject.profile.threshold} people.")
    if subject.kind == "json":
        yield from _keys(where, text)


def _keys(where: str, text: str) -> Iterator[Finding]:
    try:
        long = [key for key in _all_keys(json.loads(text)) if len(key) > 120]
    except (ValueError, RecursionError):
        return
    if long:
        yield HIDDEN.found(where, f"A key of {len(long[0])} characters holds text.")


def _all_keys(value: object) -> Iterator[str]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield from (str(key) for key in item)
            stack += list(item.values())
        elif isinstance(item, list):
            stack += item
