"""Names that a shell completes: runs, models, clusters and others of the workspaces that were used last.

Commands that list something leave its names in a file of the cache, so that a completion loads no client and asks
nobody. The file has names only. Where it cannot be read or written, nothing is completed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jobs import cache
from terminal import write_whole

FILE = "names.json"
MOST = 200
"""What is kept of names of a kind in a workspace, of workspaces, and of options that led to one: the latest."""


def select(stack: str | None, outputs: Path | None, team: str | None, workspace: str, **names: Iterable[str]) -> None:
    """Remember which workspace the options `--stack`, `--outputs` and `--team` lead to, and names in it by kind."""
    with _updated() as known:
        known["selected"] = _first({_key(stack, outputs, team): workspace}, known["selected"])
        for kind, found in names.items():
            _add(known, workspace, kind, found)


def remember(workspace: str, kind: str, names: Iterable[str]) -> None:
    """Remember names of a kind, such as `runs`, before those that are known already."""
    with _updated() as known:
        _add(known, workspace, kind, names)


def recall(stack: str | None, outputs: Path | None, team: str | None, kind: str) -> list[str]:
    """Return the names of a kind in the workspace that the options lead to; none where they were never used."""
    known = _read()
    workspace = known["selected"].get(_key(stack, outputs, team))
    found: list[str] = known["workspaces"].get(workspace, {}).get(kind, [])
    return found


def _key(stack: str | None, outputs: Path | None, team: str | None) -> str:
    return json.dumps([stack, str(Path(outputs).absolute()) if outputs else None, team])


def _read() -> dict[str, Any]:
    with suppress(OSError, ValueError):
        known = json.loads((cache.directory() / FILE).read_bytes())
        if isinstance(known, dict) and {"selected", "workspaces"} <= set(known):
            return known
    return {"selected": {}, "workspaces": {}}


@contextmanager
def _updated() -> Iterator[dict[str, Any]]:
    """Read the file for a block that changes it, and write it where it did."""
    known = _read()
    before = json.dumps(known)
    yield known
    after = json.dumps(known)
    if after != before:
        with suppress(OSError):
            write_whole(cache.directory() / FILE, after.encode(), private=True)


def _add(known: dict[str, Any], workspace: str, kind: str, names: Iterable[str]) -> None:
    own = known["workspaces"].get(workspace, {})
    known["workspaces"] = _first({workspace: own}, known["workspaces"])
    own[kind] = list(dict.fromkeys([*names, *own.get(kind, [])]))[:MOST]


def _first(new: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    return dict(list((new | {key: value for key, value in others.items() if key not in new}).items())[:MOST])
