"""The store: whole transactions, prefixes, what survives a kill."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.azure.front.errors import failure
from sandbox.azure.store import Store
from tests.conftest import ROOT

KEYS = st.text("ab/~\U0010ffffé", min_size=1, max_size=4)


@given(st.dictionaries(KEYS, st.integers()), st.text("ab/", max_size=3))
def test_a_prefix_finds_what_begins_with_it_in_order(documents: dict[str, int], prefix: str) -> None:
    store = Store(Path(":memory:"))
    for key, value in documents.items():
        store.put("kind", key, {"value": value})
        store.put("other", key, {})
    found = [(key, body["value"]) for key, body in store.items("kind", prefix)]
    expected = {key: value for key, value in documents.items() if key.startswith(prefix)}
    assert dict(found) == expected
    assert [key for key, _ in found] == sorted(expected, key=lambda key: key.encode())


def test_a_transaction_is_whole(tmp_path: Path) -> None:
    store = Store(tmp_path / "db")
    store.put("k", "a", {"n": 1})
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.put("k", "a", {"n": 2})
        with store.transaction():
            store.delete("k", "a")
        raise ZeroDivisionError
    assert store.get("k", "a") == {"n": 1}
    with store.transaction():
        store.put("k", "b", {})
    store.close()
    assert [key for key, _ in Store(tmp_path / "db").items("k")] == ["a", "b"]


def test_resources_are_found_by_type() -> None:
    store = Store(Path(":memory:"))
    for name in ("b", "a"):
        store.put("resource", f"/{name}", {"id": name, "type": "One"})
    store.put("resource", "/c", {"type": "Two"})
    store.put("other", "/d", {"type": "One"})
    assert [one["id"] for one in store.resources("One")] == ["a", "b"]


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from sandbox.azure.store import Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "for number in range(10**9):\n"
        "    store.put('k', str(number), {'n': number})\n"
        "    os.write(1, b'%d\\n' % number)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        assert process.stdout is not None
        for _ in range(200):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        last = max([int(line) for line in process.stdout.read().split()[:-1]], default=199)
    store = Store(tmp_path / "db")
    assert all(store.get("k", str(number)) == {"n": number} for number in range(last + 1))


def test_a_full_disk_is_told_and_not_tried_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "db")
    store._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError) as full:
        store.put("k", "a", {"text": "x" * 100_000})
    answer = failure(full.value)
    assert (answer.status, answer.code) == (507, "InsufficientStorage")  # 500 is tried again by every client
    assert failure(sqlite3.OperationalError("no such table: x")).status == 500


def test_runs_are_found_by_their_parent_within_a_workspace() -> None:
    store = Store(Path(":memory:"))
    for key, parent in (("one/b", "p"), ("one/a", "p"), ("one/c", "q"), ("other/a", "p")):
        store.put("mlRun", key, {"runId": key, "parentRunId": parent})
    assert [run["runId"] for run in store.having("mlRun", "parentRunId", "p", "one/")] == ["one/a", "one/b"]
    store.put("mlRun", "one/a", {"runId": "one/a", "parentRunId": None})
    assert [run["runId"] for run in store.having("mlRun", "parentRunId", "p", "one/")] == ["one/b"]
