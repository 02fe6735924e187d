"""Microsoft.Storage's file service and its shares, as the resource manager keeps them; their files are not emulated.

Source: learn.microsoft.com/rest/api/storagerp/file-shares, storage.json 2024-01-01.
"""

import copy
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.azure import clock
from sandbox.azure.arm.core import Body, Call, ResourceId, ResourceType, Rule, properties_of
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError

ACCOUNTS = "Microsoft.Storage/storageAccounts"
LARGEST, LARGEST_LARGE = 5120, 102400  # GiB, without and with large file shares
FIXED = ("enabledProtocols",)


class FileService(ResourceType):
    """`…/fileServices/default`, there from the account's beginning."""

    type = f"{ACCOUNTS}/fileServices"
    tracked = False
    name_pattern = re.compile("default")
    create_status = 200

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """The stored properties, or the defaults where nothing was set."""
        account = cloud.store.get("resource", resource_id.parent.lower())
        if account is None or resource_id.name.lower() != "default":
            return None
        made = {
            "id": self.canonical_id(account["id"], "default"),
            "name": "default",
            "type": self.type,
            "properties": {"shareDeleteRetentionPolicy": {"enabled": True, "days": 7}},
        }
        return super().find(cloud, resource_id) or made


class FileShare(ResourceType):
    """`…/fileServices/default/shares`."""

    type = f"{ACCOUNTS}/fileServices/shares"
    absent = ("ShareNotFound", "The specified share does not exist.")
    tracked = False
    name_pattern = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
    name_error = ("InvalidResourceName", "The specified share name '{name}' is invalid.")
    invalid_value = "InvalidValuesForRequestParameters"
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.accessTier": frozenset({"TransactionOptimized", "Hot", "Cool", "Premium"}),
        "properties.enabledProtocols": frozenset({"SMB", "NFS"}),
        "properties.shareQuota": int,
        "properties.metadata": dict,
    }

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses what the account cannot hold, and what is fixed when a share is made."""
        sent, before = properties_of(call.body), properties_of(old or {})
        account = call.resource(call.id.parent.rsplit("/", 2)[0]) or {}
        large = properties_of(account).get("largeFileSharesState") == "Enabled"
        most, quota = LARGEST_LARGE if large else LARGEST, sent.get("shareQuota")
        if quota is not None and not 0 < quota <= most:
            raise _invalid("shareQuota", f"The share quota {quota} is not between 1 and {most} GiB.")
        if sent.get("enabledProtocols") == "NFS" and not str((account.get("sku") or {}).get("name")).startswith("Prem"):
            raise _invalid("enabledProtocols", "NFS shares need a premium file account.")
        for name in FIXED if old else ():
            if sent.get(name, before[name]) != before[name]:
                raise _invalid(name, f"The property '{name}' was set at creation and cannot be changed.")

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds the service's defaults."""
        now = clock.now().isoformat()
        defaults = {"shareQuota": LARGEST, "accessTier": "TransactionOptimized", "enabledProtocols": "SMB"}
        sent = {name: value for name, value in properties_of(copy.deepcopy(call.body)).items() if value is not None}
        tier = sent.get("accessTier", properties_of(old or {}).get("accessTier", defaults["accessTier"]))
        own = {"lastModifiedTime": now, "accessTier": tier, "leaseState": "Available", "leaseStatus": "Unlocked"}
        return {"properties": {**defaults, **sent, **own}}


def _invalid(name: str, text: str) -> AzureError:
    return AzureError(400, "InvalidValuesForRequestParameters", text, target=f"properties.{name}")


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [FileService(), FileShare()]
