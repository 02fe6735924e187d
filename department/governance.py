"""The sections `budget` and `azurePolicy`."""

from components.governance.azurepolicy import (
    ALWAYS,
    DIAGNOSTICS,
    PURGE_PROTECTION,
    PolicyAssignmentsArgs,
    assign_policies,
)
from components.governance.budget import BudgetArgs, budget
from department.context import WorkspaceContext
from settings import logical


def govern(context: WorkspaceContext) -> None:
    """Watch the team's money, and let Azure Policy watch its resource group."""
    department, team, scope = context.department, context.team, context.workspace.resource_group_id
    if team.budget:
        args = BudgetArgs(scope, team.budget.monthly, team.budget.first_day, team.budget.contacts)
        budget(logical.budget(team), args, opts=context.child)
    if context.shared.custom_policies and department.azure_policy != "off":
        rules = {**ALWAYS}
        if team.workspace_identity == "system":
            del rules["workspace-identity"]
        if department.key_vault.purge_protection:
            rules |= PURGE_PROTECTION
        if department.diagnostics:
            rules |= DIAGNOSTICS
        policies = PolicyAssignmentsArgs(
            scope=scope,
            effect=department.azure_policy,
            built_in=rules,
            custom=context.shared.custom_policies,
            allowed_vm_sizes=department.allowed_vm_sizes,
        )
        assign_policies(team.name, policies, opts=context.child)
