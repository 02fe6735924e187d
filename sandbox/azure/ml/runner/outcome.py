"""How a run ended, and how early it may."""

from dataclasses import dataclass

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.scope import Scope

SHORTEST = 1.5  # seconds from submission to the end: azure-ai-ml's `stream` shows nothing of a run that ended before it


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: `Completed`, `Failed` or `Canceled`.
        code: Azure ML's code of the error; empty for none.
        message: What its author is told.
        again: Whether it is to begin again, as its node was lost; the message is a warning then.
    """

    status: str
    code: str = ""
    message: str = ""
    again: bool = False

    def error(self) -> Body | None:
        """The error as run history keeps it; None where there is none."""
        return {"error": {"code": self.code, "message": self.message, "details": []}} if self.code else None


def early_by(scope: Scope, run: str, created: str) -> float:
    """Seconds that a run which was created then must still last, so that clients see it; 0 for one in another run."""
    if (scope.get(runs.RUN, run) or {}).get("parentRunId"):
        return 0.0
    return max(0.0, SHORTEST - (runs.millis(runs.now()) - runs.millis(created)) / 1000)
