"""`python -m review.github`: what workflows with rights run."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from terminal import application, run

app = application("Publish reviews and drift to GitHub. For workflows, whose variables it reads.")


@app.command()
def publish() -> int:
    """Publish the review of the run that GITHUB_EVENT_PATH tells of."""
    from review.github.client import GitHub  # noqa: PLC0415 - `--help` needs none of it
    from review.github.publish import publish as do  # noqa: PLC0415

    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    print(do(event, GitHub.of_workflow()))
    return 0


@app.command()
def drift(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder with a file STACK.txt for each stack.")],
) -> int:
    """Open, write anew or close the issue about drift."""
    from review.github.client import GitHub  # noqa: PLC0415 - as above
    from review.github.drift import read, report  # noqa: PLC0415

    server, repository, run_id = (os.environ[f"GITHUB_{name}"] for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    print(report(read(folder), GitHub.of_workflow(), f"{server}/{repository}/actions/runs/{run_id}"))
    return 0


def explain(error: Exception) -> str | None:
    """The message of an expected failure."""
    from review.github.client import GitHubError  # noqa: PLC0415

    if isinstance(error, KeyError):
        return f"the variable {error} is not set: this is for workflows of GitHub"
    return str(error) if isinstance(error, GitHubError) else None


if __name__ == "__main__":
    sys.exit(run(app, "python -m review.github", explain=explain))
