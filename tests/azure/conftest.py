"""Clients of the shared sandbox."""

from collections.abc import Iterator

import pytest

from tests.azure.client import Client
from tests.conftest import Sandbox, started


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


@pytest.fixture(scope="session")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A second sandbox of the worker, whose clock tests move forward: nothing in it stays as recent as it was."""
    with started(tmp_path_factory.mktemp("moving") / ".sandbox") as sandbox:
        yield sandbox
