"""Runs and experiments, as run history and MLflow both show them.

A run is a document of the kind `mlRun`; a job's run and one that an MLflow client made are alike. `parameters`, `tags`
and `properties` are strings by name; `metrics` has the last point of each, `mlMetric` documents have all, by run, name
and time of arrival.
"""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sandbox.azure import clock
from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.scope import Scope

RUN, EXPERIMENT, METRIC, JOB = "mlRun", "mlExperiment", "mlMetric", "mlJob"
STEP, CHILD, REUSE = "mlStep", "mlChild", "mlReuse"
"""A step's definition, by run as a job's; the run of a pipeline's node; the run that a step's like can reuse."""
REUSED = "azureml.reusedrunid"
"""The property of a reused step's run that names the original."""
SCHEDULE = "azureml.genericTriggerName"
"""The property of a run that names the schedule which submitted it."""
DEFAULT_EXPERIMENT = "Default"
ENDED = frozenset({"Completed", "Failed", "Canceled"})
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,254}")


def now() -> str:
    """The time as run history writes it."""
    return clock.now().isoformat(timespec="microseconds")


def millis(time: str | None) -> int:
    """Milliseconds since 1970, as MLflow counts; 0 for no time."""
    return int(datetime.fromisoformat(time).timestamp() * 1000) if time else 0


def from_millis(value: float) -> str:
    """The time of MLflow's milliseconds."""
    return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="microseconds")


def experiment(scope: Scope, name: str) -> Body:
    """The experiment of this name, made if there is none."""
    return find_experiment(scope, name) or make_experiment(scope, name)


def find_experiment(scope: Scope, name: str) -> Body | None:
    """The experiment of this name, or None."""
    return next((one for one in scope.list(EXPERIMENT) if one["name"].lower() == name.lower()), None)


def make_experiment(scope: Scope, name: str, tags: dict[str, str] | None = None) -> Body:
    """A new experiment."""
    made = now()
    body: Body = {
        "id": str(uuid.uuid4()),
        "name": name,
        "created": made,
        "updated": made,
        "archived": False,
        "tags": tags or {},
    }
    scope.put(EXPERIMENT, body, body["id"])
    return body


def make_run(scope: Scope, run_id: str, in_experiment: Body, **own: Any) -> Body:
    """A new run; `own` replaces the defaults."""
    body: Body = {
        "runId": run_id,
        "runNumber": int(clock.now().timestamp()),
        "runUuid": str(uuid.uuid4()),
        "experimentId": in_experiment["id"],
        "experimentName": in_experiment["name"],
        "displayName": run_id,
        "description": None,
        "status": "NotStarted",
        "createdUtc": now(),
        "startTimeUtc": None,
        "endTimeUtc": None,
        "createdBy": scope.caller.object_id,
        "hidden": False,
        "parentRunId": None,
        "target": None,
        "tags": {},
        "properties": {},
        "parameters": {},
        "metrics": {},
        "error": None,
        "warnings": [],
        "inputs": {},
        "outputs": {},
        **own,
    }
    scope.put(RUN, body, run_id)
    return body


def having(scope: Scope, member: str, value: str) -> Iterator[Body]:
    """The runs of the workspace whose `parentRunId` or `experimentId` is this."""
    return scope.cloud.store.having(RUN, member, value, scope.key(""))


def update_run(cloud: Cloud, workspace_id: str, run_id: str, **changes: Any) -> Body | None:
    """Changes a run; None where it is gone."""
    key = f"{workspace_id}/{run_id}".lower()
    body = cloud.store.get(RUN, key)
    if body is None:
        return None
    body |= changes
    cloud.store.put(RUN, key, body)
    return body


def points(scope: Scope, run_id: str, metric: str) -> list[Body]:
    """All points of a metric, in the order of their arrival."""
    return [point for one in scope.list(METRIC, run_id, quote(metric, safe="")) for point in one["points"]]


def delete_run(scope: Scope, run_id: str) -> None:
    """Removes a run with the steps below it."""
    store = scope.cloud.store
    for child in list(scope.list(CHILD, run_id)):
        delete_run(scope, child["run"])
    store.clear(CHILD, scope.key(run_id) + "/")
    store.delete(STEP, scope.key("jobs", run_id))
    store.delete(RUN, scope.key(run_id))


def definition(scope: Scope, run_id: str) -> Body | None:
    """What a run carries out: the job's document, or the step's; None for a run that an MLflow client made."""
    return scope.get(JOB, "jobs", run_id) or scope.get(STEP, "jobs", run_id)


def content_run(run: Body) -> str:
    """The run that has the logs, artifacts and metrics of a run: itself, or the one that it reuses."""
    return str(run["properties"].get(REUSED) or run["runId"])


def addresses(scope: Scope, run_id: str) -> dict[str, str]:
    """Where a run is tracked and shown, by the services' names; Studio's address has the workspace in a short form."""
    _, _, subscription, _, group, *_, name = scope.id.split("/")
    workspace = f"/subscriptions/{subscription}/resourcegroups/{group}/workspaces/{name}"
    return {
        "Tracking": f"azureml://{scope.workspace['location']}.api.azureml.ms/mlflow/v1.0{scope.id}?",
        "Studio": f"https://ml.azure.com/runs/{run_id}?wsid={workspace}",  # clients append the tenant
    }


def artifact_prefix(run_id: str) -> str:
    """Where a run's artifacts lie in the workspace's artifact store."""
    return f"ExperimentRun/dcid.{run_id}"


def forget(cloud: Cloud, workspace_id: str) -> None:
    """Drops everything about a removed workspace's runs."""
    for kind in (RUN, EXPERIMENT, METRIC, JOB, STEP, CHILD, REUSE):
        cloud.store.clear(kind, workspace_id.lower() + "/")
