"""The gateway before honest and hostile servers: what comes through, and what never does."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.unit.hub.gateway.gateway_rig import SESSION, Answer, answering, json_answer

Rig = Callable[..., Any]
VERSION = json_answer(b'{"version": "2.21"}')
PORTAL = "http://enclave.localhost:8000/services/portal/sessions/p17"


def run(rig: Rig, serve: Any, asks: Callable[[Any], Any], **more: Any) -> Any:
    async def inside() -> Any:
        async with rig(serve, **more) as made:
            return await asks(made)

    return asyncio.run(inside())


def ask(rig: Rig, serve: Any, method: str, target: str, **more: Any) -> Answer:
    tier = more.pop("tier", 0)
    return run(rig, serve, lambda made: made.ask(method, target, **more), tier=tier)


def test_json_of_the_container_comes_through_under_our_headers(rig: Rig) -> None:
    raw = json_answer(
        b'{"version": "2.21"}',
        "Set-Cookie: a=b",
        "Access-Control-Allow-Origin: *",
        "Content-Disposition: attachment; filename=x",
        "Content-Security-Policy: default-src *",
        "Link: <https://evil.example>; rel=preconnect",
        "Refresh: 0; url=https://evil.example",
        'Clear-Site-Data: "*"',
        "Location: https://evil.example",
        "Service-Worker-Allowed: /",
        "X-Frame-Options: ALLOWALL",
        'Reporting-Endpoints: a="https://evil.example"',
        "SourceMap: https://evil.example/x.map",
    )  # fmt: skip
    answer = ask(rig, answering(raw), "GET", "/api")
    assert (answer.status, answer.body) == (200, b'{"version": "2.21"}')
    assert "evil" not in str(answer.headers)
    names = {name.lower() for name in answer.headers}
    assert not names & {"set-cookie", "content-disposition", "link", "refresh", "clear-site-data", "location",
                        "access-control-allow-origin", "service-worker-allowed", "sourcemap", "reporting-endpoints"}  # fmt: skip
    assert "sandbox allow-scripts" in answer.headers["Content-Security-Policy"]
    assert "allow-downloads" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


HOSTILE = {
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "compressed": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s"
    % (len(gzip.compress(b"0" * 10_000_000)), gzip.compress(b"0" * 10_000_000)),
    "line without end": b"HTTP/1.1 200 " + b"x" * 200_000,
    "header without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
    "a thousand headers": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % i for i in range(1000)) + b"\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: -5\r\n\r\n{}",
    "bad chunk": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n",
    "not http": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "protocol upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nhello",
    "status 999": b"HTTP/1.1 999 Odd\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "nothing": b"",
    "hints without end": b"HTTP/1.1 103 Early Hints\r\nLink: <https://evil.example/>; rel=preload\r\n\r\n" * 10_000,
    "too long a body": json_answer(b"1" * (9 * 1024 * 1024)),
    "body cut short": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{}",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_becomes_words_of_ours(rig: Rig, name: str) -> None:
    answer = ask(rig, answering(HOSTILE[name]), "GET", "/api/kernels")
    assert answer.status in (502, 503), answer
    assert "message" in json.loads(answer.body)
    assert b"evil" not in answer.body
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_few_answers_may_come_before_the_answer_and_are_not_passed_on(rig: Rig) -> None:
    raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <https://evil.example/>\r\n\r\n" + VERSION
    answer = ask(rig, answering(raw), "GET", "/api")
    assert answer.body == b'{"version": "2.21"}'
    assert "evil" not in str(answer.headers)


def test_html_of_the_container_is_never_passed_on(rig: Rig) -> None:
    raw = b"HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 25\r\n\r\n<script>alert(1)</script>"
    answer = ask(rig, answering(raw), "GET", "/api/kernels")
    assert answer.status == 500
    assert b"<script>" not in answer.body
    assert answer.headers["Content-Type"] == "application/json"


def test_an_answer_that_hides_a_second_one_does_not_reach_the_next_request(rig: Rig) -> None:
    smuggled = VERSION + json_answer(b'"smuggled"')

    async def asks(made: Any) -> list[bytes]:
        return [(await made.get("/api")).body for _ in range(4)]

    assert b'"smuggled"' not in run(rig, answering(smuggled, close=False), asks)


def test_endless_bodies_end(rig: Rig) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
                await writer.drain()
        except ConnectionError:
            writer.close()

    answer = ask(rig, endless, "GET", "/api/kernels")
    assert answer.status == 502


def test_a_dead_container_is_told_in_words(rig: Rig) -> None:
    async def asks(made: Any) -> tuple[Answer, Answer]:
        return await made.get("/api/kernels"), await made.get("/enclave/status")

    answer, status = run(rig, None, asks)
    assert answer.status == 502
    assert "ended by itself" in answer.text
    assert status.status == 502


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/files/data.csv"), ("GET", "/nbconvert/html/a.ipynb"), ("GET", "/view/a.html"), ("GET", "/api/contents/a?download=1"),
        ("GET", "/metrics"), ("POST", "/api/shutdown"), ("GET", "/proxy/8888/"), ("GET", "/api/contents/a/checkpoints/x"),
        ("GET", "/lsp/status"), ("GET", "/api/nbconvert"), ("GET", "/custom/custom.css"), ("GET", "/login"), ("GET", "/logout"),
        ("GET", "/api/spec.yaml"), ("GET", "/api/config/notebook"), ("PUT", "/api/kernels"), ("OPTIONS", "/api"), ("TRACE", "/api"),
        ("GET", "/api/contents/%2e%2e/%2e%2e/etc/passwd"), ("GET", "/api/contents/a%2fb"), ("GET", "/lab/../files/x"),
        ("GET", "//files/x"), ("GET", "/api/contents/a%00.txt"), ("GET", "/api/contents/a%5cb"), ("GET", "/api//kernels"),
        ("GET", "/hub/api"), ("GET", "/user/ana/p17/api"), ("GET", "/services/portal/"), ("GET", "/static/lab/../../manifest.json"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_table_is_refused(rig: Rig, method: str, target: str) -> None:
    asked: list[bytes] = []

    async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1))
        writer.close()

    answer = ask(rig, watch, method, target)
    assert answer.status in (403, 404, 405)
    assert asked == [], "the container was asked"


def test_a_refused_download_says_where_the_release_queue_is(rig: Rig) -> None:
    async def asks(made: Any) -> Answer:
        headers = made.headers(Accept="text/html")
        return await made.get("/files/results.csv", headers=headers)

    answer = run(rig, None, asks)
    assert "release queue" in answer.text
    assert PORTAL in answer.text


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Cookie": ""}, 403),
        ({"Cookie": "enclave=1.2"}, 403),
        ({"Cookie": "enclave=99999999999.aa"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://enclave.localhost:8000"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Service-Worker": "script"}, 403),
        ({"Sec-Fetch-Dest": "object"}, 403),
        ({"Host": f"s-{'f' * 32}.enclave.localhost:8000"}, 404),
        ({"Host": "enclave.localhost"}, 404),
        ({"Host": f"s-{SESSION}.evil.example"}, 404),
    ],
)
def test_who_is_not_the_sessions_page_gets_nothing(rig: Rig, change: dict[str, str], status: int) -> None:
    async def asks(made: Any) -> Answer:
        return await made.get("/api", headers=made.headers() | change)

    assert run(rig, answering(VERSION), asks).status == status


def test_a_cookie_is_good_for_its_session_and_person_alone(rig: Rig) -> None:
    async def asks(made: Any) -> list[int]:
        found = []
        for person in ("ana", "bob"):
            made.session.person = person
            headers = made.headers()
            made.session.person = "ana"
            found.append((await made.get("/api", headers=headers)).status)
        return found

    assert run(rig, answering(VERSION), asks) == [200, 403]


def test_a_page_outside_of_the_portals_frame_is_sent_there(rig: Rig) -> None:
    async def asks(made: Any) -> Answer:
        return await made.get("/lab", headers=made.headers(Sec_Fetch_Dest="document", Sec_Fetch_Site="none"))

    answer = run(rig, None, asks)
    assert (answer.status, answer.headers["Location"]) == (303, PORTAL)


def test_whatever_changes_something_names_its_origin(rig: Rig) -> None:
    async def asks(made: Any) -> Answer:
        headers = made.headers()
        del headers["Origin"]
        return await made.ask("POST", "/api/kernels", headers=headers, data=b"{}")

    assert run(rig, answering(VERSION), asks).status == 403


def test_a_ticket_lets_in_once(rig: Rig, ticket: Callable[..., str]) -> None:
    async def asks(made: Any) -> list[Answer]:
        host = {"Host": made.headers()["Host"]}
        told = ticket()
        targets = [told, told, ticket(person="bob"), ticket(session="a" * 32), ticket(key=b"x" * 64), "", "a.b.c.d.e"]
        return [await made.get(f"/enter?ticket={one}", headers=host) for one in targets]

    answers = run(rig, None, asks)
    assert [answer.status for answer in answers] == [303, 403, 403, 403, 403, 403, 403]
    cookie = answers[0].headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    assert all("Set-Cookie" not in answer.headers for answer in answers[1:])


def test_nothing_is_served_without_a_fresh_lease(rig: Rig) -> None:
    async def asks(made: Any) -> int:
        made.gateway.registry.renew([SESSION], 0)
        return (await made.get("/api")).status

    assert run(rig, answering(VERSION), asks) == 503


def test_a_cut_session_is_told_its_reason(rig: Rig) -> None:
    async def asks(made: Any) -> Answer:
        made.gateway.registry.cut(SESSION, "Your agreement AGR-0001 was withdrawn.")
        return await made.get("/enclave/status")

    answer = run(rig, answering(VERSION), asks)
    assert answer.status == 410
    assert "AGR-0001 was withdrawn" in answer.text


def test_the_hubs_probe_sees_the_server_come_up(rig: Rig, tmp_path: Path) -> None:
    async def asks(made: Any) -> list[int]:
        hub = {"Host": f"127.0.0.1:{made.port}"}
        before = await made.get("/user/ana/p17/api", headers=hub)
        server = await asyncio.start_unix_server(answering(VERSION), str(tmp_path / "s.sock"))
        after = await made.get("/user/ana/p17/api", headers=hub)
        other = await made.get("/user/bob/p17/api", headers=hub)
        page = await made.get("/user/ana/p17/lab", headers=hub)
        server.close()
        assert page.headers["Location"] == PORTAL
        return [before.status, after.status, other.status, page.status]

    assert run(rig, None, asks) == [503, 200, 503, 302]


def test_the_trusted_copy_is_served_compressed_and_cached(rig: Rig) -> None:
    asked: list[bytes] = []

    async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1))
        writer.close()

    async def asks(made: Any) -> tuple[Answer, Answer, Answer]:
        main = "/static/lab/main.0123456789abcdef.js"
        packed = await made.get(main, headers=made.headers(Accept_Encoding="gzip, zstd"))
        return packed, await made.get(main, headers=made.headers(Accept_Encoding="identity")), await made.get("/lab")

    packed, plain, page = run(rig, watch, asks)
    assert packed.headers["Content-Encoding"] == "zstd"
    assert "immutable" in packed.headers["Cache-Control"]
    assert plain.body.startswith(b"console.log")
    assert page.status == 200
    assert b"main.0123456789abcdef.js" in page.body
    assert asked == [], "the container was asked for JupyterLab's own files"


def test_menu_entries_that_would_only_fail_are_off_in_the_page(rig: Rig) -> None:
    page = run(rig, None, lambda made: made.get("/lab", headers=made.headers())).text
    for plugin in ("docmanager-extension:download", "notebook-extension:export", "apputils-extension:print"):
        assert plugin in page


def test_contents_by_kind(rig: Rig) -> None:
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode())
        writer.write(json_answer(b'{"type": "file", "format": "text", "content": "x"}'))
        await writer.drain()
        writer.close()

    async def asks(made: Any) -> list[int]:
        targets = ["a.py?type=file&format=text", "d.parquet?type=file&format=base64", "a.txt?format=base64", "p.png?type=file&format=base64",
                   "x?type=weird", "a.py?type=file&type=notebook"]  # fmt: skip
        return [(await made.get(f"/api/contents/{one}")).status for one in targets]

    assert run(rig, serve, asks) == [200, 403, 403, 200, 403, 403]
    assert asked == [
        "/api/contents/a.py?content=1&type=file&format=text",
        "/api/contents/p.png?content=1&type=file&format=base64",
    ]


@pytest.mark.parametrize("size", [1000, 3_000_000])
def test_a_binary_file_that_an_honest_server_sends_unasked_is_held_back(rig: Rig, size: int) -> None:
    body = b'{"name": "x.py", "content": "%s", "format": "base64", "type": "file"}' % (b"A" * size)

    async def asks(made: Any) -> bytes:
        try:
            return (await made.get("/api/contents/n.ipynb?type=notebook")).body
        except aiohttp.ClientError:
            return b""

    got = run(rig, answering(json_answer(body)), asks)
    assert b'"base64"' not in got


def test_a_large_notebook_comes_through_whole(rig: Rig) -> None:
    body = b'{"type": "notebook", "content": {"cells": [], "x": "%s"}, "format": "json"}' % (b"y" * 5_000_000)
    answer = ask(rig, answering(json_answer(body)), "GET", "/api/contents/n.ipynb?type=notebook")
    assert answer.body == body


def test_bodies_from_the_browser_are_bounded(rig: Rig) -> None:
    answer = ask(rig, answering(VERSION), "POST", "/api/kernels", data=b"x" * 100_000)
    assert answer.status == 413


SCRIPT = {
    "cells": [
        {
            "cell_type": "code",
            "source": "x",
            "outputs": [
                {
                    "output_type": "display_data",
                    "data": {"text/html": "<script>fetch('/')</script><b>hi</b>", "application/javascript": "alert(1)"},
                    "metadata": {},
                }
            ],
        }
    ],
    "metadata": {"widgets": {"a": 1}},
}


@pytest.mark.parametrize(("tier", "there"), [(0, True), (2, False), (4, False)])
def test_printed_script_in_a_notebook_by_tier(rig: Rig, tier: int, there: bool) -> None:
    body = json.dumps({"type": "notebook", "format": "json", "content": SCRIPT}).encode()
    answer = ask(rig, answering(json_answer(body)), "GET", "/api/contents/n.ipynb?type=notebook", tier=tier)
    assert ("<script" in answer.text) is there
    assert ("application/javascript" in answer.text) is there
    assert "<b>hi</b>" in answer.text


def test_terminals_by_tier(rig: Rig) -> None:
    raw = json_answer(b"[]")
    assert ask(rig, answering(raw), "GET", "/api/terminals", tier=0).status == 200
    assert ask(rig, answering(raw), "GET", "/api/terminals", tier=3).status == 403


def small(**more: Any) -> dict[str, Any]:
    tier = {"bytes_per_minute": 60_000, "burst_bytes": 10_000, "bytes_per_day": 1_000_000} | more
    return {"tiers": {number: tier for number in range(5)}}


def test_a_passed_budget_slows_then_pauses_and_a_steward_lets_it_go_on(rig: Rig) -> None:
    async def asks(made: Any) -> tuple[list[int], int]:
        found = [(await made.get("/api/kernels")).status for _ in range(6)]
        made.gateway.budgets.go_on(made.session)
        return found, (await made.get("/api/kernels")).status

    found, after = run(rig, answering(json_answer(b"[%s]" % (b"1" * 3000))), asks, settings=small())
    assert found[0] == 200
    assert found[-1] == 429
    assert after == 200


def test_the_days_bytes_pause(rig: Rig) -> None:
    async def asks(made: Any) -> tuple[list[int], list[tuple[str, str]]]:
        return [(await made.get("/api/kernels")).status for _ in range(5)], made.levels

    body = json_answer(b"[%s]" % (b"1" * 1000))
    found, levels = run(rig, answering(body), asks, settings=small(bytes_per_day=3300, burst_bytes=100_000))
    assert found == [200, 200, 200, 429, 429]
    assert levels[-1] == (SESSION, "paused")


@pytest.mark.parametrize("piece", [1, 700, 5000])
def test_a_large_notebook_in_small_pieces_comes_through_whole(rig: Rig, piece: int) -> None:
    size = 300_000 if piece == 1 else 1_000_000
    body = b'{"type": "notebook", "content": {"cells": [], "x": "%s"}, "format": "json"}' % (b"y" * size)

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(body), piece):
            part = body[start : start + piece]
            writer.write(b"%x\r\n%s\r\n" % (len(part), part))
            if start % (piece * 50) == 0:
                await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        writer.close()

    answer = ask(rig, slowly, "GET", "/api/contents/n.ipynb?type=notebook")
    assert answer.body == body


def test_a_budget_passed_in_the_middle_of_a_file_ends_it_there(rig: Rig) -> None:
    body = b'{"type": "notebook", "content": {"cells": [], "x": "%s"}, "format": "json"}' % (b"y" * 5_000_000)

    async def asks(made: Any) -> bytes:
        return bytes((await made.get("/api/contents/n.ipynb?type=notebook")).body)

    got = run(rig, answering(json_answer(body)), asks, settings=small(bytes_per_day=1_000_000, burst_bytes=50_000_000))
    assert len(got) < 1_500_000
    assert b"Not whole. This session has passed" in got
    with pytest.raises(ValueError, match="control character"):
        json.loads(got)


@pytest.mark.parametrize("tier", [0, 2, 3])
def test_what_runs_script_of_files_and_outputs_is_switched_off_where_none_is_shown(rig: Rig, tier: int) -> None:
    page = ask(rig, None, "GET", "/lab", tier=tier).text
    for name in ("@jupyterlab/vega5-extension", "@jupyterlab/javascript-extension"):
        assert (name in page) is (tier > 1)
    assert "@jupyterlab/htmlviewer-extension" in page
