from data_world import OPEN, DataWorld, data_world  # noqa: F401 - a fixture

from access_control.data_checks import verify_data


def verify(data: DataWorld) -> tuple[list[str], int]:
    return verify_data(data.engine, data.settings, None, lambda _what, _share: None)


def test_untouched_data_passes(data: DataWorld) -> None:
    data.add()
    data.publish(OPEN)
    assert verify(data) == ([], 2)


def test_altered_files_are_named_recorded_and_taken_out_of_use(data: DataWorld) -> None:
    original = data.add()
    data.publish(OPEN)
    [published] = data.versions("people/open")
    for version in (original, published):
        file = data.settings.data_root / version.path / "data.parquet"
        file.chmod(0o600)
        file.write_bytes(b"x")
    problems, _ = verify(data)
    assert [problem.split(" version")[0] for problem in problems] == ["people", "people/open"]
    assert data.versions("people/open")[0].state == "altered"
    assert [entry["subject"] for entry in data.acts("dataset:altered")] == ["dataset:people", "rendition:people/open"]
