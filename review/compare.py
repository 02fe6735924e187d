"""A review from beginning to end: two revisions, one throw-away sandbox, a report."""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from review.changes import EVERYTHING, stack_of_urn
from review.report import Report, Requirement, StackReview
from review.revisions import Repository, Revision, UsageError, stack_of, touches_every_stack
from review.stacks import Pair, Reviewer, World, pair
from review.throwaway import LivePulumi, ThrowawaySandbox

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_REMOVALS, _PAUSE = 20, 0.1  # tries, and seconds between them


@dataclass(frozen=True)
class Request:
    """What is to be reviewed.

    Attributes:
        project: The project's folder.
        base: The revision to compare with.
        head: The revision to review; None for the working tree.
        stacks: Names of the stacks; those that the change can reach if empty.
        accepted: URNs of what may be lost, each with all that is below it; or `all`.
        stack_files_only: Whether the head's stack files are data for the base's program.
        live: Whether Azure is previewed by the user's own `pulumi`, with the real state as the base.
        today: The day by which exemptions, access and VM sizes end.
    """

    project: Path
    base: str
    head: str | None = None
    stacks: tuple[str, ...] = ()
    accepted: frozenset[str] = frozenset()
    stack_files_only: bool = False
    live: bool = False
    today: date = field(default_factory=date.today)


def review(request: Request, say: Callable[[str], None]) -> Report:
    """Review a change.

    Args:
        request: What is to be reviewed.
        say: Gets a line for each thing that is done.

    Raises:
        UsageError: The review cannot begin.
    """
    if request.live and (request.head or request.stack_files_only):
        raise UsageError("--live previews the working tree: leave --head and --stack-files-only out")
    repository = Repository(request.project)
    with _interruptible(), _folder() as folder:
        base = repository.check_out(request.base, folder / "base")
        head, notes = _head(repository, request, folder)
        changed = repository.changed(repository.commit(request.base), request.head and repository.commit(request.head))
        others = sorted(path for path in changed if stack_of(path) is None)
        if request.stack_files_only and others:
            raise UsageError(f"not only stack files differ, but also {others[0]}: leave --stack-files-only out")
        stacks, untouched = _chosen(request, base, head, changed)
        _check_accepted(request.accepted, base.stacks | head.stacks)
        pairs = [pair(stack, base, head, request.today) for stack in stacks]
        reviewer = partial(
            Reviewer,
            base=base,
            program=base if request.stack_files_only else head,
            rules=head.folder / "policies" if any(path.startswith("policies/") for path in others) else None,
            accepted=request.accepted,
            today=request.today,
            folder=folder,
            say=say,
        )
        return Report(
            base=base.shown,
            head=head.shown,
            made_by="head" if others else "base",
            live=request.live,
            stacks=tuple(_reviews(pairs, reviewer, _world(pairs, request, folder, say)) if pairs else ()),
            untouched=untouched,
            requirements=tuple(_requirements(base, head)),
            notes=(*notes, *_not_previewed(request.accepted, pairs)),
        )


def _head(repository: Repository, request: Request, folder: Path) -> tuple[Revision, tuple[str, ...]]:
    if request.head:
        return repository.check_out(request.head, folder / "head"), ()
    head, dirty = repository.working_tree()
    if not dirty:
        return head, ()
    more = f" and {len(dirty) - 1} more" if len(dirty) > 1 else ""
    note = f"The working tree is reviewed with what is not committed: {dirty[0]}{more}. --head HEAD reviews the commit."
    return head, (note,)


def _check_accepted(accepted: frozenset[str], known: frozenset[str]) -> None:
    """Refuse what can be no resource of the stacks.

    Raises:
        UsageError: It is no URN, or one of no stack.
    """
    for urn in sorted(accepted - {EVERYTHING}):
        stack = stack_of_urn(urn)
        if stack is None:
            raise UsageError(
                f"--accept-loss {urn!r} is no URN: take one from the JSON report, such as "
                f"urn:pulumi:STACK::PROJECT::TYPE::NAME, or say {EVERYTHING!r}"
            )
        if stack not in known:
            there = ", ".join(sorted(known)) or "none"
            raise UsageError(
                f"--accept-loss {urn!r} is of stack {stack!r}, which is at neither revision: there are {there}"
            )


def _not_previewed(accepted: frozenset[str], pairs: Sequence[Pair]) -> Iterator[str]:
    """A line for each URN that is accepted and belongs to a stack that is not previewed."""
    previewed = {one.stack for one in pairs if one.head_file}
    for urn in sorted(accepted - {EVERYTHING}):
        if stack_of_urn(urn) not in previewed:
            yield f"--accept-loss {urn}: its stack is not previewed, so nothing of it is lost."


def _chosen(
    request: Request, base: Revision, head: Revision, changed: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The stacks to review, and those that the change cannot reach.

    Raises:
        UsageError: A stack that was asked for is at neither revision.
    """
    there = base.stacks | head.stacks
    if unknown := sorted(set(request.stacks) - there):
        known = ", ".join(sorted(there)) or "none"
        raise UsageError(f"there is no stack {unknown[0]!r} at either revision: there are {known}")
    touched = there if touches_every_stack(changed) else {stack for path in changed if (stack := stack_of(path))}
    chosen = set(request.stacks) or touched & there
    return tuple(sorted(chosen)), tuple(sorted(there - chosen)) if not request.stacks else ()


def _reviews(
    pairs: Sequence[Pair], reviewer: Callable[[World], Reviewer], world: AbstractContextManager[World]
) -> list[StackReview]:
    """The stacks' reviews, as many at a time as there are processors."""
    with world as there, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        try:
            return list(pool.map(reviewer(there).review, pairs))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            there.end()
            raise


@contextmanager
def _world(pairs: Sequence[Pair], request: Request, folder: Path, say: Callable[[str], None]) -> Iterator[World]:
    """Azure by the user's own `pulumi`, or a sandbox that has what the stacks name."""
    if request.live:
        yield LivePulumi()
        return
    departments = [plan.department for one in pairs for plan in (one.before, one.after) if plan]
    with ThrowawaySandbox(folder, departments) as sandbox:
        for line in sandbox.furnish():
            say(line)
        yield sandbox


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that is gone afterwards, even if a process that was ended still writes there for a moment."""
    made = Path(tempfile.mkdtemp(prefix="azureml-review-"))
    try:
        yield made
    finally:
        for _ in range(_REMOVALS):
            shutil.rmtree(made, ignore_errors=True)
            if not made.exists():
                break
            time.sleep(_PAUSE)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let a polite end (SIGTERM, or a terminal that closes) tidy up as Ctrl-C does. While that goes on, wait for it."""

    def interrupt(_signal: int, _frame: Any) -> None:
        for one in _ENDS:
            signal.signal(one, lambda _signal, _frame: None)
        raise KeyboardInterrupt

    try:
        before = {one: signal.signal(one, interrupt) for one in _ENDS}
    except ValueError:  # not the main thread: whoever runs us there handles signals
        yield
        return
    try:
        yield
    except KeyboardInterrupt:
        raise  # the process ends, and no further signal ends it otherwise
    except BaseException:
        _restore(before)
        raise
    _restore(before)


def _restore(handlers: Mapping[signal.Signals, Any]) -> None:
    for one, handler in handlers.items():
        signal.signal(one, handler)


def _requirements(base: Revision, head: Revision) -> Iterator[Requirement]:
    old, new = base.requirements, head.requirements
    for package in sorted(old.keys() | new.keys()):
        if old.get(package) != new.get(package):
            yield Requirement(package, old.get(package), new.get(package), _installed(package))


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def to_stderr(text: str) -> None:
    """Tell a line of progress."""
    sys.stderr.write(f"{text}\n")  # in one piece: several stacks are reviewed at a time
    sys.stderr.flush()
