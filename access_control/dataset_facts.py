"""What is known of a dataset, changed by its owner's steward: tier, texts, dates and the profile of output checks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import changes
from access_control.audit import Act
from access_control.data_permissions import require_steward
from access_control.errors import Invalid, Refused
from access_control.models import Dataset, Rendition, touch
from access_control.settings import Settings

CHANGEABLE = ("title", "description", "tier", "licence", "citation", "permitted_use", "required_trainings",
              "embargo_until", "retention_until", "egress_profile")  # fmt: skip


def check_tier(tier: int) -> None:
    """Raises Invalid for a number that is no tier."""
    if not 0 <= tier <= 4:
        raise Invalid(f"Tier {tier} is no tier; tiers are 0 (open) to 4 (highly restricted).")


def check_profile(settings: Settings, profile: str) -> None:
    """Raises Invalid for an egress profile that the settings do not have."""
    if profile not in settings.egress.profiles:
        known = ", ".join(sorted(settings.egress.profiles))
        raise Invalid(f"There is no egress profile {profile!r}; the settings have {known}.")


def change_dataset(
    db: Session, settings: Settings, dataset_id: str, values: dict[str, Any], *, actor: str, reason: str
) -> Dataset:
    """Changes facts of a dataset (keys of `values` are in CHANGEABLE); sessions are decided again.

    Raises Invalid, NotFound, NotPermitted, and Refused for a tier below one of the dataset's renditions.
    """
    dataset = changes.get_dataset(db, dataset_id)
    require_steward(db, actor, dataset.owner_id, f"change dataset {dataset_id}")
    why = changes.said(reason)
    if unknown := sorted(set(values) - set(CHANGEABLE)):
        raise Invalid(f"{unknown[0]} of a dataset cannot be changed; these can: {', '.join(CHANGEABLE)}.")
    if "egress_profile" in values:
        check_profile(settings, values["egress_profile"])
    if "tier" in values:
        check_tier(values["tier"])
        above = db.scalars(
            select(Rendition.id).where(Rendition.dataset_id == dataset_id, Rendition.tier > values["tier"])
        ).first()
        if above is not None:
            raise Refused(
                f"{above} is of a higher tier than {values['tier']}. Publish it with a lower tier first, or keep the "
                f"dataset at its tier."
            )
    before = {name: getattr(dataset, name) for name in values}
    for name, value in values.items():
        setattr(dataset, name, value)
    db.flush()
    details = {"before": before, "after": values, "reason": why}
    changes.note(db, Act.DatasetChanged, actor=actor, subject=f"dataset:{dataset_id}", details=details)
    touch(db)
    return dataset
