"""A team's workspace as Azure's own clients see it, found by the stack's outputs alone."""

from __future__ import annotations

import socket
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from contract import StackOutputs, TeamOutput
from jobs import identity
from jobs.errors import NETWORK, JobError
from jobs.history import PATIENT, SCOPE, RunHistory
from jobs.resources import MANAGER, Resources

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.policies import HeadersPolicy

_PROXY_SECONDS = 2.0
_PORTS = {"http": 80, "https": 443}
_WORDS = {
    "onlineEndpoints": ("endpoint", "deploy ls"),
    "batchEndpoints": ("batch endpoint", "batch ls"),
    "schedules": ("schedule", "schedule ls"),
    "models": ("model", "models ls"),
    "data": ("data asset", "data assets"),
    "environments": ("environment", "environments"),
}
"""What people call a resource of a kind, and the command that lists them."""
_REPEATED = frozenset({"HEAD", "GET", "PUT", "DELETE", "OPTIONS", "TRACE", "POST"})


class Workspace:
    """A team's workspace: azure-ai-ml's client and the run history beside it, signed in at the first use of either."""

    def __init__(self, outputs: StackOutputs, team_name: str) -> None:
        """Remember the team of that name; nothing is asked of Azure yet."""
        self.outputs = outputs
        self.team_name = team_name

    @property
    def team(self) -> TeamOutput:
        """What the stack's outputs say of the team."""
        return self.outputs.teams[self.team_name]

    @cached_property
    def credential(self) -> TokenCredential:
        """The credential of this process: a pipeline's own, or what azure-identity finds, such as `az login`.

        Raises:
            JobError: The proxy of the environment does not answer, or AZURE_… variables are set to nothing.
            ClientAuthenticationError: Nobody is signed in.
        """
        _check_proxy()
        credential = identity.find()
        credential.get_token(SCOPE)
        return credential

    @cached_property
    def history(self) -> RunHistory:
        """Logs, states and metrics of the workspace's runs."""
        return RunHistory(self.team, self.credential)

    @cached_property
    def resources(self) -> Resources:
        """The workspace's jobs, models and others, read without azure-ai-ml."""
        return Resources(self.team, self.credential)

    def existing(self, kind: str, name: str) -> dict[str, Any]:
        """Return a resource as the resource manager shows it.

        Args:
            kind: `onlineEndpoints`, `batchEndpoints` or `schedules`.
            name: Its name.

        Raises:
            JobError: There is none of that name; the message names the command that lists those that there are.
        """
        found = self.resources.get(kind, name)
        if found is None:
            raise self.missing(kind, name)
        return found

    def missing(self, kind: str, name: str) -> JobError:
        """Return the error for a name that no resource of a kind has; it names the command that lists them."""
        word, listed = _WORDS[kind]
        return JobError(f"{self.team.workspace} has no {word} '{name}'; `python -m jobs {listed}` lists them")

    @cached_property
    def client(self) -> MLClient:
        """azure-ai-ml's client; its import takes seconds, and logs do without it."""
        from azure.ai.ml import MLClient  # noqa: PLC0415

        team = self.team
        return MLClient(
            self.credential,
            team.subscription_id,
            team.resource_group,
            team.workspace,
            # Without it, the client waits for ever for a file whose upload failed (azure-ai-ml 1.35, upload_directory).
            # Who uploads with it keeps the progress bar off the terminal.
            show_progress=True,
            headers_policy=_repeating(),
            **PATIENT,
        )


def _repeating() -> HeadersPolicy:
    """Let Azure's retries also repeat a POST whose answer got lost: those of azure-ai-ml ask for keys and addresses.

    A retry policy of our own would be one object in all pipelines of the client. Each pipeline sets what comes next in
    it, so requests of one would go on through another, which signs them for another audience. This kind has no next.
    """
    from azure.core.pipeline import PipelineRequest, policies  # noqa: PLC0415

    class Repeating(policies.HeadersPolicy):
        def on_request(self, request: PipelineRequest[Any]) -> None:
            request.context.options.setdefault("retry_on_methods", _REPEATED)
            super().on_request(request)

    return Repeating()


def _check_proxy() -> None:
    """Find out at once that nothing listens where the proxy is; the clients would retry for long.

    The proxy is read as the clients read it: NO_PROXY counts, and `http://` is left out often. What cannot be judged,
    such as a SOCKS proxy, is left to them.
    """
    proxy = getproxies().get("https")
    if not proxy or proxy_bypass(urlsplit(MANAGER).netloc):
        return
    try:
        where = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host, port = where.hostname, where.port or _PORTS[where.scheme]
    except (ValueError, KeyError):
        return
    if not host:
        return
    try:
        socket.create_connection((host, port), timeout=_PROXY_SECONDS).close()
    except OSError:
        raise JobError(f"nothing answers at HTTPS_PROXY={host}:{port}\n  {NETWORK}") from None
