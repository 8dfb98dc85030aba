"""Previews are cut to size and metered."""

import pytest
from portal_world import PortalWorld

from egress_review.errors import Refused
from egress_review.previews import Preview, PreviewTable
from hub.portal import shown


def test_a_preview_is_cut_in_rows_columns_cells_text_and_images() -> None:
    table = PreviewTable("t", [str(n) for n in range(100)], [["x" * 5000] * 100] * 1000, 1000)
    cut = shown.cut_down(Preview("csv", [table], "y" * 100_000, [b"png"] * 100))
    part = cut.preview
    assert cut.cut
    assert len(part.tables[0].rows) == shown.MOST_ROWS
    assert len(part.tables[0].header) == shown.MOST_COLUMNS
    assert len(part.tables[0].rows[0][0]) == shown.MOST_CELL
    assert len(part.text) == shown.MOST_TEXT
    assert len(part.images) == shown.MOST_IMAGES


def test_a_small_preview_is_whole() -> None:
    assert not shown.cut_down(Preview("csv", [PreviewTable("t", ["a"], [["1"]], 1)], "text")).cut


def test_what_a_person_is_shown_a_day_is_counted(world: PortalWorld) -> None:
    shown.meter(world.portal, "sam", world.settings.egress.preview_bytes_per_day - 10)
    with pytest.raises(Refused, match="tomorrow"):
        shown.meter(world.portal, "sam", 11)
    shown.meter(world.portal, "sam", 10)
    shown.meter(world.portal, "sue", 11)


def test_an_author_is_shown_less_of_their_own_files(world: PortalWorld) -> None:
    shown.meter(world.portal, "ana", shown.most_of_own(world.portal), own=True)
    with pytest.raises(Refused, match="in your session"):
        shown.meter(world.portal, "ana", 1, own=True)
    shown.meter(world.portal, "ana", 1)
