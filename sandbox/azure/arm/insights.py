"""Microsoft.Insights: Application Insights components, diagnostic settings. Nothing is ingested."""

import copy
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from sandbox.azure.arm.core import Body, Call, ResourceType, Rule, invalid, properties_of

SWITCH = frozenset({"Enabled", "Disabled"})


class Component(ResourceType):
    """`Microsoft.Insights/components`: Application Insights."""

    type = "Microsoft.Insights/components"
    name_pattern = re.compile(r"[^%&\\?/\s]{1,255}[^%&\\?/\s.]|[^%&\\?/\s.]")
    create_status = 200
    required = ("kind",)
    fields: ClassVar[Mapping[str, Rule]] = {
        "kind": str,
        "properties.Application_Type": frozenset({"web", "other"}),
        "properties.IngestionMode": frozenset(
            {"ApplicationInsights", "ApplicationInsightsWithDiagnosticSettings", "LogAnalytics"}
        ),
        "properties.WorkspaceResourceId": str,
        "properties.publicNetworkAccessForIngestion": SWITCH,
        "properties.publicNetworkAccessForQuery": SWITCH,
        "properties.DisableLocalAuth": bool,
        "properties.RetentionInDays": int,
    }

    def validate(self, call: Call, old: Body | None) -> None:
        """The Log Analytics workspace must be there."""
        workspace = properties_of(call.body).get("WorkspaceResourceId")
        if workspace and call.resource(workspace) is None:
            raise invalid("properties.WorkspaceResourceId", f"The workspace '{workspace}' was not found.")

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Keys, connection string and defaults."""
        before = properties_of(old or {})
        key = before.get("InstrumentationKey") or str(uuid.uuid4())
        app = before.get("AppId") or str(uuid.uuid4())
        region = call.body["location"]
        sent = {name: value for name, value in copy.deepcopy(properties_of(call.body)).items() if value is not None}
        properties = {
            "Application_Type": "web",
            "Flow_Type": "Bluefield",
            "Request_Source": "rest",
            "RetentionInDays": 90,
            "IngestionMode": "LogAnalytics" if sent.get("WorkspaceResourceId") else "ApplicationInsights",
            "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled",
            **sent,
            "ApplicationId": call.id.name,
            "AppId": app,
            "Name": call.id.name,
            "InstrumentationKey": key,
            "ConnectionString": _connection_string(key, app, region),
            "CreationDate": before.get("CreationDate") or datetime.now(UTC).isoformat(),
            "TenantId": call.subscription,
            "provisioningState": "Succeeded",
            "Ver": "v2",
        }
        return {
            "location": region,
            "tags": call.body.get("tags") or {},
            "kind": call.body["kind"],
            "properties": properties,
        }


def _connection_string(key: str, app: str, region: str) -> str:
    parts = {
        "InstrumentationKey": key,
        "IngestionEndpoint": f"https://{region}-0.in.applicationinsights.azure.com/",
        "LiveEndpoint": f"https://{region}.livediagnostics.monitor.azure.com/",
        "ApplicationId": app,
    }
    return ";".join(f"{name}={value}" for name, value in parts.items())


def resource_types(cloud: Any) -> list[ResourceType]:
    """What this provider's module has."""
    return [Component()]
