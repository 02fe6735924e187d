"""What opens an online endpoint: two keys, or a token of Azure ML's own that ends by itself.

Sources: learn.microsoft.com/azure/machine-learning/concept-endpoints-online-auth, how-to-authenticate-online-endpoint.
"""

import hmac
import secrets
from datetime import timedelta

from sandbox.azure import clock
from sandbox.azure.access.tokens import Caller
from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.names import AUDIENCE
from sandbox.azure.sealed import seal, unseal

KIND = "mlEndpointKeys"
KEYS = ("primary", "secondary")
LIFETIME, REFRESH = timedelta(hours=12), timedelta(hours=8)


def make_keys(cloud: Cloud, endpoint: Body) -> None:
    """Gives a new endpoint its keys."""
    _keep(cloud, endpoint, {name: _new() for name in KEYS})


def forget_keys(cloud: Cloud, endpoint: Body) -> None:
    """Drops the keys of a removed endpoint."""
    cloud.store.delete(KIND, endpoint["id"].lower())


def keys(cloud: Cloud, endpoint: Body) -> dict[str, str]:
    """The keys by name."""
    kept = cloud.store.get(KIND, endpoint["id"].lower()) or {}
    return {name: unseal(cloud.directory, kept[name]) for name in KEYS if name in kept}


def change_key(cloud: Cloud, endpoint: Body, name: str, value: str | None) -> None:
    """Sets a key; a new one is made where none is given, or the present one, as azure-ai-ml sends."""
    known = keys(cloud, endpoint)
    _keep(cloud, endpoint, {**known, name: value if value and value != known.get(name) else _new()})


def is_key(cloud: Cloud, endpoint: Body, given: str) -> bool:
    """Whether something is one of the endpoint's keys."""
    return any(hmac.compare_digest(given.encode(), one.encode()) for one in keys(cloud, endpoint).values())


def audience(endpoint: Body) -> str:
    """Whom the endpoint's own tokens are for."""
    return f"{AUDIENCE}{endpoint['id'].lower()}"


def token(cloud: Cloud, endpoint: Body, caller: Caller) -> Body:
    """A token for the endpoint, as the service shows it."""
    now = clock.real()
    ends = int((now + LIFETIME).timestamp())
    text, _ = cloud.tokens.issue(audience(endpoint), caller, exp=ends)
    return {
        "accessToken": text,
        "tokenType": "Bearer",
        "expiryTimeUtc": ends,
        "refreshAfterTimeUtc": int((now + REFRESH).timestamp()),
    }


def _keep(cloud: Cloud, endpoint: Body, found: dict[str, str]) -> None:
    sealed = {name: seal(cloud.directory, value) for name, value in found.items()}
    cloud.store.put(KIND, endpoint["id"].lower(), sealed)


def _new() -> str:
    return secrets.token_urlsafe(24)
