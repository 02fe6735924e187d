"""A stack's life under a fault plan: up, update, destroy, each tried again a few times as a user would."""

import copy
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Sandbox
from tests.program.harness import stack_file
from tests.program.stack import Done, Stack


@dataclass(frozen=True)
class Tried:
    """How an operation went.

    Attributes:
        operation: `up`, `update` or `destroy`.
        runs: How many it took; 0 where it did not succeed.
        texts: What the runs that failed said.
        seconds: All runs together.
    """

    operation: str
    runs: int
    texts: list[str]
    seconds: float


def plan(sandbox: Sandbox, seed: int, *rules: str) -> None:
    done = sandbox.command("faults", "set", *rules, "--seed", str(seed))
    assert done.returncode == 0, done.stderr


def clear(sandbox: Sandbox) -> None:
    assert sandbox.command("faults", "clear").returncode == 0


def struck(sandbox: Sandbox) -> list[str]:
    """The kinds of the faults that happened, in order."""
    return re.findall(r"fault ([a-z-]+):", sandbox.log())


def said(text: str) -> str:
    """What a command told the user as errors; all of it where it wrote no events."""
    events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    found = [event["diagnosticEvent"] for event in events if "diagnosticEvent" in event]
    return "\n".join(one["message"].strip() for one in found if one["severity"] == "error") or text


def life(sandbox: Sandbox, folder: Path, *, runs: int = 3, update: bool = True) -> list[Tried]:
    """Brings the dev stack up, changes it, destroys it, under whatever plan the sandbox has."""
    stack, dev = Stack(sandbox, folder), stack_file("dev")
    changed = copy.deepcopy(dev)
    changed["teams"][0]["clusters"][0]["maxNodes"] += 1
    steps: list[tuple[str, Any]] = [("up", dev), ("update", changed), ("destroy", changed)]
    return [_try(stack, name, department, runs) for name, department in steps if update or name != "update"]


def _try(stack: Stack, name: str, department: Any, runs: int) -> Tried:
    began, texts = time.monotonic(), list[str]()
    operation = stack.destroy if name == "destroy" else stack.up
    for number in range(1, runs + 1):
        done: Done = operation(department)
        if done.code == 0:
            return Tried(name, number, texts, time.monotonic() - began)
        texts.append(said(done.text))
    return Tried(name, 0, texts, time.monotonic() - began)
