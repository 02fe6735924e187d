"""Common behaviour of resources: api-versions, existence, authorization, locks, collections, actions, removal."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import (
    GROUP_TYPE,
    Body,
    Call,
    ResourceId,
    ResourceType,
    check_fields,
    invalid,
    normal_location,
    not_found,
    parse_id,
    system_data,
)
from sandbox.azure.arm.policy import enforce
from sandbox.azure.arm.regions import REGIONS
from sandbox.azure.cloud import Cloud
from sandbox.azure.front import routing
from sandbox.azure.front.errors import AzureError

SUBSCRIPTION = re.compile("/subscriptions/", re.IGNORECASE)
OLDEST_API = date(2014, 1, 1)  # the resource manager's own first version is 2014-04-01-preview
_RESOURCE_SEGMENTS = 9  # of a top-level resource's id, the empty one before the first slash included
STORED_APART = ("resource", "roleAssignment", "lock")  # kinds that go with what they are below


RouteHandler = Callable[["Resources", Call, re.Match[str]], Any]
"""Gets the resource manager's resources, the call and the match; authorizes; gives a body or a response."""
ResourceHandler = Callable[[Call, Body, re.Match[str]], Any]
"""Gets the call on a resource, the stored resource and the match; gives a body or a response."""
Route = routing.Route[RouteHandler]
"""A path that is no resource: a list across groups, a check of a name, an operation's status."""


def route(method: str, path: str, handle: RouteHandler) -> Route:
    """A route; `{name}` in the path stands for one segment."""
    return routing.Route(method, routing.compile_path(path), handle)


def resource_route(method: str, resource_type: str, path: str, action: str, handle: ResourceHandler) -> Route:
    """A route below a resource: a list that is no resource type, for one.

    Args:
        method: HTTP method.
        resource_type: A top-level type, such as `Microsoft.Storage/storageAccounts`.
        path: What follows the resource's id, with `{name}` for a segment.
        action: The right it needs, without the resource type.
        handle: Gets the call on the resource, the stored resource and the match; gives a body or a response.
    """

    def serve(resources: "Resources", call: Call, match: re.Match[str]) -> Any:
        resource_id = "/".join(call.id.text.split("/")[:_RESOURCE_SEGMENTS])
        on = call.on(parse_id(resource_id))
        on.authorize(f"{resource_type}/{action}", on.id.text)
        return handle(on, resources.get(on), match)

    at = "/subscriptions/{subscription}/resourceGroups/{group}/providers/"
    return route(method, f"{at}{resource_type}/{{resource}}{path}", serve)


class Registry:
    """The resource types the local Azure knows."""

    def __init__(self, types: Iterable[ResourceType]) -> None:
        self.types = {kind.type.lower(): kind for kind in types}
        self.providers = {
            kind.type.split("/", 1)[0].lower(): kind.type.split("/", 1)[0] for kind in self.types.values()
        }

    def find(self, name: str) -> ResourceType:
        """The behaviour of a resource type.

        Raises:
            AzureError: 404 InvalidResourceNamespace or InvalidResourceType, as Azure answers for an unknown one.
        """
        kind = self.types.get(name.lower())
        if kind is not None:
            return kind
        namespace, _, rest = name.partition("/")
        if namespace.lower() not in self.providers:
            raise AzureError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
        if not rest:
            raise AzureError(404, "NotFound", f"'{namespace}' has no such operation that the sandbox emulates.")
        raise AzureError(
            404,
            "InvalidResourceType",
            f"The resource type '{rest}' could not be found in the namespace '{namespace}' (the sandbox does not "
            "emulate it).",
        )


class Resources:
    """Carries out GET, PUT, PATCH, DELETE and POST on resources of registered types, and the routes beside them."""

    def __init__(self, cloud: Cloud, types: Iterable[ResourceType], routes: Iterable[Route] = ()) -> None:
        self.cloud, self.registry, self.routes = cloud, Registry(types), routing.Routes(routes)
        self._methods = {
            "GET": self._get,
            "HEAD": self._get,
            "PUT": self._put,
            "PATCH": self._patch,
            "DELETE": self._delete,
            "POST": self._post,
        }

    def dispatch(self, call: Call) -> Response:
        """Answers one authenticated call, whose id is the path not yet taken apart.

        Raises:
            AzureError: Any refusal.
        """
        _check_api_version(call)
        self._subscription(call)
        operation = self.routes.find(call.method, call.id.text)
        if operation is not None:
            route, match = operation
            return _respond(route.handle(self, call, match))
        if call.method not in self._methods:
            raise AzureError(405, "MethodNotAllowed", f"The method '{call.method}' is not allowed.")
        on = call.on(parse_id(call.id.text))
        if call.method in ("PUT", "PATCH", "DELETE") and call.method not in self.registry.find(on.id.type).methods:
            text = f"The resource type '{on.id.type}' does not support http method '{call.method}'."
            raise AzureError(405, "MethodNotAllowed", text)
        return self._methods[call.method](on)

    def get(self, call: Call) -> Body:
        """The addressed resource as it is stored.

        Raises:
            AzureError: 404, for the first that is missing of group, parent and resource.
        """
        kind = self.registry.find(call.id.type)
        resource = kind.find(self.cloud, call.id)
        if resource is None or kind.outlives_parent:
            self.parent(call)
        if resource is None:
            raise kind.missing(call)
        return resource

    def parent(self, call: Call) -> str:
        """The canonical id of what the addressed resource lies in.

        Raises:
            AzureError: 404 ResourceGroupNotFound or ParentResourceNotFound: the group first, as Azure answers.
        """
        group = call.id.group
        if not group or call.id.type.lower() == GROUP_TYPE.lower():
            return f"/subscriptions/{call.subscription}" if call.subscription else ""
        stored = call.resource(group)
        if stored is None:
            raise not_found(parse_id(group))
        if call.id.parent.lower() == group.lower():
            return str(stored["id"])
        parent = parse_id(call.id.parent)
        stored_parent = self.registry.find(parent.type).find(self.cloud, parent)
        if stored_parent is None:
            raise AzureError(
                404,
                "ParentResourceNotFound",
                f"Failed to perform '{call.method.lower()}' on resource(s) of type '{call.id.type.split('/', 1)[-1]}', "
                f"because the parent resource '{call.id.parent}' could not be found.",
            )
        return str(stored_parent["id"])

    def remove(self, call: Call, kind: ResourceType, resource: Body) -> None:
        """Removes a resource with all below it: children, extension resources, and for a group its content.

        Belongs in a transaction.
        """
        prefix = resource["id"].lower() + "/"
        for store_kind in STORED_APART:
            for key, child in reversed(list(self.cloud.store.items(store_kind, prefix))):
                self.cloud.store.delete(store_kind, key)
                if store_kind == "resource":
                    self.registry.find(child["type"]).deleted(call, child)
        kind.erase(self.cloud, resource)
        kind.deleted(call, resource)

    def locked(self, resource_id: ResourceId, operation: str, *levels: str) -> None:
        """Refuses what a lock of one of the levels forbids, at the resource, above it or (for a delete) below it.

        Raises:
            AzureError: 409 ScopeLocked, naming the locked scopes.
        """
        if resource_id.type.lower() == "microsoft.authorization/locks":
            return
        at = resource_id.key + "/"
        held = []
        for lock in self.cloud.store.list("lock"):
            scope = lock["id"][: lock["id"].lower().rindex("/providers/microsoft.authorization/locks/")]
            below = scope.lower() + "/"
            inside = operation == "delete" and below.startswith(at)
            if lock["properties"]["level"] in levels and (at.startswith(below) or inside):
                held.append(scope)
        if held:
            raise AzureError(
                409,
                "ScopeLocked",
                f"The scope '{resource_id.text}' cannot perform {operation} operation because following scope(s) are "
                f"locked: '{','.join(held)}'. Please remove the lock and try again.",
            )

    def _subscription(self, call: Call) -> None:
        asked = call.subscription
        if asked and not any(subscription["id"].lower() == asked for subscription in self.cloud.seed["subscriptions"]):
            raise AzureError(404, "SubscriptionNotFound", f"The subscription '{asked}' could not be found.")

    def _get(self, call: Call) -> Response:
        kind = self.registry.find(call.id.type)
        if not call.id.name:
            return self._list(call, kind)
        if call.id.parent and not kind.open_read:  # everybody reads the tenant's built-in roles and policies
            call.authorize(f"{kind.type}/read", call.id.text)
        resource = self.get(call)
        return Response(status_code=204) if call.method == "HEAD" else JSONResponse(kind.present(call, resource))

    def _list(self, call: Call, kind: ResourceType) -> Response:
        """A collection; across groups it holds what the caller may read, and what is built in."""
        inside = bool(call.id.group)
        if inside:
            call.authorize(f"{kind.type}/read", call.id.parent)
        parent = self.parent(call)
        prefix = call.id.key + "/" if inside else f"{parent}/".lower()
        resources = [
            resource
            for resource in kind.below(self.cloud, prefix)
            if inside or not SUBSCRIPTION.match(resource["id"]) or call.may(f"{kind.type}/read", resource["id"])
        ]
        return JSONResponse(kind.listed(call, resources))

    def _put(self, call: Call) -> Response:
        kind = self.registry.find(call.id.type)
        call.authorize(f"{kind.type}/write", call.id.text, kind.attributes(call))
        if not kind.name_pattern.fullmatch(call.id.name):
            code, message = kind.name_error
            raise AzureError(400, code, message.format(name=call.id.name))
        parent = self.parent(call)
        call.body.pop("systemData", None)  # the service's own
        return self._store(call, kind, kind.find(self.cloud, call.id), parent)

    def _patch(self, call: Call) -> Response:
        kind = self.registry.find(call.id.type)
        call.authorize(f"{kind.type}/write", call.id.text)
        old = self.get(call)
        return self._store(replace(call, body=kind.patch(call, old)), kind, old, "")

    def _store(self, call: Call, kind: ResourceType, old: Body | None, parent: str) -> Response:
        if kind.tracked:
            _check_location(call, kind, old)
        check_fields(kind, call.body)
        self.locked(call.id, "write", "ReadOnly")
        enforce(call, kind)
        kind.validate(call, old)
        identity = {"id": kind.canonical_id(parent, call.id.name), "name": call.id.name, "type": kind.type}
        if old is not None:
            identity = {part: old[part] for part in identity}
        with self.cloud.store.transaction():
            resource = {**kind.prepare(call, old), **identity}
            if kind.system_data:
                resource["systemData"] = system_data(call.cloud, call.caller, old or resource)
            kind.save(self.cloud, resource)
            kind.stored(call, resource, old)
        return kind.response(call, resource, created=old is None)

    def _delete(self, call: Call) -> Response:
        kind = self.registry.find(call.id.type)
        call.authorize(f"{kind.type}/delete", call.id.text, kind.attributes(call))
        resource = kind.find(self.cloud, call.id)
        if resource is None:
            return kind.delete_response(call, None)
        self.locked(call.id, "delete", "ReadOnly", "CanNotDelete")
        kind.before_delete(call, resource)
        with self.cloud.store.transaction():
            self.remove(call, kind, resource)
        return kind.delete_response(call, resource)

    def _post(self, call: Call) -> Response:
        """An action's path is the resource's, and the action's name."""
        text, _, action = call.id.text.rpartition("/")
        on = call.on(parse_id(text))
        if on.id.type.count("/") == 0:
            raise AzureError(404, "NotFound", f"'{on.id.type}' has no operation '{action}' that the sandbox emulates.")
        kind = self.registry.find(on.id.type)
        act = kind.actions.get(action.lower())
        if act is None or not on.id.name:
            raise AzureError(404, "NotFound", f"'{kind.type}' has no action '{action}' that the sandbox emulates.")
        on.authorize(f"{kind.type}/{action}/action", on.id.text)
        resource = self.get(on)
        self.locked(on.id, "write", "ReadOnly")
        return _respond(act(on, resource))


def _respond(answer: Any) -> Response:
    return answer if isinstance(answer, Response) else JSONResponse(answer)


def _check_api_version(call: Call) -> None:
    """A date, perhaps with `-preview` or alike. Which dates a type really has is not emulated."""
    if not call.query.get("api-version"):
        raise AzureError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    version = re.fullmatch(r"(\d{4}-\d{2}-\d{2})(-[a-z]+)?", call.api_version)
    if version is None:
        raise AzureError(400, "InvalidApiVersionParameter", f"The api-version '{call.api_version}' is invalid.")
    try:
        known = date.fromisoformat(version[1]) >= OLDEST_API
    except ValueError:
        known = False
    if not known:
        raise AzureError(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for API version '{call.api_version}' of '{call.id.text}'.",
        )


def _check_location(call: Call, kind: ResourceType, old: Body | None) -> None:
    """Requires a region; an existing resource's region never changes.

    Sources: learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors.
    """
    location = call.body.get("location")
    if not location:
        raise AzureError(400, "LocationRequired", "The location property is required for this definition.")
    if not isinstance(location, str):
        raise invalid("location", f"Error converting value '{location}' of 'location': it must be a string.")
    normal = call.body["location"] = normal_location(location)
    allowed = {"global"} if kind.global_location else REGIONS
    if normal not in allowed:
        code, what = "LocationNotAvailableForResourceType", f"resource type '{kind.type}'"
        if kind.type == GROUP_TYPE:
            code, what = "LocationNotAvailableForResourceGroup", "resource group"
        raise AzureError(
            400,
            code,
            f"The provided location '{location}' is not available for {what}. List of available regions is "
            f"'{','.join(sorted(allowed))}'.",
        )
    if old is None or normal == old["location"]:
        return
    if kind.type == GROUP_TYPE:
        raise AzureError(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{old['location']}'.",
        )
    raise AzureError(
        409,
        "InvalidResourceLocation",
        f"The resource '{call.id.name}' already exists in location '{old['location']}' in resource group "
        f"'{call.id.group.rsplit('/', 1)[-1]}'. A resource with the same name cannot be created in location "
        f"'{location}'. Please select a new resource name.",
    )
