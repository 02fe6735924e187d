"""Batch endpoints: deploy, call with data, list the jobs, download the predictions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs import names
from jobs.commands.completion import known
from jobs.commands.logs import follow_run
from jobs.commands.options import OutputsOption, StackOption, TeamOption, connect, pairs
from jobs.commands.show import as_json as run_as_json
from jobs.defaults import CHEAPEST
from terminal import JsonOption, print_json, print_table

EndpointArgument = Annotated[
    str, typer.Argument(metavar="ENDPOINT", help="Name of a batch endpoint.", autocompletion=known("batchEndpoints"))
]
ToOption = Annotated[Path, typer.Option(help="Folder to download to; a folder of the job's name is made.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    group = typer.Typer(help="Batch endpoints: a model or pipeline that is called with the place of its data.")
    for command in (create, ls, invoke, jobs, download, delete):
        group.command()(command)
    app.add_typer(group, name="batch")


def create(
    endpoint: EndpointArgument,
    source: Annotated[
        str,
        typer.Argument(
            help="A batch deployment's or pipeline component's YAML, a folder with a batch.yml, or an MLflow model."
        ),
    ],
    *,
    name: Annotated[str | None, typer.Option(help="Name of the deployment.")] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Cluster to work on, or: cheapest.", autocompletion=known("clusters", CHEAPEST))
    ] = None,
    nodes: Annotated[int | None, typer.Option(min=1, help="Nodes that a job of a model uses.")] = None,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Deploy a model or a pipeline; calls go to it from then on."""
    from jobs.batch.deployments import Release, deploy  # noqa: PLC0415 - loads the outputs' model

    release = Release(source, name, cluster, nodes)
    made = deploy(connect(stack, outputs, team), endpoint, release, lambda line: print(line, flush=True))
    print(f"{endpoint} is served by {made}")


def ls(
    *, as_json: JsonOption = False, stack: StackOption = None, outputs: OutputsOption = None, team: TeamOption = None
) -> None:
    """List the endpoints with their deployments."""
    workspace = connect(stack, outputs, team)
    found = [_facts(*one) for one in workspace.resources.deployments("batchEndpoints")]
    names.remember(workspace.team.workspace, "batchEndpoints", (one["endpoint"] for one in found))
    if as_json:
        print_json(found)
    elif not found:
        print("no batch endpoints yet")
    else:
        rows = [[str(value) for value in one.values()] for one in found]
        print_table(("ENDPOINT", "DEPLOYMENT", "DEFAULT", "STATE", "SERVES", "CLUSTER"), rows)


def _facts(endpoint: dict[str, Any], deployment: dict[str, Any]) -> dict[str, Any]:
    from jobs.resources import asset_name, last_part  # noqa: PLC0415 - loads the outputs' model

    own = deployment["properties"]
    component = own.get("deploymentConfiguration") or {}
    served = (component.get("componentId") or own.get("model") or {}).get("assetId")
    compute = own.get("compute") or (component.get("settings") or {}).get("default_compute") or ""
    default = (endpoint["properties"].get("defaults") or {}).get("deploymentName")
    return {
        "endpoint": endpoint["name"],
        "deployment": deployment["name"],
        "default": deployment["name"] == default,
        "state": own.get("provisioningState") or "",
        "serves": asset_name(served),
        "cluster": last_part(compute).removeprefix("azureml:"),
    }


def invoke(
    endpoint: EndpointArgument,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATA]", help="DATASTORE/PATH, a local file or folder, azureml:NAME:VERSION, or an address."
        ),
    ] = None,
    *,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="NAME=VALUE", help="An input of a pipeline that has several."),
    ] = None,
    deployment: Annotated[str | None, typer.Option(help="This deployment, instead of the default one.")] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Follow the job's log to its end.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end without its log.")] = False,
    to: Annotated[
        Path | None, typer.Option(help="Wait, and download the predictions to a folder of the job's name in this one.")
    ] = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Begin a job on data. With --json, progress goes to standard error."""
    from jobs import runs  # noqa: PLC0415 - loads the outputs' model
    from jobs.batch import calls  # noqa: PLC0415

    progress = sys.stderr if as_json else sys.stdout
    workspace = connect(stack, outputs, team)
    job = calls.invoke(workspace, endpoint, source, pairs("--input", inputs or []), deployment)
    print(f"run {job}", file=progress, flush=True)
    followed = stream or wait or to is not None
    if followed:
        follow_run(workspace, job, progress, logs=stream)
    run = runs.show(workspace, job)
    folder = calls.download(workspace, job, to) if to is not None and run.status == "Completed" else None
    if folder:
        print(folder, file=progress)
    if as_json:
        print_json(run_as_json(run) | ({"folder": str(folder)} if folder else {}))
    runs.refuse_failed(run)


def jobs(
    endpoint: EndpointArgument,
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """List the jobs of an endpoint."""
    from jobs.batch.calls import listed  # noqa: PLC0415 - loads the outputs' model

    found = list(listed(connect(stack, outputs, team), endpoint))
    if as_json:
        print_json(found)
    elif not found:
        print(f"{endpoint} was not called yet")
    else:
        print_table(("JOB", "STATUS", "DEPLOYMENT"), [tuple(one.values()) for one in found])


def download(
    job: Annotated[str, typer.Argument(metavar="JOB", help="Name of a job, as batch jobs lists it.")],
    *,
    to: ToOption = Path(),
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Download a job's predictions."""
    from jobs.batch import calls  # noqa: PLC0415 - loads the outputs' model

    print(calls.download(connect(stack, outputs, team), job, to))


def delete(
    endpoint: EndpointArgument, *, stack: StackOption = None, outputs: OutputsOption = None, team: TeamOption = None
) -> None:
    """Delete a batch endpoint with its deployments."""
    from jobs.batch import deployments  # noqa: PLC0415 - loads the outputs' model

    deployments.delete(connect(stack, outputs, team), endpoint)
    print(f"batch endpoint {endpoint} is deleted")
