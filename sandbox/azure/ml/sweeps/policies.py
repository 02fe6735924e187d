"""Early termination: which trials end before their time, by the primary metric that all have logged.

One logging of the primary metric is an interval. A policy judges a trial at each multiple of its interval that is not
below its delay. Source: learn.microsoft.com/azure/machine-learning/how-to-tune-hyperparameters.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median
from typing import Any

BANDIT, MEDIAN, TRUNCATION = "Bandit", "MedianStopping", "TruncationSelection"
OWN = {BANDIT: ("slackFactor", "slackAmount"), MEDIAN: (), TRUNCATION: ("truncationPercentage",)}
"""What each policy has beside `evaluationInterval` and `delayEvaluation`."""
COMMON = ("evaluationInterval", "delayEvaluation")
NAMES = {
    "evaluation_interval": "evaluationInterval",
    "delay_evaluation": "delayEvaluation",
    "slack_factor": "slackFactor",
    "slack_amount": "slackAmount",
    "truncation_percentage": "truncationPercentage",
}
"""The settings of all policies: as nodes of pipelines and tags of runs name them, and as jobs do."""
MOST_PERCENT = 99

Logged = Mapping[str, Sequence[float]]
"""The values of the primary metric by trial, in the order of their logging."""


class PolicyError(ValueError):
    """A policy that is none; the message says why."""


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The `earlyTermination` with what the service fills in.

    Raises:
        PolicyError: It is none.
    """
    kind = next((one for one in OWN if one.lower() == str(given.get("policyType")).lower()), None)
    if kind is None:
        raise PolicyError(f"The policy '{given.get('policyType')}' is not one of {', '.join(OWN)}.")
    found: dict[str, Any] = {"policyType": kind}
    for name in COMMON:
        value = given.get(name) or 0
        if not isinstance(value, int) or value < 0:
            raise PolicyError(f"'{name}' must be a number from 0 on, not {value!r}.")
        found[name] = value
    for name in OWN[kind]:
        value = given.get(name) or 0
        if not isinstance(value, int | float) or value < 0 or not math.isfinite(value):
            raise PolicyError(f"'{name}' must be a number from 0 on, not {value!r}.")
        found[name] = value
    if kind == TRUNCATION and not 1 <= found["truncationPercentage"] <= MOST_PERCENT:
        raise PolicyError(f"'truncationPercentage' must be from 1 to {MOST_PERCENT}.")
    return found


def stops(policy: Mapping[str, Any], logged: Logged, trial: str, interval: int, *, maximize: bool) -> bool:
    """Whether a trial ends at an interval.

    Args:
        policy: As `checked` gives it back.
        logged: What all trials have logged.
        trial: The one that is judged; it has logged at least `interval` values.
        interval: At which of its loggings, from 1 on.
        maximize: Whether more is better.
    """
    every = max(1, policy["evaluationInterval"])
    if interval % every or interval < policy["delayEvaluation"]:
        return False
    return JUDGES[policy["policyType"]](policy, _upwards(logged, maximize=maximize), trial, interval)


def _upwards(logged: Logged, *, maximize: bool) -> Logged:
    """So that more is better."""
    return logged if maximize else {name: [-value for value in values] for name, values in logged.items()}


def _bandit(policy: Mapping[str, Any], logged: Logged, trial: str, interval: int) -> bool:
    """Ends a trial whose best is farther from the best of all than the slack: a share of that, or an amount."""
    best = max(max(values[:interval]) for values in logged.values() if values)
    mine = max(logged[trial][:interval])
    if policy["slackAmount"]:
        return mine < best - float(policy["slackAmount"])
    slack = 1 + float(policy["slackFactor"])
    return mine < (best / slack if best >= 0 else best * slack)


def _median(policy: Mapping[str, Any], logged: Logged, trial: str, interval: int) -> bool:
    """Ends a trial whose best is worse than the median of all trials' running averages."""
    del policy
    return max(logged[trial][:interval]) < median(fmean(values[:interval]) for values in logged.values() if values)


def _truncation(policy: Mapping[str, Any], logged: Logged, trial: str, interval: int) -> bool:
    """Ends the trials that are the lowest part of those that have come to the interval."""
    there = {name: values[interval - 1] for name, values in logged.items() if len(values) >= interval}
    lowest = sorted(there, key=lambda name: there[name])[: int(len(there) * policy["truncationPercentage"] / 100)]
    return trial in lowest


JUDGES: dict[str, Callable[[Mapping[str, Any], Logged, str, int], bool]] = {
    BANDIT: _bandit,
    MEDIAN: _median,
    TRUNCATION: _truncation,
}
