"""`python -m department`: checks and converts stack files; tells costs and quotas; frees names; writes the docs."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Check and convert a department's stack file, and answer what it costs, may use and blocks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StackFile = Annotated[Path, typer.Argument(metavar="FILE", help="Stack file, such as Pulumi.dev.yaml.")]
StackFiles = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Stack files, such as Pulumi.dev.yaml.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command()
def check(files: StackFiles, as_json: AsJson = False) -> None:
    """Validate the settings in stack files, without an engine. Exit code 1 if one cannot be used."""
    from department.commands import check as command  # noqa: PLC0415 - each command loads what it needs when it runs

    raise typer.Exit(command.run(files, as_json=as_json))


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="config.yml of amls_admin.")],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Stack file to write; printed if left out.")
    ] = None,
) -> None:
    """Make a stack file from a config.yml of BlueGranite's amls_admin scripts."""
    from department.commands import convert as command  # noqa: PLC0415

    raise typer.Exit(command.run(file, output))


@app.command()
def costs(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE...]", help="Stack files, such as Pulumi.dev.yaml.")
    ] = None,
    refresh: Annotated[
        bool, typer.Option(help="First read the prices from prices.azure.com; all regions without a FILE.")
    ] = False,
    table: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Table of prices; the project's own if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what a department's compute costs a month in US dollars, while idle and at most."""
    if not files and not refresh:
        raise typer.BadParameter("name a stack file, or --refresh the prices.", param_hint="FILE")
    from department.commands import costs as command  # noqa: PLC0415

    raise typer.Exit(command.run(files or [], refresh=refresh, table=table, as_json=as_json))


@app.command()
def quota(file: StackFile, as_json: AsJson = False) -> None:
    """Compare the vCPUs that the compute can use at most with Azure's quota. Exit code 1 if one is too small."""
    from department.commands import quota as command  # noqa: PLC0415

    raise typer.Exit(command.run(file, as_json=as_json))


@app.command()
def purge(
    file: StackFile,
    only_check: Annotated[
        bool, typer.Option("--check", help="Only name the key vaults that block names. Exit code 1 if there are any.")
    ] = False,
    production: Annotated[bool, typer.Option("--production", help="Purge even a production stack's.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --check: print the result as JSON.")] = False,
) -> None:
    """Remove a stack's soft-deleted key vaults and its workspaces for good: also workspaces that still exist."""
    if as_json and not only_check:
        raise typer.BadParameter("goes with --check.", param_hint="--json")
    from department.commands import purge as command  # noqa: PLC0415

    raise typer.Exit(command.run(file, only_check=only_check, production=production, as_json=as_json))


@app.command()
def docs(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the pages.")] = Path("docs"),
    only_check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if a page is not as it would be written.")
    ] = False,
) -> None:
    """Write the generated pages and JSON schemas of settings, components and outputs."""
    from department.commands import docs as command  # noqa: PLC0415

    raise typer.Exit(command.run(folder, only_check=only_check))


def main(arguments: list[str] | None = None) -> int:
    """Run a command line; its exit code: 0 success, 1 failure, 2 wrong usage."""
    try:
        app(args=arguments, prog_name="python -m department")
    except SystemExit as exit_:
        return int(exit_.code or 0)
    return 0


if __name__ == "__main__":
    app(prog_name="python -m department")
