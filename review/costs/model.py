"""How the monthly costs of a stack's two revisions differ; all amounts are US dollars a month."""

from dataclasses import dataclass

from operations.costs.charges import Charge, Range


@dataclass(frozen=True)
class TeamCost:
    """What a team costs at both revisions.

    Attributes:
        team: Name of the team; None for what the teams share.
        before: At the base revision.
        after: At the head revision.
    """

    team: str | None
    before: Range
    after: Range

    @property
    def difference(self) -> Range:
        """What the pull request adds; below zero for what it saves."""
        return self.after - self.before


@dataclass(frozen=True)
class ResourceCost:
    """A resource whose charges the pull request changes.

    Attributes:
        type: Its type in Pulumi.
        name: Its name in Pulumi.
        team: Name of its team; None for what the teams share.
        before: Its charges at the base revision; none where it is not there.
        after: Its charges at the head revision.
    """

    type: str
    name: str
    team: str | None
    before: tuple[Charge, ...]
    after: tuple[Charge, ...]


@dataclass(frozen=True)
class CostDifference:
    """How the costs of a stack differ.

    Attributes:
        before: What the stack costs at the base revision; a lower bound where `unpriced_before` has any.
        after: What it costs at the head revision; a lower bound where `unpriced_after` has any.
        teams: The same by team.
        resources: The resources whose charges differ.
        unpriced_before: Charges of the base revision without a known price, which no sum has in it.
        unpriced_after: Those of the head revision.
        notes: What the units rest on: conditions, and what is assumed about use.
        approximate: Charges at the head whose price is that of another region, or of a dedicated node.
    """

    before: Range
    after: Range
    teams: tuple[TeamCost, ...]
    resources: tuple[ResourceCost, ...]
    unpriced_before: tuple[Charge, ...]
    unpriced_after: tuple[Charge, ...]
    notes: tuple[str, ...]
    approximate: tuple[Charge, ...]

    @property
    def difference(self) -> Range:
        """What the pull request adds; below zero for what it saves."""
        return self.after - self.before
