"""A team's workspace as Azure's own clients see it, found by the stack's outputs alone."""

from __future__ import annotations

import os
import socket
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jobs.errors import NETWORK, SIGN_IN, JobError
from jobs.history import SCOPE, RunHistory
from jobs.outputs import Team

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.core.credentials import TokenCredential

_PROXY_SECONDS = 2.0


class Workspace:
    """A team's workspace: azure-ai-ml's client and the run history beside it, signed in at the first use of either."""

    def __init__(self, team: Team) -> None:
        """Remember the team; nothing is asked of Azure yet."""
        self.team = team

    @cached_property
    def credential(self) -> TokenCredential:
        """Who is signed in, as azure-identity finds out: environment, managed identity, `az login`, and so on.

        Raises:
            JobError: The proxy of the environment does not answer, or AZURE_… variables are set to nothing.
            ClientAuthenticationError: Nobody is signed in.
        """
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - `python -m jobs --help` is quick without it

        _check_proxy()
        try:
            credential = DefaultAzureCredential()
        except ValueError as error:
            raise JobError(f"the AZURE_… variables of this shell do not fit together: {error}\n  {SIGN_IN}") from None
        credential.get_token(SCOPE)
        return credential

    @cached_property
    def history(self) -> RunHistory:
        """Logs, states and metrics of the workspace's runs."""
        return RunHistory(self.team, self.credential)

    @cached_property
    def client(self) -> MLClient:
        """azure-ai-ml's client; its import takes seconds, and logs do without it."""
        from azure.ai.ml import MLClient  # noqa: PLC0415

        team = self.team
        return MLClient(self.credential, team.subscription_id, team.resource_group, team.workspace, show_progress=False)


def _check_proxy() -> None:
    """Find out at once that nothing listens where HTTPS_PROXY points; the clients would retry for long."""
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    if not proxy:
        return
    where = urlsplit(proxy)
    try:
        socket.create_connection((where.hostname or "", where.port or 80), timeout=_PROXY_SECONDS).close()
    except (OSError, ValueError):
        raise JobError(f"nothing answers at HTTPS_PROXY={where.hostname}:{where.port}\n  {NETWORK}") from None
