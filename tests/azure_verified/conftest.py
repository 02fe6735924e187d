"""Which cloud the tests run against, and the record of what they found.

A test says with `@pytest.mark.azure_verified("arm.md", "Requests above 4 MB")` which row of docs/fidelity it is about.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, started
from tools.verify.report import Result, find_row
from tools.verify.resources import Subscription
from tools.verify.run import SETTINGS

RUN, LOCATION, RESULTS = (os.environ.get(name) for name in SETTINGS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a mark whose row is no row of the page."""
    for item in items:
        mark = item.get_closest_marker("azure_verified")
        if mark and mark.args:
            page, row = mark.args
            find_row((ROOT / "docs" / "fidelity" / page).read_text(), row)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """Write the outcome of each test, as soon as it is there."""
    outcome: Any = yield
    report = outcome.get_result()
    mark = item.get_closest_marker("azure_verified")
    if RESULTS and mark and (report.when == "call" or report.outcome != "passed"):
        page, row = mark.args or ("", "")
        text = "" if report.outcome == "passed" else str(call.excinfo.value if call.excinfo else report.longrepr)
        with Path(RESULTS).open("a") as file:
            file.write(json.dumps(vars(Result(item.name, page, row, report.outcome, text))) + "\n")


@pytest.fixture(name="sandbox_variables", scope="package")
def variables_of_a_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """This process signs in to Azure as its shell does; without a run's variables, to a sandbox of its own."""
    if RUN:
        yield
        return
    folder = tmp_path_factory.mktemp("verified")
    with started(folder / ".sandbox") as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_DIR", str(sandbox.directory))
        sandbox.sign_in(patch)
        yield


@pytest.fixture(name="azure", scope="package")
def azure_subscription(sandbox_variables: None) -> Subscription:
    """The subscription in which the tests make resources. `make verify-azure` removes them."""
    return Subscription(os.environ["AZURE_SUBSCRIPTION_ID"], LOCATION or "eastus2", RUN or "plumbing")


@pytest.fixture(name="group", scope="package")
def resource_group(azure: Subscription) -> str:
    """Id of a resource group for all tests: use names of your own in it."""
    return azure.group("tests")
