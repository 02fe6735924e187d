"""A service of another project that reads a team's models: its identity, and the right to read the team's workspace.

All that it knows of the platform is the stack's outputs, by StackReference. Copy the folder and change what it makes.
"""

import uuid
from typing import Any

import pulumi
from pulumi_azure_native import Provider, authorization, managedidentity

CONTRACT = 1
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"  # learn.microsoft.com/azure/role-based-access-control/built-in-roles


def team_of(outputs: dict[str, Any]) -> dict[str, Any]:
    """The team's part of the outputs, which docs/outputs.schema.json describes."""
    if outputs["contract"] != CONTRACT:
        raise pulumi.RunError(f"{stack}: outputs of contract {outputs['contract']}, and this program reads {CONTRACT}")
    if team not in outputs["teams"]:
        raise pulumi.RunError(f"{stack}: no team '{team}'; its teams: {', '.join(sorted(outputs['teams']))}")
    found: dict[str, Any] = outputs["teams"][team]
    return found


config = pulumi.Config()
stack, team = config.require("department"), config.require("team")
reference = pulumi.StackReference(stack)
names = ("contract", "teams")
told = pulumi.Output.all(*map(reference.require_output, names)).apply(
    lambda parts: team_of(dict(zip(names, parts, strict=True)))
)

azure = pulumi.ResourceOptions(provider=Provider("azure", subscription_id=told["subscriptionId"]))
identity = managedidentity.UserAssignedIdentity(
    "scoring", resource_group_name=told["resourceGroup"], location=told["location"], opts=azure
)
workspace = pulumi.Output.format(
    "/subscriptions/{0}/resourceGroups/{1}/providers/Microsoft.MachineLearningServices/workspaces/{2}",
    told["subscriptionId"],
    told["resourceGroup"],
    told["workspace"],
)
authorization.RoleAssignment(
    "scoring-reads-models",
    role_assignment_name=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{stack} {team} scoring")),
    scope=workspace,
    principal_id=identity.principal_id,
    principal_type="ServicePrincipal",
    role_definition_id=pulumi.Output.format(
        "/subscriptions/{0}/providers/Microsoft.Authorization/roleDefinitions/{1}", told["subscriptionId"], READER
    ),
    opts=azure,
)

pulumi.export("identity", identity.client_id)
pulumi.export("trackingUri", told["trackingUri"])
pulumi.export("clusters", told["clusters"].apply(sorted))
