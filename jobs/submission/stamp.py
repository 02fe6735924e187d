"""What every run is tagged with: the team's tags, and the state of the code that it was submitted from."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from contract import StackOutputs, TeamOutput

COMMIT, DIRTY = "git_commit", "git_dirty"
"""Names of the tags of the code: the commit's id, and `true` where files differ from it."""


def stamp(job: Any, outputs: StackOutputs, team_name: str, team: TeamOutput, folder: Path) -> None:
    """Tag a job with department, team, owner, cost centre, commit, and whether the checkout was changed.

    Tags that the job has already stay as they are.
    """
    department = outputs.department
    tags = {
        "department": department.code,
        "team": team_name,
        "owner": department.owner,
        "costCenter": department.cost_center,
        **team.tags,
        **_code(folder),
    }
    job.tags = {**tags, **(job.tags or {})}


def _code(folder: Path) -> dict[str, str]:
    """Return the tags of the checkout that the folder is in; none where it is in none."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return {}
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {COMMIT: commit, DIRTY: "true" if changed else "false"}


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command without a shell
            ["git", "-C", str(folder), *words],  # noqa: S607 - the git on PATH is the user's
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""  # there is no git here
    return done.stdout.strip() if done.returncode == 0 else ""
