"""Which VM sizes compute may have, by stack, department and team."""

from collections.abc import Mapping
from typing import Any, Final

from policies import vmsizes
from policies.model import (
    Counterpart,
    Level,
    NotApplicableError,
    Outcome,
    Problem,
    ResourceRule,
    Setting,
    Settings,
    Severity,
)
from policies.resources import Graph, Resource
from policies.rules.checks import listed, show, tag
from policies.rules.compute.kinds import CLUSTER, COMPUTE, DOCS, INSTANCE, LANDING_ZONES, TEAM_TAG, only

_SIZE = "properties.properties.vmSize"
_SIZES: Final[Mapping[str, Any]] = {
    "type": "array",
    "items": {"type": "string", "pattern": r"^[Ss][Tt][Aa][Nn][Dd][Aa][Rr][Dd]_[A-Za-z0-9_-]+\*?$"},
    "minItems": 1,
}
_LISTS: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {"allowed": _SIZES, "denied": _SIZES},
        "additionalProperties": False,
    },
}
SIZE_SETTINGS: Final[Mapping[str, Setting]] = {
    "allowed": Setting(
        {**_SIZES, "description": "VM sizes that may be used, in any letter case, or series: Standard_DSv2*."}
    ),
    "denied": Setting({**_SIZES, "description": "VM sizes or series that may not be used, whatever is allowed."}),
    "departments": Setting({**_LISTS, "description": "Lists for single departments, in place of the general one."}),
    "departmentTag": Setting(
        {"type": "string", "minLength": 1, "description": "Name of the tag whose value is the department."}
    ),
    "teams": Setting({**_LISTS, "description": "Lists for single teams, in place of the department's."}),
    "teamTag": TEAM_TAG,
}
SIZE_ONE_OF: Final = ("allowed", "denied", "departments", "teams")


@only(CLUSTER, INSTANCE)
def _vm_sizes(resource: Resource, settings: Settings, _graph: Graph) -> Outcome:
    yield from size_problems(resource, _SIZE, settings)


def size_problems(resource: Resource, path: str, settings: Settings) -> Outcome:
    """What is wrong with a VM size by the lists of the settings.

    Args:
        resource: What has the size, and the tags that choose the list.
        path: Dotted path of the size.
        settings: `allowed`, `denied`, and the same by team and department.
    """
    allowed, denied = _lists(resource, settings)
    size = resource.get(path)
    if not isinstance(size, str):
        yield Problem(f"vmSize is {show(size)}; allowed are {listed(allowed or ['all but ' + listed(denied)])}", path)
    elif any(vmsizes.matches(size, pattern) for pattern in denied):
        yield Problem(f"{_priced(size, resource)} is denied{_nearest(size, allowed, resource)}", path)
    elif allowed and not any(vmsizes.matches(size, pattern) for pattern in allowed):
        hint = _nearest(size, allowed, resource)
        yield Problem(f"{_priced(size, resource)} is not allowed{hint}; allowed are {listed(allowed)}", path)


def _lists(resource: Resource, settings: Settings) -> tuple[list[str], list[str]]:
    """The nearest allow list (the team's, the department's, everybody's), and what all deny lists deny."""
    lists: list[Mapping[str, Any]] = [settings]
    for by, tag_name in (("departments", "departmentTag"), ("teams", "teamTag")):
        groups = settings.get(by)
        if not groups:
            continue
        if tag_name not in settings:
            raise NotApplicableError(f"it has lists by {by}, and no '{tag_name}' says which tag they go by")
        owner = tag(resource, settings[tag_name])
        own = next((value for key, value in groups.items() if owner and key.casefold() == owner.casefold()), None)
        lists += [own] if own else []
    allowed: list[str] = next((entry["allowed"] for entry in reversed(lists) if entry.get("allowed")), [])
    denied = [pattern for entry in lists for pattern in entry.get("denied", ())]
    if not allowed and not denied:
        raise NotApplicableError("its configuration has no list of allowed or denied VM sizes for this resource")
    return allowed, denied


def _priced(size: str, resource: Resource) -> str:
    found, region = vmsizes.find(size), _region(resource)
    price = vmsizes.hourly(size, region)
    facts = [f"{found.vcpus} vCPUs"] if found else []
    facts += [f"${price:g} an hour"] if price is not None else []
    return f"VM size {size} ({', '.join(facts)})" if facts else f"VM size {size}"


def _nearest(size: str, allowed: list[str], resource: Resource) -> str:
    found = vmsizes.nearest(size, allowed, _region(resource))
    return f". Nearest allowed: {', '.join(_priced(one.name, resource)[8:] for one in found)}" if found else ""


def _region(resource: Resource) -> str | None:
    location = resource.inputs.get("location")
    return location if isinstance(location, str) else None


RULES = (
    ResourceRule(
        name="machinelearning-compute-allow-vm-sizes",
        title="Compute uses only allowed VM sizes.",
        kinds=(COMPUTE,),
        check=_vm_sizes,
        severity=Severity.HIGH,
        level=Level.MANDATORY,
        counterparts=(
            Counterpart(LANDING_ZONES, "Deny-MachineLearning-Compute-VmSize", "No series, teams or deny list."),
        ),
        url=f"{DOCS}how-to-manage-quotas",
        remediation="Take an allowed VM size, or have this one added to the rule's list.",
        settings=SIZE_SETTINGS,
        one_of=SIZE_ONE_OF,
        applies="Clusters and instances, where the configuration has a list for them.",
    ),
)
