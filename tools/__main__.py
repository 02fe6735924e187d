"""`python -m tools`: what `make generate`, `make refresh` and `make check` run."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from terminal import FAILED, application, run
from tools import generate as generated

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


if __name__ == "__main__":
    sys.exit(run(app, "python -m tools", explain=lambda e: str(e) if isinstance(e, generated.GenerateError) else None))
