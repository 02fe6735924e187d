"""What guards a team's resources: locks against deletion, logs of who did what, and a budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pulumi
from pulumi_azure_native import authorization, consumption, monitor

_ACTUAL_THRESHOLDS = (50, 80, 100)
_FORECAST_THRESHOLD = 100


def lock(
    logical_name: str, scope: pulumi.Input[str], *, opts: pulumi.ResourceOptions
) -> authorization.ManagementLockByScope:
    """Forbid the deletion of one resource and of what belongs to it.

    Never for a resource group or a workspace: there, a lock also keeps clusters from removing nodes and people from
    losing access (learn.microsoft.com/azure/azure-resource-manager/management/lock-resources). For the same
    reason nobody who comes and goes is assigned a role on a locked resource.

    Args:
        logical_name: Name of Pulumi's resource.
        scope: Id of the resource.
        opts: Parent; depend on all below the resource, so that the lock goes first.
    """
    return authorization.ManagementLockByScope(
        logical_name,
        lock_name="keep",
        scope=scope,
        level=authorization.LockLevel.CAN_NOT_DELETE,
        notes="Holds what cannot be made again. Set protect: false in the stack file to remove it.",
        opts=opts,
    )


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


@dataclass(frozen=True)
class BudgetArgs:
    """What a resource group may cost, and who is told.

    Attributes:
        scope: Id of the resource group.
        monthly: Amount a month, in the currency of the subscription's bill.
        start: First day of the month from which it counts.
        contacts: Mail addresses that are told.
    """

    scope: pulumi.Input[str]
    monthly: float
    start: date
    contacts: Sequence[str]


def budget(logical_name: str, args: BudgetArgs, *, opts: pulumi.ResourceOptions) -> consumption.Budget:
    """Tell when half, four fifths and all of a month's money is spent, and when it is likely to be.

    A budget stops nothing. Azure cannot change its start, so another one makes it anew.
    """
    notifications = {
        f"actual-{threshold}": _notification(args.contacts, threshold, consumption.ThresholdType.ACTUAL)
        for threshold in _ACTUAL_THRESHOLDS
    }
    notifications["forecast"] = _notification(args.contacts, _FORECAST_THRESHOLD, consumption.ThresholdType.FORECASTED)
    return consumption.Budget(
        logical_name,
        budget_name="team",
        scope=args.scope,
        amount=args.monthly,
        category=consumption.CategoryType.COST,
        time_grain=consumption.TimeGrainType.MONTHLY,
        time_period=consumption.BudgetTimePeriodArgs(start_date=f"{args.start}T00:00:00Z"),
        notifications=notifications,
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(replace_on_changes=["timePeriod.startDate"], delete_before_replace=True)
        ),
    )


def _notification(
    contacts: Sequence[str], threshold: int, kind: consumption.ThresholdType
) -> consumption.NotificationArgs:
    return consumption.NotificationArgs(
        enabled=True,
        operator=consumption.OperatorType.GREATER_THAN_OR_EQUAL_TO,
        threshold=threshold,
        threshold_type=kind,
        contact_emails=list(contacts),
    )
