"""Reviews one stack: brings the base up, previews the head against that state, and compares."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol

import yaml

from operations.costs.planned import expected_hours
from policies.config import Config, ConfigError, written_out
from review.access.compare import compare as compare_access
from review.access.model import AccessDifference
from review.access.people import ends, names
from review.changes import accepting_nothing, changes
from review.costs.compare import compare as compare_costs
from review.model import Side
from review.notices import notices
from review.preview import ENDED, Preview, errors, name_of, read_preview
from review.renamed import as_after, teams
from review.report import Failure, Notice, StackReview, groups
from review.revisions import Revision
from review.stackfile import Fault, plan_or_faults, without_secrets
from review.throwaway import Done
from review.violations import configuration, under_new_rules, violations
from settings.plan import Plan

_AT_ONCE = "64"
"""Resources that are made at the same time: most of them wait for a long-running operation."""


class World(Protocol):
    """Where stacks are previewed.

    Attributes:
        live: Whether it is Azure, where the real state is the base.
    """

    live: bool

    def pulumi(self, *words: str) -> Done:
        """Run a command of Pulumi's."""

    def end(self) -> None:
        """End the commands that still run."""


@dataclass(frozen=True)
class Pair:
    """One stack at both revisions.

    Attributes:
        stack: Its name.
        base_file: Its file at the base; None where it is not there.
        head_file: Its file at the head.
        before: Its plan at the base; None where there is no file, or one that cannot be used.
        after: Its plan at the head.
        faults: Why the head's file cannot be used.
    """

    stack: str
    base_file: Path | None
    head_file: Path | None
    before: Plan | None
    after: Plan | None
    faults: tuple[Fault, ...]

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"Pulumi.{self.stack}.yaml"


def pair(stack: str, base: Revision, head: Revision, today: date) -> Pair:
    """A stack at both revisions. At the base, access that has ended is still there."""
    files = [revision.stack_file(stack) if stack in revision.stacks else None for revision in (base, head)]
    before, _ = plan_or_faults(files[0], date.min) if files[0] else (None, ())
    after, faults = plan_or_faults(files[1], today) if files[1] else (None, ())
    return Pair(stack, files[0], files[1], before, after, faults)


@dataclass(frozen=True)
class Reviewer:
    """What the reviews of all stacks share.

    Attributes:
        world: Where they are previewed.
        base: The base revision, whose rules count.
        program: The revision whose program is previewed.
        rules: The folder of the head's rules, if it configures them otherwise than the base; else None.
        accepted: URNs of what may be lost.
        today: The day by which exemptions, access and VM sizes end.
        folder: A folder for files.
        say: Gets a line for each thing that is done.
    """

    world: World
    base: Revision
    program: Revision
    rules: Path | None
    accepted: frozenset[str]
    today: date
    folder: Path
    say: Callable[[str], None]

    def review(self, stack: Pair) -> StackReview:
        """What the head does to one stack."""
        if stack.head_file is None:
            note = f"{stack.file} is gone: what the stack has made stays until somebody runs pulumi destroy"
            return StackReview(stack.stack, stack.file, "gone", failures=(Failure(note),))
        if stack.after is None:  # then no program can use the file either
            told = tuple(Failure(fault.message, fault.place) for fault in stack.faults)
            return StackReview(stack.stack, stack.file, "failed", failures=told)
        found = self._previewed(stack, stack.head_file)
        return replace(
            found,
            failures=tuple(replace(one, message=self._relative(one.message)) for one in found.failures),
            notices=tuple(replace(one, message=self._relative(one.message)) for one in found.notices),
        )

    def _relative(self, text: str) -> str:
        """A text without the folders of this review, which are gone afterwards: files are those of the project."""
        short = re.sub(rf"{re.escape(str(self.folder))}/[^/\s]+/", "", text)
        return short.replace(f"{self.program.folder}/", "")

    def _previewed(self, stack: Pair, file: Path) -> StackReview:
        failures: tuple[Failure, ...] = ()
        try:
            failures = self._bring_up(stack)
            rules = configuration(stack.stack, self.base.folder / "policies")
            return self._compared(stack, self._preview(stack, file, rules), rules, failures)
        except (ConfigError, ValueError) as error:
            return StackReview(stack.stack, stack.file, "failed", failures=(*failures, Failure(str(error))))

    def _compared(self, stack: Pair, preview: Preview, rules: Config, failures: Iterable[Failure]) -> StackReview:
        wrong = _wrong(preview)
        made = changes(preview.steps, stack.before, stack.after, self.accepted)
        own = configuration(stack.stack, self.rules) if self.rules else None
        was, new = preview.before(stack.before), preview.after(stack.after)
        old = as_after(was, new, preview.renamed)
        state: Literal["changed", "same", "new", "failed"] = "changed" if made else "same"
        if wrong or stack.base_file is None:
            state = "failed" if wrong else "new"
        found = StackReview(
            stack=stack.stack,
            file=stack.file,
            state=state,
            changes=made,
            violations=violations(preview, rules, stack.before, stack.after, self.today),
            under_new_rules=under_new_rules(preview, (rules, own), stack.after, self.today) if own else (),
            notices=(
                *self._useless(stack, preview),
                *notices(preview, stack.before, stack.after, self.today, live=self.world.live),
            ),
            failures=(*failures, *wrong),
            groups=groups(old, new, made),
        )
        if not preview.whole:  # what is missing is neither fixed nor free of charge
            return replace(found, violations=tuple(one for one in found.violations if one.state != "fixed"))
        before, after = _hours(stack.before, preview.renamed), _hours(stack.after)
        return replace(
            found,
            access=_access(stack, was, new, preview.renamed),
            costs=compare_costs(old, new, hours_before=before, hours_after=after),
        )

    def _useless(self, stack: Pair, preview: Preview) -> tuple[Notice, ...]:
        """What is said to be lost on purpose, and is not lost: perhaps it was written wrongly."""
        found = accepting_nothing(preview.steps, stack.stack, self.accepted)
        return tuple(
            Notice("warning", "new", f"--accept-loss {urn}: nothing of it or below it is lost") for urn in found
        )

    def _bring_up(self, stack: Pair) -> tuple[Failure, ...]:
        """Bring the base up; what does not come up."""
        if self.world.live or stack.base_file is None:
            return ()
        self.say(f"{stack.stack}: bringing {self.base.shown} up in the sandbox")
        events = self.folder / f"{stack.stack}.up"
        words = ["--yes", "--skip-preview", "--continue-on-error", "--event-log", str(events), "--parallel", _AT_ONCE]
        done = self.world.pulumi("up", *self._words(stack.stack, stack.base_file, self.base), *words)
        if not done.code:
            return ()
        told = errors(events) or (done.err.strip().removeprefix("error: "),)
        return tuple(Failure(f"the base does not come up whole in the sandbox: {text}") for text in told)

    def _preview(self, stack: Pair, file: Path, rules: Config) -> Preview:
        self.say(f"{stack.stack}: previewing {self.program.shown}")
        events = self.folder / f"{stack.stack}.events"
        words = ["--json", "--show-sames", "--event-log", str(events), *self._pack(stack.stack, rules)]
        done = self.world.pulumi("preview", *self._words(stack.stack, file, self.program), *words)
        preview = read_preview(done.out, events)
        if done.code and not preview.diagnostics and not preview.broken:
            raise ValueError(done.err.strip().removeprefix("error: ") or f"the preview ended with code {done.code}")
        return preview

    def _words(self, stack: str, file: Path, program: Revision) -> list[str]:
        words = ["--stack", stack, "--non-interactive", "--cwd", str(program.folder)]
        if self.world.live:
            return words
        try:
            project = yaml.safe_load((program.folder / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
            raise ValueError(f"Pulumi.yaml cannot be used at {program.shown}: {error}") from None
        is_base = file.parent == self.base.folder
        clean = self.folder / ("base.files" if is_base else "head.files") / f"Pulumi.{stack}.yaml"
        clean.parent.mkdir(exist_ok=True)
        lasting = self.today if is_base else None
        clean.write_text(without_secrets(file, str(project), lasting=lasting), encoding="utf-8")
        return [*words, "--config-file", str(clean)]

    def _pack(self, stack: str, rules: Config) -> list[str]:
        """The base's pack, in the base's configuration."""
        pack = self.base.folder / "policies"
        if not (pack / "PulumiPolicy.yaml").is_file():
            return []
        merged = pack / "merged" / f"{stack}.json"
        if not merged.is_file():
            merged = self.folder / f"{stack}.rules.json"
            merged.write_text(json.dumps({name: written_out(name, rule) for name, rule in rules.items()}))
        return ["--policy-pack", str(pack), "--policy-pack-config", str(merged)]


def _wrong(preview: Preview) -> tuple[Failure, ...]:
    """Why the head cannot be previewed; what a policy refuses is none of it."""
    told = [text for severity, text in preview.diagnostics if severity == "error" and text not in ENDED]
    return tuple(Failure(text) for text in dict.fromkeys(told))


def _access(stack: Pair, before: Side, after: Side, renamed: Mapping[str, str]) -> AccessDifference:
    known = [(plan.department, side) for plan, side in ((stack.before, before), (stack.after, after)) if plan]
    last = ends(stack.before.department) if stack.before else {}
    named = teams(before, after, renamed)
    return compare_access(
        as_after(before, after, renamed),
        after,
        ends_before={(named.get(team, team), person): until for (team, person), until in last.items()},
        ends_after=ends(stack.after.department) if stack.after else None,
        names={id_: name for department, side in known for id_, name in names(department, side).items()},
    )


def _hours(plan: Plan | None, renamed: Mapping[str, str] = MappingProxyType({})) -> dict[str, int] | None:
    named = {name_of(old): name_of(new) for old, new in renamed.items()}
    return {named.get(name, name): hours for name, hours in expected_hours(plan.department).items()} if plan else None
