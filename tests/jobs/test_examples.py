"""The examples, each from its file to its results in the sandbox, by `python -m jobs` alone."""

import csv
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.conftest import ROOT
from tests.jobs.platform import Platform

EXAMPLES = ROOT / "jobs" / "examples"
FOLLOWED = ("report", "excel_to_parquet", "batch_scoring", "distributed")
MODEL = "digits"

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def runs(platform: Platform) -> dict[str, dict[str, Any]]:
    """Each example's run; all are submitted, then the sweep is followed to its end."""
    submits = [("submit", name, "--json") for name in FOLLOWED]
    done = platform.session(*submits, ("submit", "sweep", "--register", MODEL, "--json"))
    assert [one.returncode for one in done] == [0] * len(done), [one.stderr for one in done]
    return {name: json.loads(one.stdout) for name, one in zip((*FOLLOWED, "sweep"), done, strict=True)}


def downloaded(platform: Platform, run: str, folder: Path) -> Path:
    """All that a run left, once it has completed."""
    followed, shown, loaded = platform.session(
        ("logs", run, "--follow"), ("show", run, "--json"), ("download", run, "--all", "--to", str(folder))
    )
    assert json.loads(shown.stdout)["status"] == "Completed", followed.stdout
    assert loaded.returncode == 0, loaded.stderr
    return folder / run


def step(platform: Platform, run: str, name: str) -> str:
    """The run of a pipeline's step."""
    listed = json.loads(platform.jobs("ps", "--parent", run, "--json").stdout)
    return next(str(one["name"]) for one in listed if one["display_name"] == name)


def rows(path: Path) -> Rows:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def purchases() -> Rows:
    """CDNOW, as the examples' results must agree with it."""
    return rows(EXAMPLES / "highspenders" / "input.csv")


def test_excel_to_parquet(platform: Platform, runs: dict[str, Any], purchases: Rows, tmp_path: Path) -> None:
    run = runs["excel_to_parquet"]["name"]
    parquet = sorted((downloaded(platform, run, tmp_path) / "named-outputs" / "purchases").iterdir())
    assert [path.name for path in parquet] == [
        f"{quarter}.parquet" for quarter in ("1997-Q1", "1997-Q2", "1997-Q3", "1997-Q4", "1998-Q1", "1998-Q2")
    ]
    assert {path.read_bytes()[:4] for path in parquet} == {b"PAR1"}
    assets = {one["name"]: one for one in json.loads(platform.jobs("data", "assets", "--json").stdout)}
    assert assets["purchases"]["latest"] == "1"

    expected: dict[str, list[float]] = defaultdict(list)
    for row in purchases:
        if int(row["customer"]) % 10 == 0:
            expected[row["date"][:7]].append(float(row["dollars"]))
    summary = downloaded(platform, step(platform, run, "summarise"), tmp_path) / "named-outputs" / "months" / "months"
    found = {row["month"]: (int(row["purchases"]), float(row["dollars"])) for row in rows(summary)}
    assert found == {month: (len(dollars), round(sum(dollars), 2)) for month, dollars in expected.items()}


def test_sweep(platform: Platform, runs: dict[str, Any], tmp_path: Path) -> None:
    """Twelve trials, of which poor ones end early; the model is the best one's."""
    sweep = runs["sweep"]
    assert (sweep["status"], sweep["model"], sweep["version"]) == ("Completed", MODEL, "1")
    trials = json.loads(platform.jobs("ps", "--parent", sweep["name"], "--json").stdout)
    ended = {one["name"]: one["status"] for one in trials}
    assert len(ended) == 12 and set(ended.values()) == {"Completed", "Canceled"}
    shown = json.loads(platform.jobs("show", *ended, "--json").stdout)
    accuracy = {one["name"]: one["metrics"]["accuracy"] for one in shown if one["status"] == "Completed"}
    assert sweep["best"] in accuracy
    assert max(accuracy.values()) <= 1.0 and sweep["metrics"]["accuracy"] > max(accuracy.values()) - 0.02
    platform.jobs("models", "download", MODEL, "--to", str(tmp_path))
    (about,) = (json.loads(path.read_text()) for path in tmp_path.rglob("model.json"))
    assert about["accuracy"] > 0.95
    assert {name: str(about[name]) for name in ("hidden", "learning_rate")} == sweep["parameters"]


def test_report(platform: Platform, runs: dict[str, Any], purchases: Rows, tmp_path: Path) -> None:
    run = runs["report"]["name"]
    downloaded(platform, run, tmp_path)
    page = downloaded(platform, step(platform, run, "report"), tmp_path) / "artifacts" / "outputs" / "report.html"
    text = page.read_text()
    total = sum(float(row["dollars"]) for row in purchases)
    first = {row["customer"]: row["date"] for row in sorted(purchases, key=lambda row: row["date"], reverse=True)}
    later = sum(float(row["dollars"]) for row in purchases if row["date"] > first[row["customer"]])
    assert f"{len(purchases):,} purchases for ${total:,.2f}" in text
    assert f"{later / total:.1%} of the money came from returning customers" in text
    assert len(re.findall(r"<svg .*?</svg>", text, re.DOTALL)) == 2


def test_batch_scoring(platform: Platform, runs: dict[str, Any], tmp_path: Path) -> None:
    output = downloaded(platform, runs["batch_scoring"]["name"], tmp_path) / "named-outputs" / "predictions"
    (file,) = (path for path in output.rglob("*") if path.is_file())
    predicted = dict(line.split(",") for line in file.read_text().splitlines())
    labels = {row["image"]: row["digit"] for row in rows(EXAMPLES / "batch_scoring" / "labels.csv")}
    assert predicted.keys() == labels.keys()
    assert sum(predicted[image] == digit for image, digit in labels.items()) == 59


def test_distributed(platform: Platform, runs: dict[str, Any], purchases: Rows, tmp_path: Path) -> None:
    run = runs["distributed"]["name"]
    folder = downloaded(platform, run, tmp_path)
    log = (folder / "artifacts" / "user_logs" / "std_log_process_0.txt").read_text()
    spent: dict[str, float] = defaultdict(float)
    for row in purchases:
        spent[row["customer"]] += float(row["dollars"])
    assert "6 parts on 2 workers" in log
    assert f"{len(spent):,} customers spent ${sum(spent.values()):,.2f}" in log
    largest = sorted(spent.items(), key=lambda one: -one[1])[:5]
    shown = re.findall(r"^(\d+),([\d.]+),\d+,1997", log, re.MULTILINE)
    assert [(customer, float(dollars)) for customer, dollars in shown] == [(c, round(d, 2)) for c, d in largest]
    parquet = folder / "named-outputs" / "customers"
    assert {path.read_bytes()[:4] for path in parquet.glob("*.parquet")} == {b"PAR1"}
