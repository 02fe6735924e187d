"""How long the studio's pages take until they are drawn, beside MLflow's own pages over the same data, in one run.

`python benchmarks/studio.py [--rounds N] [--mlflow COMMAND] [--write]`: the same requests log 1,000 runs and a metric
of 10,000 points into the sandbox and into `mlflow server`. One headless Chromium then opens each page in turns, from
the navigation to the first frame after the page has what is looked for. The median counts, with its spread. MLflow is
PyPI's package, kept below `.cache`. `--write` puts the result into docs/benchmarks/studio.md.
"""

import argparse
import os
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import report  # noqa: E402 # the repository's root is known only now
from tests.azure.client import Client  # noqa: E402
from tests.azure.ml.harness import team  # noqa: E402
from tests.conftest import started  # noqa: E402
from tests.studio.visitor import one_time_address, private_memory  # noqa: E402
from tools.browser import Browser, program  # noqa: E402

MLFLOW = "mlflow==3.17.2"
RUNS, POINTS, BATCH = 1000, 10_000, 1000
ROUNDS = 7
ALLOWED = 0.5  # seconds until a page is drawn
MEMORY = 30  # MB that the studio may add
PATIENCE = 180.0
DRAWN = """
new Promise(done => {
  const drawn = () => document.body && (%s);
  const look = () => requestAnimationFrame(drawn() ? () => done(performance.now()) : look);
  look();
})
"""
"""Milliseconds from the navigation's start to the frame after the page has something."""
Post = Callable[[str, Any], Any]


@dataclass(frozen=True)
class Page:
    """A page that is measured.

    Attributes:
        name: In the report.
        studio: The studio's address.
        mlflow: MLflow's address.
        studio_has: What the studio's page has once it is drawn.
        mlflow_has: What MLflow's page has.
    """

    name: str
    studio: str
    mlflow: str
    studio_has: str
    mlflow_has: str


def log(post: Post) -> tuple[str, str]:
    """Logs the data; gives the experiment's id, and that of the run with the long metric."""
    experiment = post("/experiments/create", {"name": "benchmark"})["experiment_id"]
    last = ""
    for number in range(RUNS):
        body = {"experiment_id": experiment, "run_name": f"run-{number:04}", "start_time": 1_700_000_000_000 + number}
        last = post("/runs/create", body)["run"]["info"]["run_id"]
        metrics = [{"key": key, "value": number / 7, "step": 0, "timestamp": 1} for key in ("auc", "loss")]
        params = [{"key": "depth", "value": str(number % 9)}]
        post("/runs/log-batch", {"run_id": last, "metrics": metrics, "params": params})
        post("/runs/update", {"run_id": last, "status": "FINISHED", "end_time": 1_700_000_060_000 + number})
    for start in range(0, POINTS, BATCH):
        points = [
            {"key": "curve", "value": (step * 7919) % 1000 / 1000, "step": step, "timestamp": 1_700_000_000_000 + step}
            for step in range(start, start + BATCH)
        ]
        post("/runs/log-batch", {"run_id": last, "metrics": points})
    return experiment, last


@contextmanager
def mlflow_server(command: list[str], folder: Path) -> Iterator[str]:
    """A server of MLflow's on a free port, with its data in a folder."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    store = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--default-artifact-root", f"{folder}/artifacts"]
    process = subprocess.Popen(
        [*command, *words, *store], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                requests.get(f"http://127.0.0.1:{port}/health", timeout=2)
                break
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise SystemExit("mlflow server does not answer") from None
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def measure(browser: Browser, address: str, has: str) -> float:
    """Seconds until a page is drawn."""
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=address)
    answer = browser.call("Runtime.evaluate", expression=DRAWN % has, awaitPromise=True, returnByValue=True)
    return float(answer["result"]["value"]) / 1000


def pages(origin: str, wsid: str, server: str, ids: tuple[tuple[str, str], tuple[str, str]]) -> list[Page]:
    """The two pages, in the studio and in MLflow."""
    (_, run), (experiment, other) = ids
    name = f"run-{RUNS - 10:04}"  # among the newest, and so in the first rows
    return [
        Page(
            f"list of {RUNS:,} runs",
            f"{origin}/jobs?{wsid}",
            f"{server}/#/experiments/{experiment}/runs",
            f"performance.getEntriesByName('studio-drawn').length && document.body.textContent.includes('{name}')",
            f"document.body.innerText.includes('{name}')",
        ),
        Page(
            f"chart of {POINTS:,} points",
            f"{origin}/runs/{run}?{wsid}&tab=metrics",
            f"{server}/#/experiments/{experiment}/runs/{other}/model-metrics",
            "performance.getEntriesByName('studio-drawn').length && document.querySelector('.uplot canvas')",
            "document.querySelector('.js-plotly-plot path.js-line, .js-plotly-plot canvas')",
        ),
    ]


def main() -> int:
    """Measures; gives 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(
        "--mlflow", type=shlex.split, default=[sys.executable, "-m", "uv", "tool", "run", "--from", MLFLOW, "mlflow"]
    )
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    chromium = program()
    if chromium is None:
        raise SystemExit("chromium or google-chrome must be on PATH")
    with (
        tempfile.TemporaryDirectory() as made,
        started(Path(made) / ".sandbox") as sandbox,
        mlflow_server(given.mlflow, Path(made)) as server,
        Browser(chromium) as browser,
    ):
        place, session = team(Client(sandbox)), requests.Session()
        ids = (
            log(lambda path, body: place.plane("POST", "mlflow/v1.0", f"/api/2.0/mlflow{path}", body).json()),
            log(lambda path, body: session.post(f"{server}/api/2.0/mlflow{path}", json=body).json()),
        )
        address = one_time_address(sandbox)
        parts = urlsplit(address)
        measured = pages(f"{parts.scheme}://{parts.netloc}", f"wsid={place.id}", server, ids)
        size = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.call("Emulation.setDeviceMetricsOverride", **size)
        browser.call("Page.navigate", url=address)
        time.sleep(1)
        results: dict[tuple[str, str], list[float]] = {}
        for round_ in range(given.rounds + 1):  # the first warms both up
            for page in measured:
                for who, where, has in (
                    ("studio", page.studio, page.studio_has), ("MLflow", page.mlflow, page.mlflow_has),
                ):  # fmt: skip
                    seconds = measure(browser, where, has)
                    if round_:
                        results.setdefault((page.name, who), []).append(seconds)
        memory = private_memory(sandbox)
    return tell(results, memory, write=given.write)


def tell(results: dict[tuple[str, str], list[float]], memory: float, *, write: bool) -> int:
    """Prints the result; gives 1 where a bar is missed."""
    medians = {key: statistics.median(found) for key, found in results.items()}
    lines = ["| Until drawn | Studio | MLflow | Times as fast |", "|---|---|---|---|"]
    missed = memory > MEMORY
    for name in dict.fromkeys(name for name, _ in results):
        ours, theirs = medians[name, "studio"], medians[name, "MLflow"]
        spread = {
            who: f"{min(results[name, who]):.2f} to {max(results[name, who]):.2f}" for who in ("studio", "MLflow")
        }
        lines.append(
            f"| {name} | {ours:.2f} s ({spread['studio']}) "
            f"| {theirs:.2f} s ({spread['MLflow']}) | {theirs / ours:.1f} |"
        )
        missed = missed or ours > ALLOWED or ours > theirs
    lines += ["", f"The studio's process has {memory:.0f} MB of its own ({MEMORY} allowed)."]
    print("\n".join(lines))
    if write:
        words = (
            "`python benchmarks/studio.py`: median and spread, from the navigation to the frame that has the data.\n"
            f"{MLFLOW} shows the same data in the same run. Both draw the first 100 runs, and more as one scrolls.\n"
            f"Allowed: {ALLOWED} s, and no slower than MLflow. "
        )
        report.write("studio", "The studio's pages", words, lines)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
