"""What the sandbox's owner sees of its clients' requests, for tests."""

from typing import Any
from urllib.parse import urlencode

from sandbox.ask import ask
from tests.conftest import Sandbox


def activity(sandbox: Sandbox, **query: Any) -> dict[str, Any]:
    """The control socket's answer."""
    return ask(sandbox.directory, "GET", f"/activity?{urlencode(query)}")


def asked(sandbox: Sandbox, **query: Any) -> list[dict[str, Any]]:
    """The requests that the filters leave, the oldest first."""
    found: list[dict[str, Any]] = activity(sandbox, limit=1000, **query)["requests"]
    return found
