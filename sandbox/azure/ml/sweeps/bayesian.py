"""Bayesian sampling by optuna, an extra: its tree-structured Parzen estimator, told of all trials each time.

Azure's own algorithm is not documented; what both have in common is that they go by the scores so far.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from sandbox.azure.ml.sweeps.space import CHOICE, Expression, Tried

optuna: Any = import_module("optuna")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def suggest(space: Mapping[str, Expression], tried: Sequence[Tried], *, maximize: bool, seed: int) -> dict[str, Any]:
    """The values of the next trial.

    Args:
        space: The expressions by hyperparameter.
        tried: The trials before it.
        maximize: Whether more of the primary metric is better.
        seed: What random numbers begin with.
    """
    distributions = {name: _distribution(one) for name, one in space.items()}
    study = optuna.create_study(
        direction="maximize" if maximize else "minimize", sampler=optuna.samplers.TPESampler(seed=seed + len(tried))
    )
    for one in tried:
        if one.score is not None:
            study.add_trial(
                optuna.trial.create_trial(
                    params=_indexed(space, one.values), distributions=distributions, value=one.score
                )
            )
    found = study.ask(distributions).params
    return {name: one.arguments[0][found[name]] if one.kind == CHOICE else found[name] for name, one in space.items()}


def _distribution(expression: Expression) -> Any:
    """A choice by its number, as values need not be such that optuna takes them."""
    arguments = expression.arguments
    if expression.kind == CHOICE:
        return optuna.distributions.CategoricalDistribution(list(range(len(arguments[0]))))
    step = arguments[2] if expression.kind == "quniform" else None
    low, high = (float(one) for one in arguments[:2])
    if step is not None:
        low, high = round(low / step) * step, round(high / step) * step
    return optuna.distributions.FloatDistribution(low, high, step=step)


def _indexed(space: Mapping[str, Expression], values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: one.arguments[0].index(values[name]) if one.kind == CHOICE else values[name]
        for name, one in space.items()
    }
