"""Requests to the control socket of a running sandbox, which only its owner can open."""

import http.client
import json
import socket
import threading
from contextlib import chdir
from pathlib import Path
from typing import Any

from sandbox.control import SandboxError, require

SOCKET = "control.sock"
STUDIO = "sandbox-studio"
"""The `User-Agent` of the studio's requests to the local Azure."""
_folder = threading.Lock()


class NotPossibleError(SandboxError):
    """The sandbox answers, and refuses the request; the message says why."""


class _Connection(http.client.HTTPConnection):
    """HTTP through the socket of a folder."""

    def __init__(self, directory: Path) -> None:
        super().__init__("sandbox")
        self._directory = directory

    def connect(self) -> None:
        self.sock = connected(self._directory)


def connected(directory: Path) -> socket.socket:
    """A connection to the socket of a folder.

    Raises:
        OSError: No sandbox serves it.
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # a socket's path holds some 100 characters, the folder's may have more; the current folder is all threads'
        with _folder, chdir(directory):
            made.connect(SOCKET)
    except OSError:
        made.close()
        raise
    return made


def ask(directory: Path, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the running sandbox answers; `sandbox.azure.control.app` lists the requests.

    Args:
        directory: The sandbox's folder.
        method: `GET` or `POST`.
        path: Such as `/clock`.
        body: What is sent as JSON.

    Raises:
        SandboxError: No sandbox runs there, or it does not answer.
        NotPossibleError: It refuses.
    """
    running = require(directory)
    connection = _Connection(directory)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SandboxError(
            f"the sandbox (process {running.pid}) does not answer on {directory / SOCKET}: {error}; "
            "`python -m sandbox stop` and start it again"
        ) from error
    finally:
        connection.close()
    if "error" in told:
        raise NotPossibleError(str(told["error"]))
    return told
