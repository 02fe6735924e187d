"""Clients of the shared sandbox."""

import pytest

from tests.azure.client import Client
from tests.conftest import Sandbox


@pytest.fixture(scope="session")
def azure(shared_sandbox: Sandbox) -> Client:
    """The owner's client."""
    return Client(shared_sandbox)


@pytest.fixture(scope="session")
def lead(shared_sandbox: Sandbox) -> Client:
    """The team lead's client: without any role at the subscription."""
    return Client(shared_sandbox, "lead")


@pytest.fixture(scope="session")
def scientist(shared_sandbox: Sandbox) -> Client:
    """The data scientist's client: without any role at the subscription."""
    return Client(shared_sandbox, "scientist")
