"""A team's workspace in the shared sandbox, and azure-ai-ml's client of its data scientist."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.azure.client import Client
from tests.azure.ml import harness
from tests.azure.ml.harness import Team
from tests.conftest import Sandbox

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


@pytest.fixture(scope="session")
def team(azure: Client) -> Team:
    """A workspace whose storage has no keys, with a cluster and a data lake."""
    return harness.team(azure)


@pytest.fixture(scope="session")
def keyed_team(azure: Client) -> Team:
    """A workspace whose datastores have the account's key."""
    return harness.team(azure, keys=True)


@pytest.fixture
def as_scientist(as_persona: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is the data scientist's."""
    as_persona("scientist")
    monkeypatch.setenv("AZUREML_RUN_POLLING_INTERVAL_MIN", "1")


@pytest.fixture
def ml(team: Team, shared_sandbox: Sandbox, as_scientist: None) -> "MLClient":
    """The unmodified client, as the data scientist."""
    return harness.ml_client(team)
