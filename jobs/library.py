"""The same as the command line, from Python and notebooks.

from jobs import team

t = team("dev", "bluegranit")
run = t.submit("jobs/examples/highspenders")
run.wait().metrics["roc_auc"]
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs import models, runs
from jobs.defaults import LISTED, STACK
from jobs.errors import JobError
from jobs.facts import as_html
from jobs.history import MetricValue
from jobs.outputs import read_file, read_stack
from jobs.runs import Run
from jobs.submission.source import find
from jobs.submission.submit import prepare, prepare_job, send
from jobs.workspace import Workspace

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import Job


def team(stack: str = STACK, name: str | None = None, *, outputs: Path | str | None = None) -> Team:
    """Return a team's workspace.

    Args:
        stack: Name of the stack, whose outputs Pulumi is asked for.
        name: The team; the department's only one if left out.
        outputs: File with saved outputs, read instead of asking Pulumi.

    Raises:
        JobError: The outputs cannot be read, or have no such team.
    """
    # It tells which of its classes are experimental, in red under a notebook's cell. The package's own logger would not
    # do: its level is set when the package is imported.
    logging.getLogger("azure.ai.ml._utils._experimental").setLevel(logging.ERROR)
    read = read_file(Path(outputs)) if outputs else read_stack(stack)
    return Team(Workspace(read, read.team_name(name)))


class Team:
    """A team's workspace: submit jobs, find runs. Made by `team`."""

    def __init__(self, workspace: Workspace) -> None:
        """Work in this workspace; nothing is asked of Azure yet."""
        self._workspace = workspace

    @property
    def client(self) -> MLClient:
        """azure-ai-ml's own client of the workspace, for all that this class does not do."""
        return self._workspace.client

    def submit(
        self,
        job: Job | Path | str,
        *,
        cluster: str | None = None,
        changes: Sequence[str] = (),
        say: Callable[[str], None] = lambda _: None,
    ) -> TeamRun:
        """Submit a job.

        Args:
            job: azure-ai-ml's job, or the name of an example, a folder with a job.yml, or a file.
            cluster: Runs it on this cluster, or on the `cheapest`, instead of those that it names.
            changes: Changes of the YAML, each `path.to.key=value`.
            say: Gets a line for each step.

        Raises:
            JobError: It is no valid job, or asks for what the team does not have.
            AzureError: Azure was not reached, or refused.
        """
        if isinstance(job, (str, Path)):
            prepared = prepare(self._workspace, find(str(job)), cluster, changes)
        elif changes:
            raise JobError("changes are for a job in YAML; change the job itself")
        else:
            prepared = prepare_job(self._workspace, job, cluster)
        return TeamRun(self._workspace, send(self._workspace, prepared, say))

    def run(self, name: str) -> TeamRun:
        """Return the run of that name; `latest` is the newest one, `latest~1` the one before it.

        Raises:
            JobError: There is no such run.
        """
        return TeamRun(self._workspace, runs.show(self._workspace, runs.named(self._workspace, name)))

    def runs(self, *, most: int = LISTED, **filters: Any) -> TeamRuns:
        """Return the latest runs, without what they logged: `compare` reads that, too.

        Args:
            most: The most runs to return.
            filters: As in `jobs.runs.Filter`, such as `status="Failed"`.
        """
        found = runs.recent(self._workspace, runs.Filter(**filters), most)
        return TeamRuns(TeamRun(self._workspace, run) for run in found)

    def compare(self, *compared: TeamRun | str) -> TeamRuns:
        """Return runs with their parameters and metrics.

        Args:
            compared: Runs, or their names.

        Raises:
            JobError: There is no such run.
        """
        return TeamRuns(self.run(one if isinstance(one, str) else one.name) for one in compared)


class TeamRun:
    """A run of a team. A notebook shows it as a table."""

    def __init__(self, workspace: Workspace, run: Run) -> None:
        """Hold a run as it was when it was read."""
        self._workspace = workspace
        self._run = run

    @property
    def name(self) -> str:
        """Its name, which is unique in the workspace."""
        return self._run.name

    @property
    def status(self) -> str:
        """Azure ML's word for its state when it was last read, such as `Running`."""
        return self._run.status

    @property
    def url(self) -> str:
        """Its page in the studio."""
        return self._run.url

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric when it was last read."""
        return self._run.metrics

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters that it logged."""
        return self._run.parameters

    def refresh(self) -> TeamRun:
        """Read it again, and return it."""
        self._run = runs.show(self._workspace, self.name)
        return self

    def wait(self, *, stream: bool = False) -> TeamRun:
        """Wait for its end, and return it.

        Args:
            stream: Print its log and states.

        Raises:
            JobError: It failed or was cancelled; the message says why.
        """

        def show(text: str) -> None:
            if stream:
                sys.stdout.write(text)

        self._workspace.history.follow(
            self.name,
            lambda _, text: show(text.decode(errors="replace")),
            lambda status: show(f"[{status}]\n"),
        )
        self.refresh()
        runs.refuse_failed(self._run)
        return self

    def values(self, metric: str) -> list[MetricValue]:
        """Return all values of a metric, in the order of their steps."""
        return self._workspace.history.values(self.name, metric)

    def log(self) -> str:
        """Return its log, and that of its children."""
        return "".join(text.decode(errors="replace") for _, text in self._workspace.history.read_logs(self.name))

    def cancel(self) -> str:
        """Ask for its end; returns its status right after."""
        return runs.cancel(self._workspace, self.name)

    def register(self, model: str) -> str:
        """Register its output `model`, or its only one, as the next version of a model; returns the version."""
        return models.register_run(self._workspace, self.refresh()._run, model)

    def __repr__(self) -> str:
        return f"TeamRun({self.name!r}, status={self.status!r})"

    def _repr_html_(self) -> str:
        """Return the table that a notebook shows."""
        return as_html([self._run])


class TeamRuns(list[TeamRun]):
    """Runs, which a notebook shows side by side: a column a run, then every parameter and metric."""

    def _repr_html_(self) -> str:
        """Return the table that a notebook shows."""
        return as_html([run._run for run in self])
