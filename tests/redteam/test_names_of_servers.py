"""Start a session under a name that is no project: paths, unicode, nothing.

Way: hub
Control: stock DockerSpawner with jupyterhub-singleuser with named servers, which takes nearly any name
Held by: a session's name has to be a project that the person is a member of today
"""

from urllib.parse import quote

import pytest

from tests.redteam.roads import hub_post

NAMES = ["..", "wages/../smoking", "ｗages", "wages\u200b", "paused", "no-such-project", "Wages", "a" * 300, ""]


def test_control_a_project_of_hers_starts(enclave) -> None:
    with enclave.running_session("ana", "wages") as record:
        assert record.project_id == "wages"


@pytest.mark.parametrize("name", NAMES)
def test_no_other_name_starts_anything(enclave, researcher, name) -> None:
    before = {record.id for record in sessions(enclave)}
    path = f"/hub/api/users/ana/servers/{quote(name, safe='')}" if name else "/hub/api/users/ana/server"
    answer = hub_post(researcher.browser.client, enclave.settings.web.origin + path, {})
    assert answer.status_code >= 400
    assert {record.id for record in sessions(enclave)} <= before


def sessions(enclave):
    from sqlalchemy import select

    from access_control.models import SessionRecord

    with enclave.reading() as db:
        return list(db.scalars(select(SessionRecord).where(SessionRecord.state != "ended")))
