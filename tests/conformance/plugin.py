"""The pytest plugin of the inner run: the fixtures that Microsoft's test proxy would give, and a line for each result.

Loaded by `-p` in the tests' own environment, which knows nothing else of this project.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from devtools_testutils.proxy_fixtures import VariableRecorder

MOST_SLEEP = 2.0  # seconds: the tests' own pauses are made for a service that takes minutes
_sleep = time.sleep


class _Environment(dict[str, str]):
    """The variables by name; live tests get the real values."""

    def sanitize_batch(self, names: dict[str, str]) -> dict[str, str]:
        """The real values of these variables."""
        return {name: os.environ.get(name, replaced) for name, replaced in names.items()}


@pytest.fixture(scope="session")
def test_proxy() -> None:
    """There is none."""


@pytest.fixture
def recorded_test() -> None:
    """Nothing is recorded."""


@pytest.fixture
def variable_recorder() -> VariableRecorder:
    """Gives back what a test made."""
    return VariableRecorder()


@pytest.fixture
def environment_variables() -> _Environment:
    """What the run was given."""
    return _Environment(os.environ)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No pause of a test or a poller is longer than the sandbox needs."""
    monkeypatch.setattr(time, "sleep", lambda seconds: _sleep(min(seconds, MOST_SLEEP)))
    yield


@pytest.fixture(autouse=True)
def own_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client writes a call's token and deployment into a constant: the next test's calls must not have them."""
    from azure.ai.ml.constants import _endpoint  # noqa: PLC0415

    fresh = dict(_endpoint.EndpointInvokeFields.DEFAULT_HEADER)
    monkeypatch.setattr(_endpoint.EndpointInvokeFields, "DEFAULT_HEADER", fresh)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """Adds a result to the file that CONFORMANCE_RESULTS names: each phase that did not pass, else the call."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.when != "call" and report.passed:
        return
    error, place = "", ""
    if call.excinfo is not None:
        error = f"{call.excinfo.typename}: {call.excinfo.value}"
        place = "; ".join(f"{Path(str(one.path)).name}:{one.lineno + 1}" for one in call.excinfo.traceback[-3:])
    line = {
        "test": item.nodeid.removeprefix("tests/"),
        "outcome": report.outcome,
        "when": report.when,
        "seconds": round(report.duration, 1),
        "error": error[:4000],
        "at": place,
        "trace": str(report.longrepr)[-6000:] if report.failed else "",
    }
    with Path(os.environ["CONFORMANCE_RESULTS"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
