"""Scores files with an MLflow model without code: a line for each row of a table, or for each other file.

Source: learn.microsoft.com/azure/machine-learning/how-to-mlflow-batch. The columns are row, prediction and file.
"""

from __future__ import annotations  # the environment's Python may be an older one

import os
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd

READERS = {
    ".csv": pd.read_csv,
    ".tsv": lambda path: pd.read_csv(path, sep="\t"),
    ".parquet": pd.read_parquet,
    ".pqt": pd.read_parquet,
    ".json": pd.read_json,
}
model: Any = None


def init() -> None:
    """Loads the model."""
    global model  # noqa: PLW0603 # the contract's own form
    root = Path(os.environ["AZUREML_MODEL_DIR"])
    folder = next(path.parent for path in sorted(root.glob("*/MLmodel")))
    model = mlflow.pyfunc.load_model(str(folder))


def run(mini_batch: Any) -> Any:
    """Predicts for the files of a mini-batch, or for its rows."""
    if isinstance(mini_batch, pd.DataFrame):
        return _rows(mini_batch, "")
    return pd.concat([_rows(READERS[Path(one).suffix.lower()](one), Path(one).name) for one in mini_batch])


def _rows(table: Any, file: str) -> Any:
    found = list(model.predict(table))
    return pd.DataFrame({"row": range(len(found)), "prediction": found, "file": file})
