"""The Blob endpoint: `ACCOUNT.blob.core.windows.net`.

Source: learn.microsoft.com/rest/api/storageservices/blob-service-rest-api.
"""

import base64
import binascii
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import formatdate

from starlette.responses import Response

from sandbox.azure import clock
from sandbox.azure.storage import containers, directories, sas
from sandbox.azure.storage import xml as markup
from sandbox.azure.storage.authorization import (
    ADD,
    CONTAINER_CREATE,
    CONTAINER_DELETE,
    CONTAINER_LIST,
    CONTAINER_READ,
    CONTAINER_WRITE,
    CREATE,
    DELEGATE,
    DELETE,
    LIST,
    LIST_TREE,
    READ,
    WRITE,
    TokenGrant,
)
from sandbox.azure.storage.call import Call, blob_headers, date, read_blob, spell, version_headers
from sandbox.azure.storage.container import MAX_BLOCK_ID, Blob, BlockList, Container
from sandbox.azure.storage.errors import StorageError
from sandbox.azure.storage.names import check_container
from sandbox.azure.storage.request import METADATA

MIB = 1024 * 1024
MAX_PUT = 5000 * MIB  # learn.microsoft.com/rest/api/storageservices/put-blob
MAX_BLOCK = 4000 * MIB
MAX_APPEND = 100 * MIB
MAX_XML = 8 * MIB  # 50,000 block ids take some 5 MB
MAX_RESULTS = 5000
PUBLIC = {"blob": "Blob", "container": "Container"}
TIERS = ("Hot", "Cool", "Cold", "Archive")

Handler = Callable[[Call], Awaitable[Response]]


async def answer(call: Call) -> Response:
    """Carries out one request.

    Raises:
        StorageError: Any refusal.
    """
    handler = _handler(call)
    call.check_headers()
    return await handler(call)


def _handler(call: Call) -> Handler:
    query = call.request.query
    container, blob = call.request.target
    if "snapshot" in query or "versionid" in query:
        raise call.request.not_emulated("snapshots and versions of blobs")
    level = "blob" if blob else "container" if container else "account"
    method = "GET" if call.request.method == "HEAD" else call.request.method
    what = " ".join(filter(None, [level, method, query.get("restype"), query.get("comp")]))
    handler = HANDLERS.get(what)
    if handler is None:
        raise call.request.not_emulated(f"'{what}' on the Blob endpoint")
    return handler


# The account


async def _list_containers(call: Call) -> Response:
    call.grant.require(CONTAINER_LIST, "", "")
    query = call.request.query
    prefix, limit = query.get("prefix", ""), _limit(call)
    start = _unmark(call)
    matching = [
        container for container in containers.listing(call.cloud, call.account.name, prefix) if container[0] >= start
    ]
    shown = "".join(_container_entry(call, name, document) for name, document in matching[:limit])
    following = _mark(matching[limit][0]) if len(matching) > limit else ""
    echoed = {name: query.get(name.lower()) for name in ("Prefix", "Marker", "MaxResults")}
    return _xml(markup.listing(_endpoint(call), None, echoed, f"<Containers>{shown}</Containers>", following))


def _container_entry(call: Call, name: str, document: containers.Document) -> str:
    properties = {
        "Last-Modified": date(document["modified"]),
        "Etag": document["etag"],
        "LeaseStatus": "unlocked",
        "LeaseState": "available",
        "DefaultEncryptionScope": "$account-encryption-key",
        "DenyEncryptionScopeOverride": "false",
        "HasImmutabilityPolicy": "false",
        "HasLegalHold": "false",
    }
    wanted = "metadata" in call.request.query.get("include", "").split(",")
    return markup.container_entry(name, properties, document["metadata"] if wanted else None)


async def _account_properties(call: Call) -> Response:
    resource = call.cloud.store.get("resource", call.account.id.lower()) or {}
    return Response(
        headers={
            "x-ms-sku-name": resource.get("sku", {}).get("name", "Standard_LRS"),
            "x-ms-account-kind": resource.get("kind", "StorageV2"),
            "x-ms-is-hns-enabled": str(call.account.hierarchical).lower(),
        }
    )


async def _user_delegation_key(call: Call) -> Response:
    call.grant.require(DELEGATE, "", "")
    if not isinstance(call.grant, TokenGrant):
        raise StorageError("AuthenticationFailed")
    info = dict(markup.parse(await call.request.body(MAX_XML), "KeyInfo"))
    start, expiry = _time(info.get("Start")), _time(info.get("Expiry"))
    if not start < expiry <= start + sas.LONGEST_KEY or expiry < clock.real():
        raise StorageError("OutOfRangeInput")
    fields = {
        "skoid": call.grant.owner,
        "sktid": call.cloud.tokens.tenant_id,
        "skt": start.strftime(sas.FORMAT),
        "ske": expiry.strftime(sas.FORMAT),
        "sks": "b",
        "skv": call.request.version,
        "skdutid": info.get("DelegatedUserTid", ""),
    }
    named = {
        "SignedOid": fields["skoid"],
        "SignedTid": fields["sktid"],
        "SignedStart": fields["skt"],
        "SignedExpiry": fields["ske"],
        "SignedService": fields["sks"],
        "SignedVersion": fields["skv"],
        "SignedDelegatedUserTid": fields["skdutid"] or None,
        "Value": sas.delegation_key(call.cloud, call.account.name, fields),
    }
    shown = "".join(markup.element(name, value) for name, value in named.items())
    return _xml(f"{markup.HEAD}<UserDelegationKey>{shown}</UserDelegationKey>")


def _time(text: str | None) -> datetime:
    if not text:
        return clock.real().replace(microsecond=0)
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise StorageError("InvalidXmlDocument") from error
    return (time.replace(tzinfo=UTC) if time.tzinfo is None else time).astimezone(UTC)


# Containers


async def _create_container(call: Call) -> Response:
    name = call.container(CONTAINER_CREATE).name
    public = call.request.headers.get("x-ms-blob-public-access")
    if public is not None and public not in PUBLIC:
        raise call.request.invalid_header("x-ms-blob-public-access")
    if public and not call.account.properties.get("allowBlobPublicAccess"):
        raise StorageError("PublicAccessNotPermitted")
    document = containers.create(
        call.cloud,
        call.account.name,
        name,
        metadata=call.request.metadata,
        public_access=PUBLIC.get(public or "", "None"),
    )
    return Response(status_code=201, headers=_container_version(document))


def _container_version(document: containers.Document) -> dict[str, str]:
    return {"etag": document["etag"], "last-modified": date(document["modified"])}


async def _container_properties(call: Call) -> Response:
    container = call.container(CONTAINER_READ)
    check_container(container.name)
    document = container.check()
    headers = _container_version(document) | {
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
        "x-ms-has-immutability-policy": "false",
        "x-ms-has-legal-hold": "false",
        "x-ms-default-encryption-scope": "$account-encryption-key",
        "x-ms-deny-encryption-scope-override": "false",
        **{METADATA + name: value for name, value in document["metadata"].items()},
    }
    if document["publicAccess"] != "None":
        headers["x-ms-blob-public-access"] = document["publicAccess"].lower()
    return _head(headers)


def _head(headers: dict[str, str]) -> Response:
    return spell(Response(headers=headers), headers)


async def _container_metadata(call: Call) -> Response:
    name = call.container(CONTAINER_WRITE).name
    document = containers.update(call.cloud, call.account.name, name, metadata=call.request.metadata)
    return Response(headers=_container_version(document))


async def _container_acl(call: Call) -> Response:
    document = call.container(CONTAINER_READ).check()
    headers = _container_version(document)
    if document["publicAccess"] != "None":
        headers["x-ms-blob-public-access"] = document["publicAccess"].lower()
    return _xml(f"{markup.HEAD}<SignedIdentifiers />", headers)


async def _delete_container(call: Call) -> Response:
    container = call.container(CONTAINER_DELETE)
    check_container(container.name)
    document = container.check()
    call.request.conditions.check_write(Blob(document["etag"], document["created"], document["modified"]))
    containers.delete(call.cloud, call.account.name, container.name)
    return Response(status_code=202)


async def _list_blobs(call: Call) -> Response:
    query, name = call.request.query, call.request.target[0]
    directory = query.get("prefix", "").rpartition("/")[0] if call.account.hierarchical else query.get("prefix", "")
    call.grant.require(LIST if query.get("delimiter") else LIST_TREE, name, directory)
    container = Container(call.cloud, call.account, name)
    container.check()
    include = query.get("include", "").split(",")
    start = max(_unmark(call), query.get("startfrom", ""))
    entries, following = container.page(query.get("prefix", ""), query.get("delimiter", ""), start, _limit(call))
    shown = "".join(
        markup.blob_entry(entry, blob_headers(call, entry.blob) if entry.blob else {}, metadata="metadata" in include)
        for entry in entries
    )
    echoed = {name: query.get(name.lower()) for name in ("Prefix", "Marker", "MaxResults", "Delimiter")}
    items = f"<Blobs>{shown}</Blobs>"
    return _xml(markup.listing(_endpoint(call), container.name, echoed, items, _mark(following)))


def _limit(call: Call) -> int:
    limit = call.request.number("maxresults", MAX_RESULTS)
    if not limit:
        raise StorageError("OutOfRangeQueryParameterValue", details={"QueryParameterName": "maxresults"})
    return min(limit, MAX_RESULTS)


def _mark(name: str) -> str:
    """Encodes a marker, which clients do not read."""
    return base64.urlsafe_b64encode(name.encode()).decode()


def _unmark(call: Call) -> str:
    try:
        return base64.b64decode(call.request.query.get("marker", ""), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise call.request.invalid_query("marker") from error


def _endpoint(call: Call) -> str:
    return f"https://{call.account.name}.blob.core.windows.net/"


# Blobs


async def _put(call: Call) -> Response:
    container, headers = _may_put(call), call.request.headers
    if "x-ms-copy-source" in headers:
        return (_put_from_url if "x-ms-blob-type" in headers else _copy)(call, container)
    kind = headers.get("x-ms-blob-type")
    if kind == "BlockBlob":
        return await _put_block_blob(call, container)
    if kind == "AppendBlob":
        return _put_append_blob(call, container)
    if kind is None:
        raise StorageError("MissingRequiredHeader", details={"HeaderName": "x-ms-blob-type"})
    raise (
        call.request.not_emulated("page blobs") if kind == "PageBlob" else call.request.invalid_header("x-ms-blob-type")
    )


def _may_put(call: Call) -> Container:
    """The container, if the caller may make this blob; replacing one needs more."""
    container, path = call.request.target
    exists = Container(call.cloud, call.account, container).has(path)
    return call.container(WRITE if exists else CREATE)


def _given(call: Call) -> dict[str, str]:
    """The standard headers that a Put sets; a header for the blob (`x-ms-blob-…`) goes before the request's own."""
    headers = call.properties("x-ms-blob-", call.request.headers.get("content-type", "application/octet-stream"))
    digest = call.request.digest_header("x-ms-blob-content-md5")
    return headers if digest is not None else {name: value for name, value in headers.items() if name != "content-md5"}


def _tier(call: Call) -> str:
    tier = call.request.headers.get("x-ms-access-tier", "")
    if tier and tier not in TIERS:
        raise call.request.invalid_header("x-ms-access-tier")
    return tier


async def _put_block_blob(call: Call, container: Container) -> Response:
    conditions = call.request.conditions
    call.request.length(MAX_PUT)
    async with container.content.receive(call.request.stream()) as received:
        call.check_digest(received)
        digest = base64.b64encode(received.md5).decode()
        blob = container.put(
            call.path,
            conditions,
            received.segments,
            headers={"content-md5": digest, **_given(call)},
            metadata=call.request.metadata,
            tier=_tier(call),
        )
    return Response(status_code=201, headers=version_headers(blob) | {"content-md5": digest})


def _put_append_blob(call: Call, container: Container) -> Response:
    if call.request.length(MAX_PUT):
        raise call.request.invalid_header("content-length")
    blob = container.put(
        call.path,
        call.request.conditions,
        [],
        blob_type="AppendBlob",
        headers=_given(call),
        metadata=call.request.metadata,
    )
    return Response(status_code=201, headers=version_headers(blob))


async def _put_block(call: Call) -> Response:
    container = call.container(WRITE)
    block = call.request.query.get("blockid", "")
    try:
        raw = base64.b64decode(block, validate=True)
    except binascii.Error:
        raw = b""
    if not 0 < len(raw) <= MAX_BLOCK_ID:
        raise call.request.invalid_query("blockid")
    if "x-ms-copy-source" in call.request.headers:
        raise call.request.not_emulated("Put Block From URL")
    if not call.request.length(MAX_BLOCK):
        raise call.request.invalid_header("content-length")
    async with container.content.receive(call.request.stream()) as received:
        call.check_digest(received)
        container.stage_block(call.path, block, received)
    digest = base64.b64encode(received.md5).decode()
    return Response(status_code=201, headers={"content-md5": digest, "x-ms-request-server-encrypted": "true"})


async def _put_block_list(call: Call) -> Response:
    container, conditions = _may_put(call), call.request.conditions
    entries: list[tuple[BlockList, str]] = []
    for name, block in markup.parse(await call.request.body(MAX_XML), "BlockList"):
        if name not in {"Committed", "Uncommitted", "Latest"}:
            raise StorageError("InvalidXmlDocument")
        entries.append((name, block))  # type: ignore[arg-type]
    properties = {"headers": _given(call), "metadata": call.request.metadata, "tier": _tier(call)}
    blob = container.commit_blocks(call.path, conditions, entries, **properties)
    return Response(status_code=201, headers=version_headers(blob))


async def _get_block_list(call: Call) -> Response:
    container = call.container(READ)
    wanted = call.request.query.get("blocklisttype", "committed").lower()
    if wanted not in {"committed", "uncommitted", "all"}:
        raise call.request.invalid_query("blocklisttype")
    blob, committed, uncommitted = container.blocks(call.path)
    headers = {} if blob is None else {"etag": blob.etag, "last-modified": date(blob.modified)}
    headers["x-ms-blob-content-length"] = str(blob.size if blob else 0)
    shown = markup.block_list(
        committed if wanted != "uncommitted" else None, uncommitted if wanted != "committed" else None
    )
    return _xml(shown, headers)


async def _append_block(call: Call) -> Response:
    container, conditions = call.container(ADD), call.request.conditions
    if "x-ms-copy-source" in call.request.headers:
        raise call.request.not_emulated("Append Block From URL")
    if not call.request.length(MAX_APPEND):
        raise call.request.invalid_header("content-length")
    position = call.request.number_header("x-ms-blob-condition-appendpos")
    largest = call.request.number_header("x-ms-blob-condition-maxsize")
    async with container.content.receive(call.request.stream()) as received:
        call.check_digest(received)
        blob = container.append(call.path, conditions, received, position=position, largest=largest)
    headers = version_headers(blob) | {
        "x-ms-blob-append-offset": str(blob.size - received.size),
        "x-ms-blob-committed-block-count": str(blob.appends),
        "content-md5": base64.b64encode(received.md5).decode(),
    }
    return Response(status_code=201, headers=headers)


async def _get(call: Call) -> Response:
    container = call.container(READ)
    root = call.account.hierarchical and call.path == "/"
    if not root:
        container.check_name(call.path)
    blob = directories.root(container) if root else container.get(call.path)
    call.request.conditions.check_read(blob)
    if call.request.method == "HEAD":
        return _head(blob_headers(call, blob))
    return read_blob(call, container, blob)


async def _get_metadata(call: Call) -> Response:
    blob = call.container(READ).get(call.path)
    call.request.conditions.check_read(blob)
    return _head(blob_headers(call, blob) | {"content-length": "0"})


async def _delete(call: Call) -> Response:
    container = call.container(DELETE)
    container.check_name(call.path)
    container.delete(call.path, call.request.conditions)
    return Response(status_code=202, headers={"x-ms-delete-type-permanent": "true"})


async def _set_metadata(call: Call) -> Response:
    blob = call.container(WRITE).update(call.path, call.request.conditions, metadata=call.request.metadata)
    return Response(headers=version_headers(blob))


async def _set_properties(call: Call) -> Response:
    blob = call.container(WRITE).update(call.path, call.request.conditions, headers=call.properties("x-ms-blob-"))
    return Response(headers=version_headers(blob))


async def _set_tier(call: Call) -> Response:
    tier = _tier(call)
    if not tier:
        raise StorageError("MissingRequiredHeader", details={"HeaderName": "x-ms-access-tier"})
    call.container(WRITE).set_tier(call.path, tier)
    return Response()


def _copy(call: Call, container: Container) -> Response:
    """Copy Blob; the copy is complete when the request is answered."""
    blob = _copied(call, container, metadata=call.request.metadata)
    headers = {name: blob.copied[name] for name in ("x-ms-copy-id", "x-ms-copy-status")}
    return Response(status_code=202, headers=version_headers(blob) | headers)


def _put_from_url(call: Call, container: Container) -> Response:
    if call.request.headers["x-ms-blob-type"] != "BlockBlob":
        raise call.request.invalid_header("x-ms-blob-type")
    given = {name: value for name, value in call.properties("x-ms-blob-", "").items() if value}
    blob = _copied(call, container, metadata=call.request.metadata, headers=given)
    return Response(status_code=201, headers=version_headers(blob))


def _copied(
    call: Call, container: Container, *, metadata: dict[str, str], headers: dict[str, str] | None = None
) -> Blob:
    url = call.request.headers["x-ms-copy-source"]
    place, name = call.source(url)
    source = place.find(name)
    if source is None or source.directory:
        raise StorageError("CannotVerifyCopySource")
    call.request.source_conditions.check_source(source)
    properties: dict[str, object] = {
        "copied": {
            "x-ms-copy-id": str(uuid.uuid4()),
            "x-ms-copy-source": url.partition("?")[0],
            "x-ms-copy-status": "success",
            "x-ms-copy-progress": f"{source.size}/{source.size}",
            "x-ms-copy-completion-time": formatdate(usegmt=True),
        }
    }
    if metadata:
        properties["metadata"] = metadata
    if headers is not None:
        properties["headers"] = {**source.headers, **headers}
        properties["copied"] = {}
    return container.copy(call.path, call.request.conditions, source, **properties)


def _xml(text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(text, media_type="application/xml", headers=headers)


HANDLERS: dict[str, Handler] = {
    "account GET list": _list_containers,
    "account GET account properties": _account_properties,
    "account POST service userdelegationkey": _user_delegation_key,
    "container GET account properties": _account_properties,
    "blob GET account properties": _account_properties,
    "container PUT container": _create_container,
    "container GET container": _container_properties,
    "container GET container metadata": _container_properties,
    "container PUT container metadata": _container_metadata,
    "container GET container acl": _container_acl,
    "container DELETE container": _delete_container,
    "container GET container list": _list_blobs,
    "blob PUT": _put,
    "blob PUT block": _put_block,
    "blob PUT blocklist": _put_block_list,
    "blob GET blocklist": _get_block_list,
    "blob PUT appendblock": _append_block,
    "blob GET": _get,
    "blob GET metadata": _get_metadata,
    "blob DELETE": _delete,
    "blob PUT metadata": _set_metadata,
    "blob PUT properties": _set_properties,
    "blob PUT tier": _set_tier,
}
"""By level, verb, `restype` and `comp`."""
