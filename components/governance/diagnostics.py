"""Logs and metrics of a resource, sent to a Log Analytics workspace."""

import pulumi
from pulumi_azure_native import monitor


def diagnose(
    logical_name: str, resource_id: pulumi.Input[str], log_workspace_id: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> monitor.DiagnosticSetting:
    """Send all logs and metrics of a resource to a Log Analytics workspace.

    Args:
        logical_name: Name of Pulumi's resource.
        resource_id: Id of the resource.
        log_workspace_id: Id of the Log Analytics workspace.
        opts: Parent and dependencies.
    """
    return monitor.DiagnosticSetting(
        logical_name,
        name="platform",
        resource_uri=resource_id,
        workspace_id=log_workspace_id,
        logs=[monitor.DiagnosticsLogSettingsArgs(category_group="allLogs", enabled=True)],
        metrics=[monitor.DiagnosticsMetricSettingsArgs(category="AllMetrics", enabled=True)],
        opts=opts,
    )
