"""A budget of a resource group, which sends mail before and when the money is spent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pulumi
from pulumi_azure_native import consumption

_ACTUAL_THRESHOLDS = (50, 80, 100)
_FORECAST_THRESHOLD = 100


@dataclass(frozen=True)
class BudgetArgs:
    """The monthly amount that a resource group may cost, and the people who are told.

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
