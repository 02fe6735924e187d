"""Train a network that reads handwritten digits; a trial of the sweep.

    python train.py --learning-rate 0.01 --hidden 64 --output model

The digits are scikit-learn's own. A fifth of them is held out, always the same. After each epoch their accuracy is
logged: by it the sweep ends poor trials early and knows the best. The model of the best epoch is kept.
"""
# ruff: noqa: T201 - a script whose printed lines are its log

from __future__ import annotations

import argparse
import json
import os
from copy import deepcopy
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

EPOCHS = 20
HELD_OUT_SHARE = 0.2
BRIGHTEST = 16.0  # of a point of an image


def main() -> None:
    """Train, log each epoch, write the best epoch's model."""
    parser = argparse.ArgumentParser(description="Train a network that reads handwritten digits.")
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--hidden", type=int, required=True, help="neurons of the hidden layer")
    parser.add_argument("--output", type=Path, required=True, help="folder for the model")
    arguments = parser.parse_args()
    threadpool_limits(1)  # so little data: more threads would wait for one another

    images, digits = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(
        images / BRIGHTEST, digits, test_size=HELD_OUT_SHARE, random_state=0, stratify=digits
    )
    model = MLPClassifier((arguments.hidden,), learning_rate_init=arguments.learning_rate, random_state=0)
    best, kept = 0.0, model
    for epoch in range(1, EPOCHS + 1):
        model.partial_fit(train_x, train_y, classes=np.arange(10))
        accuracy = float(model.score(test_x, test_y))
        if accuracy > best:
            best, kept = accuracy, deepcopy(model)
        print(f"epoch {epoch}: accuracy {accuracy:.4f}", flush=True)
        log_metric("accuracy", accuracy, epoch)

    arguments.output.mkdir(parents=True, exist_ok=True)
    joblib.dump(kept, arguments.output / "model.joblib")
    about = {"learning_rate": arguments.learning_rate, "hidden": arguments.hidden, "accuracy": best}
    (arguments.output / "model.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def log_metric(name: str, value: float, step: int) -> None:
    """Record a value where the run is tracked: Azure ML sets MLFLOW_TRACKING_URI and the run for its jobs."""
    if "MLFLOW_TRACKING_URI" in os.environ:
        import mlflow  # noqa: PLC0415 - two seconds that only a tracked run needs

        mlflow.log_metric(name, value, step=step)


if __name__ == "__main__":
    main()
