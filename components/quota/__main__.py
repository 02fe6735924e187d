"""`python -m components.quota Pulumi.dev.yaml`: does the vCPU quota hold a department's compute, and what to do."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from components.quota import Finding, Verdict, check, share_command
from components.resourcemanager import AzureRefusedError, signed_in
from components.settings import Department, SettingsError, read_stack_file
from components.tables import print_table


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if the quotas hold, 1 if one does not or cannot be read, 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m components.quota",
        description="Compares the vCPUs that a department's compute can use at most with the quota that Azure has.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="stack file, such as Pulumi.dev.yaml")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    try:
        department = read_stack_file(options.file)
        findings = check(department, signed_in())
    except (SettingsError, AzureRefusedError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
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


if __name__ == "__main__":
    sys.exit(main())
