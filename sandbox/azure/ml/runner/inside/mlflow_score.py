"""Serves an MLflow model without code: the contract of Microsoft's public scoring script.

The body is a JSON object with `input_data`: a table in pandas' split form (`columns`, `index`, `data`), a list, or
named tensors; and `params`, if the model takes some. The answer is a list, of records for a table.
Source: github.com/Azure/azureml-assets, assets/training/model_management/environments/mlflow-model-inference.
"""

import json
import os
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
from azureml_inference_server_http.api.aml_response import AMLResponse

SPLIT = {"columns", "index", "data"}
model: Any = None


def init() -> None:
    """Loads the model."""
    global model  # noqa: PLW0603 # the contract's own form
    model = mlflow.pyfunc.load_model(os.environ["SANDBOX_MLFLOW_MODEL"])


def run(body: str) -> Any:
    """Predicts."""
    try:
        sent = json.loads(body)
        given = sent["input_data"]
    except (ValueError, TypeError, KeyError):
        text = "A value is not provided for the 'input_data' parameter."
        return AMLResponse({"message": text}, 400, json_str=True)
    params = sent.get("params")
    found = model.predict(_model_input(given), params=params) if params else model.predict(_model_input(given))
    return _jsonable(found)


def _model_input(given: Any) -> Any:
    """A table, an array, or arrays by name."""
    if isinstance(given, dict) and set(given) >= SPLIT:
        return pd.DataFrame(given["data"], index=given["index"], columns=given["columns"])
    if isinstance(given, dict):
        return {name: np.asarray(value) for name, value in given.items()}
    return np.asarray(given)


def _jsonable(found: Any) -> Any:
    if isinstance(found, pd.DataFrame):
        return json.loads(found.to_json(orient="records"))
    if isinstance(found, pd.Series):
        return json.loads(found.to_json(orient="values"))
    if isinstance(found, np.ndarray):
        return found.tolist()
    if isinstance(found, dict):
        return {name: _jsonable(value) for name, value in found.items()}
    return found
