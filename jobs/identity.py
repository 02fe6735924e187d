"""Who signs in: whom azure-identity finds on this machine, or a pipeline by its own tokens.

A pipeline's token lives for minutes and a run for hours. So a pipeline is asked for a new token whenever Entra needs
one, where a login at its start would have expired by the run's end.
"""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from jobs.errors import SIGN_IN, JobError
from jobs.history import client

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_AUDIENCE = "api://AzureADTokenExchange"

# docs.github.com, OpenID Connect reference; a job has them with `permissions: {id-token: write}`
_GITHUB = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "AZURE_TENANT_ID", "AZURE_CLIENT_ID")
# learn.microsoft.com, AzurePipelinesCredential; the task AzureCLI@2 sets them, but for the pipeline's own token
_DEVOPS = (
    "SYSTEM_OIDCREQUESTURI",
    "SYSTEM_ACCESSTOKEN",
    "AZURESUBSCRIPTION_TENANT_ID",
    "AZURESUBSCRIPTION_CLIENT_ID",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
)
_GIVEN = ("AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_CERTIFICATE_PATH")
"""Variables of another credential, which comes first where somebody has set it."""


def find() -> TokenCredential:
    """Return the credential of this process; nothing is asked of Entra yet.

    Raises:
        JobError: AZURE_… variables are set to nothing.
    """
    from azure import identity  # noqa: PLC0415 - `python -m jobs --help` is quick without it

    given = os.environ
    if not any(given.get(name) for name in _GIVEN):
        if all(given.get(name) for name in _GITHUB):
            return identity.ClientAssertionCredential(given["AZURE_TENANT_ID"], given["AZURE_CLIENT_ID"], _from_github)
        if all(given.get(name) for name in _DEVOPS):
            return identity.AzurePipelinesCredential(
                tenant_id=given["AZURESUBSCRIPTION_TENANT_ID"],
                client_id=given["AZURESUBSCRIPTION_CLIENT_ID"],
                service_connection_id=given["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"],
                system_access_token=given["SYSTEM_ACCESSTOKEN"],
            )
    try:
        return identity.DefaultAzureCredential()
    except ValueError as error:
        raise JobError(f"the AZURE_… variables of this shell do not fit together: {error}\n  {SIGN_IN}") from None


def _from_github() -> str:
    """Ask GitHub for a token of this workflow's job.

    Raises:
        JobError: GitHub refused.
        AzureError: GitHub was not reached.
    """
    from azure.core.rest import HttpRequest  # noqa: PLC0415

    address, token = (os.environ[name] for name in _GITHUB[:2])
    request: Any = HttpRequest(
        "GET", address, params={"audience": _AUDIENCE}, headers={"Authorization": f"bearer {token}"}
    )
    with client(address) as github:
        response = github.send_request(request)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            raise JobError(
                f"GitHub gave no token ({response.status_code}); the job needs `permissions: id-token: write`"
            )
        return str(response.json()["value"])
