"""What a picture shows that no figure shows: codes for machines, noise, faint marks, pages of text."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import numpy.typing as npt
import PIL.Image

from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule

QR = rule(
    "image.machine-code",
    "blocks",
    "A code for machines",
    source="ISO/IEC 18004: finder patterns of QR codes; bar codes",
    why="A QR or bar code in a figure holds text that only a machine reads.",
    remedy="Draw the figure without it.",
)
NOISE = rule(
    "image.noise",
    "blocks",
    "Pixels that are noise",
    source="Observed: bytes written as pixels",
    why="Where each pixel differs from the next there is no drawing but a file.",
    remedy="Save the figure again from the plotting program.",
)
FAINT = rule(
    "image.faint",
    "blocks",
    "Marks too faint to see",
    source="Observed",
    why="Text or lines that differ from the ground by a few shades are invisible and can be brought out again.",
    remedy="Draw the figure in colours that differ.",
)
CELLS = rule(
    "image.cells",
    "warns",
    "A grid of hundreds of cells",
    source="Observed: bytes drawn as a heat map; missing-value maps show each person",
    why="Each cell gives one value back, one person a row perhaps.",
    remedy="Draw fewer, larger groups.",
)
TEXT = rule("image.text", "warns", "A picture of text", source="OpenSAFELY: 10 % of rejections had no data under a figure",
    why="Lines of text as pixels cannot be searched by any rule.", remedy="Release the text or the table itself.")  # fmt: skip

Pixels = npt.NDArray[np.int16]
MAX_SIDE = 2600  # of a larger picture the corner pieces of this size are looked at one by one


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in the pixels of images, alone or in notebooks and pages."""
    pictures = [(subject.name, subject.kind, subject.data)] if subject.kind in ("png", "jpeg") else []
    pictures += subject.facts.get("_images", [])
    for where, kind, data in pictures:
        yield from in_picture(where, data, lossless=kind == "png")


def in_picture(where: str, data: bytes, *, lossless: bool) -> Iterator[Finding]:
    """Findings in one picture; one that cannot be read is the business of rules/images.py."""
    try:
        image = PIL.Image.open(BytesIO(data))
        ground = PIL.Image.new("RGBA", image.size, (255, 255, 255, 255))
        flat = PIL.Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    except Exception as error:  # Pillow raises many kinds for broken images
        raise ValueError(f"the image cannot be read: {error}") from error
    rgb = np.asarray(flat).astype(np.int16)
    if min(rgb.shape[:2]) < 8:
        return
    for top in range(0, rgb.shape[0], MAX_SIDE):
        for left in range(0, rgb.shape[1], MAX_SIDE):
            part = rgb[top : top + MAX_SIDE, left : left + MAX_SIDE]
            if min(part.shape[:2]) >= 8:
                found = list(_in_part(where, part, lossless=lossless))
                yield from found
                if found:
                    return


def _in_part(where: str, rgb: Pixels, *, lossless: bool) -> Iterator[Finding]:
    grey = rgb.mean(axis=2).astype(np.int16)
    finders = _finders(grey)
    if finders >= 3:
        yield QR.found(where, f"The picture has {finders} corner marks of a QR code.")
    across, down = np.abs(np.diff(rgb, axis=1)).max(axis=2), np.abs(np.diff(rgb, axis=0)).max(axis=2)
    yield from _noise(where, across, down, least=8 if lossless else 40)
    yield from _bars(where, grey)
    yield from _faint(where, rgb, lossless=lossless)
    if lossless:
        yield from _grid(where, across, down)
    yield from _lines_of_text(where, grey)


def _runs(line: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    edges = np.flatnonzero(line[1:] != line[:-1]) + 1
    bounds = np.concatenate(([0], edges, [len(line)]))
    return bounds[:-1], np.diff(bounds)


def _like_finder(starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> list[tuple[int, float]]:
    """(centre, module) of runs of 1 : 1 : 3 : 1 : 1, in either polarity."""
    if len(lengths) < 5:
        return []
    a, b, c, d, e = (lengths[i : len(lengths) - 4 + i].astype(float) for i in range(5))
    module = (a + b + c + d + e) / 7
    fits = (module >= 1.4) & (np.abs(c - 3 * module) < 0.9 * module + 0.6)
    for side in (b, d):
        fits &= np.abs(side - module) < 0.5 * module + 0.6
    for side in (a, e):
        fits &= (side > 0.5 * module) & (side < 1.7 * module + 0.6)
    return [(int(starts[i + 2] + lengths[i + 2] // 2), float(module[i])) for i in np.flatnonzero(fits)]


def _finders(grey: Pixels) -> int:
    """Centres that read as a finder pattern along the row and along the column."""
    low, high = int(grey.min()), int(grey.max())
    if high - low < 24:
        return 0
    dark = grey < (low + high) / 2
    centres: list[tuple[int, int, float]] = []
    for y in range(0, dark.shape[0], 2):
        line = dark[y]
        if np.count_nonzero(line[1:] != line[:-1]) < 4:
            continue
        for x, module in _like_finder(*_runs(line)):
            if any(abs(x - cx) <= 2 * m and abs(y - cy) <= 3 * m for cx, cy, m in centres):
                continue
            reach = int(6 * module) + 2
            top = max(0, y - reach)
            column = dark[top : y + reach, x]
            if any(
                abs(top + cy - y) <= 1.6 * module and abs(m - module) < 0.4 * module + 0.3
                for cy, m in _like_finder(*_runs(column))
            ):
                centres.append((x, y, module))
        if len(centres) > 60:
            break
    modules = sorted(m for _, _, m in centres)
    return max((sum(m <= o <= 1.35 * m + 0.3 for o in modules) for m in modules), default=0)


def _noise(where: str, across: Pixels, down: Pixels, *, least: int) -> Iterator[Finding]:
    size = 16
    height, width = (
        (min(across.shape[0], down.shape[0]) // size) * size,
        (min(across.shape[1], down.shape[1]) // size) * size,
    )
    if height and width:
        tiles = [
            (plane[:height, :width] >= least).reshape(height // size, size, width // size, size).mean(axis=(1, 3))
            for plane in (across, down)
        ]
        noisy = int(((tiles[0] > 0.62) & (tiles[1] > 0.62)).sum())
        if noisy >= 4:
            yield NOISE.found(where, f"{many(noisy, 'square', 'squares')} of 16 × 16 pixels hold nothing but noise.")
            return
    if least < 20 and across.shape[1] >= 60:
        busy = (across >= least).mean(axis=1)
        for y in np.flatnonzero(busy > 0.6):
            near = [busy[y + step] for step in (-1, 1) if 0 <= y + step < len(busy)]
            if min(near) < 0.05:
                yield NOISE.found(
                    where, f"In row {y + 1} each pixel differs from the next, beside rows that are plain."
                )
                return


def _bars(where: str, grey: Pixels) -> Iterator[Finding]:
    """A strip in which sharp light and dark stand side by side, the same in many rows: a bar code or rows of bits."""
    span = int(grey.max()) - int(grey.min())
    if span < 24 or grey.shape[1] < 100:
        return
    crisp = np.abs(np.diff(grey, axis=1)) > 0.8 * span
    counts = crisp.sum(axis=1)
    full = np.flatnonzero(counts > max(60, 0.18 * grey.shape[1]))
    if len(full) >= 6:
        widths = [len(np.unique(_runs(grey[y] > grey[y].mean())[1])) for y in full[:40:4]]
        if min(widths) >= 3:
            yield QR.found(where, f"In {len(full)} rows dark and light bars of several widths stand side by side.")


def _faint(where: str, rgb: Pixels, *, lossless: bool) -> Iterator[Finding]:
    """Thin marks within a few shades of the ground, away from anything that is drawn: smoothing leaves such shades only at edges."""
    flat = rgb.reshape(-1, 3)
    codes = (flat[:, 0].astype(np.int32) << 16) | (flat[:, 1].astype(np.int32) << 8) | flat[:, 2]
    values, counts = np.unique(codes, return_counts=True)
    common = int(values[counts.argmax()])
    ground = np.array([common >> 16, (common >> 8) & 255, common & 255], dtype=np.int16)
    away = np.abs(rgb - ground).max(axis=2)
    limit = 8 if lossless else 6
    faint = (away >= (1 if lossless else 2)) & (away <= limit)
    reach = 3 if lossless else 12
    strong = away > limit
    for _ in range(reach):
        grown = strong.copy()
        grown[1:] |= strong[:-1]
        grown[:-1] |= strong[1:]
        grown[:, 1:] |= strong[:, :-1]
        grown[:, :-1] |= strong[:, 1:]
        strong = grown
    lone = faint & ~strong
    lone &= ~_straight(lone) & ~_straight(lone.T).T  # grid lines that show through the ground of a legend
    total = int(lone.sum())
    if total < 800:
        return
    edge = lone.copy()
    edge[1:-1, 1:-1] &= ~(lone[:-2, 1:-1] & lone[2:, 1:-1] & lone[1:-1, :-2] & lone[1:-1, 2:])
    rows = int((lone.sum(axis=1) > 0).sum())
    if edge.sum() > 0.35 * total and rows >= 6 and total < 0.2 * away.size:
        yield FAINT.found(
            where, f"{total} pixels differ from the ground by {limit} shades or fewer and form thin marks."
        )


def _straight(mask: npt.NDArray[np.bool_], length: int = 16) -> npt.NDArray[np.bool_]:
    """The pixels of a mask that lie in a horizontal run of at least `length`."""
    if mask.shape[1] <= length:
        return mask
    sums = np.cumsum(np.pad(mask, ((0, 0), (1, 0))), axis=1)
    full: npt.NDArray[np.bool_] = sums[:, length:] - sums[:, :-length] == length
    out = np.zeros_like(mask)
    for step in range(length):
        out[:, step : step + full.shape[1]] |= full
    return out


def _grid(where: str, across: Pixels, down: Pixels) -> Iterator[Finding]:
    """Evenly spaced straight edges over much of the picture, in both directions: cells of one colour each."""
    lines = []
    for plane, axis in ((across, 0), (down, 1)):
        profile = (plane > 8).sum(axis=axis).astype(float)
        tall = 0.12 * plane.shape[axis]
        peaks = [
            i
            for i in np.flatnonzero(profile > tall)
            if 2 <= i < len(profile) - 2 and max(profile[i - 2], profile[i + 2]) < 0.3 * profile[i]
        ]
        gaps = np.diff(peaks)
        steady = int((np.abs(gaps - np.median(gaps)) <= 1).sum()) if len(gaps) else 0
        lines.append(steady)
    if min(lines) >= 11 and lines[0] * lines[1] >= 200:
        yield CELLS.found(where, f"The picture is a grid of about {lines[0] + 1} × {lines[1] + 1} cells.")


def _lines_of_text(where: str, grey: Pixels) -> Iterator[Finding]:
    """Bands of ink with blank bands between them, and no long line such as an axis."""
    span = int(grey.max()) - int(grey.min())
    if span < 24 or grey.shape[0] < 60:
        return
    ground = int(np.bincount(grey.clip(0, 255).ravel()).argmax())
    ink = np.abs(grey - ground) > 0.25 * span
    longest = 0
    for plane in (ink, ink.T):
        filled = plane.sum(axis=1)
        for y in np.argsort(filled)[-12:]:
            starts, lengths = _runs(plane[y])
            dark = lengths[plane[y][starts]]
            longest = max(longest, int(dark.max()) if len(dark) else 0)
    if longest > 0.1 * min(grey.shape):
        return
    inked: npt.NDArray[np.bool_] = np.asarray(ink.any(axis=1))
    starts, lengths = _runs(inked)
    bands = lengths[inked[starts]]
    text = bands[(bands >= 5) & (bands <= 60)]
    if (
        len(text) >= 8
        and len(text) >= 0.8 * len(bands)
        and np.median(np.abs(text - np.median(text))) <= 0.25 * np.median(text)
    ):
        yield TEXT.found(where, f"The picture is {len(text)} lines of text without axes.")
