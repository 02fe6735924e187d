"""The state that the services of the local Azure share."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.azure import clock
from sandbox.azure.access.rbac import AccessControl
from sandbox.azure.access.tenant import seed_tenant
from sandbox.azure.access.tokens import Tokens
from sandbox.azure.store import Store

SEED = Path(__file__).with_name("seed.yaml")
SEED_VARIABLE = "SANDBOX_SEED"
"""Names a file of the form of `seed.yaml` to take in its place."""


@dataclass(frozen=True)
class Cloud:
    """One local Azure: its folder, its store and what decides about access.

    Attributes:
        directory: The sandbox's folder; blobs, runs and environments are kept below it.
        store: Everything that the services remember.
        tokens: Signs and checks callers' tokens.
        access: Decides by role assignments.
        seed: The tenant as the seed file has it: `tenantId`, `domain`, `subscriptions`, `users`, `groups`, `personas`,
            `quotas`, ...
        client_environment: The variables with which a client (a job, for one) reaches this Azure.
    """

    directory: Path
    store: Store
    tokens: Tokens
    access: AccessControl
    seed: dict[str, Any]
    client_environment: dict[str, str]


def load_seed() -> dict[str, Any]:
    """The tenant of the seed file, the project's or the one that `SEED_VARIABLE` names."""
    file = Path(os.environ.get(SEED_VARIABLE) or SEED)
    seed: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return seed


def open_cloud(directory: Path, client_environment: dict[str, str]) -> Cloud:
    """Opens, or makes, the local Azure in a folder.

    Raises:
        OSError, sqlite3.Error: The folder cannot be written.
    """
    tenant = load_seed()
    store = Store(directory / "azure.db")
    clock.restore(store)
    seed_tenant(store, tenant)
    return Cloud(
        directory, store, Tokens(directory, tenant["tenantId"]), AccessControl(store), tenant, client_environment
    )
