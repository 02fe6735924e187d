"""The training run: known answers on small samples, no leakage, honest comparison, and the data as it was published."""

import csv
import hashlib
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.jobs.conftest import EXAMPLE

CUTOFF = date(1997, 7, 1)
INPUT = EXAMPLE / "input.csv"
TRAIN = EXAMPLE / "src" / "train.py"
CUSTOMERS = 480

Purchase = tuple[int, date, int, float]


@dataclass(frozen=True)
class Trained:
    """What a training run said and wrote."""

    printed: str
    metrics: dict[str, float]
    scores: dict[int, float]
    high: dict[int, bool]


def train(python: Path, purchases: Path, output: Path) -> subprocess.CompletedProcess[str]:
    """Run the script as a data scientist would, outside Azure ML."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    command = [str(python), str(TRAIN), "--input", str(purchases), "--output", str(output)]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)


def trained(python: Path, purchases: Path, output: Path) -> Trained:
    """Run the script and read what it wrote."""
    done = train(python, purchases, output)
    assert done.returncode == 0, done.stderr
    about = json.loads((output / "model.json").read_text())
    with (output / "held_out.csv").open() as file:
        rows = [(int(row["customer"]), float(row["score"]), row["high_spender"] == "1") for row in csv.DictReader(file)]
    return Trained(
        done.stdout,
        about["metrics"],
        {customer: score for customer, score, _ in rows},
        {customer: high for customer, _, high in rows},
    )


def write(path: Path, purchases: list[Purchase]) -> Path:
    """Write purchases as the script reads them."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("customer", "date", "cds", "dollars"))
        writer.writerows(
            (customer, day.isoformat(), cds, f"{dollars:.2f}") for customer, day, cds, dollars in purchases
        )
    return path


def shop(rule: Callable[[float, int], float]) -> list[Purchase]:
    """A sample: each customer buys once, and after the cutoff again: what the rule makes of dollars and days ago."""
    draw = random.Random(0)
    purchases: list[Purchase] = []
    for customer in range(1, CUSTOMERS + 1):
        dollars, days = draw.uniform(5, 500), draw.randint(1, 180)
        purchases.append((customer, CUTOFF - timedelta(days=days), draw.randint(1, 9), dollars))
        purchases.append((customer, CUTOFF + timedelta(days=draw.randint(0, 300)), 1, rule(dollars, days)))
    return purchases


def test_where_spending_says_all_the_model_ties(job_python: Path, tmp_path: Path) -> None:
    """Who spends more early spends more later: the baseline is perfect, and the model can only tie."""
    result = trained(job_python, write(tmp_path / "in.csv", shop(lambda dollars, days: dollars)), tmp_path / "out")
    assert result.metrics["baseline_roc_auc"] == result.metrics["baseline_average_precision"] == 1.0
    assert result.metrics["gain_roc_auc_low"] <= 0 <= result.metrics["gain_roc_auc_high"]
    assert re.search(r"^ROC AUC .* tie$", result.printed, re.MULTILINE)
    assert result.metrics["held_out_customers"] == CUSTOMERS / 4


def test_where_recency_says_all_the_model_wins(job_python: Path, tmp_path: Path) -> None:
    """Who came late spends more later: the model must find that, and the baseline cannot."""
    result = trained(job_python, write(tmp_path / "in.csv", shop(lambda dollars, days: 200 - days)), tmp_path / "out")
    assert result.metrics["roc_auc"] > 0.97
    assert 0.3 < result.metrics["baseline_roc_auc"] < 0.7
    assert re.search(r"^average precision .* better$", result.printed, re.MULTILINE)


def test_held_out_customers_teach_nothing(job_python: Path, tmp_path: Path) -> None:
    """Whatever held-out customers do later, the scores stay to the last digit; only how good they look changes."""
    purchases = shop(lambda dollars, days: dollars / days)
    before = trained(job_python, write(tmp_path / "in.csv", purchases), tmp_path / "out")
    draw = random.Random(1)
    changed = [
        (customer, day, cds, draw.uniform(0, 500) if day >= CUTOFF and customer in before.scores else dollars)
        for customer, day, cds, dollars in purchases
    ]
    after = trained(job_python, write(tmp_path / "in.csv", changed), tmp_path / "again")
    assert after.scores == before.scores
    assert after.high != before.high
    assert after.metrics["roc_auc"] < before.metrics["roc_auc"]


def test_no_leakage_from_the_later_window(job_python: Path, tmp_path: Path) -> None:
    """On the real data, with everyone's later purchases given to someone else, nothing is left to predict."""
    with INPUT.open() as file:
        rows = [
            (int(row["customer"]), date.fromisoformat(row["date"]), int(row["cds"]), float(row["dollars"]))
            for row in csv.DictReader(file)
        ]
    customers = sorted({customer for customer, *_ in rows})
    others = customers.copy()
    random.Random(0).shuffle(others)
    given = dict(zip(customers, others, strict=True))
    shuffled = [(given[row[0]] if row[1] >= CUTOFF else row[0], *row[1:]) for row in rows]
    result = trained(job_python, write(tmp_path / "in.csv", shuffled), tmp_path / "out")
    assert abs(result.metrics["roc_auc"] - 0.5) < 0.05  # four standard errors; 0.81 before
    assert abs(result.metrics["average_precision"] - result.metrics["base_rate"]) < 0.03  # 0.42 before


def test_the_published_numbers_are_what_comes_out(job_python: Path, tmp_path: Path) -> None:
    """The README's table, to the last digit, from the committed data and the default seed."""
    result = trained(job_python, INPUT, tmp_path / "out")
    readme = (EXAMPLE / "README.md").read_text()
    for name, title in (("roc_auc", "ROC AUC"), ("average_precision", "Average precision")):
        cells = [
            "{:.3f} [{:.3f}, {:.3f}]".format(*(result.metrics[f"{part}{name}{end}"] for end in ("", "_low", "_high")))
            for part in ("", "baseline_", "gain_")
        ]
        assert f"| {title} | {' | '.join(cells)} |" in readme
    assert f"base rate {result.metrics['base_rate']:.1%}".replace("%", " %") in readme


def test_the_bootstrap_measures_as_scikit_learn_does(job_python: Path) -> None:
    """The quick measures under weights, with many ties and zero weights, against scikit-learn's own."""
    script = f"""
import sys; sys.path.insert(0, {str(TRAIN.parent)!r})
import numpy as np, train
from sklearn.metrics import average_precision_score, roc_auc_score
draw = np.random.default_rng(0)
for size in (3, 10, 200):
    for values in (2, 5, 1000):
        for _ in range(30):
            high, score = draw.integers(0, 2, size).astype(bool), draw.integers(0, values, size).astype(float)
            high[:2], weights = (True, False), draw.integers(0, 3, size)
            weights[:2] = 1
            expected = [f(high, score, sample_weight=weights) for f in (roc_auc_score, average_precision_score)]
            np.testing.assert_allclose(train.Ranking(high, score).measure(weights), expected)
"""
    done = subprocess.run([str(job_python), "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


BAD = {
    "missing": (None, "No such file or directory; --input takes the CSV file of purchases"),
    "column": (b"customer,date,cds\n1,1997-01-01,1\n", "no column dollars; needed are customer, date, cds, dollars"),
    "date": (b"customer,date,cds,dollars\n1,1997-01-01,1,3\n2,1.1.1997,1,3\n", ".csv:3: Invalid isoformat string"),
    "short": (b"customer,date,cds,dollars\n1,1997-01-01,1\n", ".csv:2: "),
    "nan": (b"customer,date,cds,dollars\n1,1997-01-01,1,nan\n", ".csv:2: cds and dollars are numbers from 0 up"),
    "minus": (b"customer,date,cds,dollars\n1,1997-01-01,-1,2\n", "not -1 and 2"),
    "bytes": (b"\xff\xfe\x00", "is not text in UTF-8"),
    "empty": (b"", "no column customer, date, cds, dollars"),
    "none": (b"customer,date,cds,dollars\n", "has no purchases"),
    "few": (b"customer,date,cds,dollars\n1,1997-01-01,1,3\n", "only 1 customers bought before 1997-07-01"),
}


def test_bad_input_is_named_and_leaves_nothing(job_python: Path, tmp_path: Path) -> None:
    for name, (content, _) in BAD.items():
        if content is not None:
            (tmp_path / f"{name}.csv").write_bytes(content)
    script = f"""
import json, runpy, sys
said = {{}}
for name in {list(BAD)!r}:
    sys.argv = ["train.py", "--input", f"{tmp_path}/{{name}}.csv", "--output", "{tmp_path}/out"]
    try:
        runpy.run_path({str(TRAIN)!r}, run_name="__main__")
    except SystemExit as end:
        said[name] = end.code
print(json.dumps(said))
"""
    done = subprocess.run([str(job_python), "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    for name, (_, message) in BAD.items():
        assert message in said[name]
    assert not (tmp_path / "out").exists()


def test_a_failure_exits_with_1(job_python: Path, tmp_path: Path) -> None:
    done = train(job_python, tmp_path / "none.csv", tmp_path / "out")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{tmp_path}/none.csv: No such file")


def test_the_data_is_all_of_cdnow() -> None:
    """The published facts: 69,659 purchases of 23,570 customers, who all began in the first quarter of 1997."""
    with INPUT.open() as file:
        rows = list(csv.DictReader(file))
    first: dict[str, str] = {}
    for row in rows:
        first[row["customer"]] = min(first.get(row["customer"], row["date"]), row["date"])
    assert (len(rows), len(first)) == (69_659, 23_570)
    assert (min(first.values()), max(first.values())) == ("1997-01-01", "1997-03-25")
    assert max(row["date"] for row in rows) == "1998-06-30"
    assert round(sum(float(row["dollars"]) for row in rows), 2) == 2_500_315.63


@pytest.mark.skipif("LIFETIMES_WHEEL" not in os.environ, reason="set LIFETIMES_WHEEL to the wheel of Lifetimes 0.11.3")
def test_the_data_comes_from_the_original_wheel() -> None:
    command = [sys.executable, str(EXAMPLE / "reduce.py"), os.environ["LIFETIMES_WHEEL"]]
    made = subprocess.run(command, capture_output=True, check=True).stdout
    assert hashlib.sha256(made).digest() == hashlib.sha256(INPUT.read_bytes()).digest()
