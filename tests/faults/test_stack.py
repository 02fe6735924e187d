"""The program under faults: what providers outlast, what is told, and how one goes on."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.azure.client import Client
from tests.conftest import Sandbox
from tests.faults.sweep import clear, life, plan, said, struck
from tests.program.harness import stack_file
from tests.program.stack import Stack

KINDS = ("throttle", "error", "unavailable", "reset-before", "reset-after", "truncated")


@pytest.fixture
def signed_in(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    for name, value in sandbox.environment("owner").items():
        monkeypatch.setenv(name, value)
    yield sandbox


@pytest.mark.parametrize("seed", [1])
def test_a_fault_in_twenty_requests_is_outlasted(seed: int, signed_in: Sandbox, tmp_path: Path) -> None:
    each = 1 - 0.95 ** (1 / len(KINDS))
    plan(signed_in, seed, *(f"{kind},probability={each:.6f},seconds=0" for kind in KINDS))
    for tried in life(signed_in, tmp_path):
        assert tried.runs == 1, (tried.operation, tried.texts)
    assert len(struck(signed_in)) >= 3


def test_every_kind_at_once_ends_within_three_runs(signed_in: Sandbox, tmp_path: Path) -> None:
    each = 1 - 0.8 ** (1 / len(KINDS))
    plan(signed_in, 2, *(f"{kind},probability={each:.6f},seconds=0" for kind in KINDS))
    for tried in life(signed_in, tmp_path):
        assert tried.runs, (tried.operation, tried.texts)
        for text in tried.texts:
            assert "Traceback" not in text


def test_what_azure_refuses_is_told_and_the_next_run_goes_on(signed_in: Sandbox, tmp_path: Path) -> None:
    stack, dev = Stack(signed_in, tmp_path), stack_file("dev")
    told = {
        "soft-deleted": "already exists in deleted state",
        "expired-token": "ExpiredAuthenticationToken",
        "quota": "ClusterMinNodesExceedCoreQuota",
    }
    for kind, words in told.items():
        narrowed = ",host=management.azure.com,path=*/workspaces/*" if kind == "expired-token" else ""
        plan(signed_in, 1, f"{kind},count=1{narrowed}")
        done = stack.up(dev)
        assert done.code == 1
        assert words in said(done.text)
        assert "Traceback" not in done.text
    plan(signed_in, 1, "new-principal,seconds=2", "late-roles,seconds=2")
    done = stack.up(dev)
    assert done.code == 0, said(done.text)
    clear(signed_in)
    assert not stack.up(dev).steps


def test_a_create_whose_answer_is_lost_is_found_again_and_told(signed_in: Sandbox, tmp_path: Path) -> None:
    stack, dev, client = Stack(signed_in, tmp_path), stack_file("dev"), Client(signed_in)
    plan(signed_in, 1, "reset-after,method=PUT,path=*/userassignedidentities/*")
    lost = stack.up(dev)
    assert lost.code == 1
    assert "ends connections without an answer (PUT " in said(lost.text)
    assert len(struck(signed_in)) % 4 == 0  # tries of each
    clear(signed_in)
    told = stack.up(dev)
    assert told.code == 1
    found = re.findall(r"cannot create already existing resource '([^']+)'", said(told.text))
    assert found
    for resource in found:
        assert client.arm("DELETE", resource, api="2023-01-31").status_code == 200
    assert stack.up(dev).code == 0
