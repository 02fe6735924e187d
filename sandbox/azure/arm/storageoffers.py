"""Microsoft.Storage beside its accounts: SKUs, usage, and shared access signatures that the resource manager signs.

Source: learn.microsoft.com/rest/api/storagerp.
"""

import re
from typing import Any

from sandbox.azure.arm.core import Body, Call, invalid, normal_location, properties_of
from sandbox.azure.arm.regions import REGIONS
from sandbox.azure.arm.resources import Resources, Route, route
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.storage import accounts, sas

MOST_ACCOUNTS = 250  # in a region; learn.microsoft.com/azure/storage/common/scalability-targets-standard-account
# What the resource manager calls the parts of a token, by the token's own names.
ACCOUNT_FIELDS = {
    "ss": "signedServices",
    "srt": "signedResourceTypes",
    "sp": "signedPermission",
    "st": "signedStart",
    "se": "signedExpiry",
    "sip": "signedIp",
    "spr": "signedProtocol",
}
SERVICE_FIELDS = {
    "sr": "signedResource",
    "sp": "signedPermission",
    "st": "signedStart",
    "se": "signedExpiry",
    "si": "signedIdentifier",
    "sip": "signedIp",
    "spr": "signedProtocol",
}
RESPONSE_HEADERS = ("rscc", "rscd", "rsce", "rscl", "rsct")
_RESOURCE = re.compile(r"/blob/(?P<account>[a-z0-9]+)/(?P<container>[^/]+)(?P<blob>/.+)?")


def account_sas(call: Call, account: Body) -> Body:
    """`listAccountSas`: a token for the account."""
    fields = _fields(call.body, ACCOUNT_FIELDS, ("ss", "srt", "sp", "se"))
    text = sas.account_text(account["name"], fields)
    return {"accountSasToken": sas.token(fields, sas.sign(_key(call, account), text))}


def service_sas(call: Call, account: Body) -> Body:
    """`listServiceSas`: a token for a container or a blob."""
    fields = _fields(call.body, SERVICE_FIELDS, ("sr", "sp", "se"))
    resource = str(call.body.get("canonicalizedResource"))
    named = _RESOURCE.fullmatch(resource)
    if named is None or named["account"] != account["name"] or (fields["sr"] == "b") != bool(named["blob"]):
        text = "'canonicalizedResource' must be /blob/ACCOUNT/CONTAINER, with a blob's path where signedResource is b."
        raise invalid("canonicalizedResource", text)
    fields |= {name: str(call.body[name]) for name in RESPONSE_HEADERS if call.body.get(name)}
    text = sas.service_text(fields, resource, {}, {})
    return {"serviceSasToken": sas.token(fields, sas.sign(_key(call, account), text))}


def _fields(body: Body, names: dict[str, str], required: tuple[str, ...]) -> dict[str, str]:
    missing = next((names[name] for name in required if not body.get(names[name])), None)
    if missing is not None:
        raise invalid(missing, f"The required property '{missing}' is missing.")
    return {"sv": sas.VERSION, **{name: str(body[key]) for name, key in names.items() if body.get(key)}}


def _key(call: Call, account: Body) -> str:
    """The key that the body names; key1 without one."""
    if properties_of(account).get("allowSharedKeyAccess") is False:
        text = "Key based authentication is not permitted on this storage account."
        raise AzureError(409, "KeyBasedAuthenticationNotPermitted", text)
    names = {"key1": 0, "key2": 1}
    chosen = str(call.body.get("keyToSign") or "key1")
    if chosen not in names:
        raise invalid("keyToSign", f"The key '{chosen}' is not valid: it must be key1 or key2.")
    return accounts.keys(call.cloud, account["name"])[names[chosen]]


def _skus(skus: frozenset[str]) -> Any:
    def listed(resources: Resources, call: Call, match: re.Match[str]) -> Body:
        """The SKUs of accounts in all regions."""
        call.authorize("Microsoft.Storage/skus/read", f"/subscriptions/{call.subscription}")
        shown = [
            {
                "resourceType": "storageAccounts",
                "name": name,
                "tier": name.partition("_")[0],
                "kind": "StorageV2",
                "locations": [region],
                "capabilities": [{"name": "supportshierarchicalnamespace", "value": "true"}],
                "restrictions": [],
            }
            for region in REGIONS
            for name in sorted(skus)
        ]
        return {"value": shown}

    return listed


def _usages(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """The number of accounts that the subscription has in a region."""
    region = normal_location(match["location"])
    call.authorize("Microsoft.Storage/locations/usages/read", f"/subscriptions/{call.subscription}")
    if region not in REGIONS:
        text = f"The provided location '{region}' is not available for resource type 'storageAccounts'."
        raise AzureError(400, "LocationNotAvailableForResourceType", text)
    name = {"value": "StorageAccounts", "localizedValue": "Storage Accounts"}
    count = sum(1 for account in _accounts(call.cloud, call.subscription) if account["location"] == region)
    return {"value": [{"unit": "Count", "currentValue": count, "limit": MOST_ACCOUNTS, "name": name}]}


def _accounts(cloud: Cloud, subscription: str) -> list[Body]:
    return list(cloud.store.resources("Microsoft.Storage/storageAccounts", f"/subscriptions/{subscription}/"))


def routes(skus: frozenset[str]) -> list[Route]:
    """The routes beside the resource types, with the SKUs that accounts can have."""
    provider = "/subscriptions/{subscription}/providers/Microsoft.Storage"
    return [
        route("GET", f"{provider}/skus", _skus(skus)),
        route("GET", provider + "/locations/{location}/usages", _usages),
    ]
