"""Cells computed again from the source, in the sandbox, as the queue does it."""

import os

import numpy as np
import polars as pl
import pytest

from access_control.settings import Profile, Settings
from egress_review.checking import check_files
from egress_review.sources import Source

REGIONS = ["north", "south", "east", "west"]


@pytest.fixture(scope="module")
def firms(tmp_path_factory):
    """800 firms: one holds 97 % of the west's turnover, three are alone on the isle."""
    made = np.random.default_rng(5)
    turnover = np.round(made.lognormal(7, 0.6, 800), 2)
    region = made.choice(REGIONS, 800)
    region[[3, 99, 500]] = "isle"
    west = np.flatnonzero(region == "west")
    turnover[west[0]] = np.round(30 * turnover[west[1:]].sum(), 2)
    frame = pl.DataFrame({
        "region": region,
        "turnover": turnover,
        "staff": made.integers(1, 200, 800),
        "owner": np.arange(800) % 4,
        "exports": made.integers(0, 2, 800),
    })  # fmt: skip
    path = tmp_path_factory.mktemp("firms") / "data.parquet"
    frame.write_parquet(path)
    return frame, path


def _check(firms, tmp_path, table: pl.DataFrame | str, profile: Profile | None = None, unit: str = "") -> dict:
    path = tmp_path / "out.csv"
    path.write_text(table if isinstance(table, str) else table.write_csv())
    sources = [Source("firms/full v1", firms[1], unit)]
    (result,) = check_files(Settings(), [(path, "out.csv")], profile=profile or Profile(), sources=sources)
    assert "check.crash" not in {finding.rule for finding in result.findings}, result.findings
    return {finding.rule: finding for finding in result.findings if finding.rule.startswith("cells.")}


def _by_region(firms, *wanted: pl.Expr, without: tuple[str, ...] = ()) -> pl.DataFrame:
    kept = firms[0].filter(~pl.col("region").is_in(list(without)))
    return kept.group_by("region").agg(*wanted).sort("region")


def test_a_sum_that_one_holds_is_blocked_and_its_value_is_not_told(firms, tmp_path):
    table = _by_region(firms, pl.col("turnover").sum(), without=("isle",))
    found = _check(firms, tmp_path, table)
    finding = found["cells.dominance"]
    assert (finding.severity, finding.where) == ("blocks", "out.csv: west / turnover")
    assert finding.message == "As the sum of turnover in firms/full v1 this has 2 contributors of 90 % or more."
    largest = firms[0]["turnover"].max()
    assert str(int(largest)) not in finding.message


def test_a_mean_of_three_is_blocked_though_nothing_says_that_they_are_three(firms, tmp_path):
    table = _by_region(firms, pl.col("staff").mean().round(1)).rename({"region": "a", "staff": "b"})
    assert _check(firms, tmp_path, table)["cells.few"].where == "out.csv: isle / b"


def test_large_even_groups_pass(firms, tmp_path):
    table = _by_region(
        firms,
        pl.col("staff").mean().round(2).alias("mean staff"),
        pl.col("staff").sum().alias("sum staff"),
        pl.col("staff").median().alias("median staff"),
        pl.col("exports").mean().round(3).alias("exports"),
        without=("isle",),
    )
    assert _check(firms, tmp_path, table) == {}


@pytest.mark.parametrize(
    ("profile", "rules"),
    [
        (Profile(threshold=3), {"cells.dominance"}),
        (Profile(threshold=3, dominance_percent=99.9, p_percent=3), set()),
        (Profile(threshold=3, dominance_percent=99.9, p_percent=20), {"cells.p-percent"}),
        (Profile(threshold=400), {"cells.few"}),
    ],
)
def test_the_profile_decides(firms, tmp_path, profile, rules):
    table = _by_region(firms, pl.col("turnover").sum().round(0), without=("isle",))
    assert set(_check(firms, tmp_path, table, profile)) == rules


def test_rows_of_one_unit_count_once(firms, tmp_path):
    table = _by_region(firms, pl.col("staff").sum(), without=("isle",))
    assert _check(firms, tmp_path, table) == {}
    assert "fewer than 10 people" in _check(firms, tmp_path, table, unit="owner")["cells.few"].message


def test_a_median_has_k_on_each_side(firms, tmp_path):
    table = _by_region(firms, pl.col("staff").median(), without=("isle",))
    assert set(_check(firms, tmp_path, table, Profile(threshold=150))) == {"cells.median"}


def test_a_share_stands_for_people(firms, tmp_path):
    table = _by_region(firms, (100 * pl.col("exports").mean()).round(3).alias("exports %"), without=("isle",))
    assert set(_check(firms, tmp_path, table, Profile(threshold=120))) == {"cells.share"}


def test_a_pivot_is_recognised_by_its_header(firms, tmp_path):
    frame = firms[0].with_columns(pl.col("owner").cast(pl.String))
    table = frame.pivot("region", index="owner", values="turnover", aggregate_function="sum").sort("owner")
    found = _check(firms, tmp_path, table)
    assert {"cells.few", "cells.dominance"} == set(found)


def test_a_part_of_the_people_is_recognised_when_they_share_a_value(firms, tmp_path):
    table = firms[0].filter((pl.col("owner") == 2) & (pl.col("region") != "isle")).group_by("region")
    sums = table.agg(pl.col("staff").sum()).sort("region")
    assert _check(firms, tmp_path, sums) == {}
    assert set(_check(firms, tmp_path, sums, Profile(threshold=90))) == {"cells.few"}


def test_figures_of_other_people_are_left_alone(firms, tmp_path):
    kept = firms[0].filter((pl.col("turnover") < 2000) & (pl.col("staff") > 7))
    table = kept.group_by("region").agg(pl.col("turnover").sum(), pl.col("staff").mean().round(2)).sort("region")
    assert _check(firms, tmp_path, table.filter(pl.col("region") != "isle")) == {}


def test_a_source_whose_file_is_gone_is_told(firms, tmp_path):
    found = _check((firms[0], tmp_path / "none.parquet"), tmp_path, "sex,n\nF,120\nM,130\n")
    assert found["cells.unseen"].severity == "warns"
    assert "not there any more" in found["cells.unseen"].message


def test_more_rows_than_can_be_held_are_told(firms, tmp_path, monkeypatch):
    from egress_review.rules import dominance
    from egress_review.rules.catalogue import Subject
    from egress_review.source_table import open_source
    from egress_review.tables import from_delimited

    monkeypatch.setattr(dominance, "MAX_ROWS", 700)
    subject = Subject("out.csv", "csv", b"", Profile(), tables=from_delimited("", b"region,mean\nwest,3\neast,4\n"))
    subject.facts["_sources"] = [open_source(firms[1], "firms")]
    assert [finding.rule for finding in dominance.check(subject)] == ["cells.unseen"]


def test_the_time_of_a_file_is_bounded_and_said(firms, monkeypatch):
    from egress_review.rules import dominance
    from egress_review.rules.catalogue import Subject
    from egress_review.source_table import open_source
    from egress_review.tables import from_delimited

    monkeypatch.setattr(dominance, "SECONDS", 0.0)
    subject = Subject("out.csv", "csv", b"", Profile(), tables=from_delimited("", b"region,mean\nwest,3\neast,4\n"))
    subject.facts["_sources"] = [open_source(firms[1], "firms")]
    assert "stopped" in next(dominance.check(subject)).message


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts of one's own need root")
def test_a_worker_cannot_open_the_source_any_more(firms):
    """What is mapped before is all that there is: neither the file nor its folder is in the worker's root."""
    from egress_review import confinement
    from egress_review.source_table import open_source

    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = b"nothing"
        try:
            source = open_source(firms[1], "firms")
            confinement.confine(confinement.Limits())
            said = b"mapped" if source.mapped[:4] == b"PAR1" else b"lost"
            said += b", open" if firms[1].exists() else b", gone"
        finally:
            os.write(writing, said)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b"mapped, gone"
    os.waitpid(pid, 0)
