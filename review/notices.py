"""What else a review tells: retired VM sizes, quotas and other warnings of a preview, and outputs that readers miss."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, Literal

from operations.quota import demands
from policies.values import Unknown
from review.preview import Preview
from review.report import Notice
from settings.plan import Plan
from settings.warnings import placed, warnings

_SEED: Final = "sandbox/azure/seed.yaml"
_MAY_END: Final = frozenset({"price", "spending", "serving", "vmSizes", "perJob", "monthly", "maxInstances"})
"""Outputs for which null means that there is no limit or no price: a reader expects it."""


def notices(
    preview: Preview, before: Plan | None, after: Plan | None, today: date, *, live: bool
) -> tuple[Notice, ...]:
    """The notices of a stack, what is new first.

    Args:
        preview: The preview of the head.
        before: The plan of the base's stack file; None where the stack is new.
        after: The plan of the head's.
        today: The day by which VM sizes are retired and secrets expire.
        live: Whether Azure told its quotas; those of a sandbox are the seed file's.
    """
    found = [*_contract(*preview.stack_outputs()), *_of_settings(before, after, today)]
    known = set(warnings(after.department, today)) if after else set()
    same = bool(before and after) and _drawn(before) == _drawn(after)
    for severity, text in preview.diagnostics:
        if severity == "warning" and text not in known:
            quota = "vCPU quota" in text
            told = text if live or not quota else f"By the quotas of {_SEED}: {text}"
            found.append(Notice("quota" if quota else "warning", "standing" if quota and same else "new", told))
    return tuple(sorted(found, key=lambda one: one.state == "standing"))


def _of_settings(before: Plan | None, after: Plan | None, today: date) -> Iterator[Notice]:
    was = {text for _, text in placed(before.department, today)} if before else set()
    for path, text in placed(after.department, today) if after else ():
        kind: Literal["retired", "warning"] = "retired" if path[-1] == "vmSize" else "warning"
        yield Notice(kind, "standing" if text in was else "new", text, after.place(path) if after else None)


def _drawn(plan: Plan | None) -> Any:
    return demands(plan.department.teams) if plan else None


def _contract(before: Any, after: Any) -> Iterator[Notice]:
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return
    if before.get("contract") != after.get("contract"):
        message = f"the outputs' contract is {after.get('contract')} and was {before.get('contract')}"
        yield Notice("contract", "new", f"{message}: readers of the old one refuse it")
    for path in _missing(before, after, ""):
        yield Notice("contract", "new", f"the output {path} is gone: whoever reads it fails")


def _missing(before: Any, after: Any, path: str) -> Iterator[str]:
    """The topmost outputs that the base has and the head has not, or has in another form."""
    if isinstance(after, Unknown):
        return
    if not isinstance(before, Mapping):
        if before is not None and after is None:
            yield path
        return
    if not isinstance(after, Mapping):
        yield path
        return
    for key, value in before.items():
        below = f"{path}.{key}" if path else key
        if key not in after:
            yield below
        elif key not in _MAY_END:
            yield from _missing(value, after[key], below)
