"""The graph of a pipeline: its nodes with their components, and which of them wait for which."""

import graphlib
from dataclasses import dataclass
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.assets import by_asset_id
from sandbox.azure.ml.beyond import instead
from sandbox.azure.ml.jobfields import bad
from sandbox.azure.ml.pipelines.bindings import Binding, bindings, parent_output
from sandbox.azure.ml.pipelines.flow import Flow, Guard, flattened
from sandbox.azure.ml.pipelines.transfer import TRANSFER, built_in, gathering
from sandbox.azure.ml.scope import Scope

COMMAND, PIPELINE, SWEEP, PARALLEL = "command", "pipeline", "sweep", "parallel"
COMPONENTS = {COMMAND: COMMAND, PIPELINE: PIPELINE, SWEEP: COMMAND, PARALLEL: PARALLEL, TRANSFER: TRANSFER}
"""The types of nodes, with that of their component."""
DEEPEST = 20  # pipelines in pipelines; a component that contains itself has no end


@dataclass(frozen=True)
class Node:
    """A node.

    Attributes:
        name: Its name in the pipeline.
        given: What the pipeline says of it.
        component: The version of its component as it is stored.
    """

    name: str
    given: Body
    component: Body

    @property
    def spec(self) -> Body:
        """The component's specification."""
        found: Body = self.component["properties"]["componentSpec"]
        return found

    @property
    def is_pipeline(self) -> bool:
        """Whether it has nodes of its own."""
        return bool(self.spec["type"] == PIPELINE)

    @property
    def is_sweep(self) -> bool:
        """Whether its component is tried with many values."""
        return bool(self.given.get("type") == SWEEP)

    @property
    def jobs(self) -> Body:
        """The nodes of its own."""
        return self.component["properties"].get("jobs") or {}

    def inputs(self) -> Body:
        """What the pipeline gives to its inputs, by name."""
        return self.given.get("inputs") or {}

    def space(self) -> Body:
        """A sweep's search space, whose hyperparameters are inputs of its component."""
        return (self.given.get("search_space") or {}) if self.is_sweep else {}

    def outputs(self) -> Body:
        """What the pipeline says of its outputs, by name."""
        return self.given.get("outputs") or {}

    def sources(self) -> set[Binding]:
        """What its fields are bound to: inputs of the pipeline and outputs of other nodes."""
        return set(bindings({key: value for key, value in self.given.items() if key != "outputs"}))

    def puts_out(self) -> dict[str, str]:
        """For each output of the pipeline that it gives its own output."""
        return {bound: name for name, given in self.outputs().items() if (bound := parent_output(given.get("value")))}


@dataclass(frozen=True)
class Graph:
    """A pipeline's nodes.

    Attributes:
        nodes: By name.
        waits: For each the names of those whose outputs it takes.
        flow: Which nodes are guarded, and which are rounds of a loop.
        inputs: The pipeline's inputs by name: as its component declares them, or as the job gives them.
    """

    nodes: dict[str, Node]
    waits: dict[str, set[str]]
    flow: Flow
    inputs: Body

    def guards(self, node: str) -> list[Guard]:
        """What must be so for a node to run."""
        return self.flow.guards.get(node, [])

    def default(self, name: str) -> Body | None:
        """The value of an input of the pipeline that has a default."""
        declared = self.inputs.get(name) or {}
        return {"jobInputType": "literal", "value": declared["default"]} if "default" in declared else None

    def sorter(self) -> graphlib.TopologicalSorter[str]:
        """Gives the nodes that can begin, as those that they wait for are done."""
        found: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter(self.waits)
        found.prepare()
        return found


def read(scope: Scope, jobs: Any, inputs: Body, outputs: Body, depth: int = 0) -> Graph:
    """The graph of a job's or component's nodes, checked down to the innermost.

    Args:
        scope: The workspace.
        jobs: The nodes as they were sent.
        inputs: The pipeline's inputs by name; of the values only the names are read.
        outputs: Its outputs, likewise.
        depth: In how many other pipelines it lies.

    Raises:
        UserError: 400: a type that is not emulated, a component that is not there, a binding that leads nowhere, an
            input that is missing or unknown, a circle.
    """
    if not isinstance(jobs, dict) or not jobs:
        raise bad("jobs", "A pipeline job needs at least one job.")
    if depth > DEEPEST:
        raise bad("jobs", f"Pipelines are nested more than {DEEPEST} deep.")
    flow = flattened(jobs, inputs)
    nodes = {name: _node(scope, name, given) for name, given in flow.jobs.items() if name not in flow.gathers}
    for name, body in flow.gathers.items():
        nodes[name] = _gather(name, flow, body, nodes)
    for node in nodes.values():
        _check_inputs(node)
        _check_outputs(node, outputs)
    waits = {node.name: _waits(node, nodes, inputs, flow) for node in nodes.values()}
    graph = Graph(nodes, waits, flow, inputs)
    try:
        graph.sorter()
    except graphlib.CycleError as error:
        raise bad("jobs", f"The jobs wait for one another: {' → '.join(error.args[1])}.") from error
    for node in {one.component["id"]: one for one in nodes.values()}.values():
        if node.is_pipeline:
            read(scope, node.jobs, node.spec.get("inputs") or {}, node.spec.get("outputs") or {}, depth + 1)
    return graph


def _node(scope: Scope, name: str, given: Any) -> Node:
    if not isinstance(given, dict):
        raise bad(f"jobs.{name}", f"The job '{name}' must be an object.")
    kind = given.get("type") or COMMAND
    if kind not in COMPONENTS:
        raise bad(
            f"jobs.{name}.type",
            f"The job '{name}' is of type '{kind}', which the sandbox does not emulate in pipelines: {instead(kind)}.",
        )
    holder = (given.get("trial") or {}) if kind == SWEEP else given
    component_id = str(holder.get("componentId") or "")
    component = by_asset_id(scope, component_id) if "/components/" in component_id else None
    component = component or built_in(component_id)
    if component is None:
        raise bad(f"jobs.{name}.componentId", f"The component '{component_id}' of the job '{name}' was not found.")
    node = Node(name, given, component)
    if node.spec["type"] != COMPONENTS[kind]:
        raise bad(
            f"jobs.{name}.type", f"The job '{name}' is of type '{kind}', its component of type '{node.spec['type']}'."
        )
    return node


def _gather(name: str, flow: Flow, body: str, nodes: dict[str, Node]) -> Node:
    """The node that gathers what the rounds of a parallel_for put out."""
    rounds = flow.rounds[body]
    return Node(name, *gathering(flow.jobs[name], rounds, nodes[rounds[0]].spec.get("outputs") or {}))


def _check_inputs(node: Node) -> None:
    declared, given = node.spec.get("inputs") or {}, {**node.inputs(), **node.space()}
    for name in given:
        if name not in declared:
            raise bad(
                f"jobs.{node.name}.inputs.{name}", f"The component of the job '{node.name}' has no input '{name}'."
            )
    for name, one in declared.items():
        if name not in given and "default" not in one and one.get("optional") != "True":
            raise bad(f"jobs.{node.name}.inputs.{name}", f"The job '{node.name}' needs the input '{name}'.")


def _check_outputs(node: Node, outputs: Body) -> None:
    declared = node.spec.get("outputs") or {}
    for name, given in node.outputs().items():
        at = f"jobs.{node.name}.outputs.{name}"
        if name not in declared or not isinstance(given, dict):
            raise bad(at, f"The component of the job '{node.name}' has no output '{name}'.")
        bound = parent_output(given.get("value"))
        if bound and bound not in outputs:
            raise bad(at, f"'{given['value']}' of the job '{node.name}' names no output of the pipeline.")


def _waits(node: Node, nodes: dict[str, Node], inputs: Body, flow: Flow) -> set[str]:
    found = set()
    for binding in node.sources() | flow.conditions(node.name):
        if not binding.step:
            if binding.name not in inputs:
                raise bad(
                    f"jobs.{node.name}", f"The job '{node.name}' uses '{binding.name}', which is no pipeline input."
                )
            continue
        other = nodes.get(flow.last(binding.step))
        if other is None or binding.name not in (other.spec.get("outputs") or {}):
            raise bad(
                f"jobs.{node.name}",
                f"The job '{node.name}' uses the output '{binding.name}' of the job '{binding.step}', which is not "
                "there.",
            )
        found.add(other.name)
    return found
