"""Which faults a seed meets, and what is asked of the system under them.

A plan is rules for `python -m sandbox faults set`. Where a kind's share is p, each request that it can strike is struck
with probability p. A kind that is about things (principals, role assignments, runs) strikes each thing with p. What
may need somebody is struck once at most in a seed's life: once set right (a quota, a taken name, an expired sign-in) or
waited for (a role, which Azure ML asks for when a workspace is made), it stays right.
"""

from collections.abc import Callable
from dataclasses import dataclass

REQUESTS = ("throttle", "error", "unavailable", "reset-before", "reset-after", "truncated", "slow")
THINGS = ("new-principal", "preemption")
PASSING = (*REQUESTS, *THINGS)
"""What passes by itself."""
REFUSALS = ("expired-token", "quota", "soft-deleted", "late-roles")
"""What may end an operation by its nature: the next run goes on."""


@dataclass(frozen=True)
class Bar:
    """One kind of plan, and what is asked.

    Attributes:
        name: As results have it.
        says: As the results' table has it.
        rules: The plan of a seed.
        runs: How often each operation may be run.
        least: The share of seeds that must succeed so.
        part: Of the seeds asked for, how many it has: a stricter reading of a bar has fewer.
    """

    name: str
    says: str
    rules: Callable[[int], list[str]]
    runs: int
    least: float
    part: float = 1.0


def _rule(kind: str, share: float) -> str:
    once = ",count=1" if kind in REFUSALS else ""
    seconds = {"slow": "0.2", "new-principal": "2", "late-roles": "2"}.get(kind, "0")
    return f"{kind},probability={share:.6f},seconds={seconds}{once}"


def one(kinds: tuple[str, ...], share: float) -> Callable[[int], list[str]]:
    """One kind a seed, each in turn."""
    return lambda seed: [_rule(kinds[seed % len(kinds)], share)]


def together(kinds: tuple[str, ...], share: float) -> Callable[[int], list[str]]:
    """All kinds at once, each with this share."""
    return lambda seed: [_rule(kind, share) for kind in kinds]


def shared(kinds: tuple[str, ...], total: float) -> Callable[[int], list[str]]:
    """All kinds at once, so that this share of the requests is struck by any."""
    return together(kinds, 1 - (1 - total) ** (1 / len(REQUESTS)))


EVERY = (*PASSING, *REFUSALS)
BARS = {
    bar.name: bar
    for bar in (
        Bar("one-5", "one kind at 5 %, each that passes in turn", one(PASSING, 0.05), 1, 0.95),
        Bar("mixed-5", "all that pass at once, 5 % of requests struck", shared(PASSING, 0.05), 1, 0.95, 0.25),
        Bar("one-20", "one kind at 20 %, each in turn", one(EVERY, 0.2), 3, 1.0),
        Bar("mixed-20", "all kinds at once, 20 % of requests struck", shared(EVERY, 0.2), 3, 1.0),
        Bar("all-5", "all kinds at once, each at 5 %: 30 % of requests", together(EVERY, 0.05), 3, 1.0, 0.25),
    )
}
BEYOND = Bar("all-20", "all kinds at once, each at 20 %: 79 % of requests", together(EVERY, 0.2), 3, 0.0, 0.015)
"""More than four tries of a request can outlast; measured to see that it ends in good order."""
