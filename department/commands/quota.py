"""`quota`: does the vCPU quota hold a department's compute, and what to do."""

import json
import sys
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from department.commands.tables import print_table
from operations.quota import Finding, Verdict, check, share_command
from operations.resourcemanager import AzureRefusedError, signed_in
from settings import Department, SettingsError, read_stack_file


def run(file: Path, *, as_json: bool) -> int:
    """Exit code 0 if the quotas hold, 1 if one does not or cannot be read."""
    try:
        department = read_stack_file(file)
        findings = check(department, signed_in())
    except (SettingsError, AzureRefusedError) as error:
        print(error, file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(_document(department, findings), indent=2))
    else:
        _draw(department, findings)
    return 1 if any(one.verdict is not Verdict.FITS for one in findings) else 0


def _document(department: Department, findings: list[Finding]) -> dict[str, Any]:
    return {
        "subscriptionId": department.subscription_id,
        "region": department.region,
        "quotas": [
            {
                "quota": one.demand.pool,
                "workspace": one.workspace,
                "limit": one.limit.vcpus if one.limit else None,
                "inUse": one.limit.used if one.limit else None,
                "atMost": one.demand.vcpus,
                "verdict": one.verdict.name.lower(),
                "by": one.demand.by,
                "command": one.command,
            }
            for one in findings
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
    for one in findings:
        limit = "–" if one.limit is None else "none" if one.limit.vcpus is None else str(one.limit.vcpus)
        used = str(one.limit.used) if one.limit else "–"
        table.add_row(one.demand.pool, one.workspace or "subscription", limit, used, str(one.demand.vcpus), one.verdict)
    print_table(table)
    for one in findings:
        if one.verdict is not Verdict.FITS:
            print(one.text(department.region))
    if command := share_command(department, findings):
        print(f"To keep each workspace to a share of its own: {command}")
