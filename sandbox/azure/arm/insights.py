"""Microsoft.Insights: Application Insights components, diagnostic settings. Nothing is ingested."""

import copy
import re
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.azure import clock
from sandbox.azure.arm.core import Body, Call, ResourceId, ResourceType, Rule, invalid, parse_id, properties_of
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError

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
        """Requires that the Log Analytics workspace exists."""
        workspace = properties_of(call.body).get("WorkspaceResourceId")
        if workspace and call.resource(workspace) is None:
            raise invalid("properties.WorkspaceResourceId", f"The workspace '{workspace}' was not found.")

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds keys, the connection string and the defaults."""
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
            "CreationDate": before.get("CreationDate") or clock.now().isoformat(),
            "TenantId": call.subscription,
            "provisioningState": "Succeeded",
        }
        return {
            "location": region,
            "tags": call.body.get("tags") or {},
            "kind": call.body["kind"],
            "properties": properties,
        }


# Categories of logs by type: learn.microsoft.com/azure/azure-monitor/reference/logs-index. A storage account itself has
# none, its services have.
LOGS: dict[str, frozenset[str]] = {
    "microsoft.storage/storageaccounts": frozenset(),
    "microsoft.storage/storageaccounts/blobservices": frozenset({"StorageRead", "StorageWrite", "StorageDelete"}),
    "microsoft.keyvault/vaults": frozenset({"AuditEvent", "AzurePolicyEvaluationDetails"}),
    "microsoft.containerregistry/registries": frozenset(
        {"ContainerRegistryLoginEvents", "ContainerRegistryRepositoryEvents"}
    ),
    "microsoft.machinelearningservices/workspaces": frozenset(
        {
            "AmlComputeClusterEvent",
            "AmlComputeClusterNodeEvent",
            "AmlComputeCpuGpuUtilization",
            "AmlComputeJobEvent",
            "AmlRunStatusChangedEvent",
            "ComputeInstanceEvent",
            "DataLabelChangeEvent",
            "DataLabelReadEvent",
            "DataSetChangeEvent",
            "DataSetReadEvent",
            "DataStoreChangeEvent",
            "DataStoreReadEvent",
            "DeploymentEventACI",
            "DeploymentEventAKS",
            "DeploymentReadEvent",
            "EnvironmentChangeEvent",
            "EnvironmentReadEvent",
            "InferencingOperationACI",
            "InferencingOperationAKS",
            "ModelsActionEvent",
            "ModelsChangeEvent",
            "ModelsReadEvent",
            "PipelineChangeEvent",
            "PipelineReadEvent",
            "RunEvent",
            "RunReadEvent",
        }
    ),
}
SINKS = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")
MOST_SETTINGS = 5  # a resource; learn.microsoft.com/azure/azure-monitor/essentials/diagnostic-settings


class DiagnosticSetting(ResourceType):
    """`Microsoft.Insights/diagnosticSettings`, an extension; it outlives its resource, for the next one of that id."""

    type = "Microsoft.Insights/diagnosticSettings"
    tracked = False
    kind = "diagnosticSetting"
    outlives_parent = True
    create_status = 200
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.workspaceId": str,
        "properties.storageAccountId": str,
        "properties.logs": list,
        "properties.metrics": list,
        "properties.logAnalyticsDestinationType": str,
    }

    def validate(self, call: Call, old: Body | None) -> None:
        """Requires a sink and known categories; a sink gets a category only once."""
        body = properties_of(call.body)
        sinks = [body[name].lower() for name in SINKS if body.get(name)]
        if not sinks:
            raise BareError(400, "BadRequest", "At least one data sink needs to be specified.")
        for name in ("workspaceId", "storageAccountId"):
            if body.get(name) and call.resource(body[name]) is None:
                raise BareError(404, "ResourceNotFound", f"The resource '{body[name]}' of '{name}' was not found.")
        wanted = _categories(body, parse_id(call.id.parent).type)
        others = [setting for setting in self._of(call) if setting["id"].lower() != call.id.key]
        if old is None and len(others) >= MOST_SETTINGS:
            raise BareError(409, "Conflict", f"The limit of {MOST_SETTINGS} diagnostic settings was reached.")
        for other in others:
            theirs = properties_of(other)
            for sink in sinks:
                shared = wanted & _categories(theirs, parse_id(call.id.parent).type)
                if shared and sink in [theirs[name].lower() for name in SINKS if theirs.get(name)]:
                    raise BareError(
                        409,
                        "Conflict",
                        f"Data sink '{sink}' is already used in diagnostic setting '{other['name']}' for category "
                        f"'{min(shared)}'. Data sinks can't be reused in different settings on the same category for "
                        "the "
                        "same resource.",
                    )

    def _of(self, call: Call) -> list[Body]:
        return list(call.cloud.store.list(self.kind, call.id.key.rpartition("/")[0] + "/"))

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds empty lists where the body has none."""
        return {"properties": {"logs": [], "metrics": [], **copy.deepcopy(properties_of(call.body))}}


class DiagnosticCategory(ResourceType):
    """`Microsoft.Insights/diagnosticSettingsCategories`: what a resource can send."""

    type = "Microsoft.Insights/diagnosticSettingsCategories"
    tracked = False
    methods = frozenset({"GET"})

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """The category of this name."""
        categories = self.below(cloud, resource_id.key.rpartition("/")[0] + "/")
        return next((entry for entry in categories if entry["name"].lower() == resource_id.name.lower()), None)

    def below(self, cloud: Cloud, prefix: str) -> list[Body]:
        """The categories of the resource: its logs, and all metrics."""
        scope = prefix.partition("/providers/microsoft.insights/")[0]
        logs = sorted(LOGS.get(parse_id(scope).type.lower(), ()))
        named = [*((name, "Logs") for name in logs), ("AllMetrics", "Metrics")]
        return [
            {
                "id": f"{scope}/providers/{self.type}/{name}",
                "name": name,
                "type": self.type,
                "properties": {"categoryType": kind, "categoryGroups": ["allLogs"] if kind == "Logs" else []},
            }
            for name, kind in named
        ]


def _categories(body: Body, resource_type: str) -> set[str]:
    """The categories that the enabled entries send.

    Raises:
        BareError: 400, for what the type does not have.
    """
    known, enabled = LOGS.get(resource_type.lower()), set()
    for part in ("logs", "metrics"):
        for entry in body.get(part) or ():
            category, group = entry.get("category"), entry.get("categoryGroup")
            if part == "logs" and known is not None and not (category in known or (known and group)):
                raise BareError(400, "BadRequest", f"Category '{category or group}' is not supported.")
            if entry.get("enabled"):
                enabled.add(str(category or group))
    return enabled


class BareError(AzureError):
    """A refusal whose body has no `error` around it, as diagnostic settings send them."""

    def body(self) -> Body:
        """Builds the error's JSON."""
        return {"code": self.code, "message": self.message}


def _connection_string(key: str, app: str, region: str) -> str:
    parts = {
        "InstrumentationKey": key,
        "IngestionEndpoint": f"https://{region}-0.in.applicationinsights.azure.com/",
        "LiveEndpoint": f"https://{region}.livediagnostics.monitor.azure.com/",
        "ApplicationId": app,
    }
    return ";".join(f"{name}={value}" for name, value in parts.items())


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [Component(), DiagnosticSetting(), DiagnosticCategory()]
