"""Registration of versioned assets: data, environments, codes, components and models.

A version's content never changes; its description, tags and archive flag may. A container is made with its first
version, and knows the latest and the next one.
"""

import copy
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import Body, Call
from sandbox.azure.arm.resources import Route
from sandbox.azure.ml.assets import CONTAINER, VERSION, next_version, version_of, versions_of
from sandbox.azure.ml.errors import UserError, not_found
from sandbox.azure.ml.identities import workspace_identity
from sandbox.azure.ml.names import WORKSPACES
from sandbox.azure.ml.scope import Scope, page, properties_of, viewed, workspace_route
from sandbox.azure.ml.uris import AddressError, locate, long_uri
from sandbox.azure.storage import containers, sas

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_.]{0,254}")
UPLOAD_TIME = timedelta(hours=8)


@dataclass(frozen=True)
class AssetType:
    """A type of asset.

    Attributes:
        plural: Its segment in paths.
        content: The properties that never change once a version is made.
        required: Those that a version must have.
        write: The right that a PUT needs.
        defaults: What the service fills in.
        check: Refuses a new version's properties, and completes them.
    """

    plural: str
    content: tuple[str, ...]
    required: tuple[str, ...]
    write: str
    defaults: Body = field(default_factory=dict)
    check: Callable[[Scope, Body], None] = lambda scope, properties: None

    @property
    def type(self) -> str:
        """The type's name."""
        return f"{WORKSPACES}/{self.plural}"


def _check_environment(scope: Scope, properties: Body) -> None:
    del scope
    if not properties.get("image") and not properties.get("build"):
        raise UserError(
            400, "An environment needs an image or a build context.", "BadArgument", target="properties.image"
        )
    if properties.get("image") and properties.get("build"):
        raise UserError(400, "An environment has an image or a build context, not both.", "BadArgument")
    if properties.get("condaFile") and properties.get("build"):
        raise UserError(400, "An environment with a build context takes no conda file.", "BadArgument")


DATA_TYPES = ("uri_file", "uri_folder", "mltable")


def _check_data(scope: Scope, properties: Body) -> None:
    del scope
    if properties.get("dataType", "uri_folder").lower() not in DATA_TYPES:
        raise UserError(
            400,
            f"Data type '{properties['dataType']}' is not one of {', '.join(DATA_TYPES)}.",
            "BadArgument",
            target="properties.dataType",
        )


MODEL_TYPES = ("custom_model", "mlflow_model", "triton_model")


def _check_model(scope: Scope, properties: Body) -> None:
    """A model of a job or run is kept by where its files are, as the job's own names may go."""
    if properties.get("modelType", MODEL_TYPES[0]) not in MODEL_TYPES:
        raise UserError(
            400,
            f"Model type '{properties['modelType']}' is not one of {', '.join(MODEL_TYPES)}.",
            "BadArgument",
            target="properties.modelType",
        )
    uri = str(properties["modelUri"])
    if uri.startswith(("azureml:", "runs:")):
        try:
            location = locate(scope, uri)
        except AddressError as error:
            raise UserError(400, str(error), "BadArgument", target="properties.modelUri") from error
        properties["modelUri"] = long_uri(scope, location)
        job = re.search(r"(?:jobs|runs:)/([^/]+)/", uri)
        if job is not None:
            properties.setdefault("jobName", job[1])


TYPES = (
    AssetType("data", ("dataUri", "dataType"), ("dataUri",), "data/versions/write", check=_check_data),
    AssetType(
        "environments",
        ("image", "condaFile", "build", "osType"),
        (),
        "environments/write",
        {"osType": "Linux", "environmentType": "UserCreated"},
        _check_environment,
    ),
    # The least set of rights to submit a job (how-to-assign-roles) names none for code but this one.
    AssetType("codes", ("codeUri",), ("codeUri",), "metadata/artifacts/write"),
    AssetType(
        "models",
        ("modelUri", "modelType"),
        ("modelUri",),
        "models/versions/write",
        {"modelType": "custom_model", "flavors": {}},
        _check_model,
    ),
)
BY_PLURAL = {one.plural: one for one in TYPES}


def put_version(scope: Scope, kind: AssetType, name: str, version: str, sent: Body) -> tuple[Body, bool]:
    """Makes a version, or changes what may change of it; tells whether it was made.

    Raises:
        UserError: 400 for a bad name or body, or for other content under an existing version.
    """
    if not NAME.fullmatch(name) or not NAME.fullmatch(version):
        raise UserError(
            400,
            f"'{name}:{version}' is no valid asset: names and versions are 1 to 255 letters, digits, '-', '_' or '.', "
            "starting with a letter or digit.",
            "BadArgument",
        )
    old = version_of(scope, kind.plural, name, version)
    given = {key: value for key, value in sent.items() if value is not None}
    properties = given if old else {**kind.defaults, **given}
    _check(scope, kind, properties, old)
    now = datetime.now(UTC).isoformat()
    who = {"By": scope.caller.object_id, "ByType": "User", "At": now}
    system = (old or {}).get("systemData") or {f"created{key}": value for key, value in who.items()}
    body = {
        "id": f"{scope.id}/{kind.plural}/{name}/versions/{version}",
        "name": version,
        "type": f"{kind.type}/versions",
        "properties": {
            "description": None,
            "tags": {},
            "properties": {},
            "isAnonymous": False,
            "isArchived": False,
            **(old["properties"] if old else {}),
            **properties,
            "provisioningState": "Succeeded",
        },
        "systemData": {**system, **{f"lastModified{key}": value for key, value in who.items()}},
    }
    with scope.cloud.store.transaction():
        scope.put(VERSION, body, kind.plural, name, "versions", version)
        if scope.get(CONTAINER, kind.plural, name) is None:
            _put_container(scope, kind, name, _first_properties(kind, body))
    return body, old is None


def _first_properties(kind: AssetType, version: Body) -> Body:
    own = {"dataType": version["properties"].get("dataType", "uri_folder")} if kind.plural == "data" else {}
    return {"isArchived": False, "description": None, "tags": {}, "properties": {}, **own}


def _check(scope: Scope, kind: AssetType, properties: Body, old: Body | None) -> None:
    for key in kind.required:
        if not properties.get(key) and not (old and old["properties"].get(key)):
            raise UserError(400, f"The {kind.plural} version needs '{key}'.", "BadArgument", target=f"properties.{key}")
    if old is None or any(key in properties for key in kind.required):
        kind.check(scope, properties)
    for key in kind.content if old is not None else ():
        if key in properties and properties[key] != (old or {"properties": {}})["properties"].get(key):
            raise UserError(
                400,
                f"The {key} of version '{(old or {})['name']}' cannot be changed, as versions are immutable: register "
                "a new version. A resource with this name and version already exists.",
                "BadArgument",
                "ImmutableProperty",
                target=f"properties.{key}",
            )


def _put_container(scope: Scope, kind: AssetType, name: str, properties: Body) -> Body:
    old = scope.get(CONTAINER, kind.plural, name)
    now = datetime.now(UTC).isoformat()
    body = {
        "id": f"{scope.id}/{kind.plural}/{name}",
        "name": name,
        "type": kind.type,
        "properties": {**(old["properties"] if old else {}), **properties},
        "systemData": (old or {}).get("systemData")
        or {"createdAt": now, "createdBy": scope.caller.object_id, "createdByType": "User"},
    }
    scope.put(CONTAINER, body, kind.plural, name)
    return body


def _present_container(scope: Scope, kind: AssetType, body: Body) -> Body:
    shown = copy.deepcopy(body)
    versions = versions_of(scope, kind.plural, body["name"])
    latest = next((one["name"] for one in versions if not one["properties"]["isArchived"]), None)
    shown["properties"] |= {
        "latestVersion": latest,
        "nextVersion": next_version(versions),
        "provisioningState": "Succeeded",
    }
    return shown


class AssetRoutes:
    """The handlers of one type of asset; a type whose versions are not simply kept overrides the public methods."""

    def __init__(self, kind: AssetType) -> None:
        self._kind, self._what = kind, kind.plural.rstrip("s").capitalize()

    def routes(self) -> list[Route]:
        """All of its routes."""
        plural, kind = f"/{self._kind.plural}", self._kind
        one, many = f"{plural}/{{name}}", f"{plural}/{{name}}/versions"
        version = f"{many}/{{version}}"
        read, delete = f"{kind.plural}/read", f"{kind.plural}/versions/delete"
        return [
            workspace_route("GET", plural, read, self._containers),
            workspace_route("GET", one, read, self._container),
            workspace_route("PUT", one, kind.write, self._put_container),
            workspace_route("DELETE", one, f"{kind.plural}/delete", self._delete_container),
            workspace_route("GET", many, f"{kind.plural}/versions/read", self._versions),
            workspace_route("GET", version, f"{kind.plural}/versions/read", self._version),
            workspace_route("PUT", version, kind.write, self._put_version),
            workspace_route("DELETE", version, delete, self._delete_version),
            workspace_route("POST", f"{version}/startPendingUpload", kind.write, self._start_upload),
        ]

    def _containers(self, scope: Scope, call: Call, match: re.Match[str]) -> Body:
        del match
        found = [
            one
            for one in scope.list(CONTAINER, self._kind.plural)
            if viewed(one["properties"]["isArchived"], call) and self.listed(one)
        ]
        answer = page(found, call)
        answer["value"] = [self.present_container(scope, one) for one in answer["value"]]
        return answer

    def find(self, scope: Scope, name: str, version: str) -> Body | None:
        """A version as it is shown, or None."""
        found = version_of(scope, self._kind.plural, name, version)
        return found and self.present(found)

    def put(self, scope: Scope, name: str, version: str, properties: Body) -> tuple[Body, bool]:
        """Makes or changes a version; tells whether it was made."""
        return put_version(scope, self._kind, name, version, properties)

    def present(self, version: Body) -> Body:
        """A stored version as it is shown."""
        return version

    def present_container(self, scope: Scope, container: Body) -> Body:
        """A stored container as it is shown."""
        return _present_container(scope, self._kind, container)

    def listed(self, container: Body) -> bool:
        """Whether a list of containers has it."""
        del container
        return True

    def missing(self, name: str, version: str = "") -> UserError:
        """The refusal of a container or version that does not exist, 404."""
        return not_found(f"{self._what} version '{name}:{version}'" if version else f"{self._what} '{name}'")

    def _container(self, scope: Scope, call: Call, match: re.Match[str]) -> Body:
        del call
        return self.present_container(scope, self._stored(scope, match["name"]))

    def _put_container(self, scope: Scope, call: Call, match: re.Match[str]) -> Response:
        if not NAME.fullmatch(match["name"]):
            raise UserError(400, f"'{match['name']}' is no valid asset name.", "BadArgument")
        new = scope.get(CONTAINER, self._kind.plural, match["name"]) is None
        sent = properties_of(call)
        allowed = ("isArchived", "description", "tags", "properties", "dataType")
        properties = {key: sent[key] for key in allowed if sent.get(key) is not None}
        defaults: Body = {"isArchived": False, "description": None, "tags": {}, "properties": {}} if new else {}
        body = _put_container(scope, self._kind, match["name"], {**defaults, **properties})
        return JSONResponse(self.present_container(scope, body), 201 if new else 200)

    def _delete_container(self, scope: Scope, call: Call, match: re.Match[str]) -> Response:
        del call
        store, parts = scope.cloud.store, (self._kind.plural, match["name"])
        with store.transaction():
            for version in versions_of(scope, *parts):
                store.delete(VERSION, scope.key(*parts, "versions", version["name"]))
            found = store.delete(CONTAINER, scope.key(*parts))
        return Response(status_code=200 if found else 204)

    def _versions(self, scope: Scope, call: Call, match: re.Match[str]) -> Body:
        """By `hash` a code is found under whatever name it has, as names of codes are new each time."""
        wanted = call.query.get("hash")
        if wanted:
            every = scope.list(VERSION, self._kind.plural)
            return {"value": [one for one in every if one["properties"]["properties"].get("hash_sha256") == wanted]}
        found = [
            one
            for one in versions_of(scope, self._kind.plural, match["name"])
            if viewed(one["properties"]["isArchived"], call)
        ]
        if "asc" in call.query.get("$orderBy", "").lower():
            found.reverse()
        answer = page(found, call)
        answer["value"] = [self.present(one) for one in answer["value"]]
        return answer

    def _version(self, scope: Scope, call: Call, match: re.Match[str]) -> Body:
        del call
        found = self.find(scope, match["name"], match["version"])
        if found is None:
            raise self.missing(match["name"], match["version"])
        return found

    def _put_version(self, scope: Scope, call: Call, match: re.Match[str]) -> Response:
        properties = properties_of(call)
        body, new = self.put(scope, match["name"], match["version"], properties)
        return JSONResponse(self.present(body), 201 if new else 200)

    def _delete_version(self, scope: Scope, call: Call, match: re.Match[str]) -> Response:
        del call
        key = scope.key(self._kind.plural, match["name"], "versions", match["version"])
        return Response(status_code=200 if scope.cloud.store.delete(VERSION, key) else 204)

    def _start_upload(self, scope: Scope, call: Call, match: re.Match[str]) -> Body:
        """A container of its own for a version that is to be made, and an address to upload to.

        Where the workspace's datastores are accessed by identity the caller signs it, and so needs the blob role.
        """
        del match
        properties = scope.workspace["properties"]
        account = properties["storageAccount"].rsplit("/", 1)[-1]
        container = f"{properties['workspaceId'][:8]}-{uuid.uuid4()}"
        containers.create(scope.cloud, account, container)
        signer = scope.caller if properties["systemDatastoresAuthMode"] == "Identity" else workspace_identity(scope)
        signature = sas.make_user_delegation_sas(
            scope.cloud,
            account,
            container,
            delegator=signer.object_id if signer else "",
            permissions="rcwl",
            expires=datetime.now(UTC) + UPLOAD_TIME,
        )
        address = f"https://{account}.blob.core.windows.net/{container}"
        return {
            "pendingUploadId": str(uuid.uuid4()),
            "pendingUploadType": call.body.get("pendingUploadType") or "TemporaryBlobReference",
            "blobReferenceForConsumption": {
                "blobUri": address,
                "storageAccountArmId": properties["storageAccount"],
                "credential": {"credentialType": "SAS", "sasUri": f"{address}?{signature}"},
            },
        }

    def _stored(self, scope: Scope, name: str) -> Body:
        found = scope.get(CONTAINER, self._kind.plural, name)
        if found is None:
            raise self.missing(name)
        return found


def routes() -> list[Route]:
    """The routes of all types of assets."""
    return [one for kind in TYPES for one in AssetRoutes(kind).routes()]
