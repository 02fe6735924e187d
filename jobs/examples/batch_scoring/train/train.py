"""Train a model that reads handwritten digits.

    python train.py --output model

It learns from scikit-learn's first 1,500 digits. The images to score are of those after them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import joblib
from sklearn.datasets import load_digits
from sklearn.svm import SVC

TRAINING = 1500


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description="Train a model that reads handwritten digits.")
    parser.add_argument("--output", type=Path, required=True, help="folder for model.joblib")
    arguments = parser.parse_args()
    images, digits = load_digits(return_X_y=True)
    model = SVC(gamma=0.001).fit(images[:TRAINING], digits[:TRAINING])
    arguments.output.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, arguments.output / "model.joblib")


if __name__ == "__main__":
    main()
