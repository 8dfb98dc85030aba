"""JupyterLab in a real container without a network, through the real proxy and gateway."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from typing import Any

import aiohttp
import httpx

from hub.engine_room import EngineRoom
from hub.gateway import messages
from hub.gateway.websockets import CUT
from tests.integration.gateway.gateway_world import Browser, World, wait_for


def request(kind: str, content: Any) -> bytes:
    header = {
        "msg_id": secrets.token_hex(8),
        "msg_type": kind,
        "session": "t",
        "username": "",
        "version": "5.3",
        "date": "",
    }
    return messages.join((b"shell", *(json.dumps(part).encode() for part in (header, {}, {}, content))))


async def connect(client: aiohttp.ClientSession, browser: Browser, kernel: str) -> aiohttp.ClientWebSocketResponse:
    url = f"{browser.base}/api/kernels/{kernel}/channels?session_id=t"
    return await client.ws_connect(url, headers=browser.headers, protocols=[messages.V1], max_msg_size=0)


def new_kernel(browser: Browser) -> str:
    answer = browser.ask("POST", "/api/kernels", json={"name": "python3"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def run_code(browser: Browser, kernel: str, code: str) -> list[tuple[str, dict[str, Any]]]:
    """Every message of the kernel until its reply."""

    async def inside() -> list[tuple[str, dict[str, Any]]]:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            socket = await connect(client, browser, kernel)
            content = {
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
            }
            await socket.send_bytes(request("execute_request", content))
            found: list[tuple[str, dict[str, Any]]] = []
            idle = replied = False
            while not (idle and replied):
                taken = messages.split((await asyncio.wait_for(socket.receive(), 90)).data)
                parent = json.loads(taken.parts[2])
                if parent.get("msg_type") != "execute_request":
                    continue
                content = json.loads(taken.parts[4])
                found.append((taken.kind, content))
                replied = replied or taken.kind == "execute_reply"
                idle = idle or (taken.kind == "status" and content["execution_state"] == "idle")
            await socket.close()
            return found

    return asyncio.run(inside())


def stdout(found: list[tuple[str, dict[str, Any]]]) -> str:
    return "".join(content["text"] for kind, content in found if kind == "stream")


def test_a_kernel_computes_and_has_no_network(browser: Browser) -> None:
    kernel = new_kernel(browser)
    assert stdout(run_code(browser, kernel, "print(6 * 7)")) == "42\n"
    code = "import os; print(sorted(os.listdir('/sys/class/net')))"
    assert stdout(run_code(browser, kernel, code)) == "['lo']\n"


def test_a_notebook_is_made_saved_renamed_and_read(browser: Browser) -> None:
    made = browser.ask("POST", "/api/contents", json={"type": "notebook"})
    assert made.status_code == 201, made.text
    path = made.json()["path"]
    content = {"cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Hi"}], "metadata": {},
               "nbformat": 4, "nbformat_minor": 5}  # fmt: skip
    saved = browser.ask("PUT", f"/api/contents/{path}", json={"type": "notebook", "format": "json", "content": content})
    assert saved.status_code == 200, saved.text
    assert browser.ask("PATCH", f"/api/contents/{path}", json={"path": "saved.ipynb"}).status_code == 200
    read = browser.get("/api/contents/saved.ipynb?type=notebook&content=1")
    assert read.json()["content"]["cells"][0]["source"] == "# Hi"
    assert browser.ask("POST", "/api/contents/saved.ipynb/checkpoints").status_code == 201
    assert browser.ask("DELETE", "/api/contents/saved.ipynb").status_code == 204


def test_no_binary_file_comes_out_and_none_goes_in(browser: Browser, strict: Browser) -> None:
    kernel = new_kernel(browser)
    run_code(
        browser, kernel, "open('d.bin', 'wb').write(bytes(range(256))); open('d.txt', 'wb').write(bytes(range(256)))"
    )
    for target in ("/files/d.bin", "/api/contents/d.bin?type=file&format=base64", "/api/contents/d.txt?format=base64",
                   "/api/contents/d.txt", "/api/contents/d.txt?type=file", "/nbconvert/html/x.ipynb", "/files/d.txt?download=1"):  # fmt: skip
        answer = browser.get(target)
        assert answer.status_code in (400, 403), (target, answer.status_code)
        assert b"AAECAwQF" not in answer.content
        assert "content-disposition" not in answer.headers
    body = {"type": "file", "format": "base64", "content": base64.b64encode(b"text").decode()}
    assert browser.ask("PUT", "/api/contents/up.txt", json=body).status_code == 201
    assert strict.ask("PUT", "/api/contents/up.txt", json=body).status_code == 403


def test_script_that_is_printed_by_tier(browser: Browser, strict: Browser) -> None:
    code = "from IPython.display import display, HTML, Javascript; display(HTML('<script>1</script><b>b</b>')); display(Javascript('1'))"
    shown = str(run_code(browser, new_kernel(browser), code)[2:])
    cleaned = str([pair for pair in run_code(strict, new_kernel(strict), code) if pair[0] == "display_data"])
    assert "<script>" in shown
    assert "<script>" not in cleaned
    assert "application/javascript" not in cleaned
    assert "<b>b</b>" in cleaned


def test_terminals_by_tier(browser: Browser, strict: Browser) -> None:
    assert browser.ask("POST", "/api/terminals", json={}).status_code == 200
    assert strict.ask("POST", "/api/terminals", json={}).status_code == 403


def test_jupyterlab_itself_comes_from_the_trusted_copy(browser: Browser) -> None:
    page = browser.get("/lab")
    assert page.status_code == 200
    main = page.text.partition("/static/lab/")[2].partition('"')[0]
    script = browser.get(f"/static/lab/{main}", headers={"Accept-Encoding": "gzip"})
    assert script.headers["content-encoding"] == "gzip"
    assert browser.get("/lab/api/settings").json()["settings"]


def test_another_sessions_cookie_opens_nothing(browser: Browser, strict: Browser) -> None:
    answer = browser.get("/api", headers={"Cookie": strict.cookie})
    assert answer.status_code == 403


def test_the_socket_replaced_by_a_link_leads_nowhere(world: World) -> None:
    browser = world.open_session("links")
    kernel = new_kernel(browser)
    code = (
        "import os; os.rename('/run/enclave/jupyter.sock', '/run/enclave/real.sock');"
        "os.symlink('/var/run/docker.sock', '/run/enclave/jupyter.sock')"
    )
    run_code(browser, kernel, code)
    for _ in range(3):
        seen = [browser.get(target) for target in ("/api", "/api/kernels", "/api/contents")]
    # Connections that were open before still lead to the container; a new one does not lead to Docker.
    assert all(b"ApiVersion" not in one.content and b"containers" not in one.content for one in seen)
    world.control.cut(browser.session, "the test is over")


def test_a_container_that_dies_is_told_in_words(world: World) -> None:
    browser = world.open_session("dies")
    kernel = new_kernel(browser)

    async def watch() -> Any:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            socket = await connect(client, browser, kernel)
            await asyncio.to_thread(EngineRoom(world.settings).remove, browser.container)
            while (message := await asyncio.wait_for(socket.receive(), 90)).type is aiohttp.WSMsgType.BINARY:
                pass
            return message.type

    assert asyncio.run(watch()) in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING)
    answer = browser.get("/api/kernels")
    assert answer.status_code == 502
    assert "container was stopped" in answer.json()["message"]
    world.control.cut(browser.session, "the test is over")


def test_a_cut_closes_websockets_and_is_told(world: World) -> None:
    browser = world.open_session("cut")
    kernel = new_kernel(browser)

    async def watch() -> tuple[Any, Any]:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            socket = await connect(client, browser, kernel)
            assert await asyncio.to_thread(world.control.cut, browser.session, "Your training has run out.")
            while (message := await asyncio.wait_for(socket.receive(), 90)).type is aiohttp.WSMsgType.BINARY:
                pass
            return message.data, message.extra

    assert asyncio.run(watch()) == (CUT, "Your training has run out.")
    answer = browser.get("/lab", headers={"Accept": "text/html"})
    assert answer.status_code == 410
    assert "training has run out" in answer.text


def test_a_restart_of_the_gateway_and_of_the_proxy_keeps_sessions(world: World, browser: Browser) -> None:
    """The gateway takes sessions up from the database; this one is put there as the spawner does."""
    from access_control import clock
    from access_control.database import open_database, writing
    from access_control.models import SessionRecord
    from hub import schema

    kernel = new_kernel(browser)
    run_code(browser, kernel, "x = 41")
    engine = open_database(world.settings.database)
    schema.create_tables(engine)
    socket = next(world.settings.run.glob(f"sessions/{browser.session}")) / "jupyter.sock"
    with writing(engine) as db:
        db.add(SessionRecord(id=browser.session, person_id="ana", project_id=browser.project, tier=0, state="running",
                             container=browser.container, socket=str(socket), mounts=[], started_at=clock.now()))  # fmt: skip
    world.stop("gateway")
    world.start_gateway()
    world.stop("proxy")
    world.start_proxy()

    def is_back() -> bool:
        return browser.get("/api").status_code == 200

    wait_for(is_back, "the session after the restart")
    assert stdout(run_code(browser, kernel, "print(x + 1)")) == "42\n"
    with writing(engine) as db:
        record = db.get(SessionRecord, browser.session)
        assert record is not None
        record.state = "ended"
    engine.dispose()


def test_without_a_lease_nothing_is_served(world: World) -> None:
    browser = world.open_session("lease")
    world.leased.remove(browser.session)

    def is_closed() -> bool:
        return browser.get("/api").status_code == 503

    wait_for(is_closed, "the end of the lease")
    world.control.cut(browser.session, "the test is over")


def test_a_session_that_nobody_knows(world: World) -> None:
    host = f"s-{'0' * 32}.{world.settings.web.host}"
    answer = httpx.get(f"http://127.0.0.1:{world.settings.web.port}/api", headers={"Host": host}, timeout=60)
    assert answer.status_code == 404
