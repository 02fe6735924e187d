"""A workspace's run history and MLflow record, over the REST API that its tracking URI names.

azure-ai-ml has no call for metrics, and its `stream` shows nothing of a run that has ended; both are one GET away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from contract import TeamOutput
from jobs.errors import JobError

if TYPE_CHECKING:
    from azure.core import PipelineClient
    from azure.core.credentials import TokenCredential

ENDED = frozenset({"Completed", "Failed", "Canceled", "NotResponding"})
SCOPE = "https://management.azure.com/.default"
POLL_SECONDS = 1.0
PATIENT = {"retry_connect": 6, "retry_read": 6, "retry_status": 6}
"""Most repeats of a request by azure-core, whose default is 3. The pauses double to half a minute, a minute in all."""

# HTTP: partial content, not found, range behind the end
_PART, _NOT_FOUND, _NOTHING_NEW = 206, 404, 416


class RunHistory:
    """Reads the run history of a team's workspace: details, metrics and logs."""

    def __init__(self, team: TeamOutput, credential: TokenCredential) -> None:
        """Read the history of the team's workspace as the credential's person."""
        from azure.core import PipelineClient  # noqa: PLC0415 - `python -m jobs --help` is quick without it
        from azure.core.pipeline import policies  # noqa: PLC0415

        self._workspace = team.workspace
        self._mlflow = team.tracking_uri.replace("azureml://", "https://", 1)
        self._history = self._mlflow.replace("/mlflow/v1.0/", "/history/v1.0/", 1)
        retry = policies.RetryPolicy(**PATIENT)
        sign = policies.BearerTokenCredentialPolicy(credential, SCOPE)
        self._api: PipelineClient[Any, Any] = PipelineClient(self._mlflow, policies=[retry, sign])
        self._logs: PipelineClient[Any, Any] = PipelineClient(self._mlflow, policies=[policies.RetryPolicy(**PATIENT)])

    def details(self, run: str) -> dict[str, Any]:
        """Return the run's details: status, startTimeUtc, endTimeUtc, error, logFiles (name → URL with its own key).

        Raises:
            JobError: There is no such run.
        """
        return self._get(run, f"{self._history}/runs/{quote(run, safe='')}/details")

    def metrics(self, run: str) -> dict[str, float]:
        """Return the last value of each metric that the run logged."""
        data = self._get(run, f"{self._mlflow}/api/2.0/mlflow/runs/get?run_id={quote(run, safe='')}")["run"]["data"]
        return {metric["key"]: float(metric["value"]) for metric in data.get("metrics", [])}

    def read_logs(self, run: str) -> Iterator[tuple[str, bytes]]:
        """Read the run's user logs as they are now: each one's name and content.

        Raises:
            JobError: There is no such run.
        """
        yield from self._read_new(self.details(run), {})

    def follow(
        self, run: str, on_log: Callable[[str, bytes], None], on_status: Callable[[str], None]
    ) -> dict[str, Any]:
        """Pass on the run's log and each new status until it has ended.

        Returns:
            The details of the run that has ended.
        """
        offsets: dict[str, int] = {}
        status = ""
        while True:
            details = self.details(run)
            if details["status"] != status:
                status = details["status"]
                on_status(status)
                if status == "Queued":  # perhaps again, after its node was lost: its log begins anew, too
                    offsets.clear()
            for name, text in self._read_new(details, offsets):
                on_log(name, text)
            if status in ENDED:
                return details
            time.sleep(POLL_SECONDS)

    def _get(self, run: str, url: str) -> dict[str, Any]:
        from azure.core.rest import HttpRequest  # noqa: PLC0415

        response = self._api.send_request(HttpRequest("GET", url))
        if response.status_code == _NOT_FOUND:
            raise JobError(f"{self._workspace} has no run '{run}'; `python -m jobs ps` lists the latest")
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    def _read_new(self, details: dict[str, Any], offsets: dict[str, int]) -> Iterator[tuple[str, bytes]]:
        """Read what the logs have gained behind the offsets (name → bytes read), which move forward."""
        from azure.core.rest import HttpRequest  # noqa: PLC0415

        logs: dict[str, str] = details.get("logFiles") or {}
        for name in sorted(name for name in logs if name.startswith("user_logs/")):
            start = offsets.get(name, 0)
            response = self._logs.send_request(HttpRequest("GET", logs[name], headers={"Range": f"bytes={start}-"}))
            if response.status_code in (_NOT_FOUND, _NOTHING_NEW):
                continue
            response.raise_for_status()
            new = response.content if response.status_code == _PART else response.content[start:]
            if new:
                offsets[name] = start + len(new)
                yield name, new
