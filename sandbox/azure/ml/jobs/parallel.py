"""Parallel steps, which are nodes of pipelines only: an entry script for each mini-batch of an input.

A step is carried out as one command, which splits the input and starts the workers (`runner.inside.minibatch`).
Source: learn.microsoft.com/azure/machine-learning/reference-yaml-job-parallel, how-to-use-parallel-job-in-pipeline.
"""

import json
import re
import shlex
from pathlib import Path
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.components import RETRIES, TIMEOUT
from sandbox.azure.ml.jobfields import bad
from sandbox.azure.ml.jobs import command
from sandbox.azure.ml.scope import Scope

JOB_TYPE = "Parallel"
DRIVER = Path(__file__).parent.parent / "runner" / "inside" / "minibatch.py"
UNITS = {"": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3}
PROCESSES = 2  # an instance, where nothing is said of it: all nodes are this machine
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_SIZE = re.compile(r"(\d+)\s*(kb|mb|gb)?", re.IGNORECASE)


def checked(scope: Scope, sent: Body) -> Body:
    """The step's definition with what the service fills in, and the command that carries it out.

    Raises:
        UserError: 400, naming the field.
    """
    task = sent.get("task") or {}
    if not task.get("entry_script"):
        raise bad("task.entry_script", "A parallel step needs an entry script.")
    if not sent.get("inputData"):
        raise bad("inputData", "A parallel step needs its input data.")
    nodes = int((sent.get("resources") or {}).get("instanceCount") or 1)
    threshold = _number("errorThreshold", sent.get("errorThreshold"), -1)
    settings = {
        "entryScript": task["entry_script"],
        "miniBatchSize": _size(sent.get("miniBatchSize")),
        "partitionKeys": _keys(sent.get("partitionKeys")),
        "loggingLevel": _level(sent.get("loggingLevel")),
        "concurrency": _number("maxConcurrencyPerInstance", sent.get("maxConcurrencyPerInstance"), 1) or PROCESSES,
        "nodes": nodes,
        "maxRetries": _number("maxRetries", sent.get("maxRetries"), 0, RETRIES),
        "timeout": _number("timeout", sent.get("timeout"), 1, TIMEOUT),
        "miniBatchErrorThreshold": _number("miniBatchErrorThreshold", sent.get("miniBatchErrorThreshold"), -1, -1),
        "own": {"error_threshold": threshold},
        "model": sent.get("model"),
    }
    words = ["python", shlex.quote(str(DRIVER)), "--settings", shlex.quote(json.dumps(settings))]
    append = [str(task["append_row_to"])] if task.get("append_row_to") else []
    line = " ".join([*words, str(sent["inputData"]), *append, "--", str(task.get("program_arguments") or "")])
    return {**command.checked(scope, {**sent, "command": line}), "jobType": JOB_TYPE}


def _number(name: str, given: Any, least: int, default: int | None = None) -> int | None:
    if given in (None, ""):
        return default
    try:
        found = int(given)
    except (TypeError, ValueError):
        found = least - 1
    if found < least:
        raise bad(name, f"'{name}' must be a number from {least} on, not {given!r}.")
    return found


def _size(given: Any) -> int | None:
    """Files, or bytes of a table; None for the default of each."""
    if given in (None, ""):
        return None
    found = _SIZE.fullmatch(str(given))
    if found is None or not int(found[1]):
        raise bad("miniBatchSize", f"The mini-batch size '{given}' is no number, nor one with kb, mb or gb.")
    return int(found[1]) * UNITS[(found[2] or "").lower()]


def _keys(given: Any) -> list[str]:
    """Partition keys, which azure-ai-ml sends as JSON."""
    found = json.loads(given) if isinstance(given, str) and given.startswith("[") else given
    return [str(one) for one in found or []]


def _level(given: Any) -> str:
    level = str(given or "INFO").upper()
    if level not in LEVELS:
        raise bad("loggingLevel", f"The logging level '{given}' is not one of {', '.join(LEVELS)}.")
    return level
