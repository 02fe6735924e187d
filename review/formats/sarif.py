"""A report as SARIF 2.1.0, for GitHub's code scanning: what is broken at the head, at its line of the stack file.

GitHub takes at most 20 runs a file, each with a category of its own, and closes the alerts of a category that a new
upload of it no longer has. So each stack has its own category, or, where there are more than 20, one of 20 that its
name alone decides. What is exempted is left out, since GitHub would show it as an alert.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from policies.sarif import SCHEMA, SECURITY_SEVERITY
from review.model import Change, Violation
from review.report import Report, StackReview
from settings.plan import Place

MOST_RUNS: Final = 20
LOSS: Final = "review-lose-no-data"
_SCORES: Final = {str(severity): score for severity, score in SECURITY_SEVERITY.items()}
_LOSS_RULE: Final[dict[str, Any]] = {
    "id": LOSS,
    "shortDescription": {"text": "No data is lost unless it is meant."},
    "defaultConfiguration": {"level": "error"},
    "properties": {"tags": ["data"], "precision": "very-high"},
}


def sarif(report: Report) -> dict[str, Any]:
    """A SARIF log with a run for each category."""
    categories: dict[str, list[StackReview]] = {}
    total = len(report.stacks) + len(report.untouched)
    for stack in report.stacks:
        categories.setdefault(category(stack.stack, total), []).append(stack)
    runs = [_run(name, stacks) for name, stacks in sorted(categories.items())]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": runs}


def category(stack: str, total: int) -> str:
    """The category of a stack's alerts.

    Args:
        stack: Its name.
        total: The number of stacks of the project.
    """
    if total <= MOST_RUNS:
        return f"review/{stack}/"
    return f"review/group-{int(hashlib.sha256(stack.encode()).hexdigest(), 16) % MOST_RUNS + 1:02}/"


def _run(name: str, stacks: Sequence[StackReview]) -> dict[str, Any]:
    rules: dict[str, dict[str, Any]] = {}
    results = []
    for stack in stacks:
        for one in stack.violations:
            if one.state != "fixed" and not one.exemption:
                rules.setdefault(one.rule, _rule(one))
                results.append(_violated(one, list(rules).index(one.rule), stack))
        for change in stack.losses:
            if change.loss and not change.loss.accepted:
                rules.setdefault(LOSS, _LOSS_RULE)
                results.append(_lost(change, list(rules).index(LOSS), stack))
    return {
        "tool": {"driver": {"name": "azureml-platform-review", "rules": list(rules.values())}},
        "automationDetails": {"id": name},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }


def _rule(one: Violation) -> dict[str, Any]:
    return {
        "id": one.rule,
        "shortDescription": {"text": one.title},
        "help": {"text": one.remediation or one.title},
        **({"helpUri": one.url} if one.url.startswith("https://") else {}),
        "defaultConfiguration": {"level": "error" if one.level == "mandatory" else "warning"},
        "properties": {
            "tags": ["security", "azure"],
            "precision": "very-high",
            "security-severity": _SCORES.get(one.severity, "5.5"),
        },
    }


def _violated(one: Violation, index: int, stack: StackReview) -> dict[str, Any]:
    text = f"{one.urn.rpartition('::')[2]}: {one.message}"
    level = "error" if one.level == "mandatory" else "warning"
    return {"ruleId": one.rule, "ruleIndex": index, "level": level, **_about(stack, one.place, text, one.urn, one.path)}


def _lost(change: Change, index: int, stack: StackReview) -> dict[str, Any]:
    text = f"{change.name} is {change.operation}, and with it goes {change.loss.what if change.loss else ''}"
    place = change.place if change.operation != "deleted" else None  # the head has no such line
    return {"ruleId": LOSS, "ruleIndex": index, "level": "error", **_about(stack, place, text, change.urn)}


def _about(stack: StackReview, place: Place | None, text: str, urn: str, path: str = "") -> dict[str, Any]:
    """What a result says, where, and by what it is known again: resource and property, beside the rule."""
    region = {"startLine": place.line, "startColumn": place.column} if place else {"startLine": 1}
    location = {"artifactLocation": {"uri": stack.file}, "region": region}
    logical = [{"fullyQualifiedName": name, "kind": kind} for name, kind in _logical(urn, path)]
    known = hashlib.sha256(f"{urn}\n{path}".encode()).hexdigest()[:32]
    return {
        "message": {"text": text},
        "locations": [{"physicalLocation": location, "logicalLocations": logical}],
        "partialFingerprints": {"resourceProperty/v1": known},
    }


def _logical(urn: str, path: str) -> Iterator[tuple[str, str]]:
    if urn:
        yield urn, "resource"
    if path:
        yield path, "property"
