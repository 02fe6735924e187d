"""Files of the team's datastores, and data assets."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.assets import print_assets
from jobs.commands.completion import known
from jobs.commands.options import OutputsOption, StackOption, TeamOption, connect
from jobs.defaults import DataType
from terminal import JsonOption, print_json, print_table

PlaceArgument = Annotated[
    str,
    typer.Argument(
        metavar="DATASTORE[/PATH]", help="A place in a datastore of the team.", autocompletion=known("datastores")
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    group = typer.Typer(help="Files of the team's datastores, and data assets.", no_args_is_help=False)
    group.command()(push)
    group.command()(ls)
    group.command("register")(register_asset)
    group.command()(assets)
    app.add_typer(group, name="data")


def push(
    source: Annotated[Path, typer.Argument(help="A file, or a folder with all that is below it.")],
    to: PlaceArgument,
    *,
    register_as: Annotated[
        str | None, typer.Option("--register", metavar="NAME", help="Register it as the next version of a data asset.")
    ] = None,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Upload files. What the datastore has already is not sent again."""
    from jobs import data  # noqa: PLC0415 - loads the outputs' model

    workspace = connect(stack, outputs, team)
    place = data.place(workspace, to)
    data.push(workspace, source, place, print)
    if register_as:
        path = place.address if source.is_dir() or place.path else f"{place.address}{source.name}"
        kind: DataType = "uri_folder" if source.is_dir() else "uri_file"
        asset = data.register(workspace, register_as, path, kind)
        print(f"registered data {asset.name}, version {asset.version}")


def ls(
    where: PlaceArgument,
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """List the files and folders of a datastore's folder."""
    from jobs import data  # noqa: PLC0415 - loads the outputs' model

    workspace = connect(stack, outputs, team)
    found = data.entries(workspace, data.place(workspace, where))
    if as_json:
        print_json([asdict(one) for one in found])
    elif not found:
        print("nothing there")
    else:
        rows = [(f"{one.path}/" if one.folder else one.path, str(one.size or "-"), one.changed) for one in found]
        print_table(("PATH", "BYTES", "CHANGED"), rows)


def register_asset(
    name: Annotated[str, typer.Argument(help="Name of the data asset.")],
    path: Annotated[str, typer.Argument(help="azureml://…, or a local file or folder, which is uploaded.")],
    *,
    kind: Annotated[
        DataType | None,
        typer.Option("--type", help="Its type; if left out, uri_file for a local file, else uri_folder."),
    ] = None,
    version: Annotated[str | None, typer.Option(help="Its version, instead of the next one.")] = None,
    description: Annotated[str, typer.Option(help="What it is, for people.")] = "",
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Register a data asset."""
    from jobs import data  # noqa: PLC0415 - loads the outputs' model

    asset = data.register(connect(stack, outputs, team), name, path, kind, version=version, description=description)
    print(f"registered data {asset.name}, version {asset.version}: {asset.path}")


def assets(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="List all versions of this one.", autocompletion=known("data"))
    ] = None,
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """List the data assets with their latest version, or the versions of one and where they lie."""
    print_assets(connect(stack, outputs, team), "data", name, as_json)
