"""A job on this machine: `submit --local`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.commands.logs import follow_run
from jobs.commands.options import connect
from jobs.commands.show import as_json as run_as_json
from jobs.commands.show import print_side_by_side
from jobs.errors import JobError
from terminal import print_json

if TYPE_CHECKING:
    from jobs.runs import Run
    from jobs.submission.submit import Prepared
    from jobs.workspace import Workspace

RESULTS = Path("local")
"""Folder in which a folder of the job's name gets the outputs of the last local run."""


@dataclass(frozen=True)
class Local:
    """What runs here.

    Attributes:
        source: The job's file.
        cluster: The cluster to fit it to, as without `--local`.
        changes: Changes of the YAML.
        places: Local files and folders in the place of inputs, by the inputs' names.
        to: Folder for the results; `RESULTS` and the job's name if None.
        as_json: Whether the run is printed as JSON, and progress goes to standard error.
    """

    source: Path
    cluster: str | None
    changes: Sequence[str]
    places: Mapping[str, Path]
    to: Path | None
    as_json: bool

    @property
    def folder(self) -> Path:
        """Folder for the results."""
        return (self.to or RESULTS / self.source.absolute().parent.name).absolute()


def run_here(
    asked: Local, say: Callable[[str], None], stack: str | None, outputs: Path | None, team: str | None, *, watch: bool
) -> None:
    """Run a job on this machine, and with `watch` again at each change of its files until Ctrl-C.

    Raises:
        JobError: The job is wrong, an input is not on this machine, or the run failed.
    """
    from jobs.local import machine, platform  # noqa: PLC0415 - loads the outputs' model
    from jobs.workspace import Workspace  # noqa: PLC0415

    described = _workspace(asked, say, stack, outputs, team)
    prepared = _prepare(described, asked)  # what is wrong is said before anything starts
    with machine.machine(described.team):
        here = Workspace(described.outputs, described.team_name)  # signs in to the sandbox
        platform.build(here.team, here.credential)
        if watch:
            _again_and_again(here, asked, prepared, say)
        else:
            _run(here, asked, prepared, say)


def _workspace(
    asked: Local, say: Callable[[str], None], stack: str | None, outputs: Path | None, team: str | None
) -> Workspace:
    """Return the workspace as the stack has it; where no stack can be read and none was named, one for this job."""
    from jobs.local.described import describe  # noqa: PLC0415 - as above
    from jobs.submission.source import home, load  # noqa: PLC0415
    from jobs.workspace import Workspace  # noqa: PLC0415

    try:
        return connect(stack, outputs, team)
    except JobError:
        if stack or outputs or team:
            raise
    say("no stack's outputs can be read: the job's clusters and datastores are taken as it names them")
    with home(asked.source):
        read = describe(load(asked.source, asked.changes))
    return Workspace(read, read.team_name(None))


def _prepare(workspace: Workspace, asked: Local) -> Prepared:
    from jobs.submission.inputs import refuse_absent  # noqa: PLC0415 - as above
    from jobs.submission.submit import prepare  # noqa: PLC0415

    prepared = prepare(workspace, asked.source, asked.cluster, asked.changes, asked.places)
    refuse_absent(prepared.job, prepared.inputs)
    return prepared


def _again_and_again(here: Workspace, asked: Local, first: Prepared, say: Callable[[str], None]) -> None:
    from jobs.local import watch  # noqa: PLC0415 - as above

    where = watch.places(asked.source, first.job)
    prepared: Prepared | None = first
    while True:
        before = watch.state(where, asked.folder)
        try:
            prepared = prepared or _prepare(here, asked)
            where = watch.places(asked.source, prepared.job)
            before = watch.state(where, asked.folder) | before  # the code may lie elsewhere now
            _run(here, asked, prepared, say)
        except JobError as error:
            say(f"error: {error}")
        say("waiting for a change; Ctrl-C ends it")
        say(f"\n{watch.wait(where, asked.folder, before).name} changed")
        prepared = None


def _run(here: Workspace, asked: Local, prepared: Prepared, say: Callable[[str], None]) -> None:
    """Run a job to its end, keep its results and print it."""
    from jobs import runs  # noqa: PLC0415 - as above
    from jobs.submission.submit import send  # noqa: PLC0415

    run = send(here, prepared, say)
    follow_run(here, run.name, sys.stderr if asked.as_json else sys.stdout, logs=True)
    run = runs.show(here, run.name)
    _keep(here, run, asked.folder)
    if asked.as_json:
        print_json(run_as_json(run) | {"folder": str(asked.folder)})
    else:
        say("")
        print_side_by_side([run])
        say(f"outputs and logs: {asked.folder}")
    runs.refuse_failed(run)


def _keep(here: Workspace, run: Run, folder: Path) -> None:
    """Put outputs, artifacts and logs of a run into a folder, in the place of those of the last one."""
    import shutil  # noqa: PLC0415 - only here

    from jobs.quiet import quietly  # noqa: PLC0415

    for part in ("named-outputs", "artifacts"):
        shutil.rmtree(folder / part, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    quietly(lambda: here.client.jobs.download(run.name, download_path=folder, all=True))
