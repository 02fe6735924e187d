"""`purge`: finds and frees the names that a deleted stack still blocks."""

import sys
from dataclasses import asdict
from pathlib import Path

from operations.purge import DeletedVault, deleted_vaults, purge_vault, purge_workspaces
from operations.resourcemanager import Send, signed_in
from settings import Department, read_stack_file
from settings.types import PRODUCTION
from terminal import print_json


def run(file: Path, *, only_check: bool, production: bool, as_json: bool) -> int:
    """Free the names that a deleted stack blocks, or only name them; exit code 1 if a name is (still) blocked.

    Raises:
        SettingsError: The stack file cannot be used.
        AzureRefusedError: Azure refuses a request.
    """
    department = read_stack_file(file)
    if only_check:
        return _check(department, signed_in(), as_json=as_json)
    if department.environment == PRODUCTION and not production:
        print(f"error: {file}: is a production stack; add --production to purge its vaults.", file=sys.stderr)
        return 1
    return _purge(department, signed_in())


def _check(department: Department, send: Send, *, as_json: bool) -> int:
    vaults = list(deleted_vaults(department, send))
    if as_json:
        print_json([asdict(vault) for vault in vaults])
    else:
        print("\n".join(map(_advice, vaults)) or "No deleted key vault blocks a name of this stack.")
    return 1 if vaults else 0


def _advice(vault: DeletedVault) -> str:
    recover = f"az keyvault recover --name {vault.name}, then pulumi import it"
    if vault.protected:
        return f"{vault.name} (team {vault.team}): deleted and protected until {vault.until}; recover it: {recover}."
    return (
        f"{vault.name} (team {vault.team}): deleted, kept until {vault.until}. "
        f"Purge it: python -m department purge FILE; or keep its secrets: {recover}."
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
