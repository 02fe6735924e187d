"""What replaces a resource: azure-native's and azuread's own rules, and what the components add.

Written from the providers' documentation and sources, not from the stand-ins, which are judged by it:

- pulumi/pulumi-azure-native provider/pkg/provider/diff.go and provider/pkg/gen: every part of a resource's path
  replaces; so do the force-new map of gen/replacement.go and body properties that the specification marks create-only.
  Create-only marks on nested types never do (gen/properties.go).
- hashicorp/terraform-provider-azuread, which pulumi-azuread bridges: attributes marked ForceNew.
- `replace_on_changes` in components/: what Azure keeps as it was, or refuses, though azure-native sends an update.
"""

from collections.abc import Iterable, Mapping

REPLACED_BY: Mapping[str, frozenset[str]] = {
    type_: frozenset(properties.split())
    for type_, properties in {
        "resources:ResourceGroup": "resourceGroupName location",
        "authorization:RoleDefinition": "roleDefinitionId scope",
        "authorization:RoleAssignment": "roleAssignmentName scope principalId",
        "authorization:PolicyDefinition": "policyDefinitionName",
        "authorization:PolicyAssignment": "policyAssignmentName scope",
        "authorization:ManagementLockByScope": "lockName scope",
        "managedidentity:UserAssignedIdentity": "resourceGroupName resourceName location",
        "storage:StorageAccount": "resourceGroupName accountName location isHnsEnabled",
        "storage:BlobContainer": "resourceGroupName accountName containerName",
        "storage:BlobServiceProperties": "resourceGroupName accountName blobServicesName",
        "storage:FileShare": "resourceGroupName accountName shareName enabledProtocols",
        "storage:ManagementPolicy": "resourceGroupName accountName managementPolicyName",
        "keyvault:Vault": "resourceGroupName vaultName",
        "keyvault:Secret": "resourceGroupName vaultName secretName",
        "containerregistry:Registry": "resourceGroupName registryName location",
        "applicationinsights:Component": "resourceGroupName resourceName location applicationType",
        "operationalinsights:Workspace": "resourceGroupName workspaceName location",
        "machinelearningservices:Workspace": "resourceGroupName workspaceName",
        "machinelearningservices:Compute": "resourceGroupName workspaceName computeName",
        "machinelearningservices:Datastore": "resourceGroupName workspaceName name",
        "machinelearningservices:Registry": "resourceGroupName registryName",
        "machinelearningservices:ManagedNetworkSettingsRule": "resourceGroupName workspaceName ruleName",
        "network:VirtualNetwork": "resourceGroupName virtualNetworkName location",
        "network:NetworkSecurityGroup": "resourceGroupName networkSecurityGroupName",
        "network:PrivateEndpoint": "resourceGroupName privateEndpointName subnet",
        "network:PrivateDnsZoneGroup": "resourceGroupName privateEndpointName privateDnsZoneGroupName",
        "privatedns:PrivateZone": "resourceGroupName privateZoneName location",
        "privatedns:VirtualNetworkLink": "resourceGroupName privateZoneName virtualNetworkLinkName location",
        "monitor:DiagnosticSetting": "resourceUri name",
        "consumption:Budget": "scope budgetName",
        "index:Application": "templateId",
        "index:ServicePrincipal": "clientId",
        "index:ServicePrincipalPassword": "servicePrincipalId displayName startDate endDate rotateWhenChanged",
        "index:ApplicationFederatedIdentityCredential": "applicationId",
    }.items()
}

MADE_FIRST = frozenset({"index:ServicePrincipalPassword"})
"""What is made anew before the old one goes: azuread's types. azure-native deletes first what has a name of its own."""

_CLUSTER = frozenset(
    {"identity"}
    | {f"properties.properties.{name}" for name in ("vmSize", "vmPriority", "subnet", "enableNodePublicIp")}
)
DECLARED: Mapping[str, frozenset[str]] = {
    "machinelearningservices:Compute all-low": _CLUSTER,
    "machinelearningservices:Compute spoke-spoke": _CLUSTER,
    "machinelearningservices:Compute own-own": _CLUSTER,
    "machinelearningservices:Compute fenced-fenced": _CLUSTER,
    "machinelearningservices:Compute spoke-spoke-notes": frozenset({"properties"}),
    "machinelearningservices:Compute all-notebook": frozenset({"properties"}),
    "machinelearningservices:Datastore all-Raw": frozenset({"properties.datastoreType"}),
    **{
        f"authorization:PolicyAssignment all-{name}": frozenset({"policyDefinitionId"})
        for name in ("compute-vm-sizes", "cluster-min-nodes")
    },
    "consumption:Budget all-budget": frozenset({"timePeriod.startDate"}),
}
"""What the components declare, by type and name of the resources that the edits change."""


def replaces(type_: str, name: str, changed: Iterable[str]) -> bool:
    """Whether a change of these properties, or of parts of them, replaces the resource."""
    rules = REPLACED_BY.get(type_, frozenset()) | DECLARED.get(f"{type_} {name}", frozenset())
    return any(path == rule or path.startswith((f"{rule}.", f"{rule}[")) for path in changed for rule in rules)
