"""Registration of versioned assets: data, environments, codes, components and models.

A version's content never changes; its description, tags and archive flag may. A container is made with its first
version, and knows the latest and the next one.
"""

import copy
import re
import uuid
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from sandbox.azure import clock
from sandbox.azure.arm.core import Body, Call, system_data
from sandbox.azure.arm.resources import Route
from sandbox.azure.ml.assetkinds import TYPES, AssetType, conda_text
from sandbox.azure.ml.assets import CONTAINER, VERSION, next_version, refuse_deployed, version_of, versions_of
from sandbox.azure.ml.errors import UserError, not_found
from sandbox.azure.ml.identities import workspace_identity
from sandbox.azure.ml.scope import Handler, Scope, has, page, properties_of, viewed, workspace_route, written
from sandbox.azure.storage import containers, sas

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_.]{0,254}")
UPLOAD_TIME = timedelta(hours=8)


def put_version(scope: Scope, kind: AssetType, name: str, version: str, sent: Body) -> tuple[Body, bool]:
    """Makes a version, or changes what may change of it; tells whether it was made.

    Raises:
        UserError: 400 for a bad name or body; 400 or 409 for other content under an existing version.
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
    _check(scope, kind, properties, old, (name, version))
    body = {
        "id": f"{scope.id}/{kind.plural}/{name}/versions/{version}",
        "name": version,
        "type": f"{kind.type}/versions",
        "properties": {
            "description": None,
            "tags": {},
            "properties": {},
            "isArchived": False,
            "isAnonymous": False,
            **(old["properties"] if old else {}),
            **properties,
        },
        "systemData": system_data(scope.cloud, scope.caller, old),
    }
    with scope.cloud.store.transaction():
        scope.put(VERSION, body, kind.plural, name, "versions", version)
        if scope.get(CONTAINER, kind.plural, name) is None:
            _put_container(scope, kind, name, _first_properties(kind, body))
    return body, old is None


def _first_properties(kind: AssetType, version: Body) -> Body:
    own = {"dataType": version["properties"]["dataType"]} if kind.plural == "data" else {}
    return {"isArchived": False, "description": None, "tags": {}, "properties": {}, **own}


def _check(scope: Scope, kind: AssetType, properties: Body, old: Body | None, asset: tuple[str, str]) -> None:
    for key in kind.required:
        if not properties.get(key) and not (old and old["properties"].get(key)):
            raise UserError(400, f"The {kind.plural} version needs '{key}'.", "BadArgument", target=f"properties.{key}")
    if old is None:
        kind.check(scope, properties)
        return
    if not set(kind.content) & set(properties):
        return
    whole = {**{key: old["properties"][key] for key in kind.content if key in old["properties"]}, **properties}
    if kind.plural == "environments" and ("image" in properties) != ("build" in properties):
        whole.pop("build" if "image" in properties else "image", None)
    kind.check(scope, whole)
    if any(_compared(key, whole) != _compared(key, old["properties"]) for key in kind.content):
        status, text = kind.conflict
        raise UserError(status, text.format(name=asset[0], version=asset[1]), "BadArgument", "ImmutableProperty")
    properties.update({key: old["properties"][key] for key in kind.content if key in properties})


def _compared(key: str, properties: Body) -> Any:
    value = properties.get(key)
    if key == "osType":  # the client writes a downloaded component's environment with `linux`
        return str(value).lower()
    return conda_text(value) if key == "condaFile" else value


def _put_container(scope: Scope, kind: AssetType, name: str, properties: Body) -> Body:
    old = scope.get(CONTAINER, kind.plural, name)
    body = {
        "id": f"{scope.id}/{kind.plural}/{name}",
        "name": name,
        "type": kind.type,
        "properties": {**(old["properties"] if old else {}), **properties},
        "systemData": system_data(scope.cloud, scope.caller, old),
    }
    scope.put(CONTAINER, body, kind.plural, name)
    return body


def _present_container(scope: Scope, kind: AssetType, body: Body) -> Body:
    shown = copy.deepcopy(body)
    versions = versions_of(scope, kind.plural, body["name"])
    latest = next((one["name"] for one in versions if not one["properties"]["isArchived"]), None)
    properties = shown["properties"]
    properties |= {"latestVersion": latest, "nextVersion": next_version(versions)}
    match kind.plural:
        case "data":
            properties |= {key: properties[key] or None for key in ("tags", "properties")}
        case "environments":
            properties |= {"description": properties["description"] or ""}
    return _settled(shown) if kind.settles else _untouched(shown)


def _untouched(shown: Body) -> Body:
    """Of data that nobody has changed since, it is not said who has."""
    system = shown["systemData"]
    if system["lastModifiedAt"] == system["createdAt"]:
        shown["systemData"] = {key: one for key, one in system.items() if not key.startswith("lastModifiedBy")}
    return shown


def _settled(shown: Body) -> Body:
    shown["properties"]["provisioningState"] = "Succeeded"
    return shown


def _labels(scope: Scope, version: Body) -> str:
    """The labels of an environment's version: the one made last is the latest."""
    name = version["id"].split("/")[-3]
    made = versions_of(scope, "environments", name)
    return "latest" if made and made[0]["name"] == version["name"] else ""


class AssetRoutes:
    """The handlers of one type of asset; a type whose versions are not simply kept overrides the public methods."""

    def __init__(self, kind: AssetType) -> None:
        self._kind, self._what = kind, kind.plural.rstrip("s").capitalize()

    def routes(self) -> list[Route]:
        """All of its routes below a workspace."""
        return [workspace_route(*operation) for operation in self.operations()]

    def operations(self) -> list[tuple[str, str, str, Handler]]:
        """Its operations: method, path, the right that a workspace's needs, and what carries it out."""
        plural, kind = f"/{self._kind.plural}", self._kind
        one, many = f"{plural}/{{name}}", f"{plural}/{{name}}/versions"
        version = f"{many}/{{version}}"
        read, delete = f"{kind.plural}/read", f"{kind.plural}/versions/delete"
        return [
            ("GET", plural, read, self._containers),
            ("GET", one, read, self._container),
            ("PUT", one, kind.write, self._put_container),
            ("DELETE", one, f"{kind.plural}/delete", self._delete_container),
            ("GET", many, f"{kind.plural}/versions/read", self._versions),
            ("GET", version, f"{kind.plural}/versions/read", self._version),
            ("PUT", version, kind.write, self._put_version),
            ("DELETE", version, delete, self._delete_version),
            ("POST", f"{version}/startPendingUpload", kind.write, self._start_upload),
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
        """A version as it is stored, or None."""
        return version_of(scope, self._kind.plural, name, version)

    def put(self, scope: Scope, name: str, version: str, properties: Body) -> tuple[Body, bool]:
        """Makes or changes a version; tells whether it was made."""
        return put_version(scope, self._kind, name, version, properties)

    def present(self, version: Body) -> Body:
        """A stored version as it is shown."""
        return version

    def shown(self, scope: Scope, call: Call, version: Body) -> Body:
        """A version with what is null where it is unset, as this version of the API has it."""
        kind, shown = self._kind, copy.deepcopy(self.present(version))
        unset = kind.unset + (kind.previews if call.api_version.endswith("-preview") else ())
        shown["properties"] = {**dict.fromkeys(unset), **shown["properties"]}
        if kind.plural == "environments":
            shown["properties"]["properties"]["azureml.labels"] = _labels(scope, version)
            shown["properties"]["condaFile"] = conda_text(shown["properties"].get("condaFile"))
        return _settled(shown) if kind.settles else _untouched(shown)

    def present_container(self, scope: Scope, container: Body) -> Body:
        """A stored container as it is shown."""
        return _present_container(scope, self._kind, container)

    def listed(self, container: Body) -> bool:
        """Whether a list of containers has it."""
        del container
        return True

    def missing(self, name: str, version: str = "") -> UserError:
        """The refusal of a container or version that does not exist, 404."""
        code, text = self._kind.missing
        if code and not version:
            refusal = (code, text.format(name=name))
            return UserError(404, "The specified resource was not found.", details=(refusal,))
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
        return written(call, self.present_container(scope, body), 201 if new else 200)

    def _delete_container(self, scope: Scope, call: Call, match: re.Match[str]) -> Response:
        del call
        store, parts = scope.cloud.store, (self._kind.plural, match["name"])
        refuse_deployed(scope, *parts)
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
            same = [one for one in every if one["properties"]["properties"].get("hash_sha256") == wanted]
            return {"value": [self.shown(scope, call, one) for one in same]}
        if self._kind.missing[0] and scope.get(CONTAINER, self._kind.plural, match["name"]) is None:
            raise self.missing(match["name"])
        found = [
            one
            for one in versions_of(scope, self._kind.plural, match["name"])
            if viewed(one["properties"]["isArchived"], call) and _asked_for(one, call)
        ]
        if "asc" in call.query.get("$orderBy", "").lower():
            found.reverse()
        answer = page(found, call)
        answer["value"] = [self.shown(scope, call, one) for one in answer["value"]]
        return answer

    def _version(self, scope: Scope, call: Call, match: re.Match[str]) -> Body:
        found = self.find(scope, match["name"], match["version"])
        if found is None:
            raise self.missing(match["name"], match["version"])
        return self.shown(scope, call, found)

    def _put_version(self, scope: Scope, call: Call, match: re.Match[str]) -> Response:
        properties = properties_of(call)
        body, new = self.put(scope, match["name"], match["version"], properties)
        return written(call, self.shown(scope, call, body), 201 if new else self._kind.again)

    def _delete_version(self, scope: Scope, call: Call, match: re.Match[str]) -> Response:
        del call
        refuse_deployed(scope, self._kind.plural, match["name"], match["version"])
        key = scope.key(self._kind.plural, match["name"], "versions", match["version"])
        return Response(status_code=200 if scope.cloud.store.delete(VERSION, key) else 204)

    def _start_upload(self, scope: Scope, call: Call, match: re.Match[str]) -> Body:
        """A container of its own for a version that is to be made, and an address to upload to.

        Where the workspace's datastores are accessed by identity the caller signs it, and so needs the blob role.
        """
        del call, match
        properties = scope.workspace["properties"]
        account = properties["storageAccount"].rsplit("/", 1)[-1]
        container = f"{properties['workspaceId']}-{uuid.uuid4().hex[:26]}"  # 63 characters, the most
        containers.create(scope.cloud, account, container)
        signer = scope.caller if properties["systemDatastoresAuthMode"] == "Identity" else workspace_identity(scope)
        signature = sas.make_user_delegation_sas(
            scope.cloud,
            account,
            container,
            delegator=signer.object_id if signer else "",
            permissions="rcwl",
            expires=clock.real() + UPLOAD_TIME,
        )
        address = f"https://{account}.blob.core.windows.net/{container}"
        return {
            "pendingUploadId": str(uuid.uuid4()),
            "pendingUploadType": "None",
            "blobReferenceForConsumption": {
                "blobUri": address.replace(".net/", ".net:443/"),
                "storageAccountArmId": properties["storageAccount"],
                "credential": {"credentialType": "SAS", "sasUri": f"{address}?{signature}"},
            },
        }

    def _stored(self, scope: Scope, name: str) -> Body:
        found = scope.get(CONTAINER, self._kind.plural, name)
        if found is None:
            raise self.missing(name)
        return found


def _asked_for(version: Body, call: Call) -> bool:
    """Whether a list's `version`, `tags` (of data `$tags`) and `properties` let a version through."""
    given, query = version["properties"], call.query
    return (
        query.get("version") in (None, version["name"])
        and has(given["tags"], query.get("$tags", query.get("tags", "")))
        and has(given["properties"], query.get("properties", ""))
    )


def routes() -> list[Route]:
    """The routes of all types of assets."""
    return [one for kind in TYPES for one in AssetRoutes(kind).routes()]
