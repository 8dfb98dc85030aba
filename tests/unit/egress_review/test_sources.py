"""What a request's figures are computed again from: the renditions that were mounted, and no other data."""

from egress_world import World

from access_control.database import reading
from egress_review.sources import Source, sources_of, unit_of


def test_the_mounted_rendition_is_the_source(world: World) -> None:
    mounts = [{"rendition": "hiv/full", "version": 1}, {"rendition": "hiv/full", "version": 7}]
    with reading(world.engine) as db:
        found = sources_of(db, world.settings, mounts, "p17")
    path = world.settings.data_root / "renditions/hiv/full/1/data.parquet"
    assert found == [Source("hiv/full v1", path)]


def test_the_unit_is_the_column_that_is_marked() -> None:
    columns = [{"name": "year", "type": "integer"}, {"name": "person", "type": "string", "unit": "yes"}]
    assert unit_of(columns) == "person"
    assert unit_of(columns[:1]) == ""
