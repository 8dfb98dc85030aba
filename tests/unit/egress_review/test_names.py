import pytest

from egress_review.errors import Invalid
from egress_review.names import check_distinct, check_name, matches


@pytest.mark.parametrize(
    "name", ["a.csv", "results/table 1.csv", "Größe/naïve.txt", "表.csv", "a/b/c/d.png", ".hidden"]
)
def test_plain_names_are_fine(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "", "/etc/passwd", "a//b", "../a", "a/../b", "./a", "a/", "a\\b", "a\nb", "a\x00b", "a\u200bb", "a\u202eb",
        "a\u00a0b", "e\u0301", "a ", " a", "a.", "x" * 101, "a/" * 100 + "b", "\udcff", "\U000e0041a", "a/ b", "\ufeffa",
        "/".join("abcdefghijklmn"),
    ],
)  # fmt: skip
def test_names_that_hide_something_are_refused(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_name(name)
    assert str(caught.value).isprintable()


def test_names_that_differ_in_capitals_alone_are_refused() -> None:
    check_distinct(["a", "b", "a"])
    with pytest.raises(Invalid, match="differ in capitals"):
        check_distinct(["Table.csv", "table.csv"])


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        ("a.csv", "*.csv", True),
        ("out/a.csv", "*.csv", False),
        ("out/a.csv", "out/*.csv", True),
        ("out/deep/a.csv", "out/*.csv", False),
        ("out/deep/a.csv", "out/**/*.csv", True),
        ("out/a.csv", "**/*.csv", True),
        (".secret", "*", False),
        (".secret", ".*", True),
        ("out/.git/a.csv", "**/*.csv", False),
        ("a[1].csv", "a[[]1].csv", True),
    ],
)
def test_globs(name: str, pattern: str, fits: bool) -> None:
    assert matches(name.split("/"), pattern.split("/")) is fits
