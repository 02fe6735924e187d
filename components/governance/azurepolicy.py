"""Azure Policy on a team's resource group, so that what is made around Pulumi is caught too.

The built-in definitions, the effects and the parameters that each takes: github.com/Azure/azure-policy, 2026-04. Only
those are assigned that the platform's own resources keep. The two custom definitions are the same rules as the policy
pack's, from the same settings, and modelled on Azure Landing Zones' (Deny-MachineLearning-Compute-VmSize and
Deny-MachineLearning-ComputeCluster-Scale).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi
from pulumi_azure_native import authorization

Effect = Literal["audit", "deny"]

_COMPUTES = "Microsoft.MachineLearningServices/workspaces/computes"


@dataclass(frozen=True)
class BuiltIn:
    """A built-in definition.

    Attributes:
        guid: Its id.
        about: The requirement, in a few words.
        denies: Whether it can refuse; if not, it only reports.
        parameters: Values of its parameters other than the effect.
        audit: Its effect that reports.
    """

    guid: str
    about: str
    denies: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)
    audit: str = "Audit"


ALWAYS: Mapping[str, BuiltIn] = {
    "compute-local-auth": BuiltIn("e96a9a5f-07ca-471b-9bc5-6a0f33cbd68f", "Compute has no local accounts."),
    "instance-idle-shutdown": BuiltIn("679ddf89-ab8f-48a5-9029-e76054077449", "Compute instances stop when idle."),
    "workspace-identity": BuiltIn("5f0c7d88-c7de-45b8-ac49-db49e72eaa78", "Workspaces have user-assigned identities."),
    "storage-https": BuiltIn("404c3081-a854-4457-ae30-26a93ef643f9", "Storage takes HTTPS only."),
    "storage-tls": BuiltIn(
        "fe83a0eb-a853-422d-aac2-1bffd182c5d0",
        "Storage takes TLS 1.2 only.",
        parameters={"minimumTlsVersion": "TLS1_2"},
    ),
    "storage-public-blobs": BuiltIn("4fa4b6c0-31ca-4c0d-b10d-24b96f62a751", "No blob is public."),
    "storage-shared-key": BuiltIn("8c6a50c6-9ffd-4ae7-986f-5fa6111f9a54", "Storage takes no account keys."),
    "vault-soft-delete": BuiltIn("1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d", "Deleted vaults can be recovered."),
    "vault-rbac": BuiltIn("12d4fa5e-1f9f-4c21-97a9-b99b3c6611b5", "Vaults go by roles."),
    "registry-admin": BuiltIn("dc921057-6b28-4fbe-9b83-f7bec05db6c2", "Registries have no admin account."),
    "registry-anonymous": BuiltIn("9f2dea28-e834-476c-99c5-3507b4728395", "Nobody pulls anonymously."),
    "insights-on-logs": BuiltIn(
        "d550e854-df1a-4de9-bf44-cd894b39a95e", "Application Insights stands on Log Analytics."
    ),
}
"""Definitions for every team; `workspace-identity` only where the workspace's identity is user-assigned."""

PURGE_PROTECTION: Mapping[str, BuiltIn] = {
    "vault-purge-protection": BuiltIn("0b60c0b2-2dc2-4e1c-b5c9-abbed971de53", "Deleted vaults cannot be purged.")
}
"""The definitions that also apply where purge protection is on."""

DIAGNOSTICS: Mapping[str, BuiltIn] = {
    "workspace-logs": BuiltIn(
        "afe0c3be-ba3b-4544-ba52-0c99672a8ad6",
        "Workspaces have resource logs.",
        denies=False,
        parameters={"requiredRetentionDays": "365"},
        audit="AuditIfNotExists",
    )
}
"""The definitions that also apply where logs are collected."""


@dataclass(frozen=True)
class CustomDefinitions:
    """The two definitions that no built-in one covers, in one subscription.

    Attributes:
        vm_sizes: Id of the definition of allowed VM sizes.
        min_nodes: Id of the definition of clusters without nodes at rest.
    """

    vm_sizes: pulumi.Output[str]
    min_nodes: pulumi.Output[str]


def define(prefix: str, *, opts: pulumi.ResourceOptions) -> CustomDefinitions:
    """Define the two rules in the provider's subscription.

    Args:
        prefix: First part of their names, which are unique in the subscription.
        opts: Provider and dependencies.
    """
    has_size = {"field": f"{_COMPUTES}/computeType", "in": ["AmlCompute", "ComputeInstance"]}
    sizes = {"field": f"{_COMPUTES}/vmSize", "notIn": "[parameters('allowedVmSizes')]"}
    is_cluster = {"field": f"{_COMPUTES}/computeType", "equals": "AmlCompute"}
    nodes = {"field": f"{_COMPUTES}/scaleSettings.minNodeCount", "greater": 0}

    def made(name: str, display_name: str, conditions: list[Any], parameters: Mapping[str, Any]) -> pulumi.Output[str]:
        definition = authorization.PolicyDefinition(
            name,
            policy_definition_name=f"{prefix}-{name}",
            policy_type="Custom",
            mode="Indexed",
            display_name=f"{display_name} ({prefix})",
            metadata={"category": "Machine Learning"},
            parameters={"effect": _EFFECT, **parameters},
            policy_rule={
                "if": {"allOf": [{"field": "type", "equals": _COMPUTES}, *conditions]},
                "then": {"effect": "[parameters('effect')]"},
            },
            opts=opts,
        )
        return pulumi.Output.from_input(definition.id)

    allowed = {"type": "Array", "metadata": {"displayName": "Allowed VM sizes"}}
    return CustomDefinitions(
        vm_sizes=made(
            "ml-compute-vm-sizes", "Compute uses allowed VM sizes", [has_size, sizes], {"allowedVmSizes": allowed}
        ),
        min_nodes=made("ml-cluster-min-nodes", "Clusters keep no node at rest", [is_cluster, nodes], {}),
    )


_EFFECT = {"type": "String", "allowedValues": ["Audit", "Deny", "Disabled"], "defaultValue": "Audit"}


@dataclass(frozen=True)
class PolicyAssignmentsArgs:
    """The policies of one resource group.

    Attributes:
        scope: Id of the resource group.
        effect: `audit` reports what breaks a rule, `deny` refuses it where the rule can.
        built_in: Built-in definitions by the assignment's name.
        custom: The two custom definitions.
        allowed_vm_sizes: What the first of them allows; it is not assigned if left out.
    """

    scope: pulumi.Input[str]
    effect: Effect
    built_in: Mapping[str, BuiltIn]
    custom: CustomDefinitions
    allowed_vm_sizes: Sequence[str] | None = None


def assign_policies(logical_name: str, args: PolicyAssignmentsArgs, *, opts: pulumi.ResourceOptions) -> None:
    """Assign policies to a resource group."""
    # Azure keeps what is assigned, and an assignment keeps its definition, though azure-native sends an update.
    changed = pulumi.ResourceOptions(replace_on_changes=["policyDefinitionId"], delete_before_replace=True)
    opts = pulumi.ResourceOptions.merge(opts, changed)
    effect = "Deny" if args.effect == "deny" else "Audit"

    def made(name: str, definition: pulumi.Input[str], about: str, parameters: Mapping[str, Any]) -> None:
        authorization.PolicyAssignment(
            f"{logical_name}-{name}",
            policy_assignment_name=name,
            scope=args.scope,
            policy_definition_id=definition,
            display_name=about,
            enforcement_mode=authorization.EnforcementMode.DEFAULT,
            parameters={key: authorization.ParameterValuesValueArgs(value=value) for key, value in parameters.items()},
            opts=opts,
        )

    for name, rule in args.built_in.items():
        own = effect if rule.denies and effect == "Deny" else rule.audit
        definition = f"/providers/Microsoft.Authorization/policyDefinitions/{rule.guid}"
        made(name, definition, rule.about, {"effect": own, **rule.parameters})
    made("cluster-min-nodes", args.custom.min_nodes, "Clusters keep no node at rest.", {"effect": effect})
    if args.allowed_vm_sizes is not None:
        sizes = {"effect": effect, "allowedVmSizes": list(args.allowed_vm_sizes)}
        made("compute-vm-sizes", args.custom.vm_sizes, "Compute uses allowed VM sizes.", sizes)
