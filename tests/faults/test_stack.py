"""The program under faults: what clients outlast, what is told, and how one goes on."""

import copy
import re
from pathlib import Path

import pytest

from tests.azure.client import Client
from tests.conftest import Sandbox
from tests.faults.plans import BARS, PASSING, shared
from tests.faults.sweep import CLUSTER, TEAM, Life, clear, plan, quick, said, small_example, struck, unclear
from tests.program.harness import stack_file
from tests.program.stack import Stack

LOST = "reset-after,count=4,method=PUT,path=*/{}"  # every try of one create
LOSABLE = ("resourcegroups/*-dev", "vaults/*kv", "storageaccounts/*lake", "workspaces/*ws", "computes/ds3-*")


@pytest.fixture
def signed_in(signed_in: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    quick(monkeypatch)
    return signed_in


def test_a_fault_in_twenty_requests_is_outlasted(signed_in: Sandbox, tmp_path: Path) -> None:
    """The main job as well: submitted, run, its metrics told, its model registered."""
    plan(signed_in, 1, *shared(PASSING, 0.05)(1))
    tried = list(Life(signed_in, tmp_path, 1, small_example(tmp_path)).go())
    assert [(one.operation, one.runs) for one in tried] == [(name, 1) for name in ("up", "job", "update", "destroy")], (
        tried[-1].texts
    )
    assert len(struck(signed_in)) >= 3


def test_every_kind_at_once_ends_within_three_runs(signed_in: Sandbox, tmp_path: Path) -> None:
    bar = BARS["mixed-20"]
    plan(signed_in, 2, *bar.rules(2))
    for tried in Life(signed_in, tmp_path, bar.runs).go():
        assert tried.runs, (tried.operation, tried.texts)
        assert not [text for text in tried.texts if unclear(text)]


def test_what_azure_refuses_is_told_and_the_next_run_goes_on(signed_in: Sandbox, tmp_path: Path) -> None:
    stack, dev = Stack(signed_in, tmp_path), stack_file("dev")
    told = {
        "soft-deleted": "already exists in deleted state",
        "quota": "ClusterMinNodesExceedCoreQuota",
    }
    for kind, words in told.items():
        plan(signed_in, 1, f"{kind},count=1")
        done = stack.up(dev)
        assert done.code == 1
        assert words in said(done.text)
        assert ("department purge --check Pulumi.dev.yaml" in done.text) == (kind == "soft-deleted")
        assert not unclear(said(done.text))
    plan(signed_in, 1, "new-principal,seconds=2", "late-roles,seconds=2")
    done = stack.up(dev)
    assert done.code == 0, said(done.text)
    clear(signed_in)
    assert not stack.up(dev).steps


def test_what_no_provider_repeats_is_tried_again_by_the_program(signed_in: Sandbox, tmp_path: Path) -> None:
    """A sign-in, a lookup, a create, an update and a delete; each time it is told, and the run goes on."""
    stack, dev = Stack(signed_in, tmp_path), stack_file("dev")
    half = "truncated,host=login.microsoftonline.com,count=2"
    lookup = "expired-token,host=graph.microsoft.com,count=1"
    create = f"unavailable,method=PUT,path=*/computes/{CLUSTER},count=4"
    plan(signed_in, 1, half, lookup, create)
    done = stack.up(dev)
    assert done.code == 0, said(done.text)
    changed = copy.deepcopy(dev)
    cluster = changed["teams"][0]["clusters"].pop()["name"]
    changed["teams"][0]["clusters"][0]["maxNodes"] += 1
    operations = [f"expired-token,method={method},path=*/computes/*,count=1" for method in ("PUT", "DELETE")]
    plan(signed_in, 1, *operations)
    again = stack.up(changed)
    assert again.code == 0, said(again.text)
    for what in ("a lookup: ", f"create of {TEAM}-", f"update of {TEAM}-", f"delete of {TEAM}-{cluster}: "):
        assert re.search(rf"{what}.*\\nThis passes by itself: try 2 follows in", done.text + again.text), what


def test_what_does_not_pass_is_not_tried_again(signed_in: Sandbox, tmp_path: Path) -> None:
    """Nor what has been made half: azure-native would refuse the create, and its state would be lost. An update may."""
    stack, dev = Stack(signed_in, tmp_path), stack_file("dev")
    plan(signed_in, 1, "late-roles,seconds=600")
    done = stack.up(dev)
    assert done.code == 1
    assert "passes by itself" not in done.text
    assert "assign it the role" in said(done.text)
    assert [one for one in stack.resources() if one["type"].endswith(":Workspace") and one.get("initErrors")]
    plan(signed_in, 1, "expired-token,method=PUT,path=*/workspaces/*ws,count=1")
    done = stack.up(dev)
    assert done.code == 0, said(done.text)
    assert re.search(r"update of \S+-workspace: .*This passes by itself", done.text)


def test_a_submission_outlasts_what_was_done_and_not_answered(signed_in: Sandbox, tmp_path: Path) -> None:
    """Code that arrived, data, a rename that took place, a POST: neither azure-core nor azure-ai-ml repeats these."""
    life = Life(signed_in, tmp_path, 1, small_example(tmp_path))
    done = life.stack.up(stack_file("dev"))
    assert done.code == 0, said(done.text)
    lost = (
        "reset-after,host=*devwork.blob*,method=PUT,count=1",
        # by this seed, the flush: an append repeats itself
        "reset-after,host=*lake.dfs*,method=PATCH,count=1,probability=0.5",
        "reset-after,host=*lake.dfs*,method=PUT,path=*/input.csv,count=1",
        "reset-after,host=management.azure.com,method=POST,count=1",
        "reset-after,host=management.azure.com,method=PUT,path=*/jobs/*,count=1",
    )
    plan(signed_in, 1, *lost)
    code, text = life.submit()
    assert code == 0, text
    assert struck(signed_in) == ["reset-after"] * len(lost)


def test_creates_whose_answers_are_lost_are_imported_as_told(signed_in: Sandbox, tmp_path: Path) -> None:
    """One of each sort that is made at its own time; every loss costs two runs and an import; nothing is remade."""
    dev = stack_file("dev")
    life, client = Life(signed_in, tmp_path, 1), Client(signed_in)
    plan(signed_in, 1, *(LOST.format(path) for path in LOSABLE))
    imported, done = list[str](), life.stack.up(dev)
    while done.code:
        assert len(imported) <= len(LOSABLE), imported
        assert not unclear(said(done.text))
        for code, text in life.follow(said(done.text)):
            assert code == 0, text
        imported += re.findall(r"cannot create already existing resource '([^']+)'", said(done.text))
        done = life.stack.up(dev)
    assert struck(signed_in) == ["reset-after"] * 4 * len(LOSABLE)
    assert len(imported) == len(LOSABLE)
    assert not [step for step in done.steps if "delete" in step or "replace" in step]
    assert not life.stack.up(dev).steps
    assert life.stack.destroy(dev).code == 0
    for one in imported:
        assert client.arm("GET", one, api="2024-03-01").status_code in (400, 404)
