"""Visitors of the shared sandbox's studio."""

from collections.abc import Callable

import pytest

from tests.azure.client import Client
from tests.conftest import Sandbox
from tests.studio.visitor import Visitor


@pytest.fixture(scope="session")
def visitors(shared_sandbox: Sandbox) -> Callable[[str], Visitor]:
    """A persona's visitor."""
    found: dict[str, Visitor] = {}

    def visitor(persona: str) -> Visitor:
        if persona not in found:
            found[persona] = Visitor.of(shared_sandbox, persona)
        return found[persona]

    return visitor


@pytest.fixture(scope="session")
def owner_visit(visitors: Callable[[str], Visitor]) -> Visitor:
    """The owner's visitor."""
    return visitors("owner")


@pytest.fixture(scope="session")
def scientist_visit(visitors: Callable[[str], Visitor]) -> Visitor:
    """The data scientist's visitor."""
    return visitors("scientist")


@pytest.fixture(scope="session")
def azure(shared_sandbox: Sandbox) -> Client:
    """The owner's client."""
    return Client(shared_sandbox)
