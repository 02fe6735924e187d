"""The display of an operation, from the engine's events: plain lines, a live tree, `--diff` and `--json`."""

import math
import os
import sys
import time
from argparse import Namespace
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.text import Text

from sandbox.engine.context import Options
from sandbox.engine.events import Diagnostic, Event, Remediation, StepEvent, StepFacts, Summary, Violation
from sandbox.engine.show import difference
from sandbox.engine.show.words import COLORS, DOING, DONE, GOING, PLANNED, PREFIXES, SHOWN_AS, TITLES, display_name
from sandbox.engine.state.resources import STACK_TYPE, is_default_provider, name_of, type_of
from sandbox.engine.workspace import Workspace


@dataclass(eq=False)
class Row:
    """The latest step of one resource."""

    step: StepFacts
    op: str
    begun: float
    ended: float = 0
    failed: bool = False
    replacement: StepFacts | None = None  # the step that tells why the resource is replaced


class Display:
    """Gathers what the end needs: diagnostics, policies, outputs, summary. Subclasses show what happens meanwhile."""

    def __init__(self, args: Namespace, workspace: Workspace, options: Options) -> None:
        self.out, self.err = sys.stdout, sys.stderr  # not the program's, which stand in their place while it runs
        self.planning = options.dry_run
        self.kind = args.kind
        self.show_sames = args.show_sames
        self.rows: dict[str, Row] = {}
        self._stack = workspace.stack
        self._packs = {pack.name for pack, _ in workspace.packs}
        self._suppress_outputs = args.suppress_outputs
        self._diagnostics: dict[str, list[Diagnostic]] = {}
        self._policies: list[Violation | Remediation] = []
        self._outputs: StepEvent | None = None
        self.merges_replacements = options.dry_run  # whether the steps of a replacement are shown as one
        self._targeted = bool(options.targets)
        self.color = args.color == "always" or (
            args.color == "auto" and self.out.isatty() and "NO_COLOR" not in os.environ
        )
        self.console = Console(
            file=self.out, no_color=not self.color, force_terminal=self.color or None, highlight=False, soft_wrap=True
        )

    @property
    def has_changes(self) -> bool:
        """Whether anything changed."""
        return any(row.op not in ("same", "read", "refresh") for row in self.rows.values())

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.close()

    def begin(self) -> None:
        """Show the heading."""
        title = f"Previewing {TITLES[self.kind]}" if self.planning else GOING[self.kind]
        self.print(f"{title} ({self._stack.name}):\n")

    def close(self) -> None:
        """Leave the terminal as it was."""

    def say(self, text: str) -> None:
        """Show a message of the engine itself."""
        self.print(text)

    def print(self, text: str = "", style: str = "") -> None:
        """Print a line."""
        if self.color:
            self.console.print(Text(text, style=style))
        else:
            self.out.write(text + "\n")
            self.out.flush()

    def show(self, event: Event) -> None:
        """Take an event."""
        match event:
            case StepEvent():
                self._step(event)
            case Diagnostic() if not event.ephemeral:
                self._diagnostics.setdefault(event.urn, []).append(event)
                self.message(event)
            case Violation() | Remediation():
                self._policies.append(event)
            case Summary():
                self.close()
                self.finish(event)

    def _step(self, event: StepEvent) -> None:
        step = event.step
        if step.res.type == STACK_TYPE and event.kind == "resOutputsEvent":
            self._outputs = event
        if is_default_provider(step.res):
            return
        row = self.rows.get(step.urn)
        if self.merges_replacements and row and event.op in ("delete-replaced", "discard-replaced"):
            return  # a part of the replacement that is shown already
        if event.kind == "resourcePreEvent" or row is None:
            row = self.rows[step.urn] = Row(
                step, event.op, time.monotonic(), replacement=row.replacement if row else None
            )
        if event.kind != "resourcePreEvent":
            row.step, row.op, row.ended, row.failed = step, event.op, time.monotonic(), event.kind == "resOpFailedEvent"
        if event.op == "replace":
            row.replacement = step
        self.row(row)

    def row(self, row: Row) -> None:
        """A row has changed."""

    def message(self, diagnostic: Diagnostic) -> None:
        """A message has come."""

    # ---- one row's texts

    def visible(self, row: Row) -> bool:
        """Whether the row is shown: something happens to its resource."""
        step = row.step
        protected = step.old is not None and step.new is not None and step.old.protect != step.new.protect
        return self.show_sames or row.failed or row.op != "same" or step.res.type == STACK_TYPE or protected

    def _op(self, row: Row) -> str:
        return SHOWN_AS.get(row.op, row.op) if self.merges_replacements and not row.failed else row.op

    def status(self, row: Row) -> str:
        """The resource's status text: the operation, and how long it has taken or took."""
        op = self._op(row)
        if row.failed:
            return f"**{DOING.get(op, op)} failed**"
        if op == "same":
            return ""
        if self.planning:
            return PLANNED.get(op, op)
        if row.ended:
            took = row.ended - row.begun
            return f"{DONE.get(op, op)} ({took:.2f}s)" if took < 1 else f"{DONE.get(op, op)} ({int(took)}s)"
        return f"{DOING.get(op, op)} ({int(time.monotonic() - row.begun)}s)"

    def info(self, row: Row) -> str:
        """Why: the properties that differ, and those for which the resource is replaced."""
        op = self._op(row)
        step = (
            row.replacement
            if row.replacement and op in ("replace", "create-replacement", "delete-replaced")
            else row.step
        )
        if op not in ("same", "update", "replace", "create-replacement", "delete-replaced", "import", "refresh"):
            return ""
        keys = ",".join(step.keys)
        marks = difference.summary(step) or f"~{keys}" * bool(keys)
        shows_why = keys and op not in ("update", "same") and marks != f"~{keys}"
        reasons = f"; replaces for {', '.join(step.keys)}" if shows_why else ""
        return f"[diff: {marks}{reasons}]" if marks else ""

    def prefix(self, row: Row) -> str:
        """The operation's sign."""
        return PREFIXES[self._op(row)]

    # ---- the end

    def finish(self, summary: Summary) -> None:
        """Show diagnostics, policies, outputs and the summary."""
        self._show_policies(summary)
        self._show_diagnostics()
        if not self._suppress_outputs:
            self._show_outputs()
        if not any(isinstance(policy, Violation) and policy.level == "mandatory" for policy in self._policies):
            self._show_summary(summary)
        failed = any(d.severity == "error" for diagnostics in self._diagnostics.values() for d in diagnostics)
        if self.kind == "destroy" and not self.planning and not failed and not self._targeted:
            self.print(
                "The resources in the stack have been deleted, but the history and configuration associated with the "
                f"stack are still maintained.\nIf you want to remove the stack completely, run `pulumi stack rm "
                f"{self._stack.name}`."
            )

    def _show_diagnostics(self) -> None:
        if self._diagnostics:
            self.print("Diagnostics:", "bold")
        for urn, messages in self._diagnostics.items():
            owner = (
                f"{display_name(type_of(urn))} ({name_of(urn)})"
                if urn
                else f"{STACK_TYPE} ({self._stack.project}-{self._stack.name})"
            )
            self.print(f"  {owner}:")
            for message in messages:
                words = {"error": "error: ", "warning": "warning: "}.get(message.severity, "")
                for line in (words + message.message.strip("\n")).splitlines():
                    self.print(f"    {line}".rstrip(), {"error": "red", "warning": "yellow"}.get(message.severity, ""))
            self.print()

    def _show_policies(self, summary: Summary) -> None:
        if summary.packs:
            self.print("Policies:", "bold")
        for name, version in sorted(summary.packs.items()):
            own = [p for p in self._policies if p.pack == name]
            levels = {p.level for p in own if isinstance(p, Violation)}
            sign = "❌" if "mandatory" in levels else "⚠️" if levels else "✅"
            self.print(f"    {sign} {name}@v{version} (local: {', '.join(sorted(self._packs))})")
            remediated = [p.policy for p in own if isinstance(p, Remediation)]
            for policy in sorted(set(remediated)):
                count = remediated.count(policy)
                self.print(f"        - [remediate]  {policy}  ({count} resource{'s' * (count != 1)})", "cyan")
            violations = [p for p in own if isinstance(p, Violation)]
            for v in sorted(violations, key=lambda v: (v.level != "mandatory", v.policy, v.urn)):
                where = f"  ({display_name(type_of(v.urn))}: {name_of(v.urn)})" if v.urn else ""
                self.print(f"        - [{v.level}]  {v.policy}{where}", "red" if v.level == "mandatory" else "yellow")
                for line in v.message.strip().splitlines():
                    self.print(f"          {line}".rstrip())
        if summary.packs:
            self.print()

    def _show_outputs(self) -> None:
        if not self._outputs:
            return
        step = self._outputs.step
        old = step.old.outputs if step.old and self._outputs.op != "create" else None
        lines = list(difference.outputs(old, step.res.outputs, only_changed=self.planning))
        if lines:
            self.print("Outputs:", "bold")
            for line in lines:
                self.print(
                    line, COLORS.get(line.lstrip()[:1], "") if line.startswith("  ") and line[2:3] in "+~-" else ""
                )
            self.print()

    def _show_summary(self, summary: Summary) -> None:
        self.print("Resources:", "bold")
        changed = 0
        kinds = 0
        for op, sign in PREFIXES.items():
            count = summary.changes.get(op, 0)
            if count and op not in ("same", "read", "discard", "read-replacement"):
                text = f"to {op}" if self.planning else DONE.get(op, op)
                self.print(f"    {sign}{count} {text}", COLORS[sign[0]])
                changed, kinds = changed + count, kinds + 1
        pieces = [f"{changed} changes"] if kinds > 1 else []
        if same := summary.changes.get("same"):
            pieces.append(f"{same} unchanged")
        if pieces:
            self.print("    " + ". ".join(pieces))
        failed = sum(any(d.severity == "error" for d in diagnostics) for diagnostics in self._diagnostics.values())
        if failed:
            self.print(f"    {failed} errored", "red")
        self.print("" if self.planning else f"\nDuration: {_duration(summary.seconds)}")


def _duration(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole // 60}m{whole % 60}s" if whole >= 60 else f"{whole}s"  # noqa: PLR2004
