"""What the user sees of an operation, from the engine's events: plain lines, a live tree, `--diff` and `--json`."""

import contextlib
import json
import math
import os
import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sandbox.engine import difference
from sandbox.engine.deployment import Options
from sandbox.engine.errors import EngineError
from sandbox.engine.events import (
    Diagnostic,
    Event,
    Prelude,
    Remediation,
    StepEvent,
    Summary,
    Violation,
    is_default_provider,
    to_json,
)
from sandbox.engine.run import Workspace
from sandbox.engine.secrets import Secrets
from sandbox.engine.state import STACK_TYPE, Codec, Resource, name_of, type_of
from sandbox.engine.steps import Step
from sandbox.engine.values import Map, masked

PREFIXES = {
    "same": "  ", "create": "+ ", "update": "~ ", "delete": "- ", "replace": "+-", "create-replacement": "++",
    "delete-replaced": "--", "read": "> ", "read-replacement": ">>", "refresh": "~ ", "discard": "< ",
    "discard-replaced": "<<", "import": "= ", "import-replacement": "=>", "remove-pending-replace": "~ ",
}  # fmt: skip
_COLORS = {"+": "green", "~": "yellow", "-": "red", ">": "cyan", "<": "cyan", "=": "blue", " ": "default"}
_DOING = {
    "create": "creating", "update": "updating", "delete": "deleting", "replace": "replacing",
    "create-replacement": "creating replacement", "delete-replaced": "deleting original", "read": "reading",
    "read-replacement": "reading for replacement", "refresh": "refreshing", "discard": "discarding",
    "discard-replaced": "discarding original", "import": "importing", "import-replacement": "importing replacement",
}  # fmt: skip
_DONE = {
    "create": "created", "update": "updated", "delete": "deleted", "replace": "replaced",
    "create-replacement": "created replacement", "delete-replaced": "deleted original", "read": "read",
    "read-replacement": "read for replacement", "refresh": "refreshed", "discard": "discarded",
    "discard-replaced": "discarded original", "import": "imported", "import-replacement": "imported replacement",
}  # fmt: skip
_SHOWN_AS = {
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "read-replacement": "replace",
    "discard-replaced": "replace",
}
_TITLES = {"preview": "update", "up": "update", "refresh": "refresh", "destroy": "destroy", "import": "import"}
_GOING = {"up": "Updating", "refresh": "Refreshing", "destroy": "Destroying", "import": "Importing"}


def print_json(value: Any) -> None:
    """Print a value as Pulumi prints JSON: two blanks a level, keys sorted."""
    print(json.dumps(Codec.numbers(value), indent=2, sort_keys=True, ensure_ascii=False))  # noqa: T201


def display_name(type_: str) -> str:
    """A type token as Pulumi shows it: `azuread:index/group:Group` is `azuread:index:Group`."""
    parts = type_.split(":")
    if len(parts) == 3:  # noqa: PLR2004 (package, module, type)
        module, _, rest = parts[1].partition("/")
        if rest and rest.lower() == parts[2].lower():
            parts[1] = module
    return ":".join(parts)


class EventLog:
    """Writes every event to a file, one JSON a line (`--event-log`)."""

    def __init__(self, file: Path | None) -> None:
        self._path = file
        self._file: TextIO | None = None
        self._failure: OSError | None = None
        self._count = 0

    def __enter__(self) -> Self:
        try:
            self._file = self._path.open("w", encoding="utf-8") if self._path else None
        except OSError as e:
            raise EngineError(f"the event log {self._path} cannot be written: {e.strerror}") from e
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._file:
            with contextlib.suppress(OSError):  # what could not be written is told below
                self._file.close()
        if self._failure and not error:
            raise EngineError(f"the event log {self._path} could not be written: {self._failure.strerror}")

    def write(self, event: Event) -> None:
        """Write one event; a log that cannot be written is told at the end, and stops nothing."""
        if not self._file or self._failure:
            return
        self._count += 1
        try:
            self._file.write(json.dumps(Codec.numbers(to_json(event, self._count))) + "\n")
            self._file.flush()
        except OSError as e:
            self._failure = e


@dataclass(eq=False)
class Row:
    """What is known of one resource's latest step."""

    step: Step
    op: str
    begun: float
    ended: float = 0
    failed: bool = False
    replacement: Step | None = None  # the step that tells why the resource is replaced


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
        self._over = options.dry_run  # whether replacements are shown as one
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
        title = f"Previewing {_TITLES[self.kind]}" if self.planning else _GOING[self.kind]
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
        if self.planning and row and event.op in ("delete-replaced", "discard-replaced"):
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
        """Whether the row is worth a line: something happens to it."""
        return self.show_sames or row.failed or row.op != "same" or row.step.res.type == STACK_TYPE

    def _op(self, row: Row) -> str:
        return _SHOWN_AS.get(row.op, row.op) if self._over and not row.failed else row.op

    def status(self, row: Row) -> str:
        """What happens to the resource, and since when or how long it took."""
        op = self._op(row)
        if row.failed:
            return f"**{_DOING.get(op, op)} failed**"
        if op == "same":
            return ""
        if self.planning:
            return op
        if row.ended:
            took = row.ended - row.begun
            return f"{_DONE.get(op, op)} ({took:.2f}s)" if took < 1 else f"{_DONE.get(op, op)} ({int(took)}s)"
        return f"{_DOING.get(op, op)} ({int(time.monotonic() - row.begun)}s)"

    def info(self, row: Row) -> str:
        """Why: the properties that differ, and those for which the resource is replaced."""
        op = self._op(row)
        step = row.replacement if row.replacement and op in ("replace", "create-replacement") else row.step
        if op not in ("update", "replace", "create-replacement", "import", "refresh"):
            return ""
        marks = difference.summary(step.old, step.new, step.detailed_diff) or [f"~{key}" for key in step.keys]
        reasons = f"; replaces for {', '.join(step.keys)}" if step.keys and op != "update" and len(marks) > 1 else ""
        return f"[diff: {','.join(marks)}{reasons}]" if marks else ""

    def prefix(self, row: Row) -> str:
        """The operation's sign."""
        return PREFIXES[self._op(row)]

    # ---- the end

    def finish(self, summary: Summary) -> None:
        """Show diagnostics, policies, outputs and the summary."""
        self._show_diagnostics()
        self._show_policies(summary)
        if not self._suppress_outputs:
            self._show_outputs()
        self._show_summary(summary)

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
        lines = list(difference.outputs(old, step.res.outputs))
        if lines:
            self.print("Outputs:", "bold")
            for line in lines:
                self.print(
                    line, _COLORS.get(line.lstrip()[:1], "") if line.startswith("  ") and line[2:3] in "+~-" else ""
                )
            self.print()

    def _show_summary(self, summary: Summary) -> None:
        self.print("Resources:", "bold")
        changed = 0
        kinds = 0
        for op, sign in PREFIXES.items():
            count = summary.changes.get(op, 0)
            if count and op not in ("same", "read", "discard", "read-replacement"):
                text = f"to {op}" if self.planning else _DONE.get(op, op)
                self.print(f"    {sign}{count} {text}", _COLORS[sign[0]])
                changed, kinds = changed + count, kinds + 1
        pieces = [f"{changed} changes"] if kinds > 1 else []
        if same := summary.changes.get("same"):
            pieces.append(f"{same} unchanged")
        if pieces:
            self.print("    " + ". ".join(pieces))
        failed = sum(row.failed for row in self.rows.values())
        if failed:
            self.print(f"    {failed} errored", "red")
        self.print("" if self.planning else f"\nDuration: {_duration(summary.seconds)}")


def _duration(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole // 60}m{whole % 60}s" if whole >= 60 else f"{whole}s"  # noqa: PLR2004


class Lines(Display):
    """A line at each change: for files, pipes and CI."""

    def begin(self) -> None:
        """See Display."""
        super().begin()
        self._printed: set[str] = set()

    def row(self, row: Row) -> None:
        """See Display."""
        if not self.visible(row) or (self.planning and not row.ended):
            return
        if row.step.res.type == STACK_TYPE and row.op == "same" and self._printed:
            return
        resource = row.step.res
        cells = (self.prefix(row), display_name(resource.type), resource.name, self.status(row), self.info(row))
        line = " " + " ".join(cells).rstrip()
        if line not in self._printed:
            self._printed.add(line)
            self.print(line, _COLORS[self.prefix(row)[0]])

    def message(self, diagnostic: Diagnostic) -> None:
        """See Display."""
        urn = diagnostic.urn
        owner = (
            f"{display_name(type_of(urn))} {name_of(urn)}"
            if urn
            else f"{STACK_TYPE} {self._stack.project}-{self._stack.name}"
        )
        words = "" if diagnostic.severity.startswith("info") else f"{diagnostic.severity}: "
        self.print(
            f"    {owner} {words}{diagnostic.message.strip().partition(chr(10))[0]}".rstrip(),
            {"error": "red", "warning": "yellow"}.get(diagnostic.severity, ""),
        )


class Tree(Display):
    """A tree that lives while the operation runs, cut to what fits the screen, and stays in full at the end."""

    _FRAME = 6  # lines of heading and footing around the rows

    def begin(self) -> None:
        """See Display."""
        super().begin()
        self._live: Live | None = Live(
            console=self.console,
            get_renderable=self._render,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def close(self) -> None:
        """See Display."""
        if self._live:
            live, self._live = self._live, None
            live.stop()
            self._over = True
            for row in self.rows.values():
                if not row.ended and not row.step.res.custom:  # a component that tells no outputs never ends
                    row.ended = row.begun
            self.console.print(self._table(self._tree(self.rows, self._wanted(self.rows))))
            self.print()

    def say(self, text: str) -> None:
        """See Display."""
        self.console.print(text)

    def _render(self) -> Group:
        rows = dict(self.rows)
        wanted = self._wanted(rows)
        room = max(self.console.size.height - self._FRAME, 5)
        footing = []
        if len(wanted) > room:
            busy = sum(not rows[urn].ended or rows[urn].failed for urn in wanted)
            text = f"     … {len(wanted)} rows in all: {len(wanted) - busy} done, {busy} under way or failed"
            footing = [Text(text, style="dim")]
            wanted = self._fitting(rows, wanted, room)
        last = [d[-1] for d in list(self._diagnostics.values()) if d[-1].severity in ("error", "warning")]
        footing += [
            Text(
                f"     {d.severity}: {d.message.strip().splitlines()[0]}",
                style="red" if d.severity == "error" else "yellow",
            )
            for d in last[-3:]
        ]
        return Group(self._table(self._tree(rows, wanted)), *footing)

    def _table(self, rows: Iterable[tuple[str, Row]]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
        for title in ("    ", "Type", "Name", "Plan" if self.planning else "Status", "Info"):
            table.add_column(title, no_wrap=True, overflow="ellipsis", header_style="bold blue")
        for branch, row in rows:
            color = "red" if row.failed else _COLORS[self.prefix(row)[0]]
            cells = (
                f" {self.prefix(row)}",
                branch + display_name(row.step.res.type),
                row.step.res.name,
                self.status(row),
                self._info(row),
            )
            table.add_row(*(Text(cell, style=color if n in (0, 3) else "") for n, cell in enumerate(cells)))
        return table

    def _info(self, row: Row) -> str:
        severities = Counter(d.severity for d in self._diagnostics.get(row.step.urn, ()))
        counts = [f"{n} {s}{'s' * (n != 1)}" for s, n in severities.items() if s in ("error", "warning")]
        return "; ".join(filter(None, [self.info(row), *counts]))

    def _wanted(self, rows: dict[str, Row]) -> set[str]:
        """The rows that are worth a line, and all that these are under."""
        wanted: set[str] = set()
        for row in rows.values():
            if self.visible(row):
                wanted.update(_upwards(rows, row.step.urn, wanted))
        return wanted

    def _fitting(self, rows: dict[str, Row], wanted: set[str], room: int) -> set[str]:
        """As many rows as there is room for, each with all that it is under: what failed, what runs, the latest."""

        def rank(urn: str) -> tuple[bool, bool, bool]:
            return not rows[urn].failed, bool(rows[urn].ended), not rows[urn].step.res.custom

        kept: set[str] = set()
        for urn in sorted((urn for urn in reversed(rows) if urn in wanted), key=rank):
            more = _upwards(rows, urn, kept)
            if len(kept) + len(more) <= room:
                kept.update(more)
        return kept

    def _tree(self, rows: dict[str, Row], wanted: set[str]) -> Iterator[tuple[str, Row]]:
        """The wanted rows in tree order, each with its branch."""
        children: dict[str, list[str]] = {}
        for urn, row in rows.items():
            if urn in wanted:
                parent = row.step.res.parent
                children.setdefault(parent if parent in wanted else "", []).append(urn)

        def walk(urn: str, indent: str) -> Iterator[tuple[str, Row]]:
            below = children.get(urn, [])
            for n, child in enumerate(below):
                last = n == len(below) - 1
                yield f"{indent}{'└─ ' if last else '├─ '}", rows[child]
                yield from walk(child, f"{indent}{'   ' if last else '│  '}")

        for top in children.get("", []):
            yield "", rows[top]
            yield from walk(top, "")


def _upwards(rows: dict[str, Row], urn: str, known: Container[str]) -> list[str]:
    """The row and those that it is under, up to one that is known."""
    found: list[str] = []
    while urn in rows and urn not in known and urn not in found:
        found.append(urn)
        urn = rows[urn].step.res.parent
    return found


class DiffView(Lines):
    """Every step with the properties that change (`--diff`)."""

    def row(self, row: Row) -> None:
        """See Display."""
        step = row.step
        told_at_end = self.kind == "refresh" or row.op in ("read", "import")
        if bool(row.ended) != told_at_end or not self.visible(row) or (row.op == "replace" and self.planning):
            return
        for line in difference.block(PREFIXES[row.op], row.op, step, self._depth(step.res)):
            sign = line.strip()[:1]
            self.print(line, _COLORS.get(sign, ""))

    def _depth(self, resource: Resource) -> int:
        depth, parent = 0, resource.parent
        while parent in self.rows:
            depth, parent = depth + 1, self.rows[parent].step.res.parent
        return depth


class Digest(Display):
    """A preview as one JSON document (`preview --json`), in Pulumi's form."""

    def begin(self) -> None:
        """See Display."""
        self._config: Map = {}
        self._steps: dict[tuple[str, str], Map] = {}

    def say(self, text: str) -> None:
        """See Display."""
        print(text, file=self.err)

    def show(self, event: Event) -> None:
        """See Display."""
        if isinstance(event, Prelude):
            self._config = dict(event.config)
        super().show(event)

    def row(self, row: Row) -> None:
        """See Display."""
        if row.op == "same" and not self.show_sames and row.step.res.type != STACK_TYPE:
            return
        step = row.step
        found: Map = {"op": row.op, "urn": step.urn, "provider": step.res.provider or None}
        found |= {
            "oldState": _state(step.old),
            "newState": _state(step.new),
            "diffReasons": step.diffs,
            "replaceReasons": step.keys,
        }
        detailed = step.detailed_diff and {
            path: {"kind": d["diffKind"], "inputDiff": d["inputDiff"]} for path, d in step.detailed_diff.items()
        }
        key = (
            step.urn,
            "refresh" if row.op in ("update", "delete") and (step.urn, "refresh") in self._steps else row.op,
        )
        self._steps[key] = {k: v for k, v in {**found, "detailedDiff": detailed}.items() if v}

    def finish(self, summary: Summary) -> None:
        """See Display."""
        diagnostics = [
            {"urn": d.urn, "message": d.message, "severity": d.severity}
            for found in self._diagnostics.values()
            for d in found
        ]
        digest: Map = {"config": self._config, "steps": list(self._steps.values()), "diagnostics": diagnostics}
        digest |= {"duration": int(summary.seconds * 1e9), "changeSummary": dict(summary.changes)}
        self.out.write(
            json.dumps(Codec.numbers({k: v for k, v in digest.items() if v}), indent=4, ensure_ascii=False) + "\n"
        )


def _state(resource: Resource | None) -> Map | None:
    """A resource as the state would have it, secrets masked."""
    if resource is None:
        return None
    shown = resource.copy()
    shown.inputs, shown.outputs = masked(resource.inputs), masked(resource.outputs)
    return _CODEC.dump(shown)


_CODEC = Codec(Secrets())  # what it dumps has no secrets left


class Stream(Display):
    """Every event as JSON, one a line (`up --json`), in Pulumi's form."""

    def begin(self) -> None:
        """See Display."""
        self._count = 0

    def say(self, text: str) -> None:
        """See Display."""
        print(text, file=self.err)

    def show(self, event: Event) -> None:
        """See Display."""
        if isinstance(event, StepEvent) and not is_default_provider(event.step.res):
            self._step(event)
        self._count += 1
        self.out.write(json.dumps(Codec.numbers(to_json(event, self._count)), ensure_ascii=False) + "\n")
        self.out.flush()


def display_for(args: Namespace, workspace: Workspace, options: Options) -> Display:
    """The display that the flags and the terminal ask for."""
    if args.json:
        return Digest(args, workspace, options) if options.dry_run else Stream(args, workspace, options)
    if args.diff:
        return DiffView(args, workspace, options)
    live = sys.stdout.isatty() and not args.non_interactive and os.environ.get("TERM") != "dumb" and args.color != "raw"
    return Tree(args, workspace, options) if live else Lines(args, workspace, options)
