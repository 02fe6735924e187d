"""Make the folder images and labels.csv from scikit-learn's digits: 60 that the model does not learn from.

pip install scikit-learn==1.9.1 pillow==13.0.0
python images.py
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

HERE = Path(__file__).parent
FIRST, COUNT = 1500, 60
LEVELS = 255 / 16  # the digits' brightness goes from 0 to 16


def main() -> None:
    """Write a PNG a digit, and what each shows."""
    images, digits = load_digits(return_X_y=True)
    with (HERE / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("image", "digit"))
        for number in range(FIRST, FIRST + COUNT):
            points = np.round(images[number].reshape(8, 8) * LEVELS).astype("uint8")
            Image.fromarray(points).save(HERE / "images" / f"{number}.png")
            writer.writerow((f"{number}.png", digits[number]))


if __name__ == "__main__":
    main()
