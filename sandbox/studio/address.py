"""The studio's addresses: host names, the way in, and what other places call the same pages."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode, urlsplit

SIGN_IN = "/login"
STUDIO_HOST = "ml.azure.com"
SERVICES = ".api.azureml.ms"
"""The end of the name of a region's host, to which MLflow's tracking address leads."""
_TRACKED = re.compile(r"/mlflow/[^/]+(/subscriptions/.+/workspaces/[^/]+)/?", re.IGNORECASE)
_PLACE = re.compile(r"/experiments/([^/?]+)(?:/runs/([^/?]+))?")


def host_name(persona: str, name: str) -> str:
    """The host of a persona's pages, in the sandbox of this name."""
    return f"{persona}-{name}.localhost"


def local_path(address: str) -> str | None:
    """The path, with its query, for an address of Azure ML's studio or one that MLflow prints; None for another."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https"):
        return None
    if host == STUDIO_HOST:
        return local(parts.path, parts.query)
    return _tracked(parts.path, parts.fragment) if host.endswith(SERVICES) else None


def _tracked(path: str, fragment: str) -> str | None:
    """The page of what MLflow prints when a run ends: the tracking address, and the experiment and run behind a #."""
    workspace, place = _TRACKED.fullmatch(path), _PLACE.match(fragment)
    if not workspace or not place:
        return None
    experiment, run = place.groups()
    if run:
        return local(f"/runs/{quote(run, safe='%')}", urlencode({"wsid": workspace[1]}, safe="/"))
    return local("/jobs", urlencode({"experiment": experiment, "wsid": workspace[1]}, safe="/"))


def local(path: str, query: str) -> str:
    """A path with its query, if it has one; begun by one slash, as two would name another host."""
    return "/" + path.lstrip("/") + (f"?{query}" if query else "")
