"""Sweep jobs: one command, tried with many values of its hyperparameters.

Sources: recordings of azure-ai-ml's test_sweep_job of 2026-03, listed in docs/fidelity/ml.md; for limits and defaults
learn.microsoft.com/azure/machine-learning/reference-yaml-job-sweep.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import jobfields, runs
from sandbox.azure.ml.assets import environment_of
from sandbox.azure.ml.command import EXPRESSION
from sandbox.azure.ml.jobfields import bad
from sandbox.azure.ml.jobs import command, work
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.sweeps import policies, sampling
from sandbox.azure.ml.sweeps.definition import (
    GOALS,
    MOST_TRIALS,
    REFERENCE,
    TAG,
    TRIAL_FIELDS,
    as_json,
    at_once,
    lasts,
    maximizes,
    metric,
    most,
    run_properties,
)
from sandbox.azure.ml.sweeps.space import Expression, SpaceError, parse, text_of


def checked(scope: Scope, sent: Body) -> Body:
    """The job's definition with what the service fills in.

    Raises:
        UserError: 400, naming the field.
    """
    space = space_of(sent)
    trial, limits = jobfields.object_of(sent, "trial"), _limits(sent)
    first = trial_definition({**sent, "trial": trial, "limits": limits}, dict.fromkeys(space, "x"))
    done = command.checked(scope, first)
    found = environment_of(scope, done["environmentId"])
    return {
        "jobType": "Sweep",
        "searchSpace": sent["searchSpace"],
        "samplingAlgorithm": _sampling(sent, space),
        "limits": limits,
        "earlyTermination": _policy(sent),
        "objective": _objective(sent),
        "trial": {
            **{name: done[name] for name in TRIAL_FIELDS},
            "command": trial["command"],
            "environmentId": found["id"] if found else done["environmentId"],
        },
        **{name: done[name] for name in ("computeId", "inputs", "resources", "identity", "queueSettings")},
        "outputs": {name: jobfields.job_output(name, one) for name, one in jobfields.named(sent, "outputs").items()},
        "componentId": sent.get("componentId"),
    }


def trial_definition(job: Body, values: Mapping[str, Any]) -> Body:
    """The body of the command job that a trial is.

    Args:
        job: The sweep's definition.
        values: The trial's, by hyperparameter.
    """
    trial, timeout = job["trial"], job["limits"].get("trialTimeout")
    return {
        "jobType": "Command",
        **{name: trial.get(name) for name in (*TRIAL_FIELDS, "environmentId")},
        "command": _filled(trial.get("command"), values),
        "resources": trial.get("resources") or job.get("resources"),
        "inputs": job.get("inputs"),
        "outputs": {
            name: {key: value for key, value in one.items() if not key.startswith("asset")}
            for name, one in jobfields.named(job, "outputs").items()  # only the best trial's are registered
        },
        **{name: job.get(name) for name in ("computeId", "identity", "queueSettings")},
        "limits": {"jobLimitsType": "Command", "timeout": timeout} if timeout else {},
    }


def _filled(line: Any, values: Mapping[str, Any]) -> Any:
    """The command with values in place of the hyperparameters; one that is not in the space is empty."""
    if not isinstance(line, str):
        return line

    def value(match: Any) -> str:
        name = match[1].removeprefix(REFERENCE)
        return text_of(values.get(name, "")) if match[1].startswith(REFERENCE) else match[0]

    return EXPRESSION.sub(value, line)


def space_of(job: Body) -> dict[str, Expression]:
    """The search space.

    Raises:
        UserError: 400 for an expression that is none.
    """
    given = jobfields.object_of(job, "searchSpace")
    if not given:
        raise bad("searchSpace", "A sweep job needs a search space.")
    try:
        return {name: parse(name, one) for name, one in given.items()}
    except SpaceError as error:
        raise bad("searchSpace", str(error)) from error


def sampler_of(name: str, job: Body) -> sampling.Sampler:
    """What takes the samples of the sweep of this name."""
    return sampling.sampler(job["samplingAlgorithm"], space_of(job), name, maximize=maximizes(job))


def _sampling(sent: Body, space: dict[str, Expression]) -> Body:
    try:
        return sampling.checked(jobfields.object_of(sent, "samplingAlgorithm"), space)
    except SpaceError as error:
        raise bad("samplingAlgorithm", str(error)) from error


def _policy(sent: Body) -> Body | None:
    given = jobfields.object_of(sent, "earlyTermination")
    try:
        return policies.checked(given) if given else None
    except policies.PolicyError as error:
        raise bad("earlyTermination", str(error)) from error


def _objective(sent: Body) -> Body:
    given = jobfields.object_of(sent, "objective")
    goal = next((one for one in GOALS if one.lower() == str(given.get("goal")).lower()), None)
    if goal is None:
        raise bad("objective.goal", f"The goal '{given.get('goal')}' is not one of {', '.join(GOALS)}.")
    if not isinstance(given.get("primaryMetric"), str) or not given["primaryMetric"]:
        raise bad("objective.primaryMetric", "A sweep job needs the name of its primary metric.")
    return {"primaryMetric": given["primaryMetric"], "goal": goal}


def _limits(sent: Body) -> Body:
    given = jobfields.object_of(sent, "limits")
    found: Body = {"jobLimitsType": "Sweep"}
    for name in ("maxTotalTrials", "maxConcurrentTrials"):
        value = found[name] = given.get(name)
        if value is not None and (isinstance(value, bool) or value not in range(1, MOST_TRIALS + 1)):
            raise bad(f"limits.{name}", f"'{name}' must be a number from 1 to {MOST_TRIALS}, not {value!r}.")
    for name in ("timeout", "trialTimeout"):
        found[name] = given.get(name)
        if found[name]:
            jobfields.duration(f"limits.{name}", str(found[name]))
    return found


def run_fields(job: Body) -> Body:
    """What the job's run begins with."""
    return {
        **{key: value for key, value in command.run_fields(job).items() if key in ("target", "parameters")},
        "status": "Running",
        "startTimeUtc": runs.now(),
        "runType": "hyperdrive",
        "properties": run_properties(job),
    }


def start(scope: Scope, name: str, job: Body, **more: str) -> None:
    """Queues the search, whose run tells by tags what it goes by."""
    run = scope.get(runs.RUN, name) or {"tags": {}, "experimentName": ""}
    tags = {**run["tags"], **_tags(scope, name, job, run)}
    runs.update_run(scope.cloud, scope.id, name, tags=tags)
    work.submit(scope, name, work.SEARCH, **more)


def _tags(scope: Scope, name: str, job: Body, run: Body) -> dict[str, str]:
    given, policy = job["samplingAlgorithm"], job["earlyTermination"]
    own = {key: given[key] for key in ("rule", "logbase", "seed") if key in given}
    generator = {"name": given["samplingAlgorithmType"].upper(), "parameter_space": job["searchSpace"]}
    found = {
        "max_concurrent_jobs": str(at_once(job)),
        "max_total_jobs": str(most(job)),
        "max_duration_minutes": str(int(lasts(job) // 60)),
        "policy_config": as_json(_policy_config(policy)),
        "generator_config": as_json({**generator, "properties": own}),
        "primary_metric_config": metric(job),
        "platform_config": as_json(_platform(scope, name, job, run)),
        "resume_child_runs": "null",
        "all_jobs_generated": "false",
        "cancellation_requested": "false",
        "samples_generated_count": "0",
    }
    return {TAG + key: value for key, value in found.items()}


def _policy_config(policy: Body | None) -> Body:
    if policy is None:
        return {"name": "Default", "properties": {}}
    own = {name: policy[camel] for name, camel in policies.NAMES.items() if camel in policy}
    more = {"exclude_finished_jobs": False} if policy["policyType"] == policies.TRUNCATION else {}
    return {"name": policy["policyType"], "properties": {**own, **more}}


def _platform(scope: Scope, name: str, job: Body, run: Body) -> Body:
    """What a trial is made from: the most telling of the service's many keys."""
    words, trial = scope.id.split("/"), job["trial"]
    return {
        "ServiceAddress": f"https://{scope.workspace['location']}.api.azureml.ms",
        "SubscriptionId": words[2],
        "ResourceGroupName": words[4],
        "WorkspaceName": words[8],
        "ExperimentName": run["experimentName"],
        "Definition": {
            "Overrides": {
                "Command": trial["command"],
                "Target": str(job["computeId"] or "").rsplit("/", 1)[-1],
                "NodeCount": trial["resources"]["instanceCount"],
                "EnvironmentVariables": trial["environmentVariables"],
            },
            "DisplayName": run.get("displayName"),
        },
        "ParentRunId": name,
    }
