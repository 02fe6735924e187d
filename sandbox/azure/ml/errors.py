"""Azure Machine Learning's error bodies, which say more than the resource manager's: two forms, by service.

Sources: recordings of azure-ai-ml's tests, listed in docs/fidelity/ml.md.
"""

import secrets
from typing import Any

from sandbox.azure import clock
from sandbox.azure.front.errors import AzureError


def _correlation() -> dict[str, str]:
    return {"operation": secrets.token_hex(16), "request": secrets.token_hex(8)}


def _chain(inner: tuple[str, ...]) -> dict[str, Any] | None:
    chain: dict[str, Any] | None = None
    for code in reversed(inner):
        chain = {"code": code, "innerError": chain}
    return chain


class UserError(AzureError):
    """A refusal of the workspace's services: code `UserError`, with where and when in `additionalInfo`.

    Attributes:
        region: The workspace's region, where the refusal is said to come from; whoever knows the workspace sets it.

    Args:
        status: HTTP status.
        message: The text that clients show.
        inner: The more precise codes, outermost first, such as `("BadArgument", "ImmutableProperty")`.
        target: The offending field, where there is one.
        details: Further errors: pairs of code and message.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *inner: str,
        target: str | None = None,
        details: tuple[tuple[str, str], ...] = (),
    ) -> None:
        more = [{"code": code, "message": text, "details": [], "additionalInfo": []} for code, text in details]
        super().__init__(status, "UserError", message, target=target, details=more)
        self.region = "sandbox"
        self._inner = inner

    def body(self) -> dict[str, Any]:
        """The error's JSON."""
        body = super().body()
        values = {
            "ComponentName": "managementfrontend",
            "Correlation": _correlation(),
            "Environment": self.region,
            "Location": self.region,
            "Time": clock.now().isoformat(),
            **({"InnerError": _chain(self._inner)} if self._inner else {}),
        }
        body["error"]["additionalInfo"] = [{"type": name, "info": {"value": value}} for name, value in values.items()]
        return body


class AccountError(AzureError):
    """A refusal of the service for workspaces and connections (`account-rp`), in that service's own form.

    Args:
        status: HTTP status.
        message: The text that clients show.
        inner: The more precise codes, outermost first.
        region: The workspace's region.
        target: The offending field, where there is one.
    """

    def __init__(self, status: int, message: str, *inner: str, region: str, target: str | None = None) -> None:
        super().__init__(status, "UserError", message, target=target)
        self._inner, self._region = inner, region

    def body(self) -> dict[str, Any]:
        """The error's JSON."""
        unset = ("severity", "messageFormat", "messageParameters", "referenceCode", "detailsUri", "debugInfo")
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "target": self.target,
                "details": [],
                "innerError": _chain(self._inner),
                "additionalInfo": None,
                **dict.fromkeys(unset),
            },
            "correlation": _correlation(),
            "environment": self._region,
            "location": self._region,
            "time": clock.now().isoformat(),
            "componentName": "account-rp",
            "statusCode": self.status,
        }


def not_found(what: str) -> UserError:
    """The refusal of an asset, a job or a datastore that does not exist, 404."""
    return UserError(404, f"{what} was not found.", "NotFound")
