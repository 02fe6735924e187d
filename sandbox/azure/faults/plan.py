"""A fault plan: rules, each a kind of fault and the requests it strikes, and a seed."""

import fnmatch
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from terminal import write_whole

FILE = "faults.json"
LONGEST = 600.0  # seconds
KINDS: dict[str, tuple[str, float]] = {
    "throttle": ("429 TooManyRequests; Retry-After is `seconds`", 1.0),
    "error": ("500 InternalServerError; Retry-After is `seconds`", 1.0),
    "unavailable": ("503 ServiceUnavailable; Retry-After is `seconds`", 1.0),
    "reset-before": ("the connection is reset, nothing was done", 0.0),
    "reset-after": ("the request is carried out, then the connection is reset instead of an answer", 0.0),
    "slow": ("the answer comes `seconds` later", 1.0),
    "truncated": ("the request is carried out, the connection closes half way through the answer's body", 0.0),
    "expired-token": ("401 ExpiredAuthenticationToken, for requests with a bearer token", 0.0),
    "quota": ("a new cluster or instance is refused for its quota", 0.0),
    "soft-deleted": ("a new vault is refused: its name is taken by a deleted one", 0.0),
    "new-principal": ("a principal is not found for `seconds` after it was made", 5.0),
    "preemption": ("a low-priority node is lost `seconds` after a job began on it; the job begins again", 1.0),
    "late-roles": ("a role assignment takes effect `seconds` after it was made", 5.0),
}
"""The effect of each kind of fault, and its `seconds` where the rule gives none."""

WHOLE = ("late-roles", "new-principal", "preemption")  # are about principals, assignments and jobs, not about requests


class PlanError(Exception):
    """A plan that cannot be used; the message says what is wrong and what is allowed."""


@dataclass(frozen=True)
class Rule:
    """One fault and the requests it strikes.

    Attributes:
        kind: One of `KINDS`.
        host: Pattern of host names, with `*` for any characters; case does not count, here and in `path`.
        method: Pattern of methods.
        path: Pattern of paths, without the query.
        probability: Of striking a request that matches, above 0 and up to 1.
        count: How often it strikes at most since the plan was set or the sandbox started; None for without end.
        seconds: What the kind says; 0 to 600.
    """

    kind: str
    host: str = "*"
    method: str = "*"
    path: str = "*"
    probability: float = 1.0
    count: int | None = None
    seconds: float = 0.0

    def matches(self, host: str, method: str, path: str) -> bool:
        """Whether a request, host and path in lower case, is one of the rule's."""
        return (
            fnmatch.fnmatchcase(host, self.host.lower())
            and fnmatch.fnmatchcase(method, self.method.upper())
            and fnmatch.fnmatchcase(path, self.path.lower())
        )


@dataclass(frozen=True)
class Plan:
    """The faults that are to happen, and the seed of their draws.

    Attributes:
        rules: Asked in order; the first one that strikes decides.
        seed: Of the draws.
    """

    rules: tuple[Rule, ...] = ()
    seed: int = 0

    def write(self, directory: Path) -> None:
        """Puts the plan into a sandbox's folder; a running sandbox takes it over at the next request.

        Raises:
            OSError: The folder cannot be written.
        """
        body = {"seed": self.seed, "rules": [asdict(rule) for rule in self.rules]}
        write_whole(directory / FILE, json.dumps(body, indent=2).encode() + b"\n", private=True)


@dataclass
class Draws:
    """Decides by chance, the same way for the same seed, whatever the order in which different requests come."""

    seed: int
    _seen: dict[tuple[object, ...], int] = field(default_factory=dict)

    def below(self, probability: float, *what: object) -> bool:
        """Whether this occurrence of `what` is struck. Each occurrence draws anew."""
        number = self._seen[what] = self._seen.get(what, 0) + 1
        text = json.dumps([self.seed, number, *what]).encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8]) < probability * 2**64


def read_plan(directory: Path) -> Plan:
    """The plan in a sandbox's folder; an empty one where there is none.

    Raises:
        PlanError: The file is damaged.
    """
    try:
        body = json.loads((directory / FILE).read_bytes())
        rules = tuple(_checked(Rule(**rule), FILE) for rule in body["rules"])
        return Plan(rules, int(body["seed"]))
    except FileNotFoundError:
        return Plan()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise PlanError(f"{directory / FILE} is no fault plan ({error}): `python -m sandbox faults clear`") from error


def parse_plan(specifications: Sequence[str], seed: int) -> Plan:
    """A plan from the command's words, each `KIND[,NAME=VALUE…]`.

    Raises:
        PlanError: A word is wrong.
    """
    return Plan(tuple(_parse(text) for text in specifications), seed)


def _parse(text: str) -> Rule:
    kind, *words = text.split(",")
    given: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in _READERS or name in given:
            allowed = ", ".join(_READERS)
            raise PlanError(f"'{text}': '{word}' is not understood: NAME=VALUE, each NAME once, of {allowed}")
        try:
            given[name] = _READERS[name](value)
        except ValueError as error:
            raise PlanError(f"'{text}': {name} must be a number, '{value}' is none") from error
    if kind in KINDS:
        given.setdefault("seconds", KINDS[kind][1])
    return _checked(Rule(kind, **given), f"'{text}'")


_READERS = {"host": str, "method": str, "path": str, "probability": float, "count": int, "seconds": float}


def _checked(rule: Rule, where: str) -> Rule:
    if rule.kind not in KINDS:
        raise PlanError(f"{where}: '{rule.kind}' is no kind of fault; there are {', '.join(KINDS)}")
    if not 0 < rule.probability <= 1:
        raise PlanError(f"{where}: probability must be above 0 and at most 1, not {rule.probability}")
    if rule.count is not None and rule.count < 1:
        raise PlanError(f"{where}: count must be at least 1, not {rule.count}")
    if not 0 <= rule.seconds <= LONGEST:
        raise PlanError(f"{where}: seconds must be 0 to {LONGEST:.0f}, not {rule.seconds}")
    if rule.kind in WHOLE and (rule.host, rule.method, rule.path) != ("*", "*", "*"):
        raise PlanError(f"{where}: {rule.kind} is not about requests: host, method and path say nothing here")
    return rule
