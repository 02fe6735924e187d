"""What a job may cost at worst: time limit, times nodes, times the hourly price of a node in the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contract import TeamOutput
from jobs.submission.fit import children, cluster_of, steps

_HOUR = 3600
_SWEEP_SECONDS, _SWEEP_TRIALS = 7 * 24 * _HOUR, 1000
"""Azure ML's own limits of a sweep. Source: learn.microsoft.com/azure/machine-learning/reference-yaml-job-sweep."""


@dataclass(frozen=True)
class StepEstimate:
    """The worst cost of a step, or of a job without steps.

    Attributes:
        name: The step's name in its pipeline; empty for the job itself.
        cluster: The compute that it runs on.
        vm_size: Its VM size; None where the compute is not a cluster of the team.
        nodes: Nodes that it may use at the same time.
        hourly: US dollars an hour and node; None where no price is known.
        seconds: Seconds that each node may be used at most; None without a time limit.
    """

    name: str
    cluster: str
    vm_size: str | None
    nodes: int
    hourly: float | None
    seconds: int | None

    @property
    def hours(self) -> float | None:
        """Hours that each node may be used at most; None without a time limit."""
        return None if self.seconds is None else self.seconds / _HOUR

    @property
    def worst(self) -> float | None:
        """US dollars at worst; None without a price or a time limit."""
        if self.hourly is None or self.hours is None:
            return None
        return self.hourly * self.nodes * self.hours


@dataclass(frozen=True)
class Estimate:
    """The worst cost of a job."""

    steps: tuple[StepEstimate, ...]

    @property
    def worst(self) -> float | None:
        """US dollars at worst; None where a step has no price or no time limit."""
        costs = [step.worst for step in self.steps]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    @property
    def open_ended(self) -> list[str]:
        """The steps whose cost has no limit, each with the reason."""
        return [f"{step.name or 'the job'}: {_reason(step)}" for step in self.steps if step.worst is None]


def _reason(step: StepEstimate) -> str:
    if step.hourly is None:
        return f"no price of {step.cluster} is known"
    return f"no limits.timeout, so it costs {step.hourly * step.nodes:.2f} $ an hour until it ends"


def estimate(team: TeamOutput, job: Any) -> Estimate:
    """Price a job that was fitted to the team.

    A step of a registered pipeline component is not looked into. Retries are not counted.
    """
    return Estimate(tuple(_steps(team, job)))


def _steps(team: TeamOutput, job: Any) -> Iterator[StepEstimate]:
    for name, step in steps(job):
        if children(step):
            continue
        compute, cluster = cluster_of(team, job, step)
        nodes, seconds = _use(step, cluster.max_nodes if cluster else 1)
        price = cluster.price.hourly if cluster and cluster.price else None
        yield StepEstimate(name, compute, cluster.vm_size if cluster else None, nodes, price, seconds)


def _use(step: Any, most: int) -> tuple[int, int | None]:
    """Return how many nodes a step uses at the same time, and for how many seconds."""
    nodes = _count(getattr(getattr(step, "resources", None), "instance_count", None))
    limits = getattr(step, "limits", None)
    if getattr(step, "type", "") != "sweep":
        return min(nodes, most), getattr(limits, "timeout", None)
    trials = getattr(limits, "max_total_trials", None) or _SWEEP_TRIALS
    at_once = max(1, min(getattr(limits, "max_concurrent_trials", None) or trials, most // nodes))
    seconds = getattr(limits, "timeout", None) or _SWEEP_SECONDS
    if trial := getattr(limits, "trial_timeout", None):
        seconds = min(seconds, -(-trials // at_once) * trial)
    return at_once * nodes, seconds


def _count(value: Any) -> int:
    """Return a number of nodes; one that a binding gives is known only when the pipeline runs, and counts as one."""
    try:
        return max(1, int(value or 1))
    except (TypeError, ValueError):
        return 1
