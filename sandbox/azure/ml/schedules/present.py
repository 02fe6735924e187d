"""A schedule as the service shows it.

Source: recordings of azure-ai-ml's test_schedule of 2023-10 and 2024-02 at 2023-06-01-preview, listed in
docs/fidelity/clock.md. A schedule has no id and no type there.
"""

from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.jobs.present import COMMON, EARLY, LATE, RESOURCES, early, shown_input, unset
from sandbox.azure.ml.triggers import triggers

PIPELINE = ("settings", "jobs", "inputs", "outputs", "sourceJobId")
COMMAND = (
    "codeId",
    "command",
    "environmentId",
    "inputs",
    "outputs",
    "distribution",
    "limits",
    "environmentVariables",
    "parameters",
    "queueSettings",
)
SHOWN = ("description", "tags", "properties", "displayName", "isEnabled")


def present(schedule: Body, state: str, api_version: str, *, sent: Body | None = None) -> Body:
    """The schedule.

    Args:
        schedule: Its document.
        state: Its provisioning state.
        api_version: The version that is asked for.
        sent: The trigger that was sent, where this answers a PUT: what the service fills in later is not there yet.
    """
    own, answer = schedule["properties"], sent is not None
    trigger = triggers.present(own["trigger"] if sent is None else sent)
    recurs = trigger["triggerType"] == triggers.RECURRENCE
    if recurs and not answer and not any((trigger.get("schedule") or {}).values()):
        trigger["schedule"] = None
    action = own["action"]
    properties = {
        **{key: own[key] for key in SHOWN},
        "trigger": trigger,
        "action": {**action, "jobDefinition": _job(action["jobDefinition"], api_version, answer=answer)},
        "provisioningState": state,
    }
    if answer:
        return {"properties": properties}
    return {"name": schedule["name"], "properties": properties, "systemData": schedule["systemData"]}


def _job(sent: Body, api_version: str, *, answer: bool) -> Body:
    is_command = sent["jobType"] == "Command"
    more = EARLY if early(api_version) else LATE
    kind = (*COMMAND, *more.get("command", ())) if is_command else PIPELINE
    shown: Body = {
        **dict.fromkeys(("description", "tags", "properties", "displayName", "services", *COMMON, *more["job"], *kind)),
        "experimentName": runs.DEFAULT_EXPERIMENT,
        "isArchived": False,
        **{key: value for key, value in sent.items() if value is not None},
        "status": "NotStarted",
    }
    shown["inputs"] = sent.get("inputs") and {name: _data(one, more) for name, one in sent["inputs"].items()}
    shown["outputs"] = sent.get("outputs") and {
        name: {"description": None, "mode": "ReadWriteMount", **one} for name, one in sent["outputs"].items()
    }
    if is_command:
        shown["resources"] = unset(
            {"instanceCount": 1, "shmSize": "2g", **(sent.get("resources") or {})}, RESOURCES, more["resources"]
        )
        queue = sent.get("queueSettings")
        if queue is not None or not answer:
            shown["queueSettings"] = unset({"jobTier": "Null", **(queue or {})}, more.get("queue"))
        if not answer:
            shown["services"] = shown["services"] or {}
    return shown


def _data(given: Any, more: Body) -> Any:
    if given.get("jobInputType") == "literal":
        return shown_input(given, more)
    return {"description": None, "mode": "ReadOnlyMount", **given}
