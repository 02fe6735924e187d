"""Problems between values that are each right: every check reads resolved values, a module for each subject."""

from collections.abc import Iterator

from settings.checks import compute, data, encryption, existing, names, network, people, sharing, tags
from settings.checks.subject import Subject
from settings.problems import Problem

__all__ = ["Subject", "cross_problems"]

_CHECKS = (
    people.problems,
    compute.problems,
    network.problems,
    existing.problems,
    encryption.problems,
    sharing.problems,
    names.problems,
    data.problems,
    tags.problems,
)


def cross_problems(subject: Subject) -> Iterator[Problem]:
    """Each problem once, at the key that decides: that of the department for a network that a team inherits."""
    seen: set[Problem] = set()
    for check in _CHECKS:
        for local in check(subject):
            problem = Problem(subject.resolved.origin(local.path), local.message)
            if problem not in seen:
                seen.add(problem)
                yield problem
