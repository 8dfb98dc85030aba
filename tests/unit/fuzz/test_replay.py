"""Every fuzz target runs on its seeds and on what was found before; without atheris, so that no target rots unseen."""

import json
import sys
import time
from pathlib import Path

import pytest

from tests.fuzz import all_targets
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Broken, holds, may_refuse

FOUND = Path(all_targets.__file__).parent / "found"
MOST_SEEDS = 12  # of a target: the fuzzer tries them all
SECONDS = 30.0  # of CPU, for one input


@pytest.fixture(autouse=True)
def deep_stack():
    """As in the process that workers are forked from."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(2000)
    yield
    sys.setrecursionlimit(before)


def replay(target, data: bytes) -> None:
    began = time.process_time()
    target.run(data)
    assert time.process_time() - began < SECONDS


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", all_targets.NAMES)
def test_seeds_keep_the_promise(name: str) -> None:
    target = all_targets.target_of(name)
    assert target.name == name
    seeds = list(target.seeds())
    assert seeds
    step = max(1, len(seeds) // MOST_SEEDS)
    for seed in [*seeds[::step], b"", b"\0" * 9, b"\xff" * 90]:
        replay(target, seed)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", sorted(FOUND.glob("*/*")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_was_found_stays_mended(path: Path) -> None:
    replay(all_targets.target_of(path.parent.name), path.read_bytes())


def test_a_broken_promise_is_told_from_a_declared_error() -> None:
    with pytest.raises(Broken):
        holds(False, "it is so")
    with may_refuse(KeyError):
        raise KeyError
    with pytest.raises(ValueError), may_refuse(KeyError):
        raise ValueError


def test_the_same_bytes_make_the_same_choices() -> None:
    data = bytes(range(256))
    first, second = Choices(data).json(("a",), ("b",)), Choices(data).json(("a",), ("b",))
    assert json.dumps(first) == json.dumps(second)
    assert Choices(b"").json() == Choices(b"").json()
    assert Choices(b"\x07").number(3) == 3


def test_the_page_names_every_target() -> None:
    page = (Path(__file__).parents[3] / "docs" / "explanation" / "fuzzing.md").read_text()
    assert [name for name in all_targets.NAMES if f"| `{name}` |" not in page] == []
