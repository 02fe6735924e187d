"""Runs the program and the operations: preview, update, refresh and destroy of one stack."""

import contextlib
from collections.abc import Callable
from dataclasses import replace

from sandbox.engine.carry_out.adopt import adopt
from sandbox.engine.carry_out.deployment import PENDING_WARNING, Deployment
from sandbox.engine.carry_out.policies import Analyzer, environment
from sandbox.engine.carry_out.program import run_program
from sandbox.engine.carry_out.providers.host import Host
from sandbox.engine.carry_out.refresh import refresh
from sandbox.engine.context import Options
from sandbox.engine.errors import EngineError
from sandbox.engine.events import Diagnostic, Prelude, Sink
from sandbox.engine.state import snapshot
from sandbox.engine.state.backend import ORGANIZATION
from sandbox.engine.state.checkpoint import Checkpoint, Codec
from sandbox.engine.state.graph import Graph
from sandbox.engine.state.resources import STACK_TYPE
from sandbox.engine.values import Map
from sandbox.engine.workspace import Workspace


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
        EngineError: The operation could not begin.
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
    remaining = [
        (op, r)
        for op, r in checkpoint.pending
        if op != "creating" or not (options.clear_pending_creates or r.urn in options.import_pending_creates)
    ]
    settled = len(remaining) < len(checkpoint.pending)
    checkpoint.pending = remaining
    return settled


def _without_protected(options: Options, checkpoint: Checkpoint) -> Options:
    """The options with everything as target that is neither protected nor needed by what is."""
    graph = Graph(checkpoint.resources)
    needed = {r for protected in checkpoint.resources if protected.protect for r in graph.all_dependencies(protected)}
    return replace(options, targets=[r.urn for r in checkpoint.resources if r not in needed], target_dependents=True)


def _analyzers(workspace: Workspace, options: Options, ends: contextlib.ExitStack) -> list[Analyzer]:
    variables = environment(workspace.stack, options.dry_run, workspace.config.values)
    started = []
    for directory, config in workspace.packs:
        started.append(Analyzer(directory, config, variables))
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
        d.settle()
    failed = not ended or d.step_failed or d.generator.decisions.failed or d.bailed
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


def outputs_of(workspace: Workspace, name: str) -> Map | None:
    """The outputs of a stack of the same backend, by the name that a StackReference gives: secrets marked."""
    parts = name.split("/")
    owner, project, stack = (
        [ORGANIZATION, workspace.project.name, name] if len(parts) == 1 else [ORGANIZATION, *parts][-3:]
    )
    other = workspace.backend.stack(project, stack)
    return stack_outputs(snapshot.load(other)[0]) if owner == ORGANIZATION and other.exists() else None


def stack_outputs(checkpoint: Checkpoint) -> Map:
    """The outputs that a state holds."""
    return next((r.outputs for r in checkpoint.resources if r.type == STACK_TYPE), {})


# ---- the program
