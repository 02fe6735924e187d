"""Answers what a customer's first months say: POST {"data": [{"recency": 10, ...}, ...]} → {"scores": [0.12, ...]}."""

import json
import os
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-not-found,unused-ignore]

model: Any = None
names: Any = None


def init():  # type: ignore[no-untyped-def]
    """Load the model once; Azure ML says in which folder it lies."""
    global model, names  # noqa: PLW0603 - the server calls init once and run for each request
    folder = next(Path(os.environ["AZUREML_MODEL_DIR"]).rglob("model.joblib")).parent
    model = joblib.load(folder / "model.joblib")
    names = json.loads((folder / "model.json").read_text(encoding="utf-8"))["signature"]["inputs"]


def run(body):  # type: ignore[no-untyped-def]
    """Score each customer; the order of a customer's keys does not matter."""
    rows = [[float(row[name]) for name in names] for row in json.loads(body)["data"]]
    return {"scores": [round(float(score), 6) for score in model.predict_proba(rows)[:, 1]]}
