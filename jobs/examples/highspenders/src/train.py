"""Predict from a customer's first months who becomes a high spender.

A plain script: it runs on any machine with Python and scikit-learn, and as an Azure ML job, which adds MLflow's record.

    python train.py --input ../input.csv --output model

Definitions (no number from after the cutoff, and none of a held-out customer, reaches the model):

- *first months*: purchases before 1 July 1997. All customers began in January to March, so these are 3 to 6 months.
- *later*: purchases from 1 July 1997 to the data's end on 30 June 1998.
- *high spender*: spends more later than 90 % of the training customers do. The threshold in dollars comes from the
  training customers alone and is then applied to the held-out ones.
- *held out*: a quarter of the customers, drawn by the seed; used once, to measure. The model is chosen by
  cross-validation on the others.
- *baseline*: ranking customers by what they spent in their first months. No model at all; the one to beat.
"""
# ruff: noqa: T201 - a script whose printed table is its result

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-not-found,unused-ignore]
import numpy as np  # type: ignore[import-not-found,unused-ignore]
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, SplineTransformer, StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-not-found,unused-ignore]

CUTOFF = date(1997, 7, 1)
TOP_SHARE = 0.10
HELD_OUT_SHARE = 0.25
FOLDS = 5
RESAMPLES = 2000
CONFIDENCE = 0.95
TRIES = 6  # of telling the tracking server something
MONTH, QUARTER = 30, 90  # days
COLUMNS = ("customer", "date", "cds", "dollars")

# Each is a number about the days before the cutoff; days are counted back from it.
FEATURES = {
    "dollars": "spent in all",
    "purchases": "number of purchases",
    "shopping_days": "number of different days with a purchase",
    "cds": "number of CDs bought",
    "largest": "dollars of the largest purchase",
    "average": "dollars of the average purchase",
    "first_day_dollars": "spent on the first day",
    "last_month_dollars": "spent in the last 30 days",
    "last_quarter_dollars": "spent in the last 90 days",
    "days_since_first": "days since the first purchase",
    "days_since_last": "days since the last purchase",
}
BASELINE = "dollars"

Array = Any  # numpy.ndarray; numpy belongs to the job's environment, not to the project's


@dataclass(frozen=True)
class Purchases:
    """One entry a purchase; `age` is the number of days from the purchase to the cutoff, 0 or less from then on."""

    customer: Array
    age: Array
    cds: Array
    dollars: Array


def read_purchases(path: Path) -> Purchases:
    """Read the CSV file of purchases.

    Args:
        path: A file with the columns customer, date (YYYY-MM-DD), cds and dollars; others are ignored.

    Raises:
        SystemExit: The file is missing, lacks a column or has a value that is not of its column's kind.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
            if missing:
                sys.exit(f"{path}: no column {', '.join(missing)}; needed are {', '.join(COLUMNS)}")
            parsed = [parse(row, f"{path}:{number}") for number, row in enumerate(rows, start=2)]
    except OSError as error:
        sys.exit(f"{path}: {error.strerror}; --input takes the CSV file of purchases")
    except UnicodeDecodeError as error:
        sys.exit(f"{path}: is not text in UTF-8 ({error.reason} at byte {error.start})")
    if not parsed:
        sys.exit(f"{path}: has no purchases")
    customer, age, cds, dollars = (np.array(values) for values in zip(*parsed, strict=True))
    return Purchases(customer, age, cds, dollars)


def parse(row: dict[str, str], where: str) -> tuple[int, int, float, float]:
    """Turn a row of the file into (customer, age, cds, dollars); the program ends where it cannot."""
    try:
        age = (CUTOFF - date.fromisoformat(row["date"])).days
        customer, cds, dollars = int(row["customer"]), float(row["cds"]), float(row["dollars"])
    except (TypeError, ValueError) as error:
        sys.exit(f"{where}: {error}")
    if not (0 <= cds < np.inf and 0 <= dollars < np.inf):
        sys.exit(f"{where}: cds and dollars are numbers from 0 up, not {row['cds']} and {row['dollars']}")
    return customer, age, cds, dollars


def describe(purchases: Purchases, customers: Array) -> Array:
    """Compute the features of each customer from the purchases before the cutoff, and from nothing else.

    Args:
        purchases: All purchases; those from the cutoff on are dropped first.
        customers: The sorted customers to describe, each with a purchase before the cutoff.

    Returns:
        A row a customer and a column a feature, in the order of FEATURES.
    """
    early = (purchases.age > 0) & np.isin(purchases.customer, customers)
    who = np.searchsorted(customers, purchases.customer[early])
    age, cds, dollars = purchases.age[early], purchases.cds[early], purchases.dollars[early]

    def total(values: Array) -> Array:
        return np.bincount(who, weights=values, minlength=len(customers))

    def extreme(function: Any, values: Array, start: float) -> Array:
        result = np.full(len(customers), start)
        function.at(result, who, values)
        return result

    spent, purchased = total(dollars), total(np.ones_like(dollars))
    first = extreme(np.maximum, age, 0)
    days = np.bincount(np.unique(np.stack([who, age]), axis=1)[0], minlength=len(customers))
    columns = {
        "dollars": spent,
        "purchases": purchased,
        "shopping_days": days,
        "cds": total(cds),
        "largest": extreme(np.maximum, dollars, 0),
        "average": spent / purchased,
        "first_day_dollars": total(dollars * (age == first[who])),
        "last_month_dollars": total(dollars * (age <= MONTH)),
        "last_quarter_dollars": total(dollars * (age <= QUARTER)),
        "days_since_first": first,
        "days_since_last": extreme(np.minimum, age, np.inf),
    }
    return np.column_stack([columns[name] for name in FEATURES])


def spend_later(purchases: Purchases, customers: Array) -> Array:
    """Sum what each of the sorted customers spent from the cutoff on, in dollars."""
    late = (purchases.age <= 0) & np.isin(purchases.customer, customers)
    who = np.searchsorted(customers, purchases.customer[late])
    return np.bincount(who, weights=purchases.dollars[late], minlength=len(customers))


def candidates(seed: int) -> dict[str, Any]:
    """List the models to choose from, simplest first; amounts and days are skewed, so linear ones see logarithms."""
    logarithm = FunctionTransformer(np.log1p)
    curves = SplineTransformer(n_knots=5, knots="quantile")
    return {
        "logistic": make_pipeline(logarithm, StandardScaler(), LogisticRegression(max_iter=1000)),
        "logistic on splines, C=0.1": make_pipeline(logarithm, curves, LogisticRegression(C=0.1, max_iter=1000)),
        "logistic on splines, C=1": make_pipeline(logarithm, curves, LogisticRegression(C=1.0, max_iter=1000)),
        "boosted trees, 4 leaves": HistGradientBoostingClassifier(
            max_leaf_nodes=4, learning_rate=0.05, max_iter=150, min_samples_leaf=50, random_state=seed
        ),
        "boosted trees, 8 leaves": HistGradientBoostingClassifier(
            max_leaf_nodes=8, learning_rate=0.05, max_iter=100, min_samples_leaf=50, random_state=seed
        ),
    }


def choose(features: Array, high: Array, seed: int) -> tuple[str, Any, dict[str, float]]:
    """Choose the candidate with the best mean average precision over the folds, and fit it to all training customers.

    Returns:
        Its name, the fitted model, and every candidate's mean average precision.
    """
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    models, found = candidates(seed), {}
    for name, model in models.items():
        found[name] = float(cross_val_score(model, features, high, scoring="average_precision", cv=folds).mean())
        print(f"  {name:28} {found[name]:.4f}", flush=True)
    best = max(found, key=lambda name: found[name])
    return best, models[best].fit(features, high), found


class Ranking:
    """Customers in the order of a score, so that many weightings of them are measured quickly.

    scikit-learn's metrics sort anew at every call; here a resample costs two cumulative sums.
    """

    def __init__(self, high: Array, score: Array) -> None:
        """Order the customers by score, best first; equal scores stay one group."""
        self.order = np.argsort(-score, kind="stable")
        ranked = score[self.order]
        self.ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        self.high = high[self.order]

    def measure(self, weights: Array) -> tuple[float, float]:
        """Compute (ROC AUC, average precision) where customer i counts weights[i] times."""
        ranked = weights[self.order]
        hits = np.cumsum(ranked * self.high)[self.ends]
        shown = np.cumsum(ranked)[self.ends]
        new_hits = np.diff(hits, prepend=0)
        new_misses = np.diff(shown - hits, prepend=0)
        area = np.sum(new_misses * (hits - new_hits / 2)) / (hits[-1] * (shown[-1] - hits[-1]))
        precision = np.sum(new_hits * hits / np.maximum(shown, 1)) / hits[-1]
        return float(area), float(precision)


def bootstrap(high: Array, model: Array, baseline: Array, seed: int) -> Array:
    """Resample the held-out customers with replacement, the same ones for the model and for the baseline.

    Returns:
        A row a resample: the model's ROC AUC and average precision, then the baseline's.
    """
    generator = np.random.default_rng(seed)
    rankings = Ranking(high, model), Ranking(high, baseline)
    rows: list[list[float]] = []
    while len(rows) < RESAMPLES:
        weights = np.bincount(generator.integers(len(high), size=len(high)), minlength=len(high))
        if 0 < np.sum(weights * high) < len(high):  # neither measure is defined for a resample of one class
            rows.append([value for ranking in rankings for value in ranking.measure(weights)])
    return np.array(rows)


def measure(high: Array, model: Array, baseline: Array, seed: int) -> dict[str, float]:
    """Measure model, baseline and the model's gain on the held-out customers, each with its interval."""
    resampled = bootstrap(high, model, baseline, seed)
    metrics = {"base_rate": float(high.mean())}
    for column, (name, function) in enumerate(
        (("roc_auc", roc_auc_score), ("average_precision", average_precision_score))
    ):
        ours, theirs = float(function(high, model)), float(function(high, baseline))
        samples = resampled[:, column], resampled[:, column + 2]
        for prefix, value, sample in (
            ("", ours, samples[0]),
            ("baseline_", theirs, samples[1]),
            ("gain_", ours - theirs, samples[0] - samples[1]),
        ):
            low, high_end = np.quantile(sample, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
            metrics |= {
                f"{prefix}{name}": value,
                f"{prefix}{name}_low": float(low),
                f"{prefix}{name}_high": float(high_end),
            }
    return metrics


def verdict(metrics: dict[str, float], name: str) -> str:
    """Say whether the model beats the baseline; where the gain's interval holds 0 it is a tie."""
    if metrics[f"gain_{name}_low"] > 0:
        return "better"
    return "worse" if metrics[f"gain_{name}_high"] < 0 else "tie"


def report(metrics: dict[str, float]) -> str:
    """Lay the measures out as a table."""

    def cell(prefix: str, name: str) -> str:
        value, low, high = (metrics[f"{prefix}{name}{end}"] for end in ("", "_low", "_high"))
        return f"{value:.3f} [{low:.3f}, {high:.3f}]"

    lines = [f"{'':20}{'model':24}{'first-months spend':24}{'difference':26}verdict"]
    for name, title in (("roc_auc", "ROC AUC"), ("average_precision", "average precision")):
        cells = f"{cell('', name):24}{cell('baseline_', name):24}{cell('gain_', name):26}"
        lines.append(f"{title:20}{cells}{verdict(metrics, name)}")
    lines.append(
        f"In brackets: {CONFIDENCE:.0%} bootstrap intervals over held-out customers; tie: the difference may be 0."
    )
    return "\n".join(lines)


def reached(high: Array, scores: Array) -> list[float]:
    """Return the share of the high spenders among the first 1, 2, … 100 % of the customers, by falling score."""
    found = np.cumsum(high[np.argsort(-scores, kind="stable")]) / high.sum()
    return [float(found[max(len(found) * percent // 100, 1) - 1]) for percent in range(1, 101)]


def track(params: dict[str, Any], metrics: dict[str, float], curve: list[float]) -> None:
    """Record the run where one is tracked: Azure ML sets MLFLOW_TRACKING_URI and the run for its jobs."""
    if "MLFLOW_TRACKING_URI" not in os.environ:
        return
    import mlflow  # noqa: PLC0415 - two seconds that only a tracked run needs

    def log_curve(values: list[float]) -> None:
        now = int(time.time() * 1000)
        points = [mlflow.entities.Metric("reached", value, now, step) for step, value in enumerate(values, 1)]
        mlflow.MlflowClient().log_batch(mlflow.active_run().info.run_id, metrics=points)

    logs: list[tuple[Callable[[Any], Any], Any]] = [
        (mlflow.log_params, params), (mlflow.log_metrics, metrics), (log_curve, curve)
    ]  # fmt: skip
    for log, what in logs:
        for left in reversed(range(TRIES)):
            try:
                log(what)
            except mlflow.MlflowException:
                if not left:  # mlflow itself repeats what was refused, not what broke off in the middle of an answer
                    raise
            else:
                break


def write(folder: Path, model: Any, about: dict[str, Any]) -> None:
    """Write model.joblib and what one must know to use it, model.json, each complete or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / "model.joblib.part")
    (folder / "model.json.part").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    for name in ("model.joblib", "model.json"):
        (folder / f"{name}.part").replace(folder / name)


def write_scores(path: Path, customers: Array, scores: Array, high: Array) -> None:
    """Write each held-out customer's score and what came of it, best score first."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("customer", "score", "high_spender"))
        for index in np.argsort(-scores, kind="stable"):
            writer.writerow((int(customers[index]), f"{scores[index]:.6f}", int(high[index])))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Predict from a customer's first months who becomes a high spender.")
    parser.add_argument("--input", type=Path, required=True, help="CSV file of purchases")
    parser.add_argument("--output", type=Path, required=True, help="folder for model, description and scores")
    parser.add_argument("--seed", type=int, default=0, help="draws the held-out customers, folds and resamples")
    return parser.parse_args()


@dataclass(frozen=True)
class Sample:
    """The customers with what is known of each, and which of them are held out."""

    customers: Array
    features: Array
    high: Array
    held_out: Array
    threshold: float


def sample(purchases: Purchases, seed: int) -> Sample:
    """Describe and label the customers, and draw the held-out ones.

    Raises:
        SystemExit: Too few high spenders to learn from or to measure with.
    """
    customers = np.unique(purchases.customer[purchases.age > 0])
    drawn = np.random.default_rng(seed).permutation(len(customers))
    held_out = np.zeros(len(customers), dtype=bool)
    held_out[drawn[: round(len(customers) * HELD_OUT_SHARE)]] = True
    if not (held_out.any() and (~held_out).any()):
        sys.exit(f"only {len(customers)} customers bought before {CUTOFF}: too few to hold some out")
    later = spend_later(purchases, customers)
    threshold = float(np.quantile(later[~held_out], 1 - TOP_SHARE))
    high = later > threshold
    for part, count in (("training", high[~held_out].sum()), ("held-out", high[held_out].sum())):
        if count < FOLDS:
            sys.exit(f"only {count} {part} customers are high spenders; at least {FOLDS} are needed")
    return Sample(customers, describe(purchases, customers), high, held_out, threshold)


def main() -> None:
    """Read, split, choose, measure once, record and write."""
    args = arguments()
    purchases = read_purchases(args.input)
    data = sample(purchases, args.seed)
    threadpool_limits(1)  # so little data: more threads would wait for one another, and round differently
    test, train = data.held_out, ~data.held_out
    print(f"{len(purchases.dollars):,} purchases of {len(data.customers):,} customers who bought before {CUTOFF}")
    print(f"High spender: more than ${data.threshold:.2f} from then on")
    print(f"Average precision in {FOLDS}-fold cross-validation on {train.sum():,} customers:", flush=True)
    name, model, found = choose(data.features[train], data.high[train], args.seed)
    scores = model.predict_proba(data.features[test])[:, 1]
    baseline = data.features[test, list(FEATURES).index(BASELINE)]
    metrics = measure(data.high[test], scores, baseline, args.seed)
    print(f"Chosen: {name}\n\n{test.sum():,} held-out customers, {metrics['base_rate']:.1%} of them high spenders")
    print(report(metrics), flush=True)

    params = {"model": name, "cutoff": str(CUTOFF), "top_share": TOP_SHARE, "seed": args.seed}
    metrics |= {
        "training_customers": float(train.sum()),
        "held_out_customers": float(test.sum()),
        "threshold_dollars": data.threshold,
        "cross_validation": found[name],
    }
    track(params, metrics, reached(data.high[test], scores))
    about = {
        "signature": {"inputs": FEATURES, "output": "probability of becoming a high spender: predict_proba(X)[:, 1]"},
        "params": params,
        "metrics": metrics,
        "cross_validation": found,
        "input_sha256": hashlib.sha256(args.input.read_bytes()).hexdigest(),
        "versions": {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": np.__version__},
    }
    write(args.output, model, about)
    write_scores(args.output / "held_out.csv", data.customers[test], scores, data.high[test])
    print(f"\nModel, description and held-out scores: {args.output}")


if __name__ == "__main__":
    main()
