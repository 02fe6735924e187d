"""Limits on the spending and serving of a team."""

from datetime import date

from pydantic import Field

from settings.types import Entries, Month, Section, UserName, VmSizeName


class Budget(Section):
    """The amount that a team's resource group may cost a month. A budget stops nothing.

    Azure sends mail when 50, 80 and 100 % of the amount are spent, and when 100 % is forecast.
    """

    monthly: float = Field(gt=0, description="Amount a month, above 0, in the currency of the subscription's bill.")
    start: Month = Field(
        description=(
            "First month, such as 2026-11, at most a year ahead. A change deletes the budget and makes it again."
        )
    )
    contacts: Entries[UserName] = Field(default=(), description="Mail addresses; the department's admin if left out.")

    @property
    def first_day(self) -> date:
        """The day from which the budget counts: the first of its first month."""
        return date.fromisoformat(f"{self.start}-01")


class Spending(Section):
    """Limits on the team's jobs, for clients that read the stack's outputs. Azure does not enforce them."""

    per_job: float | None = Field(
        default=None,
        gt=0,
        description=(
            "US dollars that one job may cost at worst, above 0. `jobs submit` asks before it submits a costlier job."
        ),
    )


class Serving(Section):
    """Limits on the team's online endpoints, for clients that read the stack's outputs. Azure does not enforce them."""

    max_instances: int | None = Field(
        default=None, ge=1, le=1000, description="Most instances of all deployments together, 1 to 1000."
    )
    vm_sizes: Entries[VmSizeName] = Field(default=(), description="VM sizes for deployments. All if left out.")
