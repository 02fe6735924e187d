"""`python -m department`: checks and converts stack files; tells costs and quotas; frees names; writes the docs."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from terminal import JsonOption, application, run

app = application("Check and convert a department's stack file, and answer what it costs, may use and blocks.")

StackFile = Annotated[Path, typer.Argument(metavar="FILE", help="Stack file, such as Pulumi.dev.yaml.")]
StackFiles = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Stack files, such as Pulumi.dev.yaml.")]


@app.command()
def check(files: StackFiles, as_json: JsonOption = False) -> int:
    """Validate the settings in stack files, without an engine. Exit code 1 if one cannot be used."""
    from department.commands import check as command  # noqa: PLC0415 - each command loads what it needs when it runs

    return command.run(files, as_json=as_json)


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="config.yml of amls_admin.")],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Stack file to write; printed if left out.")
    ] = None,
) -> int:
    """Make a stack file from a config.yml of BlueGranite's amls_admin scripts."""
    from department.commands import convert as command  # noqa: PLC0415

    return command.run(file, output)


@app.command()
def costs(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE...]", help="Stack files, such as Pulumi.dev.yaml.")
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="First read the prices from prices.azure.com; all regions without a FILE.")
    ] = False,
    table: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Table of the prices of VMs; the project's own if left out.")
    ] = None,
    services: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Table of the prices of services; the project's own if left out.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Tell what a department costs a month in US dollars: while idle, likely and at most."""
    if not files and not refresh:
        raise typer.BadParameter("name a stack file, or --refresh the prices.", param_hint="FILE")
    from department.commands import costs as command  # noqa: PLC0415

    return command.run(files or [], refresh=refresh, table=table, services=services, as_json=as_json)


@app.command()
def quota(
    file: StackFile,
    apply: Annotated[
        bool, typer.Option("--apply", help="First give the teams' workspaces the limits of their key 'quota'.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Compare the vCPUs that the compute can use at most with Azure's quota. Exit code 1 if one is too small."""
    from department.commands import quota as command  # noqa: PLC0415

    return command.run(file, apply=apply, as_json=as_json)


@app.command()
def purge(
    file: StackFile,
    only_check: Annotated[
        bool, typer.Option("--check", help="Only name the key vaults that block names. Exit code 1 if there are any.")
    ] = False,
    production: Annotated[bool, typer.Option("--production", help="Purge even a production stack's.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --check: print the result as JSON.")] = False,
) -> int:
    """Remove a stack's soft-deleted key vaults and its workspaces for good: also workspaces that still exist."""
    if as_json and not only_check:
        raise typer.BadParameter("goes with --check.", param_hint="--json")
    from department.commands import purge as command  # noqa: PLC0415

    return command.run(file, only_check=only_check, production=production, as_json=as_json)


@app.command()
def docs(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder for the pages.")] = Path("docs"),
) -> int:
    """Write the pages and JSON schemas that are generated from settings, components and outputs."""
    from department.commands import docs as command  # noqa: PLC0415

    return command.run(folder)


def explain(error: Exception) -> str | None:
    """The message of an expected failure: each of these errors says by itself what is wrong and what to do."""
    from department.commands.errors import EXPECTED  # noqa: PLC0415 - nothing of it is needed to succeed

    return str(error) if isinstance(error, EXPECTED) else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; its exit code: 0 success, 1 failure, 2 wrong usage."""
    return run(app, "python -m department", arguments, explain=explain)


if __name__ == "__main__":
    sys.exit(main())
