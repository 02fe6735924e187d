"""Checks a stack without an engine: the interface for other programs.

    from policies import offline

    graph = offline.load_graph(Path("preview.json"))        # a state, a preview or an event log
    config = offline.load_config(Path("policies/merged/prod.json"))  # or offline.stack_config("prod")
    report = offline.evaluate(graph, config)
    for finding in report.findings:
        print(finding.rule.name, finding.level, finding.urn, finding.path, finding.message, finding.exemption)

A finding's `rule` has severity, counterparts, remediation and link; `report.as_json()` and `policies.sarif` write it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from policies import config as config_
from policies.config import Config, ConfigError
from policies.evaluation import STACK, Finding, Session
from policies.graphs import GraphError, load_graph, parse_graph
from policies.resources import Graph

__all__ = [
    "Config",
    "ConfigError",
    "Finding",
    "Graph",
    "GraphError",
    "NotApplicable",
    "Report",
    "default_config",
    "evaluate",
    "load_config",
    "load_graph",
    "parse_graph",
    "stack_config",
]


@dataclass(frozen=True)
class NotApplicable:
    """A rule that does not apply to a resource of the type that it is about.

    Attributes:
        rule: The rule's name.
        urn: The resource's URN, or the stack's.
        reason: The reason, in a sentence.
    """

    rule: str
    urn: str
    reason: str


@dataclass(frozen=True)
class Report:
    """The findings of all rules in one stack.

    Attributes:
        findings: Violations, exempted ones included, and what could not be decided; in the order of the resources,
            the whole stack last.
        not_applicable: Rules that do not apply, and why.
        stack: Name of the stack, empty if there is no resource.
        missing: The reason why resources of the stack may be missing here; None if all are here.
    """

    findings: tuple[Finding, ...]
    not_applicable: tuple[NotApplicable, ...]
    stack: str
    missing: str | None = None

    @property
    def blocks(self) -> bool:
        """Whether a mandatory rule is broken, or a strict one not decided."""
        return any(finding.blocks for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "stack": self.stack,
            "blocks": self.blocks,
            "missing": self.missing,
            "findings": [_as_json(finding) for finding in self.findings],
            "notApplicable": [vars(one) for one in self.not_applicable],
        }


def load_config(file: Path) -> Config:
    """A configuration from a file in the form that `--policy-pack-config` takes, such as `merged/prod.json`.

    Raises:
        ConfigError: It cannot be used; the text has a line each fault.
    """
    return config_.from_entries(config_.load(file), str(file))


def stack_config(stack: str, folder: Path = config_.FOLDER) -> Config:
    """The configuration of a stack from its layers, `base.json` and `<stack>.json`.

    Raises:
        ConfigError: A layer is not there or cannot be used.
    """
    return config_.from_entries(config_.merged(stack, folder), f"{folder / stack}.json")


def default_config(entries: Mapping[str, Any] | None = None) -> Config:
    """The pack's own defaults, with some entries on top."""
    return config_.from_entries(entries or {}, "the configuration")


def evaluate(graph: Graph, config: Config, *, today: date | None = None) -> Report:
    """Ask all rules about a stack.

    Args:
        graph: The stack's resources.
        config: The configuration of each rule, by its name.
        today: The day by which exemptions expire; the machine's if left out.
    """
    session = Session(config, graph=graph, today=today)
    findings: list[Finding] = []
    not_applicable: list[NotApplicable] = []
    for resource in graph:
        if not resource.external:
            answer = session.analyze(resource)
            findings += answer.findings
            not_applicable += [NotApplicable(rule, resource.urn, why) for rule, why in answer.not_applicable.items()]
    answer = session.analyze_stack(graph)
    stack_urn = next((resource.urn for resource in graph if resource.token == STACK), "")
    not_applicable += [NotApplicable(rule, stack_urn, why) for rule, why in answer.not_applicable.items()]
    stack = next((resource.stack for resource in graph), "")
    return Report((*findings, *answer.findings), tuple(not_applicable), stack, graph.missing)


def _as_json(finding: Finding) -> dict[str, Any]:
    exemption = finding.exemption
    return {
        "rule": finding.rule.name,
        "kind": finding.kind,
        "level": str(finding.level),
        "severity": str(finding.rule.severity),
        "urn": finding.urn,
        "path": finding.path,
        "message": finding.message,
        "remediation": finding.rule.remediation,
        "url": finding.rule.url,
        "exemption": exemption
        and {
            "resource": exemption.resource,
            "reason": exemption.reason,
            "owner": exemption.owner,
            "expires": exemption.expires.isoformat(),
        },
    }
