"""Azure Machine Learning's error bodies, which say more than the resource manager's."""

from datetime import UTC, datetime
from typing import Any

from sandbox.azure.errors import AzureError


class UserError(AzureError):
    """A refusal of the workspace's services: code `UserError`, with where and when in `additionalInfo`.

    Args:
        status: HTTP status.
        message: The text that clients show.
        inner: The more precise codes, outermost first, such as `("BadArgument", "ImmutableProperty")`.
        target: The offending field, where there is one.
    """

    def __init__(self, status: int, message: str, *inner: str, target: str | None = None) -> None:
        super().__init__(status, "UserError", message, target=target, details=[])
        self._inner = inner

    def body(self) -> dict[str, Any]:
        """The error's JSON."""
        body = super().body()
        info: list[dict[str, Any]] = [
            {"type": "ComponentName", "info": {"value": "managementfrontend"}},
            {"type": "Environment", "info": {"value": "sandbox"}},
            {"type": "Time", "info": {"value": datetime.now(UTC).isoformat()}},
        ]
        if self._inner:
            chain: dict[str, Any] | None = None
            for code in reversed(self._inner):
                chain = {"code": code, "innerError": chain}
            info.append({"type": "InnerError", "info": {"value": chain}})
        body["error"]["additionalInfo"] = info
        return body


def not_found(what: str) -> UserError:
    """The refusal of an asset, a job or a datastore that does not exist, 404."""
    return UserError(404, f"{what} was not found.", "NotFound")
