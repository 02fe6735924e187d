"""What `python -m sandbox faults` does with a plan."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from sandbox.azure.faults.plan import FILE, KINDS, Plan, PlanError, Rule, parse_plan, read_plan

__all__ = ["PlanError", "clear", "read_plan", "set_plan", "shown"]


def set_plan(directory: Path, specifications: Sequence[str], seed: int) -> Plan:
    """Replaces the plan of a sandbox's folder.

    Raises:
        PlanError: A specification is wrong, or there is no such folder; the plan stays as it was.
    """
    plan = parse_plan(specifications, seed)
    if not directory.is_dir():
        raise PlanError(f"{directory} does not exist: `python -m sandbox start` makes it")
    try:
        plan.write(directory)
    except OSError as error:
        raise PlanError(f"{directory} cannot be written: {error.strerror}") from error
    return plan


def clear(directory: Path) -> Plan:
    """Removes the plan."""
    (directory / FILE).unlink(missing_ok=True)
    return Plan()


def shown(plan: Plan) -> list[str]:
    """The plan as `faults set` takes it; where it is empty, the kinds that there are."""
    if plan.rules:
        return [f"seed {plan.seed}", *(_specification(rule) for rule in plan.rules)]
    return ["no faults; kinds are:", *(f"  {kind:14} {does}" for kind, (does, _) in KINDS.items())]


def _specification(rule: Rule) -> str:
    defaults = Rule(rule.kind, seconds=KINDS[rule.kind][1])
    given = {field.name: getattr(rule, field.name) for field in fields(rule)}
    changed = {name: value for name, value in given.items() if value != getattr(defaults, name)}
    said = [f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in changed.items()]
    return ",".join([rule.kind, *said])
