"""Docker Engine as the spawner uses it: make, start, look, remove; and sentences for when it does not answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.utils import kwargs_from_env

from access_control.errors import Refused
from access_control.settings import Settings
from hub.container import ROOT_LABEL, SESSION_LABEL, Bind, create_arguments, host_config, root_label

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Seen:
    """A container as it is: running, or how it ended."""

    id: str
    running: bool
    exit_code: int
    out_of_memory: bool
    session: str = ""

    @property
    def ending(self) -> str:
        """How it ended, for the person whose session it was."""
        if self.out_of_memory:
            return (
                "The session used more memory than it may have and was ended."
                " Work on less data at once, then start it again."
            )
        return (
            f"The session's server ended by itself (code {self.exit_code})."
            " Start it again; if it ends again, tell an administrator."
        )


class EngineRoom:
    """One client of Docker Engine a process; every call raises Refused with a sentence when the Engine fails."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._local = threading.local()
        self._version = "auto"

    @property
    def _api(self) -> Any:
        # A client holds one pool of connections and is not meant for several threads at once.
        if not hasattr(self._local, "api"):
            self._local.api = _asking(
                lambda: docker.APIClient(version=self._version, timeout=TIMEOUT_SECONDS, **kwargs_from_env())
            )
            self._version = str(self._local.api.api_version)  # asked once a process, not once a thread
        return self._local.api

    def create(
        self,
        *,
        session_id: str,
        person: str,
        project: str,
        terminals: bool,
        binds: list[Bind],
        pixels: bool = False,
    ) -> str:
        """Makes the container of a session, not yet started; returns its id."""
        settings = self._settings
        arguments = create_arguments(
            settings, session_id=session_id, person=person, project=project, terminals=terminals, pixels=pixels
        )
        arguments["host_config"] = self._api.create_host_config(**host_config(settings.session, binds))
        try:
            return str(_asking(lambda: self._api.create_container(**arguments))["Id"])
        except ImageNotFound as error:
            raise Refused(
                f"The session image {arguments['image']} is not on this machine. An administrator builds it:"
                f" {'make pixels' if pixels else 'python -m hub.setup.images'}"
            ) from error

    def start(self, container: str) -> None:
        """Starts a container that was made."""
        _asking(lambda: self._api.start(container))

    def look(self, container: str) -> Seen | None:
        """How the container is; None when there is none. Raises Refused when the Engine does not say."""
        try:
            found = _asking(lambda: self._api.inspect_container(container))
        except NotFound:
            return None
        state = found["State"]
        return Seen(
            id=found["Id"],
            running=bool(state["Running"]),
            exit_code=int(state["ExitCode"]),
            out_of_memory=bool(state["OOMKilled"]),
            session=found["Config"]["Labels"].get(SESSION_LABEL, ""),
        )

    def last_words(self, container: str) -> str:
        """The last lines that the container printed, for the log."""
        try:
            printed = _asking(lambda: self._api.logs(container, tail=20))
        except (NotFound, Refused):
            return ""
        return bytes(printed).decode("utf-8", "replace")

    def connect(self) -> None:
        """Makes this thread's connection to the Engine ahead of its use."""
        _asking(self._api.ping)

    def remove(self, container: str) -> None:
        """Ends and removes a container, at once; one that is not there is no error."""
        try:
            _asking(lambda: self._api.remove_container(container, force=True, v=True))
        except NotFound:
            return
        except APIError as error:
            if error.status_code == 409:  # another is removing it already
                return
            raise Refused(
                f"Docker Engine did not remove the container {container[:12]}: {error.explanation}"
            ) from error

    def out_of_memory(self) -> Iterator[str]:
        """The session in which a program was ended for want of memory, each time one is; ends when the Engine does."""
        label = f"{ROOT_LABEL}={root_label(self._settings.data_root)}"
        told = _asking(lambda: self._api.events(decode=True, filters={"event": "oom", "label": label}))
        for event in told:
            yield str(event["Actor"]["Attributes"].get(SESSION_LABEL, ""))

    def ours(self) -> dict[str, str]:
        """Every container of this enclave, running or not: container's id -> session's id."""
        label = f"{ROOT_LABEL}={root_label(self._settings.data_root)}"
        found = _asking(lambda: self._api.containers(all=True, filters={"label": label}))
        return {str(one["Id"]): str(one["Labels"].get(SESSION_LABEL, "")) for one in found}


def _asking(call: Any) -> Any:
    """Makes a call of the Engine; NotFound goes through, anything else becomes a sentence."""
    try:
        return call()
    except NotFound:
        raise
    except APIError as error:
        if error.status_code == 409:
            raise
        raise Refused(
            f"Docker Engine refused: {error.explanation or error}. An administrator has to look: enclave doctor"
        ) from error
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        raise Refused(
            "Docker Engine does not answer, so no session can start or stop."
            " An administrator has to look: enclave doctor"
        ) from error
