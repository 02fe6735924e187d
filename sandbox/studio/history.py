"""A workspace's runs, from its run history and its MLflow server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple
from urllib.parse import quote

from sandbox.studio.visit import Visit

MOST = 5000  # runs that a list asks for
POINTS = 25000  # of a metric, a request
FILES = 1000  # of a run, from which on no more folders are opened
ENDED = frozenset({"Completed", "Failed", "Canceled", "NotResponding"})
STATES = {
    "SCHEDULED": "Queued",
    "RUNNING": "Running",
    "FINISHED": "Completed",
    "FAILED": "Failed",
    "KILLED": "Canceled",
}
"""MLflow's words, and Azure ML's."""
PARENT, USER, REUSED = "mlflow.parentRunId", "mlflow.user", "azureml.reusedrunid"


@dataclass(frozen=True)
class Experiment:
    """An experiment: its id and name."""

    id: str
    name: str


@dataclass(frozen=True)
class Run:
    """A run in a list.

    Attributes:
        id: Its name, unique in the workspace.
        name: What people call it.
        experiment: The experiment's id.
        state: Azure ML's word for its state.
        started: Milliseconds since 1970.
        seconds: How long it took, or has been taking so far; None before it began.
        user: The object id of who submitted it.
        parent: The pipeline, sweep or run that it belongs to; empty for none.
        metrics: The last value of each.
        parameters: What it logged.
        tags: Its tags.
    """

    id: str
    name: str
    experiment: str
    state: str
    started: int
    seconds: float | None
    user: str
    parent: str
    metrics: Mapping[str, float]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def ended(self) -> bool:
        """Whether nothing more can happen."""
        return self.state in ENDED


class Point(NamedTuple):  # a metric may have many thousands: a tuple is made sooner, and is a list in JSON
    """A value of a metric: its step, when it was logged (milliseconds since 1970), and the number."""

    step: int
    time: int
    value: float


@dataclass(frozen=True)
class Artifact:
    """A file of a run: its path, and its size in bytes."""

    path: str
    size: int


class History:
    """Reads the runs of a workspace as a persona.

    Attributes:
        azure: The persona's client.
    """

    def __init__(self, visit: Visit) -> None:
        self.azure, self._workspace, self._visit = visit.azure, visit.workspace, visit

    def experiments(self) -> list[Experiment]:
        """All that are not archived, by name."""
        told = self.azure.send("POST", self._workspace.mlflow("/experiments/search"), {"max_results": 1000}).json()
        found = [Experiment(one["experiment_id"], one["name"]) for one in told.get("experiments", [])]
        return sorted(found, key=lambda one: one.name.lower())

    def search(self, experiments: Sequence[str], condition: str = "", order: str = "") -> list[Run]:
        """Runs of experiments, the newest first where no order is given.

        Args:
            experiments: Their ids.
            condition: In MLflow's filter language.
            order: As `metrics.auc DESC`.

        Raises:
            Refused: The condition or the order is not valid.
        """
        if not experiments:
            return []
        body = {
            "experiment_ids": [*experiments],
            "filter": condition,
            "order_by": [order] if order else [],
            "max_results": MOST,
        }
        told = self.azure.send("POST", self._workspace.mlflow("/runs/search"), body).json(
            lambda read: _run(read, self._visit) if "info" in read else read
        )
        return list(told.get("runs", ()))

    def logged(self, run: str) -> Run:
        """A run with what it logged."""
        told = self.azure.get(self._workspace.mlflow("/runs/get"), run_id=run)["run"]
        return _run(told, self._visit)

    def record(self, run: str) -> Any:
        """A run's record: `runId`, `displayName`, `status`, `parentRunId`, `properties`, `inputs` and more."""
        return self.azure.get(self._workspace.plane("history", f"/runs/{quote(run, safe='')}"))

    def details(self, run: str) -> Any:
        """A run's details: `status`, `startTimeUtc`, `endTimeUtc`, `error`, `logFiles` by name."""
        return self.azure.get(self._workspace.plane("history", f"/runs/{quote(run, safe='')}/details"))

    def children(self, run: str) -> list[Any]:
        """The records of a run's children, in the order in which they were made."""
        told = self.azure.get(self._workspace.plane("history", f"/runs/{quote(run, safe='')}/children"))
        return sorted(told["value"], key=lambda one: str(one["createdUtc"]))

    def points(self, run: str, metric: str) -> list[Point]:
        """All values of a metric, by step."""
        found: list[Point] = []
        token = None
        while True:
            told = self.azure.send(
                "GET", self._workspace.mlflow("/metrics/get-history"),
                run_id=run, metric_key=metric, max_results=POINTS, page_token=token,
            ).json(_point)  # fmt: skip
            found += told.get("metrics", ())
            token = told.get("next_page_token")
            if not token:
                return sorted(found, key=itemgetter(0, 1))

    def artifacts(self, run: str) -> list[Artifact]:
        """The files of a run by path, at most some 1,000."""
        found: list[Artifact] = []
        folders = [""]
        while folders and len(found) < FILES:
            told = self.azure.all(lambda path: self._folder(run, path), folders)
            entries = [one for folder in told for one in folder]
            found += [Artifact(one["path"], int(one.get("file_size") or 0)) for one in entries if not one.get("is_dir")]
            folders = [one["path"] for one in entries if one.get("is_dir")]
        return sorted(found, key=lambda one: one.path)

    def _folder(self, run: str, path: str) -> list[Any]:
        told = self.azure.get(self._workspace.mlflow("/artifacts/list"), run_id=run, path=path or None)
        return list(told.get("files", []))

    def artifact(self, run: str, path: str) -> str:
        """An address of a file's content that needs no token."""
        address = self._workspace.plane("artifact", f"/artifacts/ExperimentRun/dcid.{quote(run, safe='')}/contentinfo")
        return str(self.azure.get(address, path=path)["contentUri"])

    def definition(self, run: str) -> Any:
        """The properties of the job; None for what has none, such as a step or an MLflow client's run."""
        return self.azure.arm(f"{self._workspace.id}/jobs/{quote(run, safe='')}").get("properties")


def _point(read: dict[str, Any]) -> Point | dict[str, Any]:
    """A metric's value in place of each object that is one, as it is read: all at once would take far more memory."""
    if "timestamp" not in read:
        return read
    return Point(int(read.get("step", 0)), int(read["timestamp"]), float(read["value"]))


def _run(told: Mapping[str, Any], visit: Visit) -> Run:
    info, data = told["info"], told.get("data", {})
    tags = {one["key"]: one["value"] for one in data.get("tags", ())}
    started, ended = int(info.get("start_time") or 0), info.get("end_time")
    state = STATES.get(info["status"], info["status"])
    running = visit.now.timestamp() * 1000 if state == "Running" else None
    end = float(ended) if ended else running
    return Run(
        info["run_id"],
        info.get("run_name") or info["run_id"],
        info["experiment_id"],
        state,
        started,
        max(0.0, (end - started) / 1000) if end and started else None,
        tags.get(USER, ""),
        tags.get(PARENT, ""),
        {one["key"]: float(one["value"]) for one in data.get("metrics", ())},
        {one["key"]: one["value"] for one in data.get("params", ())},
        tags,
    )
