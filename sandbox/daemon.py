"""The background process: opens the sandbox's folder, serves the gateway, ends on SIGTERM.

One process a folder, by a lock (see `sandbox.control`).
"""

import asyncio
import errno
import fcntl
import gc
import json
import logging
import os
import re
import resource
import signal
import socket
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import trustme
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.azure import services
from sandbox.azure.activity import Recorder
from sandbox.azure.cloud import Cloud, open_cloud
from sandbox.azure.control import app as requests
from sandbox.azure.control import socket as sockets
from sandbox.azure.faults import Faults
from sandbox.azure.front.gateway import Gateway
from sandbox.azure.ml import Runner
from sandbox.azure.privatelink import NetworkError, find_network
from sandbox.control import LOCK, STATE
from sandbox.environment import CA, connection
from sandbox.studio.address import STUDIO_HOST
from sandbox.studio.redirect import redirect
from terminal import write_whole

CA_KEY = "ca.key"
STUDIO = re.compile(re.escape(STUDIO_HOST))


class StartError(Exception):
    """The sandbox cannot start; the message says why and what to do."""


class AlreadyRunningError(StartError):
    """Another process serves this folder."""


def take_lock(directory: Path) -> int:
    """The folder's lock, as a file descriptor that holds it until it is closed.

    Raises:
        AlreadyRunningError: Another process holds it.
        OSError: The folder cannot be written.
    """
    handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise AlreadyRunningError(f"a sandbox is already running in {directory}") from error
    return handle


def _authority(directory: Path) -> trustme.CA:
    """The folder's certificate authority, made at the first start."""
    certificate, key = directory / CA, directory / CA_KEY
    if not (certificate.exists() and key.exists()):
        made = trustme.CA(organization_name="azureml-platform sandbox")
        write_whole(key, made.private_key_pem.bytes(), private=True)
        write_whole(certificate, made.cert_pem.bytes(), private=True)
    return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())


class Daemon:
    """Serves one folder.

    Args:
        directory: The sandbox's folder, which exists.
        ports: Where to listen on loopback: the first that is free; 0 takes any.
    """

    def __init__(self, directory: Path, ports: Sequence[int]) -> None:
        self._directory, self._ports, self._port = directory, ports, 0
        self._started = time.time()

    async def run(self, ready: "Ready") -> None:
        """Serves until SIGTERM or SIGINT.

        Raises:
            StartError: The sandbox cannot start; the message has the reason.
            OSError, sqlite3.Error: The folder cannot be written.
        """
        lock = take_lock(self._directory)
        state = self._directory / STATE
        state.unlink(missing_ok=True)
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        listening = _listen(self._ports)
        self._port = listening.getsockname()[1]
        cloud = open_cloud(self._directory, connection(self._directory, self._port))
        faults, recorder = Faults(cloud.directory, cloud.store), Recorder()
        gateway = Gateway(
            _authority(self._directory),
            [*services.hosts(cloud, faults, recorder), (STUDIO, redirect(self._directory))],
            self._local(cloud),
            partial(find_network, cloud.store),
            recorder.not_emulated,
        )
        runner = Runner(cloud, faults.preempts)
        timekeeper = services.timekeeper(cloud)
        await runner.start()
        timekeeper.start()
        socket_app = requests.application(cloud, timekeeper, recorder)
        control = await sockets.serve(sockets.listen(self._directory), socket_app)
        server = await gateway.start(listening)
        told = {"pid": os.getpid(), "port": self._port, "started": self._started}
        write_whole(state, json.dumps(told).encode(), private=True)
        gc.collect()
        gc.freeze()  # what is here now stays: no need to look at it again
        ready.tell("ready")
        await stopped.wait()
        server.close()
        control.close()
        sockets.remove(self._directory)
        await timekeeper.stop()
        await runner.stop()
        cloud.store.close()
        state.unlink(missing_ok=True)
        os.close(lock)

    def _local(self, cloud: Cloud) -> Starlette:
        """The application that the port itself serves, without TLS: the status, and the network of a name."""

        async def status(request: Request) -> JSONResponse:
            return JSONResponse(
                {
                    "pid": os.getpid(),
                    "port": self._port,
                    "uptimeSeconds": round(time.time() - self._started, 1),
                    "residentBytes": _resident(),
                    "resources": _counts(cloud),
                }
            )

        async def network(request: Request) -> JSONResponse:
            try:
                return JSONResponse({"id": find_network(cloud.store, request.query_params.get("name", ""))})
            except NetworkError as error:
                return JSONResponse({"error": str(error)})

        return Starlette(routes=[Route("/status", status), Route("/network", network)])


def _listen(ports: Sequence[int]) -> socket.socket:
    for port in ports:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise StartError(f"cannot listen on 127.0.0.1:{port}: {error.strerror}") from error
    raise StartError(
        f"port {ports[-1]} on 127.0.0.1 is taken by another program: start with another one, "
        "`python -m sandbox start --port N` (0 takes any free port)"
    )


def _counts(cloud: Cloud) -> dict[str, int]:
    """Resources by type, the most first."""
    counted = Counter(document["type"] for document in cloud.store.list("resource"))
    counted["Microsoft.Authorization/roleAssignments"] = sum(1 for _ in cloud.store.list("roleAssignment"))
    counted["Microsoft.Authorization/roleDefinitions"] = sum(1 for _ in cloud.store.list("roleDefinition"))
    return dict(counted.most_common())


def _resident() -> int:
    """Bytes of memory now; where the system does not tell (macOS), the most so far."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize()


class Ready:
    """Tells the command that started this process how it went.

    Args:
        handle: A pipe's writing end.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def tell(self, text: str) -> None:
        """Writes the one message and closes the pipe."""
        os.write(self._handle, text.encode())
        os.close(self._handle)


def main(argv: list[str]) -> int:
    """`python -m sandbox.daemon DIRECTORY PORT[,PORT...] PIPE`: started by `python -m sandbox start` alone."""
    directory, ports, ready = Path(argv[0]), [int(port) for port in argv[1].split(",")], Ready(int(argv[2]))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(Daemon(directory, ports).run(ready))
    except AlreadyRunningError:
        ready.tell("running")
        return 1
    except StartError as error:
        ready.tell(f"error {error}")
        return 1
    except (OSError, sqlite3.Error) as error:
        ready.tell(f"error {directory} cannot be used: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
