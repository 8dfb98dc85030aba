"""One immutable state of policy and facts, and every question that may be asked of it. Deciding never reads the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from access_control.decisions import Decision, Mount, Refusal


class Snapshot:
    """An immutable snapshot; safe to share between threads. Every question is answered by Casbin, no where in doubt."""

    number: int  # of the policy version in force
    change: int  # the ChangeCount that it was built from

    @property
    def digest(self) -> str:
        """SHA-256 over the model, the rows and the facts: what a decision rested on."""
        raise NotImplementedError

    def decide(self, person: str, project: str, data: str, act: str, today: date) -> Decision:
        """May `person`, working in `project`, do `act` ("mount") to `data` ("hiv/pseudonymised") on that day?"""
        raise NotImplementedError

    def mounts(self, person: str, project: str, today: date) -> list[Mount]:
        """What a session of that person in that project sees today: the newest published version of each rendition."""
        raise NotImplementedError

    def still(self, person: str, project: str, mount: Mount, today: date) -> Decision:
        """May a running session keep `mount`? A newer version does not take it away; a withdrawn version does."""
        raise NotImplementedError

    def refusals(self, person: str, project: str, today: date) -> list[Refusal]:
        """The renditions that some row of the project speaks of and that the person does not see, each with its why."""
        raise NotImplementedError

    def may(
        self,
        person: str,
        act: str,
        today: date,
        *,
        project: str | None = None,
        owner: str | None = None,
        author: str | None = None,
    ) -> Decision:
        """Duties, decided by the same model.

        `review`, `lead-review` and `steward` need `owner` (an organisation's id): stewards decide on their owner's data.
        `open` needs `project`: may the person open a session there? `administer`, `audit` and `seed` need neither.
        Where `author` or `project` are given with a duty, own work and the work of a project that the person has ever
        been a member of are refused; for `administer` give as `author` whoever proposed it or gains by it.
        """
        raise NotImplementedError

    def projects_of(self, person: str, today: date) -> list[str]:
        """The projects in which the person may open a session today, sorted."""
        raise NotImplementedError

    def with_rows(self, add: Iterable[Mapping[str, Any]] = (), remove: Iterable[str] = ()) -> Snapshot:
        """The snapshot that a change of policy would make, for previews; keys of `add` are the columns of PolicyRow."""
        raise NotImplementedError


def load_snapshot(db: Session, data_root: Path) -> Snapshot:
    """Reads policy and facts in one transaction; raises Refused when any row is invalid, listing each error."""
    raise NotImplementedError
