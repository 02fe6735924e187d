"""Finding a job's file and making azure-ai-ml's job of it: YAML, or a Python file that returns a job."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from jobs.errors import JobError, UsageError, invalid
from jobs.submission import examples
from jobs.submission.document import read

if TYPE_CHECKING:
    from azure.ai.ml.entities import Job

_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml: ten times as fast
_SUBMITTED = ("command", "pipeline", "sweep")
_NAME = "job"  # what a Python file calls its job, or the function that returns it


def find(name: str) -> Path:
    """Find the job's file: an example's name, a folder with a job.yml or job.py, or the file itself.

    Raises:
        JobError: The name is none of these; the message lists the examples.
    """
    for candidate in (Path(name), examples.FOLDER / name):
        for file in (candidate / "job.yml", candidate / "job.py", candidate):
            if file.is_file():
                return file
    raise JobError(
        f"'{name}' is no example, no folder with a job.yml and no file; examples: {', '.join(examples.names())}"
    )


@contextmanager
def home(source: Path) -> Iterator[None]:
    """Work in the file's folder, from where a Python file's job names its code and data."""
    if source.suffix != ".py":
        yield
        return
    with chdir(source.parent):
        sys.path.insert(0, str(source.parent))
        try:
            yield
        finally:
            sys.path.remove(str(source.parent))


def load(source: Path, changes: Sequence[str] = ()) -> Job:
    """Load a command, pipeline or sweep job.

    Args:
        source: A job in YAML, or a Python file (`.py`) with a job called `job`, or a function `job` that returns one.
        changes: Changes of the YAML, each `path.to.key=value`.

    Raises:
        JobError: The file holds no such job; the message names the file, line and key.
    """
    job = _run(source, changes) if source.suffix == ".py" else _parse(source, changes)
    kind = str(getattr(job, "type", ""))
    if kind not in _SUBMITTED:
        raise JobError(f"{source}: is a {kind} job; submit takes {', '.join(_SUBMITTED)}")
    if kind == "pipeline" and not getattr(job, "jobs", None):
        raise JobError(f"{source}: the pipeline has no steps: add them below jobs")
    return job


def _parse(source: Path, changes: Sequence[str]) -> Job:
    document = read(source, changes)  # before azure-ai-ml, which takes seconds to load, has a say

    from azure.ai.ml import load_job  # noqa: PLC0415

    try:
        return load_job(StringIO(yaml.dump(document.data, Dumper=_DUMPER)), relative_origin=str(source.absolute()))
    except Exception as error:  # its schema's validator and the file system each have their own
        raise JobError(invalid(error, document.place, str(source))) from error


def _run(source: Path, changes: Sequence[str]) -> Job:
    if changes:
        raise UsageError(f"{source}: --set changes a job in YAML; this one is Python")
    try:
        found: Any = runpy.run_path(str(source.absolute())).get(_NAME)
        # A DSL pipeline function (@pipeline) is called, too; a job is an object of azure-ai-ml.
        job: Any = found() if callable(found) and not hasattr(found, "_to_rest_object") else found
    except JobError:
        raise
    except Exception as error:
        raise JobError(f"{source}: {_where(source, error)}{type(error).__name__}: {error}") from error
    if not hasattr(job, "_to_rest_object"):
        raise JobError(f"{source}: has no job; call it '{_NAME}', or write a function '{_NAME}' that returns it")
    made: Job = job
    return made


def _where(source: Path, error: Exception) -> str:
    """Return the line of the file in which a Python error arose."""
    lines = []
    trace = error.__traceback__
    while trace:
        if Path(trace.tb_frame.f_code.co_filename).name == source.name:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.lineno:
        lines.append(error.lineno)
    return f"line {lines[-1]}: " if lines else ""
