"""Runs the corpus and prints its tables in Markdown: `python tests/corpus/results.py`."""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import attacks
import benign
import hiding_places
import leaks

from access_control.settings import Profile, Settings
from egress_review import kinds, worker
from egress_review.checking import check_files
from egress_review.findings import FileResult
from egress_review.rules import source
from egress_review.rules.catalogue import Subject
from egress_review.source_index import open_index, write_index


def run_attacks(folder: Path) -> list[tuple[str, FileResult]]:
    """(name of the attack, its result), each checked as the only file of its request."""
    made = [*attacks.all_attacks(), *hiding_places.all_attacks()]
    files = [(path := attacks.place(attack, folder / str(number)), path.name) for number, attack in enumerate(made)]
    results = check_files(Settings(), files, profile=Profile(), peers=[])
    return [(attack[0], result) for attack, result in zip(made, results, strict=True)]


def run_benign(folder: Path) -> list[FileResult]:
    files = []
    for name, data in benign.all_outputs():
        (folder / name).write_bytes(data)
        files.append((folder / name, name))
    return check_files(Settings(), files, profile=Profile())


def finder(folder: Path, sources: tuple[str, ...]) -> Callable[[str, bytes, str], bool]:
    """Whether a file of that name and bytes is found to hold rows of that source; builds the sources' indexes."""
    indexes = {}
    for name in sources:
        leaks.frames()[name].to_parquet(folder / f"{name}.parquet", index=False)
        indexes[name] = open_index(
            write_index(folder / f"{name}.parquet", folder / name / "v1", b"0123456789abcdef", name, 1)
        )

    def found(name: str, data: bytes, dataset: str) -> bool:
        subject = Subject(name, kinds.tell(name, data), data, Profile())
        assert worker._open(subject) == ""
        subject.facts["_indexes"] = [indexes[dataset]]
        return any(True for _ in source.check(subject))

    return found


def run_leaks(
    folder: Path, sources: tuple[str, ...] = leaks.SOURCES
) -> tuple[list[tuple[str, str, bool]], list[tuple[str, str, bool]]]:
    """(kind, source, found) of planted leaks and (name, source, found) of aggregates, against the index of their source."""
    found = finder(folder, sources)
    planted = [(kind, data, found(name, body, data)) for kind, data, name, body in leaks.leaks() if data in sources]
    summaries = [(name, data, found(name, body, data)) for data, name, body in leaks.aggregates() if data in sources]
    return planted, summaries


def main() -> None:
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        start = time.monotonic()
        attacked = run_attacks(root / "attacks")
        families = Counter(name.split(":")[0] for name, _ in attacked)
        caught = Counter(name.split(":")[0] for name, result in attacked if result.verdict in ("block", "warn"))
        blocked = Counter(name.split(":")[0] for name, result in attacked if result.verdict == "block")
        print("| attacks on | files | blocked | warned of | missed |\n|---|---|---|---|---|")
        for family, total in families.items():
            print(
                f"| {family} | {total} | {blocked[family]} | {caught[family] - blocked[family]} | {total - caught[family]} |"
            )
        print(
            f"| **all** | {len(attacked)} | {sum(blocked.values())} | {sum(caught.values()) - sum(blocked.values())} | {len(attacked) - sum(caught.values())} |\n"
        )
        for name, result in attacked:
            if result.verdict not in ("block", "warn"):
                print(f"missed: {name} ({result.kind})")
        (root / "benign").mkdir()
        passed = run_benign(root / "benign")
        verdicts = Counter(result.verdict for result in passed)
        print(
            f"| benign outputs | passed | warned | blocked |\n|---|---|---|---|\n| {len(passed)} | {verdicts['pass']} | {verdicts['warn']} | {verdicts['block']} |\n"
        )
        for result in passed:
            if result.verdict != "pass":
                print(f"{result.verdict}: {result.path} {[f.rule for f in result.findings]}")
        (root / "leaks").mkdir()
        planted, summaries = run_leaks(root / "leaks")
        print("| planted leak | tables | found |\n|---|---|---|")
        kinds_of_leak = Counter(kind for kind, _, _ in planted)
        for kind, total in kinds_of_leak.items():
            print(f"| {kind} | {total} | {sum(found for k, _, found in planted if k == kind)} |")
        print(f"| **all** | {len(planted)} | {sum(found for _, _, found in planted)} |")
        print(f"| aggregates taken for leaks | {len(summaries)} | {sum(found for _, _, found in summaries)} |\n")
        print(f"{time.monotonic() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
