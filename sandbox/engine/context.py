"""The context that the parts of one operation share: the user's options, and the operation as its parts may see it.

`Context` has what hooks, steps and policies need, and the generator all of it. `carry_out.deployment` provides it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from sandbox.engine.events import Event
from sandbox.engine.goals import Goal
from sandbox.engine.provider import Diff, ResourceProvider
from sandbox.engine.state.graph import Graph
from sandbox.engine.state.resources import Resource
from sandbox.engine.values import Map

_T = TypeVar("_T")


@dataclass(frozen=True)
class Adoption:
    """A resource that exists and is to belong to the stack.

    `parent` and `provider` are URNs. Empty, they mean the stack itself and the package's default provider.
    """

    type: str
    name: str
    id: str
    parent: str = ""
    provider: str = ""
    protect: bool = True


@dataclass
class Options:
    """The options of the command line."""

    dry_run: bool = False
    parallel: int = 16
    targets: Sequence[str] = ()
    target_dependents: bool = False
    continue_on_error: bool = False
    refresh: bool = False
    only_refresh: bool = False
    exclude_protected: bool = False
    run_program: bool = False  # in a destroy
    clear_pending_creates: bool = False
    import_pending_creates: Mapping[str, str] = field(default_factory=dict)  # URN -> id of the resource that was made
    adoption: Adoption | None = None  # what `pulumi import` takes into the state


class HookRunner(Protocol):
    """Calls the hooks that the program bound to resources."""

    def run(self, kind: str, old: Resource | None, new: Resource | None) -> None:
        """Call a resource's hooks of one kind before a step."""

    def run_after(self, kind: str, old: Resource | None, new: Resource | None) -> None:
        """Call a resource's hooks of one kind after a step."""

    def repeated(self, operation: str, old: Resource | None, new: Resource | None, call: Callable[[], _T]) -> _T:
        """Call the provider, again as long as an error hook asks for it."""


class ProviderRegistry(ResourceProvider, Protocol):
    """The provider instances of an operation; itself the provider of provider resources."""

    def get(self, reference: str) -> ResourceProvider | None:
        """The instance that a reference (`<URN>::<id>`) names."""

    def ensure(self, resource: Resource) -> None:
        """Load and configure the instance of a provider resource, if it is not loaded."""

    def load_old(self, resource: Resource) -> None:
        """Load the instance that a provider resource in the state describes."""

    def compare(self, instance: ResourceProvider | None, urn: str, old: Resource, news: Map) -> Diff:
        """Compare a provider resource's configuration with another one."""


class Context(Protocol):
    """One operation on a stack, as its parts see it.

    Attributes:
        project: The project's name.
        stack_name: The stack's name.
        options: What the user asked for.
        interrupted: The user pressed Ctrl-C.
        prev: The state that the operation starts from.
        olds: The same resources by URN, without those that wait for deletion.
        graph: Who depends on whom in `prev`.
        goals: What the program registered, by URN.
        news: What was made or left as it is so far, by URN.
        provider_states: The provider resources that the program registered, by URN and alias.
    """

    options: Options
    interrupted: bool
    prev: list[Resource]
    olds: dict[str, Resource]
    graph: Graph
    goals: dict[str, Goal]
    news: dict[str, Resource]
    provider_states: dict[str, Resource]

    @property
    def project(self) -> str:
        """The project's name."""

    @property
    def stack_name(self) -> str:
        """The stack's name."""

    @property
    def dry_run(self) -> bool:
        """Whether this is a preview."""

    @property
    def hooks(self) -> HookRunner:
        """The program's hooks."""

    @property
    def registry(self) -> ProviderRegistry:
        """The provider instances."""

    def emit(self, event: Event) -> None:
        """Report an event."""

    def error(self, message: str, urn: str) -> None:
        """Report an error about a resource (empty: about the stack)."""

    def warn(self, message: str, urn: str) -> None:
        """Report a warning."""

    def info(self, message: str, urn: str) -> None:
        """Report a fact."""

    def provider_of(self, resource: Resource) -> ResourceProvider:
        """The provider of a custom resource.

        Raises:
            BailError: its reference names no provider. The user has been told.
        """

    def ensure_provider(self, resource: Resource) -> None:
        """Load the provider of a resource in the state, with the configuration in the state."""

    def analyze(self, new: Resource, goal: Goal) -> bool:
        """Let the policies check a resource; True if a violation stops the update."""

    def is_deleted(self, urn: str) -> bool:
        """Whether the operation deletes the resource of this URN."""

    def fail_after_step(self, message: str, urn: str) -> None:
        """Report a failure that leaves the step done, and let the operation fail."""
