"""What the user sees of an operation: plain lines, a live tree, `--diff` and `--json`, from the engine's events."""

import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from sandbox.engine.deployment import Options
from sandbox.engine.events import Diagnostic, Event, StepEvent, Summary, to_json
from sandbox.engine.run import Workspace
from sandbox.engine.state import Codec


def print_json(value: Any) -> None:
    """Print a value as Pulumi prints JSON: two blanks a level, keys sorted."""
    print(json.dumps(Codec.numbers(value), indent=2, sort_keys=True, ensure_ascii=False))


class EventLog:
    """Writes every event to a file, one JSON a line (`--event-log`)."""

    def __init__(self, file: Path | None) -> None:
        self._path = file
        self._file: TextIO | None = None
        self._count = 0

    def __enter__(self) -> Self:
        self._file = self._path.open("w", encoding="utf-8") if self._path else None
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        if self._file:
            self._file.close()

    def write(self, event: Event) -> None:
        """Write one event."""
        if self._file:
            self._count += 1
            self._file.write(json.dumps(Codec.numbers(to_json(event, self._count))) + "\n")
            self._file.flush()


class Display:
    def __init__(self, args: Namespace, workspace: Workspace, options: Options) -> None:
        self.has_changes = False
        self.out = sys.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        pass

    def say(self, text: str) -> None:
        print(text, file=sys.stderr)

    def show(self, event: Event) -> None:
        match event:
            case StepEvent():
                print(" ", event.kind[:12], event.op, event.step.urn, file=self.out)
            case Diagnostic():
                print(f"{event.severity}: {event.message}", file=self.out)
            case Summary():
                self.has_changes = bool(event.changes.keys() - {"same"})
                print("Resources:", dict(event.changes), file=self.out)
            case _:
                print(event, file=self.out)


def display_for(args: Namespace, workspace: Workspace, options: Options) -> Display:
    return Display(args, workspace, options)
