"""A team's workspace as Azure's own clients see it, found by the stack's outputs alone."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jobs.errors import NETWORK, JobError
from jobs.history import SCOPE, RunHistory
from jobs.outputs import Team

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.core.credentials import TokenCredential

_PROXY_SECONDS = 2.0


class Workspace:
    """A signed-in connection to a team's workspace: azure-ai-ml's client, and the run history beside it."""

    def __init__(self, team: Team) -> None:
        """Sign in as azure-identity finds the person: environment, managed identity, `az login`, and so on.

        Raises:
            JobError: The proxy of the environment does not answer.
            ClientAuthenticationError: Nobody is signed in.
        """
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - `python -m jobs --help` is quick without it

        _check_proxy()
        self.team = team
        self.credential: TokenCredential = DefaultAzureCredential()
        self.credential.get_token(SCOPE)
        self.history = RunHistory(team, self.credential)
        self._client: MLClient | None = None

    @property
    def client(self) -> MLClient:
        """azure-ai-ml's client, imported at the first use: it takes seconds, and logs and metrics do without it."""
        if self._client is None:
            from azure.ai.ml import MLClient  # noqa: PLC0415

            team = self.team
            self._client = MLClient(
                self.credential, team.subscription_id, team.resource_group, team.workspace, show_progress=False
            )
        return self._client


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
