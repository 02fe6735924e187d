"""Registered models and environments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.assets import print_assets
from jobs.commands.completion import known
from jobs.commands.options import OutputsOption, StackOption, TeamOption, connect
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
    for command in (ls, compare, download, promote):
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
        str, typer.Argument(help="A file, a folder, a run's output (azureml://jobs/RUN/outputs/NAME), or a run's name.")
    ],
    *,
    kind: Annotated[str, typer.Option("--type", help="custom_model, mlflow_model or triton_model.")] = "custom_model",
    description: Annotated[str, typer.Option(help="What it is, for people.")] = "",
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
    else:
        version = runs.register(workspace, runs.show(workspace, path), name)
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
