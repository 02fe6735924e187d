"""Fetches the packages of job environments ahead, so that jobs and tests build theirs without a network."""

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sandbox.azure.ml.environments import curated
from sandbox.azure.ml.environments.specification import Specification, SpecificationError, parse
from sandbox.azure.ml.runner.environment import BuildError, Environments


class PrepareError(Exception):
    """An environment's packages cannot be fetched; the message names its file."""


def prepare(asked: Sequence[str], say: Callable[[str], None], without: Mapping[str, str] | None = None) -> None:
    """Builds each environment once and drops it: uv's cache keeps the packages.

    Args:
        asked: Conda files, requirements files, and names of curated environments.
        say: Gets lines of progress.
        without: Variables of this process that uv does not get, as they lead to the sandbox's own gateway.

    Raises:
        PrepareError: A file cannot be read, is not valid, or asks for what cannot be had.
    """
    with tempfile.TemporaryDirectory(prefix="sandbox-prepare-") as folder:
        environments = Environments(Path(folder) / "environments", without or {})
        for one in asked:
            say(f"{one}:")
            try:
                _, differs = asyncio.run(environments.get(_wanted(one), say))
            except OSError as error:
                raise PrepareError(f"{one}: cannot be read: {error.strerror}") from error
            except (SpecificationError, BuildError) as error:
                raise PrepareError(f"{one}: {error}") from error
            for difference in differs:
                say(f"  warning: {difference}")


def _wanted(asked: str) -> Specification:
    row = None if Path(asked).exists() else curated.find(asked)
    if row is not None:
        return curated.specification(row, curated.number(row, curated.LATEST))
    return parse(Path(asked).read_text(encoding="utf-8-sig"))
