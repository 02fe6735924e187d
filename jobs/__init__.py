"""The data scientists' room: submit, watch, compare and register training runs, knowing only a stack's outputs.

`python -m jobs --help` is the way in; docs/jobs.md the guide. From Python: `from jobs import team`.
Whoever prefers plain azure-ai-ml needs nothing from here but the outputs (`jobs.outputs`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.library import Team, TeamRun, TeamRuns, team

__all__ = ["Team", "TeamRun", "TeamRuns", "team"]


def __getattr__(name: str) -> Any:
    """Load the library at its first use: `python -m jobs --help` is quick without it."""
    if name not in __all__:
        raise AttributeError(f"module 'jobs' has no attribute {name!r}")
    from jobs import library  # noqa: PLC0415

    return getattr(library, name)
