"""What a preview says: its steps, both sides of the stack, what it told and which rules it found broken.

The steps come from `preview --json --show-sames`, which has the dependencies; the outputs and the violations from the
event log, since the JSON of `preview` has neither (pulumi/pulumi#18851).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from policies import offline
from policies.values import read
from review.model import Operation, Resource, Side
from settings.plan import Plan

STACK = "pulumi:pulumi:Stack"
_OPERATIONS: Mapping[str, Operation] = {
    "create": "created", "import": "created", "update": "updated", "replace": "replaced", "delete": "deleted",
    "create-replacement": "replaced", "delete-replaced": "replaced", "import-replacement": "replaced",
}  # fmt: skip
ENDED = frozenset(
    {
        "preview failed",
        "update failed",
        "an unhandled error occurred: program exited with non-zero exit code: 1",
    }
)
"""Errors that tell only that there were others."""
_STOPPED = ("Program failed with an unhandled exception", "an unhandled error occurred: program exited")
"""How errors begin that tell that the program did not run to its end."""
_GONE = ("delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace", "read-discard")


@dataclass(frozen=True)
class Step:
    """One resource of a preview.

    Attributes:
        operation: What is done with it; None where it stays as it is.
        urn: Its URN.
        old: Its state before; None where there is none.
        new: Its state afterwards; None where there is none.
        properties: Paths of the inputs that differ.
        causes: Of a replacement, the properties that demand it.
    """

    operation: Operation | None
    urn: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    properties: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Broken:
    """A violation as the engine tells it."""

    rule: str
    urn: str
    level: str
    message: str


@dataclass(frozen=True)
class Preview:
    """A preview that ended, well or not.

    Attributes:
        steps: One for each resource.
        outputs: The resources' properties afterwards, by URN, where they are known.
        diagnostics: Severity (`error`, `warning`, `info`) and text of each message that the program or engine told.
        broken: The rules that the policy pack found broken.
        told: How often the stack told its outputs: in a preview once when it begins, and again when the program ends.
    """

    steps: tuple[Step, ...]
    outputs: Mapping[str, Any]
    diagnostics: tuple[tuple[str, str], ...]
    broken: tuple[Broken, ...]
    told: int

    @cached_property
    def whole(self) -> bool:
        """Whether the program ran to its end. If not, resources and outputs are missing on both sides."""
        stopped = any(severity == "error" and text.startswith(_STOPPED) for severity, text in self.diagnostics)
        return not stopped and self.told > 1

    def before(self, plan: Plan | None) -> Side:
        """The stack as it is."""
        return _side((step.old for step in self.steps), plan)

    def after(self, plan: Plan | None) -> Side:
        """The stack as the head revision has it."""
        return _side((self._with_outputs(step) for step in self.steps), plan)

    @property
    def renamed(self) -> Mapping[str, str]:
        """The URN afterwards of each resource that had another one before."""
        return {step.old["urn"]: step.urn for step in self.steps if step.old and step.old["urn"] != step.urn}

    @cached_property
    def graphs(self) -> tuple[offline.Graph, offline.Graph]:
        """The stack before and afterwards, as the policy pack reads it."""
        sides = ([step.old for step in self.steps], [self._with_outputs(step) for step in self.steps])
        before, after = (
            offline.parse_graph(json.dumps({"resources": [one for one in side if one]}), "the preview")
            for side in sides
        )
        return before, after

    def stack_outputs(self) -> tuple[Any, Any]:
        """The stack's outputs before and afterwards; None where there are none, or the program did not end."""
        if not self.whole:
            return None, None
        stack = next((step for step in self.steps if type_of(step.urn) == STACK), None)
        old = (stack.old or {}).get("outputs") if stack else None
        return read(old), read(self.outputs.get(stack.urn)) if stack else None

    def _with_outputs(self, step: Step) -> Mapping[str, Any] | None:
        if step.new is None:
            return None
        return {**step.new, "outputs": self.outputs.get(step.urn) or (step.old or {}).get("outputs") or {}}


def read_preview(document: str, events: Path) -> Preview:
    """What a preview printed and logged.

    Raises:
        ValueError: The document is no preview.
    """
    found = json.loads(document) if document.strip() else {}
    outputs: dict[str, Any] = {}
    broken: list[Broken] = []
    stack = 0
    for event in _events(events):
        if told := event.get("policyEvent"):
            level = "mandatory" if told["enforcementLevel"] in ("mandatory", "remediate") else "advisory"
            broken.append(Broken(told["policyName"], told["resourceUrn"], level, told["message"]))
        step = (event.get("resOutputsEvent") or {}).get("metadata")
        if step and step["op"] not in _GONE and step.get("new"):
            outputs[step["urn"]] = step["new"].get("outputs") or {}
            stack += type_of(step["urn"]) == STACK
    diagnostics = tuple((one["severity"], _plain(one)) for one in found.get("diagnostics") or ())
    return Preview(tuple(_steps(found.get("steps") or ())), outputs, diagnostics, tuple(broken), stack)


def errors(log: Path) -> tuple[str, ...]:
    """What went wrong in an operation, by its event log."""
    told = (event.get("diagnosticEvent") or {} for event in _events(log))
    texts = (_plain(one) for one in told if one.get("severity") == "error")
    return tuple(dict.fromkeys(text for text in texts if text not in ENDED))


def _plain(diagnostic: Mapping[str, Any]) -> str:
    text: str = diagnostic["message"].strip()
    return text.removeprefix("error: ").removeprefix("warning: ")


def _events(file: Path) -> Iterator[Mapping[str, Any]]:
    """The events of a log that may not be there, or end in half a line."""
    if not file.is_file():
        return
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                return


def _steps(told: Any) -> Iterator[Step]:
    """One step a resource: a replacement has several."""
    by_urn: dict[str, list[Mapping[str, Any]]] = {}
    for one in told:
        by_urn.setdefault(one["urn"], []).append(one)
    for urn, steps in by_urn.items():
        operations = [_OPERATIONS.get(step["op"]) for step in steps]
        operation: Operation | None = "replaced" if "replaced" in operations else next(filter(None, operations), None)
        if {"created", "deleted"} <= set(operations):
            operation = "replaced"  # deleted under a name that another resource takes over
        yield Step(
            operation,
            urn,
            next((step["oldState"] for step in steps if step.get("oldState")), None),
            next((step["newState"] for step in steps if step.get("newState") and step["op"] not in _GONE), None),
            tuple(dict.fromkeys(path for step in steps for path in _differing(step))),
            tuple(dict.fromkeys(path for step in steps for path in step.get("replaceReasons") or ())),
        )


def _differing(step: Mapping[str, Any]) -> list[str]:
    return list(step.get("detailedDiff") or step.get("diffReasons") or ())


def name_of(urn: str) -> str:
    """A resource's name in Pulumi."""
    return urn.split("::", 3)[3]


def type_of(urn: str) -> str:
    """A resource's type in Pulumi."""
    return urn.split("::", 3)[2].rpartition("$")[2]


def _side(states: Iterator[Mapping[str, Any] | None], plan: Plan | None) -> Side:
    region = plan.department.region if plan else ""
    return Side(tuple(_resource(state, plan) for state in states if state and not state.get("delete")), region)


def _resource(state: Mapping[str, Any], plan: Plan | None) -> Resource:
    urn, type_ = state["urn"], state["type"]
    planned = plan.of(type_, name_of(urn)) if plan else None
    inputs, id_ = read(state.get("inputs") or {}), read(state.get("id") or "")
    return Resource(
        urn=urn,
        type=type_,
        name=name_of(urn),
        inputs=inputs,
        outputs={**inputs, **read(state.get("outputs") or {})},
        team=planned.team if planned else None,
        person=planned.person if planned else None,
        id=id_ if isinstance(id_, str) and id_ else None,
        parent=state.get("parent") or "",
        sources={key: tuple(urns or ()) for key, urns in (state.get("propertyDependencies") or {}).items()},
        place=planned.place if planned else None,
    )
