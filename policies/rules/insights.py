"""Application Insights."""

from policies.baseline import controls
from policies.model import Counterpart, ResourceRule, Severity
from policies.rules.checks import present

RULES = (
    ResourceRule(
        name="insights-component-require-log-workspace",
        title="Application Insights keeps its data in a Log Analytics workspace.",
        kinds=("applicationinsights:Component",),
        check=present("workspaceResourceId", "operationalinsights:Workspace"),
        severity=Severity.MEDIUM,
        counterparts=(
            Counterpart("Azure Policy", "d550e854-df1a-4de9-bf44-cd894b39a95e"),
            Counterpart("PSRule", "AZR-000069"),
            *controls("LT-4"),
        ),
        url="https://learn.microsoft.com/azure/azure-monitor/app/create-workspace-resource",
        remediation="Set workspaceResourceId to the id of a Log Analytics workspace.",
        applies="All components of Application Insights.",
    ),
)
