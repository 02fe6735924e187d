"""Exemptions that are over, or of no use."""

from policies.model import NotApplicableError, Outcome, Problem, Settings, Severity, StackRule
from policies.resources import Graph

_SOURCE = "Asked of checkov (#6536), PSRule (#1519) and Pulumi policy (#225, #438)."


def _expired(graph: Graph, _settings: Settings) -> Outcome:
    for one in graph.exemptions:
        if one.expired:
            yield Problem(f"the exemption from {one.text} has expired and exempts nothing")


def _unused(graph: Graph, _settings: Settings) -> Outcome:
    if graph.missing:
        raise NotApplicableError(graph.missing)
    for one in graph.exemptions:
        if not one.used and not one.expired:
            yield Problem(f"the exemption from {one.text} matches no violation")


RULES = (
    StackRule(
        name="policy-exemption-refuse-expired",
        title="No exemption is over.",
        check=_expired,
        severity=Severity.HIGH,
        source=_SOURCE,
        url="https://learn.microsoft.com/azure/governance/policy/concepts/exemption-structure",
        remediation="Mend what the exemption was for and take it out, or have it prolonged by its owner.",
        applies="The exemptions of the configuration.",
    ),
    StackRule(
        name="policy-exemption-refuse-unused",
        title="Every exemption is needed.",
        check=_unused,
        severity=Severity.LOW,
        source=_SOURCE,
        url="https://learn.microsoft.com/azure/governance/policy/concepts/exemption-structure",
        remediation="Take the exemption out of the configuration, or correct its resource.",
        applies="The exemptions of the configuration, where the whole stack is known.",
    ),
)
