"""How much the local Azure ML costs beside its processes: jobs, pipelines, sweeps, reuse, metrics, memory.

`python benchmarks/jobs.py [--jobs N] [--steps N] [--write]`: plain requests drive a sandbox of its own through the
gateway. The floor is the same commands as bare processes, as many at a time as there are nodes, in the same run.
`--write` puts the result into docs/benchmarks/jobs.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.report import write  # noqa: E402 # the repository's root is known only now
from tests.azure.client import Client  # noqa: E402
from tests.azure.ml.harness import Team, cluster, team  # noqa: E402
from tests.azure.ml.pipelines import arm_component, arm_pipeline, children  # noqa: E402
from tests.conftest import Sandbox  # noqa: E402

NODES = 4
PASS = "python -c pass"
BARS = {
    "first line": 2.0,
    "job": 0.150,
    "step": 0.300,
    "trial": 0.300,
    "reuse": 10.0,
    "points": 2.0,
    "memory": 120.0,
}
TRIALS = 50
POINTS = 10_000
BATCH = 1000  # points of one request, MLflow's most
DEADLINE = 900.0


def until(check: Callable[[], bool], every: float = 0.05) -> None:
    """Waits for something."""
    end = time.monotonic() + DEADLINE
    while not check():
        if time.monotonic() > end:
            raise TimeoutError("the sandbox did not come to an end")
        time.sleep(every)


def submit(place: Team, command: str, name: str) -> None:
    """A command job without code, in an environment of Python alone."""
    properties = {
        "jobType": "Command",
        "command": command,
        "computeId": f"{place.id}/computes/four",
        "environmentId": f"{place.id}/environments/none/versions/1",
    }
    answer = place.arm("PUT", f"/jobs/{name}", {"properties": properties})
    assert answer.ok, answer.text


def first_line(place: Team) -> float:
    """Seconds from submission to the first line of the script in the log that a client reads."""
    name = f"line{time.time_ns()}"
    begun = time.perf_counter()
    submit(place, "echo here; sleep 1", name)

    def shown() -> bool:
        details = place.plane("GET", "history/v1.0", f"/runs/{name}/details").json()
        url = details["logFiles"].get("user_logs/std_log.txt")
        return url is not None and "here" in place.azure.session.get(url).text

    until(shown, 0.01)
    seconds = time.perf_counter() - begun
    until(lambda: status(place, name) == "Completed")
    return seconds


def status(place: Team, name: str) -> str:
    """A job's state."""
    return str(place.arm("GET", f"/jobs/{name}").json()["properties"]["status"])


def bare(count: int, python: Path) -> float:
    """Seconds that the same commands take as processes, as many at a time as there are nodes."""
    environment = {"PATH": f"{python.parent}:{os.environ['PATH']}"}
    begun = time.perf_counter()
    with ThreadPoolExecutor(NODES) as pool:
        done = pool.map(lambda _: subprocess.run(["bash", "-c", PASS], env=environment, check=True), range(count))
        assert len(list(done)) == count
    return time.perf_counter() - begun


def many_jobs(place: Team, count: int) -> tuple[float, bool]:
    """Seconds of the jobs, and whether none was lost and they began in the order of their submission."""
    names = [f"job{time.time_ns()}x{number:04}" for number in range(count)]
    begun = time.perf_counter()
    for name in names:
        submit(place, PASS, name)
    until(lambda: status(place, names[-1]) == "Completed", 0.2)
    until(lambda: all(state == "Completed" for state in states(place, names).values()), 0.2)
    seconds = time.perf_counter() - begun
    starts = [place.plane("GET", "history/v1.0", f"/runs/{name}").json()["startTimeUtc"] for name in names]
    disorder = sum(starts[at] > starts[at + NODES] for at in range(count - NODES))
    return seconds, disorder == 0


def states(place: Team, names: list[str]) -> dict[str, str]:
    """The states of jobs."""
    found: dict[str, str] = {}
    path = "/jobs"
    for one in place.arm("GET", path).json()["value"]:
        if one["name"] in names:
            found[one["name"]] = one["properties"]["status"]
    return found


def pipeline(place: Team, component: str, steps: int) -> tuple[float, str]:
    """Seconds of a pipeline of independent steps, each with its own input, and its name."""
    jobs = {
        f"s{number}": {
            "componentId": component,
            "inputs": {"n": {"job_input_type": "literal", "value": str(number)}},
            "computeId": f"{place.id}/computes/four",
        }
        for number in range(steps)
    }
    begun = time.perf_counter()
    made = arm_pipeline(place, jobs)
    assert made.ok, made.text
    name = str(made.json()["name"])
    until(lambda: status(place, name) in ("Completed", "Failed"), 0.1)
    assert status(place, name) == "Completed"
    return time.perf_counter() - begun, name


def sweep(place: Team, python: Path) -> list[tuple[str, str, str]]:
    """Rows of a sweep, whose floor are the same commands as bare processes."""
    properties = {
        "jobType": "Sweep",
        "computeId": f"{place.id}/computes/four",
        "searchSpace": {"x": ["uniform", [0, 1]]},
        "samplingAlgorithm": {"samplingAlgorithmType": "Random"},
        "objective": {"goal": "Maximize", "primaryMetric": "none"},
        "limits": {"jobLimitsType": "Sweep", "maxTotalTrials": TRIALS, "maxConcurrentTrials": NODES},
        "trial": {"command": PASS, "environmentId": f"{place.id}/environments/none/versions/1"},
    }
    floor, name = bare(TRIALS, python), f"sweep{time.time_ns()}"
    begun = time.perf_counter()
    answer = place.arm("PUT", f"/jobs/{name}", {"properties": properties}, "2024-01-01-preview")
    assert answer.ok, answer.text
    until(lambda: status(place, name) in ("Completed", "Failed"), 0.1)
    assert status(place, name) == "Completed"
    seconds = time.perf_counter() - begun
    above = (seconds - floor) / TRIALS * 1000
    return [
        (f"a sweep of {TRIALS} trials, {NODES} at a time", f"{seconds:.1f} s", ""),
        ("a trial above a bare process", f"{above:.0f} ms", f"≤ {BARS['trial'] * 1000:.0f} ms"),
    ]


def metric_points(place: Team) -> tuple[float, float]:
    """Seconds to write and to read the points of one metric, in MLflow's batches and as its client pages them."""

    def asked(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = place.plane(method, "mlflow/v1.0", f"/api/2.0/mlflow/{path}", body)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    experiment = asked("POST", "experiments/create", {"name": f"points{time.time_ns()}"})["experiment_id"]
    run = asked("POST", "runs/create", {"experiment_id": experiment, "start_time": 0})["run"]["info"]["run_id"]
    begun = time.perf_counter()
    for first in range(0, POINTS, BATCH):
        points = [{"key": "m", "value": step, "step": step, "timestamp": step} for step in range(first, first + BATCH)]
        asked("POST", "runs/log-batch", {"run_id": run, "metrics": points})
    written, begun = time.perf_counter() - begun, time.perf_counter()
    read = asked("GET", f"metrics/get-history?run_id={run}&metric_key=m&max_results=25000")["metrics"]
    assert [point["step"] for point in read] == list(range(POINTS))
    return written, time.perf_counter() - begun


def resident(pid: int) -> float:
    """Memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def processor(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def measure(sandbox: Sandbox, jobs: int, steps: int) -> list[tuple[str, str, str]]:
    """Rows of what was measured, its result and its bar."""
    place = team(Client(sandbox))
    place.arm("PUT", "/computes/four", cluster(place.needs, most=NODES, idle="PT600S"))
    place.arm("PUT", "/environments/none/versions/1", {"properties": {"image": "python:3.11"}})
    pid = sandbox.pid
    first_line(place)  # builds the environment
    lines = min(first_line(place) for _ in range(3))
    (python,) = (sandbox.directory / "environments").glob("*/bin/python")
    rows = [("submit to the script's first line", f"{lines:.2f} s", f"≤ {BARS['first line']:.0f} s")]

    floor, used = bare(jobs, python), processor(pid)
    seconds, in_order = many_jobs(place, jobs)
    each, cost = (seconds - floor) / jobs * 1000, (processor(pid) - used) / jobs * 1000
    rows += [
        (f"{jobs} bare processes, {NODES} at a time", f"{floor:.1f} s", ""),
        (f"{jobs} jobs on {NODES} nodes, {'in order' if in_order else 'OUT OF ORDER'}", f"{seconds:.1f} s", ""),
        ("a job above a bare process", f"{each:.0f} ms", f"≤ {BARS['job'] * 1000:.0f} ms"),
        ("of it processor time of the sandbox", f"{cost:.0f} ms", ""),
    ]
    component = arm_component(
        place, f"{PASS} ${{{{inputs.n}}}}", inputs={"n": {"type": "string"}}, is_deterministic=True
    )
    floor = bare(steps, python)
    seconds, _ = pipeline(place, component, steps)
    above = (seconds - floor) / steps * 1000
    again, name = pipeline(place, component, steps)
    reused = sum(one["properties"].get("azureml.isreused") == "true" for one in children(place, name).values())
    rows += sweep(place, python)
    written, read = metric_points(place)
    return [
        *rows,
        (f"a pipeline of {steps} steps", f"{seconds:.1f} s", ""),
        (
            "a step above a bare process",
            f"{above:.0f} ms",
            f"≤ {BARS['step'] * 1000:.0f} ms",
        ),
        (f"the same again, {reused} steps reused", f"{again:.1f} s", f"≤ {BARS['reuse']:.0f} s"),
        (f"{POINTS:,} metric points written", f"{written:.2f} s", ""),
        (f"{POINTS:,} metric points read", f"{read:.2f} s", f"≤ {BARS['points']:.0f} s"),
        ("the sandbox's memory after all that", f"{resident(pid):.0f} MiB", f"≤ {BARS['memory']:.0f} MiB"),
    ]


def main() -> int:
    """Measures, prints, and writes the page where that is asked."""
    parser = argparse.ArgumentParser(description="What jobs and pipelines cost beside their processes.")
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/jobs.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(Path(folder) / ".sandbox")
        sandbox.start()
        try:
            rows = measure(sandbox, options.jobs, options.steps)
        finally:
            sandbox.stop()
    for what, result, bar in rows:
        print(f"{what:45} {result:>12}  {bar}")
    if options.write:
        lines = ["| What | Result | Bar |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
        words = "What they cost beside their processes: `python benchmarks/jobs.py --write`."
        write("jobs", "Jobs and pipelines", words, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
