"""Carries a pipeline out: begins its nodes as those that they wait for are done, reuses what is known, ends with them.

Everything that is decided is stored before anything else is: a node's run, its definition and its work in one
transaction. A sandbox that begins again finds by them what was begun, and goes on.
"""

import json
import uuid

from sandbox.azure import clock
from sandbox.azure.arm.core import Body
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml import runs
from sandbox.azure.ml.jobs import command, parallel, transfer, work
from sandbox.azure.ml.jobs.kinds import KINDS, Kind
from sandbox.azure.ml.jobs.pipeline import graph_of, running_properties
from sandbox.azure.ml.pipelines import records, steps
from sandbox.azure.ml.pipelines.bindings import Binding, BindingError, text_of
from sandbox.azure.ml.pipelines.flow import Guard
from sandbox.azure.ml.pipelines.graph import Node
from sandbox.azure.ml.runner.children import AT_ONCE, named
from sandbox.azure.ml.runner.executionlog import PIPELINE, ExecutionLog
from sandbox.azure.ml.runner.outcome import Outcome, early_by
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.wakeup import wake_runner

FINISHED = {"Completed": "Finished", "Failed": "Failed", "Canceled": "Canceled"}
STEPS = {
    **KINDS,
    transfer.JOB_TYPE: Kind(transfer.checked, command.run_fields, command.start),
    parallel.JOB_TYPE: Kind(parallel.checked, command.run_fields, command.start),
}
"""What steps can be: jobs of any type, parallel steps and data transfers."""
STEP_FAILED = "Some of the steps failed: {}. See the logs of each."


class GraphRun:
    """One pipeline that is carried out.

    Args:
        scope: The workspace, with the submitter as caller.
        definition: The document of the job, or of the step where the pipeline is nested.

    Raises:
        AzureError: A component is not there any more.
    """

    def __init__(self, scope: Scope, definition: Body) -> None:
        self._scope, self._name = scope, str(definition["name"])
        self._pipeline = steps.Pipeline(self._name, definition["properties"])
        self._graph = graph_of(scope, definition["properties"])
        self._submitter, self._created = definition["submitter"], definition["systemData"]["createdAt"]
        self._sorter = self._graph.sorter()
        self._log = ExecutionLog(scope, self._name, PIPELINE)
        self._waiting: list[str] = []  # nodes that can begin
        self._going: dict[str, str] = {}  # runs by node
        self._failed: set[str] = set()
        self._skipped: set[str] = set()  # nodes of a branch that is not taken, or of a round that is not begun

    def advance(self, *, cancel: bool) -> Outcome | None:
        """Takes the pipeline as far as it goes now.

        Args:
            cancel: Whether it is to be cancelled.

        Returns:
            How it ended; None while it goes on.
        """
        self._begin(cancel=cancel)
        self._look_at_steps()
        stops = cancel or bool(self._failed and not self._pipeline.continues)
        if stops:
            self._cancel_steps()
        else:
            self._start_steps()
        if self._going or (self._waiting and not stops) or early_by(self._scope, self._name, self._created):
            return None
        return self._ended(cancel=cancel)

    def _begin(self, *, cancel: bool) -> None:
        run = self._run(self._name)
        if run["startTimeUtc"] is not None or cancel:
            return
        properties = {**running_properties(self._pipeline), **run["properties"]}
        self._update(self._name, status="Running", startTimeUtc=runs.now(), properties=properties)

    def _run(self, name: str) -> Body:
        found = self._scope.get(runs.RUN, name)
        return found or {"status": "Canceled", "outputs": {}, "startTimeUtc": None, "properties": {}}

    def _update(self, name: str, **changes: object) -> None:
        runs.update_run(self._scope.cloud, self._scope.id, name, **changes)

    def _look_at_steps(self) -> None:
        """Takes note of the steps that have ended, which lets others begin."""
        self._ready()
        for node, name in list(self._going.items()):
            run = self._run(name)
            if runs.REUSED in run["properties"] and run["status"] not in runs.ENDED:
                run = self._follow_original(name, run)
            if run["status"] not in runs.ENDED or work.pending(self._scope, name):
                continue
            del self._going[node]
            self._tell(f"Completing processing run id {name}, node {node}: {run['status']}.")
            if run["status"] == "Completed":
                self._put_out(node, run)
                self._sorter.done(node)
                self._ready()
            else:
                self._failed.add(node)

    def _ready(self) -> None:
        """Nodes that can begin wait, but for those that an earlier sandbox has begun, and those that are skipped."""
        while ready := self._sorter.get_ready():
            for node in ready:
                begun = self._begun(node)
                if begun:
                    self._going[node] = begun
                elif self._is_skipped(self._graph.nodes[node]):
                    self._tell(f"Skipping node {node}: its branch is not taken.")
                    self._skipped.add(node)
                    self._sorter.done(node)
                else:
                    self._waiting.append(node)

    def _is_skipped(self, node: Node) -> bool:
        """Whether a node's branch is not taken, or it takes an output of a node of which that is so."""
        sources = node.sources() | self._graph.flow.conditions(node.name)
        if any(self._ran(one.step) in self._skipped for one in sources if one.step):
            return True
        return any(self._holds(one) is False for one in self._graph.guards(node.name))

    def _holds(self, guard: Guard) -> bool | None:
        """Whether a condition is as expected; None where its step has written no value."""
        if isinstance(guard.condition, bool):
            return guard.condition is guard.expected
        value = self._look(guard.condition)
        if value is None or value["jobInputType"] != "literal":
            return None
        return (text_of(value).strip().lower() == "true") is guard.expected

    def _ran(self, step: str) -> str:
        """The node that a step is: of a loop's body the last round that ran."""
        rounds = self._graph.flow.rounds.get(step, [step])
        return next((one for one in reversed(rounds) if one not in self._skipped), step)

    def _follow_original(self, name: str, run: Body) -> Body:
        """A reused step ends as its original; where that was cancelled it runs itself."""
        original = self._scope.get(runs.RUN, run["properties"][runs.REUSED])
        if original is not None and original["status"] not in runs.ENDED:
            return run
        if original is not None and original["status"] != "Canceled":
            self._update(name, **records.taken_over(original))
            return self._run(name)
        with self._scope.cloud.store.transaction():
            own = {key: value for key, value in run["properties"].items() if "reused" not in key}
            self._update(name, status="Queued", properties=own)
            self._submit(name, self._scope.get(runs.STEP, "jobs", name) or {})
        return self._run(name)

    def _put_out(self, node: str, run: Body) -> None:
        """The pipeline's outputs are where their steps put them."""
        puts_out = self._graph.nodes[node].puts_out()
        mine = {bound: records.passed_on(run, output) for bound, output in puts_out.items() if output in run["outputs"]}
        if mine:
            self._update(self._name, outputs={**self._run(self._name)["outputs"], **named(self._name, mine)})

    def _start_steps(self) -> None:
        started, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        for name in started:
            self._start(self._graph.nodes[name])
        if started:
            wake_runner(self._scope.cloud.store)  # some may have ended already, and others wait
            first = ", ".join(f"{node}:{self._going[node]}" for node in started[:5] if node in self._going)
            self._tell(f"Submitting {len(started)} runs, first five are: {first}")

    def _start(self, node: Node) -> None:
        """Begins a node; one whose fields have no value fails at once."""
        name, parent = str(uuid.uuid4()), self._run(self._name)
        failure = ""
        try:
            properties = self._definition(node)
        except (AzureError, BindingError) as error:
            failure, properties = str(error), {"jobType": "Command", "inputs": {}, "outputs": {}}
        own = records.step_run(node, parent, properties)
        document = work.document(self._scope, name, properties, self._submitter)
        with self._scope.cloud.store.transaction():
            original = None if failure else self._reusable(node, properties, name)
            if failure:
                own |= {"status": "Failed", "endTimeUtc": runs.now(), "error": _user_error(failure)}
            elif original is not None:
                own = records.reused(own, original)
            runs.make_run(self._scope, name, self._experiment(parent), **own)
            self._scope.put(runs.STEP, document, "jobs", name)
            self._scope.put(runs.CHILD, {"run": name}, self._name, node.name)
            if not failure and original is None:
                self._submit(name, document)
        self._going[node.name] = name

    def _definition(self, node: Node) -> Body:
        for one in self._graph.guards(node.name):
            if self._holds(one) is None:
                raise BindingError(f"The condition of '{node.name}' has no value: {one.condition}.")
        properties = steps.definition(node, self._pipeline, self._look)
        if node.is_pipeline:
            return properties
        return STEPS[properties["jobType"]].checked(self._scope, properties)

    def _submit(self, name: str, document: Body) -> None:
        properties = document["properties"]
        STEPS[properties["jobType"]].start(self._scope, name, properties, parent=self._name)

    def _experiment(self, parent: Body) -> Body:
        return {"id": parent["experimentId"], "name": parent["experimentName"]}

    def _reusable(self, node: Node, properties: Body, name: str) -> Body | None:
        """The run of an equal step that completed or is going; where there is none, others can reuse this one."""
        if node.is_pipeline or self._pipeline.forced or node.spec.get("is_deterministic") != "True":
            return None
        key = records.fingerprint(node, self._pipeline, properties)
        known = self._scope.get(runs.REUSE, key)
        original = known and self._scope.get(runs.RUN, known["run"])
        if original is not None and original["status"] not in ("Failed", "Canceled", "CancelRequested"):
            return original
        self._scope.put(runs.REUSE, {"run": name}, key)
        return None

    def _look(self, binding: Binding) -> Body | None:
        """The value of a binding: an input of the pipeline, or where a step that is done has put something."""
        if not binding.step:
            given: Body | None = self._pipeline.properties["inputs"].get(binding.name)
            return given or self._graph.default(binding.name)
        return records.output(self._run(self._begun(self._ran(binding.step))), binding.name)

    def _begun(self, node: str) -> str:
        begun = self._scope.get(runs.CHILD, self._name, node)
        return str(begun["run"]) if begun else ""

    def _cancel_steps(self) -> None:
        self._waiting.clear()
        for name in self._going.values():
            if work.pending(self._scope, name):
                work.request_cancel(self._scope, name)
            elif self._run(name)["status"] not in runs.ENDED:  # it waits for its original
                self._update(name, status="Canceled", endTimeUtc=runs.now())

    def _tell(self, text: str) -> None:
        self._log.write(f"[{clock.now():%Y-%m-%d %H:%M:%SZ}] {text}")

    def _ended(self, *, cancel: bool) -> Outcome:
        run = self._run(self._name)
        if cancel:
            outcome = Outcome("Canceled")
        elif self._failed:
            outcome = Outcome("Failed", "UserError", STEP_FAILED.format(", ".join(sorted(self._failed))))
        else:
            outcome = Outcome("Completed")
        self._tell("Finishing experiment: no runs left and nothing to schedule.")
        stages = {
            "Initialization": None,
            "Execution": {
                "StartTime": run["startTimeUtc"],
                "EndTime": runs.now(),
                "Status": FINISHED[outcome.status],
            },
        }
        properties = {**run["properties"], "azureml.pipelines.stages": json.dumps(stages, separators=(",", ":"))}
        self._update(self._name, properties=properties)
        return outcome


def _user_error(message: str) -> Body:
    return Outcome("Failed", "UserError", message).error() or {}
