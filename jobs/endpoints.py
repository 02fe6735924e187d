"""Online endpoints as they are: their deployments, traffic, answers and logs. `jobs.serving` changes them."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jobs.errors import JobError, first_line
from jobs.workspace import Workspace
from terminal import read_text

_AUDIENCE = "https://ml.azure.com/.default"


def find(workspace: Workspace, endpoint: str) -> dict[str, Any]:
    """Return an endpoint as the resource manager shows it.

    Raises:
        JobError: There is no such endpoint.
    """
    return workspace.existing("onlineEndpoints", endpoint)


def traffic(endpoint: dict[str, Any] | None) -> dict[str, int]:
    """Return the per cent of the requests that each deployment gets; of an endpoint that is not there, nothing."""
    own = endpoint["properties"] if endpoint else {}
    return {name: int(share) for name, share in (own.get("traffic") or {}).items()}


def words(traffic: dict[str, int]) -> str:
    """Return a traffic for people, such as `blue 90 %, green 10 %`."""
    return ", ".join(f"{name} {share} %" for name, share in sorted(traffic.items()))


def serving(endpoint: dict[str, Any] | None) -> str | None:
    """Return the deployment that gets most of the requests; None where none gets any."""
    shares = {name: share for name, share in traffic(endpoint).items() if share}
    return max(shares, key=lambda name: shares[name], default=None)


def has(workspace: Workspace, endpoint: str, deployment: str) -> bool:
    """Return whether an endpoint has a deployment of that name."""
    return workspace.resources.get("onlineEndpoints", endpoint, "deployments", deployment) is not None


def works(workspace: Workspace, endpoint: str, deployment: str) -> bool:
    """Return whether an endpoint has a deployment of that name, which was made without a failure."""
    found = workspace.resources.get("onlineEndpoints", endpoint, "deployments", deployment)
    return found is not None and found["properties"].get("provisioningState") == "Succeeded"


def read_request(path: Path) -> Any:
    """Read a file that is sent to an endpoint.

    Raises:
        JobError: It cannot be read, or is no JSON.
    """
    try:
        return json.loads(read_text(path))
    except (OSError, ValueError) as error:
        raise JobError(f"{path}: {getattr(error, 'strerror', None) or f'is not JSON: {error}'}") from None


def invoke(workspace: Workspace, endpoint: str, body: Any, deployment: str | None = None) -> str:
    """Send JSON to an endpoint, or to one of its deployments, and return the answer.

    It does not use azure-ai-ml's own invoke (1.35), which sends no valid token to an endpoint of `aad_token`, and
    whose import takes longer than the answer.

    Raises:
        JobError: There is no such endpoint, or it answered with an error.
    """
    from azure.core.rest import HttpRequest  # noqa: PLC0415

    own = find(workspace, endpoint)["properties"]
    headers = {"Authorization": f"Bearer {_secret(workspace, endpoint, own['authMode'])}"}
    if deployment:
        headers["azureml-model-deployment"] = deployment
    response = _sender().send_request(HttpRequest("POST", own["scoringUri"], headers=headers, json=body))
    text: str = response.text()
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        code = response.headers.get("ms-azureml-model-error-statuscode") or response.status_code
        raise JobError(f"{endpoint} answered {code}: {first_line(text)}")
    return text


def _secret(workspace: Workspace, endpoint: str, mode: str) -> str:
    """Return what an endpoint of this mode of authentication wants to see: a key, its own token, or the caller's."""
    if mode == "AADToken":
        return workspace.credential.get_token(_AUDIENCE).token
    action, name = ("listKeys", "primaryKey") if mode == "Key" else ("token", "accessToken")
    return str(workspace.resources.post("onlineEndpoints", endpoint, action)[name])


def _sender() -> Any:
    from azure.core import PipelineClient  # noqa: PLC0415
    from azure.core.pipeline import policies  # noqa: PLC0415

    # A request that was refused is not repeated: a scoring script may count it.
    return PipelineClient("https://ml.azure.com", policies=[policies.RetryPolicy(retry_total=0, retry_connect=3)])


def logs(workspace: Workspace, endpoint: str, deployment: str | None, lines: int) -> str:
    """Return the last lines of a deployment's log; of the one with most traffic if none is named."""
    name = deployment or serving(find(workspace, endpoint)) or "blue"
    if not has(workspace, endpoint, name):
        raise JobError(f"endpoint {endpoint} has no deployment '{name}'")
    found: str = workspace.client.online_deployments.get_logs(name, endpoint, lines=lines)
    return found


def last_log(workspace: Workspace, endpoint: str, name: str, lines: int = 40) -> str:
    """Return the end of the log of a deployment that failed, indented; empty where it has none."""
    from azure.core.exceptions import AzureError  # noqa: PLC0415

    try:
        text = workspace.client.online_deployments.get_logs(name, endpoint, lines=lines)
    except AzureError:
        return ""
    return "".join(f"\n  | {line}" for line in str(text).strip().splitlines()[-lines:])
