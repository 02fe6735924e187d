"""Online endpoints: a model behind an address, changed blue/green without a lost request.

An endpoint has up to two deployments, `blue` and `green`. A new version goes to the one without traffic, is tried
there, and gets its share of the traffic afterwards. The one before stays until the next release, for a rollback.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jobs.errors import JobError, first_line, invalid
from jobs.models import find as find_model
from jobs.models import needs_script
from jobs.quiet import quietly
from jobs.workspace import Workspace

COLOURS = ("blue", "green")
DEFAULT_SIZE = "Standard_DS3_v2"
BEFORE = "deployed_before"
"""Tag of an endpoint with the deployment that served before the last release."""
_ALL = 100


@dataclass(frozen=True)
class Release:
    """What is deployed.

    Attributes:
        source: A deployment's YAML file (azure-ai-ml's managedOnlineDeployment), or an MLflow model, as `NAME:VERSION`.
        vm_size: VM size, instead of the file's.
        instances: Number of instances, instead of the file's.
        smoke: JSON file that is sent to the new deployment; without an answer in the 200s it gets no traffic.
        traffic: Per cent of the traffic that it gets after that.
    """

    source: str
    vm_size: str | None = None
    instances: int | None = None
    smoke: Path | None = None
    traffic: int = _ALL


def deploy(workspace: Workspace, endpoint: str, release: Release, say: Callable[[str], None]) -> str:
    """Deploy a model to an endpoint, which is made if there is none.

    Args:
        workspace: The team's workspace.
        endpoint: Name of the endpoint, unique in the region.
        release: What is deployed.
        say: Gets a line for each step.

    Returns:
        The name of the new deployment.

    Raises:
        JobError: The release is wrong, above the team's limits, or its deployment or smoke test failed: then the
            traffic is as it was, and the deployment is deleted.
    """
    _ensure(workspace, endpoint, say)
    traffic = _traffic(_endpoint(workspace, endpoint))
    name = next((colour for colour in COLOURS if not traffic.get(colour)), None)
    if name is None:
        raise JobError(
            f"both deployments of {endpoint} have traffic: {_words(traffic)}\n"
            f"  `python -m jobs deploy promote {endpoint} DEPLOYMENT` gives one of them all of it"
        )
    deployment = _deployment(workspace, endpoint, name, release)
    _check_limits(workspace, endpoint, deployment)
    say(f"deploying {release.source} as {name} of {endpoint}")
    try:
        quietly(lambda: workspace.client.online_deployments.begin_create_or_update(deployment).result())
        if release.smoke:
            say(f"smoke test: {invoke(workspace, endpoint, release.smoke, name)[:200]}")
    except Exception as error:  # azure-ai-ml passes on what its validators, storage and Azure raise, all kinds
        log = _last_log(workspace, endpoint, name)
        _withdraw(workspace, endpoint, name)
        said = str(error) if isinstance(error, JobError) else invalid(error)
        raise JobError(f"{name} of {endpoint} failed, and traffic is as before: {said}{log}") from error
    _share(workspace, endpoint, name, release.traffic, traffic, remember=True)
    say(f"traffic of {endpoint}: {_words(_traffic(_endpoint(workspace, endpoint)))}")
    return name


def _ensure(workspace: Workspace, endpoint: str, say: Callable[[str], None]) -> None:
    """Make an endpoint if there is none."""
    if workspace.resources.get("onlineEndpoints", endpoint) is None:
        from azure.ai.ml.entities import ManagedOnlineEndpoint  # noqa: PLC0415

        say(f"making endpoint {endpoint}")
        # Tokens of the caller, so that there is no key that could be passed on.
        new = ManagedOnlineEndpoint(name=endpoint, auth_mode="aad_token", tags=dict(workspace.team.tags))
        try:
            quietly(lambda: workspace.client.online_endpoints.begin_create_or_update(new).result())
        except Exception as error:
            raise JobError(f"endpoint {endpoint} cannot be made: {invalid(error)}") from error


def _deployment(workspace: Workspace, endpoint: str, name: str, release: Release) -> Any:
    from azure.ai.ml import load_online_deployment  # noqa: PLC0415
    from azure.ai.ml.entities import ManagedOnlineDeployment  # noqa: PLC0415

    path = Path(release.source)
    path = path / "deployment.yml" if path.is_dir() else path
    if path.is_file():
        try:
            made: Any = load_online_deployment(path)
        except Exception as error:
            raise JobError(f"{path}: {invalid(error)}") from error
        made.name, made.endpoint_name = name, endpoint
    else:
        model = find_model(workspace, release.source)
        if model.type != "mlflow_model":
            raise JobError(needs_script(release.source, str(model.type)))
        made = ManagedOnlineDeployment(name=name, endpoint_name=endpoint, model=model, instance_type=DEFAULT_SIZE)
        made.instance_count = 1
    made.instance_type = release.vm_size or made.instance_type or DEFAULT_SIZE
    made.instance_count = release.instances or made.instance_count or 1
    return made


def _check_limits(workspace: Workspace, endpoint: str, deployment: Any) -> None:
    """Refuse what the contract does not allow the team.

    Raises:
        JobError: The VM size or the number of instances is not allowed.
    """
    limits = workspace.team.serving
    sizes = limits.vm_sizes
    if sizes is not None and deployment.instance_type.lower() not in [size.lower() for size in sizes]:
        raise JobError(
            f"team {workspace.team_name} may not serve on {deployment.instance_type}; allowed: {', '.join(sizes)}"
        )
    if limits.max_instances is None:
        return
    used = 0
    for one in workspace.resources.list("onlineEndpoints"):
        for other in workspace.resources.list("onlineEndpoints", one["name"], "deployments"):
            if (one["name"], other["name"]) != (endpoint, deployment.name):
                used += int((other.get("sku") or {}).get("capacity") or 0)
    if used + deployment.instance_count > limits.max_instances:
        raise JobError(
            f"team {workspace.team_name} may serve {limits.max_instances} instances, and {used} are there: "
            f"{deployment.instance_count} more are too many; `python -m jobs deploy ls` lists them"
        )


def promote(workspace: Workspace, endpoint: str, name: str, share: int = _ALL) -> dict[str, int]:
    """Give a deployment a share of the traffic; the other one gets the rest. Returns the traffic.

    Raises:
        JobError: There is no such endpoint or deployment.
    """
    traffic = _traffic(_endpoint(workspace, endpoint))
    if not _is_there(workspace, endpoint, name):
        raise JobError(f"endpoint {endpoint} has no deployment '{name}'; its traffic: {_words(traffic) or 'none'}")
    _share(workspace, endpoint, name, share, traffic)
    return _traffic(_endpoint(workspace, endpoint))


def roll_back(workspace: Workspace, endpoint: str) -> dict[str, int]:
    """Give all traffic to the deployment that served before the last release. Returns the traffic.

    Raises:
        JobError: There is no such endpoint, or nothing served before.
    """
    before = (_endpoint(workspace, endpoint).get("tags") or {}).get(BEFORE)
    if not before or not _is_there(workspace, endpoint, before):
        raise JobError(f"endpoint {endpoint} has no deployment from before the last release, so none to go back to")
    return promote(workspace, endpoint, before)


def invoke(workspace: Workspace, endpoint: str, request: Path, deployment: str | None = None) -> str:
    """Send a JSON file to an endpoint and return the answer.

    It does not use azure-ai-ml's own invoke (1.35), which sends no valid token to an endpoint of `aad_token`.

    Raises:
        JobError: The file is no JSON, there is no such endpoint, or it answered with an error.
    """
    from azure.core.rest import HttpRequest  # noqa: PLC0415

    try:
        body = json.loads(request.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JobError(f"{request}: {getattr(error, 'strerror', None) or f'is not JSON: {error}'}") from None
    address = _endpoint(workspace, endpoint)["properties"]["scoringUri"]
    keys: Any = workspace.client.online_endpoints.get_keys(endpoint)
    headers = {"Authorization": f"Bearer {getattr(keys, 'primary_key', None) or keys.access_token}"}
    if deployment:
        headers["azureml-model-deployment"] = deployment
    response = _sender().send_request(HttpRequest("POST", address, headers=headers, json=body))
    text: str = response.text()
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        code = response.headers.get("ms-azureml-model-error-statuscode") or response.status_code
        raise JobError(f"{endpoint} answered {code}: {first_line(text)}")
    return text


def _sender() -> Any:
    from azure.core import PipelineClient  # noqa: PLC0415
    from azure.core.pipeline import policies  # noqa: PLC0415

    # A request that was refused is not repeated: a scoring script may count it.
    return PipelineClient("https://ml.azure.com", policies=[policies.RetryPolicy(retry_total=0, retry_connect=3)])


def logs(workspace: Workspace, endpoint: str, deployment: str | None, lines: int) -> str:
    """Return the last lines of a deployment's log; of the one with most traffic if none is named."""
    traffic = _traffic(_endpoint(workspace, endpoint))
    name = deployment or max(traffic, key=lambda one: traffic[one], default="blue")
    if not _is_there(workspace, endpoint, name):
        raise JobError(f"endpoint {endpoint} has no deployment '{name}'")
    found: str = workspace.client.online_deployments.get_logs(name, endpoint, lines=lines)
    return found


def delete(workspace: Workspace, endpoint: str) -> None:
    """Delete an endpoint with its deployments."""
    _endpoint(workspace, endpoint)  # says clearly when there is none
    quietly(lambda: workspace.client.online_endpoints.begin_delete(endpoint).result())


def _endpoint(workspace: Workspace, endpoint: str) -> dict[str, Any]:
    """Return an endpoint as the resource manager shows it.

    Raises:
        JobError: There is no such endpoint.
    """
    found = workspace.resources.get("onlineEndpoints", endpoint)
    if found is None:
        raise JobError(
            f"{workspace.team.workspace} has no endpoint '{endpoint}'; `python -m jobs deploy ls` lists them"
        )
    return found


def _traffic(endpoint: dict[str, Any]) -> dict[str, int]:
    """Return the per cent of the requests that each deployment gets."""
    return {name: int(share) for name, share in (endpoint["properties"].get("traffic") or {}).items()}


def _is_there(workspace: Workspace, endpoint: str, deployment: str) -> bool:
    return workspace.resources.get("onlineEndpoints", endpoint, "deployments", deployment) is not None


def _share(
    workspace: Workspace, endpoint: str, name: str, share: int, before: dict[str, int], *, remember: bool = False
) -> None:
    """Give a deployment a share of the traffic and the other one the rest; remember that one for a rollback."""
    other = max((one for one in before if one != name), key=lambda one: before[one], default=None)
    if other is None or not before[other]:
        share = _ALL
    found = workspace.client.online_endpoints.get(endpoint)
    found.traffic = {name: share} | ({other: _ALL - share} if other else {})
    if remember and other and before[other]:
        found.tags = {**(found.tags or {}), BEFORE: other}
    quietly(lambda: workspace.client.online_endpoints.begin_create_or_update(found).result())


def _withdraw(workspace: Workspace, endpoint: str, name: str) -> None:
    if _is_there(workspace, endpoint, name):
        quietly(lambda: workspace.client.online_deployments.begin_delete(name, endpoint).result())


def _last_log(workspace: Workspace, endpoint: str, name: str, lines: int = 40) -> str:
    """Return the end of the log of a deployment that failed, indented; empty where it has none."""
    from azure.core.exceptions import AzureError  # noqa: PLC0415

    try:
        text = workspace.client.online_deployments.get_logs(name, endpoint, lines=lines)
    except AzureError:
        return ""
    return "".join(f"\n  | {line}" for line in str(text).strip().splitlines()[-lines:])


def _words(traffic: dict[str, int]) -> str:
    return ", ".join(f"{name} {share} %" for name, share in sorted(traffic.items()))
