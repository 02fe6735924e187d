"""What a shell is offered for an argument or option: names that earlier commands have seen, and files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from jobs import names
from jobs.submission import examples

Complete = Callable[[typer.Context, str], list[str]]

_JOB_FILES = (".yml", ".yaml", ".py")


def known(kind: str, *more: str) -> Complete:
    """Return a completion by the names of a kind in the workspace that the other options lead to.

    Args:
        kind: A kind of `jobs.names`.
        more: Words that are always allowed, too.
    """

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        given = context.params
        found = names.recall(given.get("stack"), given.get("outputs"), given.get("team"), kind)
        return [name for name in [*found, *more] if name.startswith(incomplete)]

    return complete


def one_of(words: Sequence[str]) -> Callable[[str], list[str]]:
    """Return a completion by fixed words."""
    return lambda incomplete: [word for word in words if word.startswith(incomplete)]


def job_files(incomplete: str) -> list[str]:
    """Complete what `submit` takes: examples, folders, and files that may be jobs."""
    head, slash, last = incomplete.rpartition("/")
    folder = Path(head + slash if slash else ".")
    found = [
        f"{head}{slash}{path.name}{'/' if path.is_dir() else ''}"
        for path in (sorted(folder.iterdir()) if folder.is_dir() else [])
        if path.name.startswith(last) and (last or not path.name.startswith("."))
        if path.is_dir() or path.suffix in _JOB_FILES
    ]
    return [name for name in examples.names() if name.startswith(incomplete)] + found
