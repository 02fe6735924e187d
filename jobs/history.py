"""A workspace's run history and MLflow record, over the REST API that its tracking URI names.

azure-ai-ml has no call for metrics, and its `stream` shows nothing of a run that has ended; both are one GET away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from contract import TeamOutput
from jobs.errors import JobError, lost

if TYPE_CHECKING:
    from azure.core import PipelineClient
    from azure.core.credentials import TokenCredential

QUEUED = "Queued"
ENDED = frozenset({"Completed", "Failed", "Canceled", "NotResponding"})
SCOPE = "https://management.azure.com/.default"
POLL_SECONDS = 1.0
LOST_SECONDS = 600.0
"""Seconds for which following a run waits for a connection that was lost."""

_PARENTS = ("azureml.PipelineRun", "hyperdrive")
PATIENT: dict[str, Any] = {"retry_connect": 6, "retry_read": 6, "retry_status": 6}
"""Most repeats of a request by azure-core, whose default is 3. The pauses double to half a minute, a minute in all."""

_LOG_PART = 4 << 20  # bytes of a log in a request
_PAGE = 500  # runs of an answer

# HTTP: partial content, not found, range behind the end
_PART, _NOT_FOUND, _NOTHING_NEW = 206, 404, 416


@dataclass(frozen=True)
class MetricValue:
    """A value of a metric: its step, when it was logged (Unix time in milliseconds), and the number."""

    step: int
    milliseconds: int
    value: float


@dataclass(frozen=True)
class Artifact:
    """A file among a run's artifacts: its path there, and its size in bytes."""

    path: str
    size: int


def _has_children(details: dict[str, Any]) -> bool:
    """Return whether the run is of a kind that has child runs with logs of their own."""
    kind = str((details.get("runDefinition") or {}).get("jobType") or "")
    source = str((details.get("properties") or {}).get("azureml.runsource") or "")
    return kind.lower() in ("pipeline", "sweep") or source in _PARENTS


def client(base: str, credential: TokenCredential | None = None) -> PipelineClient[Any, Any]:
    """Return a client that repeats requests as PATIENT says, and signs them where it has a credential."""
    from azure.core import PipelineClient  # noqa: PLC0415 - `python -m jobs --help` is quick without it
    from azure.core.pipeline import policies  # noqa: PLC0415

    sign = [policies.BearerTokenCredentialPolicy(credential, SCOPE)] if credential else []
    return PipelineClient(base, policies=[policies.RetryPolicy(**PATIENT), *sign])


@dataclass
class _Progress:
    """What has been read of the logs of a run and its children.

    Attributes:
        offsets: Bytes read of each log, by `RUN/NAME`.
        ended: Children whose logs were read after their end, so that nothing more can come.
    """

    offsets: dict[str, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)


class RunHistory:
    """Reads the run history of a team's workspace: details, metrics and logs."""

    def __init__(self, team: TeamOutput, credential: TokenCredential) -> None:
        """Read the history of the team's workspace as the credential's person."""
        self._workspace = team.workspace
        self._mlflow = team.tracking_uri.replace("azureml://", "https://", 1)
        self._history = self._mlflow.replace("/mlflow/v1.0/", "/history/v1.0/", 1)
        self._api = client(self._mlflow, credential)
        self._logs = client(self._mlflow)

    def details(self, run: str) -> dict[str, Any]:
        """Return the run's details: status, startTimeUtc, endTimeUtc, error, logFiles (name → URL with its own key).

        Raises:
            JobError: There is no such run.
        """
        return self._get(run, f"{self._history}/runs/{quote(run, safe='')}/details")

    def run(self, run: str) -> dict[str, Any]:
        """Return the run's record: runId, displayName, status, tags, parentRunId, runType and more.

        Raises:
            JobError: There is no such run.
        """
        return self._get(run, f"{self._history}/runs/{quote(run, safe='')}")

    def children(self, run: str) -> list[dict[str, Any]]:
        """Return the records of a pipeline's steps or a sweep's trials, in the order in which they were made.

        Raises:
            JobError: There is no such run.
        """
        address: str | None = f"{self._history}/runs/{quote(run, safe='')}/children"
        found: list[dict[str, Any]] = []
        while address:
            page = self._get(run, address)
            found += page["value"]
            address = page.get("nextLink")
        return sorted(found, key=lambda one: str(one.get("createdUtc") or ""))

    def of_experiment(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the records of all runs of an experiment, steps and trials too; none where there is no such experiment.

        Raises:
            AzureError: Azure was not reached, or refused.
        """
        from azure.core.rest import HttpRequest  # noqa: PLC0415

        address = f"{self._history}/experiments/{quote(name, safe='')}/runs:query"
        token = ""
        while True:
            asked = {"top": _PAGE} | ({"continuationToken": token} if token else {})
            response = self._api.send_request(HttpRequest("POST", address, json=asked))
            if response.status_code == _NOT_FOUND:
                return
            response.raise_for_status()
            page = response.json()
            yield from page["value"]
            token = page.get("continuationToken") or ""
            if not token:
                return

    def logged(self, run: str) -> tuple[dict[str, float], dict[str, str]]:
        """Return the last value of each metric, and the parameters, that the run logged.

        Raises:
            JobError: There is no such run.
        """
        data = self._get(run, f"{self._mlflow}/api/2.0/mlflow/runs/get?run_id={quote(run, safe='')}")["run"]["data"]
        metrics = {metric["key"]: float(metric["value"]) for metric in data.get("metrics", [])}
        return metrics, {one["key"]: str(one["value"]) for one in data.get("params", [])}

    def values(self, run: str, metric: str) -> list[MetricValue]:
        """Return all values of a metric, in the order of their steps.

        Raises:
            JobError: There is no such run.
        """
        asked = f"run_id={quote(run, safe='')}&metric_key={quote(metric, safe='')}"
        found: list[MetricValue] = []
        token = ""
        while True:
            page = self._get(run, f"{self._mlflow}/api/2.0/mlflow/metrics/get-history?{asked}{token}")
            found += [
                MetricValue(int(one.get("step", 0)), int(one["timestamp"]), float(one["value"]))
                for one in page.get("metrics", [])
            ]
            if not page.get("next_page_token"):
                return sorted(found, key=lambda value: (value.step, value.milliseconds))
            token = f"&page_token={quote(page['next_page_token'], safe='')}"

    def artifacts(self, run: str, folder: str = "") -> list[Artifact]:
        """Return the files that the run left in its artifacts, below a folder.

        Raises:
            JobError: There is no such run.
        """
        asked = f"run_id={quote(run, safe='')}" + (f"&path={quote(folder, safe='')}" if folder else "")
        found: list[Artifact] = []
        for one in self._get(run, f"{self._mlflow}/api/2.0/mlflow/artifacts/list?{asked}").get("files", []):
            if one.get("is_dir"):
                found += self.artifacts(run, one["path"])
            else:
                found.append(Artifact(one["path"], int(one.get("file_size") or 0)))
        return found

    def read_logs(self, run: str) -> Iterator[tuple[str, bytes]]:
        """Read the run's user logs as they are now, and those of its children: each one's name and content.

        Raises:
            JobError: There is no such run.
        """
        yield from self._read_all(run, self.details(run), _Progress())

    def follow(
        self, run: str, on_log: Callable[[str, bytes], None], on_status: Callable[[str], None]
    ) -> dict[str, Any]:
        """Pass on the run's log and each new status until it has ended; a lost connection is waited for.

        Returns:
            The details of the run that has ended.

        Raises:
            JobError: There is no such run.
            AzureError: Azure was not reached for LOST_SECONDS, or refused.
        """
        progress = _Progress()
        status, lost_since = "", 0.0
        while True:
            try:
                details = self.details(run)
                if details["status"] != status:
                    status = details["status"]
                    on_status(status)
                    if status == QUEUED:  # perhaps again, after its node was lost: its log begins anew, too
                        progress = _Progress()
                for name, text in self._read_all(run, details, progress):
                    on_log(name, text)
                lost_since = 0.0
            except lost():
                lost_since = lost_since or time.monotonic()
                if time.monotonic() - lost_since > LOST_SECONDS:
                    raise
                on_status("connection lost; trying again")
                time.sleep(POLL_SECONDS)
                continue
            if status in ENDED:
                return details
            time.sleep(POLL_SECONDS)

    def _read_all(self, run: str, details: dict[str, Any], progress: _Progress) -> Iterator[tuple[str, bytes]]:
        """Read what is new in the run's logs, or, where it has children, in theirs."""
        children = self.children(run) if _has_children(details) else []
        if not children:
            yield from self._read_new(details, progress.offsets, run)
        for child in children:
            identity = child["runId"]
            if identity in progress.ended:
                continue
            inner = self.details(identity)
            for file, text in self._read_all(identity, inner, progress):
                yield f"{child.get('displayName') or identity}/{file}", text
            if inner["status"] in ENDED:
                progress.ended.add(identity)

    def _get(self, run: str, url: str) -> dict[str, Any]:
        from azure.core.rest import HttpRequest  # noqa: PLC0415

        response = self._api.send_request(HttpRequest("GET", url))
        if response.status_code == _NOT_FOUND:
            raise JobError(f"{self._workspace} has no run '{run}'; `python -m jobs ps` lists the latest")
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    def _read_new(self, details: dict[str, Any], offsets: dict[str, int], run: str) -> Iterator[tuple[str, bytes]]:
        """Read what the logs have gained behind the offsets (run and name → bytes read), which move forward."""
        logs: dict[str, str] = details.get("logFiles") or {}
        for name in sorted(name for name in logs if name.startswith("user_logs/")):
            while new := self._part(logs[name], start := offsets.get(f"{run}/{name}", 0)):
                offsets[f"{run}/{name}"] = start + len(new)
                yield name, new
                if len(new) < _LOG_PART:
                    break

    def _part(self, address: str, start: int) -> bytes:
        """Read the next part of a log, which may be longer than the memory; empty where there is nothing new."""
        from azure.core.rest import HttpRequest  # noqa: PLC0415

        asked = {"Range": f"bytes={start}-{start + _LOG_PART - 1}"}
        response = self._logs.send_request(HttpRequest("GET", address, headers=asked))
        if response.status_code in (_NOT_FOUND, _NOTHING_NEW):
            return b""
        response.raise_for_status()
        content: bytes = response.content
        return content if response.status_code == _PART else content[start:]
