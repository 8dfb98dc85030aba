"""What the file system carries beside the bytes, and what a name can carry."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from egress_review import kinds
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, rule

_OURS = "Observed: a file system entry or a name carries data that no reader of the content sees."

LINK = rule(
    "file.link",
    "blocks",
    "A link in place of a file",
    source=_OURS,
    why="A symbolic or hard link can point at data outside the workspace, or give a second name to a file.",
    remedy="Copy the content into an ordinary file of its own (cp --dereference) and add that.",
)
SPECIAL = rule(
    "file.special",
    "blocks",
    "Not a regular file",
    source=_OURS,
    why="Devices, sockets and pipes have no fixed content that could be reviewed.",
    remedy="Write the output into an ordinary file.",
)
SPARSE = rule(
    "file.sparse",
    "blocks",
    "A file with holes",
    source=_OURS,
    why="Where the holes of a sparse file are is a pattern that copies out data without any byte of it.",
    remedy="Rewrite the file with cp --sparse=never, or save it again.",
)
ATTRIBUTES = rule(
    "file.attributes",
    "blocks",
    "Extended attributes",
    source=_OURS,
    why="Extended attributes and access lists hold free text beside the content.",
    remedy="Remove them: setfattr -x NAME FILE, or copy with cp --no-preserve=all.",
)
NAME = rule(
    "file.name",
    "blocks",
    "A name that hides something",
    source="Unicode TR 36 and 39",
    why="Control, invisible or direction-changing characters in a name show one thing and mean another.",
    remedy="Give the file a plain name: letters, digits, dot, dash and underscore.",
)
NAME_DATA = rule(
    "file.name-data",
    "warns",
    "A name that reads like data",
    source=_OURS,
    why="Names leave with the files. Long random or numeric names can carry values.",
    remedy="Name the file for what is in it, in words.",
)
NAME_LENGTH = rule("file.name-length", "warns", "A very long name", source=_OURS,
    why="A name of this length has room for data.", remedy="Shorten the name to at most 100 characters.")  # fmt: skip

_ENCODED = re.compile(r"[A-Za-z0-9+=]{28,}|(?:[0-9a-fA-F]{2}){10,}|\d{10,}|(?:\d+[_,;-]){8,}")
_SAFE_DATES = re.compile(r"(?<!\d)\d{8}(?:[_T-]?\d{4,6})?(?!\d)")


def _piece(word: str) -> bool:
    """Whether a word of a name changes between letters and digits as an encoded piece does."""
    if len(word) < 12 or re.fullmatch(r"[0-9a-f]{12,}", word):
        return len(word) >= 12 and len(set(word)) > 5 and not word.isdigit()
    return len(re.findall(r"[A-Za-z]\d|\d[A-Za-z]", word)) >= 3


def _entropy(text: str) -> float:
    total = len(text)
    return -sum(n / total * math.log2(n / total) for n in Counter(text).values()) if total else 0.0


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the entry itself."""
    disk, name = subject.disk, subject.name
    if disk.get("link"):
        yield LINK.found(name, "This is a symbolic link, not a file.")
    if disk.get("links", 1) > 1:
        yield LINK.found(name, f"This file has {disk['links']} names (hard links).", severity="blocks")
    if disk.get("special"):
        yield SPECIAL.found(name, "This is a device, a pipe, a socket or a folder.")
    size, blocks = disk.get("size", 0), disk.get("blocks")
    if blocks is not None and size >= 64 * 1024 and blocks * 512 < size * 0.5 and disk.get("holes", True):
        yield SPARSE.found(name, f"The file is {size} bytes long but only {blocks * 512} of them are on the disk.")
    if disk.get("attributes"):
        yield ATTRIBUTES.found(name, f"The file has extended attributes: {', '.join(disk['attributes'])[:200]}.")
    # ACRO names a checksum after its file: `table.csv.txt`. The file itself is checked under its own name.
    yield from check_name(name.removesuffix(".txt") if subject.checksum else name)


def check_name(name: str) -> Iterator[Finding]:
    """Findings about a name alone; also for members of archives."""
    hidden = sorted(
        {f"U+{ord(c):04X}" for c in name if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp")}
    )
    if hidden:
        yield NAME.found(repr(name), f"The name has characters that cannot be seen: {', '.join(hidden)}.")
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or name.startswith(("/", "~")):
        yield NAME.found(repr(name), "The name climbs out of its folder.")
    last = parts[-1]
    if last != last.strip() or last.endswith("."):
        yield NAME.found(repr(name), "The name begins or ends in a space or dot.")
    scripts = {unicodedata.name(c, "?").split()[0] for c in name if c.isalpha()}
    if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK", "CHEROKEE", "ARMENIAN", "FULLWIDTH", "MATHEMATICAL"}:
        yield NAME.found(
            repr(name), f"Letters of several scripts look alike in this name: {', '.join(sorted(scripts))}."
        )
    suffixes = [part.lower() for part in last.split(".")[1:]]
    known = {ending.lstrip(".") for kind in kinds.KINDS.values() for ending in kind.endings if ending}
    if (
        len(suffixes) >= 2
        and suffixes[-2] in known - {"r", "p", "do"}
        and suffixes[-1] in known
        and suffixes[-1] not in ("gz", "bz2", "xz", "zst")
    ):
        yield NAME.found(repr(name), f"The name has two endings, .{suffixes[-2]} and .{suffixes[-1]}.")
    if len(name) > 160 or len(last) > 100:
        yield NAME_LENGTH.found(repr(last[:60]), f"The name has {len(name)} characters.")
    for part in parts[:-1]:
        if _piece(part):
            yield NAME_DATA.found(repr(part[:100]), "The name of a folder is letters and digits that make no words.")
    if last.startswith("."):
        yield NAME_DATA.found(repr(last[:100]), "The name begins with a dot: most programs don't show such files.")
    if re.match(r"[A-ZÀ-Þ][a-zà-ÿ'’-]+[ _][A-ZÀ-Þ][a-zà-ÿ'’-]+[ _,;-]+\d", last):
        yield NAME_DATA.found(repr(last[:100]), "The name reads like a person with a value.")
    stem = _SAFE_DATES.sub("", last.split(".")[0])
    if any(_piece(word) for word in re.split(r"[_\s-]+", stem)):
        yield NAME_DATA.found(repr(last[:100]), "A part of the name is letters and digits that make no words.")
    match = _ENCODED.search(stem)
    if match and (_entropy(match.group()) > 2.5 or match.group()[0].isdigit()):
        yield NAME_DATA.found(repr(last[:100]), "The name holds a long run of digits or of letters that make no words.")
