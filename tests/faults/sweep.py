"""A department's life under a fault plan: up, a training run, an update, the end; each tried again as a user would."""

import contextlib
import copy
import csv
import io
import json
import logging
import os
import re
import shlex
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from azure.core.pipeline.transport import HttpTransport

from components import retries
from jobs.__main__ import main as jobs_command
from sandbox.providers import http
from tests.conftest import Sandbox
from tests.program.harness import ROOT, stack_file
from tests.program.stack import Done, Stack

CLUSTER, TEAM, MODEL = "ds3-v2-cluster", "bluegranit", "highspenders"
ONE_IN = 20  # of the example's customers, so that a seed's training takes a second
LONGEST_PAUSE = 0.05  # seconds that a client waits before another try; how often it tries stays as it is
FASTER = 100  # the program's own pauses, which are minutes, by this factor


@dataclass(frozen=True)
class Tried:
    """How an operation went.

    Attributes:
        operation: `up`, `job`, `update` or `destroy`.
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
    events = [json.loads(line) for line in text.splitlines() if line.startswith('{"')]
    found = [event["diagnosticEvent"] for event in events if "diagnosticEvent" in event]
    return "\n".join(one["message"].strip() for one in found if one["severity"] == "error") or text


def quick(patch: pytest.MonkeyPatch) -> None:
    """Shortens the pauses between tries, and nothing else, of the program and the clients in this process."""
    patch.setattr(retries, "PAUSES", tuple(pause / FASTER for pause in retries.PAUSES))
    patch.setattr(http, "_RECONNECTS", (0.0, 0.0, 0.0))
    patch.setattr(HttpTransport, "sleep", lambda self, duration: time.sleep(min(duration, LONGEST_PAUSE)))


def small_example(folder: Path) -> Path:
    """The example's job, unchanged but for its data: one in `ONE_IN` customers."""
    found = shutil.copytree(ROOT / "jobs" / "examples" / "highspenders", folder / "highspenders")
    with (found / "input.csv").open(newline="") as file:
        first, *rows = csv.reader(file)
    with (found / "input.csv").open("w", newline="") as file:
        csv.writer(file).writerows([first, *(row for row in rows if int(row[0]) % ONE_IN == 0)])
    return found


PIPELINE = """
type: pipeline
jobs:
  make:
    type: command
    command: echo made > ${{outputs.out}}/made
    environment: {image: "python:3.11"}
    outputs: {out: {type: uri_folder}}
  use:
    type: command
    command: cat ${{inputs.made}}/made
    environment: {image: "python:3.11"}
    inputs: {made: "${{parent.jobs.make.outputs.out}}"}
"""


@dataclass
class Life:
    """One department in one sandbox.

    Attributes:
        sandbox: Started, with a plan or without.
        folder: For its files.
        runs: How often each operation is run at most.
        job: The folder of the job to submit.
    """

    sandbox: Sandbox
    folder: Path
    runs: int
    job: Path | None = None

    def __post_init__(self) -> None:
        self.stack = Stack(self.sandbox, self.folder)
        self.outputs = self.folder / "outputs.json"

    def go(self) -> Iterator[Tried]:
        """Brings the dev stack up, trains on it, changes it, destroys it; ends where an operation does not succeed."""
        dev = stack_file("dev")
        changed = copy.deepcopy(dev)
        changed["teams"][0]["clusters"][0]["maxNodes"] += 1
        steps: list[tuple[str, Callable[[int], tuple[int, str]]]] = [
            ("up", lambda _: _told(self.stack.up(dev))),
            ("job", lambda _: self.work()),
            ("update", lambda _: _told(self.stack.up(changed))),
            # with the program, which tries again; what is half destroyed then, without
            ("destroy", lambda run: _told(self.stack.destroy(changed, *(["--run-program"] if run == 1 else [])))),
        ]
        for name, operation in steps:
            if name == "job" and self.job is None:
                continue
            tried = self._try(name, operation)
            yield tried
            if not tried.runs:
                return

    def _try(self, name: str, operation: Callable[[int], tuple[int, str]]) -> Tried:
        began, texts = time.monotonic(), list[str]()
        for number in range(1, self.runs + 1):
            code, text = operation(number)
            if code == 0:
                return Tried(name, number, texts, time.monotonic() - began)
            texts.append(text)
            self.follow(text)
        return Tried(name, 0, texts, time.monotonic() - began)

    def follow(self, text: str) -> list[tuple[int, str]]:
        """Does what a failed update's message says about what exists in Azure and not in the state."""
        advised = re.findall(r"^  pulumi (import .*)$", text, re.MULTILINE)
        return [self._follow(shlex.split(words)) for words in advised]

    def _follow(self, words: list[str]) -> tuple[int, str]:
        done = (self.stack.run(*words) for _ in range(self.runs))
        return next(
            (one for one in done if one[0] == 0), (1, f"{self.runs} tries of pulumi {shlex.join(words)} failed")
        )

    def work(self) -> tuple[int, str]:
        """Runs the job and registers its model, then a pipeline; exit code and output of what failed or came last."""
        code, text = self.submit("--register", MODEL)
        if code:
            return code, text
        pipeline = self.folder / "pipeline.yml"
        pipeline.write_text(PIPELINE)
        return self.submit("--wait", job=pipeline)

    def submit(self, *more: str, job: Path | None = None) -> tuple[int, str]:
        """Submits the job, or another one; exit code and output."""
        self.outputs.write_text(json.dumps(self.stack.outputs()))
        words = ["submit", str(job or self.job), "--outputs", str(self.outputs), "--team", TEAM, "--cluster", CLUSTER]
        return command(self.sandbox, *words, *more)


def _told(done: Done) -> tuple[int, str]:
    return done.code, said(done.text)


def command(sandbox: Sandbox, *words: str) -> tuple[int, str]:
    """Exit code and output of `python -m jobs WORDS` as the scientist, run in this process."""
    output, before = io.TextIOWrapper(io.BytesIO(), write_through=True), dict(os.environ)
    os.environ.update(sandbox.environment("scientist"))
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), warnings.catch_warnings():
            code = jobs_command(list(words))
    finally:
        logging.disable(logging.NOTSET)
        os.environ.clear()
        os.environ.update(before)
    output.seek(0)
    return code, output.read()


def unclear(text: str) -> str:
    """What is missing in what a failed command said; empty for a text that says what, why and on what."""
    text = text[text.rfind("\nerror: ") + 1 :]  # what a job's own code wrote before is not ours
    if "Traceback" in text:
        return "a traceback"
    if not re.search(r"https?://|/subscriptions/|urn:pulumi:|run \w+ ended|Azure|client '", text):
        return "what it is about"
    if not re.search(r"\b[1-5]\d\d\b|Code=|[A-Z][a-z]+[A-Z]\w+|EOF|without an answer|broken|reached|deleted", text):
        return "a code or a reason"
    return ""
