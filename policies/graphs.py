"""Reads a stack's resources from what Pulumi writes: an exported state, `preview --json`, or the engine's event log."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from policies.resources import Graph, Resource
from policies.textfiles import TextFileError, read_text
from policies.values import Unknown, read

_GONE = ("delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace", "read-discard")
_FORMS = "an exported state (pulumi stack export), a preview (pulumi preview --json) or an engine's event log"


class GraphError(ValueError):
    """A file cannot be read as a stack's resources; the text names it and says what is allowed."""


def load_graph(file: Path) -> Graph:
    """The resources of a stack from a file.

    Raises:
        GraphError: It cannot be read, or is none of the three forms.
    """
    try:
        text = read_text(file)
    except TextFileError as error:
        raise GraphError(str(error)) from error
    return parse_graph(text, str(file))


def parse_graph(text: str, source: str) -> Graph:
    """The resources of a stack from a file's text.

    Raises:
        GraphError: The text has none of the three forms.
    """
    if not text.strip():
        raise GraphError(f"{source} is empty; it must be {_FORMS}")
    try:
        try:
            document = json.loads(text)
        except ValueError as error:
            document = _lines(text, source, error)
        return _graph(document, source)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, GraphError):
            raise
        raise GraphError(f"{source} is damaged: {type(error).__name__}: {error}; it must be {_FORMS}") from error


def _lines(text: str, source: str, first: ValueError) -> list[Any]:
    """An event log has one JSON document a line; its last line may have been cut off."""
    found, lines = [], [line for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        try:
            found.append(json.loads(line))
        except ValueError:
            if number == 1:
                raise GraphError(f"{source} is no valid JSON: {first}; it must be {_FORMS}") from first
            if number < len(lines):
                raise GraphError(
                    f"{source}, line {number}, is no valid JSON; an event log has one event a line"
                ) from first
    return found


def _graph(document: Any, source: str) -> Graph:
    if isinstance(document, Mapping):
        state = document.get("deployment", document)
        if isinstance(document.get("deployment"), Mapping) or "resources" in document:
            return Graph(_of_state(state.get("resources") or []))
        if "steps" in document or "changeSummary" in document:
            return _of_preview(document)
        if _is_event(document):
            return _of_events([document])
    elif isinstance(document, list) and document and all(map(_is_event, document)):
        return _of_events(document)
    raise GraphError(f"{source} is no stack: it must be {_FORMS}")


def _is_event(document: Any) -> bool:
    return isinstance(document, Mapping) and ("sequence" in document or any(key.endswith("Event") for key in document))


def _of_state(states: Sequence[Mapping[str, Any]]) -> Iterator[Resource]:
    for state in states:
        if not state.get("delete"):
            yield _resource(state)


def _resource(state: Mapping[str, Any]) -> Resource:
    id_ = read(state.get("id") or "")
    inputs = read(state.get("inputs") or {})
    return Resource(
        token=state["type"],
        urn=state["urn"],
        inputs=inputs,
        outputs={**inputs, **read(state.get("outputs") or {})},
        id=None if isinstance(id_, Unknown) or not id_ else id_,
        parent=state.get("parent") or "",
        dependencies=tuple(state.get("dependencies") or ()),
        property_dependencies={
            key: tuple(urns or ()) for key, urns in (state.get("propertyDependencies") or {}).items()
        },
        external=bool(state.get("external")),
    )


def _of_preview(document: Mapping[str, Any]) -> Graph:
    steps = [step for step in document.get("steps") or [] if step.get("op") not in _GONE and step.get("newState")]
    left_out = _same(document.get("changeSummary")) - sum(step["op"] == "same" for step in steps)
    missing = (
        f"the preview leaves out {left_out} unchanged resources; run it with --show-sames" if left_out > 0 else None
    )
    return Graph((_resource(step["newState"]) for step in steps), missing=missing)


def _same(changes: Any) -> int:
    return int((changes or {}).get("same", 0))


def _of_events(events: Sequence[Mapping[str, Any]]) -> Graph:
    found: dict[str, dict[str, Any]] = {}
    gone: set[str] = set()
    ended = False
    for event in events:
        ended = ended or "summaryEvent" in event
        body = event.get("resourcePreEvent") or event.get("resOutputsEvent") or event.get("resOpFailedEvent")
        if not body:
            continue
        step = body["metadata"]
        urn, new = step["urn"], step.get("new")
        if step["op"] in _GONE or not new:
            gone |= {urn} if step["op"] == "delete" else set()
            continue
        gone.discard(urn)
        before = found.get(urn, {})
        found[urn] = {**new, "outputs": new.get("outputs") or before.get("outputs")}
    left = [state for urn, state in found.items() if urn not in gone]
    why = None if ended else "the event log has no summary: the operation did not end"
    return Graph(map(_resource, left), missing=why)
