"""Microsoft.Resources: resource groups, and what is listed above and across them."""

import re
from typing import Any

from starlette.responses import Response

from sandbox.azure.arm.core import GROUP_TYPE, Body, Call, ResourceType, not_found, parse_id
from sandbox.azure.arm.filters import FIELDS, holds, parse_terms
from sandbox.azure.arm.operations import accepted
from sandbox.azure.arm.regions import REGIONS
from sandbox.azure.arm.resources import Resources, Route, route
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
        """Groups lie in no provider."""
        return f"{parent}/resourceGroups/{name}"

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Location, tags and who manages it are all that a group has."""
        kept = {part: call.body[part] for part in ("location", "tags", "managedBy") if call.body.get(part) is not None}
        return {**kept, "properties": {"provisioningState": "Succeeded"}}

    def present(self, call: Call, resource: Body) -> Body:
        """The type is shown in another form than in actions."""
        return {**resource, "type": "Microsoft.Resources/resourceGroups"}

    def listed(self, call: Call, found: list[Body]) -> Body:
        """Filtered by tag."""
        terms = parse_terms(call.query.get("$filter", ""), ("tagName", "tagValue"))
        return {"value": [self.present(call, one) for one in found if holds(terms, one)]}

    def delete_response(self, call: Call, resource: Body | None) -> Response:
        """A group takes its time; an absent one is an error, unlike an absent resource."""
        if resource is None:
            raise not_found(call.id)
        return accepted(call)


def _subscription(cloud_seed: Body, one: Body) -> Body:
    return {
        "id": f"/subscriptions/{one['id']}",
        "subscriptionId": one["id"],
        "tenantId": cloud_seed["tenantId"],
        "displayName": one["name"],
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "spendingLimit": "Off"},
    }


def _subscriptions(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """Those in which the caller has any right."""
    seed = call.cloud.seed
    seen = call.cloud.access.scopes(call.caller.object_id)
    return {
        "value": [
            _subscription(seed, one)
            for one in seed["subscriptions"]
            if any(_touches(scope, f"/subscriptions/{one['id']}/") for scope in seen)
        ]
    }


def _touches(scope: str, subscription: str) -> bool:
    return scope.startswith(subscription.lower()) or subscription.lower().startswith(scope)


def _one_subscription(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    for one in _subscriptions(resources, call, match)["value"]:
        if one["subscriptionId"].lower() == match["subscription"].lower():
            return dict(one)
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


def _provider(resources: Resources, call: Call, namespace: str) -> Body:
    types = [
        one.type.split("/", 1)[1] for one in resources.registry.types.values() if one.type.split("/")[0] == namespace
    ]
    shown = [{"resourceType": one, "locations": list(REGIONS.values()), "apiVersions": []} for one in sorted(types)]
    return {
        "id": f"/subscriptions/{call.subscription}/providers/{namespace}",
        "namespace": namespace,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": shown,
    }


def _providers(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    call.authorize("Microsoft.Resources/subscriptions/providers/read", f"/subscriptions/{call.subscription}")
    return {"value": [_provider(resources, call, one) for one in sorted(resources.registry.providers.values())]}


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
    found = []
    for one in call.cloud.store.list("resource", scope.lower() + "/"):
        kind = resources.registry.find(one["type"])
        top_level = kind.tracked and kind.type != GROUP_TYPE and one["type"].count("/") == 1
        if top_level and holds(terms, one) and call.may(f"{kind.type}/read", one["id"]):
            parts = ("id", "name", "type", "kind", "location", "sku", "identity", "managedBy", "tags")
            found.append({part: one[part] for part in parts if part in one})
    return {"value": found[: _top(call)]}


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
    """What this provider's module has."""
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
