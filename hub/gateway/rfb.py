"""The remote framebuffer protocol (RFC 6143) between a viewer and a display, as far as pictures, keys and pointer go.

The gateway ends the protocol on both sides: it has its own greeting with the display and its own with the viewer, and
between them passes on messages that it has taken apart to the last byte and put together again. Plain parsing without
input or output: bytes may arrive cut anywhere.

From a display only framebuffer updates pass, in encodings whose length follows from what was read (raw, copies,
hextile, and the pointer's shape). None has room for bytes that no screen shows; the fourth byte of a pixel is set to
zero. From a viewer pass requests for updates, keys and the pointer. Cut text is dropped both ways; what is not known
ends the connection, as where it ends cannot be known either.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from access_control.errors import Invalid

VERSION = b"RFB 003.008\n"
NO_SECURITY = 1
# 32 bits a pixel, 24 of them colour, least significant byte first: what noVNC asks for.
PIXEL_FORMAT = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)
RAW, COPY, HEXTILE, POINTER_SHAPE = 0, 1, 5, -239
ENCODINGS = (HEXTILE, COPY, RAW, POINTER_SHAPE)
MOST_SIDE = 4096
MOST_CUT_TEXT = 1024 * 1024  # a longer one is no clipboard, and ends the connection
_MOST_SHAPE = 128
_MOST_AREA = 4  # screens in one update
_TILE = 16
_BYTES = 4  # of a pixel


def opening(width: int, height: int) -> bytes:
    """What the viewer is told of the display: its size and the one format; no name."""
    return struct.pack(">HH", width, height) + PIXEL_FORMAT + struct.pack(">I", 0)


def settings_for_display() -> bytes:
    """What the gateway tells the display in the viewer's place: the format and the encodings."""
    encodings = struct.pack(f">BxH{len(ENCODINGS)}i", 2, len(ENCODINGS), *ENCODINGS)
    return struct.pack(">B3x", 0) + PIXEL_FORMAT + encodings


@dataclass
class FromViewer:
    """Takes apart what a viewer sends. `feed` gives what goes to the display and what the viewer is answered."""

    width: int
    height: int
    keys: int = 0  # how many were passed on
    dropped: int = 0  # bytes of cut text

    def __post_init__(self) -> None:
        self._held = bytearray()
        self._skip = 0
        self._greeting = [(12, b"\x01\x01"), (1, bytes(4)), (1, opening(self.width, self.height))]

    @property
    def greeted(self) -> bool:
        """Whether the viewer was told of the display, so that pictures may follow."""
        return not self._greeting

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Raises Invalid for what is no message of a viewer."""
        self._held += data
        inwards, answer = bytearray(), bytearray()
        while True:
            if self._skip:
                self._drop()
            if self._greeting:
                size, said = self._greeting[0]
                if len(self._held) < size:
                    break
                self._check_greeting(bytes(self._held[:size]))
                answer += said
                self._greeting.pop(0)
            else:
                size = self._size()
                if size == 0 or len(self._held) < size:
                    break
                inwards += self._pass_on(bytes(self._held[:size]))
            del self._held[:size]
        return bytes(inwards), bytes(answer)

    def _drop(self) -> None:
        gone = min(self._skip, len(self._held))
        del self._held[:gone]
        self._skip -= gone
        self.dropped += gone

    def _check_greeting(self, said: bytes) -> None:
        step = len(self._greeting)
        if (step == 3 and said != VERSION) or (step == 2 and said[0] != NO_SECURITY):
            raise Invalid("this viewer speaks another version of the protocol")

    def _size(self) -> int:
        """Bytes of the message that begins what is held; 0 when that cannot be said yet."""
        if not self._held:
            return 0
        kind = self._held[0]
        if kind == 2:
            return 4 + 4 * int.from_bytes(self._held[2:4]) if len(self._held) >= 4 else 0
        size = {0: 20, 3: 10, 4: 8, 5: 6, 6: 8}.get(kind)
        if size is None:
            raise Invalid(f"a viewer's message of type {kind} is not passed on")
        return size

    def _pass_on(self, message: bytes) -> bytes:
        kind = message[0]
        if kind == 0 and message[4:17] != PIXEL_FORMAT[:13]:
            raise Invalid("this viewer asks for another format of pixels")
        if kind == 3:
            whole, x, y, width, height = struct.unpack(">?HHHH", message[1:])
            x, y = min(x, self.width), min(y, self.height)
            return struct.pack(
                ">BBHHHH", 3, bool(whole), x, y, min(width, self.width - x), min(height, self.height - y)
            )
        if kind == 4:
            self.keys += 1
            return struct.pack(">BBxxI", 4, bool(message[1]), int.from_bytes(message[4:8]))
        if kind == 5:
            buttons, x, y = struct.unpack(">BHH", message[1:])
            return struct.pack(">BBHH", 5, buttons, min(x, self.width - 1), min(y, self.height - 1))
        if kind == 6:
            # A negative length is the extended clipboard's.
            self._skip = _cut_text(message)
        return b""


def _cut_text(message: bytes | bytearray) -> int:
    size = abs(int.from_bytes(message[4:8], signed=True))
    if size > MOST_CUT_TEXT:
        raise Invalid("the cut text is longer than any")
    return size


@dataclass
class _Rectangle:
    """A rectangle of pixels that has begun: where, and how far it has been read."""

    x: int
    y: int
    width: int
    height: int
    row: int = 0  # raw: rows read; hextile: top of the next tile
    column: int = 0  # hextile: left of the next tile


class FromDisplay:
    """Takes apart what a display sends; `feed` gives what the viewer may see of it."""

    def __init__(self, width: int, height: int) -> None:
        if not (1 <= width <= MOST_SIDE and 1 <= height <= MOST_SIDE):
            raise Invalid(f"a display of {width} by {height} is not shown")
        self.width, self.height = width, height
        self.dropped = 0  # bytes of cut text and bells
        self._held = bytearray()
        self._at = 0  # what is before it in `_held` has been looked at
        self._out = bytearray()
        self._skip = 0
        self._rectangles = 0  # that are to come in this update
        self._area = 0
        self._raw: _Rectangle | None = None
        self._tiles: _Rectangle | None = None

    def feed(self, data: bytes) -> bytes:
        """Raises Invalid for what is no message of a display, or more than one may send."""
        self._held += data
        while self._step():
            pass
        del self._held[: self._at]
        self._at = 0
        passed, self._out = bytes(self._out), bytearray()
        return passed

    @property
    def _there(self) -> int:
        return len(self._held) - self._at

    def _take(self, size: int) -> bytearray:
        taken = self._held[self._at : self._at + size]
        self._at += size
        return taken

    def _step(self) -> bool:
        """Reads one more part; False when it is not whole yet."""
        if self._skip:
            return self._drop()
        if self._raw is not None:
            return self._rows(self._raw)
        if self._tiles is not None:
            return self._tile(self._tiles)
        if self._rectangles:
            return self._rectangle()
        return self._message()

    def _drop(self) -> bool:
        gone = min(self._skip, self._there)
        self._at += gone
        self._skip -= gone
        self.dropped += gone
        return gone > 0

    def _message(self) -> bool:
        if not self._there:
            return False
        kind = self._held[self._at]
        size = {0: 4, 2: 1, 3: 8}.get(kind)
        if size is None:
            raise Invalid(f"a display's message of type {kind} is not passed on")
        if self._there < size:
            return False
        message = self._take(size)
        if kind == 0:
            self._rectangles, self._area = int.from_bytes(message[2:4]), 0
            self._out += struct.pack(">BxH", 0, self._rectangles)
        else:
            self.dropped += size
            self._skip = _cut_text(message) if kind == 3 else 0
        return True

    def _rectangle(self) -> bool:
        if self._there < 12:
            return False
        x, y, width, height, encoding = struct.unpack_from(">HHHHi", self._held, self._at)
        more = 4 if encoding == COPY else 0
        if encoding == POINTER_SHAPE:
            if width > _MOST_SHAPE or height > _MOST_SHAPE or x > width or y > height:
                raise Invalid("the pointer's shape is larger than any")
            more = width * height * _BYTES + (width + 7) // 8 * height
        elif encoding not in ENCODINGS:
            raise Invalid(f"pixels in the encoding {encoding} are not passed on")
        elif x + width > self.width or y + height > self.height:
            raise Invalid("the display sends pixels from beyond its edge")
        if self._there < 12 + more:
            return False
        self._count(width * height)
        self._out += self._take(12)
        body = self._take(more)
        if encoding == COPY:
            from_x, from_y = struct.unpack(">HH", body)
            if from_x + width > self.width or from_y + height > self.height:
                raise Invalid("the display copies pixels from beyond its edge")
        elif encoding == POINTER_SHAPE:
            body[3 : width * height * _BYTES : _BYTES] = bytes(width * height)
            _clear_margin(body, width * height * _BYTES, width)
        elif width and height:
            begun = _Rectangle(x, y, width, height)
            self._raw, self._tiles = (begun, None) if encoding == RAW else (None, begun)
        self._out += body
        self._rectangles -= 1
        return True

    def _count(self, area: int) -> None:
        self._area += area
        if self._area > _MOST_AREA * max(self.width * self.height, _MOST_SHAPE**2):
            raise Invalid("one update is larger than the screen")

    def _rows(self, raw: _Rectangle) -> bool:
        rows = min(self._there // (raw.width * _BYTES), raw.height - raw.row)
        if not rows:
            return False
        pixels = self._take(rows * raw.width * _BYTES)
        pixels[3::_BYTES] = bytes(rows * raw.width)
        self._out += pixels
        raw.row += rows
        if raw.row == raw.height:
            self._raw = None
        return True

    def _tile(self, tiles: _Rectangle) -> bool:
        there = self._there
        if not there:
            return False
        how = self._held[self._at]
        if how & 1:  # raw; the other bits say nothing then
            width, height = min(_TILE, tiles.width - tiles.column), min(_TILE, tiles.height - tiles.row)
            size = width * height * _BYTES
            if there < 1 + size:
                return False
            tile = self._take(1 + size)
            tile[0] = 1
            tile[4::_BYTES] = bytes(width * height)
        else:
            if how > 31:
                raise Invalid("this is no tile")
            size = 1 + (_BYTES if how & 2 else 0) + (_BYTES if how & 4 else 0)
            parts = 0
            if how & 8:
                if there < size + 1:
                    return False
                parts = self._held[self._at + size]
                size += 1
            each = _BYTES + 2 if how & 16 else 2
            if there < size + parts * each:
                return False
            tile = self._take(size + parts * each)
            if how & 2:
                tile[4] = 0
            if how & 4:
                tile[8 if how & 2 else 4] = 0
            if how & 16 and parts:
                tile[size + 3 :: each] = bytes(parts)
        self._out += tile
        tiles.column += _TILE
        if tiles.column >= tiles.width:
            tiles.column, tiles.row = 0, tiles.row + _TILE
            if tiles.row >= tiles.height:
                self._tiles = None
        return True


def _clear_margin(body: bytearray, start: int, width: int) -> None:
    """Sets the bits of a mask that lie beside the picture to zero."""
    line = (width + 7) // 8
    if width % 8:
        kept = 0xFF << (8 - width % 8) & 0xFF
        for last in range(start + line - 1, len(body), line):
            body[last] &= kept
