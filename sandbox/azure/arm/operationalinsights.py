"""Microsoft.OperationalInsights: Log Analytics workspaces. Nothing is ingested."""

import base64
import copy
import re
import secrets
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.azure import clock
from sandbox.azure.arm.core import Action, Body, Call, ResourceType, Rule, properties_of
from sandbox.azure.front.errors import AzureError

RETENTION = range(
    30, 731
)  # days that can be chosen; learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure
KEYS = "logWorkspaceKeys"  # store's kind, by lowercased id
KEY_BYTES = 64
SWITCH = frozenset({"Enabled", "Disabled"})


class LogWorkspace(ResourceType):
    """`Microsoft.OperationalInsights/workspaces`."""

    type = "Microsoft.OperationalInsights/workspaces"
    name_pattern = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]")
    name_error = (
        "InvalidWorkspaceName",
        "The workspace name '{name}' is invalid: 4 to 63 letters, digits or '-', the '-' not first or last.",
    )
    invalid_value = "InvalidParameter"
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.sku.name": frozenset(
            {"PerGB2018", "Free", "Standalone", "PerNode", "Standard", "Premium", "CapacityReservation", "LACluster"}
        ),
        "properties.retentionInDays": int,
        "properties.publicNetworkAccessForIngestion": SWITCH,
        "properties.publicNetworkAccessForQuery": SWITCH,
    }

    @property
    def actions(self) -> dict[str, Action]:
        """The actions on keys."""
        return {"sharedkeys": _shared_keys, "regeneratesharedkey": _regenerate}

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses a retention that the tier does not offer."""
        body = properties_of(call.body)
        days, sku = body.get("retentionInDays"), (body.get("sku") or {}).get("name", "PerGB2018")
        if days is not None and sku.lower() != "free" and days not in RETENTION:
            raise AzureError(
                400,
                "InvalidParameter",
                f"'RetentionInDays' property doesn't match the SKU limits: {days} is not between 30 and 730.",
                target="properties.retentionInDays",
            )

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds the customer id, the defaults and the dates."""
        sent, before = copy.deepcopy(properties_of(call.body)), properties_of(old or {})
        now = clock.now().isoformat()
        made = before.get("createdDate") or now
        properties = {
            "retentionInDays": 30,
            "features": {"enableLogAccessUsingOnlyResourcePermissions": True},
            "workspaceCapping": {"dailyQuotaGb": -1.0, "dataIngestionStatus": "RespectQuota"},
            "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled",
            **{name: value for name, value in sent.items() if value is not None},
            "sku": {**(sent.get("sku") or {"name": "PerGB2018"}), "lastSkuUpdate": made},
            "customerId": before.get("customerId") or str(uuid.uuid4()),
            "createdDate": made,
            "modifiedDate": now,
            "provisioningState": "Succeeded",
        }
        return {"location": call.body["location"], "tags": call.body.get("tags") or {}, "properties": properties}


def _shared_keys(call: Call, workspace: Body) -> Body:
    """The keys with which agents send; nothing is ingested here."""
    key = workspace["id"].lower()
    keys = call.cloud.store.get(KEYS, key)
    if keys is None:
        keys = {name: _key() for name in ("primarySharedKey", "secondarySharedKey")}
        call.cloud.store.put(KEYS, key, keys)
    return keys


def _regenerate(call: Call, workspace: Body) -> Body:
    """Makes both keys anew."""
    call.cloud.store.delete(KEYS, workspace["id"].lower())
    return _shared_keys(call, workspace)


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [LogWorkspace()]
