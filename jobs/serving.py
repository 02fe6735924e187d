"""Online endpoints: a model behind an address, changed blue/green without a lost request.

An endpoint has up to two deployments, `blue` and `green`. A new version goes to the one without traffic, is tried
there, and gets its share of the traffic afterwards. The one before stays until the next release, for a rollback.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs import endpoints
from jobs.errors import JobError, invalid
from jobs.models import find as find_model
from jobs.models import needs_script
from jobs.quiet import quietly
from jobs.submission import examples
from jobs.workspace import Workspace

COLOURS = ("blue", "green")
DEFAULT_SIZE = "Standard_DS3_v2"
BEFORE = "deployed_before"
"""Tag of an endpoint with the deployment that served before the last release."""
_ALL = 100
_FILE, _REQUEST = "deployment.yml", "request.json"
_SHOWN = 200  # characters of an answer


@dataclass(frozen=True)
class Release:
    """What is deployed.

    Attributes:
        source: A deployment's YAML file (azure-ai-ml's managedOnlineDeployment), a folder or an example with a
            `deployment.yml`, or an MLflow model, as `NAME:VERSION`.
        model: Model, as `NAME` or `NAME:VERSION`, instead of the file's.
        vm_size: VM size, instead of the file's.
        instances: Number of instances, instead of the file's.
        smoke: JSON file that is sent to the new deployment; without an answer in the 200s it gets no traffic.
            None: the `request.json` beside the deployment's file, if there is one.
        traffic: Per cent of the traffic that it gets after that.
    """

    source: str
    model: str | None = None
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
    smoke = release.smoke or _beside(release.source)
    request = endpoints.read_request(smoke) if smoke else None
    traffic = endpoints.traffic(workspace.resources.get("onlineEndpoints", endpoint))
    name = next((colour for colour in COLOURS if not traffic.get(colour)), None)
    if name is None:
        raise JobError(
            f"both deployments of {endpoint} have traffic: {endpoints.words(traffic)}\n"
            f"  `python -m jobs deploy promote {endpoint} DEPLOYMENT` gives one of them all of it"
        )
    deployment = _deployment(workspace, endpoint, name, release)
    _check_limits(workspace, endpoint, deployment)
    _ensure(workspace, endpoint, say)
    say(f"deploying {release.source} as {name} of {endpoint}")
    is_new = False
    try:
        quietly(lambda: workspace.client.online_deployments.begin_create_or_update(deployment).result())
        is_new = True
        if smoke:
            say(f"smoke test: {endpoints.invoke(workspace, endpoint, request, name)[:_SHOWN]}")
    except Exception as error:  # azure-ai-ml passes on what its validators, storage and Azure raise, all kinds
        # Where Azure refused it at once, the deployment of that name is the one before, and stays.
        kept = not is_new and endpoints.works(workspace, endpoint, name)
        log = "" if kept else endpoints.last_log(workspace, endpoint, name)
        if not kept:
            _withdraw(workspace, endpoint, name)
        said = str(error) if isinstance(error, JobError) else invalid(error)
        raise JobError(f"{name} of {endpoint} failed, and traffic is as before: {said}{log}") from error
    _share(workspace, endpoint, name, release.traffic, traffic, remember=True)
    say(f"traffic of {endpoint}: {endpoints.words(endpoints.traffic(endpoints.find(workspace, endpoint)))}")
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


def _file(source: str) -> Path | None:
    """Return a deployment's file: itself, in a folder, or an example's; None where the source is none of these."""
    tried = (Path(source), Path(source) / _FILE, examples.FOLDER / source / _FILE)
    return next((path for path in tried if path.is_file()), None)


def _beside(source: str) -> Path | None:
    """Return the request that lies beside a deployment's file."""
    file = _file(source)
    request = file.with_name(_REQUEST) if file else None
    return request if request and request.is_file() else None


def _deployment(workspace: Workspace, endpoint: str, name: str, release: Release) -> Any:
    from azure.ai.ml import load_online_deployment  # noqa: PLC0415
    from azure.ai.ml.entities import ManagedOnlineDeployment  # noqa: PLC0415

    path = _file(release.source)
    if path:
        try:
            made: Any = load_online_deployment(path)
        except Exception as error:
            raise JobError(f"{path}: {invalid(error)}") from error
        made.name, made.endpoint_name = name, endpoint
        if release.model:
            made.model = find_model(workspace, release.model).id
    elif release.model:
        raise JobError(f"--model goes with a deployment's YAML, and {release.source} is none")
    else:
        model = find_model(workspace, release.source)
        if model.type != "mlflow_model":
            told = needs_script(release.source, str(model.type))
            copied = examples.FOLDER / "highspenders" / _FILE
            raise JobError(f"{told}\n  one to copy: {copied}; --model takes this model")
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
    used = sum(
        int((other.get("sku") or {}).get("capacity") or 0)
        for one, other in workspace.resources.deployments("onlineEndpoints")
        if (one["name"], other["name"]) != (endpoint, deployment.name)
    )
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
    traffic = endpoints.traffic(endpoints.find(workspace, endpoint))
    if not endpoints.has(workspace, endpoint, name):
        raise JobError(
            f"endpoint {endpoint} has no deployment '{name}'; its traffic: {endpoints.words(traffic) or 'none'}"
        )
    _share(workspace, endpoint, name, share, traffic)
    return endpoints.traffic(endpoints.find(workspace, endpoint))


def roll_back(workspace: Workspace, endpoint: str) -> dict[str, int]:
    """Give all traffic to the deployment that served before the last release. Returns the traffic.

    Raises:
        JobError: There is no such endpoint, or nothing served before.
    """
    before = (endpoints.find(workspace, endpoint).get("tags") or {}).get(BEFORE)
    if not before or not endpoints.has(workspace, endpoint, before):
        raise JobError(f"endpoint {endpoint} has no deployment from before the last release, so none to go back to")
    return promote(workspace, endpoint, before)


def delete(workspace: Workspace, endpoint: str) -> None:
    """Delete an endpoint with its deployments."""
    endpoints.find(workspace, endpoint)  # says clearly when there is none
    quietly(lambda: workspace.client.online_endpoints.begin_delete(endpoint).result())


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
    if endpoints.has(workspace, endpoint, name):
        quietly(lambda: workspace.client.online_deployments.begin_delete(name, endpoint).result())
