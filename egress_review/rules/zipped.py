"""Hiding places in ZIP containers, archives and workbooks alike."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from egress_review.findings import Finding
from egress_review.rules import files
from egress_review.rules.catalogue import Subject, many, rule

RATIO = rule(
    "zip.ratio",
    "blocks",
    "A compression bomb",
    source="Fifield 2019, A better zip bomb",
    why="It unpacks to more than any review could hold.",
    remedy="Add the files themselves, unpacked.",
)
NESTED = rule(
    "zip.nested",
    "blocks",
    "An archive in an archive",
    source="Observed",
    why="Layers hide content from reviewers.",
    remedy="Add the files themselves, unpacked.",
)
TRAVERSAL = rule(
    "zip.traversal",
    "blocks",
    "A member that climbs out of its folder",
    source="Zip Slip",
    why="Unpacking it overwrites other files.",
    remedy="Pack the files under plain relative names.",
)
GAPS = rule(
    "zip.gaps",
    "blocks",
    "Bytes between the members",
    source="Polyglot and steganographic ZIP files",
    why="Bytes that no member owns are seen by no reader.",
    remedy="Save the file again from your program.",
)
COMMENTS = rule(
    "zip.comments",
    "blocks",
    "Comments and extra fields",
    source="PKWARE APPNOTE 4.4.12 and 4.5",
    why="They hold free text that no program shows.",
    remedy="Save the file again from your program.",
)
DUPLICATES = rule(
    "zip.duplicates",
    "blocks",
    "Two members of one name",
    source="Observed",
    why="Readers differ in which of the two they show.",
    remedy="Save the file again from your program.",
)
ENCRYPTED = rule("zip.encrypted", "blocks", "An encrypted member", source="Fail closed",
    why="It cannot be checked.", remedy="Add the file unencrypted.")  # fmt: skip

UNSEEN = rule("zip.unseen", "blocks", "Members that were not looked into", source="Fail closed",
    why="The archive is broken, or holds more than one check takes on.", remedy="Add the files themselves, unpacked.")  # fmt: skip

MAX_UNPACKED = 512 * 1024**2
MAX_MEMBERS = 5000


def open_zip(data: bytes) -> zipfile.ZipFile:
    """The archive; raises ValueError for a broken one or a bomb, before anything is unpacked."""
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, struct.error, OSError, EOFError) as error:
        raise ValueError(f"the ZIP container cannot be read: {error}") from error
    total = sum(member.file_size for member in archive.infolist())
    if total > MAX_UNPACKED or len(archive.infolist()) > MAX_MEMBERS:
        raise ValueError(f"it unpacks to {total} bytes in {len(archive.infolist())} members")
    return archive


def member(archive: zipfile.ZipFile, name: str) -> bytes:
    """One member, never more than its declared size; raises ValueError."""
    try:
        with archive.open(name) as opened:
            data = opened.read(archive.getinfo(name).file_size + 1)
    except Exception as error:  # zipfile raises many kinds for broken members
        raise ValueError(f"the member {name!r} cannot be read: {error}") from error
    return data


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the container."""
    if not subject.data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return
    data = subject.data
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, struct.error, OSError, EOFError) as error:
        yield GAPS.found(subject.name, f"The ZIP container cannot be read: {error}.")
        return
    members = archive.infolist()
    total = sum(entry.file_size for entry in members)
    packed = sum(entry.compress_size for entry in members)
    if total > MAX_UNPACKED or (total > 10 * 1024**2 and total > 200 * max(packed, 1)) or len(members) > MAX_MEMBERS:
        yield RATIO.found(subject.name, f"{len(data)} bytes unpack to {total} bytes in {len(members)} members.")
    if archive.comment:
        yield COMMENTS.found(subject.name, f"The container has a comment of {len(archive.comment)} bytes.")
    names = [entry.filename for entry in members]
    if len(set(names)) < len(names):
        yield DUPLICATES.found(
            subject.name, f"{many(len(names) - len(set(names)), 'name stands', 'names stand')} there twice."
        )
    for entry in members:
        parts = entry.filename.replace("\\", "/").split("/")
        if ".." in parts or entry.filename.startswith(("/", "\\")) or ":" in entry.filename:
            yield TRAVERSAL.found(entry.filename, "This name leads out of the folder.")
        if (entry.external_attr >> 16) & 0o170000 == 0o120000:
            yield TRAVERSAL.found(entry.filename, "This member is a symbolic link.")
        if entry.comment or (entry.extra and not _harmless(entry.extra)):
            yield COMMENTS.found(entry.filename, "The member has a comment or an extra field.")
        if entry.flag_bits & 1:
            yield ENCRYPTED.found(entry.filename, "The member is encrypted.")
        if subject.kind == "zip":
            yield from files.check_name(entry.filename)
            if entry.filename.lower().endswith((".zip", ".gz", ".7z", ".tar", ".xz", ".bz2", ".rar", ".tgz")):
                yield NESTED.found(entry.filename, "This member is an archive itself.")
    stamps = {entry.date_time for entry in members}
    if subject.kind == "xlsx" and len({stamp[:3] for stamp in stamps}) > 2:
        yield COMMENTS.found(
            subject.name,
            f"The parts of the workbook were written on {len({s[:3] for s in stamps})} days: their times can carry data.",
        )
    yield from _gaps(subject, members)


def _harmless(extra: bytes) -> bool:
    """Only time stamps, owner ids, Zip64 sizes and Office's padding of zeros."""
    at = 0
    while at + 4 <= len(extra):
        tag, size = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + size]
        if tag == 0xA220:
            if body[4:].strip(b"\x00"):
                return False
        elif tag not in (0x0001, 0x5455, 0x7875, 0x000A, 0x5855) or size > 64:
            return False
        at += 4 + size
    return at == len(extra)


def _gaps(subject: Subject, members: list[zipfile.ZipInfo]) -> Iterator[Finding]:
    data, owned = subject.data, 0
    position = 0
    for entry in sorted(members, key=lambda entry: entry.header_offset):
        start = entry.header_offset
        if start > position:
            gap = data[position:start]
            # A data descriptor of the member before is 12 to 24 bytes.
            if len(gap) > 24 or not (gap.startswith(b"PK\x07\x08") or len(gap) in (12, 16, 20, 24)):
                yield GAPS.found(
                    f"byte {position}",
                    f"{many(len(gap), 'byte before', 'bytes before')} {entry.filename!r} that belong to no member.",
                )
        if data[start : start + 4] != b"PK\x03\x04" or start + 30 > len(data):
            yield GAPS.found(entry.filename, "The directory points at a place where no member begins.")
            return
        name_length, extra_length = struct.unpack_from("<HH", data, start + 26)
        local = data[start + 30 : start + 30 + name_length].decode("utf-8", "replace")
        if local not in (entry.filename, entry.orig_filename):
            yield GAPS.found(entry.filename, f"The member calls itself {local!r} and the directory calls it otherwise.")
        if extra_length and not _harmless(data[start + 30 + name_length : start + 30 + name_length + extra_length]):
            yield COMMENTS.found(entry.filename, "The member has an extra field that holds data.")
        begin = start + 30 + name_length + extra_length
        position = begin + entry.compress_size
        if entry.compress_type == zipfile.ZIP_DEFLATED and not entry.flag_bits & 1 and _spare(data[begin:position]):
            yield GAPS.found(entry.filename, "Bytes stand behind the packed content of this member.")
        owned += 1
    directory = data.find(b"PK\x01\x02", position) if members else data.find(b"PK\x05\x06")
    if directory - position > 24 and members:
        yield GAPS.found(
            f"byte {position}", f"{directory - position} bytes stand between the members and the directory."
        )
    end = data.rfind(b"PK\x05\x06")
    if end >= 0 and len(data) - end > 22 + struct.unpack_from("<H", data, end + 20)[0]:
        yield GAPS.found(f"byte {end + 22}", "Bytes follow the end of the archive.")
    local_headers = data.count(b"PK\x03\x04")
    if owned and local_headers > owned and subject.kind != "zip" and _orphans(data, members):
        yield GAPS.found(subject.name, "A member is in the file that the directory does not list.")


def _spare(packed: bytes) -> bool:
    """Whether a deflated member ends before its bytes do; unpacked piece by piece, never kept."""
    unpacker, left = zlib.decompressobj(-15), packed
    try:
        for _ in range(MAX_UNPACKED >> 20):
            unpacker.decompress(left, 1 << 20)
            if unpacker.eof:
                return bool(unpacker.unused_data)
            left = unpacker.unconsumed_tail
            if not left:
                return False
    except zlib.error:
        return False  # the reader of the member says so
    return False


def _orphans(data: bytes, members: list[zipfile.ZipInfo]) -> bool:
    inside = [
        (entry.header_offset, entry.header_offset + 30 + len(entry.filename.encode()) + entry.compress_size)
        for entry in members
    ]
    at = data.find(b"PK\x03\x04")
    while at >= 0:
        if not any(start <= at < end for start, end in inside):
            return True
        at = data.find(b"PK\x03\x04", at + 4)
    return False
