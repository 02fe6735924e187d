"""Runs the program and the operations: preview, update, refresh and destroy of one stack."""

import asyncio
import contextlib
import contextvars
import gc
import io
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import run_in_stack, set_all_config, settings

from sandbox.engine import policies, snapshot
from sandbox.engine.adopt import adopt
from sandbox.engine.deployment import PENDING_WARNING, Deployment, Options
from sandbox.engine.errors import EngineError
from sandbox.engine.events import Diagnostic, Prelude, Sink
from sandbox.engine.generator import BailError, Graph
from sandbox.engine.monitor import Engine, Monitor
from sandbox.engine.policies import Analyzer
from sandbox.engine.project import Config, Project
from sandbox.engine.providers import Factory, Host
from sandbox.engine.refresh import refresh
from sandbox.engine.state import ORGANIZATION, STACK_TYPE, Backend, Checkpoint, Codec, Stack
from sandbox.engine.values import Map


@dataclass
class Workspace:
    """What an operation works with."""

    project: Project
    stack: Stack
    backend: Backend
    config: Config
    factories: Mapping[str, Factory] = field(default_factory=dict)
    packs: Sequence[tuple[Path, Map]] = ()  # policy packs and their configuration


def operate(
    kind: str, workspace: Workspace, options: Options, sink: Sink, watch: Callable[[Deployment], None] = lambda _: None
) -> bool:
    """Carry out an operation.

    Args:
        kind: preview, up, refresh, destroy or import (`options.dry_run`: show only what it would do).
        workspace: what to work with.
        options: what the user asked for.
        sink: gets every event.
        watch: gets the deployment before it begins, to interrupt it.

    Returns:
        Whether it succeeded; the events say why not.

    Raises:
        EngineError: it could not begin.
    """
    with contextlib.ExitStack() as ends:
        if not options.dry_run:
            workspace.stack.lock()
            ends.callback(workspace.stack.unlock)
        checkpoint, secrets = snapshot.load(workspace.stack, workspace.config.salt)
        settled = _settle_pending_creates(options, checkpoint)
        if options.exclude_protected and not (options := _without_protected(options, checkpoint)).targets:
            sink(Diagnostic("info", "There were no unprotected resources to destroy."))
            return True
        snapshots = None
        if not options.dry_run:
            codec = Codec(secrets)
            if settled or workspace.stack.journal.exists():  # the new journal starts from what is in the file
                workspace.stack.write(codec.dump_deployment(checkpoint))
            snapshots = snapshot.SnapshotManager(checkpoint).open(workspace.stack, codec)
            ends.callback(snapshots.close)
        host = Host(workspace.factories, workspace.project.plugins, workspace.project.directory)
        ends.callback(host.close)
        analyzers = _analyzers(workspace, options, ends) if kind in ("preview", "up") else []
        d = Deployment(
            stack=workspace.stack,
            options=options,
            prev=checkpoint.resources,
            pending=checkpoint.pending,
            sink=sink,
            host=host,
            outputs_of=lambda name: outputs_of(workspace, name),
            config=workspace.config.by_package(),
            analyzers=analyzers,
            snapshots=snapshots,
            root=workspace.project.main,
        )
        watch(d)
        sink(Prelude(workspace.config.shown()))
        failed = _carry_out(kind, d, workspace)
        d.summary({a.name: a.version for a in analyzers})
        return not failed


def _settle_pending_creates(options: Options, checkpoint: Checkpoint) -> bool:
    """Take interrupted creates into the state under the ids given for them, or drop them; whether there were any."""
    creates = {r.urn: r for op, r in checkpoint.pending if op == "creating"}
    if strange := options.import_pending_creates.keys() - creates.keys():
        there = ", ".join(creates) or "none"
        raise EngineError(f"{', '.join(sorted(strange))} did not correspond to a pending create; pending are: {there}")
    for urn, id_ in options.import_pending_creates.items():
        creates[urn].id = id_
        waiting = [r for r in checkpoint.resources if r.urn == urn and r.pending_replacement]
        if waiting:  # it was deleted first, and this is what takes its place
            checkpoint.resources[checkpoint.resources.index(waiting[0])] = creates[urn]
        else:
            checkpoint.resources.append(creates[urn])
    kept = [
        (op, r)
        for op, r in checkpoint.pending
        if op != "creating" or not (options.clear_pending_creates or r.urn in options.import_pending_creates)
    ]
    settled = len(kept) < len(checkpoint.pending)
    checkpoint.pending = kept
    return settled


def _without_protected(options: Options, checkpoint: Checkpoint) -> Options:
    """The options with everything as target that is neither protected nor needed by what is."""
    graph = Graph(checkpoint.resources)
    kept = {r for protected in checkpoint.resources if protected.protect for r in graph.all_dependencies(protected)}
    return replace(options, targets=[r.urn for r in checkpoint.resources if r not in kept], target_dependents=True)


def _analyzers(workspace: Workspace, options: Options, ends: contextlib.ExitStack) -> list[Analyzer]:
    environment = policies.environment(workspace.stack, options.dry_run, workspace.config.values)
    started = []
    for directory, config in workspace.packs:
        started.append(Analyzer(directory, config, environment))
        ends.callback(started[-1].close)
    return started


def _carry_out(kind: str, d: Deployment, workspace: Workspace) -> bool:
    """Do it; returns whether it failed."""
    if kind == "refresh" or d.options.refresh:
        refresh(d)
        if d.step_failed or d.interrupted or kind == "refresh":
            return _tell_result(d, d.step_failed)
    elif d.pending and not d.dry_run:
        operations = "".join(f"  * {r.urn}, interrupted while {op}\n" for op, r in d.pending)
        head = (
            f"Attempting to deploy or update resources with {len(d.pending)} pending operations "
            "from previous deployment.\n"
        )
        d.warn(head + operations + PENDING_WARNING, "")
    if d.options.adoption:
        adopt(d, d.options.adoption)
        return _tell_result(d, d.step_failed)
    if kind == "destroy" and not d.options.run_program:
        _refuse_delete_hooks(d)
    ended = (kind == "destroy" and not d.options.run_program) or run_program(d, workspace)
    if ended:
        _delete_rest(d)
    failed = not ended or d.step_failed or d.generator.failed or d.bailed
    d.finish_stack_outputs(errored=failed)
    if ended and not d.step_failed and not d.bailed and not d.interrupted:
        stack = list(d.news.values()) if kind != "destroy" else []
        violated = [a.analyze_stack(stack, d) for a in d.analyzers]
        failed = failed or any(violated)
    if not ended or d.bailed:
        return True
    return _tell_result(d, failed)


def _tell_result(d: Deployment, failed: bool) -> bool:
    if failed or d.interrupted:
        d.error(f"{'preview' if d.dry_run else 'update'} {'failed' if failed else 'canceled'}", "")
    return failed or d.interrupted


def _refuse_delete_hooks(d: Deployment) -> None:
    hooked = [(r, [*r.hooks.get("BeforeDelete", ()), *r.hooks.get("AfterDelete", ())]) for r in d.prev]
    for resource, names in hooked:
        if names:
            d.error(
                "Resource has delete hooks registered, but the program is not running. Hooks: " + ", ".join(names),
                resource.urn,
            )
    if any(names for _, names in hooked):
        raise EngineError("You must run with the `--run-program` flag to use delete hooks during destroy.")


def _delete_rest(d: Deployment) -> None:
    """Delete what the program has not registered: once, and if possible while it still answers for its hooks."""
    if d.settled:
        return
    d.settled = True
    if not _targets_exist(d):
        d.bailed = True
    elif not d.cancelled:
        with contextlib.suppress(BailError):
            d.delete_rest()


def _targets_exist(d: Deployment) -> bool:
    missing = [urn for urn in d.options.targets if urn not in d.generator.urns and all(r.urn != urn for r in d.prev)]
    for urn in missing:
        d.error(
            f"Target '{urn}' could not be found in the stack; `pulumi stack export` shows the URNs that are there", ""
        )
    return not missing


def outputs_of(workspace: Workspace, name: str) -> Map | None:
    """The outputs of a stack of the same backend, by the name that a StackReference gives: secrets marked."""
    parts = name.split("/")
    owner, project, stack = (
        [ORGANIZATION, workspace.project.name, name] if len(parts) == 1 else [ORGANIZATION, *parts][-3:]
    )
    found = workspace.backend.stack(project, stack)
    return stack_outputs(snapshot.load(found)[0]) if owner == ORGANIZATION and found.exists() else None


def stack_outputs(checkpoint: Checkpoint) -> Map:
    """The outputs that a state holds."""
    return next((r.outputs for r in checkpoint.resources if r.type == STACK_TYPE), {})


# ---- the program


def run_program(d: Deployment, workspace: Workspace) -> bool:
    """Run the program against the deployment; returns whether it ended well."""
    return contextvars.Context().run(_run, d, workspace)


def _run(d: Deployment, workspace: Workspace) -> bool:
    monitor = Monitor(d, partial(_delete_rest, d))
    settings.ROOT.set(None)
    given = settings.Settings(
        project=workspace.project.name,
        stack=workspace.stack.name,
        monitor=monitor,
        engine=Engine(d),
        parallel=d.options.parallel,
        dry_run=d.dry_run,
        organization=ORGANIZATION,
        root_directory=str(workspace.project.directory),
    )
    given.outputs = _Outputs()
    settings.configure(given)
    set_all_config(workspace.config.values, workspace.config.secret_keys)

    def program() -> None:
        runpy.run_path(str(workspace.project.main), run_name="__main__")

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    executor = _Threads(d)
    loop.set_default_executor(executor)
    asyncio.set_event_loop(loop)
    quiet = logging.getLogger("asyncio")
    level = quiet.level
    quiet.setLevel(logging.CRITICAL)
    often = gc.get_threshold()
    gc.set_threshold(20_000)  # what a program makes stays: looking through it often takes half the time of a large one
    try:
        with _as_program(d, workspace.project):
            return _outcome(d, workspace, lambda: loop.run_until_complete(run_in_stack(program)))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        monitor.close()
        executor.shutdown(wait=True)  # what a provider is doing must end up in the state
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        asyncio.set_event_loop(None)
        quiet.setLevel(level)
        gc.set_threshold(*often)


class _Threads(ThreadPoolExecutor):
    """The threads in which the SDK's requests wait for the engine.

    What is asked while a hook runs has others: all of these may be waiting for hooks, which may not end without it.
    """

    def __init__(self, d: Deployment) -> None:
        super().__init__(d.options.parallel + 4, thread_name_prefix="pulumi")
        self._hooks = d.hooks
        self._others = ThreadPoolExecutor(1000, thread_name_prefix="pulumi-hooks")

    def submit(self, *args: Any, **given: Any) -> Future[Any]:
        return self._others.submit(*args, **given) if self._hooks.running else super().submit(*args, **given)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for shutdown in (super().shutdown, self._others.shutdown):
            shutdown(wait, cancel_futures=cancel_futures)


class _Outputs(set["asyncio.Task[Any]"]):
    """The program's outputs that are not resolved yet, as one task to wait for.

    The SDK takes a list of them, waits until any is done, and does so again, each time for all that are left. Here the
    list is of one task, which is done once all are, or one has failed.
    """

    def __iter__(self) -> Iterator["asyncio.Task[Any]"]:
        return iter([asyncio.ensure_future(_settled(list(super().__iter__())))])


async def _settled(outputs: list["asyncio.Task[Any]"]) -> None:
    done, _ = await asyncio.wait(outputs, return_when=asyncio.FIRST_EXCEPTION)
    for output in done:
        await output


def _outcome(d: Deployment, workspace: Workspace, run: Callable[[], Any]) -> bool:
    """Run the program and tell how it ended, as Pulumi's Python host does."""
    try:
        run()
    except pulumi.RunError as e:
        if d.cancelled and str(e).startswith("Resource monitor has terminated"):
            return True  # a step failed, or the user interrupted: known already
        d.error(str(e), "")
        d.error("an unhandled error occurred: program exited with non-zero exit code: 1", "")
        return False
    except SystemExit as e:
        if e.code in (None, 0):
            return True
        d.error(f"an unhandled error occurred: program exited with non-zero exit code: {e.code}", "")
        return False
    except EngineError:  # a delete's, which ran while the program waited
        raise
    except Exception as e:  # whatever the program raises ends the program, not the engine
        d.error(f"Program failed with an unhandled exception:\n{_traceback(e, workspace)}", "")
        return False
    return True


def _traceback(error: Exception, workspace: Workspace) -> str:
    """The traceback from the program's first own frame on; without one, what went wrong alone."""
    engine = (str(Path(__file__).parent), asyncio.__path__[0])
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(engine)]
    own = [n for n, f in enumerate(frames) if _is_own(f.filename, workspace.project)]
    head = ["Traceback (most recent call last):\n", *traceback.format_list(frames[own[0] :])] if own else []
    return "".join([*head, *traceback.format_exception_only(error)])


def _is_own(file: str, project: Project) -> bool:
    return Path(file).is_relative_to(project.directory) and "site-packages" not in file


@contextlib.contextmanager
def _as_program(d: Deployment, project: Project) -> Iterator[None]:
    """The process as a program of its own would find it: directory, arguments, output as messages, no stale modules."""
    path, argv, directory, modules = list(sys.path), sys.argv, Path.cwd(), set(sys.modules)
    out, err = _Lines(d, "info"), _Lines(d, "info#err")
    sys.argv = [str(project.main)]
    os.chdir(project.main)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield
    finally:
        out.flush_rest()
        err.flush_rest()
        sys.path[:], sys.argv = path, argv
        os.chdir(directory)
        own_package = __name__.partition(".")[0]
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file and name.partition(".")[0] != own_package and _is_own(file, project):
                del sys.modules[name]  # the next run of the program starts afresh


class _Lines(io.TextIOBase):
    """What the program prints, told as messages line by line."""

    def __init__(self, d: Deployment, severity: str) -> None:
        self._d, self._severity, self._rest = d, severity, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._d.emit(Diagnostic(self._severity, line))
        return len(text)

    def flush_rest(self) -> None:
        if self._rest:
            self._d.emit(Diagnostic(self._severity, self._rest))
