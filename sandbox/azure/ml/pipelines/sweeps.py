"""A sweep node as the standalone sweep that it becomes: names in camel case, expressions as lists, text as numbers.

Source: what azure-ai-ml 1.35 sends of each.
"""

from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.command import EXPRESSION
from sandbox.azure.ml.jobfields import bad
from sandbox.azure.ml.pipelines.bindings import BindingError, bindings
from sandbox.azure.ml.pipelines.graph import Node
from sandbox.azure.ml.sweeps.definition import REFERENCE, TRIAL_FIELDS
from sandbox.azure.ml.sweeps.policies import NAMES
from sandbox.azure.ml.sweeps.space import SpaceError, from_node, number, parse

LIMITS = {
    "max_total_trials": "maxTotalTrials",
    "max_concurrent_trials": "maxConcurrentTrials",
    "timeout": "timeout",
    "trial_timeout": "trialTimeout",
}


def check(node: Node) -> None:
    """Checks what is known of a sweep node before its bindings have values.

    Raises:
        UserError: 400, naming the part.
    """
    at, objective = f"jobs.{node.name}", node.given.get("objective") or {}
    if not node.space():
        raise bad(f"{at}.search_space", f"The sweep '{node.name}' needs a search space.")
    if not objective.get("primary_metric") or not objective.get("goal"):
        raise bad(f"{at}.objective", f"The sweep '{node.name}' needs an objective: a goal and a primary metric.")
    for name, one in node.space().items():
        if next(bindings(one), None) is None:
            try:
                parse(name, from_node(name, one))
            except SpaceError as error:
                raise bad(f"{at}.search_space.{name}", str(error)) from error


def sweep(given: Body, single: Body) -> Body:
    """The definition of the sweep.

    Args:
        given: What the pipeline says of the node, with values in place of bindings.
        single: The definition of a command of the same component.

    Raises:
        BindingError: An expression of the search space is none.
    """
    space = given.get("search_space") or {}
    try:
        expressions = {name: from_node(name, one) for name, one in space.items()}
    except SpaceError as error:
        raise BindingError(str(error)) from error
    objective = given.get("objective") or {}
    return {
        "jobType": "Sweep",
        "searchSpace": expressions,
        "samplingAlgorithm": _sampling(given.get("sampling_algorithm")),
        "limits": {"jobLimitsType": "Sweep", **_limits(given.get("limits") or {})},
        "objective": {"goal": objective.get("goal"), "primaryMetric": objective.get("primary_metric")},
        "earlyTermination": _policy(given.get("early_termination")),
        "trial": {
            **{name: single[name] for name in (*TRIAL_FIELDS, "environmentId")},
            "command": _command(single["command"], space),
        },
        "resources": single["resources"],
        **{name: single[name] for name in ("identity", "queueSettings")},
    }


def _command(line: str, space: Body) -> str:
    """The component's inputs that are hyperparameters are expressions of the search space."""

    def named(match: Any) -> str:
        kind, _, name = match[1].partition(".")
        return f"${{{{{REFERENCE}{name}}}}}" if kind == "inputs" and name in space else match[0]

    return EXPRESSION.sub(named, line)


def _sampling(given: Any) -> Body:
    """A name alone, or an object with its `type`."""
    if not isinstance(given, dict):
        return {"samplingAlgorithmType": given}
    rest = {key: number(value) for key, value in given.items() if key in ("seed", "logbase")}
    return {"samplingAlgorithmType": given.get("type"), "rule": given.get("rule"), **rest}


def _limits(given: Body) -> Body:
    found = {}
    for name, camel in LIMITS.items():
        value = number(given.get(name))
        found[camel] = f"PT{value}S" if name.endswith("timeout") and isinstance(value, int) else value
    return found


def _policy(given: Any) -> Body | None:
    if not given:
        return None
    kind = str(given.get("policy_type") or given.get("type") or "").replace("_", "")
    return {"policyType": kind, **{camel: number(given.get(name)) for name, camel in NAMES.items() if name in given}}
