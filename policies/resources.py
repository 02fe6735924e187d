"""Resources as rules see them, and the graph that they make."""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from policies.values import UnknownValueError, at

if TYPE_CHECKING:
    from policies.model import ExemptionUse

T = TypeVar("T")
_TOKEN = re.compile(r"azure-native(?:_\w+)?:(\w+)(?:/v\w+)?:(\w+)")
_FORMERLY = {
    "insights:Component": "applicationinsights:Component",
    "insights:DiagnosticSetting": "monitor:DiagnosticSetting",
    "network:PrivateZone": "privatedns:PrivateZone",
    "network:VirtualNetworkLink": "privatedns:VirtualNetworkLink",
    "machinelearningservices:MachineLearningCompute": "machinelearningservices:Compute",
}
"""Types of azure-native 1 and 2 that version 3 has in another module."""


@lru_cache(maxsize=1024)
def kind_of(token: str) -> str:
    """A token without azure-native's name and API version: `storage:StorageAccount`. Other providers' stay."""
    match = _TOKEN.fullmatch(token)
    if not match:
        return token
    kind = ":".join(match.groups())
    return _FORMERLY.get(kind, kind)


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource of a program.

    Attributes:
        token: Its type, such as `azure-native:storage:StorageAccount`.
        urn: Its URN.
        inputs: The inputs that the program gives, in azure-native's names on the wire.
        outputs: The resource's properties after the operation; the inputs where those are not known.
        id: Its id, None if there is none yet.
        parent: URN of its parent, or empty.
        property_dependencies: For each input, the URNs of the resources that its value comes from.
        dependencies: URNs of all resources that it depends on.
        external: Whether the program only reads it.
    """

    token: str
    urn: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    parent: str = ""
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    external: bool = False

    @property
    def kind(self) -> str:
        """Its type without provider and API version, such as `storage:StorageAccount`."""
        return kind_of(self.token)

    @property
    def name(self) -> str:
        """Its name in the program."""
        return self.urn.rpartition("::")[2]

    @property
    def stack(self) -> str:
        """The name of the resource's stack."""
        return self.urn.partition("::")[0].rpartition(":")[2]

    def get(self, path: str) -> Any:
        """The input at a dotted path, None where there is none.

        Raises:
            UnknownValueError: If the input is not known.
        """
        return at(self.inputs, path)


class Graph:
    """The resources of a stack.

    Attributes:
        missing: The reason why resources of the stack may be missing here; None if all are here.
        exemptions: The state of each exemption, for the rules about exemptions.
    """

    exemptions: "tuple[ExemptionUse, ...]" = ()

    def __init__(self, resources: Iterable[Resource] = (), *, missing: str | None = None) -> None:
        self._by_urn: dict[str, Resource] = {}
        self._by_kind: dict[str, dict[str, Resource]] = {}
        self._cache: dict[tuple[str, tuple[str, ...]], Any] = {}
        self.missing = missing
        for resource in resources:
            self.add(resource)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_urn.values())

    def __len__(self) -> int:
        return len(self._by_urn)

    def add(self, resource: Resource) -> None:
        """Add a resource, or put it in the place of an older one with its URN."""
        self._by_urn[resource.urn] = resource
        for key in [key for key in self._cache if resource.kind in key[1]]:
            del self._cache[key]
        self._by_kind.setdefault(resource.kind, {})[resource.urn] = resource

    def with_exemptions(self, exemptions: "tuple[ExemptionUse, ...]") -> "Graph":
        """The same resources, seen with the use of the exemptions."""
        seen = copy.copy(self)
        seen.exemptions = exemptions
        return seen

    def get(self, urn: str) -> Resource | None:
        """The resource with that URN."""
        return self._by_urn.get(urn)

    def of(self, *kinds: str) -> list[Resource]:
        """All resources of these types, in the order of the program."""
        return [resource for kind in kinds for resource in self._by_kind.get(kind, {}).values()]

    def cached(self, name: str, kinds: tuple[str, ...], make: Callable[[], T]) -> T:
        """The value that `make` gives, made once, and again after a resource of these types is added.

        Args:
            name: What the value is, unique with the types.
            kinds: Types of the resources that the value is made of.
            make: Makes it.
        """
        key = name, kinds
        if key not in self._cache:
            self._cache[key] = make()
        found: T = self._cache[key]
        return found

    def sources(self, resource: Resource, key: str, *kinds: str) -> list[Resource]:
        """The resources whose outputs the program used for an input's value; only those of these types, if given."""
        urns = resource.property_dependencies.get(key, ())
        return [found for urn in urns if (found := self._by_urn.get(urn)) and (not kinds or found.kind in kinds)]

    def source(self, resource: Resource, key: str, *kinds: str) -> Resource | None:
        """The one resource of these types that an input's value comes from; None if there is none, or several."""
        found = self.sources(resource, key, *kinds)
        return found[0] if len(found) == 1 else None


def matches(urn: str, pattern: str) -> bool:
    """Whether a URN fits a pattern. `[` and `]` in an exact URN are taken as they are."""
    return urn == pattern or fnmatchcase(urn, pattern)


def value_or_none(resource: Resource, path: str) -> Any:
    """The input at a path; None where there is none or it is not known."""
    try:
        return resource.get(path)
    except UnknownValueError:
        return None
