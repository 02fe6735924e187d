"""A schedule's job, submitted at its time in the name of who made the schedule.

Source: the recording of azure-ai-ml's test_schedule_lifetime, listed in docs/fidelity/clock.md.
"""

import copy
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.azure.access.tokens import Caller
from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml import runs
from sandbox.azure.ml.jobfields import bad
from sandbox.azure.ml.jobs.submission import submit
from sandbox.azure.ml.names import WORKSPACES
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.triggers import triggers
from sandbox.azure.timers import Kind

KIND = "mlSchedule"
"""Of the store's documents, by the workspace's id and the name."""
TIMER = "schedule"
TRIGGER_TIME = "%Y-%m-%dT%H:%M:%SZ"
_NAME = re.compile(r"\$\{\{\s*name\s*\}\}")
_TRIGGER_TIME = re.compile(r"\$\{\{\s*creation_context\.trigger_time\s*\}\}")
# A definition that names an existing job takes the rest from it, and these over it.
OVER = ("inputs", "outputs", "settings", "tags", "properties")
FILETIME = datetime(1601, 1, 1, tzinfo=UTC)


def find_scope(cloud: Cloud, schedule: Body) -> Scope | None:
    """The schedule's workspace, with who made the schedule as caller; None where it is gone."""
    workspace = cloud.store.get("resource", schedule["workspace"].lower())
    caller = Caller(schedule["submitter"]["objectId"], schedule["submitter"]["clientId"])
    return Scope(cloud, caller, workspace) if workspace else None


def fire(scope: Scope, schedule: Body, when: datetime) -> str:
    """Submits the schedule's job; gives the job's name.

    Args:
        scope: The workspace, with who submits as caller.
        schedule: The schedule's document.
        when: The time that it is for.

    Raises:
        UserError: 400 for what the service refuses in a job.
    """
    name = f"{schedule['name']}-{uuid.uuid4()}"
    sent = _definition(scope, schedule["properties"]["action"]["jobDefinition"])
    inputs = sent.get("inputs") or {}
    sent["inputs"] = {key: _filled(one, name, when) for key, one in inputs.items()}
    sent["displayName"] = f"{schedule['name']}-{when.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    sent["properties"] = {**(sent.get("properties") or {}), **_properties(schedule, sent)}
    return str(submit(scope, name, sent)["name"])


def _definition(scope: Scope, sent: Body) -> Body:
    """The job's definition; what is sent over that of an existing job, where it names one."""
    source = sent.get("sourceJobId")
    if not source:
        return copy.deepcopy(sent)
    name = str(source).rstrip("/").rsplit("/", 1)[-1]
    job, run = scope.get(runs.JOB, "jobs", name), scope.get(runs.RUN, name)
    if job is None or run is None:
        raise bad("action.jobDefinition.sourceJobId", f"Job '{name}' was not found.")
    kept = {key: value for key, value in copy.deepcopy(job["properties"]).items() if value is not None}
    found = {**kept, "experimentName": run["experimentName"], "tags": run["tags"], "description": run["description"]}
    for key in OVER:
        if sent.get(key):
            found[key] = {**(found.get(key) or {}), **sent[key]}
    found |= {key: sent[key] for key in ("experimentName", "description", "identity", "computeId") if sent.get(key)}
    return found


def _filled(given: Any, name: str, when: datetime) -> Any:
    """An input whose text may name the job, or the time that triggered it."""
    if not isinstance(given, dict) or not isinstance(given.get("value"), str):
        return given
    named = _NAME.sub(name, given["value"])
    return {**given, "value": _TRIGGER_TIME.sub(f"{when.astimezone(UTC):{TRIGGER_TIME}}", named)}


def _properties(schedule: Body, sent: Body) -> dict[str, str]:
    found = {
        "azureml.runLineageType": "genericTrigger",
        runs.SCHEDULE: schedule["name"],
        "azureml.genericTriggerVersionId": str(_version(schedule)),
    }
    if sent["jobType"] != "Pipeline":
        return found
    identity = (sent.get("identity") or {}).get("identityType")
    return {
        **found,
        "runSource": "Schedule",
        "azureml.sourcepipelinerunid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{schedule['id']} {_version(schedule)}")),
        **({"azureml.identityType": identity} if identity else {}),
    }


def _version(schedule: Body) -> int:
    """The time of the last change, in steps of 100 ns since 1601."""
    changed = datetime.fromisoformat(schedule["systemData"]["lastModifiedAt"])
    return (changed - FILETIME) // timedelta(microseconds=1) * 10


def trigger_of(schedule: Body, now: datetime) -> triggers.Trigger:
    """The times of a schedule.

    Raises:
        UserError: 400, naming the field.
    """
    sent = schedule["properties"]["trigger"]
    return triggers.read(sent, str(sent.get("triggerType")), now)


def _next(cloud: Cloud, key: str, due: datetime) -> datetime | None:
    schedule = cloud.store.get(KIND, key)
    return trigger_of(schedule, due).next(due) if schedule and schedule["properties"]["isEnabled"] else None


def _act(cloud: Cloud, key: str, due: datetime) -> None:
    schedule = cloud.store.get(KIND, key)
    scope = schedule and find_scope(cloud, schedule)
    if schedule and scope:
        fire(scope, schedule, due)


TIMERS = {TIMER: Kind(f"{WORKSPACES}/schedules/read", _next, _act)}
