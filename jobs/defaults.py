"""Defaults and allowed words that the commands and the library share; light, so that `--help` can show them."""

from __future__ import annotations

from typing import Literal

STACK = "dev"
"""The stack whose outputs are read where none is named."""

LISTED = 20
"""The most runs that a list has where nothing else is said."""

CHEAPEST = "cheapest"
"""Stands for the cluster whose nodes cost least an hour."""

Frequency = Literal["minute", "hour", "day", "week", "month"]
"""Units of a recurrence."""

DataType = Literal["uri_file", "uri_folder", "mltable"]
"""Types of data assets."""

ModelType = Literal["custom_model", "mlflow_model", "triton_model"]
"""Types of registered models."""

STATES = (
    "NotStarted",
    "Starting",
    "Provisioning",
    "Preparing",
    "Queued",
    "Running",
    "Finalizing",
    "CancelRequested",
    "Completed",
    "Failed",
    "Canceled",
    "NotResponding",
    "Paused",
    "Unknown",
    "Scheduled",
)
"""States of a run: `JobStatus` of the specification of Microsoft.MachineLearningServices."""
