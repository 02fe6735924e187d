"""Exemptions: who may break which rule with which resource, why, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from policies.resources import matches

REASON_LENGTH: Final = 10  # characters that a reason has at least

SCHEMA: Final[Mapping[str, Any]] = {
    "type": "array",
    "description": "Resources that may break the rule for a while.",
    "items": {
        "type": "object",
        "required": ["resource", "reason", "owner", "expires"],
        "additionalProperties": False,
        "properties": {
            "resource": {
                "type": "string",
                "minLength": 1,
                "description": "A URN, or a pattern for URNs with *, ? and […]; * is any resource.",
            },
            "reason": {"type": "string", "minLength": REASON_LENGTH, "description": "Why it is needed."},
            "owner": {"type": "string", "minLength": 1, "description": "Who answers for it."},
            "expires": {
                "type": "string",
                "format": "date",
                "description": "Last day on which it applies, such as 2027-03-31.",
            },
        },
    },
}


@dataclass(frozen=True)
class Exemption:
    """One exemption.

    Attributes:
        rule: The rule that may be broken.
        resource: URN, or pattern for URNs.
        reason: The reason for the exemption.
        owner: The person who answers for the exemption.
        expires: Last day on which it applies.
    """

    rule: str
    resource: str
    reason: str
    owner: str
    expires: date

    def covers(self, urn: str) -> bool:
        """Whether it is for the resource with that URN."""
        return matches(urn, self.resource)

    def expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return today > self.expires

    def __str__(self) -> str:
        return f"{self.rule} for {self.resource} (owner {self.owner}, expires {self.expires.isoformat()})"


def of(rule: str, entries: list[Mapping[str, Any]]) -> tuple[Exemption, ...]:
    """A rule's exemptions, as its configuration has them."""
    return tuple(
        Exemption(
            rule=rule,
            resource=entry["resource"],
            reason=entry["reason"],
            owner=entry["owner"],
            expires=date.fromisoformat(entry["expires"]),
        )
        for entry in entries
    )
