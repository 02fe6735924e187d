"""Budgets. No money is spent here, so none is ever used up.

Sources: learn.microsoft.com/rest/api/consumption/budgets/create-or-update, and the report cited in docs/fidelity/arm.md
of a start date that cannot be edited.
"""

import copy
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from sandbox.azure import clock
from sandbox.azure.arm.core import Body, Call, ResourceType, Rule, properties_of
from sandbox.azure.front.errors import AzureError

FIRST_START = date(2017, 6, 1)
GRAIN_MONTHS = {
    "Monthly": 1,
    "Quarterly": 3,
    "Annually": 12,
    "BillingMonth": 1,
    "BillingQuarter": 3,
    "BillingAnnual": 12,
}
MONTHS_AHEAD = 12
MOST_NOTIFICATIONS = 5
DEFAULT_YEARS = 10


class Budget(ResourceType):
    """`Microsoft.Consumption/budgets`, an extension of a subscription or group."""

    type = "Microsoft.Consumption/budgets"
    tracked = False
    name_pattern = re.compile(r"[a-zA-Z0-9_-]{1,63}")
    name_error = ("400", "Budget name '{name}' is invalid: at most 63 letters, digits, '-' or '_'.")
    invalid_value = "400"
    required = ("properties.category", "properties.amount", "properties.timeGrain", "properties.timePeriod.startDate")
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.category": frozenset({"Cost"}),
        "properties.timeGrain": frozenset(GRAIN_MONTHS),
        "properties.notifications": dict,
        "properties.timePeriod.startDate": str,
        "properties.timePeriod.endDate": str,
    }

    def validate(self, call: Call, old: Body | None) -> None:
        """Checks amount, period and notifications; the start date never changes."""
        body = call.body["properties"]
        amount = body["amount"]
        if isinstance(amount, bool) or not isinstance(amount, int | float) or amount <= 0:
            raise _bad("properties.amount", f"The amount must be a number greater than 0, not '{amount}'.")
        start = _day(body["timePeriod"]["startDate"], "properties.timePeriod.startDate")
        if old is not None:
            if start != _day(properties_of(old)["timePeriod"]["startDate"], ""):
                text = "Start date of budgets cannot be updated. Please delete and create a new budget."
                raise _bad("properties.timePeriod.startDate", text)
        else:
            _check_start(start, GRAIN_MONTHS[_grain(body["timeGrain"])])
        end = body["timePeriod"].get("endDate")
        if end is not None and _day(end, "properties.timePeriod.endDate") <= start:
            raise _bad("properties.timePeriod.endDate", "The end date must be after the start date.")
        _check_notifications(body.get("notifications") or {})

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds an end date where the body has none, and a current spend of zero."""
        sent = copy.deepcopy(call.body["properties"])
        start = _day(sent["timePeriod"]["startDate"], "")
        last = start.replace(year=start.year + DEFAULT_YEARS)
        period = {
            "startDate": f"{start}T00:00:00Z",
            "endDate": sent["timePeriod"].get("endDate") or f"{last}T00:00:00Z",
        }
        spent = {"currentSpend": {"amount": 0.0, "unit": "USD"}}
        version = f'"{int(clock.now().timestamp() * 1e6):x}"'
        return {
            "eTag": version,
            "properties": {**sent, "timeGrain": _grain(sent["timeGrain"]), "timePeriod": period, **spent},
        }


class CostBudget(Budget):
    """`Microsoft.CostManagement/budgets`: the same under the newer provider's name."""

    type = "Microsoft.CostManagement/budgets"


def _bad(target: str, message: str) -> AzureError:
    return AzureError(400, "400", message, target=target)


def _grain(text: str) -> str:
    return next(name for name in GRAIN_MONTHS if name.lower() == text.lower())


def _day(text: str, target: str) -> date:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError as error:
        raise _bad(target, f"'{text}' is no date.") from error


def _check_start(start: date, months: int) -> None:
    today = clock.now().date()
    ahead = (start.year - today.year) * 12 + start.month - today.month
    if start.day != 1:
        problem = "must be the first day of a month"
    elif start < FIRST_START:
        problem = "must not be before 2017-06-01"
    elif ahead > MONTHS_AHEAD:
        problem = "must not be more than 12 months in the future"
    elif ahead <= -months:
        problem = "in the past must lie within the current time grain"
    else:
        return
    raise _bad("properties.timePeriod.startDate", f"The start date {start} {problem}.")


def _check_notifications(notifications: Body) -> None:
    if len(notifications) > MOST_NOTIFICATIONS:
        raise _bad("properties.notifications", f"A budget can have up to {MOST_NOTIFICATIONS} notifications.")
    for name, notification in notifications.items():
        path = f"properties.notifications.{name}"
        if not isinstance(notification, dict) or not {"enabled", "operator", "threshold"} <= notification.keys():
            raise _bad(path, f"'{path}' must have enabled, operator, threshold and contacts.")
        if notification["operator"] not in ("EqualTo", "GreaterThan", "GreaterThanOrEqualTo"):
            raise _bad(f"{path}.operator", f"'{notification['operator']}' is no operator.")
        if not isinstance(notification["threshold"], int | float) or not 0 < notification["threshold"] <= 1000:  # noqa: PLR2004 # percent
            raise _bad(f"{path}.threshold", "A threshold is more than 0 and at most 1000 percent.")
        if notification.get("thresholdType", "Actual") not in ("Actual", "Forecasted"):
            raise _bad(f"{path}.thresholdType", f"'{notification['thresholdType']}' is no type of threshold.")
        if not any(notification.get(contacts) for contacts in ("contactEmails", "contactRoles", "contactGroups")):
            raise _bad(f"{path}.contactEmails", f"'{path}' has nobody to notify.")


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [Budget(), CostBudget()]
