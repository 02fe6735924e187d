"""Refusals as each service words them, for requests that never reach the service."""

import json
from collections.abc import Mapping
from xml.sax.saxutils import escape

from starlette.responses import Response

from sandbox.azure.front.errors import AzureError

LOGIN = "login.microsoftonline.com"
# learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes; storage throttles with 503, not 429.
_STORAGE = {
    "TooManyRequests": (503, "ServerBusy"),
    "InternalServerError": (500, "InternalError"),
    "ServiceUnavailable": (503, "ServerBusy"),
    "ExpiredAuthenticationToken": (401, "InvalidAuthenticationInfo"),
}


def refusal(
    host: str,
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str],
    *,
    details: list[dict[str, str]] | None = None,
) -> Response:
    """The refusal in the form of the host's service."""
    if host == LOGIN:  # OAuth 2.0's form, section 5.2 of RFC 6749
        body = json.dumps({"error": "temporarily_unavailable", "error_description": message, "error_codes": [90033]})
        return Response(body, status, dict(headers), "application/json")
    if host.endswith(".blob.core.windows.net"):
        status, code = _STORAGE.get(code, (status, code))
        body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        return Response(body, status, {**headers, "x-ms-error-code": code}, "application/xml")
    if host.endswith(".dfs.core.windows.net"):
        status, code = _STORAGE.get(code, (status, code))
    return AzureError(status, code, message, details=details, headers=headers).response()
