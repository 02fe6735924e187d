"""Fetches the packages of job environments ahead, so that jobs and tests build theirs without a network."""

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sandbox.azure.ml.runner.environment import BuildError, Environments
from sandbox.azure.ml.runner.specification import SpecificationError, parse


class PrepareError(Exception):
    """An environment's packages cannot be fetched; the message names its file."""


def prepare(files: Sequence[Path], say: Callable[[str], None], without: Mapping[str, str] | None = None) -> None:
    """Builds the environment of each conda or requirements file once and drops it: uv's cache keeps the packages.

    Args:
        files: The files.
        say: Gets lines of progress.
        without: Variables of this process that uv does not get, as they lead to the sandbox's own gateway.

    Raises:
        PrepareError: A file cannot be read, is not valid, or asks for what cannot be had.
    """
    with tempfile.TemporaryDirectory(prefix="sandbox-prepare-") as folder:
        environments = Environments(Path(folder) / "environments", without or {})
        for file in files:
            say(f"{file}:")
            try:
                wanted = parse(file.read_text(encoding="utf-8"))
                _, differs = asyncio.run(environments.get(wanted, say))
            except OSError as error:
                raise PrepareError(f"{file}: cannot be read: {error.strerror}") from error
            except (SpecificationError, BuildError) as error:
                raise PrepareError(f"{file}: {error}") from error
            for one in differs:
                say(f"  warning: {one}")
