"""A gate before a release: a run's metrics held against those of the model that an endpoint serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobs import endpoints
from jobs.errors import JobError
from jobs.resources import asset_name
from jobs.runs import Run
from jobs.workspace import Workspace


@dataclass(frozen=True)
class Rule:
    """What a run must reach.

    Attributes:
        metric: Name of the metric, in the run and among the properties that `models.register_run` gives a model.
        tolerance: By how much the run may be worse, in the metric's own unit; 0 or more.
        lower_is_better: Whether a smaller value is the better one.
    """

    metric: str
    tolerance: float = 0.0
    lower_is_better: bool = False

    def allows(self, value: float, before: float) -> bool:
        """Return whether a value is good enough beside the one that serves; NaN is not."""
        gain = before - value if self.lower_is_better else value - before
        return gain >= -self.tolerance


@dataclass(frozen=True)
class Held:
    """A metric of a run beside that of the model that serves, and whether the rule allows the run."""

    metric: str
    run: float
    serving: float
    allowed: bool


def serving_model(workspace: Workspace, endpoint: str) -> tuple[str, dict[str, str]] | None:
    """Return the model that gets most of an endpoint's requests, as `NAME:VERSION`, and its properties.

    None where there is no such endpoint, or none of its deployments has traffic.

    Raises:
        JobError: That deployment has no registered model.
    """
    name = endpoints.serving(workspace.resources.get("onlineEndpoints", endpoint))
    if name is None:
        return None
    deployment = workspace.resources.get("onlineEndpoints", endpoint, "deployments", name) or {"properties": {}}
    model = asset_name(deployment["properties"].get("model"))
    plain, _, version = model.partition(":")
    resource = workspace.resources.get("models", plain, "versions", version)
    if resource is None:
        raise JobError(f"deployment {name} of {endpoint} has no model of {workspace.team.workspace}, so no metrics")
    return model, resource["properties"].get("properties") or {}


def hold(run: Run, model: str, properties: dict[str, str], rules: Sequence[Rule]) -> list[Held]:
    """Hold a run's metrics against a model's.

    Args:
        run: A completed run with its metrics.
        model: The model that serves, as `NAME:VERSION`.
        properties: The model's properties.
        rules: What the run must reach.

    Raises:
        JobError: The run did not complete, or run or model lack a metric.
    """
    if run.status != "Completed":
        raise JobError(f"run {run.name} is {run.status}: only a completed run can be released")
    found = []
    for rule in rules:
        if rule.metric not in run.metrics:
            names = ", ".join(sorted(run.metrics)) or "none"
            raise JobError(f"run {run.name} has no metric '{rule.metric}'; its metrics: {names}")
        try:
            before = float(properties[rule.metric])
        except (KeyError, ValueError):
            raise JobError(
                f"model {model}, which serves, has no metric '{rule.metric}' among its properties\n"
                "  `python -m jobs models register NAME RUN` puts a run's metrics there"
            ) from None
        value = run.metrics[rule.metric]
        found.append(Held(rule.metric, value, before, rule.allows(value, before)))
    return found
