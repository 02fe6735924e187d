"""What the head revision changes in a stack, and which data it destroys."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from policies.values import read
from review.model import UNTOLD, Change, Difference, Loss
from review.preview import Step, name_of, type_of
from settings.plan import Plan

_PART: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_URN: Final = re.compile(r"urn:pulumi:([^:]+)::[^:]+::.+::.+")
_LONGEST: Final = 60  # characters of a value
EVERYTHING: Final = "all"
"""In place of a URN: every loss is meant."""
_LOST: Final[Mapping[str, str]] = {
    "azure-native:machinelearningservices:Workspace": "the workspace with its jobs, models, environments and endpoints",
    "azure-native:machinelearningservices:Registry": "the registry with its models, environments and components",
    "azure-native:storage:StorageAccount": "the storage account with all its files",
    "azure-native:storage:BlobContainer": "the container or file system with all its files",
    "azure-native:storage:FileShare": "the file share with all its files",
    "azure-native:keyvault:Vault": "the key vault with its secrets and keys",
    "azure-native:containerregistry:Registry": "the container registry with its images",
}
"""Types that hold data of people, and what goes with them."""


def changes(
    steps: Iterable[Step], before: Plan | None, after: Plan | None, accepted: Collection[str]
) -> tuple[Change, ...]:
    """The changed resources, in the order of the preview.

    Args:
        steps: The preview's.
        before: The plan of the base's stack file; None where there is none.
        after: The plan of the head's.
        accepted: URNs whose loss is meant, each with all that is below it; or `EVERYTHING`.
    """
    steps = list(steps)
    parents = _parents(steps)
    found = []
    for step in steps:
        state = step.new or step.old or {}
        if step.operation is None or not state.get("custom") or state["type"].startswith("pulumi:"):
            continue
        plan = before if step.operation == "deleted" else after
        planned = plan.of(state["type"], name_of(step.urn)) if plan else None
        found.append(
            Change(
                operation=step.operation,
                urn=step.urn,
                type=type_of(step.urn),
                name=name_of(step.urn),
                team=planned.team if planned else None,
                differences=_differences(step),
                causes=step.causes,
                loss=_loss(step, parents, accepted),
                place=planned.place if planned else None,
            )
        )
    return tuple(found)


def accepting_nothing(steps: Iterable[Step], stack: str, accepted: Collection[str]) -> tuple[str, ...]:
    """Those of the accepted URNs of a stack that no loss is of or below."""
    steps = list(steps)
    parents = _parents(steps)
    met = {urn for step in steps if _loss(step, parents, ()) for urn in _upwards(step.urn, parents)}
    return tuple(sorted(urn for urn in accepted if stack_of_urn(urn) == stack and urn not in met))


def stack_of_urn(urn: str) -> str | None:
    """The stack of a URN; None for any other text."""
    match = _URN.fullmatch(urn)
    return match[1] if match else None


def _parents(steps: Iterable[Step]) -> Mapping[str, str]:
    return {step.urn: str(((step.new or step.old) or {}).get("parent", "")) for step in steps}


def _differences(step: Step) -> tuple[Difference, ...]:
    old, new = (read((state or {}).get("inputs")) for state in (step.old, step.new))
    return tuple(Difference(path, _short(old, path), _short(new, path)) for path in step.properties)


def _short(value: Any, path: str) -> str:
    """The value at a path, if people can read it: no object, nothing long, nothing that is unknown or a secret."""
    for key, index in _PART.findall(path):
        try:
            value = value[int(index)] if index else value[key]
        except (LookupError, TypeError):
            return ""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, str | int | float) and len(str(value)) <= _LONGEST else UNTOLD


def _loss(step: Step, parents: Mapping[str, str], accepted: Collection[str]) -> Loss | None:
    old: Mapping[str, Any] = step.old or {}
    what = _LOST.get(old.get("type", ""))
    if (
        what is None
        or step.operation not in ("deleted", "replaced")
        or old.get("retainOnDelete")
        or old.get("external")
    ):
        return None
    meant = EVERYTHING in accepted or any(urn in accepted for urn in _upwards(step.urn, parents))
    return Loss(what, meant)


def _upwards(urn: str, parents: Mapping[str, str]) -> Iterator[str]:
    """A resource's URN, its parent's and so on."""
    while urn:
        yield urn
        urn = parents.get(urn, "")
