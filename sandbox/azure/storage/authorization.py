"""Who may do what: by account key, shared access signature, Entra token or anonymously, and from which network.

Sources: learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key, .../create-account-sas,
.../authorize-with-azure-active-directory (actions by operation), learn.microsoft.com/azure/storage/common/
storage-network-security; the headers' order in the signature as azure-storage-blob signs it.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, Protocol

from sandbox.azure import clock
from sandbox.azure.access.conditions import Attempt
from sandbox.azure.access.tokens import Caller
from sandbox.azure.activity.record import note_allowed, note_caller, note_missing
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.privatelink import reaches
from sandbox.azure.storage import pathaccess, sas
from sandbox.azure.storage.accounts import Account
from sandbox.azure.storage.container import Container
from sandbox.azure.storage.errors import StorageError
from sandbox.azure.storage.pathaccess import Need
from sandbox.azure.storage.request import Request

SIGNED_HEADERS = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)
ALLOWED_SKEW = 15 * 60  # seconds that a signed request's date may be off
CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"


@dataclass(frozen=True)
class Right:
    """The rights that an operation needs.

    Attributes:
        actions: Actions of Azure RBAC one of which suffices.
        letters: Permissions of a shared access signature one of which suffices; none where a SAS cannot do it.
        level: What the operation is on: `s`ervice, `c`ontainer or `o`bject.
        data: Whether the actions are data actions.
        service_sas: Whether a SAS for a container or blob can do it, or only one for the account.
        need: What access control lists must give instead of a role; None where no list gives it.
        suboperation: How conditions of role assignments call it; empty for none.
    """

    actions: tuple[str, ...]
    letters: str
    level: str = "o"
    data: bool = True
    service_sas: bool = True
    need: Need | None = None
    suboperation: str = ""


READ = Right((f"{CONTAINERS}/blobs/read",), "r", need=Need(path="r"))
STATUS = Right((f"{CONTAINERS}/blobs/read",), "r", need=Need())
WRITE = Right((f"{CONTAINERS}/blobs/write",), "w", need=Need(path="w"))
APPEND = Right((f"{CONTAINERS}/blobs/write",), "w", need=Need(path="rw"))
CREATE = Right((f"{CONTAINERS}/blobs/write", f"{CONTAINERS}/blobs/add/action"), "cw", need=Need(parent="wx"))
ADD = Right((f"{CONTAINERS}/blobs/write", f"{CONTAINERS}/blobs/add/action"), "aw", need=Need(path="rw"))
DELETE = Right((f"{CONTAINERS}/blobs/delete",), "d", need=Need(parent="wx"))
DELETE_TREE = Right((f"{CONTAINERS}/blobs/delete",), "d", need=Need(parent="wx", below="rwx"))
MOVE = Right((f"{CONTAINERS}/blobs/move/action", f"{CONTAINERS}/blobs/delete"), "md", need=Need(parent="wx"))
LIST = Right((f"{CONTAINERS}/blobs/read",), "l", "c", need=Need(path="rx"), suboperation="Blob.List")
LIST_TREE = Right((f"{CONTAINERS}/blobs/read",), "l", "c", need=Need(below="rx"), suboperation="Blob.List")
GET_ACCESS = Right((f"{CONTAINERS}/blobs/read",), "er", need=Need())
SET_ACCESS = Right((f"{CONTAINERS}/blobs/modifyPermissions/action",), "p", need=Need(owner=True))
CONTAINER_READ = Right((f"{CONTAINERS}/read",), "r", "c", data=False, service_sas=False)
CONTAINER_CREATE = Right((f"{CONTAINERS}/write",), "cw", "c", data=False, service_sas=False)
CONTAINER_WRITE = Right((f"{CONTAINERS}/write",), "w", "c", data=False, service_sas=False)
CONTAINER_DELETE = Right((f"{CONTAINERS}/delete",), "d", "c", data=False, service_sas=False)
CONTAINER_LIST = Right((f"{CONTAINERS}/read",), "l", "s", data=False, service_sas=False)
DELEGATE = Right(
    ("Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",), "", "s", data=False
)


PUBLIC_READS = frozenset({READ, STATUS, LIST, LIST_TREE, CONTAINER_READ})
"""The rights that a public container gives to everybody."""


class Grant(Protocol):
    """The credential that a request was authenticated by."""

    @property
    def owner(self) -> str:
        """Whose the files become that it makes."""

    def require(self, right: Right, container: str, path: str) -> None:
        """Lets the operation happen.

        Args:
            right: What it needs.
            container: The container; empty for the account.
            path: The blob or path; empty for the container.

        Raises:
            StorageError: 403 and others.
        """


@dataclass(frozen=True)
class KeyGrant:
    """The account's key: everything."""

    owner: str = "$superuser"

    def require(self, right: Right, container: str, path: str) -> None:
        """Refuses what needs an Entra token."""
        if right is DELEGATE:
            raise StorageError(
                "AuthenticationFailed", details={"AuthenticationErrorDetail": "Only a token can do this."}
            )


@dataclass(frozen=True)
class TokenGrant:
    """A caller by token: its role assignments."""

    cloud: Cloud
    account: Account
    caller: Caller

    @property
    def owner(self) -> str:
        """The caller's object id."""
        return self.caller.object_id

    def require(self, right: Right, container: str, path: str) -> None:
        """Refuses what neither a role assignment nor an access control list allows."""
        holder = Holder(self.cloud, self.account, self.caller.object_id)
        if not holder.may(right, container, path):
            note_missing(right.actions, holder.scope(container), data=right.data)
            raise StorageError("AuthorizationPermissionMismatch")


@dataclass(frozen=True)
class SasGrant:
    """A shared access signature.

    Attributes:
        cloud: The local Azure.
        account: The account.
        fields: The token's; `skoid` is the delegator, whose rights limit a user delegation SAS.
        container: The signed container; empty for an account SAS.
        path: The signed blob or directory; empty for a whole container.
    """

    cloud: Cloud
    account: Account
    fields: Mapping[str, str]
    container: str = ""
    path: str = ""

    @property
    def owner(self) -> str:
        """The delegator, or the account."""
        return self.fields.get("saoid") or self.fields.get("skoid", "$superuser")

    def require(self, right: Right, container: str, path: str) -> None:
        """Refuses what the signature does not hold, and what its delegator may not do."""
        if "srt" in self.fields:
            if right.level not in self.fields["srt"]:
                raise StorageError("AuthorizationResourceTypeMismatch")
        elif not right.service_sas or container != self.container or not self._covers(path):
            raise StorageError("AuthorizationPermissionMismatch")
        if not set(right.letters) & set(self.fields.get("sp", "")):
            raise StorageError("AuthorizationPermissionMismatch")
        delegator = self.fields.get("skoid")
        if delegator and not Holder(self.cloud, self.account, delegator).may(right, container, path):
            note_missing(right.actions, Holder(self.cloud, self.account, delegator).scope(container), data=right.data)
            raise StorageError("AuthorizationPermissionMismatch")
        # learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas: `suoid` is held to the lists
        user = self.fields.get("suoid")
        if user and not Holder(self.cloud, self.account, user).by_lists(right, container, path):
            raise StorageError("AuthorizationPermissionMismatch")

    def _covers(self, path: str) -> bool:
        if self.fields["sr"] == "d" and self.path:
            return path == self.path or path.startswith(self.path + "/")
        return not self.path or path == self.path


@dataclass(frozen=True)
class AnonymousGrant:
    """No credentials: public containers of an account that allows them, and nothing else."""

    cloud: Cloud
    account: Account
    challenge: StorageError
    owner: str = "$superuser"

    def require(self, right: Right, container: str, path: str) -> None:
        """Refuses all but reads of public containers; newer clients get a challenge."""
        document = self.cloud.store.get("container", f"{self.account.name}/{container}") or {}
        public = document.get("publicAccess") if self.account.properties.get("allowBlobPublicAccess") else None
        if (public == "Container" and right in PUBLIC_READS) or (public == "Blob" and right in (READ, STATUS)):
            return
        raise self.challenge


@dataclass(frozen=True)
class Holder:
    """A principal at an account."""

    cloud: Cloud
    account: Account
    object_id: str

    def may(self, right: Right, container: str, path: str) -> bool:
        """Whether it has the right to a path: by its role assignments, or else by access control lists."""
        return self.by_roles(right, container, path) or self.by_lists(right, container, path)

    def by_lists(self, right: Right, container: str, path: str) -> bool:
        """Whether access control lists give it the right to a path."""
        if right.need is None or not self.account.hierarchical or not container:
            return False
        opened = Container(self.cloud, self.account, container)
        principals = self.cloud.access.principals(self.object_id)
        if not pathaccess.allows(opened, self.object_id, principals, right.need, path):
            return False
        note_allowed(right.actions[0], self.scope(container))
        return True

    def scope(self, container: str) -> str:
        """The id of a container of the account, or the account's."""
        return f"{self.account.id}/blobServices/default/containers/{container}" if container else self.account.id

    def by_roles(self, right: Right, container: str, path: str) -> bool:
        """Whether its role assignments hold the right at the container, or at the account."""
        account, scope = self.account, self.scope(container)
        resource: dict[str, Any] = {
            "microsoft.storage/storageaccounts:name": account.name,
            "microsoft.storage/storageaccounts:ishnsenabled": account.hierarchical,
        }
        request = {}
        if container:
            resource[f"{CONTAINERS}:name".lower()] = container
        if path and right.suboperation:
            request[f"{CONTAINERS}/blobs:prefix".lower()] = path
        elif path:
            resource[f"{CONTAINERS}/blobs:path".lower()] = path
        attempts = [Attempt(action, right.suboperation, resource, request) for action in right.actions]
        allows = self.cloud.access.allows
        return any(allows(self.object_id, each.action, scope, data=right.data, attempt=each) for each in attempts)


def check_network(cloud: Cloud, account: Account, service: str, *, client: str, network: str) -> None:
    """Refuses a client that the account's network rules keep out.

    Args:
        cloud: The local Azure.
        account: The account.
        service: `blob` or `dfs`.
        client: The client's IP address.
        network: Id of the network that it is in; empty for the internet.

    Raises:
        StorageError: 403 AuthorizationFailure.
    """
    rules = account.properties.get("networkAcls") or {}
    closed = account.properties.get("publicNetworkAccess") == "Disabled"
    if not closed and rules.get("defaultAction") != "Deny":
        return
    if reaches(cloud.store, network, account.id, service):
        return
    allowed = [rule["value"] for rule in rules.get("ipRules") or [] if rule.get("action", "Allow") == "Allow"]
    if closed or not any(ip_address(client) in ip_network(value, strict=False) for value in allowed):
        raise StorageError("AuthorizationFailure")


def authenticate(cloud: Cloud, account: Account, request: Request) -> Grant:
    """Finds out who calls.

    Raises:
        StorageError: 401 or 403.
    """
    authorization = request.headers.get("authorization", "")
    scheme, _, credentials = authorization.partition(" ")
    if "sig" in request.query:
        return _signature(cloud, account, request)
    if scheme.lower() == "bearer":
        return TokenGrant(cloud, account, _caller(cloud, account, request))
    if scheme == "SharedKey":
        _shared_key(cloud, account, request, credentials)
        note_caller("account key")
        return KeyGrant()
    if authorization:
        raise _unauthenticated(f"Authentication scheme {scheme} is not supported.")
    return AnonymousGrant(cloud, account, _anonymous(cloud, account, request))


def _anonymous(cloud: Cloud, account: Account, request: Request) -> StorageError:
    if request.version >= "2019-12-12":
        return StorageError("NoAuthenticationInformation", headers=_challenge(cloud))
    allowed = account.properties.get("allowBlobPublicAccess")
    return StorageError("ResourceNotFound" if allowed else "PublicAccessNotPermitted")


def _challenge(cloud: Cloud) -> dict[str, str]:
    authority = f"https://login.microsoftonline.com/{cloud.tokens.tenant_id}/oauth2/authorize"
    return {"WWW-Authenticate": f"Bearer authorization_uri={authority} resource_id=https://storage.azure.com"}


def _unauthenticated(detail: str) -> StorageError:
    return StorageError("AuthenticationFailed", details={"AuthenticationErrorDetail": detail})


def _caller(cloud: Cloud, account: Account, request: Request) -> Caller:
    if request.version < "2017-11-09":
        raise _unauthenticated("Authentication scheme Bearer is not supported in this version.")
    hosts = [f"https://{account.name}.{service}.core.windows.net" for service in ("blob", "dfs")]
    try:
        return cloud.tokens.check(request.headers.get("authorization"), "https://storage.azure.com", *hosts)
    except AzureError as error:
        details = {"AuthenticationErrorDetail": error.message}
        raise StorageError("InvalidAuthenticationInfo", details=details, headers=_challenge(cloud)) from error


def _require_keys(account: Account) -> None:
    if account.properties.get("allowSharedKeyAccess") is False:
        raise StorageError("KeyBasedAuthenticationNotPermitted")


def _shared_key(cloud: Cloud, account: Account, request: Request, credentials: str) -> None:
    _require_keys(account)
    name, _, signature = credentials.partition(":")
    text = _text_to_sign(account, request)
    if name != account.name or not _signed(cloud, account, text, signature):
        raise _unauthenticated(
            f"The MAC signature found in the HTTP request '{signature}' is not the same as any computed signature. "
            f"Server used following string to sign: '{text}'."
        )
    date = request.headers.get("x-ms-date") or request.headers.get("date", "")
    try:
        sent = _date(date)
    except ValueError as error:
        raise _unauthenticated("The Date header in the request is incorrect.") from error
    if abs((clock.real() - sent).total_seconds()) > ALLOWED_SKEW:
        raise _unauthenticated(f"Request date header too old: '{date}'")


@lru_cache(maxsize=64)
def _date(text: str) -> datetime:
    """Kept, as many requests come within a second, and reading a date takes longer than signing."""
    return datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)


def _text_to_sign(account: Account, request: Request) -> str:
    headers = {**request.headers}
    if headers.get("content-length") == "0":
        del headers["content-length"]
    if "x-ms-date" in headers:
        headers.pop("date", None)
    lines = [request.method, *(headers.get(name, "") for name in SIGNED_HEADERS)]
    extensions = sorted((name for name in headers if name.startswith("x-ms-")), key=_header_order)
    lines += [f"{name}:{headers[name]}" for name in extensions]
    resource = f"/{account.name}{request.raw_path}"
    return "\n".join([*lines, resource, *(f"{name}:{request.query[name]}" for name in sorted(request.query))])


@lru_cache(maxsize=256)
def _header_order(name: str) -> tuple[str, list[int]]:
    """Hyphens count only between names that are the same without them, a later hyphen first; `_` is before digits."""
    hyphens = [-at for at, letter in enumerate(name) if letter == "-"]
    return name.replace("-", "").replace("_", " "), [*hyphens, -len(name)]


def _signed(cloud: Cloud, account: Account, text: str, signature: str) -> bool:
    return any(_equal(sas.sign(key, text), signature) for key in account.keys(cloud))


def _equal(computed: str, given: str) -> bool:
    return hmac.compare_digest(computed.encode(), given.encode())


def _signature(cloud: Cloud, account: Account, request: Request) -> SasGrant:
    fields = request.query
    if not {"sv", "se"} <= fields.keys():
        raise _unauthenticated("sv and se are mandatory. Stored access policies are not emulated.")
    grant = _account_sas(cloud, account, request) if "srt" in fields else _service_sas(cloud, account, request)
    _check_times(fields)
    if "sip" in fields and not _in_range(request.client, fields["sip"]):
        raise StorageError("AuthorizationSourceIPMismatch")
    if "sduoid" in fields and _caller(cloud, account, request).object_id != fields["sduoid"]:
        raise StorageError("AuthorizationPermissionMismatch")
    note_caller("shared access signature", fields.get("skoid", ""))
    return grant


def _account_sas(cloud: Cloud, account: Account, request: Request) -> SasGrant:
    _require_keys(account)
    text = sas.account_text(account.name, request.query)
    if not _signed(cloud, account, text, request.query["sig"]):
        raise _mismatch(text)
    if "b" not in request.query.get("ss", ""):
        raise StorageError("AuthorizationServiceMismatch")
    return SasGrant(cloud, account, request.query)


def _service_sas(cloud: Cloud, account: Account, request: Request) -> SasGrant:
    fields = request.query
    container, path = _signed_resource(request)
    resource = "/".join(["/blob", account.name, container, *([path] if path or fields["sr"] == "d" else [])])
    text = sas.service_text(fields, resource, request.headers, fields)
    if "skoid" in fields:
        if not _equal(sas.sign(sas.delegation_key(cloud, account.name, fields), text), fields["sig"]):
            raise _mismatch(text)
        _check_delegation(cloud, fields)
    else:
        _require_keys(account)
        if not _signed(cloud, account, text, fields["sig"]):
            raise _mismatch(text)
    return SasGrant(cloud, account, fields, container, path)


def _signed_resource(request: Request) -> tuple[str, str]:
    """Container and path that the signature must be about, from the request and `sr`."""
    container, path = request.target
    kind = request.query.get("sr", "")
    if kind == "c":
        return container, ""
    if kind == "b":
        return container, path
    if kind == "d":
        path = path or request.query.get("directory", "") or request.query.get("prefix", "")
        return container, "/".join(path.split("/")[: request.number("sdd", 0)])
    raise _unauthenticated(f"Signed resource '{kind}' is not emulated: b, c and d are.")


def _mismatch(text: str) -> StorageError:
    return _unauthenticated(f"Signature did not match. String to sign used was {text}")


def _check_delegation(cloud: Cloud, fields: Mapping[str, str]) -> None:
    start, end, now = _time(fields, "skt"), _time(fields, "ske"), clock.real()
    if fields.get("sktid") != cloud.tokens.tenant_id or not start <= now <= end or end - start > sas.LONGEST_KEY:
        raise _unauthenticated("The user delegation key is not valid: its tenant or its time frame.")


def _check_times(fields: Mapping[str, str]) -> None:
    now = clock.real()
    start, end = _time(fields, "st") if "st" in fields else now, _time(fields, "se")
    if not start <= now <= end:
        raise _unauthenticated(
            f"Signature not valid in the specified time frame: Start [{start:%a, %d %b %Y %H:%M:%S GMT}] - "
            f"Expiry [{end:%a, %d %b %Y %H:%M:%S GMT}] - Current [{now:%a, %d %b %Y %H:%M:%S GMT}]"
        )


def _time(fields: Mapping[str, str], name: str) -> datetime:
    try:
        time = datetime.fromisoformat(fields.get(name, ""))
    except ValueError as error:
        raise _unauthenticated(f"{name} is not a valid time.") from error
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _in_range(client: str, text: str) -> bool:
    first, _, last = text.partition("-")
    try:
        return ip_address(first) <= ip_address(client) <= ip_address(last or first)  # type: ignore[operator]
    except (ValueError, TypeError) as error:
        raise _unauthenticated(f"sip '{text}' is not an address or a range of addresses.") from error
