"""A shell's variables with which any Azure client works as one of the team's service principals."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contract import AutomationOutput, TeamOutput
from jobs.errors import JobError
from jobs.workspace import Workspace

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

SCOPE = "https://vault.azure.net/.default"
_API_VERSION = "7.4"
_NETWORK_CODES = frozenset({"ForbiddenByFirewall", "ForbiddenByConnection"})

# HTTP: refused, not there
_FORBIDDEN, _NOT_FOUND = 403, 404


def variables(workspace: Workspace, name: str | None) -> dict[str, str]:
    """Return the variables of a service principal, its secret read from the vault by the caller's own right.

    `AZURE_…` are those that azure-identity reads; `SP_PASSWORD` is the secret under the name that scripts know it by.

    Args:
        workspace: The team's workspace, which says who calls.
        name: The service principal's name in the team; its only one with a secret if left out.

    Raises:
        JobError: There is no such service principal, its secret is none, expired, or not the caller's to read.
        AzureError: The vault was not reached, or refused for another reason.
    """
    team = workspace.team
    name, chosen = _choose(team, name)
    secret = _read_secret(name, str(chosen.vault), str(chosen.secret_name), workspace.credential)
    return {
        "AZURE_TENANT_ID": chosen.tenant_id,
        "AZURE_CLIENT_ID": chosen.client_id,
        "AZURE_CLIENT_SECRET": secret,
        "AZURE_SUBSCRIPTION_ID": team.subscription_id,
        "SP_PASSWORD": secret,
    }


def _choose(team: TeamOutput, name: str | None) -> tuple[str, AutomationOutput]:
    """Return the team's service principal of that name; without a name, its only one with a secret."""
    with_secret = sorted(key for key, one in team.automation.items() if one.vault and one.secret_name)
    choice = ", ".join(with_secret) or "none"
    if name is None:
        if not with_secret:
            raise JobError(
                f"no service principal of {team.workspace} has a secret; one is made by automation in the stack file"
            )
        if len(with_secret) > 1:
            raise JobError(f"--automation is needed: the team's service principals with a secret: {choice}")
        name = with_secret[0]
    if name not in team.automation:
        raise JobError(
            f"{team.workspace} has no service principal '{name}'; those with a secret: {choice}\n"
            "  one is made by automation in the stack file"
        )
    if name not in with_secret:
        raise JobError(
            f"service principal '{name}' has no secret: its pipelines sign in by their own tokens; "
            f"those with a secret: {choice}"
        )
    return name, team.automation[name]


def _read_secret(name: str, vault: str, secret: str, credential: TokenCredential) -> str:
    from azure.core import PipelineClient  # noqa: PLC0415 - `python -m jobs --help` is quick without it
    from azure.core.pipeline import policies  # noqa: PLC0415
    from azure.core.rest import HttpRequest  # noqa: PLC0415

    url = f"https://{vault}.vault.azure.net"
    sign = policies.BearerTokenCredentialPolicy(credential, SCOPE)
    # No logging policy: the answer is a secret.
    client: PipelineClient[Any, Any] = PipelineClient(url, policies=[policies.RetryPolicy(), sign])
    with client:
        request = HttpRequest("GET", f"{url}/secrets/{secret}", params={"api-version": _API_VERSION})
        response = client.send_request(request)
        if response.status_code == _FORBIDDEN:
            raise JobError(_refused(name, vault, secret, response.json()))
        if response.status_code == _NOT_FOUND:
            raise JobError(f"vault {vault} has no secret '{secret}': bring the stack up again, which keeps it there")
        response.raise_for_status()
        answer = response.json()
    expires = answer["attributes"].get("exp")
    if expires is not None and expires <= time.time():
        day = datetime.fromtimestamp(expires, UTC).date()
        raise JobError(
            f"the secret of '{name}' expired on {day}: another day as its secret.rotated in the stack file, and the "
            "next up makes a new one"
        )
    value: str = answer["value"]
    return value


def _refused(name: str, vault: str, secret: str, body: dict[str, dict[str, object]]) -> str:
    inner = body["error"].get("innererror")
    code = inner.get("code", "Forbidden") if isinstance(inner, dict) else "Forbidden"
    if code in _NETWORK_CODES:
        return f"vault {vault} is closed to this machine's network ({code}): run this where the vault can be reached"
    return (
        f"you may not read '{secret}' in vault {vault} ({code})\n  who may: secret.readers of automation '{name}' in "
        "the stack file; a new reader has the right a few minutes after the stack went up"
    )
