"""The Data Lake endpoint: `ACCOUNT.dfs.core.windows.net`.

Source: learn.microsoft.com/rest/api/storageservices/data-lake-storage-gen2 (filesystem and path operations).
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.responses import JSONResponse, Response

from sandbox.azure.storage import access, containers, directories
from sandbox.azure.storage.authorization import (
    APPEND,
    CONTAINER_CREATE,
    CONTAINER_DELETE,
    CONTAINER_LIST,
    CONTAINER_READ,
    CONTAINER_WRITE,
    CREATE,
    DELETE,
    DELETE_TREE,
    GET_ACCESS,
    LIST,
    LIST_TREE,
    READ,
    SET_ACCESS,
    STATUS,
    WRITE,
    Right,
)
from sandbox.azure.storage.call import Call, access_headers, blob_headers, date, read_blob, version_headers
from sandbox.azure.storage.container import SUPERUSER, Blob, Container, Entry
from sandbox.azure.storage.errors import StorageError
from sandbox.azure.storage.names import check_container
from sandbox.azure.storage.request import Request

MIB = 1024 * 1024
MAX_APPEND = 4000 * MIB  # learn.microsoft.com/rest/api/storageservices/datalakestoragegen2/path/update
MAX_RESULTS = 5000
MAX_ACCESS = 2000  # paths of a recursive change of access control, a call
FILETIME = 11_644_473_600  # seconds from 1601, where file times begin, to 1970

Handler = Callable[[Call], Awaitable[Response]]


async def answer(call: Call) -> Response:
    """Carries out one request.

    Raises:
        StorageError: Any refusal, in the Data Lake endpoint's words.
    """
    try:
        handler = _handler(call)
        call.check_headers()
        return await handler(call)
    except StorageError as error:
        raise error.as_data_lake() from error


def _handler(call: Call) -> Handler:
    query, method = call.request.query, call.request.method
    filesystem, _ = call.request.target
    if not filesystem or query.get("resource") in {"account", "filesystem"}:
        what = f"{method} {query.get('resource', '')}"
    elif method == "PUT" and "x-ms-rename-source" in call.request.headers:
        what = "PUT rename"
    elif method == "HEAD" and query.get("action") in {None, "getStatus"}:
        what = "HEAD"
    else:
        what = " ".join(filter(None, [method, query.get("resource") or query.get("action"), query.get("comp")]))
    handler = HANDLERS.get(what)
    if handler is None:
        raise call.request.not_emulated(f"'{what}' on the Data Lake endpoint")
    return handler


def _path(call: Call) -> str:
    return call.path.strip("/")


def _properties(request: Request) -> dict[str, str] | None:
    """The metadata in `x-ms-properties`: `name=BASE64,...`; None where the request has none.

    Raises:
        StorageError: 400.
    """
    text = request.headers.get("x-ms-properties")
    if text is None:
        return None
    properties: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = pair.partition("=")
        try:
            properties[name] = base64.b64decode(value, validate=True).decode("latin-1")
        except binascii.Error as error:
            raise request.invalid_header("x-ms-properties") from error
    return properties


def _shown(metadata: dict[str, str]) -> str:
    return ",".join(f"{name}={base64.b64encode(value.encode('latin-1')).decode()}" for name, value in metadata.items())


# Filesystems


async def _list_filesystems(call: Call) -> Response:
    call.grant.require(CONTAINER_LIST, "", "")
    filesystems = [
        {"name": name, "etag": document["etag"].strip('"'), "lastModified": date(document["modified"])}
        for name, document in containers.listing(call.cloud, call.account.name, call.request.query.get("prefix", ""))
    ]
    return JSONResponse({"filesystems": filesystems})


async def _create_filesystem(call: Call) -> Response:
    name = call.container(CONTAINER_CREATE).name
    document = containers.create(call.cloud, call.account.name, name, metadata=_properties(call.request))
    return Response(status_code=201, headers=_filesystem_headers(call, document))


async def _filesystem_properties(call: Call) -> Response:
    container = call.container(CONTAINER_READ)
    check_container(container.name)
    document = container.check()
    return Response(headers=_filesystem_headers(call, document) | {"x-ms-properties": _shown(document["metadata"])})


async def _set_filesystem_properties(call: Call) -> Response:
    name = call.container(CONTAINER_WRITE).name
    document = containers.update(call.cloud, call.account.name, name, metadata=_properties(call.request) or {})
    return Response(headers=_filesystem_headers(call, document))


async def _delete_filesystem(call: Call) -> Response:
    container = call.container(CONTAINER_DELETE)
    container.check()
    containers.delete(call.cloud, call.account.name, container.name)
    return Response(status_code=202)


def _filesystem_headers(call: Call, document: containers.Document) -> dict[str, str]:
    return {
        "etag": document["etag"],
        "last-modified": date(document["modified"]),
        "x-ms-namespace-enabled": str(call.account.hierarchical).lower(),
    }


async def _list_paths(call: Call) -> Response:
    query = call.request.query
    if query.get("recursive", "").lower() not in {"true", "false"}:
        raise call.request.invalid_query("recursive")
    filesystem, _ = call.request.target
    directory = query.get("directory", "").strip("/")
    tree = query["recursive"].lower() == "true"
    call.grant.require(LIST_TREE if tree else LIST, filesystem, directory)
    container = Container(call.cloud, call.account, filesystem)
    container.check()
    blob = container.find(directory) if directory else None
    if blob is not None and not blob.folder:  # a file is its own list
        return JSONResponse({"paths": [_path_entry(call, Entry(directory, blob))]})
    prefix = f"{directory}/" if directory else ""
    delimiter = "" if tree else "/"
    limit = call.request.number("maxresults", MAX_RESULTS)
    if not limit:
        raise call.request.invalid_query("maxresults")
    start = max(_unmark(call), prefix + query.get("beginfrom", "") if "beginfrom" in query else "")
    entries, following = container.page(prefix, delimiter, start, min(limit, MAX_RESULTS))
    if directory and blob is None and not entries:
        raise StorageError("PathNotFound")
    headers = {"x-ms-continuation": _mark(following)} if following else {}
    return JSONResponse({"paths": [_path_entry(call, entry) for entry in entries]}, headers=headers)


def _path_entry(call: Call, entry: Entry) -> dict[str, str]:
    shown = {"name": entry.name.rstrip("/"), "contentLength": "0"}
    if entry.prefix or (entry.blob is not None and entry.blob.folder):
        shown["isDirectory"] = "true"
    blob = entry.blob
    if blob is None:
        return shown
    shown |= {
        "contentLength": str(blob.size),
        "etag": blob.etag.strip('"'),
        "lastModified": date(blob.modified),
        "creationTime": str((blob.created + FILETIME) * 10**7),
    }
    if blob.access:
        headers = access_headers(blob)
        shown |= {part: headers[f"x-ms-{part}"] for part in ("owner", "group", "permissions")}
    return shown


def _mark(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _unmark(call: Call) -> str:
    try:
        text = call.request.query.get("continuation", "")
        return base64.b64decode(text, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise call.request.invalid_query("continuation") from error


# Paths


def _may_write(call: Call) -> Container:
    filesystem, _ = call.request.target
    exists = Container(call.cloud, call.account, filesystem).has(_path(call))
    return call.container(WRITE if exists else CREATE)


async def _create_file(call: Call) -> Response:
    return await _create(call, directories.create_file)


async def _create_directory(call: Call) -> Response:
    return await _create(call, directories.create_directory)


async def _create(call: Call, make: Callable[..., Blob]) -> Response:
    container = _may_write(call)
    if int(call.request.headers.get("content-length", "0") or 0):
        raise call.request.invalid_header("content-length")
    headers, metadata = call.properties("x-ms-"), _properties(call.request) or {}
    with call.cloud.store.transaction():
        blob = make(container, _path(call), call.request.conditions, headers=headers, metadata=metadata)
        blob = _with_access(call, container, blob)
    return Response(status_code=201, headers=version_headers(blob))


def _with_access(call: Call, container: Container, blob: Blob) -> Blob:
    """Sets owner, permissions and ACL as the creating request asks."""
    headers = call.request.headers
    if not blob.access or not {"x-ms-owner", "x-ms-group", "x-ms-permissions", "x-ms-acl"} & headers.keys():
        return blob
    new = dict(blob.access)
    if "x-ms-permissions" in headers:
        umask = access.umask(headers.get("x-ms-umask"))
        new["acl"] = access.with_permissions(new["acl"], headers["x-ms-permissions"], umask)
    if "x-ms-acl" in headers:
        new["acl"] = access.render(access.completed(access.parse(headers["x-ms-acl"])))
    new |= {part: headers[f"x-ms-{part}"] for part in ("owner", "group") if f"x-ms-{part}" in headers}
    return container.save(_path(call), blob.touched(access=new), blob)


async def _rename(call: Call) -> Response:
    target, (source, name) = _may_write(call), call.rename_source()
    blob = directories.rename(
        directories.Place(source, name),
        directories.Place(target, _path(call)),
        call.request.conditions,
        call.request.source_conditions,
    )
    return Response(status_code=201, headers=version_headers(blob) if blob else {})


async def _append(call: Call) -> Response:
    container, request = call.container(APPEND), call.request
    position = request.number("position")
    if position is None:
        raise request.invalid_query("position")
    if not request.length(MAX_APPEND):
        raise request.invalid_header("content-length")
    async with container.content.receive(request.stream()) as received:
        call.check_digest(received)
        directories.append(container, _path(call), position, received)
    if request.query.get("flush", "").lower() != "true":
        return Response(status_code=202, headers={"x-ms-request-server-encrypted": "true"})
    return Response(status_code=202, headers=_flushed(call, container, position + received.size))


async def _flush(call: Call) -> Response:
    position = call.request.number("position")
    if position is None:
        raise call.request.invalid_query("position")
    if int(call.request.headers.get("content-length", "0") or 0):
        raise StorageError("ContentLengthMustBeZero")
    return Response(headers=_flushed(call, call.container(WRITE), position))


def _flushed(call: Call, container: Container, position: int) -> dict[str, str]:
    given = {name: value for name, value in call.properties("x-ms-", "").items() if value}
    retain = call.request.query.get("retainuncommitteddata", "").lower() == "true"
    return version_headers(
        directories.flush(container, _path(call), call.request.conditions, position, retain=retain, headers=given)
    )


async def _set_properties(call: Call) -> Response:
    changes: dict[str, object] = {}
    metadata = _properties(call.request)
    if metadata is not None:
        changes["metadata"] = metadata
    given = {name: value for name, value in call.properties("x-ms-", "").items() if value}
    if given:
        changes["headers"] = given
    blob = call.container(WRITE).update(_path(call), call.request.conditions, **changes)
    return Response(headers=version_headers(blob))


def _existing(call: Call, right: Right) -> tuple[Container, Blob]:
    container = call.container(right)
    path = _path(call)
    if not path:
        return container, directories.root(container)
    container.check_name(path)
    return container, container.get(path)


async def _head(call: Call) -> Response:
    status = call.request.query.get("action", "").lower() == "getstatus"
    _, blob = _existing(call, STATUS if status else READ)
    call.request.conditions.check_read(blob)
    return Response(headers=blob_headers(call, blob) | {"x-ms-properties": _shown(blob.metadata)})


async def _get_access(call: Call) -> Response:
    container, blob = _existing(call, GET_ACCESS)
    directories.require_hierarchical(container)
    call.request.conditions.check_read(blob)
    return Response(headers={"etag": blob.etag, "last-modified": date(blob.modified)} | access_headers(blob))


def _may_set_access(call: Call) -> Container:
    """Whoever may write a file or directory and owns it may set its access, like whoever has the right."""
    filesystem, _ = call.request.target
    owner = Container(call.cloud, call.account, filesystem).access_of(_path(call)).get("owner")
    if owner == call.grant.owner != SUPERUSER:
        with suppress(StorageError):
            return call.container(WRITE)
    return call.container(SET_ACCESS)


async def _set_access(call: Call) -> Response:
    container, headers = _may_set_access(call), call.request.headers
    blob = directories.set_access(
        container,
        _path(call),
        call.request.conditions,
        owner=headers.get("x-ms-owner"),
        group=headers.get("x-ms-group"),
        permissions=headers.get("x-ms-permissions"),
        acl=headers.get("x-ms-acl"),
    )
    return Response(headers=version_headers(blob))


async def _set_access_recursive(call: Call) -> Response:
    container = call.container(SET_ACCESS)
    acl = call.request.headers.get("x-ms-acl")
    if acl is None:
        raise StorageError("MissingRequiredHeader", details={"HeaderName": "x-ms-acl"})
    limit = call.request.number("maxrecords", MAX_ACCESS)
    if not limit:
        raise call.request.invalid_query("maxrecords")
    changed = directories.set_access_recursive(
        container,
        _path(call),
        mode=call.request.query.get("mode", ""),
        acl=acl,
        start=_unmark(call),
        limit=min(limit, MAX_ACCESS),
        force=call.request.query.get("forceflag", "").lower() == "true",
        may=lambda path: call.may(SET_ACCESS, path),
    )
    reason = StorageError("AuthorizationPermissionMismatch").message
    refused = [
        {"name": path, "type": "DIRECTORY" if blob.directory else "FILE", "errorMessage": reason}
        for path, blob in changed.refused
    ]
    body = {
        "directoriesSuccessful": changed.folders,
        "filesSuccessful": changed.files,
        "failureCount": len(refused),
        "failedEntries": refused,
    }
    return JSONResponse(body, headers={"x-ms-continuation": _mark(changed.following)} if changed.following else {})


async def _read(call: Call) -> Response:
    container, blob = _existing(call, READ)
    if blob.folder:
        raise StorageError("ResourceTypeMismatch")
    call.request.conditions.check_read(blob)
    return read_blob(call, container, blob)


async def _delete(call: Call) -> Response:
    recursive = call.request.query.get("recursive", "").lower() == "true"
    container, path = call.container(DELETE_TREE if recursive else DELETE), _path(call)
    container.check_name(path)
    directories.delete(container, path, call.request.conditions, recursive=recursive)
    return Response(headers={"x-ms-delete-type-permanent": "true"})


HANDLERS: dict[str, Handler] = {
    "GET account": _list_filesystems,
    "PUT filesystem": _create_filesystem,
    "HEAD filesystem": _filesystem_properties,
    "PATCH filesystem": _set_filesystem_properties,
    "DELETE filesystem": _delete_filesystem,
    "GET filesystem": _list_paths,
    "PUT file": _create_file,
    "PUT directory": _create_directory,
    "PUT rename": _rename,
    "PATCH append": _append,
    "PATCH flush": _flush,
    "PATCH setProperties": _set_properties,
    "PATCH setAccessControl": _set_access,
    "PATCH setAccessControlRecursive": _set_access_recursive,
    "HEAD": _head,
    "HEAD getAccessControl": _get_access,
    "GET": _read,
    "DELETE": _delete,
}
"""By verb, and what it is about."""
