"""Hiding places in PNG and JPEG images."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import PIL.Image

from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule

CHUNKS = rule(
    "image.metadata",
    "blocks",
    "Text and metadata in an image",
    source="PNG 3rd edition, ancillary chunks; EXIF",
    why="Chunks and segments of metadata are not shown.",
    remedy="Save the figure without metadata, for instance savefig(metadata={}).",
)
TRAILING = rule(
    "image.trailing",
    "blocks",
    "Bytes after the image",
    source="Observed",
    why="Viewers stop at the end of the image; the rest is seen by nobody.",
    remedy="Save the figure again.",
)
INVISIBLE = rule(
    "image.transparent",
    "blocks",
    "Colours under full transparency",
    source="Observed",
    why="Pixels with alpha 0 keep colours that nobody sees.",
    remedy="Save the figure without transparency.",
)
LOW_BITS = rule(
    "image.low-bits",
    "blocks",
    "Noise in the lowest bits",
    source="Westfeld & Pfitzmann 1999",
    why="The lowest bit of each pixel is a known channel; flat areas of a figure have no noise.",
    remedy="Save the figure again from the plotting program.",
)
HUGE = rule(
    "image.size",
    "blocks",
    "A very large image",
    source="Decompression bombs",
    why="It unpacks to more than can be reviewed.",
    remedy="Save the figure at 300 dpi or less.",
)
PALETTE = rule("image.palette", "blocks", "Unused colours in the palette", source="Observed",
    why="Entries that no pixel uses carry three bytes each.", remedy="Save the figure as RGB.")  # fmt: skip

MAX_PIXELS = 60_000_000
PIL.Image.MAX_IMAGE_PIXELS = MAX_PIXELS
_PLAIN = {b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"bKGD", b"sBIT", b"cICP"}
_SAFE_TEXT = (
    b"Software\x00Matplotlib",
    b"Software\x00",
    b"Creation Time\x00",
    b"date:create\x00",
    b"date:modify\x00",
    b"Title\x00\x00",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in an image."""
    if subject.kind == "png":
        yield from _png(subject.name, subject.data)
    elif subject.kind == "jpeg":
        yield from _jpeg(subject.name, subject.data)
    for where, media, data in subject.facts.get("_images", []):
        yield from (_png(where, data) if media == "png" else _jpeg(where, data))


def _png(where: str, data: bytes) -> Iterator[Finding]:
    at, packed, ended = 8, [], False
    header = (0, 0, 0, 0)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length
        if name == b"IHDR" and len(body) >= 13:
            header = (*struct.unpack_from(">II", body), body[8], body[9])
        elif name == b"IDAT":
            packed.append(body)
        elif name == b"IEND":
            ended = True
            if length:
                yield TRAILING.found(where, "The end chunk holds data.")
            break
        elif name in (b"tEXt", b"iTXt", b"zTXt"):
            if len(body) > 120 or not body.startswith(_SAFE_TEXT):
                yield CHUNKS.found(where, f"A text chunk {body.split(bytes(1))[0][:30]!r} of {len(body)} bytes.")
        elif name not in _PLAIN and not (name == b"tIME" and length == 7):
            yield CHUNKS.found(where, f"A chunk {name.decode('latin-1')!r} of {length} bytes.")
        elif not _plausible(name, body, header):
            yield CHUNKS.found(where, f"The chunk {name.decode('latin-1')!r} holds values that mean nothing.")
        if at - 12 - length + 8 + length > len(data):
            break
    if not ended or at > len(data):
        yield TRAILING.found(where, "The image ends too early.")
    elif at < len(data):
        yield TRAILING.found(where, f"{many(len(data) - at, 'byte follows', 'bytes follow')} the end of the image.")
    width, height, depth, colour = header
    if width * height > MAX_PIXELS:
        yield HUGE.found(where, f"The image has {width} × {height} pixels.")
        return
    if not width or not height or depth not in (1, 2, 4, 8, 16):
        yield TRAILING.found(where, "The header gives a size or a depth that no image has.")
        return  # how much may be unpacked follows from both
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 4)
    expected = height * ((width * depth * channels + 7) // 8 + 1)
    sizes = {len(part) for part in packed[:-1]}
    if len(sizes) > 2 and len(packed) > 4:
        yield TRAILING.found(where, f"The pixels are cut into {len(packed)} pieces of {len(sizes)} lengths.")
    if depth == 16:
        yield INVISIBLE.found(where, "Each colour has 16 bits, of which a screen shows 8.")
    unpacker = zlib.decompressobj()
    interlaced = data[28:29] == b"\x01"
    try:
        size = len(unpacker.decompress(b"".join(packed), expected * 2 + 4096))
    except zlib.error:
        yield TRAILING.found(where, "The pixels cannot be unpacked.")
        return
    if unpacker.unused_data or size > expected + (64 * (height + 8) if interlaced else 0):
        yield TRAILING.found(where, "There is more data than the image has pixels.")
    yield from _pixels(where, data)


def _plausible(name: bytes, body: bytes, header: tuple[int, int, int, int]) -> bool:
    """Whether a small chunk holds what it is for; the specification bounds each value."""
    _, _, depth, colour = header
    if name == b"pHYs":
        return len(body) == 9 and body[8] in (0, 1) and all(0 < n <= 200_000 for n in struct.unpack(">II", body[:8]))
    if name == b"gAMA":
        return len(body) == 4 and 0 < int.from_bytes(body, "big") <= 1_000_000
    if name == b"cHRM":
        return len(body) == 32 and all(n <= 100_000 for n in struct.unpack(">8I", body))
    if name == b"sRGB":
        return len(body) == 1 and body[0] <= 3
    if name == b"sBIT":
        return len(body) <= 4 and all(0 < n <= 16 for n in body)
    if name == b"bKGD":
        wanted = {3: 1, 0: 2, 4: 2}.get(colour, 6)
        return len(body) == wanted and (depth == 16 or wanted == 1 or not any(body[::2]))
    if name == b"tRNS":
        return len(set(body)) <= 16 or colour != 3
    if name == b"tIME":
        return (
            1990 <= int.from_bytes(body[:2], "big") <= 2100
            and 1 <= body[2] <= 12
            and 1 <= body[3] <= 31
            and body[4] < 24
            and body[5] < 60
            and body[6] < 61
        )
    if name == b"cICP":
        return len(body) == 4
    return True


def in_png(where: str, data: bytes) -> Iterator[Finding]:
    """Findings in the bytes of one PNG; raises ValueError for what is none."""
    yield from _png(where, data)


def _jpeg(where: str, data: bytes) -> Iterator[Finding]:
    at = 2
    tables: list[int] = []
    used: set[int] = set()
    while data[at : at + 1] == b"\xff":
        if data[at + 1 : at + 2] == b"\xff":
            yield TRAILING.found(where, "Empty bytes stand between the parts of the image.")
            break
        if at + 4 > len(data):
            break
        marker, (length,) = data[at + 1], struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + length]
        if marker == 0xDA:
            yield from _after_scan(where, data, at)
            break
        if marker == 0xDB:
            yield from _quantisation(where, body, tables)
        if marker in (0xC0, 0xC1, 0xC2):
            used |= set(body[8::3])
        if marker == 0xE2 and body.startswith(b"ICC_PROFILE") and (body[50:54] != b"acsp" or len(body) > 4096):
            yield CHUNKS.found(where, f"The colour profile of {len(body)} bytes is none.")
        if (marker == 0xEE and len(body) != 12) or 0xF0 <= marker <= 0xFD:
            yield CHUNKS.found(where, f"A segment of {len(body)} bytes that no figure needs.")
        at += 2 + length
    if len(set(tables)) < len(tables) or set(tables) - used:
        yield CHUNKS.found(where, "The image has tables that it does not use.")
    yield from _jpeg_segments(where, data)


def _after_scan(where: str, data: bytes, at: int) -> Iterator[Finding]:
    """The end of the picture is the first end mark behind the scans; another picture may follow."""
    end = data.find(b"\xff\xd9", at)
    while end > 0 and data[end - 1] == 0xFF:
        end = data.find(b"\xff\xd9", end + 1)
    if end >= 0 and data[end + 2 :].strip(b"\x00"):
        yield TRAILING.found(
            where, f"{many(len(data) - end - 2, 'byte follows', 'bytes follow')} the end of the image."
        )


def _quantisation(where: str, body: bytes, tables: list[int]) -> Iterator[Finding]:
    """Tables of a quality rise from the corner with no leaps; bytes of a text do not."""
    at = 0
    while at + 65 <= len(body):
        wide = body[at] >> 4
        tables.append(body[at] & 15)
        size = 128 if wide else 64
        values = (
            list(body[at + 1 : at + 1 + size])
            if not wide
            else list(struct.unpack(">64H", body[at + 1 : at + 129].ljust(128, b"\0")))
        )
        first, last = sum(values[:16]), sum(values[48:])
        if len(set(values)) > 8 and last < 1.1 * first:
            yield CHUNKS.found(where, "The table of the compression is none that a program makes.")
        at += 1 + size


def _jpeg_segments(where: str, data: bytes) -> Iterator[Finding]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, (length,) = data[at + 1], struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + length]
        if marker == 0xDA:
            break
        if (
            marker == 0xFE
            or (0xE1 <= marker <= 0xEF and not body.startswith((b"Adobe", b"ICC_PROFILE")))
            or (marker == 0xE0 and len(body) > 64)
        ):
            yield CHUNKS.found(where, f"A segment of metadata of {len(body)} bytes.")
        at += 2 + length
    yield from _pixels(where, data, lossless=_finest(data))


def _finest(data: bytes) -> bool:
    """Whether the image is saved so finely that its lowest bits survive."""
    at = data.find(b"\xff\xdb")
    return at > 0 and len(data) > at + 69 and max(data[at + 5 : at + 69]) <= 2


def _pixels(where: str, data: bytes, *, lossless: bool = True) -> Iterator[Finding]:
    try:
        image: PIL.Image.Image = PIL.Image.open(BytesIO(data))
        if image.mode == "P" and lossless:
            yield from _palette(where, image)
        image = image.convert("RGBA")
    except Exception as error:  # Pillow raises many kinds for broken images
        raise ValueError(f"the image cannot be read: {error}") from error
    pixels = np.asarray(image)
    clear = pixels[..., 3] == 0
    if clear.any():
        colours = np.unique(pixels[clear][:, :3], axis=0)
        if len(colours) > 4:
            yield INVISIBLE.found(
                where,
                f"{many(int(clear.sum()), 'transparent pixel has', 'transparent pixels have')} {many(len(colours), 'colour', 'different colours')}.",
            )
    faint = (pixels[..., 3] > 0) & (pixels[..., 3] < 8)
    if faint.mean() > 0.01 or (
        len(np.unique(pixels[..., 3])) > 40 and ((pixels[..., 3] > 240) & (pixels[..., 3] < 255)).mean() > 0.02
    ):
        yield INVISIBLE.found(where, "Many pixels differ in transparency by amounts that nobody sees.")
    if lossless:
        yield from _low_bits(where, pixels)


def _palette(where: str, image: PIL.Image.Image) -> Iterator[Finding]:
    used = set(np.unique(np.asarray(image)).tolist())
    palette = image.getpalette() or []
    entries = [tuple(palette[i : i + 3]) for i in range(0, len(palette), 3)]
    spare = {
        entry for place, entry in enumerate(entries) if place not in used and entry not in ((0, 0, 0), (255, 255, 255))
    }
    twice = [
        entry for entry, count in Counter(entries[place] for place in used if place < len(entries)).items() if count > 1
    ]
    if twice:
        yield PALETTE.found(
            where, f"{many(len(twice), 'colour stands', 'colours stand')} in the palette twice, and pixels use both."
        )
    if len(spare) > 8:
        yield PALETTE.found(
            where, f"{many(len(spare), 'colour of the palette is', 'colours of the palette are')} in no pixel."
        )


def _low_bits(where: str, pixels: np.ndarray) -> Iterator[Finding]:
    """Neighbours that differ in the lowest bit alone: embedded bits flip 2k to 2k+1 and never 2k+1 to 2k+2."""
    for channel, title in enumerate(("red", "green", "blue", "alpha")):
        plane = pixels[..., channel].astype(np.int16)
        within = across = two = 0
        for a, b in ((plane[:, 1:], plane[:, :-1]), (plane[1:], plane[:-1])):
            one = np.abs(a - b) == 1
            same = (a >> 1) == (b >> 1)
            within += int((one & same).sum())
            across += int((one & ~same).sum())
            two += int(((a >> 2) == (b >> 2)).__and__(np.abs(a - b) >= 1).sum())
        flat = 2 * plane.size
        if within > 150 and within > 5 * max(across, 1) and within > flat * 0.0005 and _scattered(plane):
            yield LOW_BITS.found(
                where, f"In {title}, {within} neighbours differ in the lowest bit alone (and {across} by chance)."
            )
            return
        if two > 400 and two > flat * 0.05 and within > flat * 0.02 and across < within * 0.5 and _scattered(plane):
            yield LOW_BITS.found(where, f"In {title}, flat areas are noisy in the lowest two bits.")
            return


def _scattered(plane: np.ndarray) -> bool:
    """Whether single pixels stick out of a flat surrounding by one; smooth edges and gradients do not."""
    left, middle, right = plane[:, :-2], plane[:, 1:-1], plane[:, 2:]
    lone = (np.abs(middle - left) == 1) & (left == right)
    return int(lone.sum()) > 60
