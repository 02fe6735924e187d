"""`quota`: does the vCPU quota hold a department's compute, and what to do."""

from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from operations.quota import Finding, Verdict, check, read_quotas, share_command
from operations.resourcemanager import signed_in
from operations.shares import Share, set_shares, shares
from settings import Department, read_stack_file
from terminal import print_json, print_table


def run(file: Path, *, apply: bool, as_json: bool) -> int:
    """Print the quotas that a department draws on; exit code 1 if one is too small or not as the settings say.

    Args:
        file: The stack file.
        apply: Whether the teams' limits are set first.
        as_json: Whether to print JSON.

    Raises:
        SettingsError: The stack file cannot be used.
        AzureRefusedError: The quotas cannot be read, or a limit cannot be set.
    """
    department, send = read_stack_file(file), signed_in()
    quotas = read_quotas(department, send)
    changed = set_shares(department, quotas, send) if apply else []
    if changed:
        quotas = read_quotas(department, send)
    findings, limits = check(department, quotas), shares(department, quotas)
    if as_json:
        print_json(_document(department, findings, limits))
    else:
        for share in changed:
            print(f"Set the limit of {share.family} of the workspace {share.workspace}: {share.vcpus}.")
        _draw(department, findings)
        for share in limits:
            if share.differs:
                print(f"{share.text} Set it: python -m department quota --apply {file}")
    differs = any(share.differs for share in limits)
    return 1 if differs or any(finding.verdict is not Verdict.FITS for finding in findings) else 0


def _document(department: Department, findings: list[Finding], limits: list[Share]) -> dict[str, Any]:
    return {
        "teamLimits": [
            {
                "team": share.team,
                "workspace": share.workspace,
                "quota": share.family,
                "limit": share.vcpus,
                "actual": share.actual,
            }
            for share in limits
        ],
        "subscriptionId": department.subscription_id,
        "region": department.region,
        "quotas": [
            {
                "quota": finding.demand.pool,
                "workspace": finding.workspace,
                "limit": finding.limit.vcpus if finding.limit else None,
                "inUse": finding.limit.used if finding.limit else None,
                "atMost": finding.demand.vcpus,
                "verdict": finding.verdict.name.lower(),
                "by": finding.demand.by,
                "command": finding.command,
            }
            for finding in findings
        ],
        "shareCommand": share_command(department, findings),
    }


def _draw(department: Department, findings: list[Finding]) -> None:
    print(f"vCPU quota in {department.region} of subscription {department.subscription_id}")
    if not findings:
        print("The department has no compute.")
        return
    table = Table(box=SIMPLE_HEAD)
    for name in ("Quota", "Whose"):
        table.add_column(name, no_wrap=True)
    for name in ("Limit", "In use now", "At most"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for finding in findings:
        limit = "–" if finding.limit is None else "none" if finding.limit.vcpus is None else str(finding.limit.vcpus)
        used = str(finding.limit.used) if finding.limit else "–"
        table.add_row(
            finding.demand.pool,
            finding.workspace or "subscription",
            limit,
            used,
            str(finding.demand.vcpus),
            finding.verdict,
        )
    print_table(table)
    for finding in findings:
        if finding.verdict is not Verdict.FITS:
            print(finding.text(department.region))
    if command := share_command(department, findings):
        print(f"To keep each workspace to a share of its own: {command}")
