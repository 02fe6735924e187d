"""Microsoft.Resources/tags: the tags of a subscription, a group or a resource, changed without the rest.

Source: learn.microsoft.com/rest/api/resources/tags.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import Body, Call, ResourceId, ResourceType, Rule, check_tags, invalid, properties_of
from sandbox.azure.arm.resources import Resources, Route, route
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError

SUBSCRIPTION_TAGS = "subscriptionTags"  # store's kind, by the subscription's lowercased id
NAMES = "tagName"  # store's kind of names made beforehand, by subscription and lowercased name
_SUFFIX = "/providers/microsoft.resources/tags/default"


class Tags(ResourceType):
    """`Microsoft.Resources/tags`: `default` below any scope; it exists with its scope."""

    type = "Microsoft.Resources/tags"
    tracked = False
    name_pattern = re.compile("default")
    name_error = ("InvalidTagName", "The tags resource of a scope is called 'default', not '{name}'.")
    required = ("properties.tags",)
    fields: ClassVar[Mapping[str, Rule]] = {"properties.tags": dict}
    create_status = 200

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """The tags of the scope."""
        if resource_id.name.lower() != "default":
            return None
        tags = tags_of(cloud, resource_id.parent)
        if tags is None:
            return None
        at = self.canonical_id(resource_id.parent, "default")
        return {"id": at, "name": "default", "type": self.type, "properties": {"tags": tags}}

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses tags that are not valid, and scopes that have none."""
        check_tags(properties_of(call.body)["tags"])
        if old is None:
            raise AzureError(404, "ResourceNotFound", f"The resource '{call.id.parent}' was not found, or has no tags.")

    def patch(self, call: Call, old: Body) -> Body:
        """The tags after `Merge`, `Replace` or `Delete` of the given ones."""
        before, given = old["properties"]["tags"], properties_of(call.body).get("tags") or {}
        check_tags(given)
        operation = str(call.body.get("operation")).lower()
        if operation == "merge":
            lowered = {name.lower() for name in given}
            after = {**{name: value for name, value in before.items() if name.lower() not in lowered}, **given}
        elif operation == "replace":
            after = given
        elif operation == "delete":
            gone = {name.lower(): value for name, value in given.items()}
            after = {name: value for name, value in before.items() if gone.get(name.lower(), value + "-") != value}
        else:
            raise invalid("operation", "'operation' must be one of Merge, Replace, Delete.")
        return {"properties": {"tags": after}}

    def save(self, cloud: Cloud, resource: Body) -> None:
        """Writes the tags into the scope."""
        _set_tags(cloud, resource["id"][: -len(_SUFFIX)], resource["properties"]["tags"])

    def erase(self, cloud: Cloud, resource: Body) -> None:
        """Removes all tags of the scope."""
        _set_tags(cloud, resource["id"][: -len(_SUFFIX)], {})


def tags_of(cloud: Cloud, scope: str) -> dict[str, str] | None:
    """The tags of a subscription, group or resource; None where it does not exist or takes none."""
    if scope.count("/") == 2:  # noqa: PLR2004 # /subscriptions/ID
        return dict((cloud.store.get(SUBSCRIPTION_TAGS, scope.lower()) or {"tags": {}})["tags"])
    resource = cloud.store.get("resource", scope.lower())
    return None if resource is None or "location" not in resource else resource.get("tags") or {}


def _set_tags(cloud: Cloud, scope: str, tags: dict[str, str]) -> None:
    resource = cloud.store.get("resource", scope.lower())
    if resource is None:
        cloud.store.put(SUBSCRIPTION_TAGS, scope.lower(), {"tags": tags})
    else:
        cloud.store.put("resource", scope.lower(), {**resource, "tags": tags})


def _used(call: Call) -> dict[str, dict[str, int]]:
    """By tag and value: the number of resources in the subscription that have it."""
    counts: dict[str, dict[str, int]] = {}
    for resource in call.cloud.store.list("resource", f"/subscriptions/{call.subscription}/"):
        for name, value in (resource.get("tags") or {}).items():
            values = counts.setdefault(name, {})
            values[value] = values.get(value, 0) + 1
    return counts


def _names(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """The names of tags: those in use, and those made beforehand."""
    scope = f"/subscriptions/{call.subscription}"
    call.authorize("Microsoft.Resources/subscriptions/tagNames/read", scope)
    made = {document["name"]: document["values"] for document in call.cloud.store.list(NAMES, scope + "/")}
    used = _used(call)
    return {"value": [_shown(scope, name, used.get(name, {}), made.get(name, [])) for name in sorted({*made, *used})]}


def _shown(scope: str, name: str, used: Mapping[str, int], made: list[str]) -> Body:
    at = f"{scope}/tagNames/{name}"
    return {
        "id": at,
        "tagName": name,
        "count": {"type": "Total", "value": sum(used.values())},
        "values": [
            {
                "id": f"{at}/tagValues/{value}",
                "tagValue": value,
                "count": {"type": "Total", "value": used.get(value, 0)},
            }
            for value in sorted({*made, *used})
        ],
    }


def _make_name(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """Makes a name, or a value of it."""
    scope, name = f"/subscriptions/{call.subscription}", match["tag"]
    call.authorize("Microsoft.Resources/subscriptions/tagNames/write", scope)
    value = match.groupdict().get("value")
    check_tags({name: value or ""})
    key = f"{scope}/{name}".lower()
    document = call.cloud.store.get(NAMES, key)
    if document is None and value is not None:
        raise AzureError(404, "TagNotFound", f"The tag name '{name}' was not found.")
    values = sorted({*(document or {"values": []})["values"], *([value] if value else [])})
    call.cloud.store.put(NAMES, key, {"name": name, "values": values})
    shown = _shown(scope, name, _used(call).get(name, {}), values)
    return next(entry for entry in shown["values"] if entry["tagValue"] == value) if value else shown


def _delete_name(resources: Resources, call: Call, match: re.Match[str]) -> Response:
    """Deletes a name, or a value of it, that nothing uses."""
    scope, name, value = f"/subscriptions/{call.subscription}", match["tag"], match.groupdict().get("value")
    call.authorize("Microsoft.Resources/subscriptions/tagNames/delete", scope)
    used = _used(call).get(name, {})
    if used if value is None else value in used:
        text = f"The tag '{name}' is in use and cannot be deleted."
        raise AzureError(409, "TagInUse", text)
    key = f"{scope}/{name}".lower()
    document = call.cloud.store.get(NAMES, key)
    if document is None:
        return Response(status_code=204)
    if value is None:
        call.cloud.store.delete(NAMES, key)
    else:
        left = [other for other in document["values"] if other != value]
        call.cloud.store.put(NAMES, key, {**document, "values": left})
    return JSONResponse(None)


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [Tags()]


def routes() -> list[Route]:
    """The names and values of tags in a subscription."""
    names = "/subscriptions/{subscription}/tagNames"
    return [
        route("GET", names, _names),
        route("PUT", names + "/{tag}", _make_name),
        route("DELETE", names + "/{tag}", _delete_name),
        route("PUT", names + "/{tag}/tagValues/{value}", _make_name),
        route("DELETE", names + "/{tag}/tagValues/{value}", _delete_name),
    ]
