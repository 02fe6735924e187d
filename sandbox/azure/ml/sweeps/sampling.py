"""Samples of a search space: which values a trial gets, by its number and what the trials before it reached.

Each sample follows from the sweep's definition, its name, the trial's number and, with Bayesian sampling, the scores so
far. A sandbox that begins again takes the same ones. Source: learn.microsoft.com/azure/machine-learning/
how-to-tune-hyperparameters.
"""

import importlib.util
import itertools
import math
import random
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.azure.ml.sweeps import sobol
from sandbox.azure.ml.sweeps.space import CHOICE, Expression, SpaceError, Tried, grid, size

RANDOM, GRID, BAYESIAN = "Random", "Grid", "Bayesian"
SOBOL = "Sobol"
RULES = (RANDOM, SOBOL)
OPTUNA = "optuna"  # the package that Bayesian sampling needs
BAYESIAN_KINDS = (CHOICE, "uniform", "quniform")


@dataclass(frozen=True)
class Sampler:
    """Takes the samples of one sweep.

    Attributes:
        kind: `Random`, `Grid` or `Bayesian`.
        space: The expressions by hyperparameter.
        maximize: Whether more of the primary metric is better.
        rule: Of random sampling: `Random` or `Sobol`.
        seed: What random numbers begin with.
        base: The base of logarithmic expressions.
    """

    kind: str
    space: Mapping[str, Expression]
    maximize: bool
    rule: str
    seed: int
    base: float

    def sample(self, number: int, tried: Sequence[Tried]) -> dict[str, Any] | None:
        """The values of a trial; None where the space is exhausted.

        Args:
            number: The trial's, from 0 on.
            tried: The trials before it.
        """
        if self.kind == GRID:
            return next(itertools.islice(grid(self.space), number, None), None)
        if self.kind == BAYESIAN:
            from sandbox.azure.ml.sweeps import bayesian  # noqa: PLC0415 # the package is an extra

            return bayesian.suggest(self.space, tried, maximize=self.maximize, seed=self.seed)
        units = sobol.point(number, len(self.space), self.seed) if self.rule == SOBOL else self._units(number)
        return {name: one.value(unit, self.base) for (name, one), unit in zip(self.space.items(), units, strict=True)}

    def _units(self, number: int) -> list[float]:
        source = random.Random(f"{self.seed}/{number}")  # noqa: S311 # no secret
        return [source.random() for _ in self.space]


def sampler(given: Mapping[str, Any], space: Mapping[str, Expression], name: str, *, maximize: bool) -> Sampler:
    """The sampler of a sweep's `samplingAlgorithm`.

    Args:
        given: It, as `checked` gives it back.
        space: The expressions.
        name: The sweep's run, from which random numbers begin where no seed was given.
        maximize: Whether more of the primary metric is better.
    """
    seed = given.get("seed")
    return Sampler(
        given["samplingAlgorithmType"],
        space,
        maximize,
        str(given.get("rule") or RANDOM),
        zlib.crc32(name.encode()) if seed is None else int(seed),
        _base(given.get("logbase")),
    )


def checked(given: Mapping[str, Any], space: Mapping[str, Expression]) -> dict[str, Any]:
    """The `samplingAlgorithm` with what the service fills in.

    Raises:
        SpaceError: It does not go with the space, or is none.
    """
    found = str(given.get("samplingAlgorithmType") or "")
    kind = next((one for one in (RANDOM, GRID, BAYESIAN) if one.lower() == found.lower()), None)
    if kind is None:
        raise SpaceError(f"The sampling algorithm '{found}' is not one of {RANDOM}, {GRID}, {BAYESIAN}.")
    if kind == GRID and size(space) is None:
        raise SpaceError("Grid sampling takes hyperparameters of 'choice' only.")
    if kind == BAYESIAN:
        _check_bayesian(space)
    if kind != RANDOM:
        return {"samplingAlgorithmType": kind}
    wanted = str(given.get("rule") or RANDOM)
    rule = next((one for one in RULES if one.lower() == wanted.lower()), None)
    if rule is None:
        raise SpaceError(f"The rule '{wanted}' of random sampling is not one of {', '.join(RULES)}.")
    seed, logbase = given.get("seed"), given.get("logbase")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
        raise SpaceError(f"The seed must be a whole number, not {seed!r}.")
    _base(logbase)
    return {"samplingAlgorithmType": kind, "seed": seed, "logbase": logbase, "rule": rule}


def _check_bayesian(space: Mapping[str, Expression]) -> None:
    for name, one in space.items():
        if one.kind not in BAYESIAN_KINDS:
            raise SpaceError(f"Bayesian sampling takes {', '.join(BAYESIAN_KINDS)} only, and '{name}' is '{one.kind}'.")
    if importlib.util.find_spec(OPTUNA) is None:
        raise SpaceError(
            f"Bayesian sampling needs the package '{OPTUNA}', which is not installed beside the sandbox: "
            f"install it with '.venv/bin/python -m pip install {OPTUNA}', or use random sampling."
        )


def _base(given: Any) -> float:
    """The base that `logbase` names: a positive number, or the text `e`.

    Raises:
        SpaceError: It is none.
    """
    try:
        base = math.e if given in (None, "e") else float(given)
    except (TypeError, ValueError):
        base = 0.0
    if not (base > 0 and math.isfinite(base)) or base == 1:
        raise SpaceError(f"The logbase must be a positive number other than 1, or 'e', not {given!r}.")
    return base
