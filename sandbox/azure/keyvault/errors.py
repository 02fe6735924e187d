"""Key Vault's refusals: `{"error": {"code", "message", "innererror": {"code"}}}`.

Source: learn.microsoft.com/azure/key-vault/general/rest-error-codes, .../common-error-codes.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.azure.front.errors import ServiceError


class VaultError(ServiceError):
    """A refusal of a vault.

    Args:
        status: HTTP status.
        code: The service's code, such as `Forbidden`.
        message: The text that clients show.
        inner: The code of `innererror`, where the service gives one.
        headers: Extra response headers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        inner: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, code, message, headers=headers)
        self.inner = inner

    def body(self) -> dict[str, Any]:
        """Builds the error's JSON."""
        body = super().body()
        if self.inner:
            body["error"]["innererror"] = {"code": self.inner}
        return body


def bad_parameter(message: str) -> VaultError:
    """The refusal of a wrong name or property, 400."""
    return VaultError(400, "BadParameter", message)


def secret_not_found(name: str) -> VaultError:
    """The refusal of a secret or a version that does not exist, 404."""
    return VaultError(
        404,
        "SecretNotFound",
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may "
        "be able to recover it using the correct recovery command. For help resolving this issue, please see "
        "https://go.microsoft.com/fwlink/?linkid=2125182",
    )


def deleted_but_recoverable(name: str) -> VaultError:
    """The refusal of a name that a deleted secret still has, 409."""
    return VaultError(
        409,
        "Conflict",
        f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, "
        "the secret can only be recovered or purged.",
        inner="ObjectIsDeletedButRecoverable",
    )


def not_emulated(what: str) -> VaultError:
    """The refusal of what is not emulated, 501: clients do not try that again."""
    return VaultError(501, "NotImplemented", f"The sandbox does not emulate {what}.")
