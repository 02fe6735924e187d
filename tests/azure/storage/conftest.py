from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.azure.storage.harness import Azure, running

_NUMBERS = count()


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azure]:
    """A local Azure; tests keep apart by accounts of their own."""
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def new_name() -> Callable[[], str]:
    """Names of accounts and vaults that no other test uses."""
    return lambda: f"account{next(_NUMBERS)}"
