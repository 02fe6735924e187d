"""A provider as the engine needs it: the calls, their answers, and the ways in which they fail."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from pulumi.runtime import proto
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.engine.state.resources import Resource
from sandbox.engine.values import Map, from_struct

Factory = Callable[[], provider_pb2_grpc.ResourceProviderServicer]
INTERNAL = "__internal"  # what a provider resource's inputs hold for the engine alone


class ProviderError(Exception):
    """A provider refused or failed; the text is its own."""


class InitError(ProviderError):
    """A provider made or changed a resource, which then did not become ready: its state is kept, with the reasons."""

    def __init__(self, detail: proto.ErrorResourceInitFailed) -> None:
        reasons = list(detail.reasons)
        lines = "".join(f"\n\t* {reason}" for reason in reasons)
        super().__init__(f"{len(reasons)} error{'s' * (len(reasons) != 1)} occurred:{lines}\n\n")
        self.id, self.reasons = detail.id, reasons
        self.outputs = from_struct(detail.properties)
        self.inputs = from_struct(detail.inputs) if detail.HasField("inputs") else None


class DiffUnavailableError(Exception):
    """The provider cannot compare yet, since its own configuration is not known."""


@dataclass
class Diff:
    """A provider's answer to what has to happen to a resource."""

    some: bool | None = False  # None: the provider does not know
    replace_keys: list[str] = field(default_factory=list)
    changed_keys: list[str] = field(default_factory=list)
    detailed: dict[str, Map] | None = None  # path -> {"diffKind", "inputDiff"}
    delete_before_replace: bool = False

    @property
    def replaces(self) -> bool:
        """Whether the resource must be replaced."""
        return bool(self.replace_keys) or any(d["diffKind"].endswith("replace") for d in (self.detailed or {}).values())


@dataclass
class ReadResult:
    """A provider's answer to Read: no `outputs` if there is no such resource, no `inputs` if it cannot tell them."""

    id: str = ""
    inputs: Map | None = None
    outputs: Map | None = None
    init_errors: list[str] = field(default_factory=list)


Failures = list[tuple[str, str]]  # of a check: property (or ""), reason


class ResourceProvider(Protocol):
    """The methods of a provider that steps and decisions call."""

    def check(self, urn: str, olds: Map | None, news: Map, preview: bool) -> tuple[Map, Failures]:
        """Validate inputs and fill in defaults."""

    def diff(self, urn: str, old: Resource, news: Map, ignore_changes: list[str], preview: bool) -> Diff:
        """Compare a resource with new inputs."""

    def create(self, new: Resource, preview: bool) -> tuple[str, Map]:
        """Make a resource: its id (empty in a preview) and outputs."""

    def update(self, old: Resource, new: Resource, ignore_changes: list[str], preview: bool) -> Map:
        """Change a resource: its new outputs."""

    def delete(self, old: Resource) -> None:
        """Delete a resource."""

    def read(self, urn: str, id_: str, inputs: Map | None, state: Map | None) -> ReadResult:
        """Find out what a resource is like."""

    def invoke(self, token: str, args: Map, preview: bool) -> tuple[Map, Failures]:
        """Call a function."""


def visible(inputs: Map) -> Map:
    """A provider resource's inputs without what is the engine's alone."""
    return {k: v for k, v in inputs.items() if k != INTERNAL}
