"""The sandbox killed (SIGKILL) at a random moment of some work, started again, and compared with what it had said."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import control
from tests.azure.client import Client
from tests.azure.ml import harness, serving, waiting
from tests.azure.ml.harness import Team
from tests.azure.ml.pipelines import arm_component, arm_pipeline, children
from tests.azure.ml.waiting import ENDED, below, status, until
from tests.azure.storage.test_durability import killed_at_random
from tests.conftest import Sandbox, started
from tests.faults.sweep import Life, quick, said
from tests.program.harness import stack_file

JOURNAL = 110  # lines of an up of the dev stack
DEADLINE = 60.0  # seconds for a killed process to be gone, and for work to notice
MLFLOW, EXPERIMENT = "mlflow/v2.0", "/api/2.0/mlflow"


@dataclass(frozen=True)
class Killed:
    """How it went.

    Attributes:
        acknowledged: How much the sandbox had said is done.
        lost: What of it was not there afterwards; empty for nothing.
    """

    acknowledged: int
    lost: str = ""


@contextmanager
def killed(sandbox: Sandbox, after: float = 0, *, when: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Kills the sandbox some seconds into the block and once something is so, waits for its end, starts it again."""
    pid, over = control.require(sandbox.directory).pid, threading.Event()

    def kill() -> None:
        time.sleep(after)
        while not when() and not over.is_set():
            time.sleep(0.002)
        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    end = time.monotonic() + DEADLINE
    while control.find(sandbox.directory) is not None:
        assert time.monotonic() < end, "the process is still there"
        time.sleep(0.01)
    sandbox.start()


def until_it_breaks(step: Callable[[int], None]) -> None:
    """Repeats a step, with its number, until the connection breaks."""
    end = time.monotonic() + DEADLINE
    for number in range(10**6):
        assert time.monotonic() < end, "the sandbox lives on"
        try:
            step(number)
        except requests.RequestException:
            return


def through_a_kill(team: Team, step: Callable[[int], None], number: int, most: float = 5) -> Team:
    """Repeats a step until a kill, which comes within so many seconds; the team in the sandbox that starts then."""
    sandbox = team.azure.sandbox
    with killed(sandbox, random.Random(number).uniform(0.2, most)):
        until_it_breaks(step)
    return team.by(Client(sandbox))


def sent(answer: requests.Response) -> None:
    assert answer.status_code in (200, 201, 202), answer.text


def up(folder: Path, number: int) -> Killed:
    """During an up: what the state has is in Azure; a few runs, with imports as told, end in the same as ever."""
    dev = stack_file("dev")
    with started(folder / ".sandbox") as sandbox, pytest.MonkeyPatch.context() as patch:
        quick(patch)
        sandbox.sign_in(patch)
        life = Life(sandbox, folder, 1)
        lines = random.Random(number).randrange(1, JOURNAL)
        with killed(sandbox, when=lambda: written(sandbox) >= lines):
            life.stack.up(dev)
        seen = life.stack.refresh(dev)
        assert seen.code == 0, said(seen.text)
        lost = sorted(step for step in seen.steps if step.startswith("delete"))
        known = len(life.stack.resources())
        for _ in range(10):
            done = life.stack.up(dev)
            if done.code == 0:
                break
            assert all(code == 0 for code, _ in life.follow(said(done.text)))
        assert done.code == 0, said(done.text)
        assert not life.stack.up(dev).steps
    return Killed(known, ", ".join(lost))


def written(sandbox: Sandbox) -> int:
    """The lines of the journal that an engine writes: one before and one after each operation."""
    return sum(path.read_bytes().count(b"\n") for path in sandbox.directory.glob("pulumi/.pulumi/stacks/*/*.journal"))


def uploads(folder: Path, number: int) -> Killed:
    """During uploads, appends, deletes and renames of blobs."""
    return Killed(killed_at_random(folder, number))


def runs(folder: Path, number: int) -> Killed:
    """While jobs are submitted, run and end: each is there and ends; what had ended stays; no process is left."""
    names, ended = list[str](), dict[str, str]()
    with started(folder / ".sandbox") as sandbox:
        team = harness.team(Client(sandbox))
        harness.put(team.azure, f"{team.id}/computes/cpu", harness.cluster(team.needs, most=3))
        properties = harness.command_job(team, "sleep 0.$RANDOM")

        def work(count: int) -> None:
            if count < 6:  # two rounds of three nodes
                sent(team.arm("PUT", f"/jobs/run{count}", {"properties": properties}))
                names.append(f"run{count}")
            for name in names:
                if name not in ended and (now := status(team, name)) in ENDED:
                    ended[name] = now

        team = through_a_kill(team, work, number)
        there = {name: waiting.ended(team, name) for name in names}
        until(lambda: not processes(sandbox.directory / "runs"), "the end of all processes of runs")
    wrong = [f"{name} was {was} and is {there[name]}" for name, was in ended.items() if there[name] != was]
    return Killed(len(names) + len(ended), ", ".join(wrong))


def pipelines(folder: Path, number: int) -> Killed:
    """While pipelines run: each is there and completes, and no step runs again whose success had been seen."""
    names, done = list[str](), set[str]()
    with started(folder / ".sandbox") as sandbox:
        team = harness.team(Client(sandbox))
        harness.put(team.azure, f"{team.id}/computes/cpu", harness.cluster(team.needs, most=3))
        line = f"sleep 0.$RANDOM; echo >> {folder}/$AZUREML_RUN_ID; echo x > ${{{{outputs.out}}}}/x"
        inputs = {"before": {"type": "uri_folder", "optional": True}}
        component = arm_component(team, line, inputs=inputs, outputs={"out": {"type": "uri_folder"}})
        after = {"job_input_type": "literal", "value": "${{parent.jobs.a.outputs.out}}"}
        third = {"componentId": component, "inputs": {"before": after}}

        def work(count: int) -> None:
            if count < 3:
                made = arm_pipeline(team, {"a": component, "b": component, "c": third})
                sent(made)
                names.append(made.json()["name"])
            for name in names:
                steps = children(team, name).values()
                done.update(one["runId"] for one in steps if one["status"] == "Completed")

        team = through_a_kill(team, work, number)
        wrong = [f"{name} {was}" for name in names if (was := waiting.ended(team, name)) != "Completed"]
        until(lambda: not processes(sandbox.directory / "runs"), "the end of all processes of runs")
        wrong += [f"{name} has {sorted(steps)}" for name in names if set(steps := children(team, name)) != set("abc")]
    wrong += [f"{run} ran {times} times" for run in done if (times := len((folder / run).read_text())) != 1]
    return Killed(len(names) + len(done), ", ".join(wrong))


def sweeps(folder: Path, number: int) -> Killed:
    """While sweeps run: each is there and completes with all trials, and no trial runs again that had completed."""
    names, done = list[str](), set[str]()
    with started(folder / ".sandbox") as sandbox:
        team = harness.team(Client(sandbox))
        harness.put(team.azure, f"{team.id}/computes/cpu", harness.cluster(team.needs, most=3))
        line = f"sleep 0.$RANDOM; echo ${{{{search_space.k}}}} >> {folder}/$AZUREML_RUN_ID"
        properties = grid(team, [1, 2, 3, 4, 5], line)

        def work(count: int) -> None:
            if count < 2:
                sent(team.arm("PUT", f"/jobs/sweep{count}", {"properties": properties}, "2024-01-01-preview"))
                names.append(f"sweep{count}")
            for name in names:
                done.update(one["runId"] for one in below(team, name) if one["status"] == "Completed")

        team = through_a_kill(team, work, number)
        wrong = [f"{name} {was}" for name in names if (was := waiting.ended(team, name)) != "Completed"]
        until(lambda: not processes(sandbox.directory / "runs"), "the end of all processes of runs")
        for name in names:
            values = sorted((folder / one["runId"]).read_text().split()[-1] for one in below(team, name))
            wrong += [] if values == list("12345") else [f"{name} tried {values}"]
    wrong += [f"{run} ran {times} times" for run in done if (times := len((folder / run).read_text().split())) != 1]
    return Killed(len(names) + len(done), ", ".join(wrong))


def grid(team: Team, values: list[int], line: str) -> dict[str, Any]:
    """A sweep of a command over each of the values, `${{search_space.k}}`, as the REST API takes it."""
    return {
        "jobType": "Sweep",
        "computeId": f"{team.id}/computes/cpu",
        "searchSpace": {"k": ["choice", [values]]},
        "samplingAlgorithm": {"samplingAlgorithmType": "Grid"},
        "objective": {"goal": "maximize", "primaryMetric": "score"},
        "trial": {"command": line, "environmentId": harness.bare_environment(team)},
    }


def deployments(folder: Path, number: int) -> Killed:
    """While deployments are made: each that was accepted serves in the end, and no server is left."""
    accepted: list[tuple[str, requests.Response]] = []
    with started(folder / ".sandbox") as sandbox:
        team = harness.team(Client(sandbox))
        made, environment = serving.endpoint(team), serving.environment(team)
        code = {"codeId": serving.code(team, serving.ECHO), "scoringScript": "score.py"}

        def work(count: int) -> None:
            if count < 2:
                answer = made.deploy(f"dep{count}", codeConfiguration=code, environmentId=environment)
                sent(answer)
                accepted.append((f"dep{count}", answer))
            made.get()

        made = serving.Endpoint(through_a_kill(team, work, number, 6), made.name)
        wrong = []
        for name, answer in accepted:
            ended = serving.outcome(made.team, answer)["status"]
            status = made.score({}, headers={"azureml-model-deployment": name}).status_code
            wrong += [] if (ended, status) == ("Succeeded", 200) else [f"{name} {ended} {status}"]
    until(lambda: not processes(sandbox.directory / "serving"), "the end of all servers")
    return Killed(len(accepted), ", ".join(wrong))


def schedules(folder: Path, number: int) -> Killed:
    """While schedules are made and the clock moves: each is there, and has a job for every hour, once and in order."""
    names, wrong = list[str](), list[str]()
    with started(folder / ".sandbox") as sandbox:
        team = harness.team(Client(sandbox))
        job = harness.command_job(team, "sleep 600")  # on the cluster's one node: the others wait
        trigger = {"triggerType": "Recurrence", "frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:00:00"}
        action = {"actionType": "CreateJob", "jobDefinition": job}

        def work(count: int) -> None:
            sent(team.arm("PUT", f"/schedules/s{count}", {"properties": {"trigger": trigger, "action": action}}))
            names.append(f"s{count}")
            sandbox.command("clock", "advance", "30h")

        team = through_a_kill(team, work, number, 3)
        assert sandbox.command("clock", "advance", "1s").returncode == 0
        for name in names:
            if team.arm("GET", f"/schedules/{name}").status_code != requests.codes.ok:
                wrong.append(f"{name} is gone")
            found = team.arm("GET", "/jobs", scheduleId=name).json()["value"]
            told = sorted(one["properties"]["displayName"].removeprefix(f"{name}-") for one in found)
            times = [datetime.strptime(one, "%Y%m%dT%H%M%SZ") for one in told]
            if any(after - before != timedelta(hours=1) for before, after in pairwise(times)):
                wrong.append(f"{name} has jobs at {told}")
    return Killed(len(names), ", ".join(wrong))


def processes(folder: Path) -> list[int]:
    """Processes that work in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            here = path.readlink()
        except OSError:
            continue
        if here.is_relative_to(folder.resolve()):
            found.append(int(path.parent.name))
    return found


def registrations(folder: Path, number: int) -> Killed:
    """While versions of models, data and environments are registered, and metrics are logged."""
    kept, metrics = list[str](), list[float]()
    with started(folder / ".sandbox") as sandbox:
        team = harness.team(Client(sandbox))
        created = team.plane("POST", MLFLOW, f"{EXPERIMENT}/runs/create", {"experiment_id": "0"})
        run = created.json()["run"]["info"]["run_id"]
        paths = "azureml://datastores/workspaceblobstore/paths/a"
        bodies = {
            "models": {"modelUri": paths, "modelType": "custom_model"},
            "data": {"dataUri": paths, "dataType": "uri_folder"},
            "environments": {"image": "python:3.11"},
        }

        def work(count: int) -> None:
            for kind, body in bodies.items():
                path = f"/{kind}/one/versions/{count}"
                sent(team.arm("PUT", path, {"properties": body}))
                kept.append(path)
            metric = {"run_id": run, "key": "m", "value": float(count), "timestamp": count, "step": count}
            sent(team.plane("POST", MLFLOW, f"{EXPERIMENT}/runs/log-metric", metric))
            metrics.append(float(count))

        with killed(sandbox, random.Random(number).uniform(0.05, 1.5)):
            until_it_breaks(work)
        team = team.by(Client(sandbox))
        lost = [path for path in kept if team.arm("GET", path).status_code != requests.codes.ok]
        query = {"run_id": run, "metric_key": "m"}
        history = team.plane("GET", MLFLOW, f"{EXPERIMENT}/metrics/get-history", params=query).json()
        logged = {float(one["value"]) for one in history.get("metrics", ())}
        lost += [f"metric {value}" for value in metrics if value not in logged]
    return Killed(len(kept) + len(metrics), ", ".join(lost))


KILLS: dict[str, Callable[[Path, int], Killed]] = {
    "up": up,
    "uploads": uploads,
    "runs": runs,
    "pipelines": pipelines,
    "sweeps": sweeps,
    "deployments": deployments,
    "registrations": registrations,
    "schedules": schedules,
}
