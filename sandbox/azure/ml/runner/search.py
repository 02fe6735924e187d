"""Carries a sweep out: begins trials with samples of its search space, ends poor ones early, and knows the best.

A trial's run, definition and work are stored in one transaction, with the values that it has. A sandbox that begins
again finds by them what was begun, and goes on.
"""

import json
import math
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml import runs
from sandbox.azure.ml.jobs import command, sweep, work
from sandbox.azure.ml.runner.children import AT_ONCE, named
from sandbox.azure.ml.runner.executionlog import SWEEP, ExecutionLog
from sandbox.azure.ml.runner.outcome import Outcome, early_by
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.sweeps import definition, policies
from sandbox.azure.ml.sweeps.definition import TAG
from sandbox.azure.ml.sweeps.space import Tried, size
from sandbox.azure.ml.wakeup import wake_runner

FAILED = "User errors were found in at least one of the child runs."
LATE = "The sweep was cancelled at its time limit of {}."


@dataclass
class Trial:
    """A trial that was begun.

    Attributes:
        run: Its run.
        values: Its hyperparameters.
        status: How it ended; empty while it goes on.
        logged: The values of the primary metric, in the order of their logging.
        last: The last point of it that was seen.
        judged: At how many of its intervals the policy has judged it.
    """

    run: str
    values: Body
    status: str = ""
    logged: list[float] = field(default_factory=list)
    last: Body | None = None
    judged: int = 0


class SearchRun:
    """One sweep that is carried out.

    Args:
        scope: The workspace, with the submitter as caller.
        document: Of the job, or of the step where the sweep is a pipeline's node.
    """

    def __init__(self, scope: Scope, document: Body) -> None:
        self._scope, self._name, self._job = scope, str(document["name"]), document["properties"]
        self._submitter, self._created = document["submitter"], document["systemData"]["createdAt"]
        self._sampler = sweep.sampler_of(self._name, self._job)
        self._metric, self._up = self._job["objective"]["primaryMetric"], definition.maximizes(self._job)
        self._log = ExecutionLog(scope, self._name, SWEEP)
        begun = sorted(scope.list(runs.CHILD, self._name), key=lambda child: child["number"])
        self._trials = [Trial(child["run"], child["values"]) for child in begun]
        self._exhausted = False

    def advance(self, *, cancel: bool) -> Outcome | None:
        """Takes the sweep as far as it goes now.

        Args:
            cancel: Whether it is to be cancelled.

        Returns:
            How it ended; None while it goes on.
        """
        self._begin()
        self._look_at_trials()
        late = self._is_late()
        if cancel or late:
            self._cancel_trials()
        else:
            self._judge()
            self._start_trials()
        generated = self._exhausted or len(self._trials) >= definition.most(self._job)
        if self._going() or not (generated or cancel or late) or early_by(self._scope, self._name, self._created):
            return None
        return self._ended(cancel=cancel, late=late)

    def _going(self) -> list[Trial]:
        return [trial for trial in self._trials if not trial.status]

    def _tell(self, part: str, *texts: str) -> None:
        self._log.write(*(f"[{runs.now()}][{part}][INFO]{text}" for text in texts))

    def _run(self, name: str) -> Body:
        return self._scope.get(runs.RUN, name) or {
            **{key: {} for key in ("tags", "properties", "metrics", "outputs")},
            "status": "Canceled",
            "startTimeUtc": None,
        }

    def _change(self, *, tags: Body | None = None, properties: Body | None = None, **more: Any) -> None:
        """Changes the sweep's run: tags and properties are added to those that are there."""
        run = self._run(self._name)
        merged = {"tags": {**run["tags"], **(tags or {})}, "properties": {**run["properties"], **(properties or {})}}
        runs.update_run(self._scope.cloud, self._scope.id, self._name, **merged, **more)

    def _begin(self) -> None:
        run = self._run(self._name)
        if "space_size" in run["properties"] or self._trials:
            return
        count = size(self._sampler.space)
        self._change(
            status="Running",
            startTimeUtc=run["startTimeUtc"] or runs.now(),
            properties={"space_size": str(count) if count else "infinite_space_size"},
        )
        self._tell("API", "Experiment created")

    def _look_at_trials(self) -> None:
        """Takes note of the trials that have ended."""
        for trial in self._going():
            if work.pending(self._scope, trial.run):
                continue
            self._read_metric(trial)
            trial.status = str(self._run(trial.run)["status"])

    def _read_metric(self, trial: Trial) -> None:
        last = self._run(trial.run)["metrics"].get(self._metric)
        if last == trial.last:
            return
        points = runs.points(self._scope, trial.run, self._metric)
        trial.last = last
        trial.logged = [one["value"] for one in points if not math.isnan(one["value"])]  # it compares with nothing

    def _is_late(self) -> bool:
        begun = self._run(self._name)["startTimeUtc"]
        return bool(begun) and runs.millis(runs.now()) - runs.millis(begun) > definition.lasts(self._job) * 1000

    def _cancel_trials(self) -> None:
        if self._going() and self._run(self._name)["tags"].get(f"{TAG}cancellation_requested") != "true":
            self._change(tags={f"{TAG}cancellation_requested": "true"})
            self._tell("CONTROLLER", "Experiment was requested to be cancelled.")
        for trial in self._going():
            work.request_cancel(self._scope, trial.run)

    def _judge(self) -> None:
        """Ends the trials that the policy ends, each judged once at each of its intervals."""
        policy = self._job["earlyTermination"]
        if policy is None:
            return
        for trial in self._going():
            self._read_metric(trial)
        logged = {trial.run: trial.logged for trial in self._trials if trial.logged}
        for trial in self._going():
            due = range(trial.judged + 1, len(trial.logged) + 1)
            trial.judged = len(trial.logged)
            if any(policies.stops(policy, logged, trial.run, one, maximize=self._up) for one in due):
                self._tell("CONTROLLER", f"Policy {policy['policyType']} cancels the job, id='{trial.run}'")
                work.request_cancel(self._scope, trial.run)

    def _start_trials(self) -> None:
        """Begins as many trials as may go side by side."""
        begun = len(self._trials)
        free = min(definition.at_once(self._job) - len(self._going()), definition.most(self._job) - begun, AT_ONCE)
        if free <= 0 or self._exhausted:
            return
        with self._scope.cloud.store.transaction():
            fresh = self._fresh(begun, free)
            self._exhausted = len(fresh) < free
            generated = self._exhausted or begun + len(fresh) >= definition.most(self._job)
            self._change(
                tags={
                    **{trial.run: json.dumps(trial.values) for trial in fresh},
                    f"{TAG}samples_generated_count": str(begun + len(fresh)),
                    f"{TAG}all_jobs_generated": str(generated).lower(),
                }
            )
        self._trials += fresh
        self._tell("GENERATOR", f"Trying to sample '{free}' jobs from the hyperparameter space")
        if fresh:
            self._tell("SCHEDULER", *(f"Scheduling job, id='{trial.run}'" for trial in fresh))
            wake_runner(self._scope.cloud.store)
        if generated:
            self._tell("GENERATOR", f"Max number of jobs '{begun + len(fresh)}' reached for experiment.")

    def _fresh(self, begun: int, count: int) -> list[Trial]:
        """New trials, stored."""
        tried = [Tried(trial.values, self._best_of(trial)) for trial in self._trials]
        fresh: list[Trial] = []
        for number in range(begun, begun + count):
            values = self._sampler.sample(number, tried)
            if values is None:
                break
            trial = Trial(f"{self._name}_{number}", values)
            self._store(trial, number)
            fresh.append(trial)
            tried.append(Tried(values, None))
        return fresh

    def _store(self, trial: Trial, number: int) -> None:
        """A trial's run, definition and work."""
        parent = self._run(self._name)
        if self._scope.get(runs.RUN, trial.run) is not None:
            raise AzureError(409, "UserError", f"There is a run '{trial.run}' already, so the sweep cannot begin it.")
        properties = command.checked(self._scope, sweep.trial_definition(self._job, trial.values))
        own = command.run_fields(properties)
        runs.make_run(
            self._scope,
            trial.run,
            {"id": parent["experimentId"], "name": parent["experimentName"]},
            **{
                **own,
                "parentRunId": self._name,
                "rootRunId": parent.get("rootRunId") or self._name,
                "runType": "azureml.scriptrun",
                "tags": {"hyperparameters": json.dumps(trial.values)},
            },
        )
        self._scope.put(
            runs.STEP, work.document(self._scope, trial.run, properties, self._submitter), "jobs", trial.run
        )
        child = {"run": trial.run, "number": number, "values": trial.values}
        self._scope.put(runs.CHILD, child, self._name, str(number))
        command.start(self._scope, trial.run, properties, parent=self._name)

    def _best_of(self, trial: Trial) -> float | None:
        return (max if self._up else min)(trial.logged, default=None)

    def _best(self) -> tuple[Trial, float] | None:
        """The trial with the best value of the primary metric, the first of equal ones."""
        found = [(trial, score) for trial in self._trials if (score := self._best_of(trial)) is not None]
        return (max if self._up else min)(found, key=lambda one: one[1], default=None)

    def _ended(self, *, cancel: bool, late: bool) -> Outcome:
        outcome, best = self._outcome(cancel=cancel, late=late), self._best()
        if best is not None:
            trial, score = best
            self._change(
                properties={
                    "best_child_run_id": trial.run,
                    "score": str(score),
                    "best_metric_status": "Succeeded",
                    "best_data_container_id": f"dcid.{trial.run}",
                },
                outputs=named(self._name, self._run(trial.run)["outputs"]),
            )
        self._tell("CONTROLLER", f"Changing Run Status from Running to {outcome.status}")
        return outcome

    def _outcome(self, *, cancel: bool, late: bool) -> Outcome:
        if cancel:
            return Outcome("Canceled")
        if late:
            return Outcome("Canceled", "UserError", LATE.format(self._job["limits"]["timeout"]))
        statuses = {trial.status for trial in self._trials}
        if "Failed" in statuses and "Completed" not in statuses:
            return Outcome("Failed", "UserError", FAILED)
        return Outcome("Completed")
