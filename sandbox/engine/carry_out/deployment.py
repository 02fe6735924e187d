"""One operation on a stack: holds what its parts share, runs the steps, and ends in success or failure.

Registrations come from the program's worker threads. Each takes the generator's lock to find out what to do, then a
slot to do it: at most `parallel` chains of steps run at once.
"""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.engine import values
from sandbox.engine.carry_out.hooks import Hooks
from sandbox.engine.carry_out.policies import Analyzer
from sandbox.engine.carry_out.providers.builtins import Builtins
from sandbox.engine.carry_out.providers.host import Host
from sandbox.engine.carry_out.providers.registry import Registry
from sandbox.engine.context import Options
from sandbox.engine.decide.generator import Generator
from sandbox.engine.errors import BailError, CancelledError, EngineError
from sandbox.engine.events import Diagnostic, Event, Sink, StepEvent, Summary
from sandbox.engine.goals import Goal
from sandbox.engine.provider import InitError, ProviderError, ResourceProvider
from sandbox.engine.state.backend import Stack
from sandbox.engine.state.graph import Graph
from sandbox.engine.state.resources import Resource, is_default_provider, make_urn
from sandbox.engine.state.snapshot import SnapshotManager
from sandbox.engine.steps import DeleteStep, ImportStep, ProtectedError, ReadStep, RefreshStep, SameStep, Step
from sandbox.engine.values import Map

PENDING_WARNING = (
    "These resources are in an unknown state because the Pulumi CLI was interrupted while waiting for changes to these "
    "resources to complete. You should confirm whether or not the operations listed completed successfully by checking "
    "the state of the appropriate provider.\n\n"
    "Once you have confirmed the status of the interrupted operations, you can repair your stack using "
    "`pulumi refresh` which will refresh the state from the provider you are using and clear the pending operations "
    "if there are any.\n\nNote that pending CREATE operations stay until you clear them with "
    "`pulumi refresh --clear-pending-creates`."
)


@dataclass
class Result:
    """The outcome of a registration; `failed` (FAIL or SKIP) occurs with --continue-on-error only."""

    state: Resource
    failed: bool = False
    unknown: bool = False


@dataclass
class Deployment:
    """See the module's text."""

    stack: Stack
    options: Options
    prev: list[Resource]
    pending: list[tuple[str, Resource]]
    sink: Sink
    host: Host
    outputs_of: Callable[[str], Map | None]
    config: dict[str, Map] = field(default_factory=dict)  # package -> its settings, secrets marked
    analyzers: Sequence[Analyzer] = ()
    snapshots: SnapshotManager | None = None
    root: Path = field(default_factory=Path)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._emit_lock = threading.RLock()  # a message may come while another one is told: from a finalizer, say
        self._count_lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(max(1, self.options.parallel))
        self.cancelled = False  # nothing more is to be begun
        self.interrupted = False
        self.bailed = False  # no more steps could be made, and the user knows why
        self.step_failed = False
        self.settled = False  # what the program had registered is known, and the rest was deleted
        self._errored: list[Step] = []
        self._skipped: set[str] = set()
        self.goals: dict[str, Goal] = {}
        self.news: dict[str, Resource] = {}
        self.reads: dict[str, Resource] = {}
        self._registered: dict[str, Step] = {}
        self.provider_states: dict[str, Resource] = {}
        self.stack_outputs: tuple[str, Map] | None = None
        self.changes: Counter[str] = Counter()
        self.registry = Registry(
            self.host, Builtins(self.outputs_of, lambda urn: self.news.get(urn) or self.reads.get(urn))
        )
        self._begun = time.monotonic()
        self.hooks = Hooks(self)
        self.rebase(self.prev)
        self.generator = Generator(self)

    @property
    def dry_run(self) -> bool:
        """Whether this is a preview."""
        return self.options.dry_run

    @property
    def project(self) -> str:
        """The project's name."""
        return self.stack.project

    @property
    def stack_name(self) -> str:
        """The stack's name."""
        return self.stack.name

    def is_deleted(self, urn: str) -> bool:
        """Whether the operation deletes the resource of this URN."""
        return urn in self.generator.decisions.deletes

    def rebase(self, resources: list[Resource]) -> None:
        """Continue from another state than the one that was read."""
        self.prev = resources
        self.olds = {r.urn: r for r in resources if not r.delete}
        self.graph = Graph(resources)

    # ---- messages

    def emit(self, event: Event) -> None:
        """Tell an event; one at a time."""
        with self._emit_lock:
            self.sink(event)

    def error(self, message: str, urn: str) -> None:
        """Report an error."""
        self.emit(Diagnostic("error", message, urn))

    def warn(self, message: str, urn: str) -> None:
        """Report a warning."""
        self.emit(Diagnostic("warning", message, urn))

    def info(self, message: str, urn: str) -> None:
        """Report a message."""
        self.emit(Diagnostic("info", message, urn))

    # ---- providers

    def provider_of(self, resource: Resource) -> ResourceProvider:
        """The provider of a custom resource.

        Raises:
            BailError: its reference names none, which the user has been told.
        """
        if resource.is_provider:
            return self.registry
        provider: ResourceProvider | None = self.registry.get(resource.provider)
        if provider is None:
            self.ensure_provider(resource)
            provider = self.registry.get(resource.provider)
        if provider is None:
            self.error(f"unknown provider '{resource.provider}' for resource '{resource.urn}'", resource.urn)
            raise BailError
        return provider

    def ensure_provider(self, resource: Resource) -> None:
        """Load the provider that a resource in the state belongs to, with the configuration in the state."""
        urn, _, id_ = resource.provider.rpartition("::")
        if not urn or self.registry.get(resource.provider):
            return
        for old in self.prev:
            if old.urn == urn and old.id == id_:
                self.registry.load_old(old)

    def analyze(self, new: Resource, goal: Goal) -> bool:
        """Let the policies look at a resource; a mandatory violation stops an update (True), and fails a preview."""
        violated = False
        for analyzer in self.analyzers:
            analyzer.remediate(new, goal, self)
        for analyzer in self.analyzers:
            violated = analyzer.analyze(new, goal, self) or violated
        self.generator.decisions.failed = self.generator.decisions.failed or violated
        return violated and not self.dry_run

    # ---- the end

    def cancel(self) -> None:
        """Cancel the operation: no further step begins, steps that run go on to their end."""
        self.cancelled = True

    def interrupt(self) -> None:
        """Begin nothing more, since the user wants it so; tell the providers."""
        self.interrupted = True
        self.cancel()
        for provider in list(self.host.running):
            provider.cancel()

    def summary(self, packs: dict[str, str]) -> None:
        """Tell how many resources changed."""
        self.emit(Summary(dict(sorted(self.changes.items())), time.monotonic() - self._begun, self.dry_run, packs))

    # ---- registrations

    def register(self, goal: Goal) -> Result:
        """Do what a registration asks for.

        Raises:
            CancelledError: The registration or read failed, or the operation has ended before.
        """
        with self._generating(goal):
            steps, new = self.generator.register(goal)
        result = self._run_registered(steps, new)
        if isinstance(steps[0], ImportStep) and not result.failed:
            with self._generating(goal):
                rest = self.generator.after_import(goal, result.state)
            result = self._run_registered(rest, result.state) if rest else result
        return result

    def read(self, goal: Goal, id_: str) -> Result:
        """Do what a read asks for.

        Raises:
            CancelledError: The registration or read failed, or the operation has ended before.
        """
        with self._generating(goal):
            steps = self.generator.read(goal, id_)
        return self._run_registered(steps, steps[0].res)

    @contextmanager
    def _generating(self, goal: Goal) -> Iterator[None]:
        """Hold the generator's lock; what goes wrong meanwhile ends the operation."""
        with self.lock:
            if self.cancelled:
                raise CancelledError
            try:
                yield
            except (BailError, ProviderError, EngineError) as e:
                if not isinstance(e, BailError):
                    self.error(str(e), make_urn(self.stack.name, self.stack.project, goal.parent, goal.type, goal.name))
                self.bailed = True
                self.cancel()
                raise CancelledError from e

    def _run_registered(self, steps: list[Step], new: Resource) -> Result:
        with self._count_lock:
            self._skipped.update(step.urn for step in self._errored)
            depends = any(self._skipped.intersection(step.res.references()) for step in steps)
            if depends:
                self._skipped.add(new.urn)
        if depends:
            return Result(new, failed=True)
        done = self.run_chain(steps)
        state = next((s.new for s in reversed(steps) if s.new), new)
        if not done:
            if not self.options.continue_on_error or self.cancelled:
                raise CancelledError
            return Result(state, failed=True)
        return Result(state, unknown=any(isinstance(s, SameStep) and s.skipped for s in steps))

    def register_outputs(self, urn: str, outputs: Map) -> None:
        """Store the outputs of a component; those of the stack are kept until `finish_stack_outputs`."""
        step = self._registered.get(urn)
        if step is None:
            raise EngineError(f"cannot complete a resource '{urn}' whose registration isn't pending")
        if step.res.is_stack:
            self.stack_outputs = (urn, outputs)
        elif not (isinstance(step, SameStep) and step.skipped):
            self._set_outputs(step, outputs)

    def finish_stack_outputs(self, errored: bool) -> None:
        """Store the stack's outputs: all new ones if all went well, else merged over the old ones."""
        if not self.stack_outputs:
            return
        urn, outputs = self.stack_outputs
        old = self.olds.get(urn)
        self._set_outputs(self._registered[urn], {**old.outputs, **outputs} if errored and old else outputs)

    def _set_outputs(self, step: Step, outputs: Map) -> None:
        unchanged = step.res.outputs == outputs
        step.res.outputs = outputs
        step.completed(self)
        if self.snapshots and not unchanged:
            self.snapshots.set(step.res)
        self.emit(StepEvent("resOutputsEvent", step, step.op, self.dry_run))

    # ---- running steps

    def run_chain(self, steps: Iterable[Step]) -> bool:
        """Run steps one after another in a slot; False if one failed or the operation ended."""
        with self._slots:
            return all(not self.cancelled and self._run(step) for step in steps)

    def run_side_by_side(self, steps: list[Step]) -> None:
        """Run steps that do not depend on one another."""
        if len(steps) == 1 or self.options.parallel == 1:
            for step in steps:
                self.run_chain([step])
            return
        with ThreadPoolExecutor(self.options.parallel) as pool:
            list(pool.map(lambda step: self.run_chain([step]), steps))

    def _run(self, step: Step) -> bool:
        try:
            return self._carry_out(step)
        except EngineError as e:  # the state cannot be written
            self.error(str(e), "")
            self.bailed = True
            self.cancel()
            return False

    def _carry_out(self, step: Step) -> bool:
        if self.snapshots:
            step.begin(self.snapshots)
        self.emit(StepEvent("resourcePreEvent", step, step.op, self.dry_run))
        failure: Exception | None = None
        try:
            step.apply(self)
        except (ProviderError, EngineError, BailError) as e:
            failure = e
        if step.new and step.op != "replace" and (failure is None or isinstance(failure, InitError)):
            _mark_secrets(step.new)
            (self.reads if isinstance(step, ReadStep) else self.news)[step.urn] = step.new
            if step.logical or not failure:
                self._registered[step.urn] = step
        self._tell_end(step, failure)
        if self.snapshots:
            step.end(self.snapshots, failure is None or isinstance(failure, InitError))
        if failure:
            self._fail(step, failure)
        return failure is None

    def _tell_end(self, step: Step, failure: Exception | None) -> None:
        internal = is_default_provider(step.res) or step.op == "remove-pending-replace"
        if failure:
            if not isinstance(failure, BailError):
                self.error(("Preview failed: " if self.dry_run else "") + str(failure), "" if internal else step.urn)
            if not self.dry_run:
                self.emit(StepEvent("resOpFailedEvent", step, step.op, planning=False))
            return
        op, counted = step.op, step.logical
        if isinstance(step, RefreshStep) and self.options.only_refresh:
            op, counted = step.outcome, True
        if counted and not internal:
            with self._count_lock:
                self.changes[op] += 1
        if self.dry_run or step.res.custom or isinstance(step, (RefreshStep, DeleteStep)):
            self.emit(StepEvent("resOutputsEvent", step, op, self.dry_run))

    def fail_after_step(self, message: str, urn: str) -> None:
        """Tell a failure that leaves the step as it is, done, and end the operation for it."""
        self.error(message, urn)
        self.step_failed = True
        if not self.options.continue_on_error:
            self.cancel()

    def _fail(self, step: Step, failure: Exception) -> None:
        self.step_failed = True
        if self.options.continue_on_error or isinstance(failure, ProtectedError):
            with self._count_lock:
                self._errored.append(step)
        else:
            self.cancel()

    # ---- deletes

    def settle(self) -> None:
        """Delete what the program has not registered: once, and if possible while it still answers for its hooks."""
        if self.settled:
            return
        self.settled = True
        if not self._targets_exist():
            self.bailed = True
        elif not self.cancelled:
            with contextlib.suppress(BailError):
                self._delete_rest()

    def _targets_exist(self) -> bool:
        known = self.generator.decisions.urns | {r.urn for r in self.prev}
        missing = [urn for urn in self.options.targets if urn not in known]
        for urn in missing:
            self.error(
                f"Target '{urn}' could not be found in the stack; `pulumi stack export` shows the URNs that are there",
                "",
            )
        return not missing

    def _delete_rest(self) -> None:
        """Delete what the program no longer has, layer by layer, except what a failed step still needs.

        Raises:
            BailError: a target was left out, which the user has been told.
        """
        if not self.prev:
            return
        sames, deletes = self.generator.deletes_at_end()
        for step in sames:
            self.run_chain([step])
        needed: set[Resource] = set()
        for layer in self.generator.layers(deletes):
            for failed in self._errored:
                for resource in (failed.new, failed.old):
                    if resource and resource in self.graph:
                        needed |= self.graph.all_dependencies(resource)
            self.run_side_by_side([step for step in layer if step.res not in needed])


def _mark_secrets(resource: Resource) -> None:
    """Mark outputs secret that the program wants so, or whose input is."""
    wanted = {k for k in resource.additional_secret_outputs if k != "id"}
    wanted.update(k for k, v in resource.inputs.items() if values.is_secret(v))
    for key in wanted & resource.outputs.keys():
        if not values.is_secret(resource.outputs[key]):
            resource.outputs = {**resource.outputs, key: values.secret(resource.outputs[key])}
