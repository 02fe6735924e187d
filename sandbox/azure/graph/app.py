"""The ASGI application of graph.microsoft.com."""

import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.azure.cloud import Cloud
from sandbox.azure.directory import object_id
from sandbox.azure.errors import AzureError, failure
from sandbox.azure.graph import credentials, relations
from sandbox.azure.graph.directory import (
    APPLICATIONS,
    SETS,
    USERS,
    EntitySet,
    any_object,
    by_key,
    change,
    create,
    denied,
    find,
    objects,
    remove,
)
from sandbox.azure.graph.query import BASE, Document, bad_request, check_options, error_response, not_found, one, page

AUDIENCES = ("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000")
MAX_BODY = 1024 * 1024  # bytes
NO_CONTENT = Response(status_code=204)


class Graph:
    """Answers Graph's requests."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._writers = {object_id(name) for name in cloud.seed["directoryAdministrators"]}

    def _writer(self, request: Request) -> None:
        """Only the seed's administrators change the directory; everybody in the tenant reads it."""
        if request.state.caller.object_id not in self._writers:
            raise denied()

    def _set(self, request: Request) -> EntitySet:
        name = request.path_params["set"]
        found = SETS.get(name.lower())
        if found is None:
            raise AzureError(400, "BadRequest", f"Resource not found for the segment '{name}'.")
        return found

    def _entity(self, request: Request) -> tuple[EntitySet, Document]:
        """The set and the object that the path names: `users/ID`, `users/NAME`, `applications(appId='ID')`."""
        keyed = re.fullmatch(r"(\w+)\((\w+)='([^']*)'\)", request.path_params["set"])
        if keyed is None:
            entities = self._set(request)
            return entities, find(self._cloud, entities, request.path_params["id"])
        named = SETS.get(keyed[1].lower())
        if named is None or named.alternate.lower() != keyed[2].lower():
            raise AzureError(400, "BadRequest", f"Resource not found for the segment '{request.path_params['set']}'.")
        found = by_key(self._cloud, named, keyed[3])
        if found is None:
            raise not_found(keyed[3])
        return named, found

    async def collection(self, request: Request) -> Response:
        """`GET` and `POST /users`, or `/applications(appId='...')`."""
        if "(" in request.path_params["set"]:
            return await self.entity(request)
        entities = self._set(request)
        if request.method == "POST":
            self._writer(request)
            made = create(self._cloud, entities, await _body(request), request.state.caller.object_id)
            return JSONResponse(one(entities.name, made, {}), 201)
        found = list(self._cloud.store.list(entities.kind))
        return JSONResponse(page(entities.name, f"/{entities.name}", found, request.query_params))

    async def entity(self, request: Request) -> Response:
        """`GET`, `PATCH` and `DELETE /users/ID`."""
        entities, entity = self._entity(request)
        if request.method == "GET":
            check_options(request.query_params)
            return JSONResponse(one(entities.name, entity, request.query_params))
        self._writer(request)
        if request.method == "PATCH":
            change(self._cloud, entities, entity, await _body(request))
        else:
            remove(self._cloud, entities, entity)
        return NO_CONTENT

    async def me(self, request: Request) -> Response:
        """The signed-in user."""
        user = self._cloud.store.get("user", request.state.caller.object_id)
        if user is None:
            raise AzureError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        return JSONResponse(one("users", user, request.query_params))

    async def related(self, request: Request) -> Response:
        """`GET /groups/ID/members`, `/owners`, `/transitiveMembers`, `/users/ID/memberOf`, ..."""
        entities, entity = self._entity(request)
        name = request.path_params["relation"]
        match name.lower():
            case "members" | "owners" if name.lower() in entity:
                found = relations.related(self._cloud, entity, name.lower())
            case "transitivemembers" if "members" in entity:
                found = relations.transitive_members(self._cloud, entity)
            case "memberof" | "transitivememberof":
                found = relations.member_of(self._cloud, entity, transitive=name.lower() == "transitivememberof")
            case "manager" if entities is USERS:  # the seed has none
                raise not_found(name)
            case "federatedidentitycredentials" if entities is APPLICATIONS:
                return await self._federated_list(request, entity)
            case _:
                raise AzureError(400, "BadRequest", f"Resource not found for the segment '{name}'.")
        path = f"/{entities.name}/{entity['id']}/{name}"
        return JSONResponse(page("directoryObjects", path, found, request.query_params))

    async def link(self, request: Request) -> Response:
        """`POST /groups/ID/members/$ref` and `DELETE /groups/ID/members/OTHER/$ref`."""
        self._writer(request)
        entities, entity = self._entity(request)
        name = request.path_params["relation"].lower()
        if name not in entity or name not in ("members", "owners"):
            raise AzureError(400, "BadRequest", f"Resource not found for the segment '{name}'.")
        if request.method == "POST":
            relations.add(self._cloud, entities, entity, name, await _body(request))
        else:
            relations.remove(self._cloud, entities, entity, name, request.path_params["other"])
        return NO_CONTENT

    async def action(self, request: Request) -> Response:
        """`POST /applications/ID/addPassword`, `/users/ID/checkMemberGroups`, ..."""
        entities, entity = self._entity(request)
        body, name = await _body(request), request.path_params["relation"].lower()
        if name == "federatedidentitycredentials" and entities is APPLICATIONS:
            self._writer(request)
            made = credentials.add_federated(self._cloud, entity, body)
            return JSONResponse(one("federatedIdentityCredentials", made, {}), 201)
        if name in ("addpassword", "removepassword") and "passwordCredentials" in entity:
            self._writer(request)
            if name == "addpassword":
                return JSONResponse(credentials.add_password(self._cloud, entities, entity, body))
            credentials.remove_password(self._cloud, entities, entity, body)
            return NO_CONTENT
        if name == "checkmembergroups":
            found = relations.check_member_groups(self._cloud, entity, body)
        elif name in ("getmembergroups", "getmemberobjects"):
            found = [group["id"] for group in relations.member_of(self._cloud, entity, transitive=True)]
        else:
            text = f"Resource not found for the segment '{request.path_params['relation']}'."
            raise AzureError(400, "BadRequest", text)
        return JSONResponse({"@odata.context": f"{BASE}/$metadata#Collection(Edm.String)", "value": found})

    async def _federated_list(self, request: Request, application: Document) -> Response:
        path = f"/applications/{application['id']}/federatedIdentityCredentials"
        found = credentials.federated(application)
        return JSONResponse(page("federatedIdentityCredentials", path, found, request.query_params))

    async def federated(self, request: Request) -> Response:
        """`GET`, `PATCH` and `DELETE /applications/ID/federatedIdentityCredentials/ID`."""
        entities, application = self._entity(request)
        if entities is not APPLICATIONS:
            raise AzureError(400, "BadRequest", "Resource not found for the segment 'federatedIdentityCredentials'.")
        found = credentials.find_federated(application, request.path_params["credential"])
        if request.method == "GET":
            return JSONResponse(one("federatedIdentityCredentials", found, request.query_params))
        self._writer(request)
        if request.method == "PATCH":
            credentials.change_federated(self._cloud, application, found, await _body(request))
        else:
            credentials.remove_federated(self._cloud, application, found)
        return NO_CONTENT

    async def directory_object(self, request: Request) -> Response:
        """`GET /directoryObjects/ID`."""
        found = any_object(self._cloud, request.path_params["id"])
        kind = {"@odata.type": found["@odata.type"]}
        return JSONResponse({**kind, **one("directoryObjects", found, request.query_params)})

    async def get_by_ids(self, request: Request) -> Response:
        """`POST /directoryObjects/getByIds`."""
        body = await _body(request)
        ids, types = body.get("ids"), body.get("types") or []
        if not isinstance(ids, list) or not ids:
            raise bad_request("A value is required for parameter 'ids'.")
        wanted = {f"#microsoft.graph.{kind}".lower() for kind in types if kind != "directoryObject"}
        found = [
            entity
            for entity in objects(self._cloud, [str(name) for name in ids])
            if not wanted or entity["@odata.type"].lower() in wanted
        ]
        return JSONResponse(page("directoryObjects", "/directoryObjects/getByIds", found, request.query_params))

    async def organization(self, request: Request) -> Response:
        """The tenant."""
        seed = self._cloud.seed
        domain = {"name": seed["domain"], "isDefault": True, "isInitial": True, "type": "Managed", "capabilities": ""}
        tenant = {"id": seed["tenantId"], "displayName": seed["domain"], "verifiedDomains": [domain]}
        return JSONResponse(page("organization", "/organization", [tenant], request.query_params))


async def _body(request: Request) -> Document:
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > MAX_BODY:
            raise AzureError(413, "RequestEntityTooLarge", "The request is larger than 1 MB.")
    try:
        body: Any = json.loads(raw or b"{}")
    except (ValueError, RecursionError) as error:
        raise AzureError(400, "BadRequest", f"Unable to read JSON request payload: {error}.") from error
    if not isinstance(body, dict):
        raise AzureError(400, "BadRequest", "Unable to read JSON request payload: it must be an object.")
    return body


Endpoint = Callable[[Request], Awaitable[Response]]


def app(cloud: Cloud) -> Starlette:
    """The application of graph.microsoft.com."""
    graph = Graph(cloud)

    def checked(endpoint: Endpoint) -> Endpoint:
        """With a checked token, and Graph's own error bodies."""

        async def answer(request: Request) -> Response:
            try:
                request.state.caller = cloud.tokens.check(request.headers.get("authorization"), *AUDIENCES)
                return await endpoint(request)
            except AzureError as error:
                return error_response(error)
            except Exception as error:
                logging.exception("%s %s failed", request.method, request.url.path)
                return error_response(failure(error))

        return answer

    async def absent(request: Request, error: Exception) -> Response:
        text = f"Resource not found for the segment '{request.url.path}': the sandbox does not emulate it."
        return error_response(AzureError(404, "ResourceNotFound", text))

    entity = "/v1.0/{set}/{id}"
    table: list[tuple[str, Endpoint, list[str]]] = [
        ("/v1.0/me", graph.me, ["GET"]),
        ("/v1.0/organization", graph.organization, ["GET"]),
        ("/v1.0/directoryObjects/getByIds", graph.get_by_ids, ["POST"]),
        ("/v1.0/directoryObjects/{id}", graph.directory_object, ["GET"]),
        (f"{entity}/federatedIdentityCredentials/{{credential}}", graph.federated, ["GET", "PATCH", "DELETE"]),
        (f"{entity}/{{relation}}/$ref", graph.link, ["POST"]),
        (f"{entity}/{{relation}}/{{other}}/$ref", graph.link, ["DELETE"]),
        (f"{entity}/{{relation}}", graph.related, ["GET"]),
        (f"{entity}/{{relation}}", graph.action, ["POST"]),
        (entity, graph.entity, ["GET", "PATCH", "DELETE"]),
        ("/v1.0/{set}", graph.collection, ["GET", "POST", "PATCH", "DELETE"]),
    ]
    routes = [Route(path, checked(endpoint), methods=methods) for path, endpoint, methods in table]
    return Starlette(routes=routes, exception_handlers={404: absent, 405: absent})
