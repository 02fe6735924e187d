"""Registered models, the gate before a release, and environments."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.assets import print_assets
from jobs.commands.completion import known
from jobs.commands.options import OutputsOption, ReadRunArgument, StackOption, TeamOption, connect
from jobs.defaults import ModelType
from jobs.errors import JobError
from terminal import JsonOption, print_json, print_table

ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL[:VERSION]", help="A model; its latest version if none is named.", autocompletion=known("models")
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    group = typer.Typer(help="Registered models.")
    for command in (ls, compare, gate, download, promote):
        group.command()(command)
    group.command("register")(register_model)
    app.add_typer(group, name="models")
    app.command()(environments)


def ls(
    name: Annotated[
        str | None, typer.Argument(help="List all versions of this model.", autocompletion=known("models"))
    ] = None,
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """List the models, or the versions of one."""
    print_assets(connect(stack, outputs, team), "models", name, as_json)


def register_model(
    name: Annotated[str, typer.Argument(help="Name of the model.")],
    path: Annotated[
        str,
        typer.Argument(
            help="A file, a folder, a run's output (azureml://jobs/RUN/outputs/NAME), or a run.",
            autocompletion=known("runs", "latest"),
        ),
    ],
    *,
    kind: Annotated[ModelType, typer.Option("--type", help="What it is.")] = "custom_model",
    description: Annotated[str, typer.Option(help="What it is, for people.")] = "",
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Register a model from files or from a run."""
    from jobs import models, runs  # noqa: PLC0415 - loads the outputs' model

    workspace = connect(stack, outputs, team)
    if "://" in path or Path(path).exists():
        made = models.register(workspace, name, path, kind, description)
        version = str(made.version)
    elif "/" in path:
        raise JobError(f"{path}: no such file or folder, and no run has this name")
    else:
        version = models.register_run(workspace, runs.show(workspace, runs.named(workspace, path)), name)
    if as_json:
        print_json({"model": name, "version": version})
    else:
        print(f"registered model {name}, version {version}")


def compare(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL[:VERSION]...", help="Models to compare.", autocompletion=known("models")),
    ],
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Show versions side by side: their runs, metrics and descriptions."""
    from jobs.models import find  # noqa: PLC0415 - loads the outputs' model

    workspace = connect(stack, outputs, team)
    found = [find(workspace, name) for name in models]
    facts = [
        {
            "model": f"{one.name}:{one.version}",
            "type": str(one.type or ""),
            "description": one.description or "",
            **{key: str(value) for key, value in (one.properties or {}).items() if not key.startswith("azureml.")},
            **{f"tag {key}": str(value) for key, value in (one.tags or {}).items()},
        }
        for one in found
    ]
    if as_json:
        print_json(facts)
        return
    keys = list(dict.fromkeys(key for fact in facts for key in fact))
    titles, *rows = [(key, *(fact.get(key, "") for fact in facts)) for key in keys]
    print_table(titles, rows)


def gate(
    run: ReadRunArgument,
    endpoint: Annotated[
        str,
        typer.Argument(
            metavar="ENDPOINT",
            help="The endpoint whose model the run is to replace.",
            autocompletion=known("onlineEndpoints"),
        ),
    ],
    *,
    metrics: Annotated[
        list[str], typer.Option("--metric", metavar="NAME", help="A metric to hold against; may be repeated.")
    ],
    tolerance: Annotated[float, typer.Option(min=0, help="By how much the run may be worse.")] = 0,
    lower: Annotated[bool, typer.Option("--lower-is-better", help="A smaller value is the better one.")] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Exit with 1 if a run's metrics are worse than those of the model that serves."""
    from jobs import gate as gates  # noqa: PLC0415 - loads the outputs' model
    from jobs import runs  # noqa: PLC0415

    workspace = connect(stack, outputs, team)
    described = runs.show(workspace, runs.named(workspace, run))
    before = gates.serving_model(workspace, endpoint)
    runs.refuse_failed(described)
    model, properties = before or ("", {})
    rules = [gates.Rule(metric, tolerance, lower) for metric in metrics] if before else []
    held = gates.hold(described, model, properties, rules)
    if as_json:
        print_json({"run": run, "serving": model or None, "metrics": [asdict(one) for one in held]})
    elif before is None:
        print(f"{endpoint} serves nothing yet, so there is nothing to hold run {run} against")
    else:
        rows = [(one.metric, f"{one.run:.6g}", f"{one.serving:.6g}", "yes" if one.allowed else "NO") for one in held]
        print_table(("METRIC", run, model, "GOOD ENOUGH"), rows)
    if worse := [one.metric for one in held if not one.allowed]:
        raise JobError(f"run {run} is worse than {model}, which serves, in {', '.join(worse)}: it is not released")


def download(
    model: ModelArgument,
    *,
    to: Annotated[Path, typer.Option(help="Folder in which a folder of the model's name is made.")] = Path(),
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Download a model's files."""
    from jobs import models  # noqa: PLC0415 - loads the outputs' model

    workspace = connect(stack, outputs, team)
    print(models.download(workspace, models.find(workspace, model), to))


def promote(
    model: ModelArgument,
    *,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Copy a model to the department's registry."""
    from jobs import models  # noqa: PLC0415 - loads the outputs' model

    workspace = connect(stack, outputs, team)
    print(f"promoted to {models.promote(workspace, models.find(workspace, model))}")


def environments(
    name: Annotated[
        str | None, typer.Argument(help="List all versions of this environment.", autocompletion=known("environments"))
    ] = None,
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """List the environments, or the versions of one."""
    print_assets(connect(stack, outputs, team), "environments", name, as_json)
