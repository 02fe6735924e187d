"""Why a run is still queued."""

from __future__ import annotations

from typing import Any

from jobs.resources import last_part
from jobs.workspace import Workspace


def why(workspace: Workspace, job: dict[str, Any] | None) -> str | None:
    """Say what a queued run waits for; None where its cluster does not tell.

    Args:
        workspace: The team's workspace.
        job: The run as the resource manager shows it, which for a step or trial may be nothing.

    Raises:
        AzureError: Azure was not reached, or refused.
    """
    own = (job or {}).get("properties") or {}
    cluster = last_part(own.get("computeId"))
    compute = (workspace.resources.get("computes", cluster) if cluster else None) or {}
    inner = (compute.get("properties") or {}).get("properties") or {}
    problems = [one.get("error", {}).get("message", "") for one in inner.get("errors") or ()]
    if problems:
        return f"{cluster}: {' '.join(problems)}"
    most = (inner.get("scaleSettings") or {}).get("maxNodeCount")
    if most is None:
        return None
    counts = inner.get("nodeStateCounts") or {}
    if counts.get("runningNodeCount", 0) >= most:
        return f"all {most} nodes of {cluster} are busy"
    return f"{cluster} makes a node ready"
