"""`python -m tools`: what `make generate`, `make refresh` and `make check` run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from terminal import FAILED, application, run
from tools import docs
from tools import generate as generated
from tools.generate import ROOT
from tools.verify.report import PAGES

app = application("The repository's own tools: what is generated, what is refreshed, what is checked.")


@app.command()
def generate(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file is stale.")] = False,
) -> int:
    """Write every generated page, schema and copy, from the repository alone."""
    changed = generated.stale()
    if check:
        for target in changed:
            print(f"{target} is stale: run `make generate`", file=sys.stderr)
        return FAILED if changed else 0
    for target, content in changed.items():
        generated.write(target, content)
        print(f"{target} written")
    print(f"{len(generated.FILES)} generated files are up to date")
    return 0


@app.command()
def refresh(
    names: Annotated[list[str] | None, typer.Argument(help="What to refresh; everything if left out.")] = None,
) -> int:
    """Read again what comes from outside, such as prices; the files hold the date."""
    return generated.refresh(names or [])


@app.command(name="docs")
def check_docs() -> int:
    """Check the pages: length of sentences and table cells; links, paths and commands."""
    problems = [problem for page in docs.pages(ROOT) for problem in docs.check(ROOT, page)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return FAILED if problems else 0


@app.command()
def pictures() -> None:
    """Take the pictures of a review's page anew; needs Chromium."""
    from tools.pictures import draw  # noqa: PLC0415 - the other commands need no browser

    draw()


@app.command()
def verify_azure(
    location: Annotated[str, typer.Option(help="Azure region of what is made.")] = "eastus2",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    report: Annotated[Path, typer.Option(help="Where to write what was found.")] = Path("verify-azure.md"),
    pages: Annotated[Path, typer.Option(help="Folder of the fidelity pages whose rows are verified.")] = PAGES,
    only: Annotated[str | None, typer.Option("-k", help="Only tests with this in their name.")] = None,
) -> int:
    """Run the tests of tests/azure_verified in your subscription, remove what they made, and update docs/fidelity."""
    from tools.verify.run import verify  # noqa: PLC0415 - the other commands need no client

    return verify(location, yes=yes, report=report, pages=pages, only=only)


if __name__ == "__main__":
    sys.exit(run(app, "python -m tools", explain=lambda e: str(e) if isinstance(e, generated.GenerateError) else None))
