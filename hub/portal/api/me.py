"""Who is asking, and the CSRF token that changes need when they come with the cookie."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from hub.portal.api.shapes import Pair
from hub.portal.context import CallerOf

router = APIRouter(tags=["me"])


class Me(BaseModel):
    """The caller."""

    id: str
    name: str
    roles: list[Pair]
    csrf: str


@router.get("/me")
def me(caller: CallerOf) -> Me:
    """The person, their roles today as (role, domain), and the value for the header X-CSRF-Token."""
    return Me(id=caller.id, name=caller.name, roles=[list(role) for role in caller.roles], csrf=caller.csrf)
