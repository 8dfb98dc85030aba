"""The corpus: attacks are seen, benign outputs pass, planted rows are found and summaries are not taken for rows."""

import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import results

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(600)]


def test_attacks_are_seen(tmp_path):
    attacked = results.run_attacks(tmp_path / "attacks")
    missed = [name for name, result in attacked if result.verdict not in ("block", "warn")]
    assert len(attacked) >= 100
    assert missed == []  # one in a hundred may be missed, but each was seen once: a loss must not go by unnoticed
    broken = [
        name
        for name, result in attacked
        if any(f.rule in ("check.crash", "check.time", "check.isolation") for f in result.findings)
    ]
    assert broken == []


def test_benign_outputs_pass(tmp_path):
    warnings.simplefilter("ignore")
    passed = results.run_benign(tmp_path)
    blocked = [
        (result.path, [f.rule for f in result.findings]) for result in passed if result.verdict not in ("pass", "warn")
    ]
    warned = [(result.path, [f.rule for f in result.findings]) for result in passed if result.verdict == "warn"]
    assert len(passed) >= 100
    assert len(blocked) <= 0.01 * len(passed), blocked
    assert len(warned) <= 0.05 * len(passed), warned


def test_planted_rows_are_found_and_summaries_are_not(tmp_path):
    planted, summaries = results.run_leaks(tmp_path, ("gpa2", "twoyear", "thornton_hiv"))
    missed = [(kind, data) for kind, data, found in planted if not found]
    wrong = [(name, data) for name, data, found in summaries if found]
    assert len(missed) <= 0.05 * len(planted), missed
    assert len(wrong) <= 0.01 * len(summaries), wrong
