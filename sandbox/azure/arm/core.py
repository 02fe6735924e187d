"""What every resource type has in common: ids, api-versions, authorization, locks, bodies, collections, actions."""

import copy
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure.cloud import Cloud
from sandbox.azure.errors import AzureError
from sandbox.azure.tokens import Caller

Body = dict[str, Any]
SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
GROUP = re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/]+", re.IGNORECASE)
GROUP_TYPE = "Microsoft.Resources/subscriptions/resourceGroups"


@dataclass(frozen=True)
class ResourceId:
    """A resource's id, or a collection's, taken apart.

    Attributes:
        text: As the client wrote it, without a trailing slash.
        type: Such as `Microsoft.Storage/storageAccounts`; for an extension resource the extension's type.
        name: The last name; empty for a collection.
        parent: The id of what it lies in: the parent resource, the resource group, or the extended scope.
    """

    text: str
    type: str
    name: str
    parent: str

    @property
    def key(self) -> str:
        """Ids are compared without case."""
        return self.text.lower()

    @cached_property
    def group(self) -> str:
        """The id of the resource group it lies in; empty above groups."""
        found = GROUP.match(self.text)
        return found[0] if found else ""

    @cached_property
    def names(self) -> list[str]:
        """The names in the last provider's part, outermost first."""
        return self.text.rsplit("/providers/", 1)[-1].split("/")[2::2]


def parse_id(path: str) -> ResourceId:
    """Takes a management path apart.

    Raises:
        AzureError: 404 for what is no resource's path.
    """
    text = path.rstrip("/")
    scope, found, tail = _last_provider(text)
    if not found:
        parts = text.strip("/").split("/")
        if [p.lower() for p in parts[::2]] == ["subscriptions", "resourcegroups"]:
            return ResourceId(text, GROUP_TYPE, parts[3] if len(parts) == 4 else "", "/" + "/".join(parts[:2]))
        if len(parts) in (1, 2) and parts[0].lower() == "subscriptions":
            return ResourceId(text, "Microsoft.Resources/subscriptions", parts[1] if len(parts) == 2 else "", "")
        raise AzureError(404, "InvalidResourceType", f"The path '{path}' names no resource.")
    namespace, *rest = tail.split("/")
    kinds, names = rest[::2], rest[1::2]
    name = names[-1] if len(names) == len(kinds) else ""
    parent = text.rsplit("/", 2 if name else 1)[0] if len(kinds) > 1 else scope
    return ResourceId(text, "/".join([namespace, *kinds]), name, parent)


def _last_provider(text: str) -> tuple[str, str, str]:
    at = text.lower().rfind("/providers/")
    return (text[:at], "providers", text[at + len("/providers/") :]) if at >= 0 else (text, "", "")


@dataclass(frozen=True)
class Call:
    """One management request, authenticated and authorized.

    Attributes:
        id: What it addresses.
        body: The JSON sent; empty for none.
        query: The query's parameters.
        base_url: `https://management.azure.com`.
    """

    cloud: Cloud
    caller: Caller
    method: str
    id: ResourceId
    body: Body = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    base_url: str = "https://management.azure.com"

    @property
    def api_version(self) -> str:
        """The api-version asked for."""
        return self.query["api-version"]

    def resource(self, resource_id: str) -> Body | None:
        """A stored resource by id, or None."""
        return self.cloud.store.get("resource", resource_id.lower())

    def authorize(self, action: str, scope: str) -> None:
        """Checks a further right of the caller, at another scope for one.

        Raises:
            AzureError: 403 AuthorizationFailed.
        """
        self.cloud.access.authorize(self.caller, action, scope)


Action = Callable[[Call, Body], Any]


class ResourceType:
    """A resource type's behaviour. The defaults store what was sent; subclasses refuse and add what their service does.

    Attributes:
        type: Such as `Microsoft.Storage/storageAccounts`.
        tracked: Whether it has `location` and `tags`, and so requires a location.
        name_pattern: What the whole name must match.
        name_error: Code and message of a bad name; `{name}` stands for the name.
        kind: The store's kind; `resource` but for types that others must find fast.
        actions: POST actions by lowercased name; each gets the call and the stored resource and returns a body or a response.
        needs_parent: Whether what it lies in must have been made; false where the service makes that by itself.
        update_status: The status of a PUT that changes an existing resource.
        create_status: The status of a PUT that makes one.
    """

    type: ClassVar[str]
    tracked: ClassVar[bool] = True
    name_pattern: ClassVar[re.Pattern[str]] = re.compile(r"[^/?#%&\\]{1,260}")
    name_error: ClassVar[tuple[str, str]] = ("InvalidResourceName", "The resource name '{name}' is not valid.")
    kind: ClassVar[str] = "resource"
    needs_parent: ClassVar[bool] = True
    create_status: ClassVar[int] = 201
    update_status: ClassVar[int] = 200

    @property
    def actions(self) -> dict[str, Action]:
        """POST actions by lowercased name."""
        return {}

    def find(self, call: Call, resource_id: ResourceId) -> Body | None:
        """The stored resource; override for what exists without having been made, such as a location."""
        return call.cloud.store.get(self.kind, Resources.key(self, resource_id))

    def collection(self, call: Call) -> Body:
        """The answer to a GET of the collection; override for filters and pages."""
        found = [
            one
            for one in call.cloud.store.list(self.kind, call.id.key + "/")
            if one["type"].lower() == self.type.lower()
        ]
        return {"value": [self.present(call, one) for one in found]}

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses a PUT with an `AzureError`; `old` is the stored resource, if there is one."""

    def prepare(self, call: Call, old: Body | None) -> Body:
        """The resource to store for this PUT: the body, with what the service fills in."""
        return copy.deepcopy(call.body)

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """Runs in the transaction that stored the resource: registers global names, makes children."""

    def before_delete(self, call: Call, resource: Body) -> None:
        """Refuses a DELETE with an `AzureError`."""

    def deleted(self, call: Call, resource: Body) -> None:
        """Runs in the transaction that removed the resource, also when its group goes."""

    def delete_response(self, call: Call, resource: Body | None) -> Response:
        """The answer to a DELETE, of nothing where `resource` is None; override for a long-running operation."""
        return Response(status_code=204 if resource is None else 200)

    def patch(self, call: Call, old: Body) -> Body:
        """The body of the PUT that this PATCH amounts to: top-level merge, `properties` and `tags` one level deeper."""
        merged = {**copy.deepcopy(old), **call.body}
        for part in ("properties", "tags"):
            if isinstance(call.body.get(part), dict):
                merged[part] = {**old.get(part, {}), **call.body[part]}
        return merged

    def present(self, call: Call, resource: Body) -> Body:
        """The resource as a GET shows it: without write-only fields, with what is computed."""
        return resource

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """The answer to a PUT or PATCH; override for a long-running operation."""
        return JSONResponse(self.present(call, resource), self.create_status if created else self.update_status)


class Registry:
    """The resource types the local Azure knows."""

    def __init__(self, types: Iterable[ResourceType]) -> None:
        self._types = {one.type.lower(): one for one in types}
        self.providers = {one.type.split("/", 1)[0].lower(): one.type.split("/", 1)[0] for one in self._types.values()}

    def find(self, name: str) -> ResourceType:
        """The type's behaviour.

        Raises:
            AzureError: 404 InvalidResourceNamespace or InvalidResourceType, as Azure answers for an unknown one.
        """
        found = self._types.get(name.lower())
        if found is not None:
            return found
        namespace, _, rest = name.partition("/")
        if namespace.lower() not in self.providers:
            raise AzureError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
        raise AzureError(
            404,
            "InvalidResourceType",
            f"The resource type '{rest}' could not be found in the namespace '{namespace}' (the sandbox does not emulate it).",
        )


class Resources:
    """Carries out GET, PUT, PATCH, DELETE and POST on resources of registered types."""

    def __init__(self, cloud: Cloud, registry: Registry) -> None:
        self._cloud, self._registry = cloud, registry

    def dispatch(self, call: Call) -> Response:
        """Answers one authenticated call.

        Raises:
            AzureError: Any refusal.
        """
        if "api-version" not in call.query:
            raise AzureError(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}(-[a-z]+)?", call.api_version):
            raise AzureError(400, "InvalidApiVersionParameter", f"The api-version '{call.api_version}' is invalid.")
        self._subscription(call)
        if call.method == "POST":
            return self._post(call)
        handlers = {"GET": self._get, "HEAD": self._get, "PUT": self._put, "PATCH": self._patch, "DELETE": self._delete}
        if call.method not in handlers:
            raise AzureError(405, "MethodNotAllowed", f"The method '{call.method}' is not allowed.")
        return handlers[call.method](call)

    def _subscription(self, call: Call) -> None:
        found = SUBSCRIPTION.match(call.id.text)
        if found and not any(one["id"] == found[1].lower() for one in self._cloud.seed["subscriptions"]):
            raise AzureError(404, "SubscriptionNotFound", f"The subscription '{found[1]}' could not be found.")

    def _require(self, call: Call, kind: ResourceType) -> Body:
        found = kind.find(call, call.id)
        if found is not None:
            return found
        self._parent(call)
        raise not_found(call.id)

    def _parent(self, call: Call) -> None:
        """The group first, then the parent: as Azure answers."""
        group = call.id.group
        if call.id.type != GROUP_TYPE and group and call.resource(group) is None:
            name = group.rsplit("/", 1)[-1]
            raise AzureError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
        if call.id.parent and "/providers/" in call.id.parent.lower():
            parent = parse_id(call.id.parent)
            kind = self._registry.find(parent.type)
            if kind.find(call, parent) is None:
                raise AzureError(
                    404,
                    "ParentResourceNotFound",
                    f"Failed to perform '{call.method.lower()}' on resource(s) of type '{call.id.type.split('/', 1)[-1]}', "
                    f"because the parent resource '{call.id.parent}' could not be found.",
                )

    @staticmethod
    def key(kind: ResourceType, resource_id: ResourceId) -> str:
        """The store's key: the id, but a role definition's GUID, which holds in every scope."""
        return resource_id.name.lower() if kind.kind == "roleDefinition" else resource_id.key

    def _get(self, call: Call) -> Response:
        kind = self._registry.find(call.id.type)
        call.authorize(f"{kind.type}/read", call.id.text if call.id.name else call.id.parent or call.id.text)
        if call.id.name:
            resource = self._require(call, kind)
            return Response(status_code=204) if call.method == "HEAD" else JSONResponse(kind.present(call, resource))
        if kind.needs_parent:
            self._parent(call)
        return JSONResponse(kind.collection(call))

    def _put(self, call: Call) -> Response:
        kind = self._registry.find(call.id.type)
        call.authorize(f"{kind.type}/write", call.id.text)
        if not kind.name_pattern.fullmatch(call.id.name):
            code, message = kind.name_error
            raise AzureError(400, code, message.format(name=call.id.name))
        if kind.needs_parent:
            self._parent(call)
        old = self._cloud.store.get(kind.kind, self.key(kind, call.id))
        if kind.tracked:
            self._location(call, old)
        return self._store(call, kind, old)

    def _location(self, call: Call, old: Body | None) -> None:
        location = call.body.get("location")
        if not location:
            raise AzureError(400, "LocationRequired", "The location property is required for this definition.")
        call.body["location"] = normal_location(location)
        if old is not None and call.body["location"] != old["location"]:
            raise AzureError(
                409,
                "InvalidResourceLocation",
                f"The resource '{call.id.name}' already exists in location '{old['location']}' in resource group "
                f"'{call.id.group.rsplit('/', 1)[-1]}'. A resource with the same name cannot be created in location "
                f"'{call.body['location']}'. Please select a new resource name.",
            )

    def _patch(self, call: Call) -> Response:
        kind = self._registry.find(call.id.type)
        call.authorize(f"{kind.type}/write", call.id.text)
        old = self._require(call, kind)
        merged = Call(call.cloud, call.caller, "PATCH", call.id, kind.patch(call, old), call.query, call.base_url)
        return self._store(merged, kind, old)

    def _store(self, call: Call, kind: ResourceType, old: Body | None) -> Response:
        self.locked(call.id, "write", ("ReadOnly",))
        kind.validate(call, old)
        resource = {**kind.prepare(call, old), "id": call.id.text, "name": call.id.name, "type": kind.type}
        if old is not None:
            resource["id"], resource["name"] = old["id"], old["name"]
        with self._cloud.store.transaction():
            self._cloud.store.put(kind.kind, self.key(kind, call.id), resource)
            kind.stored(call, resource, old)
        return kind.response(call, resource, created=old is None)

    def _delete(self, call: Call) -> Response:
        kind = self._registry.find(call.id.type)
        call.authorize(f"{kind.type}/delete", call.id.text)
        resource = self._cloud.store.get(kind.kind, self.key(kind, call.id))
        if resource is None:
            return kind.delete_response(call, None)
        self.locked(call.id, "delete", ("ReadOnly", "CanNotDelete"))
        kind.before_delete(call, resource)
        with self._cloud.store.transaction():
            self.remove(call, kind, resource)
        return kind.delete_response(call, resource)

    def remove(self, call: Call, kind: ResourceType, resource: Body) -> None:
        """Removes a resource with all below it: children, extension resources, and for a group its content."""
        prefix = resource["id"].lower() + "/"
        for store_kind in ("resource", "roleAssignment"):
            for key, child in list(self._cloud.store.items(store_kind, prefix)):
                self._cloud.store.delete(store_kind, key)
                self._registry.find(child["type"]).deleted(call, child)
        self._cloud.store.delete(kind.kind, self.key(kind, parse_id(resource["id"])))
        kind.deleted(call, resource)

    def _post(self, call: Call) -> Response:
        """An action's path is the resource's, and the action's name."""
        text, _, action = call.id.text.rpartition("/")
        target = parse_id(text)
        kind = self._registry.find(target.type)
        act = kind.actions.get(action.lower())
        if act is None or not target.name:
            raise AzureError(404, "NotFound", f"'{kind.type}' has no action '{action}' that the sandbox emulates.")
        call.authorize(f"{kind.type}/{action}/action", target.text)
        on = Call(call.cloud, call.caller, "POST", target, call.body, call.query, call.base_url)
        resource = self._require(on, kind)
        self.locked(target, "write", ("ReadOnly",))
        answer = act(on, resource)
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    def locked(self, resource_id: ResourceId, operation: str, levels: tuple[str, ...]) -> None:
        """Refuses what a lock at the resource, above it or (for a delete) below it forbids.

        Raises:
            AzureError: 409 ScopeLocked, naming the locked scopes.
        """
        if resource_id.type.lower() == "microsoft.authorization/locks":
            return
        at = resource_id.key + "/"
        held = []
        for lock in self._cloud.store.list("lock"):
            scope = lock["id"].lower().rpartition("/providers/microsoft.authorization/locks/")[0]
            inside = operation == "delete" and (scope + "/").startswith(at)
            if lock["properties"]["level"] in levels and (at.startswith(scope + "/") or inside):
                held.append(lock["id"].rpartition("/providers/")[0])
        if held:
            raise AzureError(
                409,
                "ScopeLocked",
                f"The scope '{resource_id.text}' cannot perform {operation} operation because following scope(s) are "
                f"locked: '{', '.join(held)}'. Please remove the lock and try again.",
            )


def normal_location(location: str) -> str:
    """`East US 2` and `eastus2` are the same region."""
    return location.replace(" ", "").lower()


def not_found(resource_id: ResourceId) -> AzureError:
    """404 as the resource manager words it."""
    name = resource_id.name
    if resource_id.type == GROUP_TYPE:
        return AzureError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
    group = resource_id.group.rsplit("/", 1)[-1]
    return AzureError(
        404,
        "ResourceNotFound",
        f"The Resource '{resource_id.type}/{'/'.join(resource_id.names)}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def missing(target: str, message: str) -> AzureError:
    """400 for a body that lacks a field or has a wrong one, naming it."""
    return AzureError(400, "InvalidRequestContent", message, target=target)
