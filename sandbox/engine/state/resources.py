"""Resources as the state holds them, and their URNs."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

from sandbox.engine.values import Map

STACK_TYPE = "pulumi:pulumi:Stack"


@dataclass(eq=False, slots=True)
class Resource:
    """One resource as the checkpoint has it (Pulumi's `ResourceV3`); values are on the wire's form, secrets marked."""

    urn: str
    type: str
    custom: bool = False
    delete: bool = False
    id: str = ""
    inputs: Map = field(default_factory=dict)
    outputs: Map = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    external: bool = False
    dependencies: list[str] = field(default_factory=list)
    init_errors: list[str] = field(default_factory=list)
    provider: str = ""
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    pending_replacement: bool = False
    additional_secret_outputs: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    custom_timeouts: dict[str, float] = field(default_factory=dict)
    import_id: str = ""
    retain_on_delete: bool = False
    deleted_with: str = ""
    created: str = ""
    modified: str = ""
    source_position: str = ""
    ignore_changes: list[str] = field(default_factory=list)
    replace_on_changes: list[str] = field(default_factory=list)
    hooks: dict[str, list[str]] = field(default_factory=dict)  # kind (`OnError`, …) -> names of hooks
    others: Map = field(default_factory=dict)  # what the engine does not use, kept as it was read

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return name_of(self.urn)

    @property
    def is_provider(self) -> bool:
        """Whether the resource is a provider."""
        return is_provider_type(self.type)

    @property
    def is_stack(self) -> bool:
        """Whether the resource is the stack itself."""
        return self.type == STACK_TYPE

    def copy(self) -> "Resource":
        """A copy whose own attributes can be set; values are shared."""
        return replace(self)

    def references(self, with_parent: bool = True) -> Iterator[str]:
        """The URNs of all that the resource depends on, its provider's included."""
        if with_parent and self.parent:
            yield self.parent
        if self.provider:
            yield self.provider.rpartition("::")[0]
        if self.deleted_with:
            yield self.deleted_with
        yield from self.dependencies
        for urns in self.property_dependencies.values():
            yield from urns

    def matches(self, other: "Resource") -> bool:
        """Whether both would be stored alike but for their times."""
        return all(getattr(self, name) == getattr(other, name) for name in _COMPARED)


_COMPARED = [f.name for f in fields(Resource) if f.name not in ("created", "modified")]


def is_provider_type(type_: str) -> bool:
    """Whether a type token is a provider's."""
    return type_.startswith("pulumi:providers:")


def name_of(urn: str) -> str:
    """The name at a URN's end."""
    return urn.split("::", 3)[3]


def type_of(urn: str) -> str:
    """The type token in a URN, without the parents'."""
    return urn.split("::", 3)[2].rpartition("$")[2]


def make_urn(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """The URN of a resource: a parent's type goes before the own one, unless the parent is the stack."""
    parents = parent.split("::", 3)[2] if parent else ""
    prefix = f"{parents}$" if parents and parents != STACK_TYPE else ""
    return f"urn:pulumi:{stack}::{project}::{prefix}{type_}::{name}"


def now() -> str:
    """The time as the state holds it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def is_default_provider(resource: Any) -> bool:
    """Whether a resource is a provider that the engine made by itself, which is neither shown nor counted."""
    return is_provider_type(resource.type) and name_of(resource.urn).startswith("default")
