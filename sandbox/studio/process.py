"""The studio's process as commands see it: started when it is first asked for, and found again by its folder's lock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.control import SandboxError, client_variables, find
from sandbox.studio import tickets
from sandbox.studio.address import SIGN_IN, host_name

FOLDER, NAME, OPENER, LOG = "studio", "name", "open.html", "log.txt"
PERSONA = "persona"
HEAP = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}
"""Variables of glibc's allocator: gnu.org/software/libc/manual/html_node/Memory-Allocation-Tunables.html."""
OWN_BROWSER = "SANDBOX_BROWSER"
"""The variable that keeps the user's own BROWSER."""


@dataclass(frozen=True)
class Studio:
    """A studio that runs.

    Attributes:
        folder: Its folder.
        port: Where it listens on 127.0.0.1.
        name: What its host names have after the persona; hard to guess.
    """

    folder: Path
    port: int
    name: str

    def address(self, persona: str, target: str) -> str:
        """An address that opens the studio once.

        Args:
            persona: Whose pages.
            target: The path to show, with its query.
        """
        token = tickets.make(self.folder, persona, target)
        _write(self.folder / PERSONA, persona)
        return f"{self.origin(persona)}{SIGN_IN}?token={token}"

    def last(self) -> str:
        """The persona whose pages were opened last."""
        return (self.folder / PERSONA).read_text(encoding="ascii")

    def origin(self, persona: str) -> str:
        """Scheme, host and port of a persona's pages."""
        return f"http://{host_name(persona, self.name)}:{self.port}"


def running(directory: Path) -> Studio | None:
    """The studio of a sandbox's folder, if one runs."""
    folder = directory / FOLDER
    found = find(folder)
    return Studio(folder, found.port, (folder / NAME).read_text(encoding="ascii")) if found else None


def start(directory: Path, environments: Mapping[str, Mapping[str, str]]) -> Studio:
    """The studio of a running sandbox, started if none runs.

    Args:
        directory: The sandbox's folder.
        environments: What `python -m sandbox env` exports, by persona.

    Raises:
        SandboxError: It cannot start.
    """
    found = running(directory)
    if found is not None:
        return found
    folder = directory / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    told = _launch(directory, folder, environments)
    found = running(directory)
    if found is None:
        raise SandboxError(f"the studio cannot start: {told.strip() or 'it ended'}; {folder / LOG} has the reason")
    return found


def _launch(directory: Path, folder: Path, environments: Mapping[str, Mapping[str, str]]) -> str:
    """Starts the process in a session of its own, and waits until it serves or ends; gives what it tells."""
    client = client_variables(directory)
    with os.fdopen(os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        process = subprocess.Popen(  # noqa: S603 # our own module
            [sys.executable, "-m", "sandbox.studio", str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            cwd=Path(__file__).parent.parent.parent,
            # What a large page took is given back: threads share a heap, whose free end goes to the system.
            env={name: value for name, value in os.environ.items() if name not in client} | HEAP,
            text=True,
        )
    with process.stdin as given, process.stdout as told:  # type: ignore[union-attr]
        given.write(json.dumps(environments))
        given.close()
        return told.read()  # the other end is closed when the process is ready


def open_browser(folder: Path, address: str) -> bool:
    """Opens an address in the user's browser; tells whether there is one.

    The browser gets a file that leads there: other users can read a process's arguments, and so the token.
    """
    file = folder / OPENER
    _write(file, f'<!doctype html><meta http-equiv="refresh" content="0;url={address}"><a href="{address}">Studio</a>')
    own = os.environ.pop(OWN_BROWSER, "")
    os.environ.pop("BROWSER", None)  # `python -m sandbox env` sets it to this very command
    if own:
        os.environ["BROWSER"] = own
    return webbrowser.open(file.as_uri())


def _write(file: Path, text: str) -> None:
    """Writes a file that only its owner can read."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
        opened.write(text)
