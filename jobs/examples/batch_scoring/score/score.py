"""The entry script of the parallel step: Azure ML calls init() once a process and run() once a mini-batch."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from PIL import Image

LEVELS = 255 / 16  # of an image's brightness for one of the training data's, which go from 0 to 16

model: Any = None


def init() -> None:
    """Load the model."""
    global model  # noqa: PLW0603 - Azure ML calls init once and run for each mini-batch
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    arguments, _ = parser.parse_known_args()  # Azure ML adds arguments of its own
    model = joblib.load(arguments.model / "model.joblib")


def run(mini_batch: list[str]) -> list[str]:
    """Read the digit on each image.

    Args:
        mini_batch: Paths of images of 8 by 8 points.

    Returns:
        A line an image, `name,digit`. Azure ML counts the lines: an image without one counts as failed.
    """
    images = [np.asarray(Image.open(path).convert("L"), dtype=float).ravel() / LEVELS for path in mini_batch]
    digits = model.predict(np.round(images))
    return [f"{Path(path).name},{digit}" for path, digit in zip(mini_batch, digits, strict=True)]
