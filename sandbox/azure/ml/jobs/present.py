"""A job as a GET shows it: its definition with its run's state, and null for what is unset.

Which keys there are depends on the model of the api-version. Source: recordings of azure-ai-ml's command and pipeline
jobs of 2026-03 at 2024-01-01-preview and 2025-01-01-preview, listed in docs/fidelity/ml.md.
"""

import copy
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.scope import Scope

COMMON = ("identity", "componentId", "notificationSetting", "computeId")
SERVICE = ("port", "endpoint", "status", "errorMessage", "properties", "nodes")
COMMAND = ("codeId", "distribution", "limits")
RESOURCES = ("instanceType", "properties", "dockerArgs")
INPUT, OUTPUT = ("description",), ("description", "uri", "assetName")
# What only the models of the previews before 2025 have, and what only those after them.
EARLY = {
    "job": ("secretsConfiguration",),
    "command": ("autologgerSettings",),
    "sweep": ("componentConfiguration",),
    "resources": ("maxInstanceCount", "locations"),
    "data": ("pathOnCompute",),
    "output": ("assetVersion", "pathOnCompute", "autoDeleteSetting"),
    "queue": ("priority",),
}
# What the service does not tell of a schedule's pipeline: the recording of test_schedule_lifetime, 2024-02.
TIMES = ("startTimeUtc", "endTimeUtc")
UNTOLD = ("computeId", "identity", "settings", "jobs", "inputs", "outputs")
LATE = {"job": ("parentJobName",), "resources": ("dockerArgsList",)}


def early(api_version: str) -> bool:
    """Whether the api-version is a preview before 2025."""
    return api_version < "2025" and "preview" in api_version


def present(scope: Scope, job: Body, api_version: str) -> Body:
    """The job's resource."""
    run = scope.get(runs.RUN, job["name"]) or {}
    shown = copy.deepcopy({key: value for key, value in job.items() if key != "submitter"})
    own, more = shown["properties"], EARLY if early(api_version) else LATE
    properties = {
        **dict.fromkeys((*COMMON, *more["job"])),
        **own,
        "status": run.get("status"),
        "displayName": run.get("displayName"),
        "description": run.get("description"),
        "experimentName": run.get("experimentName"),
        "tags": run.get("tags", {}),
        "properties": run.get("properties", {}),
        "isArchived": run.get("hidden", False),
        "services": {**_services(scope, job), **interactive(job)},
        "inputs": {name: shown_input(one, more) for name, one in own["inputs"].items()},
        "outputs": {name: unset(one, OUTPUT, more.get("output")) for name, one in own["outputs"].items()},
    }
    if own["jobType"] in OWN:
        properties |= OWN[own["jobType"]](own, more)
        if own["jobType"] == "Command":
            properties["properties"] = {**properties["properties"], **_times(run)}
        default = _artifacts(scope, job)
        properties["outputs"] |= default and {"default": unset(default, OUTPUT, more.get("output"))}
    elif runs.SCHEDULE in properties["properties"]:
        properties |= dict.fromkeys(UNTOLD)
    shown["properties"] = properties
    return shown


def _times(run: Body) -> dict[str, str]:
    """When a command began and ended, as its properties have it.

    Source: what azure-ai-ml read of a job of 2026-03, in ansible-collections/azure, azure_rm_ml_job_info.py.
    """
    return {f"{name[0].upper()}{name[1:]}": run[name][:19].replace("T", " ") for name in TIMES if run.get(name)}


def unset(given: Body, *names: tuple[str, ...] | None) -> Body:
    """With null for the keys that are not there."""
    return {**{key: None for group in names for key in group or ()}, **given}


def shown_input(given: Body, more: dict[str, Any]) -> Body:
    """An input with null for what is unset."""
    return unset(given, INPUT, None if given["jobInputType"] == "literal" else more.get("data"))


def _command(own: Body, more: dict[str, Any]) -> Body:
    return {
        **dict.fromkeys((*COMMAND, *more.get("command", ()))),
        **{key: own[key] or None for key in COMMAND},
        **_nodes(own, more),
    }


def _sweep(own: Body, more: dict[str, Any]) -> Body:
    nodes, distribution = _nodes(own, more), own["trial"]["distribution"] or None
    return {
        **dict.fromkeys(more.get("sweep", ())),
        "trial": {**own["trial"], "distribution": distribution, "resources": nodes["resources"]},
        **nodes,
    }


def _nodes(own: Body, more: dict[str, Any]) -> Body:
    """What a job says of its nodes and of the queue for them."""
    return {
        "resources": unset({"shmSize": "2g", **own["resources"]}, RESOURCES, more["resources"]),
        "queueSettings": unset({"jobTier": "Null", **(own["queueSettings"] or {})}, more.get("queue")),
    }


OWN = {"Command": _command, "Sweep": _sweep}
"""What the job types have that write to the default output."""


def _services(scope: Scope, job: Body) -> Body:
    return {
        name: {**dict.fromkeys(SERVICE), "jobServiceType": name, "endpoint": endpoint}
        for name, endpoint in runs.addresses(scope, job["name"]).items()
        if name == "Studio" or job["properties"]["jobType"] != "Sweep"
    }


def _artifacts(scope: Scope, job: Body) -> Body:
    """The default output, left out where the artifacts' store has no key: clients would sign log addresses with one."""
    store = scope.get("resource", "datastores", "workspaceartifactstore")
    if store is None or store["properties"]["credentials"]["credentialsType"] == "None":
        return {}
    uri = f"azureml://datastores/workspaceartifactstore/{runs.artifact_prefix(job['name'])}"
    return {"jobOutputType": "uri_folder", "mode": "ReadWriteMount", "uri": uri}


def interactive(job: Body) -> Body:
    """The interactive services that a job asked for, none of which is started: their state says so."""
    return {
        name: {
            "port": None,
            "endpoint": None,
            "properties": None,
            "nodes": None,
            **one,
            "status": "Failed",
            "errorMessage": f"The sandbox starts no interactive services: {one['jobServiceType']} runs in Azure alone.",
        }
        for name, one in (job["properties"].get("services") or {}).items()
    }
