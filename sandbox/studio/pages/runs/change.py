"""What can be done with a run: cancel it, submit it again."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote

from sandbox.studio.azure import API
from sandbox.studio.history import History
from sandbox.studio.visit import Done, Visit

DEFINED = {
    "Command": (
        "codeId", "command", "distribution", "environmentId", "environmentVariables", "inputs", "limits", "outputs",
        "resources", "queueSettings",
    ),
    "Pipeline": ("inputs", "jobs", "outputs", "settings"),
    "Sweep": (
        "trial", "inputs", "outputs", "limits", "objective", "samplingAlgorithm", "searchSpace", "earlyTermination",
        "queueSettings", "resources",
    ),
}  # fmt: skip
"""What a definition has by job type; the rest of what a GET shows is the run's state."""
COMMON = ("jobType", "componentId", "computeId", "description", "displayName", "experimentName", "identity", "tags")
RETRY_OF = "retry_of"
"""Tag with the name of the run that was submitted again, as `python -m jobs retry` sets it."""


def cancel(visit: Visit) -> Done:
    """Asks for a run's end."""
    run = visit.path["run"]
    visit.azure.send("POST", f"{visit.workspace.arm}/jobs/{quote(run, safe='')}/cancel", api_version=API)
    return Done(visit.link(f"/runs/{run}"))


def retry(visit: Visit) -> Done:
    """Submits a run again, with its code, environment, inputs and settings."""
    run = visit.path["run"]
    own = History(visit).definition(run)
    kept = {name: own[name] for name in (*COMMON, *DEFINED[own["jobType"]]) if own.get(name) is not None}
    kept["tags"] = {**kept.get("tags", {}), RETRY_OF: run}
    kept["outputs"] = {name: _output(one, run) for name, one in kept.get("outputs", {}).items() if name != "default"}
    name = f"{run[:200]}_{secrets.token_hex(3)}"
    address = f"{visit.workspace.arm}/jobs/{quote(name, safe='')}"
    visit.azure.send("PUT", address, {"properties": kept}, api_version=API)
    return Done(visit.link(f"/runs/{name}"))


def _output(given: dict[str, Any], run: str) -> dict[str, Any]:
    """An output as it was asked for; its place is a new one, where the service chose the old."""
    is_own = f"/{run}/" in str(given.get("uri") or "")
    return {name: value for name, value in given.items() if value is not None and not (name == "uri" and is_own)}
