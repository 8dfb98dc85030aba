"""The headers that every answer carries."""

from __future__ import annotations

from hub.gateway import headers

ORIGIN, PORTAL = "http://s-1.enclave.localhost:8000", "http://enclave.localhost:8000"


def directives() -> dict[str, list[str]]:
    policy = headers.content_security_policy(ORIGIN, PORTAL)
    return {part.split()[0]: part.split()[1:] for part in policy.split("; ")}


def test_no_source_of_the_policy_is_a_third_party() -> None:
    allowed = {
        "'self'",
        "'none'",
        "'unsafe-inline'",
        "'unsafe-eval'",
        "data:",
        "blob:",
        "ws://s-1.enclave.localhost:8000",
    }
    for name, sources in directives().items():
        if name not in ("sandbox", "frame-ancestors", "webrtc"):
            assert set(sources) <= allowed, name


def test_the_sandbox_has_no_way_out() -> None:
    assert directives()["sandbox"] == ["allow-scripts", "allow-same-origin", "allow-forms", "allow-modals"]


def test_only_the_portal_frames_a_session_and_forms_go_nowhere() -> None:
    assert directives()["frame-ancestors"] == [PORTAL]
    assert directives()["form-action"] == ["'none'"]
    assert directives()["base-uri"] == ["'none'"]


def test_frames_are_closed_where_script_does_not_run() -> None:
    assert directives()["frame-src"] == ["'none'"]
    assert "frame-src blob:;" in headers.content_security_policy(ORIGIN, PORTAL, frames=True)


def test_script_connects_to_its_own_origin_alone() -> None:
    assert directives()["connect-src"] == ["'self'", "ws://s-1.enclave.localhost:8000"]


def test_the_other_headers() -> None:
    sent = headers.response_headers(ORIGIN, PORTAL, "application/json")
    assert sent["Referrer-Policy"] == "no-referrer"
    assert sent["X-DNS-Prefetch-Control"] == "off"
    assert sent["Connection-Allowlist"] == "(response-origin);webrtc=block"
    assert sent["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in sent
    assert "Strict-Transport-Security" in headers.response_headers("https://s.x", "https://x", "text/html")


def test_the_bare_type() -> None:
    assert headers.bare_type("Application/JSON; charset=x") == "application/json"
    assert headers.bare_type(None) == ""
