"""`pulumi state`: what a user edits in a state by hand."""

import argparse
import contextlib
import difflib
from collections.abc import Iterator

from sandbox.engine.commands.selection import confirmed, existing, say
from sandbox.engine.commands.stacks import locked
from sandbox.engine.errors import EngineError, UsageError
from sandbox.engine.state import snapshot
from sandbox.engine.state.checkpoint import Checkpoint, Codec
from sandbox.engine.state.graph import Graph
from sandbox.engine.state.resources import Resource
from sandbox.engine.workspace import Workspace


@contextlib.contextmanager
def _edited(workspace: Workspace) -> Iterator[Checkpoint]:
    """The state, to be changed and then stored."""
    with locked(workspace):
        checkpoint, secrets = snapshot.load(workspace.stack, workspace.config.salt)
        yield checkpoint
        workspace.stack.write(Codec(secrets).dump_deployment(checkpoint))


def _found(checkpoint: Checkpoint, urn: str) -> Resource:
    """The one resource of a URN.

    Raises:
        EngineError: No resource has the URN, or more than one has.
    """
    matches = [r for r in checkpoint.resources if r.urn == urn]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise EngineError(
            f"{urn} is {len(matches)} resources: one waits for its deletion. Run `pulumi up` first, which ends that"
        )
    near = difflib.get_close_matches(urn, [r.urn for r in checkpoint.resources], 3, 0.5)
    meant = "".join(f"\n  {other}" for other in near)
    raise EngineError(
        f'No such resource "{urn}" exists in the current state{f"{chr(10)}Did you mean:{meant}" if near else ""}\n'
        "`pulumi stack export` shows the URNs that are there"
    )


def delete(args: argparse.Namespace, *_: object) -> int:
    """`pulumi state delete`: what is forgotten stays in the cloud."""
    workspace = existing(args)
    question = "This command will edit your stack's state directly. Confirm?"
    with _edited(workspace) as checkpoint:
        gone = [_found(checkpoint, args.urn)]
        dependents = Graph(checkpoint.resources).dependents(gone[0], with_children=True)
        if dependents and not args.target_dependents:
            raise EngineError(
                f"{args.urn} can't be safely deleted because the following resources depend on it:"
                + "".join(f'\n * "{r.name}" ({r.urn})' for r in dependents)
                + "\n\nDelete those resources first or pass --target-dependents."
            )
        gone += dependents
        for resource in gone:
            if resource.protect and not args.force:
                raise EngineError(
                    f"{resource.urn} can't be safely deleted because it is protected. "
                    "Re-run this command with --force to force deletion"
                )
        if not confirmed(args, question):
            return 1
        checkpoint.resources = [r for r in checkpoint.resources if r not in gone]
    say("Resource deleted" if len(gone) == 1 else f"{len(gone)} resources deleted")
    return 0


def protect(args: argparse.Namespace, *_: object) -> int:
    """`pulumi state protect` and `unprotect`, until the program says otherwise."""
    if bool(args.urn) == args.all:
        raise UsageError(f"`pulumi state {args.word}` needs the URNs of resources, or --all")
    with _edited(existing(args)) as checkpoint:
        chosen = checkpoint.resources if args.all else [_found(checkpoint, urn) for urn in args.urn]
        for resource in chosen:
            resource.protect = args.word == "protect"
    say(f"{'All' if args.all else len(chosen)} resources {args.word}ed")
    return 0
