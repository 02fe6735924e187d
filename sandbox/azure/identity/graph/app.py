"""The service of graph.microsoft.com."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from starlette.responses import JSONResponse, Response

from sandbox.azure.access.tenant import GRAPH, object_id
from sandbox.azure.access.tokens import Caller
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError, ServiceError
from sandbox.azure.front.request import Request
from sandbox.azure.front.routing import Route, Routes, compile_path
from sandbox.azure.front.service import Service
from sandbox.azure.identity.graph import credentials, permissions, relations
from sandbox.azure.identity.graph.objects import (
    APPLICATIONS,
    PRINCIPALS,
    SETS,
    USERS,
    EntitySet,
    any_entity,
    any_object,
    by_key,
    change,
    create,
    denied,
    find,
    objects,
    remove,
)
from sandbox.azure.identity.graph.query import (
    BASE,
    Document,
    bad_request,
    check_options,
    error_response,
    not_found,
    page,
    single,
)

AUDIENCES = ("https://graph.microsoft.com", GRAPH)
_READ_BY_ALL = ("me", "organization")
_VERSION = re.compile(r"/(v1\.0|beta)(/.*)", re.IGNORECASE)


def _no_content() -> Response:
    return Response(status_code=204)


@dataclass(frozen=True)
class Call:
    """One request with a checked token.

    Attributes:
        request: The request.
        caller: Who sent it.
        named: What the path names: `set`, `id`, `relation`, ...
        body: The JSON object sent.
    """

    request: Request
    caller: Caller
    named: dict[str, str]
    body: Document

    @property
    def method(self) -> str:
        """The verb; `GET` for `HEAD`."""
        return "GET" if self.request.method == "HEAD" else self.request.method

    @property
    def options(self) -> dict[str, str]:
        """The query's parameters."""
        return self.request.query


Operation = Callable[[Call], Response]


class Graph(Service[Request]):
    """Answers Graph's requests; the beta version is answered as v1.0."""

    request_type = Request

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._writers = {object_id(name) for name in cloud.seed["directoryAdministrators"]}
        entity = "/{set}/{id}"
        table: list[tuple[str, str, Operation]] = [
            ("GET", "/me", self._me),
            ("GET", "/me/{relation}", self._mine),
            ("POST", "/me/{relation}", self._mine),
            ("GET", "/organization", self._organization),
            ("POST", "/directoryObjects/getByIds", self._get_by_ids),
            ("GET", "/directoryObjects/{id}", self._directory_object),
            ("GET PATCH DELETE", f"{entity}/federatedIdentityCredentials/{{credential}}", self._federated),
            ("GET POST", f"{entity}/appRoleAssignments", self._permissions),
            ("DELETE", f"{entity}/appRoleAssignments/{{assignment}}", self._permissions),
            ("POST", f"{entity}/{{relation}}/$ref", self._link),
            ("DELETE", f"{entity}/{{relation}}/{{other}}/$ref", self._link),
            ("GET", f"{entity}/{{relation}}", self._related),
            ("POST", f"{entity}/{{relation}}", self._action),
            ("GET PATCH DELETE", entity, self._entity),
            ("GET POST PATCH DELETE", "/{set}", self._collection),
        ]
        self._routes = Routes(
            Route(method, compile_path(path), operation)
            for methods, path, operation in table
            for method in methods.split()
        )

    async def answer(self, request: Request) -> Response:
        """Checks the token, finds the operation and carries it out."""
        caller = self._cloud.tokens.check(request.headers.get("authorization"), *AUDIENCES)
        versioned = _VERSION.fullmatch(request.path)
        method = "GET" if request.method == "HEAD" else request.method
        operation = self._routes.find(method, versioned[2]) if versioned else None
        if operation is None:
            text = f"Resource not found for the segment '{request.path}': the sandbox does not emulate it."
            raise AzureError(404, "ResourceNotFound", text)
        route, match = operation
        body = await self.json(request) if method in ("POST", "PATCH") else {}
        call = Call(request, caller, match.groupdict(), body)
        self._require_reader(call)
        return route.handle(call)

    def refuse(self, request: Request, refusal: ServiceError) -> Response:
        """Returns the refusal with the `innerError` that Graph adds."""
        return error_response(refusal, request.headers.get("client-request-id", request.id))

    def bad_body(self, status: int, problem: str) -> ServiceError:
        """Returns the refusal of a body in Graph's words."""
        if status == 413:  # noqa: PLR2004 # Content Too Large
            return AzureError(413, "RequestEntityTooLarge", "The request is larger than 1 MB.")
        return AzureError(400, "BadRequest", f"Unable to read JSON request payload: {problem}")

    def _require_reader(self, call: Call) -> None:
        """Everybody in the tenant reads the directory; an application only with a permission for the set."""
        words = call.request.path.split("/")
        if words[2].lower() in _READ_BY_ALL or not permissions.is_application(self._cloud, call.caller.object_id):
            return
        if not permissions.may(self._cloud, call.caller.object_id, _set_name(words[2]), write=False):
            raise denied()

    def _require_writer(self, call: Call) -> None:
        """Only the seed's administrators change the directory, and applications with a permission for the set."""
        caller, entities = call.caller.object_id, _set_name(call.named["set"])
        if caller in self._writers:
            return
        if not permissions.is_application(self._cloud, caller) or not permissions.may(
            self._cloud, caller, entities, write=True
        ):
            raise denied()

    def _target(self, call: Call) -> tuple[EntitySet, Document]:
        """The set and the object that the path names: `users/ID`, `users/NAME`, `applications(appId='ID')`.

        `directoryObjects/ID` is the same object in its own set.
        """
        if call.named["set"].lower() == "directoryobjects":
            return any_entity(self._cloud, call.named["id"])
        keyed = re.fullmatch(r"(\w+)\((\w+)='([^']*)'\)", call.named["set"])
        if keyed is None:
            entities = _entity_set(call)
            return entities, find(self._cloud, entities, call.named["id"])
        entity_set = SETS.get(keyed[1].lower())
        if entity_set is None or entity_set.alternate.lower() != keyed[2].lower():
            raise _no_segment(call.named["set"])
        entity = by_key(self._cloud, entity_set, keyed[3])
        if entity is None:
            raise not_found(keyed[3])
        return entity_set, entity

    def _collection(self, call: Call) -> Response:
        """`GET` and `POST /users`, or `/applications(appId='...')`."""
        if "(" in call.named["set"]:
            return self._entity(call)
        entities = _entity_set(call)
        if call.method == "POST":
            self._require_writer(call)
            entity = create(self._cloud, entities, call.body, call.caller.object_id)
            return JSONResponse(single(entities.name, entity, {}), 201)
        if call.method != "GET":
            raise _no_segment(call.named["set"])
        members = list(self._cloud.store.list(entities.kind))
        return JSONResponse(page(entities.name, f"/{entities.name}", members, call.options))

    def _entity(self, call: Call) -> Response:
        """`GET`, `PATCH` and `DELETE /users/ID`."""
        entities, entity = self._target(call)
        if call.method == "GET":
            check_options(call.options)
            return JSONResponse(single(entities.name, entity, call.options))
        self._require_writer(call)
        if call.method == "PATCH":
            change(self._cloud, entities, entity, call.body)
        else:
            remove(self._cloud, entities, entity)
        return _no_content()

    def _me(self, call: Call) -> Response:
        """The signed-in user."""
        return JSONResponse(single("users", self._signed_in(call), call.options))

    def _mine(self, call: Call) -> Response:
        """`GET /me/memberOf`, `/me/ownedObjects`, `POST /me/checkMemberGroups`, ..."""
        named = {"set": "users", "id": str(self._signed_in(call)["id"]), **call.named}
        return (self._related if call.method == "GET" else self._action)(replace(call, named=named))

    def _signed_in(self, call: Call) -> Document:
        user = self._cloud.store.get("user", call.caller.object_id)
        if user is None:
            raise AzureError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        return user

    def _related(self, call: Call) -> Response:
        """`GET /groups/ID/members`, `/owners`, `/transitiveMembers`, `/users/ID/memberOf`, ..."""
        entities, entity = self._target(call)
        name = call.named["relation"]
        match name.lower():
            case "members" | "owners" if name.lower() in entity:
                others = relations.related(self._cloud, entity, name.lower())
            case "transitivemembers" if "members" in entity:
                others = relations.transitive_members(self._cloud, entity)
            case "memberof" | "transitivememberof":
                others = relations.member_of(self._cloud, entity, transitive=name.lower() == "transitivememberof")
            case "ownedobjects" if entities in (USERS, PRINCIPALS):
                others = relations.owned(self._cloud, entity)
            case "manager" if entities is USERS:  # the seed has none
                raise not_found(name)
            case "federatedidentitycredentials" if entities is APPLICATIONS:
                return self._federated_list(call, entity)
            case _:
                raise _no_segment(name)
        path = f"/{entities.name}/{entity['id']}/{name}"
        return JSONResponse(page("directoryObjects", path, others, call.options))

    def _link(self, call: Call) -> Response:
        """`POST /groups/ID/members/$ref` and `DELETE /groups/ID/members/OTHER/$ref`."""
        self._require_writer(call)
        entities, entity = self._target(call)
        name = call.named["relation"].lower()
        if name not in entity or name not in ("members", "owners"):
            raise _no_segment(name)
        if call.method == "POST":
            relations.add(self._cloud, entities, entity, name, call.body)
        else:
            relations.remove(self._cloud, entities, entity, name, call.named["other"])
        return _no_content()

    def _action(self, call: Call) -> Response:
        """`POST /applications/ID/addPassword`, `/users/ID/checkMemberGroups`, ..."""
        entities, entity = self._target(call)
        name = call.named["relation"].lower()
        if name == "federatedidentitycredentials" and entities is APPLICATIONS:
            self._require_writer(call)
            credential = credentials.add_federated(self._cloud, entity, call.body)
            return JSONResponse(single("federatedIdentityCredentials", credential, {}), 201)
        if name in ("addpassword", "removepassword") and "passwordCredentials" in entity:
            self._require_writer(call)
            if name == "addpassword":
                return JSONResponse(credentials.add_password(self._cloud, entities, entity, call.body))
            credentials.remove_password(self._cloud, entities, entity, call.body)
            return _no_content()
        if name == "checkmembergroups":
            ids = relations.check_member_groups(self._cloud, entity, call.body)
        elif name in ("getmembergroups", "getmemberobjects"):
            ids = [group["id"] for group in relations.member_of(self._cloud, entity, transitive=True)]
        else:
            raise _no_segment(call.named["relation"])
        return JSONResponse({"@odata.context": f"{BASE}/$metadata#Collection(Edm.String)", "value": ids})

    def _federated_list(self, call: Call, application: Document) -> Response:
        path = f"/applications/{application['id']}/federatedIdentityCredentials"
        trusted = credentials.federated(application)
        return JSONResponse(page("federatedIdentityCredentials", path, trusted, call.options))

    def _federated(self, call: Call) -> Response:
        """`GET`, `PATCH` and `DELETE /applications/ID/federatedIdentityCredentials/ID`."""
        entities, application = self._target(call)
        if entities is not APPLICATIONS:
            raise _no_segment("federatedIdentityCredentials")
        credential = credentials.find_federated(application, call.named["credential"])
        if call.method == "GET":
            return JSONResponse(single("federatedIdentityCredentials", credential, call.options))
        self._require_writer(call)
        if call.method == "PATCH":
            credentials.change_federated(self._cloud, application, credential, call.body)
        else:
            credentials.remove_federated(self._cloud, application, credential)
        return _no_content()

    def _permissions(self, call: Call) -> Response:
        """`GET` and `POST /servicePrincipals/ID/appRoleAssignments`, `DELETE …/ID`: only administrators change them."""
        entities, principal = self._target(call)
        if entities is not PRINCIPALS:
            raise _no_segment("appRoleAssignments")
        path = f"/servicePrincipals/{principal['id']}/appRoleAssignments"
        if call.method == "GET":
            found = permissions.given(self._cloud, principal["id"])
            return JSONResponse(page("appRoleAssignments", path, found, call.options))
        if call.caller.object_id not in self._writers:
            raise denied()
        if call.method == "POST":
            made = permissions.give(self._cloud, principal, call.body)
            return JSONResponse(single("appRoleAssignments", made, {}), 201)
        permissions.take(self._cloud, principal, call.named["assignment"])
        return _no_content()

    def _directory_object(self, call: Call) -> Response:
        """`GET /directoryObjects/ID`."""
        entity = any_object(self._cloud, call.named["id"])
        kind = {"@odata.type": entity["@odata.type"]}
        return JSONResponse({**kind, **single("directoryObjects", entity, call.options)})

    def _get_by_ids(self, call: Call) -> Response:
        """`POST /directoryObjects/getByIds`."""
        ids, types = call.body.get("ids"), call.body.get("types") or []
        if not isinstance(ids, list) or not ids:
            raise bad_request("A value is required for parameter 'ids'.")
        wanted = {f"#microsoft.graph.{kind}".lower() for kind in types if kind != "directoryObject"}
        entities = [
            entity
            for entity in objects(self._cloud, [str(name) for name in ids])
            if not wanted or entity["@odata.type"].lower() in wanted
        ]
        return JSONResponse(page("directoryObjects", "/directoryObjects/getByIds", entities, call.options))

    def _organization(self, call: Call) -> Response:
        """The tenant."""
        seed = self._cloud.seed
        domain = {"name": seed["domain"], "isDefault": True, "isInitial": True, "type": "Managed", "capabilities": ""}
        tenant = {"id": seed["tenantId"], "displayName": seed["domain"], "verifiedDomains": [domain]}
        return JSONResponse(page("organization", "/organization", [tenant], call.options))


def _set_name(segment: str) -> str:
    """The set in a path's segment, such as `applications(appId='...')`."""
    return segment.partition("(")[0]


def _entity_set(call: Call) -> EntitySet:
    name = call.named["set"]
    entity_set = SETS.get(name.lower())
    if entity_set is None:
        raise _no_segment(name)
    return entity_set


def _no_segment(name: str) -> AzureError:
    """400 for a part of a path that names nothing."""
    return AzureError(400, "BadRequest", f"Resource not found for the segment '{name}'.")
