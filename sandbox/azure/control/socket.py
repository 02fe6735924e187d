"""The control socket: `control.sock` in the sandbox's folder, which only its owner can open."""

import asyncio
import os
import socket
from contextlib import chdir
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from sandbox.ask import SOCKET


def listen(directory: Path) -> socket.socket:
    """The socket, bound; one that a killed sandbox left is replaced.

    Args:
        directory: The sandbox's folder, whose lock the caller holds.

    Raises:
        OSError: It cannot be made.
    """
    (directory / SOCKET).unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)  # the socket has its mode from the beginning
    try:
        with chdir(directory):  # a socket's path holds some 100 characters, the folder's may have more
            made.bind(SOCKET)
        made.listen()
    except OSError:
        made.close()
        raise
    finally:
        os.umask(mask)
    return made


async def serve(listening: socket.socket, app: Starlette) -> asyncio.Server:
    """Serves the socket with an application."""
    config = uvicorn.Config(app, http="httptools", ws="none", lifespan="off", access_log=False, log_config=None)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    return await loop.create_unix_server(lambda: HttpToolsProtocol(config, state, {}), sock=listening)


def remove(directory: Path) -> None:
    """Removes the socket as the sandbox ends."""
    (directory / SOCKET).unlink(missing_ok=True)
