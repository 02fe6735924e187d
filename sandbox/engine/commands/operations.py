"""The commands that operate on a stack: preview, up, refresh, destroy, import and cancel."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sandbox.engine.carry_out.deployment import Deployment
from sandbox.engine.carry_out.operate import operate
from sandbox.engine.commands.selection import existing, say, workspace_of
from sandbox.engine.context import Adoption, Options
from sandbox.engine.errors import INTERRUPTED, ChangesNotExpectedError, NotConfirmedError, UsageError
from sandbox.engine.events import Event
from sandbox.engine.provider import Factory
from sandbox.engine.show.choose import display_for
from sandbox.engine.show.display import Display
from sandbox.engine.show.documents import EventLog
from sandbox.engine.workspace import Workspace


def operate_on_stack(args: argparse.Namespace, providers: Mapping[str, Factory]) -> int:
    """`pulumi preview`, `up`, `refresh`, `destroy` and `import`: the exit code."""
    makes = args.kind in ("preview", "up")
    workspace = workspace_of(args, providers) if makes else existing(args, providers)
    options = Options(
        dry_run=args.kind == "preview",
        parallel=args.parallel if args.parallel > 0 else 1,
        targets=args.target,
        target_dependents=args.target_dependents,
        continue_on_error=getattr(args, "continue_on_error", False),
        refresh=getattr(args, "refresh", "false") == "true",
        only_refresh=args.kind == "refresh",
        exclude_protected=getattr(args, "exclude_protected", False),
        run_program=getattr(args, "run_program", "false") == "true",
        clear_pending_creates=getattr(args, "clear_pending_creates", False),
        import_pending_creates=dict(getattr(args, "import_pending_creates", [])),
        adoption=_adoption(args) if args.kind == "import" else None,
    )
    interactive = sys.stdin.isatty() and sys.stdout.isatty() and not args.non_interactive
    if args.kind != "preview":
        if getattr(args, "preview_only", False):
            return _once(args, workspace, replace(options, dry_run=True))
        if not args.yes and not args.skip_preview and not interactive:
            raise NotConfirmedError(
                "--yes or --skip-preview or --preview-only must be passed in to proceed "
                "when running in non-interactive mode"
            )
        if not args.skip_preview:
            code = _once(args, workspace, replace(options, dry_run=True))
            if code or not (args.yes or _confirm(args.kind, workspace.stack.name)):
                return code
    code = _once(args, workspace, options)
    if args.kind == "destroy" and args.remove and not code:
        workspace.stack.file.unlink(missing_ok=True)
    return code


def _adoption(args: argparse.Namespace) -> Adoption:
    given = {"--parent": args.parent, "--provider": args.provider}
    for flag, value in given.items():
        if value and not value.partition("=")[2].startswith("urn:pulumi:"):
            raise UsageError(f"{flag} must be NAME=URN; `pulumi stack export` shows the URNs")
    parent, provider = (value.partition("=")[2] for value in given.values())
    return Adoption(args.type, args.name, args.id, parent, provider, args.protect == "true")


def _confirm(kind: str, stack: str) -> bool:
    """Ask on the terminal; Pulumi's question."""
    verb = {"up": "update", "refresh": "refresh", "destroy": "destroy", "import": "import"}[kind]
    question = (
        f"Do you want to perform this {verb}? [yes/no] "
        if kind != "destroy"
        else f"Do you want to perform this destroy? It cannot be undone. Type the stack's name ({stack}): "
    )
    try:
        answer = input(question).strip()
    except (EOFError, KeyboardInterrupt):
        answer = ""
    if answer == stack or (kind != "destroy" and answer.lower() in ("y", "yes")):
        return True
    say(f"confirmation declined, not proceeding with the {verb}")
    return False


def _once(args: argparse.Namespace, workspace: Workspace, options: Options) -> int:
    """One preview, update, refresh or destroy, shown as it goes."""
    shown = display_for(args, workspace, options)
    with shown, EventLog(args.event_log) as log, _interrupts(shown, workspace) as watch:

        def show(event: Event) -> None:
            shown.show(event)
            log.write(event)

        ok = operate(args.kind, workspace, options, show, watch)
    if not ok:
        return 1
    if getattr(args, "expect_no_changes", False) and shown.has_changes:
        raise ChangesNotExpectedError(
            "no changes were expected but changes were proposed"
            if options.dry_run
            else "no changes were expected but changes occurred"
        )
    return 0


@contextmanager
def _interrupts(shown: Display, workspace: Workspace) -> Iterator[Callable[[Deployment], None]]:
    """Ctrl-C once: nothing new is begun and what runs may end. Twice: the end, what runs stays pending in the state."""
    running: list[Deployment] = []
    stderr = sys.stderr  # not the program's, which stands in its place while it runs

    def handle(_signal: int, _frame: Any) -> None:
        if running and not running[0].interrupted:
            running[0].interrupted = True  # before it is told: the second may come while the first is being handled
            shown.say(
                "^C received; cancelling: waiting for what has begun, which the state will hold: "
                "run the same command again to go on from there. "
                "If you would like to terminate immediately, press ^C again.\n"
            )
            running[0].interrupt()
            return
        shown.close()
        stderr.write("^C received; terminating at once.\n")
        if running:
            stderr.write(
                "Operations that had begun are pending in the state: run `pulumi refresh` "
                "(with --clear-pending-creates once you know that a create failed), then `pulumi up` again.\n"
            )
        stderr.flush()
        workspace.stack.unlock()
        os._exit(INTERRUPTED)

    try:
        before = signal.signal(signal.SIGINT, handle)
    except ValueError:  # not the main thread: whoever runs us there handles signals
        yield lambda _: None
        return
    try:
        yield running.append
    finally:
        signal.signal(signal.SIGINT, before)


def cancel(args: argparse.Namespace, _providers: Mapping[str, Factory]) -> int:
    """`pulumi cancel`: drop the locks of engines that no longer run."""
    args.stack = args.name or args.stack
    workspace = existing(args)
    if (
        sys.stdin.isatty()
        and not args.yes
        and input(
            f"This will irreversibly cancel the current update for '{workspace.stack.name}'. Continue? [yes/no] "
        ).lower()
        not in ("y", "yes")
    ):
        return 1
    dropped = workspace.stack.cancel()
    say(
        f"The currently running update for '{workspace.stack.name}' has been canceled!"
        if dropped
        else f"'{workspace.stack.name}' was not locked"
    )
    return 0
