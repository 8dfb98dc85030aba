"""Send options with the start of a session, raw, through the REST API.

Way: hub
Control: stock DockerSpawner with jupyterhub-singleuser, which takes them without a word
Held by: options are refused unless there are none; the decision, not the request, says what is mounted
"""

from tests.redteam.roads import hub_post

OPTIONS = {"image": "enclave/notebook-stock:latest", "volumes": {"/": "/host"}, "mounts": ["wagepan"], "tier": 0}


def test_control_stock_takes_them(stock, stock_browser) -> None:
    browser = stock.browser("oliver")
    (stock.folder / "workspaces" / "oliver").mkdir(exist_ok=True)
    answer = hub_post(browser, "/hub/api/users/oliver/server", OPTIONS)
    assert answer.status_code in {201, 202}, answer.text


def test_the_spawner_takes_none(enclave, researcher) -> None:
    enclave.stop_session("ana", "wages")
    answer = hub_post(
        researcher.browser.client, f"{enclave.settings.web.origin}/hub/api/users/ana/servers/wages", OPTIONS
    )
    try:
        record = enclave.session("ana", "wages")
        if record is not None:
            assert {mount["dataset_id"] for mount in record.mounts} <= {"wagepan", "gpa2"}
            assert enclave.inside(record.id, ["ls", "/host"])[0] != 0
        else:
            assert answer.status_code >= 400, answer.text
    finally:
        enclave.stop_session("ana", "wages")
