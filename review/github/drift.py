"""The issue that tells which stacks are not as their state says, kept by the nightly run."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from review.github.client import GitHub
from review.github.publish import AUTHOR

MARKER: Final = "<!-- azureml-platform-drift -->"
TITLE: Final = "Azure is not as the stacks' state says"
MOST: Final = 10_000
"""Characters of one stack's text in the issue."""


def read(folder: Path) -> dict[str, str]:
    """What each stack's comparison said, by the names of the files `STACK.txt`; an empty file is no drift."""
    files = sorted(folder.rglob("*.txt"))
    return {file.stem: file.read_text(encoding="utf-8", errors="replace") for file in files}


def report(found: Mapping[str, str], github: GitHub, run_url: str) -> str:
    """Open, write anew or close the issue.

    Args:
        found: By stack, what its comparison said; an empty text for no drift.
        github: The API of the repository.
        run_url: Page of the run.

    Returns:
        What was done, in a line.

    Raises:
        GitHubError: GitHub refuses something.
    """
    drifted = {stack: text for stack, text in found.items() if text.strip()}
    own = next(iter(_own(github)), None)
    if not drifted:
        if own:
            github.send("PATCH", f"/issues/{int(own['number'])}", {"state": "closed"})
            return f"Issue {int(own['number'])} is closed: nothing has drifted."
        return "Nothing has drifted."
    body = _body(drifted, run_url)
    if own:
        github.send("PATCH", f"/issues/{int(own['number'])}", {"body": body})
        return f"Issue {int(own['number'])} is written anew."
    made = github.send("POST", "/issues", {"title": TITLE, "body": body})
    return f"Issue {int(made['number'])} is opened."


def _own(github: GitHub) -> Iterator[Any]:
    return (
        one
        for one in github.pages("/issues", state="open", creator=AUTHOR)
        if (one.get("body") or "").startswith(MARKER) and "pull_request" not in one
    )


def _body(drifted: Mapping[str, str], run_url: str) -> str:
    lines = [
        MARKER,
        f"[The nightly comparison]({run_url}) found that these stacks differ from Azure, or could not compare them. "
        "`pulumi refresh` takes what is there into the state; `pulumi up` makes it as the stack file says.",
    ]
    for stack, text in drifted.items():
        shown = text if len(text) <= MOST else f"{text[:MOST]}\n… the run has the rest"
        lines += ["", f"<details><summary>{stack}</summary>", "", _fenced(shown), "", "</details>"]
    return "\n".join(lines) + "\n"


def _fenced(text: str) -> str:
    """A text as code, whatever backquotes are in it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text.rstrip()}\n{fence}"
