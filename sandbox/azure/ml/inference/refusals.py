"""How the service in front of deployments words its refusals: a sentence, and where its status is explained."""

from starlette.responses import PlainTextResponse, Response

from sandbox.azure.front.errors import ServiceError

GUIDE = (
    "Please check this guide to understand why this error code might have been returned: "
    "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints#http-status-codes"
)


class ScoringError(ServiceError):
    """A refusal.

    Args:
        status: HTTP status.
        message: Why.
        reason: What the header `ms-azureml-model-error-reason` says; empty for no such header.
    """

    def __init__(self, status: int, message: str, *, reason: str = "") -> None:
        headers = {"ms-azureml-model-error-reason": reason} if reason else {}
        super().__init__(status, str(status), message, headers=headers)

    def response(self) -> Response:
        """The refusal as an answer."""
        return PlainTextResponse(f"{self.message}\n{GUIDE}\n", self.status, headers=self.headers)
