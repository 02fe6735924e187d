"""Azure's resource manager over HTTP, for the questions that azure-native has no resource for."""

import logging
import os
from collections.abc import Callable
from typing import Any, Protocol

ARM = "https://management.azure.com"
_SUCCESS = frozenset({200, 201, 202, 204})


class AzureRefusedError(Exception):
    """Azure answered with an error, or not at all; the text has its code and message."""


class Response(Protocol):
    """The attributes of an HTTP response that this module uses."""

    status_code: int
    headers: Any

    def json(self) -> Any:
        """The answer's body, read as JSON."""


Send = Callable[[str, str, dict[str, Any] | None], Response]
"""Method, path with api-version, JSON body → response of the resource manager, signed in."""


def body_of(response: Response) -> Any:
    """The body of a success, empty where Azure sends none.

    Raises:
        AzureRefusedError: With Azure's status, code and message, of anything but a success.
    """
    try:
        body = response.json()
    except ValueError:
        body = {}
    if response.status_code in _SUCCESS:
        return body
    error = body.get("error", {})
    raise AzureRefusedError(f"status {response.status_code} {error.get('code', '')}: {error.get('message', '')}")


def signed_in(*, timeout_seconds: float = 60) -> Send:
    """The resource manager, as whoever azure-native's or Azure's variables, `az login` or a managed identity sign in.

    Args:
        timeout_seconds: How long one answer may take.

    Raises:
        AzureRefusedError: If nobody can be signed in; `Send` raises it where Azure does not answer.
    """
    import requests  # noqa: PLC0415 - a second's import, not needed to refuse a wrong stack file
    from azure.core.exceptions import AzureError  # noqa: PLC0415
    from azure.identity import ClientSecretCredential, DefaultAzureCredential  # noqa: PLC0415

    logging.getLogger("azure.identity").setLevel(logging.CRITICAL)  # it tells each way of signing in that failed
    arm = [os.environ.get(f"ARM_{name}", "") for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")]
    try:
        credential = ClientSecretCredential(*arm) if all(arm) else DefaultAzureCredential()
        token = credential.get_token(f"{ARM}/.default").token
    except (AzureError, ValueError):
        raise AzureRefusedError(
            "signing in to Azure failed: run az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET."
        ) from None
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"

    def send(method: str, path: str, body: dict[str, Any] | None) -> requests.Response:
        try:
            return session.request(method, ARM + path, json=body, timeout=timeout_seconds)
        except requests.RequestException as error:
            raise AzureRefusedError(f"{ARM} does not answer: {error}") from None

    return send
