"""The stand-ins as plugins of the real `pulumi`: a gRPC server in a process of its own, and where Pulumi finds it."""

import os
import shlex
import signal
import stat
import sys
import threading
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Final

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.providers.azure_native import AzureNative
from sandbox.providers.azuread import AzureAD
from sandbox.providers.provider import Provider

PROVIDERS: Final[dict[str, Callable[[], Provider]]] = {"azure-native": AzureNative, "azuread": AzureAD}

_WORKERS = 32
_INPUT = 0  # the standard input's file descriptor


def serve(name: str) -> None:
    """Serves a provider on a free loopback port, told on standard output, until asked to end or the engine is gone.

    Raises:
        KeyError: There is no such provider.
    """
    if stat.S_ISFIFO(os.fstat(_INPUT).st_mode):
        threading.Thread(target=_end_with_engine, daemon=True).start()
    provider = PROVIDERS[name]()
    server = grpc.server(futures.ThreadPoolExecutor(_WORKERS), options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    stopped = threading.Event()
    for signalled in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signalled, lambda *_: stopped.set())
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    stopped.wait()
    provider.client.cancelled.set()
    server.stop(grace=None)


def _end_with_engine() -> None:
    """Ends this process, whatever it is doing, when the engine has ended, however that was.

    Pulumi's plugin host and the embedded engine's hold the other end of a plugin's standard input and write nothing
    to it: so it is closed when the engine is gone, also if that was before this process looked.
    """
    os.read(_INPUT, 1)
    os._exit(1)


def install(home: Path, python: str = sys.executable) -> None:
    """Puts launchers of the stand-ins where a `pulumi` with this `PULUMI_HOME` looks for plugins.

    Args:
        home: The sandbox's own PULUMI_HOME, so that the user's plugins are neither used nor touched.
        python: The interpreter to run them with; this project must be importable from the folder it lies in.

    Raises:
        OSError: The folder cannot be written.
    """
    root = Path(__file__).resolve().parents[2]
    for name, make in PROVIDERS.items():
        folder = home / "plugins" / f"resource-{name}-v{make().version}"
        folder.mkdir(parents=True, exist_ok=True)
        launcher = folder / f"pulumi-resource-{name}"
        script = (
            "#!/bin/sh\n"
            f"PYTHONPATH={shlex.quote(str(root))}${{PYTHONPATH:+:$PYTHONPATH}} "
            f"exec {shlex.quote(python)} -m sandbox.providers {name}\n"
        )
        draft = launcher.with_suffix(".new")
        draft.write_text(script)
        draft.chmod(0o755)
        draft.replace(launcher)
