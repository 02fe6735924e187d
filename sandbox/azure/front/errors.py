"""Refusals: one family of exceptions, each service's in its own form.

`AzureError` is the form of the resource manager and of most services: `{"error": {"code", "message", ...}}`.
"""

import errno
import sqlite3
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response


class ServiceError(Exception):
    """A request that a service refuses.

    Args:
        status: HTTP status.
        code: The service's error code, such as `ResourceNotFound`.
        message: The text that clients show.
        headers: Extra response headers, such as `Retry-After` in seconds.
    """

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.headers = status, code, message, dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Builds the error's JSON."""
        return {"error": {"code": self.code, "message": self.message}}

    def response(self) -> Response:
        """The error as an answer."""
        return JSONResponse(self.body(), self.status, headers=self.headers)


class AzureError(ServiceError):
    """A refusal as the resource manager words it.

    Args:
        status: HTTP status.
        code: Azure's error code, such as `ResourceNotFound`.
        message: The text that clients show.
        target: The offending field, where the service names one.
        details: Further errors, each with code and message.
        additional_info: Typed details, as policy violations have them.
        headers: Extra response headers, such as `Retry-After` in seconds.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: list[dict[str, Any]] | None = None,
        additional_info: list[dict[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, code, message, headers=headers)
        self.target, self.details, self.additional_info = target, details, additional_info

    def body(self) -> dict[str, Any]:
        """Builds the error's JSON."""
        body = super().body()
        for name, value in (
            ("target", self.target),
            ("details", self.details),
            ("additionalInfo", self.additional_info),
        ):
            if value is not None:
                body["error"][name] = value
        return body

    def response(self) -> Response:
        """The error as an answer; `x-ms-error-code` repeats the code, as Azure's front ends do."""
        return JSONResponse(self.body(), self.status, headers={"x-ms-error-code": self.code, **self.headers})


def disk_is_full(error: Exception) -> bool:
    """Whether something could not be written for want of room; SQLite says so in words."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    return isinstance(error, sqlite3.OperationalError) and "full" in str(error)


def failure(error: Exception) -> AzureError:
    """The answer to a failure of the sandbox itself: 507 where its disk is full, as no client tries that again."""
    if disk_is_full(error):
        text = "The disk with the sandbox's folder is full: make room there, then run the command again."
        return AzureError(507, "InsufficientStorage", text)
    return AzureError(500, "InternalServerError", "The sandbox failed; its log has the cause.")
