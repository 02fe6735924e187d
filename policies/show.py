"""A report for people on a terminal."""

from itertools import groupby

from rich.console import Console
from rich.text import Text

from policies.evaluation import Finding
from policies.offline import Report

_STYLES = {"mandatory": "bold red", "advisory": "yellow", "undecided": "cyan", "exempted": "dim"}


def show(report: Report) -> None:
    """Print a report: what was found, by resource, then how much of it blocks."""
    console = Console(highlight=False, soft_wrap=True)
    for urn, group in groupby(sorted(report.findings, key=lambda one: one.urn), key=lambda one: one.urn):
        console.print(Text(urn or "the whole stack", style="bold"))
        for finding in group:
            console.print(*_lines(finding), sep="\n")
    if report.missing:
        console.print(Text(f"Not the whole stack is known: {report.missing}.", style="yellow"))
    kinds = [_word(finding) for finding in report.findings]
    counts = [f"{kinds.count(word)} {word}" for word in _STYLES if word in kinds]
    console.print(Text(f"{report.stack or 'stack'}: {', '.join(counts) or 'every rule is kept'}"))


def _word(finding: Finding) -> str:
    if finding.exemption:
        return "exempted"
    return "undecided" if finding.kind == "undecided" and not finding.blocks else str(finding.level)


def _lines(finding: Finding) -> list[Text]:
    word = _word(finding)
    head = Text.assemble("  ", (word, _STYLES[word]), " ", finding.rule.name)
    lines = [head, Text(f"    {finding.message}")]
    if finding.exemption:
        exemption = finding.exemption
        lines.append(Text(f"    until {exemption.expires}, by {exemption.owner}: {exemption.reason}"))
    elif finding.kind == "violation":
        lines.append(Text(f"    {finding.rule.remediation}"))
    return lines
