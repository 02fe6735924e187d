"""What a sweep's definition says, for all who read it, and what its run begins with."""

import json
import uuid
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.durations import seconds

MOST_TRIALS = 1000
TIMEOUT = "P60D"
"""Of a sweep that says nothing of it."""
TRIAL_FIELDS = ("codeId", "environmentVariables", "distribution", "resources")
"""What a trial has of the sweep's `trial` as it is."""
REFERENCE = "search_space."
"""What a hyperparameter's expression in a command begins with."""
GOALS = ("Maximize", "Minimize")
TAG = "_aml_system_"


def maximizes(job: Body) -> bool:
    """Whether more of the primary metric is better."""
    return bool(job["objective"]["goal"] == GOALS[0])


def most(job: Body) -> int:
    """How many trials there are at most."""
    return int(job["limits"]["maxTotalTrials"] or MOST_TRIALS)


def at_once(job: Body) -> int:
    """How many trials there are side by side; all where nothing is said of it."""
    return int(job["limits"]["maxConcurrentTrials"] or most(job))


def lasts(job: Body) -> float:
    """Seconds after which the sweep is cancelled."""
    return seconds(job["limits"]["timeout"] or TIMEOUT)


def run_properties(job: Body) -> dict[str, str]:
    """The properties of a sweep's run."""
    return {
        "primary_metric_config": metric(job),
        "resume_from": "null",
        "runTemplate": "HyperDrive",
        "azureml.runsource": "hyperdrive",
        "platform": "AML",
        "ContentSnapshotId": str(uuid.uuid4()),
        "user_agent": "managementfrontend/sandbox",
    }


def metric(job: Body) -> str:
    """The primary metric and its goal, as tags and properties have them."""
    return as_json({"name": job["objective"]["primaryMetric"], "goal": job["objective"]["goal"].lower()})


def as_json(value: Any) -> str:
    """JSON without blanks, as the service writes it."""
    return json.dumps(value, separators=(",", ":"))
