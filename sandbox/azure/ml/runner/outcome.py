"""How a run ended."""

from dataclasses import dataclass

from sandbox.azure.arm.core import Body


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
