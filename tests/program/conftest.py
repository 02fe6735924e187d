"""A sandbox for a whole module."""

from collections.abc import Iterator

import pytest

from tests.conftest import Sandbox, started


@pytest.fixture(scope="module")
def module_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of the module's own, empty at its beginning."""
    with started(tmp_path_factory.mktemp("sandbox") / ".sandbox") as sandbox:
        yield sandbox
