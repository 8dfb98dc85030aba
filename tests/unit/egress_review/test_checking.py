import hashlib
import json
import os
import pickle
import zipfile

import numpy as np
import polars as pl
import pytest

from access_control.settings import Egress, Profile, Settings
from egress_review.checking import check_files
from egress_review.source_index import build_index

PROFILE = Profile()


def _rules(tmp_path, body: str | bytes, name: str = "out.csv", profile: Profile = PROFILE, **options) -> set[str]:
    path = tmp_path / "file"
    path.write_bytes(body if isinstance(body, bytes) else body.encode())
    (result,) = check_files(Settings(), [(path, name)], profile=profile, **options)
    return {finding.rule for finding in result.findings if finding.severity != "informs"}


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("sex,0,1\nF,3,20\nM,30,40\n", "counts.small"),
        ("sex,0,1\nF,0,20\nM,30,40\n", "counts.zero"),
        ("sex,0,1\nF,23,27\nM,31,44\n", "counts.unrounded"),
        ("sex,cases,total\nF,115,120\nM,30,70\n", "counts.complement"),
        ("group,n,percent\na,120,2.5\nb,200,40\n", "counts.share"),
        ("sex,0,1,All\nF,*,120,127\nM,130,141,271\nAll,137,261,398\n", "suppression.recoverable"),
        ("group,mean,max\na,3.4,99.7\nb,3.1,87.1\n", "statistics.extreme"),
        ("term,coef\n=cmd|' /C calc'!A0,1\n", "csv.formula"),
    ],
)
def test_disclosure_in_a_table(tmp_path, body, rule):
    assert rule in _rules(tmp_path, body)


def test_only_counts_are_taken_for_counts(tmp_path):
    assert _rules(tmp_path, "group,mean_age,sd,beta,kids_mean\na,4,2,1,3\nb,5,2,3,2\n") == set()
    assert _rules(tmp_path, "educ,mean_wage\n1,5.5\n2,6.1\n3,6.6\n") == set()


def test_a_table_that_is_rounded_and_full_passes(tmp_path):
    assert _rules(tmp_path, "sex,0,1,All\nF,120,200,320\nM,130,140,270\nAll,250,340,590\n") == set()


def test_thresholds_come_from_the_profile(tmp_path):
    body = "sex,0,1\nF,12,20\nM,30,40\n"
    assert "counts.small" in _rules(tmp_path, body, profile=Profile(threshold=20))
    assert _rules(tmp_path, body, profile=Profile(round_to=1)) == set()


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "target").write_text("a,b\n1,2\n")
    (tmp_path / "link.csv").symlink_to("target")
    (result,) = check_files(Settings(), [(tmp_path / "link.csv", "link.csv")], profile=PROFILE)
    assert (result.verdict, result.findings[0].rule) == ("block", "file.link")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "out.csv")
    (result,) = check_files(Settings(), [(tmp_path / "out.csv", "out.csv")], profile=PROFILE)
    assert result.verdict == "block"


def test_a_file_above_the_limit_is_not_read(tmp_path):
    (tmp_path / "out.csv").write_text("a,b\n1,2\n")
    (result,) = check_files(
        Settings(egress=Egress(max_file_bytes=3)), [(tmp_path / "out.csv", "out.csv")], profile=PROFILE
    )
    assert result.findings[0].rule == "check.size"


def test_a_dataset_without_an_index_is_not_known(tmp_path):
    (tmp_path / "out.csv").write_text("sex,n\nF,120\n")
    (result,) = check_files(
        Settings(data_root=tmp_path), [(tmp_path / "out.csv", "out.csv")], profile=PROFILE, datasets=[("none", 1)]
    )
    assert result.verdict == "unknown"


def test_one_broken_file_does_not_hide_the_others(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (tmp_path / "b.csv").write_text("sex,n\nF,120\nM,130\n")
    results = check_files(Settings(), [(tmp_path / "a.png", "a.png"), (tmp_path / "b.csv", "b.csv")], profile=PROFILE)
    assert [result.verdict for result in results] == ["block", "pass"]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    root = tmp_path_factory.mktemp("indexed")
    settings = Settings(data_root=root / "data")
    made = np.random.default_rng(1)
    frame = pl.DataFrame({"age": made.integers(18, 90, 3000), "wage": np.round(made.lognormal(3, 0.8, 3000), 2)})
    frame.write_parquet(root / "people.parquet")
    build_index(settings, "people", 1, root / "people.parquet")
    return settings, frame


def _against(indexed, tmp_path, body: str, name: str) -> dict[str, str]:
    (tmp_path / name).write_text(body)
    (result,) = check_files(indexed[0], [(tmp_path / name, name)], profile=PROFILE, datasets=[("people", 1)])
    return {finding.rule: finding.message for finding in result.findings}


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("statistic,wage\nmean,24.1\nmax,{top}\n", "out.csv"),
        ("group,mean,wage_max\nall,24.1,{top}\n", "out.csv"),
        ("The wages were about 24, the highest {top} in all.\n", "notes.txt"),
        ('{{"mean": 24.1, "max": {top}}}\n', "out.json"),
    ],
)
def test_the_end_of_a_column_is_known_by_its_value(indexed, tmp_path, body, name):
    top = indexed[1]["wage"].max()
    found = _against(indexed, tmp_path, body.format(top=top), name)
    assert found["source.extreme"] == f"{top} is the highest value of wage in people, held by 1 person."
    assert "source.extreme" not in _against(indexed, tmp_path, body.format(top=round(top - 1.01, 2)), name)


def test_an_end_that_many_share_tells_of_nobody(indexed, tmp_path):
    body = f"statistic,age\nmean,53.2\nmax,{indexed[1]['age'].max()}\n"
    assert "source.extreme" not in _against(indexed, tmp_path, body, "out.csv")


def test_the_files_in_an_archive_are_looked_into(indexed, tmp_path):
    rows = indexed[1].sample(40, seed=2).write_csv()
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr("tables/counts.csv", "sex,0,1\nF,3,20\nM,30,40\n")
        archive.writestr("rows.csv", rows)
        archive.writestr("model.pkl", pickle.dumps({"a": 1}))
    (result,) = check_files(indexed[0], [(tmp_path / "out.zip", "out.zip")], profile=PROFILE, datasets=[("people", 1)])
    where = {finding.rule: finding.where for finding in result.findings}
    assert "out.zip/tables/counts.csv" in where["counts.small"]
    assert "out.zip/rows.csv" in where["source.rows"]
    assert "out.zip/model.pkl" in where["model.pickle"]
    assert result.facts["source"][0]["dataset"] == "people"


def test_an_archive_of_more_than_can_be_looked_into_says_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        for number in range(201):
            archive.writestr(f"{number}.txt", "all is well\n")
    (result,) = check_files(Settings(), [(tmp_path / "out.zip", "out.zip")], profile=PROFILE)
    assert "zip.unseen" in {finding.rule for finding in result.findings}


@pytest.mark.parametrize("changed", [False, True])
def test_a_file_is_the_one_that_acro_has_the_checksum_of(tmp_path, changed):
    table = b"sex,n\nF,120\nM,130\n"
    (tmp_path / "table.csv").write_bytes(table + (b"X,150\n" if changed else b""))
    (tmp_path / "sum.txt").write_text(hashlib.sha256(table).hexdigest())
    results = {"output_0": {"status": "pass", "summary": "pass", "files": [{"name": "table.csv"}]}}
    (tmp_path / "results.json").write_text(json.dumps({"version": "0.4.8", "results": results}))
    files = [
        (tmp_path / "results.json", "acro/results.json"),
        (tmp_path / "table.csv", "acro/table.csv"),
        (tmp_path / "sum.txt", "acro/checksums/table.csv.txt"),
    ]
    record, checked, told = check_files(Settings(), files, profile=PROFILE)
    assert ("acro.changed" in {finding.rule for finding in checked.findings}) == changed
    assert (record.verdict, told.verdict) == ("pass", "block" if changed else "pass")


def _long_table(rows: int = 120_000) -> list[str]:
    return ["age,wage,group,code", *(f"{row % 80},{row * 0.37:.2f},alpha,{row % 97}" for row in range(rows))]


def test_a_long_text_is_searched_in_its_middle(tmp_path):
    lines = [f"step {row} of the run went well" for row in range(90_000)]
    lines[45_000] = "write to jane.doe@example.org about it"
    assert {"text.long", "identifier.number"} <= _rules(tmp_path, "\n".join(lines) + "\n", "run.log")


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("jane.doe@example.org", "identifier.number"),
        ("be\u200bta", "text.invisible"),
        ("QmFzZTY0IGlzIGEgd2F5IHRvIGhpZGUgYW55IGZpbGUgaW4gYSB0YWJsZSwgYXMgdGhpcw==", "text.encoded"),
        ("a,b,c,d,e", "csv.ragged"),
        ("=cmd|' /C calc'!A0", "csv.formula"),
    ],
)
def test_a_long_table_is_searched_in_its_middle(tmp_path, cell, rule):
    lines = _long_table()
    lines[60_000] = f"7,7.5,{cell},3"
    assert rule in _rules(tmp_path, "\n".join(lines) + "\n")


def test_a_long_table_is_not_blamed_for_what_is_not_in_it(tmp_path):
    assert _rules(tmp_path, "\n".join(_long_table()) + "\n") == {"text.long", "records.rows"}
