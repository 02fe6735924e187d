"""A report as SARIF 2.1.0, for GitHub's code scanning and other tools."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from policies import pack
from policies.evaluation import Finding
from policies.model import Level, Rule, Severity
from policies.offline import Report

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
SECURITY_SEVERITY: Final = {  # the middle of GitHub's ranges
    Severity.LOW: "3.0",
    Severity.MEDIUM: "5.5",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}


@dataclass(frozen=True)
class Place:
    """The file and line of a finding.

    Attributes:
        uri: Path of the file, relative to the repository, with `/`.
        line: Line, from 1.
        column: Column, from 1; None for the whole line.
    """

    uri: str
    line: int = 1
    column: int | None = None


def sarif(report: Report, place: Callable[[Finding], Place], *, for_upload: bool = False) -> dict[str, Any]:
    """A SARIF log with one run.

    Args:
        report: The findings.
        place: Tells where a finding stands.
        for_upload: Leave out what is exempted, since GitHub shows suppressed results as alerts.
    """
    findings = [one for one in report.findings if not (for_upload and one.exemption)]
    used = list(dict.fromkeys(one.rule.name for one in findings))
    index = {name: number for number, name in enumerate(used)}
    rules = [_descriptor(pack.rules()[name]) for name in used]
    driver = {"name": pack.NAME, "semanticVersion": pack.VERSION, "rules": rules}
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"policies/{report.stack or 'stack'}/"},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, index[one.rule.name], place(one)) for one in findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def fingerprint(finding: Finding) -> str:
    """A hash that is the same for the same finding in every run: of rule, resource and property."""
    text = "\n".join((finding.rule.name, finding.urn, finding.path))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _descriptor(rule: Rule) -> dict[str, Any]:
    also = [f"{one.framework} {one.reference}" for one in rule.counterparts]
    return {
        "id": rule.name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.title} {rule.applies}"},
        "help": {"text": rule.remediation, "markdown": f"{rule.remediation} [Read more]({rule.url})."},
        "helpUri": rule.url,
        "defaultConfiguration": {"level": _level(rule.level)},
        "properties": {
            "tags": ["security", "azure", *also],
            "precision": "very-high",
            "security-severity": SECURITY_SEVERITY[rule.severity],
        },
    }


def _result(finding: Finding, index: int, place: Place) -> dict[str, Any]:
    kind = "open" if finding.kind == "undecided" and not finding.blocks else "fail"
    name = finding.urn.rpartition("::")[2]
    region = {"startLine": place.line, **({"startColumn": place.column} if place.column else {})}
    result: dict[str, Any] = {
        "ruleId": finding.rule.name,
        "ruleIndex": index,
        "kind": kind,
        "level": "none" if kind == "open" else _level(finding.level),
        "message": {"text": f"{name}: {finding.message}" if name else finding.message},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": place.uri}, "region": region},
                "logicalLocations": list(_logical(finding)),
            }
        ],
        "partialFingerprints": {"ruleResourceProperty/v1": fingerprint(finding)},
    }
    if finding.exemption:
        until = finding.exemption.expires.isoformat()
        said = f"{finding.exemption.reason} (owner {finding.exemption.owner}, expires {until})"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": said}]
    return result


def _logical(finding: Finding) -> Iterable[dict[str, str]]:
    if finding.urn:
        yield {"fullyQualifiedName": finding.urn, "kind": "resource"}
    if finding.path:
        yield {"fullyQualifiedName": finding.path, "kind": "property"}


def _level(level: Level) -> str:
    return {Level.DISABLED: "none", Level.ADVISORY: "warning"}.get(level, "error")
