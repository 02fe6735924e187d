"""Online endpoints: deploy, promote, roll back, invoke."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs import names
from jobs.commands.completion import known
from jobs.commands.options import OutputsOption, StackOption, TeamOption, connect
from terminal import JsonOption, print_json, print_table

EndpointArgument = Annotated[
    str, typer.Argument(metavar="ENDPOINT", help="Name of an online endpoint.", autocompletion=known("onlineEndpoints"))
]
DeploymentOption = Annotated[
    str | None, typer.Option("--deployment", help="This deployment, instead of what the traffic says.")
]

_NO_DEPLOYMENT: dict[str, Any] = {"name": "", "properties": {}}


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    group = typer.Typer(help="Online endpoints: a model behind an address.")
    for command in (create, ls, promote, rollback, logs, delete):
        group.command()(command)
    app.add_typer(group, name="deploy")
    app.command()(invoke)


def create(
    endpoint: EndpointArgument,
    source: Annotated[
        str,
        typer.Argument(
            help="A deployment's YAML, a folder or example with one, or an MLflow model (NAME:VERSION).",
            autocompletion=known("models"),
        ),
    ],
    *,
    model: Annotated[
        str | None, typer.Option(metavar="NAME[:VERSION]", help="Model, instead of the one that the YAML names.")
    ] = None,
    traffic: Annotated[int, typer.Option(min=0, max=100, help="Per cent of the traffic that it gets.")] = 100,
    smoke: Annotated[
        Path | None,
        typer.Option(help="JSON file to try it with before it gets traffic (default: request.json beside the YAML)."),
    ] = None,
    vm_size: Annotated[str | None, typer.Option(help="VM size of its instances.")] = None,
    instances: Annotated[int | None, typer.Option(min=1, help="Number of its instances.")] = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Deploy a model beside the one that serves, try it, and give it traffic."""
    from jobs.serving import Release, deploy  # noqa: PLC0415 - loads the outputs' model

    release = Release(source, model, vm_size, instances, smoke, traffic)
    progress = sys.stderr if as_json else sys.stdout
    name = deploy(connect(stack, outputs, team), endpoint, release, lambda line: print(line, file=progress, flush=True))
    if as_json:
        print_json({"endpoint": endpoint, "deployment": name})


def ls(
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """List the endpoints with their deployments and traffic."""
    workspace = connect(stack, outputs, team)
    resources = workspace.resources
    found = []
    for endpoint in resources.list("onlineEndpoints"):
        deployments = list(resources.list("onlineEndpoints", endpoint["name"], "deployments"))
        found += [_facts(endpoint, deployment) for deployment in deployments or [_NO_DEPLOYMENT]]
    names.remember(workspace.team.workspace, "onlineEndpoints", (one["endpoint"] for one in found))
    if as_json:
        print_json(found)
    elif not found:
        print("no endpoints yet")
    else:
        titles = ("ENDPOINT", "DEPLOYMENT", "TRAFFIC", "STATE", "MODEL", "VM SIZE", "INSTANCES", "ADDRESS")
        print_table(titles, [[str(value) for value in one.values()] for one in found])


def _facts(endpoint: dict[str, Any], deployment: dict[str, Any]) -> dict[str, Any]:
    from jobs.resources import asset_name, last_part  # noqa: PLC0415 - loads the outputs' model

    own, inner = endpoint["properties"], deployment["properties"]
    return {
        "endpoint": endpoint["name"],
        "deployment": deployment["name"],
        "traffic": (own.get("traffic") or {}).get(deployment["name"], 0),
        "state": inner.get("provisioningState") or own.get("provisioningState") or "",
        "model": last_part(asset_name(inner.get("model"))),
        "vmSize": inner.get("instanceType") or "",
        "instances": (deployment.get("sku") or {}).get("capacity") or 0,
        "address": own.get("scoringUri") or "",
    }


def promote(
    endpoint: EndpointArgument,
    deployment: Annotated[str, typer.Argument(help="The deployment that gets the traffic: blue or green.")],
    *,
    traffic: Annotated[int, typer.Option(min=0, max=100, help="Per cent; the other one gets the rest.")] = 100,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Give a deployment more of the traffic, or all of it."""
    from jobs import serving  # noqa: PLC0415 - loads the outputs' model

    _print(endpoint, serving.promote(connect(stack, outputs, team), endpoint, deployment, traffic))


def rollback(
    endpoint: EndpointArgument, *, stack: StackOption = None, outputs: OutputsOption = None, team: TeamOption = None
) -> None:
    """Give all traffic back to the deployment before."""
    from jobs import serving  # noqa: PLC0415 - loads the outputs' model

    _print(endpoint, serving.roll_back(connect(stack, outputs, team), endpoint))


def _print(endpoint: str, traffic: dict[str, int]) -> None:
    from jobs.endpoints import words  # noqa: PLC0415 - loads the outputs' model

    print(f"traffic of {endpoint}: {words(traffic)}")


def logs(
    endpoint: EndpointArgument,
    *,
    deployment: DeploymentOption = None,
    lines: Annotated[int, typer.Option(min=1, help="The last lines of it.")] = 50,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Print a deployment's log."""
    from jobs import endpoints  # noqa: PLC0415 - loads the outputs' model

    print(endpoints.logs(connect(stack, outputs, team), endpoint, deployment, lines))


def delete(
    endpoint: EndpointArgument, *, stack: StackOption = None, outputs: OutputsOption = None, team: TeamOption = None
) -> None:
    """Delete an endpoint with its deployments."""
    from jobs import serving  # noqa: PLC0415 - loads the outputs' model

    serving.delete(connect(stack, outputs, team), endpoint)
    print(f"endpoint {endpoint} is deleted")


def invoke(
    endpoint: EndpointArgument,
    request: Annotated[Path, typer.Argument(help="JSON file to send.")],
    *,
    deployment: DeploymentOption = None,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Send a JSON file to an endpoint, and print the answer."""
    from jobs import endpoints  # noqa: PLC0415 - loads the outputs' model

    body = endpoints.read_request(request)
    print(endpoints.invoke(connect(stack, outputs, team), endpoint, body, deployment))
