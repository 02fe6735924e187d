"""`python -m components.softdeleted check|purge Pulumi.dev.yaml`: names that a deleted stack still blocks."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from components.resourcemanager import AzureRefusedError, Send, signed_in
from components.settings import Department, SettingsError, read_stack_file
from components.settings.model import PRODUCTION
from components.softdeleted import DeletedVault, deleted_vaults, purge_vault, purge_workspaces


def main(arguments: list[str] | None = None, send: Send | None = None) -> int:
    """Exit code 0 if no name is blocked (any more), 1 if one is or Azure refuses, 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m components.softdeleted",
        description="Finds and frees the names that a deleted stack blocks: key vaults and workspaces, deleted softly.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="name the key vaults that block the stack's names")
    check.add_argument("--json", action="store_true", help="print the result as JSON")
    purge = commands.add_parser("purge", help="remove them, and the workspaces, for good; also workspaces still there")
    purge.add_argument("--production", action="store_true", help="even of a production stack")
    for command in (check, purge):
        command.add_argument("file", type=Path, metavar="FILE", help="stack file, such as Pulumi.dev.yaml")
    options = parser.parse_args(arguments)
    try:
        department = read_stack_file(options.file)
        if options.command == "check":
            return _check(department, send or signed_in(), as_json=options.json)
        if department.environment == PRODUCTION and not options.production:
            print(f"{options.file}: is a production stack; add --production to purge its vaults.", file=sys.stderr)
            return 1
        return _purge(department, send or signed_in())
    except (SettingsError, AzureRefusedError) as error:
        print(error, file=sys.stderr)
        return 1


def _check(department: Department, send: Send, *, as_json: bool) -> int:
    vaults = list(deleted_vaults(department, send))
    if as_json:
        print(json.dumps([asdict(vault) for vault in vaults], indent=2))
    else:
        print("\n".join(map(_advice, vaults)) or "No deleted key vault blocks a name of this stack.")
    return 1 if vaults else 0


def _advice(vault: DeletedVault) -> str:
    recover = f"az keyvault recover --name {vault.name}, then pulumi import it"
    if vault.protected:
        return f"{vault.name} (team {vault.team}): deleted and protected until {vault.until}; recover it: {recover}."
    return (
        f"{vault.name} (team {vault.team}): deleted, kept until {vault.until}. "
        f"Purge it: python -m components.softdeleted purge FILE; or keep its secrets: {recover}."
    )


def _purge(department: Department, send: Send) -> int:
    blocked = False
    for vault in deleted_vaults(department, send):
        if vault.protected:
            print(_advice(vault), file=sys.stderr)
            blocked = True
        else:
            purge_vault(department, vault, send)
            print(f"purged the key vault {vault.name}")
    for name in purge_workspaces(department, send):
        print(f"purged the workspace {name}")
    return 1 if blocked else 0


if __name__ == "__main__":
    sys.exit(main())
