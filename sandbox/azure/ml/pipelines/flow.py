"""Control flow as plain nodes: branches become guards, loops become the nodes of their rounds.

A preview. The form on the wire is that of azure-ai-ml 1.35.2 (`condition_node.py`, `do_while.py`, `parallel_for.py`
below `entities/_builders`); how the service carries it out is assumed.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.jobfields import bad
from sandbox.azure.ml.pipelines.bindings import Binding, whole

IF_ELSE, DO_WHILE, PARALLEL_FOR = "if_else", "do_while", "parallel_for"
MOST_ROUNDS = 1000  # of a do_while: azure-ai-ml's own limit
_NODE = re.compile(r"\$\{\{\s*parent\.jobs\.([\w-]+)\s*\}\}")


@dataclass(frozen=True)
class Guard:
    """What must be so for a node to run.

    Attributes:
        condition: A truth value, or the output of a step that has it.
        expected: What it must be.
    """

    condition: Binding | bool
    expected: bool


@dataclass
class Flow:
    """The nodes of a pipeline without control flow.

    Attributes:
        jobs: The nodes, as they were sent.
        guards: By node what must be so for it to run.
        rounds: For the body of a loop the nodes of its rounds, in their order.
        gathers: For each parallel_for its body: the node of that name gathers what the rounds put out.
    """

    jobs: Body
    guards: dict[str, list[Guard]] = field(default_factory=dict)
    rounds: dict[str, list[str]] = field(default_factory=dict)
    gathers: dict[str, str] = field(default_factory=dict)

    def last(self, step: str) -> str:
        """The node that is done last of those that a step stands for."""
        return self.rounds[step][-1] if self.rounds.get(step) else step

    def conditions(self, name: str) -> set[Binding]:
        """The outputs that tell whether a node runs."""
        return {one.condition for one in self.guards.get(name, []) if isinstance(one.condition, Binding)}

    def guard(self, names: Iterable[str], guard: Guard) -> None:
        """Guards nodes."""
        for name in names:
            self.guards.setdefault(name, []).append(guard)


def flattened(jobs: Body, inputs: Body) -> Flow:
    """Takes the control flow out of a pipeline's nodes.

    Args:
        jobs: The nodes as they were sent.
        inputs: The pipeline's inputs by name: the items of a parallel_for may be one.

    Raises:
        UserError: 400: a node that it names is not there, the items are no list of inputs.
    """
    kinds = {name: one.get("type") if isinstance(one, dict) else None for name, one in jobs.items()}
    flow = Flow({name: one for name, one in jobs.items() if kinds[name] not in (IF_ELSE, DO_WHILE, PARALLEL_FOR)})
    for name, kind in kinds.items():
        if kind == DO_WHILE:
            _do_while(flow, name, jobs[name])
        elif kind == PARALLEL_FOR:
            _parallel_for(flow, name, jobs[name], inputs)
    for name, kind in kinds.items():
        if kind == IF_ELSE:
            _if_else(flow, name, jobs)
    return flow


def _if_else(flow: Flow, name: str, jobs: Body) -> None:
    given = jobs[name]
    condition = given.get("condition")
    known: Binding | bool | None = condition if isinstance(condition, bool) else whole(condition)
    if known is None and str(condition).lower() in ("true", "false"):
        known = str(condition).lower() == "true"
    if known is None or (isinstance(known, Binding) and not known.step):
        raise bad(f"jobs.{name}.condition", f"The condition of '{name}' must be true, false or the output of a job.")
    for block, expected in (("true_block", True), ("false_block", False)):
        flow.guard(_members(flow, jobs, name, given.get(block)), Guard(known, expected))


def _members(flow: Flow, jobs: Body, name: str, block: Any) -> Iterator[str]:
    """The nodes that a block's names stand for."""
    for reference in block if isinstance(block, list) else [block] if block else []:
        step = _named(name, reference, jobs)
        given = jobs[step]
        kind = given.get("type")
        if kind == IF_ELSE:
            yield from _members(flow, jobs, step, given.get("true_block"))
            yield from _members(flow, jobs, step, given.get("false_block"))
            continue
        if kind in (DO_WHILE, PARALLEL_FOR):
            yield from flow.rounds[_named(step, given.get("body"), jobs)]
        if kind != DO_WHILE:  # which is its rounds alone; a parallel_for gathers what they put out
            yield step


def _named(name: str, reference: Any, jobs: Body) -> str:
    found = _NODE.fullmatch(reference.strip()) if isinstance(reference, str) else None
    if found is None or found[1] not in jobs or found[1] == name:
        raise bad(f"jobs.{name}", f"'{reference}' of '{name}' names no other job of the pipeline.")
    return found[1]


def _body(flow: Flow, name: str, given: Body) -> tuple[str, Body]:
    """A loop's body, which leaves the nodes: its rounds take its place."""
    body = _named(name, given.get("body"), flow.jobs)
    return body, flow.jobs.pop(body)


def _do_while(flow: Flow, name: str, given: Body) -> None:
    """Each round has the outputs of the one before as inputs, and runs where that one's condition is true."""
    body, node = _body(flow, name, given)
    most = (given.get("limits") or {}).get("max_iteration_count") or MOST_ROUNDS
    if not str(most).isdecimal() or not 1 <= int(most) <= MOST_ROUNDS:
        raise bad(f"jobs.{name}.limits", f"max_iteration_count of '{name}' must be 1 to {MOST_ROUNDS}, not {most}.")
    condition = given.get("condition")
    bound = whole(condition)
    output = bound.name if bound else str(condition)
    endless = str(condition).lower() in ("none", "true")  # only the limit ends it
    flow.rounds[body] = [f"{body}-{number + 1}" for number in range(int(most))]
    for number, one in enumerate(flow.rounds[body]):
        flow.jobs[one] = node
        if number:
            before = flow.rounds[body][number - 1]
            flow.jobs[one] = {**node, "inputs": {**(node.get("inputs") or {}), **_carried(given, before)}}
            flow.guard([one], Guard(True if endless else Binding(output, before), expected=True))


def _carried(given: Body, before: str) -> Body:
    """Inputs of a round by the mapping: an output of the round before is one or several of them."""
    return {
        target: {"job_input_type": "literal", "value": f"${{{{parent.jobs.{before}.outputs.{output}}}}}"}
        for output, targets in (given.get("mapping") or {}).items()
        for target in (targets if isinstance(targets, list) else [targets])
    }


def _parallel_for(flow: Flow, name: str, given: Body, inputs: Body) -> None:
    """A round an item, each with the item's inputs over the body's own."""
    body, node = _body(flow, name, given)
    items = _items(name, given.get("items"), inputs)
    flow.rounds[body] = [f"{body}-{key}" for key in items]
    for one, own in zip(flow.rounds[body], items.values(), strict=True):
        flow.jobs[one] = {**node, "inputs": {**(node.get("inputs") or {}), **own}}
    flow.jobs[name] = given
    flow.gathers[name] = body


def _items(name: str, given: Any, inputs: Body) -> dict[str, Body]:
    bound = whole(given)
    if bound is not None:
        given = (inputs.get(bound.name) or {}).get("value", [{}])  # without a value yet: a component is checked
    try:
        items = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        items = None
    if isinstance(items, list):
        items = {str(number + 1): one for number, one in enumerate(items)}
    if not isinstance(items, dict) or not items or not all(isinstance(one, dict) for one in items.values()):
        raise bad(f"jobs.{name}.items", f"The items of '{name}' must be a list or an object of inputs, not empty.")
    return {
        re.sub(r"[^\w-]", "_", key): {
            into: value if isinstance(value, dict) else {"job_input_type": "literal", "value": str(value)}
            for into, value in one.items()
        }
        for key, one in items.items()
    }
