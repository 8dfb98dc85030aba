"""Options that somebody sends to the hub's API for a session: none is ever taken."""

from __future__ import annotations

import functools
import json
import logging

from jupyterhub import orm
from tornado import web

from hub.spawner import EnclaveSpawner, refuse_options
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds

_NAMES = ("image", "volumes", "cmd", "mem_limit", "extra_host_config", "a")
_VALUES = ("jupyter/base-notebook", "/", "1g", "\ud800", "--privileged", "%s")


@functools.cache
def _spawner() -> EnclaveSpawner:
    """A spawner of the hub's own, on a row in its own database."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    db = orm.new_session_factory("sqlite://")()
    row = orm.Spawner(name="p17", user=orm.User(name="ana"))
    db.add(row)
    db.commit()
    return EnclaveSpawner(db=db, orm_spawner=row)


def run(data: bytes) -> None:
    choices = Choices(data)
    options = choices.json(_NAMES, _VALUES)
    spawner = _spawner()
    spawner.orm_spawner.user_options = {"image": "x"}
    spawner.user_options = {"image": "x"}
    try:
        refuse_options(spawner, options)
    except web.HTTPError as error:
        holds(error.status_code == 400, "options are refused")
        holds(spawner.user_options == {} and spawner.orm_spawner.user_options == {}, "refused options are not kept")
        json.dumps(str(error))
    else:
        holds(not options, "no option is taken")


def start() -> list[bytes]:
    return [bytes([how]) + bytes(range(n * 5, n * 5 + 40)) for how in range(14) for n in range(3)]


TARGET = Target("user_options", "options that are sent for a session", run, start, share=0.3)
