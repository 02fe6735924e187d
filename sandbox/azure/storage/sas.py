"""Shared access signatures: what is signed in which version, and how they are made and checked.

Sources: learn.microsoft.com/rest/api/storageservices/create-service-sas, .../create-account-sas,
.../create-user-delegation-sas; azure-storage-blob for the fields of 2025-07-05 and 2026-04-06.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from sandbox.azure import clock
from sandbox.azure.cloud import Cloud
from sandbox.azure.sealed import derive

VERSION = "2022-11-02"  # of the signatures made here
FORMAT = "%Y-%m-%dT%H:%M:%SZ"
LONGEST_KEY = timedelta(days=7)  # a user delegation key's life

Parameters = Mapping[str, str]
"""A SAS token's query parameters, decoded."""


def sign(key: str, text: str) -> str:
    """The HMAC-SHA256 of the text under a key in base64; an unusable key signs nothing that is accepted."""
    try:
        secret = base64.b64decode(key, validate=True)
    except binascii.Error:
        return ""
    return base64.b64encode(hmac.digest(secret, text.encode(), hashlib.sha256)).decode()


def account_text(account: str, sas: Parameters) -> str:
    """The text that an account SAS signs."""
    fields = ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"]
    if sas["sv"] >= "2020-12-06":
        fields.append("ses")
    return "".join(f"{line}\n" for line in [account, *(sas.get(name, "") for name in fields)])


def service_text(sas: Parameters, resource: str, headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """The text that a service SAS or a user delegation SAS signs.

    Args:
        sas: The token; one with `skoid` is a user delegation SAS.
        resource: The signed resource: `/blob/ACCOUNT/CONTAINER[/PATH]`.
        headers: The request's headers, of which `srh` names the signed ones.
        query: The request's query, of which `srq` names the signed ones.
    """
    version, delegated = sas["sv"], "skoid" in sas
    lines = [sas.get("sp", ""), sas.get("st", ""), sas.get("se", ""), resource]
    fields = ["skoid", "sktid", "skt", "ske", "sks", "skv"] if delegated else ["si"]
    if delegated and version >= "2020-02-10":
        fields += ["saoid", "suoid", "scid"]
    if delegated and version >= "2025-07-05":
        fields += ["skdutid", "sduoid"]
    fields += ["sip", "spr", "sv"]
    if version >= "2018-11-09":
        fields += ["sr", ""]  # the empty one: a snapshot's time
    if version >= "2020-12-06":
        fields.append("ses")
    lines += [sas.get(name, "") for name in fields]
    if delegated and version >= "2026-04-06":
        named = [name for name in sas.get("srh", "").split(",") if name]
        lines.append("".join(f"{name}:{headers.get(name.lower(), '')}\n" for name in named))
        named = [name for name in sas.get("srq", "").split(",") if name]
        lines.append("".join(f"\n{name}:{query.get(name, '')}" for name in named))
    return "\n".join([*lines, *(sas.get(name, "") for name in ("rscc", "rscd", "rsce", "rscl", "rsct"))])


def delegation_key(cloud: Cloud, account: str, sas: Parameters) -> str:
    """The user delegation key that these `sk…` fields stand for, in base64. It is made, not stored."""
    fields = [sas.get(name, "") for name in ("skoid", "sktid", "skt", "ske", "sks", "skv", "skdutid")]
    return base64.b64encode(derive(cloud.directory, "\n".join(["user delegation key", account, *fields]))).decode()


def sign_account_sas(
    account: str, key: str, *, permissions: str, expires: datetime, resource_types: str, services: str = "b"
) -> str:
    """An account SAS under a key, whether the account has it or not.

    Args:
        account: The account's name.
        key: The key in base64.
        permissions: Such as `rwdlac`.
        expires: When it ends, with a time zone.
        resource_types: `s`ervice, `c`ontainer, `o`bject.
        services: `b`lob, `f`ile, `q`ueue, `t`able.
    """
    sas = {
        "sv": VERSION,
        "ss": services,
        "srt": resource_types,
        "sp": permissions,
        "se": expires.astimezone(UTC).strftime(FORMAT),
        "spr": "https",
    }
    return token(sas, sign(key, account_text(account, sas)))


def make_user_delegation_sas(
    cloud: Cloud, account: str, container: str, *, delegator: str, permissions: str, expires: datetime, blob: str = ""
) -> str:
    """A user delegation SAS for a container, or for one blob in it. It can do what its delegator's roles allow.

    Args:
        cloud: The local Azure.
        account: The account's name.
        container: The container's name.
        delegator: The object id of the identity that signs.
        permissions: Such as `rcwl`.
        expires: When it ends, with a time zone; at most 7 days from now.
        blob: The blob's name; empty for the container.
    """
    start, end = clock.real().strftime(FORMAT), expires.astimezone(UTC).strftime(FORMAT)
    sas = {
        "sv": VERSION,
        "sr": "b" if blob else "c",
        "sp": permissions,
        "st": start,
        "se": end,
        "spr": "https",
        "skoid": delegator,
        "sktid": cloud.tokens.tenant_id,
        "skt": start,
        "ske": end,
        "sks": "b",
        "skv": VERSION,
    }
    resource = f"/blob/{account}/{container}" + (f"/{blob}" if blob else "")
    return token(sas, sign(delegation_key(cloud, account, sas), service_text(sas, resource, {}, {})))


def token(sas: Parameters, signature: str) -> str:
    """A signed token as the query of an address."""
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in [*sas.items(), ("sig", signature)])
