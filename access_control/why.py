"""Why, and why not, in sentences: which row allows it or, for each that does not apply, what fails and who can change it."""

from __future__ import annotations

from datetime import date

from access_control.snapshot import Snapshot


def explain(snapshot: Snapshot, person: str, project: str, data: str, today: date) -> list[str]:
    """Sentences about `data`, a dataset (`hiv`: each of its renditions) or a rendition (`hiv/pseudonymised`)."""
    raise NotImplementedError
