"""The examples, each from its file to its results in the sandbox, by `python -m jobs` alone."""

import csv
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import load_job

from tests.jobs.conftest import ROOT
from tests.jobs.platform import Done, Platform

EXAMPLES = ROOT / "jobs" / "examples"
PIPELINES = ("report", "excel_to_parquet", "batch_scoring")
SWEEP, MODEL = "sweep", "digits"

BUSY = 600  # seconds for what takes half a minute on a machine of its own: a busy one takes its time

pytestmark = pytest.mark.timeout(2 * BUSY)

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Results:
    """What the examples came to.

    Attributes:
        runs: Each example's run, as its submission printed it, or as it was shown at its end for the sweep.
        children: The steps of each pipeline, or the sweep's trials: name and state by what they are called.
        folder: Has a folder of each run's outputs, artifacts and logs, and the model's.
    """

    runs: dict[str, dict[str, Any]]
    children: dict[str, dict[str, dict[str, Any]]]
    folder: Path

    def left(self, example: str, step: str = "") -> Path:
        """What a run left, or a step of it."""
        run = self.children[example][step] if step else self.runs[example]
        return self.folder / str(run["name"])


def good(ended: list[Done]) -> list[Any]:
    """What commands printed as JSON, all of which must have succeeded; None for other texts."""
    assert [one.returncode for one in ended] == [0] * len(ended), [one.stdout + one.stderr for one in ended]
    return [json.loads(one.stdout) if one.stdout.startswith(("{", "[\n", "[]")) else None for one in ended]


@pytest.fixture(scope="module")
def results(platform: Platform) -> Results:
    """All examples side by side; three processes in all, as each loads azure-ai-ml."""
    names = (*PIPELINES, "distributed", SWEEP)
    submits = [("submit", name, "--json") for name in names[:-1]]
    swept = ("submit", SWEEP, "--register", MODEL, "--json")
    runs = dict(zip(names, good(platform.session(*submits, swept, timeout=BUSY)), strict=True))
    followed = [("logs", runs[name]["name"], "--follow") for name in names[:-1]]
    parents = [*PIPELINES, SWEEP]
    listings = [("ps", "--parent", runs[name]["name"], "--json") for name in parents]
    *_, report, excel, scoring, sweep = good(platform.session(*followed, *listings, timeout=BUSY))
    children = {
        name: {one["display_name"]: one for one in listed}
        for name, listed in zip(parents, (report, excel, scoring, sweep), strict=True)
    }
    left = [runs[name]["name"] for name in names[:-1]]
    left += [children["excel_to_parquet"]["summarise"]["name"], children["report"]["report"]["name"]]
    folder = platform.folder / "results"
    downloads = [("download", run, "--to", str(folder)) for run in left]
    good(platform.session(*downloads, ("models", "download", MODEL, "--to", str(folder))))
    return Results(runs, children, folder)


def rows(path: Path) -> Rows:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def purchases() -> Rows:
    """CDNOW, as the examples' results must agree with it."""
    return rows(EXAMPLES / "highspenders" / "input.csv")


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("job.yml")), ids=lambda file: file.parent.name)
def test_any_user_of_azure_ai_ml_can_load_it(file: Path) -> None:
    assert load_job(file).experiment_name


def test_excel_to_parquet(results: Results, purchases: Rows) -> None:
    parquet = sorted((results.left("excel_to_parquet") / "named-outputs" / "purchases").iterdir())
    assert [path.name for path in parquet] == [
        f"{quarter}.parquet" for quarter in ("1997-Q1", "1997-Q2", "1997-Q3", "1997-Q4", "1998-Q1", "1998-Q2")
    ]
    assert {path.read_bytes()[:4] for path in parquet} == {b"PAR1"}
    expected: dict[str, list[float]] = defaultdict(list)
    for row in purchases:
        if int(row["customer"]) % 10 == 0:
            expected[row["date"][:7]].append(float(row["dollars"]))
    summary = results.left("excel_to_parquet", "summarise") / "named-outputs" / "months" / "months"
    found = {row["month"]: (int(row["purchases"]), float(row["dollars"])) for row in rows(summary)}
    assert found == {month: (len(dollars), round(sum(dollars), 2)) for month, dollars in expected.items()}


def test_parquet_lies_in_another_account_than_the_workbook(platform: Platform, results: Results) -> None:
    """The lake has the workbook; what the run made is in the workspace's own account, below the run's name."""
    listed, versions = good(
        platform.session(("data", "ls", "MLData/landing", "--json"), ("data", "assets", "purchases", "--json"))
    )
    assert [one["path"] for one in listed] == ["landing/purchases.xlsx"]
    place = f"/datastores/workspaceblobstore/paths/curated/purchases/{results.runs['excel_to_parquet']['name']}"
    assert versions[0]["path"].rstrip("/").endswith(place)


def test_sweep(results: Results) -> None:
    """Twelve trials, of which poor ones end early; the model is the best one's."""
    sweep, trials = results.runs[SWEEP], results.children[SWEEP]
    assert (sweep["status"], sweep["model"], sweep["version"]) == ("Completed", MODEL, "1")
    assert len(trials) == 12 and {one["status"] for one in trials.values()} == {"Completed", "Canceled"}
    assert trials[sweep["best"]]["status"] == "Completed"
    (about,) = (json.loads(path.read_text()) for path in results.folder.rglob("model.json"))
    assert about["accuracy"] > 0.95
    assert {name: str(about[name]) for name in ("hidden", "learning_rate")} == sweep["parameters"]


def test_report(results: Results, purchases: Rows) -> None:
    text = (results.left("report", "report") / "artifacts" / "outputs" / "report.html").read_text()
    total = sum(float(row["dollars"]) for row in purchases)
    first = {row["customer"]: row["date"] for row in sorted(purchases, key=lambda row: row["date"], reverse=True)}
    later = sum(float(row["dollars"]) for row in purchases if row["date"] > first[row["customer"]])
    assert f"{len(purchases):,} purchases for ${total:,.2f}" in text
    assert f"{later / total:.1%} of the money came from returning customers" in text
    assert len(re.findall(r"<svg .*?</svg>", text, re.DOTALL)) == 2


def test_batch_scoring(results: Results) -> None:
    output = results.left("batch_scoring") / "named-outputs" / "predictions"
    (file,) = (path for path in output.rglob("*") if path.is_file())
    predicted = dict(line.split(",") for line in file.read_text().splitlines())
    labels = {row["image"]: row["digit"] for row in rows(EXAMPLES / "batch_scoring" / "labels.csv")}
    assert predicted.keys() == labels.keys()
    right = sum(predicted[image] == digit for image, digit in labels.items())
    assert f"Of the 60 images the model reads {right} right." in (EXAMPLES / "batch_scoring" / "README.md").read_text()


def test_distributed(results: Results, purchases: Rows) -> None:
    folder = results.left("distributed")
    log = (folder / "artifacts" / "user_logs" / "std_log_process_0.txt").read_text()
    spent: dict[str, float] = defaultdict(float)
    for row in purchases:
        spent[row["customer"]] += float(row["dollars"])
    assert "6 parts on 2 workers" in log
    assert f"{len(spent):,} customers spent ${sum(spent.values()):,.2f}" in log
    largest = sorted(spent.items(), key=lambda one: -one[1])[:5]
    shown = re.findall(r"^(\d+),([\d.]+),\d+,1997", log, re.MULTILINE)
    assert [(customer, float(dollars)) for customer, dollars in shown] == [(c, round(d, 2)) for c, d in largest]
    parquet = list((folder / "named-outputs" / "customers").glob("*.parquet"))
    assert len(parquet) == 2 and {path.read_bytes()[:4] for path in parquet} == {b"PAR1"}


@pytest.mark.soak
def test_distributed_pytorch(platform: Platform, tmp_path: Path) -> None:
    """PyTorch's packages are gigabytes, so `make soak` alone fetches them."""
    (run,) = good(platform.session(("submit", "distributed/pytorch", "--wait", "--json")))
    good(platform.session(("download", run["name"], "--to", str(tmp_path))))
    about = json.loads((tmp_path / run["name"] / "named-outputs" / "model" / "model.json").read_text())
    assert about["processes"] == 2 and about["accuracy"] > 0.9
    logs = sorted((tmp_path / run["name"] / "artifacts" / "user_logs").iterdir())
    assert [f"process {rank} of 2 on cpu" in log.read_text() for rank, log in enumerate(logs)] == [True, True]
