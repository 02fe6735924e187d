"""Refusals of endpoints and deployments that the service passes on from its inferencing service.

Source: such refusals as users report them, github.com/MicrosoftLearning/mslearn-azure-ml/issues/30 for one.
"""

import json
import secrets

from sandbox.azure.ml.errors import UserError


def refused(field: str, problem: str, *, code: str = "InferencingClientCallFailed") -> UserError:
    """400 for a value that the inferencing service does not take.

    Args:
        field: What is wrong, in that service's words.
        problem: Why.
        code: The code of the detail.
    """
    detail = {
        "errors": {field: [problem]},
        "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1",
        "title": "One or more validation errors occurred.",
        "status": 400,
        "traceId": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
    }
    text = f"InferencingClient HttpRequest error, error detail: {json.dumps(detail, separators=(',', ':'))}"
    return UserError(400, "The request is invalid.", "BadArgument", details=((code, text),))
