"""Virtual environments for jobs: built by uv from a specification, kept by its content, never half-built."""

import asyncio
import hashlib
import json
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from packaging.specifiers import SpecifierSet
from uv import find_uv_bin

from sandbox.azure.ml.environments.specification import Specification
from sandbox.azure.ml.runner import process

FORMAT = 3  # of what is built; a change makes all environments anew
READY = "sandbox-environment.json"
HOST = ".".join(str(part) for part in sys.version_info[:3])
_NAME = re.compile(r"[^\w.-]")  # what ends a package's name in a requirement
TOLD = ("Resolved", "Prepared", "Installed", "Downloading", "warning")  # of uv's lines


class BuildError(Exception):
    """An environment cannot be built; the message is for the job's author."""


class Environments:
    """The environments in a folder.

    Args:
        directory: Where they are kept, each under the hash of what is in it.
        without: Variables of this process that uv does not get, as they lead to the sandbox's own gateway.
    """

    def __init__(self, directory: Path, without: Mapping[str, str]) -> None:
        self._directory, self._without = directory, without
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, wanted: Specification, say: Callable[[str], None]) -> tuple[Path, list[str]]:
        """The environment for a specification, built if it is not there.

        Args:
            wanted: What to install.
            say: Gets lines of progress.

        Returns:
            Its folder, and how it differs from what was asked for.

        Raises:
            BuildError: It cannot be built.
        """
        differs = list(wanted.differs)
        python = await self._python(wanted.python)
        if python is None:
            differs.append(f"Python {_plain(wanted.python)} is not on this machine: Python {HOST} is used")
            python = sys.executable
        content = [FORMAT, python, sorted(wanted.requirements), sorted(wanted.conda)]
        key = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:20]
        path = self._directory / key
        async with self._locks.setdefault(key, asyncio.Lock()):
            if (path / READY).exists():
                say(f"Environment {key} is ready.")
            else:
                await self._build(path, python, wanted, say)
        return path, [*differs, *json.loads((path / READY).read_text(encoding="utf-8"))["told"]]

    async def _python(self, version: str) -> str | None:
        """The interpreter of a version; this one where none is asked for or it fits."""
        if SpecifierSet(version).contains(HOST, prereleases=True):
            return sys.executable
        code, text = await self._uv(["python", "find", "--no-python-downloads", "--system", version])
        return text.strip() if code == 0 else None

    async def _build(self, path: Path, python: str, wanted: Specification, say: Callable[[str], None]) -> None:
        """In a folder beside it, renamed when it is complete."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():  # without its mark: an older sandbox's, or damaged
            shutil.rmtree(path)
        part = Path(tempfile.mkdtemp(prefix=".building-", dir=self._directory))
        try:
            say(f"Building environment {path.name} with {len(wanted.requirements)} requirements ...")
            await self._require(["venv", "--quiet", "--relocatable", "--python", python, str(part / "venv")], say)
            told = await self._install(part, wanted, say)
            mark = {"python": python, "requirements": list(wanted.requirements), "told": told}
            (part / "venv" / READY).write_text(json.dumps(mark, indent=1), encoding="utf-8")
            (part / "venv").replace(path)
            say(f"Environment {path.name} is built.")
        finally:
            shutil.rmtree(part, ignore_errors=True)

    async def _install(self, part: Path, wanted: Specification, say: Callable[[str], None]) -> list[str]:
        """Installs what is wanted; gives what is told of packages that are left out, or there in another version."""
        lines, instead, told = list(wanted.requirements), list(wanted.instead), list[str]()
        listed, target = part / "requirements.txt", str(part / "venv" / "bin" / "python")
        wheels = ["--no-build"] if instead else []
        command = ["pip", "install", *wheels, "--python", target, "-r", str(listed)]
        while lines:
            listed.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            code, text = await self._uv(command)
            gone = _unknown(lines, wanted.conda, text)
            if code != 0 and gone:
                lines = [one for one in lines if one not in gone]
                told += [f"PyPI has no package {name}: the conda package is left out" for name in gone]
            elif code != 0 and instead:
                lines = list(instead.pop(0))
                told = ["the pinned versions have no wheels for this Python: others are used"]
            else:
                self._judge(command, code, text, say)
                break
        return told

    async def _require(self, arguments: list[str], say: Callable[[str], None]) -> None:
        self._judge(arguments, *await self._uv(arguments), say)

    def _judge(self, arguments: list[str], code: int, text: str, say: Callable[[str], None]) -> None:
        """Tells what uv did.

        Raises:
            BuildError: It failed.
        """
        for line in text.splitlines():
            if line.startswith(TOLD):
                say(f"  {line}")
        if code != 0:
            offline = " (UV_OFFLINE is set: run `python -m sandbox prepare FILE` once with a network)"
            # In one line, as a run's error is shown; where uv says which Python it uses is no reason.
            said = [line.strip() for line in text.splitlines() if line and not line.startswith("Using Python")]
            raise BuildError(
                f"The environment cannot be built: uv {arguments[0]} ended with {code}"
                f"{offline if os.environ.get('UV_OFFLINE') else ''}. {' '.join(said)[-1000:]}"
            )

    async def _uv(self, arguments: list[str]) -> tuple[int, str]:
        environment = {name: value for name, value in os.environ.items() if self._without.get(name) != value}
        environment.pop("VIRTUAL_ENV", None)
        with tempfile.TemporaryFile() as output:
            started = await process.start(
                [find_uv_bin(), "--color", "never", "--no-progress", *arguments],
                cwd=self._directory.parent,
                environment=environment,
                output=output,
            )
            try:
                code = await started.wait()
            except asyncio.CancelledError:
                await process.end(started, grace=1)
                raise
            output.seek(0)
            return code, output.read().decode(errors="replace")


def _unknown(lines: list[str], conda: frozenset[str], text: str) -> list[str]:
    """The conda packages among the lines that PyPI does not have, as uv's message says."""
    named = re.findall(r"[Bb]ecause\s+(\S+)\s+was\s+not\s+found\s+in\s+the", text)
    unknown = {_normal(name) for name in named}
    return [one for one in lines if one in conda and _normal(_NAME.split(one)[0]) in unknown]


def _normal(name: str) -> str:
    """A package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _plain(version: str) -> str:
    """A constraint for a reader: `3.8` for `==3.8.*`."""
    return re.sub(r"^==([\d.]+?)(\.\*)?$", r"\1", version)


def sweep(directory: Path) -> None:
    """Removes what a killed sandbox left half-built."""
    for path in directory.glob(".building-*"):
        logging.info("removing the half-built environment %s", path)
        shutil.rmtree(path, ignore_errors=True)
