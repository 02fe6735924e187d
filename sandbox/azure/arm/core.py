"""A resource type: its id, the call that concerns it, and the behaviour that a provider's module gives it."""

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure import clock
from sandbox.azure.access.conditions import Attempt
from sandbox.azure.access.tokens import Caller
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError

Body = dict[str, Any]
GROUP = re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/]+", re.IGNORECASE)
GROUP_TYPE = "Microsoft.Resources/subscriptions/resourceGroups"
SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"
MOST_TAGS, LONGEST_TAG, LONGEST_TAG_VALUE = 50, 512, 256


@dataclass(frozen=True)
class ResourceId:
    """A resource's id, or a collection's, taken apart.

    Attributes:
        text: As the client wrote it, without a trailing slash.
        type: Such as `Microsoft.Storage/storageAccounts`; for an extension resource the extension's type.
        name: The last name; empty for a collection.
        parent: The id of what it lies in: the parent resource, the resource group, or the extended scope; empty for
            the tenant.
    """

    text: str
    type: str
    name: str
    parent: str

    @property
    def key(self) -> str:
        """The resource's key in the store: its id in lower case, since Azure's ids ignore case."""
        return self.text.lower()

    @cached_property
    def group(self) -> str:
        """The id of the resource group it lies in; empty above groups."""
        match = GROUP.match(self.text)
        return match[0] if match else ""

    @cached_property
    def names(self) -> list[str]:
        """The names in the last provider's part, outermost first."""
        return _last_provider(self.text)[1].split("/")[2::2]


def parse_id(path: str) -> ResourceId:
    """Takes a management path apart.

    Raises:
        AzureError: 404 for what is no resource's path.
    """
    text = "/" + path.strip("/")
    scope, tail = _last_provider(text)
    if tail:
        namespace, *rest = tail.split("/")
        kinds, names = rest[::2], rest[1::2]
        name = names[-1] if kinds and len(names) == len(kinds) else ""
        parent = text.rsplit("/", 2 if name else 1)[0] if len(kinds) > 1 else scope
        resource_id = ResourceId(text, "/".join([namespace, *kinds]), name, parent)
    else:
        resource_id = _outside_providers(text)
    return resource_id


def _outside_providers(text: str) -> ResourceId:
    words = text.strip("/").split("/")
    kinds = [word.lower() for word in words[::2]]
    name = words[-1] if len(words) % 2 == 0 else ""
    if kinds == ["subscriptions", "resourcegroups"]:
        return ResourceId(text, GROUP_TYPE, name, "/" + "/".join(words[:2]))
    if kinds == ["subscriptions"]:
        return ResourceId(text, SUBSCRIPTION_TYPE, name, "")
    raise AzureError(404, "NotFound", f"The path '{text}' names no resource.")


def _last_provider(text: str) -> tuple[str, str]:
    """The parts of an id before and after the last `/providers/`."""
    at = text.lower().rfind("/providers/")
    return (text[:at], text[at + len("/providers/") :]) if at >= 0 else (text, "")


@dataclass(frozen=True)
class Call:
    """One management request, authenticated.

    Attributes:
        id: What it addresses.
        body: The JSON sent; empty for none.
        query: The query's parameters; `api-version` in lower case.
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

    @property
    def subscription(self) -> str:
        """The id of the subscription in the path; empty above subscriptions."""
        words = self.id.key.split("/")
        return words[2] if len(words) > 2 and words[1] == "subscriptions" else ""  # noqa: PLR2004 # "", the word, the id

    def on(self, resource_id: ResourceId, body: Body | None = None) -> "Call":
        """The same caller's call on another resource."""
        return replace(self, id=resource_id, body=self.body if body is None else body)

    def resource(self, resource_id: str) -> Body | None:
        """A stored resource of kind `resource` by id, or None."""
        return self.cloud.store.get("resource", resource_id.lower())

    def authorize(self, action: str, scope: str, request: Mapping[str, Any] | None = None) -> None:
        """Checks a right of the caller; `request` has what conditions of role assignments look at.

        Raises:
            AzureError: 403 AuthorizationFailed.
        """
        attempt = Attempt(action, resource=request, request=request) if request else None
        self.cloud.access.authorize(self.caller, action, scope or "/", attempt=attempt)

    def may(self, action: str, scope: str) -> bool:
        """Whether the caller has a right."""
        return self.cloud.access.allows(self.caller.object_id, action, scope or "/")


Action = Callable[[Call, Body], Any]
Rule = type | frozenset[str]
_WORDS: dict[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    dict: "an object",
    list: "a list",
}


class ResourceType:
    """A resource type's behaviour. The defaults store what was sent; subclasses refuse and add what their service does.

    Attributes:
        type: Such as `Microsoft.Storage/storageAccounts`.
        tracked: Whether it has `location` and `tags`, and so requires a location.
        global_location: Whether its location is `global` and no region.
        name_pattern: What the whole name must match.
        name_error: Code and message of a bad name; `{name}` stands for the name.
        absent: Code and message of one that does not exist, where the service has its own.
        kind: The store's kind; `resource` but for types that others must find fast.
        fields: What the body's main properties may be, by dotted path: a Python type, or the allowed strings.
        required: Dotted paths that a PUT must have.
        invalid_value: The code with which the service refuses a string that is not allowed.
        open_read: Whether a GET needs no role, as for operations, whose addresses cannot be guessed.
        outlives_parent: Whether it is kept when its resource is deleted, and there again with the next of that id.
        create_status: The status of a PUT that makes one.
        update_status: The status of a PUT that changes an existing resource.
        methods: The methods that the service has for it, besides POST for actions and HEAD.
        system_data: Whether the service shows who made it and who changed it last.
    """

    type: ClassVar[str]
    tracked: ClassVar[bool] = True
    global_location: ClassVar[bool] = False
    name_pattern: ClassVar[re.Pattern[str]] = re.compile(r"[^/?#%&\\]{1,260}")
    name_error: ClassVar[tuple[str, str]] = ("InvalidResourceName", "The resource name '{name}' is not valid.")
    absent: ClassVar[tuple[str, str] | None] = None
    kind: ClassVar[str] = "resource"
    fields: ClassVar[Mapping[str, Rule]] = {}
    required: ClassVar[tuple[str, ...]] = ()
    invalid_value: ClassVar[str] = "InvalidRequestContent"
    open_read: ClassVar[bool] = False
    outlives_parent: ClassVar[bool] = False
    create_status: ClassVar[int] = 201
    update_status: ClassVar[int] = 200
    methods: ClassVar[frozenset[str]] = frozenset({"GET", "PUT", "PATCH", "DELETE"})
    system_data: ClassVar[bool] = False

    @property
    def actions(self) -> dict[str, Action]:
        """POST actions by lowercased name; each gets the call and the stored resource, gives a body or a response."""
        return {}

    def attributes(self, call: Call) -> Mapping[str, Any]:
        """The values that conditions look at, by lowercased attribute: of the body, or of the deleted resource."""
        return {}

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """The resource of this id as stored, or None."""
        return cloud.store.get(self.kind, resource_id.key)

    def below(self, cloud: Cloud, prefix: str) -> Iterable[Body]:
        """The stored resources of this type whose lowercased id starts with the prefix."""
        kind = self.type.lower()
        return (resource for resource in cloud.store.list(self.kind, prefix) if resource["type"].lower() == kind)

    def save(self, cloud: Cloud, resource: Body) -> None:
        """Stores the resource under its id."""
        cloud.store.put(self.kind, resource["id"].lower(), resource)

    def missing(self, call: Call) -> AzureError:
        """The refusal of a call on a resource that is not there."""
        if self.absent is None:
            return not_found(call.id)
        code, message = self.absent
        return AzureError(404, code, message.format(name=call.id.name))

    def erase(self, cloud: Cloud, resource: Body) -> None:
        """Removes the resource from the store."""
        cloud.store.delete(self.kind, resource["id"].lower())

    def canonical_id(self, parent: str, name: str) -> str:
        """The id as the service writes it, below the parent's canonical id."""
        kinds = self.type.split("/")
        nested = len(kinds) > 2 and parent.lower().rpartition("/")[0].endswith("/" + kinds[-2].lower())  # noqa: PLR2004
        return f"{parent}/{kinds[-1]}/{name}" if nested else f"{parent}/providers/{self.type}/{name}"

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
        """Runs in the transaction that removed the resource, also when its group or parent goes."""

    def patch(self, call: Call, old: Body) -> Body:
        """The body of the PUT that this PATCH amounts to: top-level merge, `properties` one level deeper.

        Of user-assigned identities those named are added, or removed where their value is null.
        """
        merged = {**copy.deepcopy(old), **call.body}
        if isinstance(call.body.get("properties"), dict):
            merged["properties"] = {**old.get("properties", {}), **call.body["properties"]}
        identity = call.body.get("identity")
        if isinstance(identity, dict) and isinstance(identity.get("userAssignedIdentities"), dict):
            before = (old.get("identity") or {}).get("userAssignedIdentities") or {}
            users = {**before, **identity["userAssignedIdentities"]}
            assigned = {name: value for name, value in users.items() if value is not None}
            merged["identity"] = {**identity, "userAssignedIdentities": assigned}
        return merged

    def present(self, call: Call, resource: Body) -> Body:
        """The resource as a GET shows it: without write-only fields, with what is computed."""
        return resource

    def listed(self, call: Call, resources: list[Body]) -> Body:
        """The answer to a GET of the collection, for types that filter or page."""
        return {"value": [self.present(call, resource) for resource in resources]}

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """The answer to a PUT or PATCH; override for a long-running operation."""
        return JSONResponse(self.present(call, resource), self.create_status if created else self.update_status)

    def delete_response(self, call: Call, resource: Body | None) -> Response:
        """The answer to a DELETE, with what it removed; override for a long-running operation."""
        return Response(status_code=204 if resource is None else 200)


def user_name(cloud: Cloud, object_id: str) -> str | None:
    """The user principal name of a person; None for an application."""
    user = cloud.store.get("user", object_id)
    return str(user["userPrincipalName"]) if user else None


def system_data(cloud: Cloud, caller: Caller, old: Body | None) -> Body:
    """`systemData` after a change by the caller: who made the resource and who changed it last, with times in UTC.

    Source: learn.microsoft.com/rest/api/resources, common types' SystemData.
    """
    user = user_name(cloud, caller.object_id)
    who = {
        "By": user or caller.client_id,
        "ByType": "User" if user else "Application",
        "At": clock.now().isoformat(),
    }
    made = {part: value for part, value in ((old or {}).get("systemData") or {}).items() if part.startswith("created")}
    return {
        **(made or {f"created{part}": value for part, value in who.items()}),
        **{f"lastModified{part}": value for part, value in who.items()},
    }


def properties_of(body: Body) -> Body:
    """The body's `properties`; empty where they are absent or null."""
    return body.get("properties") or {}


def check_fields(kind: ResourceType, body: Body) -> None:
    """Refuses what lacks a required property, or has one of a wrong type or value.

    Raises:
        AzureError: 400 with the property's path as `target`.
    """
    check_tags(body.get("tags"))
    for part in ("properties", "identity"):
        if body.get(part) is not None and not isinstance(body[part], dict):
            raise invalid(part, f"Error converting value '{body[part]}' of '{part}': it must be an object.")
    for path in kind.required:
        if _at(body, path) is None:
            raise invalid(path, f"The required property '{path}' is missing.")
    for path, rule in kind.fields.items():
        value = _at(body, path)
        if value is None:
            continue
        if isinstance(rule, frozenset):
            if not isinstance(value, str) or value.lower() not in {allowed.lower() for allowed in rule}:
                allowed = ", ".join(sorted(rule))
                text = f"Values for request parameters are invalid: {path}. The value is '{value}'; allowed: {allowed}."
                raise AzureError(400, kind.invalid_value, text, target=path)
        elif not isinstance(value, rule) or (rule is int and isinstance(value, bool)):
            raise invalid(path, f"Error converting value '{value}' of '{path}': it must be {_WORDS[rule]}.")


def check_tags(tags: Any) -> None:
    """Refuses tags that are too many, too long or no text.

    Source: learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations.

    Raises:
        AzureError: 400 InvalidTags or InvalidRequestContent.
    """
    if tags is None:
        return
    if not isinstance(tags, dict):
        raise invalid("tags", f"Error converting value '{tags}' of 'tags': it must be an object.")
    if len(tags) > MOST_TAGS:
        raise AzureError(
            400, "InvalidTags", f"A resource has at most {MOST_TAGS} tags, not {len(tags)}.", target="tags"
        )
    for name, value in tags.items():
        if not isinstance(value, str):
            raise invalid(f"tags.{name}", f"Error converting value '{value}' of 'tags.{name}': it must be a string.")
        if len(name) > LONGEST_TAG or len(value) > LONGEST_TAG_VALUE or set(name) & set("<>%&\\?/"):
            raise AzureError(
                400,
                "InvalidTags",
                f"The tag '{name}' is invalid: its name has at most {LONGEST_TAG} characters and none of <>%&\\?/, its "
                f"value at most {LONGEST_TAG_VALUE}.",
                target=f"tags.{name}",
            )


def _at(body: Body, path: str) -> Any:
    value: Any = body
    for name in path.split("."):
        if value is None:
            return None
        if not isinstance(value, dict):
            raise invalid(path, f"Error converting value '{value}' above '{path}': it must be an object.")
        value = value.get(name)
    return value


def invalid(target: str, message: str) -> AzureError:
    """400 for a body that lacks a field or has a wrong one, naming it."""
    return AzureError(400, "InvalidRequestContent", message, target=target)


def not_found(resource_id: ResourceId) -> AzureError:
    """The refusal of a resource that does not exist, 404, in the resource manager's words."""
    if resource_id.type.lower() == GROUP_TYPE.lower():
        return AzureError(404, "ResourceGroupNotFound", f"Resource group '{resource_id.name}' could not be found.")
    group = resource_id.group.rsplit("/", 1)[-1]
    where = f" under resource group '{group}'" if group else ""
    return AzureError(
        404,
        "ResourceNotFound",
        f"The Resource '{resource_id.type}/{'/'.join(resource_id.names)}'{where} was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def normal_location(location: str) -> str:
    """`East US 2` and `eastus2` are the same region."""
    return location.replace(" ", "").lower()
