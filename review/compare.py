"""A review from beginning to end: two revisions, one throw-away sandbox, a report."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from operations.costs.planned import expected_hours
from policies.config import ConfigError
from review.changes import changes
from review.costs.compare import compare as compare_costs
from review.notices import notices
from review.preview import ENDED, Preview, errors, read_preview
from review.report import Failure, Report, Requirement, StackReview, groups
from review.revisions import Repository, Revision, UsageError, stack_of, touches_every_stack
from review.stackfile import Fault, plan_or_faults, without_secrets
from review.throwaway import Commands, ThrowawaySandbox
from review.violations import configuration, violations
from settings.plan import Plan


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
        today: The day by which exemptions, access and VM sizes end.
    """

    project: Path
    base: str
    head: str | None = None
    stacks: tuple[str, ...] = ()
    accepted: frozenset[str] = frozenset()
    stack_files_only: bool = False
    today: date = field(default_factory=date.today)


@dataclass(frozen=True)
class _Pair:
    """One stack at both revisions: its file and its plan there, None where it is not there or cannot be used."""

    stack: str
    base_file: Path | None
    head_file: Path | None
    before: Plan | None
    after: Plan | None
    faults: tuple[Fault, ...]


def review(request: Request, say: Callable[[str], None]) -> Report:
    """Review a change.

    Args:
        request: What is to be reviewed.
        say: Gets a line for each thing that is done.

    Raises:
        UsageError: The review cannot begin.
    """
    repository = Repository(request.project)
    with tempfile.TemporaryDirectory(prefix="azureml-review-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        base = repository.check_out(request.base, folder / "base")
        head, notes = _head(repository, request, folder)
        changed = repository.changed(repository.commit(request.base), request.head and repository.commit(request.head))
        others = sorted(path for path in changed if stack_of(path) is None)
        if request.stack_files_only and others:
            raise UsageError(f"not only stack files differ, but also {others[0]}: leave --stack-files-only out")
        program = base if request.stack_files_only else head
        stacks, untouched = _chosen(request, base, head, changed)
        pairs = [_pair(stack, base, head) for stack in stacks]
        reviews = _reviews(pairs, _Job(base, program, request, folder, say)) if pairs else []
        return Report(
            base=base.shown,
            head=head.shown,
            made_by="base" if not others else "head",
            live=False,
            stacks=tuple(reviews),
            untouched=untouched,
            requirements=tuple(_requirements(base, head)),
            notes=notes,
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


def _pair(stack: str, base: Revision, head: Revision) -> _Pair:
    files = [revision.stack_file(stack) if stack in revision.stacks else None for revision in (base, head)]
    before, _ = plan_or_faults(files[0]) if files[0] else (None, ())
    after, faults = plan_or_faults(files[1]) if files[1] else (None, ())
    return _Pair(stack, files[0], files[1], before, after, faults)


def _reviews(pairs: Sequence[_Pair], job: "_Job") -> list[StackReview]:
    """The stacks' reviews, as many at a time as there are processors."""
    commands = Commands()
    departments = [plan.department for pair in pairs for plan in (pair.before, pair.after) if plan]
    with _terminable(), ThrowawaySandbox(job.folder, departments, commands) as sandbox:
        if wrong := sandbox.furnish():
            job.say(wrong)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            try:
                return list(pool.map(_One(sandbox, job).review, pairs))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                commands.end()
                raise


@contextmanager
def _terminable() -> Iterator[None]:
    """Let a polite end (SIGTERM) tidy up as Ctrl-C does."""

    def interrupt(_signal: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread: whoever runs us there handles signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True)
class _Job:
    """What the reviews of all stacks share: the revisions, the request, a folder for files, and who is told."""

    base: Revision
    program: Revision
    request: Request
    folder: Path
    say: Callable[[str], None]


@dataclass(frozen=True)
class _One:
    """Reviews one stack."""

    sandbox: ThrowawaySandbox
    job: _Job

    def review(self, pair: _Pair) -> StackReview:
        file = f"Pulumi.{pair.stack}.yaml"
        if pair.head_file is None:
            note = Failure(
                f"{file} is gone: nothing deletes what the stack has made until somebody runs pulumi destroy"
            )
            return StackReview(pair.stack, file, "gone", failures=(note,))
        failures = self._bring_up(pair)
        self.job.say(f"{pair.stack}: previewing {self.job.program.shown}")
        try:
            preview = self._preview(pair)
            rules = configuration(pair.stack, self.job.base.folder / "policies")
        except (ConfigError, ValueError) as error:
            return StackReview(pair.stack, file, "failed", failures=(*failures, Failure(str(error))))
        wrong = self._wrong(pair, preview)
        made = changes(preview.steps, pair.before, pair.after, self.job.request.accepted)
        today = self.job.request.today
        found = violations(preview, rules, pair.before, pair.after, today)
        state = "failed" if wrong else "new" if pair.base_file is None else "changed" if made else "same"
        old, new = preview.before(pair.before), preview.after(pair.after)
        return StackReview(
            stack=pair.stack,
            file=file,
            state=state,  # type: ignore[arg-type] # one of the words
            changes=made,
            violations=found,
            notices=notices(preview, pair.before, pair.after, today),
            failures=(*failures, *wrong),
            groups=groups(old, new, made),
            costs=compare_costs(old, new, hours_before=_hours(pair.before), hours_after=_hours(pair.after)),
        )

    def _bring_up(self, pair: _Pair) -> tuple[Failure, ...]:
        """Bring the base up; what does not come up."""
        if pair.base_file is None:
            return ()
        self.job.say(f"{pair.stack}: bringing {self.job.base.shown} up in the sandbox")
        events = self.job.folder / f"{pair.stack}.up"
        words = ("--yes", "--skip-preview", "--continue-on-error", "--event-log", str(events))
        done = self.sandbox.pulumi("up", *self._words(pair, pair.base_file, self.job.base, "base"), *words)
        if not done.code:
            return ()
        told = errors(events) or (done.err.strip().removeprefix("error: "),)
        return tuple(Failure(f"the base does not come up whole in the sandbox: {text}") for text in told)

    def _preview(self, pair: _Pair) -> Preview:
        assert pair.head_file is not None  # noqa: S101 # asked before
        events = self.job.folder / f"{pair.stack}.events"
        words = ["--json", "--show-sames", "--event-log", str(events), *self._pack(pair.stack)]
        done = self.sandbox.pulumi("preview", *self._words(pair, pair.head_file, self.job.program, "head"), *words)
        preview = read_preview(done.out, events)
        if done.code and not preview.diagnostics and not preview.broken:
            raise ValueError(done.err.strip().removeprefix("error: ") or f"the preview ended with code {done.code}")
        return preview

    def _words(self, pair: _Pair, file: Path, program: Revision, side: str) -> list[str]:
        project = yaml.safe_load((program.folder / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
        clean = self.job.folder / f"{pair.stack}.{side}.yaml"
        clean.write_text(without_secrets(file, str(project)), encoding="utf-8")
        where = ["--cwd", str(program.folder), "--config-file", str(clean)]
        return ["--stack", pair.stack, "--non-interactive", *where]

    def _pack(self, stack: str) -> list[str]:
        """The base's rules, in the base's configuration."""
        pack = self.job.base.folder / "policies"
        merged = pack / "merged" / f"{stack}.json"
        words = ["--policy-pack", str(pack)] if (pack / "PulumiPolicy.yaml").is_file() else []
        return [*words, "--policy-pack-config", str(merged)] if words and merged.is_file() else words

    def _wrong(self, pair: _Pair, preview: Preview) -> tuple[Failure, ...]:
        """Why the head cannot be previewed; what a policy refuses is none of it."""
        if pair.faults:
            return tuple(Failure(fault.message, fault.place) for fault in pair.faults)
        told = [text for severity, text in preview.diagnostics if severity == "error" and text not in ENDED]
        return tuple(Failure(text) for text in dict.fromkeys(told))


def _hours(plan: Plan | None) -> dict[str, int] | None:
    return expected_hours(plan.department) if plan else None


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
    print(text, file=sys.stderr, flush=True)  # noqa: T201 # progress, which no format has
