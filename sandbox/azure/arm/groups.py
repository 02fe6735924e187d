"""Microsoft.Resources: resource groups, and what is listed above and across them."""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from starlette.responses import Response

from sandbox.azure.arm.core import GROUP_TYPE, Body, Call, ResourceType, not_found, parse_id
from sandbox.azure.arm.filters import FIELDS, holds, parse_terms
from sandbox.azure.arm.operations import accepted
from sandbox.azure.arm.regions import REGIONS
from sandbox.azure.arm.resources import Resources, Route, route
from sandbox.azure.arm.tags import tags_of
from sandbox.azure.front.errors import AzureError


class ResourceGroup(ResourceType):
    """`Microsoft.Resources/subscriptions/resourceGroups`, shown as `Microsoft.Resources/resourceGroups`."""

    type = GROUP_TYPE
    # learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    name_pattern = re.compile(r"[\w.()-]{0,89}[\w()-]")
    name_error = (
        "InvalidResourceGroupName",
        "The provided resource group name '{name}' is not valid: at most 90 letters, digits, '-', '_', '.', '(' or "
        "')', "
        "and no '.' at the end.",
    )

    def canonical_id(self, parent: str, name: str) -> str:
        """The group's id, which unlike others names no resource provider."""
        return f"{parent}/resourceGroups/{name}"

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Keeps location, tags and `managedBy`: a group has nothing else."""
        given = {part: call.body[part] for part in ("location", "tags", "managedBy") if call.body.get(part) is not None}
        return {**given, "properties": {"provisioningState": "Succeeded"}}

    def present(self, call: Call, resource: Body) -> Body:
        """Writes the type as answers have it; actions name it differently."""
        return {**resource, "type": "Microsoft.Resources/resourceGroups"}

    def listed(self, call: Call, groups: list[Body]) -> Body:
        """Filters by tag."""
        terms = parse_terms(call.query.get("$filter", ""), ("tagName", "tagValue"))
        return {"value": [self.present(call, group) for group in groups if holds(terms, group)]}

    def delete_response(self, call: Call, resource: Body | None) -> Response:
        """Answers 202; a missing group is an error, unlike a missing resource."""
        if resource is None:
            raise not_found(call.id)
        return accepted(call)


def _subscription(call: Call, subscription: Body) -> Body:
    tags = tags_of(call.cloud, f"/subscriptions/{subscription['id']}")
    return {
        **({"tags": tags} if tags else {}),
        "id": f"/subscriptions/{subscription['id']}",
        "subscriptionId": subscription["id"],
        "tenantId": call.cloud.seed["tenantId"],
        "displayName": subscription["name"],
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "spendingLimit": "Off"},
    }


def _subscriptions(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """The subscriptions in which the caller has any role."""
    seed = call.cloud.seed
    seen = call.cloud.access.scopes(call.caller.object_id)
    return {
        "value": [
            _subscription(call, subscription)
            for subscription in seed["subscriptions"]
            if any(_touches(scope, f"/subscriptions/{subscription['id']}/") for scope in seen)
        ]
    }


def _touches(scope: str, subscription: str) -> bool:
    return scope.startswith(subscription.lower()) or subscription.lower().startswith(scope)


def _one_subscription(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    for subscription in _subscriptions(resources, call, match)["value"]:
        if subscription["subscriptionId"].lower() == match["subscription"].lower():
            return dict(subscription)
    call.authorize("Microsoft.Resources/subscriptions/read", call.id.text)
    raise AzureError(404, "SubscriptionNotFound", f"The subscription '{match['subscription']}' could not be found.")


def _locations(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    call.authorize("Microsoft.Resources/subscriptions/locations/read", f"/subscriptions/{call.subscription}")
    return {
        "value": [
            {
                "id": f"/subscriptions/{call.subscription}/locations/{name}",
                "name": name,
                "type": "Region",
                "displayName": shown,
                "regionalDisplayName": shown,
                "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
            }
            for name, shown in REGIONS.items()
        ]
    }


def _tenants(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    seed = call.cloud.seed
    return {
        "value": [
            {
                "id": f"/tenants/{seed['tenantId']}",
                "tenantId": seed["tenantId"],
                "displayName": seed["domain"],
                "defaultDomain": seed["domain"],
                "domains": [seed["domain"]],
                "tenantCategory": "Home",
            }
        ]
    }


@cache
def api_versions() -> dict[str, list[str]]:
    """The API versions of each resource type, newest first; `make generate` writes the file."""
    text = files("sandbox.azure.arm").joinpath("apiversions.json").read_text(encoding="utf-8")
    versions: dict[str, list[str]] = json.loads(text)
    return versions


def _provider(resources: Resources, call: Call, namespace: str) -> Body:
    types = [
        kind.type.split("/", 1)[1] for kind in resources.registry.types.values() if kind.type.split("/")[0] == namespace
    ]
    versions = api_versions()
    shown = [
        {
            "resourceType": resource_type.removeprefix("subscriptions/"),
            "locations": list(REGIONS.values()),
            "apiVersions": versions.get(f"{namespace}/{resource_type}", []),
        }
        for resource_type in sorted(types)
    ]
    return {
        "id": f"/subscriptions/{call.subscription}/providers/{namespace}",
        "namespace": namespace,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": shown,
    }


def _providers(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    call.authorize("Microsoft.Resources/subscriptions/providers/read", f"/subscriptions/{call.subscription}")
    return {
        "value": [_provider(resources, call, namespace) for namespace in sorted(resources.registry.providers.values())]
    }


def _one_provider(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """The provider; POST to `register` answers the same, since all are registered."""
    namespace = resources.registry.providers.get(match["namespace"].lower())
    if namespace is None:
        text = f"The resource namespace '{match['namespace']}' is invalid."
        raise AzureError(404, "InvalidResourceNamespace", text)
    call.authorize("Microsoft.Resources/subscriptions/providers/read", f"/subscriptions/{call.subscription}")
    return _provider(resources, call, namespace)


def _resources(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """All top-level resources of the subscription or group that the caller may read; `$filter`, `$top`."""
    scope = call.id.text.rpartition("/")[0]
    if call.id.key.split("/")[3] == "resourcegroups":
        group = parse_id(scope)
        call.authorize("Microsoft.Resources/subscriptions/resourceGroups/read", scope)
        if call.resource(scope) is None:
            raise not_found(group)
    terms = parse_terms(call.query.get("$filter", ""), FIELDS)
    listed = []
    for resource in call.cloud.store.list("resource", scope.lower() + "/"):
        kind = resources.registry.find(resource["type"])
        top_level = kind.tracked and kind.type != GROUP_TYPE and resource["type"].count("/") == 1
        if top_level and holds(terms, resource) and call.may(f"{kind.type}/read", resource["id"]):
            parts = ("id", "name", "type", "kind", "location", "sku", "identity", "managedBy", "tags")
            listed.append({part: resource[part] for part in parts if part in resource})
    return {"value": listed[: _top(call)]}


def _top(call: Call) -> int | None:
    text = call.query.get("$top")
    if text is None:
        return None
    if not text.isdigit() or int(text) == 0:
        raise AzureError(
            400, "InvalidTopParameter", f"The $top value '{text}' is not a positive number.", target="$top"
        )
    return int(text)


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [ResourceGroup()]


def routes() -> list[Route]:
    """Subscriptions, tenants, regions, providers, and resources across groups."""
    subscription = "/subscriptions/{subscription}"
    return [
        route("GET", "/subscriptions", _subscriptions),
        route("GET", subscription, _one_subscription),
        route("GET", f"{subscription}/locations", _locations),
        route("GET", "/tenants", _tenants),
        route("GET", f"{subscription}/providers", _providers),
        route("GET", subscription + "/providers/{namespace}", _one_provider),
        route("POST", subscription + "/providers/{namespace}/register", _one_provider),
        route("GET", f"{subscription}/resources", _resources),
        route("GET", subscription + "/resourcegroups/{group}/resources", _resources),
    ]
