"""Every target, in the order in which they are fuzzed."""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.fuzz.contract import Target

NAMES = sorted(path.stem for path in (Path(__file__).parent / "targets").glob("*.py"))


def target_of(name: str) -> Target:
    """The target in `tests/fuzz/targets/NAME.py`."""
    found: Target = importlib.import_module(f"tests.fuzz.targets.{name}").TARGET
    return found


TARGETS = [target_of(name) for name in NAMES]
