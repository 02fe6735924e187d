"""Runs the program, or a part of it, against a resource monitor in the same process and records what it registers.

There is no engine and no provider here: these are tests of what the program asks for. Ids have Azure's form, so that
what the program derives from ids can be checked.
"""

import asyncio
import contextvars
import json
import logging
import runpy
import sys
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import yaml
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc
from pulumi.runtime import settings as runtime_settings
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_in_stack

ROOT = Path(__file__).resolve().parents[2]
SUBSCRIPTION = "8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"

SECRET_MARK_KEY = "4dabf18193072939515e22adb298388d"
SECRET_MARK = "1b47061264138c4ac30d75fd1eb44270"
"""How Pulumi marks a secret on the wire."""

_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{{resourceGroupName}}"
_STORAGE = f"{_GROUP}/providers/Microsoft.Storage/storageAccounts/{{accountName}}"
_NETWORK = f"{_GROUP}/providers/Microsoft.Network"
_ML = f"{_GROUP}/providers/Microsoft.MachineLearningServices/workspaces/{{workspaceName}}"
IDS = {
    "resources:ResourceGroup": _GROUP,
    "storage:StorageAccount": _STORAGE,
    "storage:BlobContainer": f"{_STORAGE}/blobServices/default/containers/{{containerName}}",
    "storage:BlobServiceProperties": f"{_STORAGE}/blobServices/{{blobServicesName}}",
    "storage:FileShare": f"{_STORAGE}/fileServices/default/shares/{{shareName}}",
    "storage:ManagementPolicy": f"{_STORAGE}/managementPolicies/{{managementPolicyName}}",
    "keyvault:Key": f"{_GROUP}/providers/Microsoft.KeyVault/vaults/{{vaultName}}/keys/{{keyName}}",
    "keyvault:Secret": f"{_GROUP}/providers/Microsoft.KeyVault/vaults/{{vaultName}}/secrets/{{secretName}}",
    "keyvault:Vault": f"{_GROUP}/providers/Microsoft.KeyVault/vaults/{{vaultName}}",
    "containerregistry:Registry": f"{_GROUP}/providers/Microsoft.ContainerRegistry/registries/{{registryName}}",
    "operationalinsights:Workspace": f"{_GROUP}/providers/Microsoft.OperationalInsights/workspaces/{{workspaceName}}",
    "applicationinsights:Component": f"{_GROUP}/providers/Microsoft.Insights/components/{{resourceName}}",
    "managedidentity:UserAssignedIdentity": (
        f"{_GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{{resourceName}}"
    ),
    "authorization:ManagementLockByScope": "{scope}/providers/Microsoft.Authorization/locks/{lockName}",
    "authorization:PolicyDefinition": (
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/policyDefinitions/{{policyDefinitionName}}"
    ),
    "authorization:PolicyAssignment": (
        "{scope}/providers/Microsoft.Authorization/policyAssignments/{policyAssignmentName}"
    ),
    "network:VirtualNetwork": f"{_NETWORK}/virtualNetworks/{{virtualNetworkName}}",
    "network:NetworkSecurityGroup": f"{_NETWORK}/networkSecurityGroups/{{networkSecurityGroupName}}",
    "network:PrivateEndpoint": f"{_NETWORK}/privateEndpoints/{{privateEndpointName}}",
    "network:PrivateDnsZoneGroup": (
        f"{_NETWORK}/privateEndpoints/{{privateEndpointName}}/privateDnsZoneGroups/{{privateDnsZoneGroupName}}"
    ),
    "privatedns:PrivateZone": f"{_NETWORK}/privateDnsZones/{{privateZoneName}}",
    "privatedns:VirtualNetworkLink": (
        f"{_NETWORK}/privateDnsZones/{{privateZoneName}}/virtualNetworkLinks/{{virtualNetworkLinkName}}"
    ),
    "machinelearningservices:ManagedNetworkSettingsRule": f"{_ML}/outboundRules/{{ruleName}}",
    "monitor:DiagnosticSetting": "{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}",
    "consumption:Budget": "{scope}/providers/Microsoft.Consumption/budgets/{budgetName}",
    "authorization:RoleDefinition": "{scope}/providers/Microsoft.Authorization/roleDefinitions/{roleDefinitionId}",
    "authorization:RoleAssignment": "{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
    "machinelearningservices:Registry": (
        f"{_GROUP}/providers/Microsoft.MachineLearningServices/registries/{{registryName}}"
    ),
    "machinelearningservices:Workspace": _ML,
    "machinelearningservices:Compute": f"{_ML}/computes/{{computeName}}",
    "machinelearningservices:Datastore": f"{_ML}/datastores/{{name}}",
}


def principal_id(name: str) -> str:
    """The object id that the harness's Entra gives somebody."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


@dataclass(frozen=True)
class Registered:
    """One resource as the program registered it, inputs in wire names."""

    type: str
    name: str
    urn: str
    inputs: dict[str, Any]
    parent: str
    dependencies: frozenset[str]
    request: Any

    @property
    def id(self) -> str:
        return IDS[self.type.removeprefix("azure-native:")].format(**self.inputs)


@dataclass
class Run:
    """What a run of the program did."""

    resources: list[Registered] = field(default_factory=list)
    invokes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    component_outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def of(self, type_: str) -> list[Registered]:
        return [resource for resource in self.resources if resource.type.endswith(f":{type_}")]

    def one(self, type_: str, **inputs: Any) -> Registered:
        [found] = [r for r in self.of(type_) if all(r.inputs.get(key) == value for key, value in inputs.items())]
        return found

    def before(self, resource: Registered) -> set[str]:
        """URNs of all that exists before a resource: its parent and dependencies, and theirs."""
        by_urn = {r.urn: r for r in self.resources}
        seen: set[str] = set()
        todo = {resource.parent, *resource.dependencies}
        while todo:
            urn = todo.pop()
            if urn not in seen and urn in by_urn:
                seen.add(urn)
                todo |= {by_urn[urn].parent, *by_urn[urn].dependencies}
        return seen


class Monitor(mocks.MockMonitor):
    """Answers registrations as Azure's resource manager would."""

    def __init__(self, run: Run, *, preview: bool, changes: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(_NoMocks())
        self.run = run
        self.preview = preview
        self._changes = changes

    def RegisterResource(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
        self.run.resources.append(
            Registered(
                request.type, request.name, urn, inputs, request.parent, frozenset(request.dependencies), request
            )
        )
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn, object=request.object)
        if self.preview:
            return resource_pb2.RegisterResourceResponse(urn=urn, object=_previewed(request.object))
        id_, outputs = self._create(request.type.removeprefix("azure-native:"), request.name, inputs)
        response = resource_pb2.RegisterResourceResponse(urn=urn, id=id_)
        json_format.ParseDict({**outputs, **self._changes.get(request.name, {})}, response.object)
        return response

    def _create(self, type_: str, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if "/" in type_:  # Entra's
            secret = {SECRET_MARK_KEY: SECRET_MARK, "value": "a secret"}
            ids = {"objectId": principal_id(name), "clientId": principal_id(f"client {name}")}
            return name, {**inputs, **ids, "value": secret}
        id_ = IDS.get(type_, f"{_GROUP}/providers/{type_}/{name}").format_map(_Named(inputs, name))
        outputs = {**inputs, "name": id_.rsplit("/", 1)[1]}
        if isinstance(identity := inputs.get("identity"), dict):
            outputs["identity"] = {
                **identity,
                "userAssignedIdentities": {i: {} for i in identity.get("userAssignedIdentities", ())},
            }
        if type_ == "managedidentity:UserAssignedIdentity":
            outputs["principalId"] = principal_id(inputs.get("resourceName", name))
        if type_ == "machinelearningservices:Workspace":
            outputs["mlFlowTrackingUri"] = f"azureml://{inputs.get('location')}.api.azureml.ms/mlflow/v1.0{id_}"
        return id_, outputs

    def Invoke(self, request: Any) -> Any:
        args = rpc.deserialize_properties(request.args)
        self.run.invokes.append((request.tok, args))
        found = {
            "tenantId": TENANT,
            "subscriptionId": SUBSCRIPTION,
            "properties": {"enablePurgeProtection": True},
            "principalId": principal_id(args.get("resourceName", "")),
            "objectId": principal_id(json.dumps(args, sort_keys=True)),
            "identity": {
                "type": "SystemAssigned",
                "principalId": principal_id(args.get("computeName") or args.get("workspaceName", "")),
            },
        }
        response = resource_pb2.ResourceInvokeResponse()
        json_format.ParseDict(found, getattr(response, "return"))
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:
        outputs = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        if request.urn.split("::")[2] == "pulumi:pulumi:Stack":
            self.run.outputs = outputs
        else:
            self.run.component_outputs[request.urn] = outputs
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


def _previewed(inputs: Any) -> Any:
    """The outputs of a preview: the inputs, but for identities, which Azure answers in another form."""
    outputs = type(inputs)()
    outputs.CopyFrom(inputs)
    if "identity" in outputs:
        outputs["identity"] = rpc.UNKNOWN
    return outputs


class _Named(dict[str, Any]):
    """Inputs, in which what has no name has one that azure-native makes up."""

    def __init__(self, inputs: Mapping[str, Any], name: str) -> None:
        super().__init__(inputs)
        self._name = name

    def __missing__(self, key: str) -> str:
        return f"{self._name}5d1c3c7a"


class _NoMocks(pulumi.runtime.Mocks):
    def new_resource(self, args: Any) -> Any:
        raise AssertionError

    def call(self, args: Any) -> Any:
        raise AssertionError


def run_function(
    function: Callable[[], Any],
    *,
    config: Mapping[str, str] | None = None,
    stack: str = "dev",
    preview: bool = False,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
) -> Run:
    """Run a function as a Pulumi program.

    Args:
        function: Registers resources.
        config: The stack's configuration.
        stack: Its name.
        preview: Whether nothing exists yet, so that ids and computed outputs are unknown.
        changes: What a resource of that name answers otherwise than asked.
    """
    run = Run()
    monitor = Monitor(run, preview=preview, changes=changes or {})
    contextvars.Context().run(_run, function, monitor, dict(config or {}), stack)
    return run


def _run(function: Callable[[], Any], monitor: "Monitor", config: dict[str, str], stack: str) -> None:
    logger = logging.Logger("program")
    logger.addHandler(_Keep(monitor.run.warnings))
    runtime_settings.ROOT.set(None)
    features = set(monitor.GetDeploymentInfo(None).supportedFeatures)  # type: ignore[no-untyped-call]
    runtime_settings.configure(
        mocks.MockSettings(  # type: ignore[no-untyped-call]
            monitor=monitor,
            monitor_features=features,
            engine=mocks.MockEngine(logger),
            project="azureml-platform",
            stack=stack,
            dry_run=monitor.preview,
            organization="organization",
            callbacks=None,
        )
    )
    pulumi.runtime.set_all_config(config)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_exception_handler(lambda *_: None)
    executor = ThreadPoolExecutor(2)
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(run_in_stack(function))
    finally:
        executor.shutdown()
        loop.close()


class _Keep(logging.Handler):
    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self._messages.append(record.getMessage())


def stack_file(stack: str) -> Any:
    """The department in a committed stack file."""
    content = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    return content["config"]["azureml-platform:department"]


def run_program(department: Any, *, stack: str = "dev", preview: bool = False) -> Run:
    """Run `__main__.py` with a department's settings, as the stack file has them."""

    def program() -> None:
        sys.path.insert(0, str(ROOT))
        try:
            runpy.run_path(str(ROOT / "__main__.py"))
        finally:
            sys.path.remove(str(ROOT))

    config = {} if department is None else {"azureml-platform:department": json.dumps(department)}
    return run_function(program, config=config, stack=stack, preview=preview)
