"""Makes the resources that stack files use and do not make in the throw-away sandbox.

`python -m review.existing JSON` is run in the environment of the sandbox's owner.

The resources are as bare as they can be: of another's virtual network, registry or vault, a review knows the id alone.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from operations.resourcemanager import AzureRefusedError, Send, body_of, signed_in

_GROUP: Final = "2024-03-01"
_BODIES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "microsoft.network/privatednszones": ("2024-06-01", {"location": "global"}),
    "microsoft.containerregistry/registries": ("2023-07-01", {"sku": {"name": "Premium"}}),
    "microsoft.operationalinsights/workspaces": ("2023-09-01", {"properties": {"sku": {"name": "PerGB2018"}}}),
    "microsoft.insights/components": ("2020-02-02", {"kind": "web", "properties": {"Application_Type": "web"}}),
    "microsoft.managedidentity/userassignedidentities": ("2023-01-31", {}),
    "microsoft.storage/storageaccounts": (
        "2024-01-01",
        {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {"isHnsEnabled": True}},
    ),
    "microsoft.keyvault/vaults": (
        "2024-11-01",
        {
            "properties": {
                "sku": {"family": "A", "name": "standard"},
                "enableRbacAuthorization": True,
                "enablePurgeProtection": True,
            }
        },
    ),
    "microsoft.keyvault/vaults/keys": ("2024-11-01", {"properties": {"kty": "RSA"}}),
}
"""By type in lower case: API version, and the body without the region."""
_NETWORKS: Final = "microsoft.network/virtualnetworks"


def make(wanted: Mapping[str, str], send: Send, tenant: str) -> Iterator[str]:
    """Make resources.

    Args:
        wanted: Their ids, each with its region.
        send: The resource manager.
        tenant: The tenant's id.

    Yields:
        A sentence for each that cannot be made.
    """
    for id_, region in sorted(_with_parents(wanted).items(), key=lambda item: item[0].count("/")):
        if _type(id_) == f"{_NETWORKS}/subnets":
            continue  # its network has it
        api, body = _body(id_, region, tenant, wanted)
        if not api:
            yield f"{id_} is of a type that the review cannot make in the sandbox"
            continue
        try:
            body_of(send("PUT", f"{id_}?api-version={api}", body))
        except AzureRefusedError as error:
            yield f"{id_} cannot be made in the sandbox: {error}"


def _with_parents(wanted: Mapping[str, str]) -> dict[str, str]:
    """The resources with their groups, and with those that they are part of."""
    found: dict[str, str] = {}
    for id_, region in wanted.items():
        parts = id_.split("/")
        for length in (5, *range(9, len(parts) + 1, 2)):
            found.setdefault("/".join(parts[:length]), region)
    return found


def _type(id_: str) -> str:
    """The type in lower case, such as `microsoft.keyvault/vaults/keys`; empty for a resource group."""
    parts = id_.lower().split("/")
    return "/".join([parts[6], *parts[7::2]]) if len(parts) > 6 else ""  # noqa: PLR2004 # where the provider is


def _body(id_: str, region: str, tenant: str, wanted: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    kind = _type(id_)
    if not kind:
        return _GROUP, {"location": region}
    if kind == _NETWORKS:
        names = sorted(one.rpartition("/")[2] for one in wanted if one.lower().startswith(f"{id_.lower()}/subnets/"))
        subnets = [{"name": name, "properties": {"addressPrefix": f"10.255.{i}.0/24"}} for i, name in enumerate(names)]
        properties = {"addressSpace": {"addressPrefixes": ["10.255.0.0/16"]}, "subnets": subnets}
        return "2024-05-01", {"location": region, "properties": properties}
    api, given = _BODIES.get(kind, ("", {}))
    body: dict[str, Any] = {"location": region, **json.loads(json.dumps(given))}
    if kind == "microsoft.keyvault/vaults":
        body["properties"]["tenantId"] = tenant
    return api, body


def main() -> int:
    """Make what the first argument names; exit code 1 if anything cannot be made."""
    wrong = list(make(json.loads(sys.argv[1]), signed_in(), os.environ["AZURE_TENANT_ID"]))
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")  # noqa: T201 # for the review that asked
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
