"""A policy is accepted whole or not at all: every error with its line, its row and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

COLUMNS = ("id", "eft", "role", "project", "data", "act", "purpose", "region", "start", "until", "training", "agreement")


def check_rows(rows: Iterable[Mapping[str, Any]], *, first_line: int = 1) -> list[str]:
    """Errors of rows for `policy_rows` (allow rows may only mount), such as
    `line 2: AGR-1: effect 'Deny' must be 'allow' or 'deny'`; empty when all are right. `training` may be left out.
    """
    raise NotImplementedError


def read_policy(text: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Reads a CSV with a header of COLUMNS (training and agreement may be left out): (rows, errors)."""
    raise NotImplementedError
