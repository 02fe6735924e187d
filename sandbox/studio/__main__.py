"""`python -m sandbox.studio DIRECTORY`: started by `sandbox.studio.process` alone.

Reads the personas' environments as JSON from its standard input, and closes its standard output when it is ready.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import secrets
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import uvicorn

from sandbox.ask import connected
from sandbox.control import LOCK, STATE
from sandbox.studio.address import host_name
from sandbox.studio.app import application
from sandbox.studio.door import Door
from sandbox.studio.process import FOLDER, NAME

Environments = Mapping[str, Mapping[str, str]]


def _lock(folder: Path) -> None:
    """Takes the folder's lock for this process's life.

    Raises:
        BlockingIOError: Another studio has it.
    """
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _name(folder: Path) -> str:
    """The folder's part of the host names, made at the first start."""
    file = folder / NAME
    if not file.exists():
        file.write_text(secrets.token_hex(4), encoding="ascii")
    return file.read_text(encoding="ascii")


def _listen(folder: Path) -> socket.socket:
    """A socket on loopback: on the port of the last time, so that open pages stay, or any."""
    try:
        last = int(json.loads((folder / STATE).read_bytes())["port"])
    except (OSError, ValueError, KeyError):
        last = 0
    try:
        listening = socket.create_server(("127.0.0.1", last))
    except OSError:
        listening = socket.create_server(("127.0.0.1", 0))
    # Connections inherit it. asyncio sets it only where IPPROTO_TCP is named, and without it the body of each answer
    # waits some 40 ms until the browser has acknowledged the head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


async def _end_with(directory: Path, server: uvicorn.Server) -> None:
    """Ends the server when the sandbox ends, however it does: its control socket then closes our connection."""
    reader, writer = await asyncio.open_unix_connection(sock=connected(directory))
    with suppress(OSError):
        await reader.read()
    writer.close()
    server.should_exit = True


async def _serve(directory: Path, environments: Environments) -> None:
    folder = directory / FOLDER
    listening = _listen(folder)
    port = listening.getsockname()[1]
    name = _name(folder)
    hosts = {f"{host_name(persona, name)}:{port}": persona for persona in environments}
    config = uvicorn.Config(
        Door(application(directory, environments), folder, hosts),
        http="httptools", ws="none", lifespan="off", access_log=False, log_config=None,
        server_header=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    watching = asyncio.create_task(_end_with(directory, server))
    state = {"pid": os.getpid(), "port": port, "started": time.time()}
    (folder / STATE).write_text(json.dumps(state), encoding="ascii")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (sys.stdin, sys.stdout):
        os.dup2(nothing, standard.fileno())  # whoever started this goes on
    await server.serve(sockets=[listening])
    watching.cancel()


def main(argv: list[str]) -> int:
    """Serves the studio of a folder until the sandbox ends."""
    directory = Path(argv[0])
    environments = json.load(sys.stdin)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    os.umask(0o077)
    try:
        _lock(directory / FOLDER)
        with suppress(KeyboardInterrupt):
            asyncio.run(_serve(directory, environments))
    except BlockingIOError:
        print("another studio is starting", file=sys.stderr)
        return 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
