"""JSON: a preview as one document, an update as a stream of events, every event in a log."""

import contextlib
import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from sandbox.engine.errors import EngineError
from sandbox.engine.events import Event, Prelude, StepEvent, Summary, to_json
from sandbox.engine.show.display import Display, Row
from sandbox.engine.state.checkpoint import Codec
from sandbox.engine.state.resources import STACK_TYPE, Resource, is_default_provider
from sandbox.engine.state.secrets import Secrets
from sandbox.engine.values import Map, masked

_PREFIXES = {"error": "error: ", "warning": "warning: "}


def print_json(value: Any) -> None:
    """Print a value as Pulumi prints JSON: two blanks a level, keys sorted."""
    print(json.dumps(Codec.numbers(value), indent=2, sort_keys=True, ensure_ascii=False))  # noqa: T201


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
        entry: Map = {"op": row.op, "urn": step.urn, "provider": step.res.provider or None}
        entry |= {
            "oldState": _state(step.old),
            "newState": _state(step.new, with_outputs=False),
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
        self._steps[key] = {k: v for k, v in {**entry, "detailedDiff": detailed}.items() if v}

    def finish(self, summary: Summary) -> None:
        """See Display."""
        diagnostics = [
            {
                **({"urn": d.urn} if d.urn else {}),
                "message": _PREFIXES.get(d.severity, "") + d.message.rstrip("\n") + "\n",
                "severity": d.severity,
            }
            for messages in self._diagnostics.values()
            for d in messages
        ]
        digest: Map = {"config": self._config, "steps": list(self._steps.values()), "diagnostics": diagnostics}
        digest |= {"duration": int(summary.seconds * 1e9), "changeSummary": dict(summary.changes)}
        self.out.write(
            json.dumps(Codec.numbers({k: v for k, v in digest.items() if v}), indent=4, ensure_ascii=False) + "\n"
        )


def _state(resource: Resource | None, with_outputs: bool = True) -> Map | None:
    """A resource as the state would have it, secrets masked."""
    if resource is None:
        return None
    shown = resource.copy()
    shown.inputs, shown.outputs = masked(resource.inputs), masked(resource.outputs) if with_outputs else {}
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
