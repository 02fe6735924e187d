"""The studio's addresses: host names, the way in, and what Azure ML's own studio calls the same pages."""

from __future__ import annotations

from urllib.parse import urlsplit

SIGN_IN = "/login"
STUDIO_HOST = "ml.azure.com"


def host_name(persona: str, name: str) -> str:
    """The host of a persona's pages, in the sandbox of this name."""
    return f"{persona}-{name}.localhost"


def local_path(address: str) -> str | None:
    """The path, with its query, for an address of Azure ML's studio; None for another address."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or parts.hostname != STUDIO_HOST:
        return None
    return local(parts.path, parts.query)


def local(path: str, query: str) -> str:
    """A path with its query, if it has one; begun by one slash, as two would name another host."""
    return "/" + path.lstrip("/") + (f"?{query}" if query else "")
