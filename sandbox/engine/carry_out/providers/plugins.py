"""Plugins: processes that tell their port, and the channels to them."""

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS

from sandbox.engine.errors import EngineError

_START_SECONDS = 60  # within which a plugin must tell its port: a busy machine takes its time
_LONGEST_PORT = 20  # characters of the line that tells it
# Plugins and the program run on this machine: a proxy that the environment names is for the cloud.
CHANNEL_OPTIONS = [*_GRPC_CHANNEL_OPTIONS, ("grpc.enable_http_proxy", 0)]


class PluginProcess:
    """A plugin's process, and the channel to it.

    The process leads a group of its own, which ends with it. Its standard input stays open as long as the engine lives.
    """

    def __init__(
        self,
        command: list[str],
        directory: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Starts the plugin and waits for its port, which it prints as its first line.

        Raises:
            EngineError: it ended, or did not tell a port in time.
        """
        self._process: subprocess.Popen[bytes] | None = subprocess.Popen(  # noqa: S603 (a plugin that the user installed)
            command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})}, start_new_session=True, bufsize=0,
        )  # fmt: skip
        port = self._port(command)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS)
        for stream in (self._process.stdout, self._process.stderr):
            if stream:  # must be read, or the plugin would stand still once the pipe is full
                threading.Thread(target=_drain, args=(stream,), daemon=True).start()

    def _port(self, command: list[str]) -> int:
        assert self._process and self._process.stdout and self._process.stderr  # noqa: S101 (pipes were asked for)
        line, deadline = b"", time.monotonic() + _START_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while len(line) < _LONGEST_PORT and not line.endswith(b"\n") and time.monotonic() < deadline:
                ended = self._process.poll() is not None
                if selector.select(0.1):
                    line += self._process.stdout.read(1) or b"\n"
                elif ended:
                    break
        if line.endswith(b"\n") and line.strip().isdigit():
            return int(line)
        errors = self._process.stderr
        self._kill()
        raise EngineError(
            f"the plugin {command[0]} did not start: it told no port but {line!r}. "
            f"{(errors.read() or b'').decode(errors='replace').strip()}".strip()
        )

    def _kill(self) -> None:
        """End the process and all of its group, at once."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End the plugin."""
        if self._process:
            self.channel.close()
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2)
            self._kill()


def _drain(stream: IO[bytes]) -> None:
    with stream:
        while stream.read(65536):
            pass


class AttachedPlugin(PluginProcess):
    """A provider that somebody else runs and PULUMI_DEBUG_PROVIDERS names."""

    def __init__(self, port: int) -> None:
        self._process = None
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS)
