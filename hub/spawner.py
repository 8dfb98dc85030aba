"""The spawner: a named server is a project's session, its container has no network, the gateway stands before it."""

from __future__ import annotations

import asyncio
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import httpx
from dockerspawner import DockerSpawner
from sqlalchemy import Engine
from tornado import web

from access_control.database import reading
from access_control.errors import AccessError, NotPermitted, Refused
from access_control.keeper import PolicyKeeper
from access_control.settings import Settings
from hub import session_start
from hub.about import about_text
from hub.container import ABOUT, SOCKET_FOLDER, WORKSPACE, Bind
from hub.engine_room import EngineRoom
from hub.gateway.control import GatewayControl
from hub.session_start import Granted
from hub.workspaces import about_file, remove_session_folder, session_folder, socket_name, workspace

GONE = "The session's container is gone. Start the session again."


class EnclaveSpawner(DockerSpawner):  # type: ignore[misc]  # DockerSpawner has no types
    """DockerSpawner whose containers get no network, no token and no environment of the hub."""

    # Set once by jupyterhub_config.py, for the one hub of this process.
    settings: ClassVar[Settings]
    engine: ClassVar[Engine]
    keeper: ClassVar[PolicyKeeper]
    room: ClassVar[EngineRoom]
    gateway_url: ClassVar[str]  # such as http://127.0.0.1:41003

    # DockerSpawner's own pool has one thread: one slow call would make every start wait.
    _executor = ThreadPoolExecutor(8)

    session_id = ""
    _reason = ""

    def get_env(self) -> dict[str, str]:
        """Nothing: no token and no secret of the hub ever reaches a container."""
        return {}

    def get_args(self) -> list[str]:
        """Nothing of the hub's."""
        return []

    def get_state(self) -> dict[str, Any]:
        """What a hub that was restarted finds its session by."""
        state: dict[str, Any] = super().get_state()
        if self.session_id:
            state["session_id"] = self.session_id
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """The inverse of get_state."""
        super().load_state(state)
        self.session_id = str(state.get("session_id", ""))

    def clear_state(self) -> None:
        """Forgets the session."""
        super().clear_state()
        self.session_id = ""
        self.object_id = ""

    async def start(self) -> str:
        """Starts the session and returns the gateway's address; raises HTTPError with a sentence for the person."""
        person, project = str(self.user.name), str(self.name)
        try:
            if not project:
                raise NotPermitted("A session belongs to a project. Open the project in the portal and start it there.")
            await asyncio.to_thread(self._clear_leftovers, person, project)
            granted = await asyncio.to_thread(
                session_start.grant, self.engine, self.settings, self.keeper, person=person, project=project
            )
        except AccessError as error:
            await asyncio.to_thread(
                session_start.record_refusal, self.engine, person=person, project=project, reason=str(error)
            )
            raise _http_error(error) from error
        self.session_id, self._reason = granted.id, ""
        try:
            await asyncio.to_thread(self._make, granted)
            await self._wait_for_server(granted)
            await asyncio.to_thread(session_start.mark_running, self.engine, granted.id, self.object_id)
        except AccessError as error:
            self._reason = str(error)
            await asyncio.to_thread(self._finish, granted.id, self.object_id)
            raise _http_error(error) from error
        return self.gateway_url

    def _clear_leftovers(self, person: str, project: str) -> None:
        """A session of this person and project that the hub has lost sight of is ended before a new one starts."""
        with reading(self.engine) as db:
            left = [(record.id, record.container) for record in session_start.live_sessions(db, person, project)]
        for session_id, container in left:
            self._reason = "A new session of the same project took its place."
            self._finish(session_id, container)
        self._reason = ""

    def _make(self, granted: Granted) -> None:
        """Makes and starts the container and tells the gateway of it."""
        settings, room = self.settings, self.room
        about = about_file(settings, granted.id)
        about.write_text(
            about_text(granted.person, granted.project, granted.mounts, granted.refusals, granted.problems)
        )
        about.chmod(0o644)
        folder = session_folder(settings, granted.id)
        binds = [
            Bind(str(workspace(settings, granted.project, granted.person)), WORKSPACE, read_only=False),
            Bind(str(folder), SOCKET_FOLDER, read_only=False),
            Bind(str(about), ABOUT),
            *(Bind(mount.source, mount.target) for mount in granted.mounts),
        ]
        self.object_id = room.create(
            session_id=granted.id,
            person=granted.person,
            project=granted.project,
            terminals=settings.tiers[granted.tier].terminals,
            pixels=settings.tiers[granted.tier].pixels_only,
            binds=binds,
        )
        session_start.mark_container(self.engine, granted.id, self.object_id)
        room.start(self.object_id)
        self._register(granted.id, granted.person, granted.project, granted.tier)

    def _register(self, session_id: str, person: str, project: str, tier: int) -> None:
        settings = self.settings
        self._gateway.register(
            session_id,
            person=person,
            project=project,
            tier=tier,
            socket=settings.run / "sessions" / session_id / socket_name(settings, tier),
            uid=settings.session.uid,
        )

    async def _wait_for_server(self, granted: Granted) -> None:
        """Waits until the gateway gets an answer; a container that died is noticed at once, with how it died.

        The hub's own probe backs off to seconds between two tries, so what can be waited for is waited for here.
        """
        deadline = time.monotonic() + self.settings.session.start_timeout_seconds
        socket = self.settings.run / "sessions" / granted.id / socket_name(self.settings, granted.tier)
        probe = f"{self.gateway_url}/user/{granted.person}/{granted.project}/api"
        next_look = time.monotonic() + 0.3
        async with httpx.AsyncClient(timeout=5) as client:
            while time.monotonic() < deadline:
                if _is_socket(socket) and await _answers(client, probe):
                    return
                if time.monotonic() >= next_look:
                    next_look = time.monotonic() + 0.3
                    seen = await asyncio.to_thread(self.room.look, self.object_id)
                    if seen is None:
                        raise Refused(GONE)
                    if not seen.running:
                        self.log.error(
                            "%s ended: %s", granted.id, await asyncio.to_thread(self.room.last_words, seen.id)
                        )
                        raise Refused(seen.ending)
                await asyncio.sleep(0.03)
        raise Refused(
            f"The session did not answer within {self.settings.session.start_timeout_seconds} seconds and was ended."
            " The machine may be overloaded: try again in a minute."
        )

    async def stop(self, now: bool = False) -> None:
        """Cuts the session at the gateway, removes the container by force, closes the record."""
        await asyncio.to_thread(self._finish, self.session_id, self.object_id)
        self.clear_state()

    async def poll(self) -> str | int | None:
        """None while the container runs, and while Docker does not say: a silent Engine has not ended a session."""
        if not self.object_id:
            return 0
        try:
            seen = await asyncio.to_thread(self.room.look, self.object_id)
        except AccessError as error:
            self.log.warning("cannot see whether %s runs: %s", self._log_name, error)
            return None
        if seen is None:
            self._reason = self._reason or GONE
            return 0
        if not seen.running:
            self._reason = self._reason or seen.ending
            return f"ExitCode={seen.exit_code}, OutOfMemory={seen.out_of_memory}"
        return None

    async def run_post_stop_hook(self) -> Any:
        """The hub calls this after every end, of a container that died by itself too: nothing of it may stay."""
        if self.session_id:
            await asyncio.to_thread(self._finish, self.session_id, self.object_id)
        return super().run_post_stop_hook()

    def _finish(self, session_id: str, container: str) -> None:
        """Ends a session everywhere: gateway, container, record, folder. Harmless when it is ended already."""
        if not session_id:
            return
        reason = self._reason or "The session was stopped."
        try:
            self._gateway.cut(session_id, reason)
        except AccessError as error:
            # Without the gateway nobody can reach the container, and it is removed below.
            self.log.warning("the gateway was not told that %s ended: %s", session_id, error)
        if container:
            self.room.remove(container)
        session_start.mark_ended(self.engine, session_id, reason)
        remove_session_folder(self.settings, session_id)

    @property
    def _gateway(self) -> GatewayControl:
        return GatewayControl(self.settings.run / "gateway.sock")


def refuse_options(spawner: Any, options: Any) -> None:
    """For `apply_user_options`: a session takes no options, whoever sends some through the API."""
    if options:
        # The hub has kept them already, and would take them again for the next start.
        spawner.user_options = {}
        spawner.orm_spawner.user_options = {}
        spawner.db.commit()
        named = sorted(map(str, options))[:5] if isinstance(options, dict | list) else [str(options)[:60]]
        raise web.HTTPError(400, f"A session takes no options; {named} cannot be set. Leave them out.")
    if not spawner.name:
        raise web.HTTPError(400, "A session belongs to a project. Open the project in the portal and start it there.")


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.lstat().st_mode)
    except OSError:
        return False


async def _answers(client: httpx.AsyncClient, probe: str) -> bool:
    try:
        answer = await client.get(probe)
    except httpx.HTTPError:
        return False
    return answer.status_code < 500


def _http_error(error: AccessError) -> web.HTTPError:
    """The page or API answer for a session that does not start; `jupyterhub_message` is what the person reads."""
    # Tornado formats a message that has arguments: the sentence goes in as one, so that a % in it stays a %.
    failure = web.HTTPError(403 if isinstance(error, NotPermitted) else 503, "%s", str(error))
    vars(failure)["jupyterhub_message"] = str(error)
    return failure
