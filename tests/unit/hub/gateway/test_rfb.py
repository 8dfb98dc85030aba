"""Pictures, keys and pointer pass; whatever else a viewer or a display says does not, wherever its bytes are cut."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_control.errors import Invalid
from hub.gateway import rfb
from hub.gateway.rfb import COPY, HEXTILE, POINTER_SHAPE, RAW, FromDisplay, FromViewer

WIDTH, HEIGHT = 40, 24
GREETING = rfb.VERSION + b"\x01\x01"
SECRET = b"patient 4711 has it"


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


def rectangle(x: int, y: int, width: int, height: int, encoding: int, body: bytes) -> bytes:
    return struct.pack(">HHHHi", x, y, width, height, encoding) + body


def update(*rectangles: bytes) -> bytes:
    return struct.pack(">BBH", 0, 0, len(rectangles)) + b"".join(rectangles)


def cut_text(text: bytes, kind: int) -> bytes:
    return struct.pack(">B3xI", kind, len(text)) + text


def display_passes(data: bytes, cuts: list[int] | None = None) -> bytes:
    display = FromDisplay(WIDTH, HEIGHT)
    return b"".join(display.feed(piece) for piece in in_pieces(data, cuts or []))


def viewer_passes(data: bytes, cuts: list[int] | None = None) -> bytes:
    viewer = FromViewer(WIDTH, HEIGHT)
    return b"".join(viewer.feed(piece)[0] for piece in in_pieces(GREETING + data, cuts or []))


# -- what a display may send ---------------------------------------------------------------------------------------------


@st.composite
def tiles(draw: st.DrawFn, width: int, height: int) -> tuple[bytes, bytes]:
    """The tiles of a rectangle as they are sent, and as they are to arrive."""
    sent, wanted = bytearray(), bytearray()

    def pixel() -> None:
        colour = draw(st.binary(min_size=4, max_size=4))
        sent.extend(colour)
        wanted.extend(colour[:3] + b"\0")

    for top in range(0, height, 16):
        for left in range(0, width, 16):
            how = draw(st.integers(0, 31))
            sent.append(how)
            wanted.append(1 if how & 1 else how)
            if how & 1:
                for _ in range(min(16, width - left) * min(16, height - top)):
                    sent.extend(b"\x07\x08\x09\xff")
                    wanted.extend(b"\x07\x08\x09\0")
                continue
            for bit in (2, 4):
                if how & bit:
                    pixel()
            if how & 8:
                parts = draw(st.integers(0, 3))
                sent.append(parts)
                wanted.append(parts)
                for _ in range(parts):
                    if how & 16:
                        pixel()
                    sent.extend(b"\x12\x34")
                    wanted.extend(b"\x12\x34")
    return bytes(sent), bytes(wanted)


@st.composite
def rectangles(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A rectangle as it is sent, and as it is to arrive."""
    encoding = draw(st.sampled_from(rfb.ENCODINGS))
    x, y = draw(st.integers(0, WIDTH)), draw(st.integers(0, HEIGHT))
    width, height = draw(st.integers(0, WIDTH - x)), draw(st.integers(0, HEIGHT - y))
    sent = wanted = b""
    if encoding == COPY:
        sent = wanted = bytes(4)
    elif encoding == RAW:
        sent, wanted = b"\x01\x02\x03\xff" * (width * height), b"\x01\x02\x03\0" * (width * height)
    elif encoding == HEXTILE:
        sent, wanted = draw(tiles(width, height)) if width and height else (b"", b"")
    else:
        x = y = 0
        line = (width + 7) // 8
        kept = 0xFF << (8 - width % 8) & 0xFF if width % 8 else 0xFF
        mask = (b"\xff" * (line - 1) + bytes([kept])) * height if line else b""
        sent = b"\x01\x02\x03\xff" * (width * height) + b"\xff" * (line * height)
        wanted = b"\x01\x02\x03\0" * (width * height) + mask
    return rectangle(x, y, width, height, encoding, sent), rectangle(x, y, width, height, encoding, wanted)


SAID = st.one_of(
    st.just((cut_text(SECRET, 3), b"")),
    st.just((struct.pack(">B3xi", 3, -len(SECRET)) + SECRET, b"")),  # the extended clipboard
    st.just((b"\x02", b"")),  # a bell
    st.lists(rectangles(), max_size=3).map(
        lambda both: (update(*(one[0] for one in both)), update(*(one[1] for one in both)))
    ),
)


@given(st.lists(SAID, max_size=4), st.lists(st.integers(0, 1 << 20), max_size=12))
def test_updates_pass_and_nothing_else_wherever_it_is_cut(said: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    passed = display_passes(b"".join(one[0] for one in said), cuts)
    assert passed == b"".join(one[1] for one in said)
    assert SECRET not in passed


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_whatever_a_display_sends_is_an_update_or_ends_the_connection(data: bytes, cuts: list[int]) -> None:
    try:
        passed = display_passes(data, cuts)
    except Invalid:
        return
    assert not passed or passed[:2] == b"\0\0"
    assert display_passes(passed) == passed  # and so it is nothing but updates


@pytest.mark.parametrize("kind", [1, *range(4, 256)])
def test_other_messages_of_a_display_end_the_connection(kind: int) -> None:
    with pytest.raises(Invalid):
        display_passes(bytes([kind]) + SECRET)


@pytest.mark.parametrize(
    "encoding",
    [2, 4, 6, 7, 8, 9, 15, 16, 21, 50, -223, -224, -247, -257, -258, -260, -305, -307, -308, -312, -313, -314],
)
def test_other_encodings_end_the_connection(encoding: int) -> None:
    with pytest.raises(Invalid):
        display_passes(update(rectangle(0, 0, 4, 4, encoding, SECRET)))


@pytest.mark.parametrize(
    "lie",
    [
        rectangle(1, 0, WIDTH, 1, RAW, b""),
        rectangle(0, 0, 1, 0xFFFF, HEXTILE, b""),
        rectangle(0, 0, WIDTH, HEIGHT, COPY, struct.pack(">HH", 1, 0)),
        rectangle(0, 0, 200, 200, POINTER_SHAPE, b""),
        rectangle(0, 0, 16, 16, HEXTILE, b"\x20" + SECRET),
    ],
)
def test_pixels_beyond_the_edge_end_the_connection(lie: bytes) -> None:
    with pytest.raises(Invalid):
        display_passes(update(lie))


def test_an_update_larger_than_the_screen_ends_the_connection() -> None:
    whole = rectangle(0, 0, WIDTH, HEIGHT, RAW, bytes(WIDTH * HEIGHT * 4))
    with pytest.raises(Invalid):
        display_passes(update(*[whole] * 100))


def test_cut_text_without_end_ends_the_connection() -> None:
    for length in (b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00"):
        with pytest.raises(Invalid):
            display_passes(b"\x03\0\0\0" + length)


def test_little_is_held_of_what_has_not_ended() -> None:
    display = FromDisplay(4096, 4096)
    passed = len(display.feed(update(rectangle(0, 0, 4096, 4096, RAW, b""))))
    for _ in range(64):
        passed += len(display.feed(bytes(65536)))
    assert passed > 64 * 65536 - 4096 * 4


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (5000, 5)])
def test_no_display_has_such_a_size(size: tuple[int, int]) -> None:
    with pytest.raises(Invalid):
        FromDisplay(*size)


# -- what a viewer may send ----------------------------------------------------------------------------------------------

KEY = struct.pack(">BBxxI", 4, 1, 97)
MOVE = struct.pack(">BBHH", 5, 1, 3, 4)
ASK = struct.pack(">BBHHHH", 3, 1, 0, 0, WIDTH, HEIGHT)
FORMAT = struct.pack(">B3x", 0) + rfb.PIXEL_FORMAT
WISHES = struct.pack(">BxH3i", 2, 3, 7, -1063131698, -308)


@given(
    st.lists(
        st.sampled_from(
            [(KEY, KEY), (MOVE, MOVE), (ASK, ASK), (FORMAT, b""), (WISHES, b""), (cut_text(SECRET, 6), b"")]
        )
    ),
    st.lists(st.integers(0, 1 << 20), max_size=12),
)
def test_keys_pointer_and_requests_pass_and_nothing_else(said: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    passed = viewer_passes(b"".join(one[0] for one in said), cuts)
    assert passed == b"".join(one[1] for one in said)
    assert SECRET not in passed


@pytest.mark.parametrize("kind", [1, *range(7, 256)])
def test_other_messages_of_a_viewer_end_the_connection(kind: int) -> None:
    with pytest.raises(Invalid):
        viewer_passes(bytes([kind]) + SECRET)


def test_what_no_field_holds_is_not_passed_on() -> None:
    assert viewer_passes(b"\x04\x09\xaa\xbb\0\0\0a") == KEY
    assert viewer_passes(struct.pack(">BBHHHH", 3, 9, 0, 0, 0xFFFF, 0xFFFF)) == ASK
    assert viewer_passes(struct.pack(">BBHH", 5, 1, 0xFFFF, 0xFFFF)) == struct.pack(
        ">BBHH", 5, 1, WIDTH - 1, HEIGHT - 1
    )


def test_another_format_of_pixels_ends_the_connection() -> None:
    with pytest.raises(Invalid):
        viewer_passes(struct.pack(">B3x", 0) + b"\x08" + rfb.PIXEL_FORMAT[1:])


def test_the_greeting_is_the_gateways_own() -> None:
    viewer = FromViewer(WIDTH, HEIGHT)
    assert viewer.feed(rfb.VERSION) == (b"", b"\x01\x01")
    assert viewer.feed(b"\x01") == (b"", bytes(4))
    assert not viewer.greeted
    assert viewer.feed(b"\x01") == (b"", struct.pack(">HH", WIDTH, HEIGHT) + rfb.PIXEL_FORMAT + bytes(4))
    assert viewer.greeted


@pytest.mark.parametrize("said", [b"RFB 003.003\n", b"GET / HTTP/1.1", rfb.VERSION + b"\x02", rfb.VERSION + b"\x10"])
def test_another_greeting_ends_the_connection(said: bytes) -> None:
    with pytest.raises(Invalid):
        FromViewer(WIDTH, HEIGHT).feed(said)
