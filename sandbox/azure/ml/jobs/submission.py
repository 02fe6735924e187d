"""What a submitted job becomes: its document, its run, and its place in the runner's queue."""

import re

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.jobfields import bad, object_of
from sandbox.azure.ml.jobs import work
from sandbox.azure.ml.jobs.kinds import kind_of
from sandbox.azure.ml.scope import Scope

EXPERIMENT = re.compile(r"[A-Za-z0-9][\w-]{0,255}", re.ASCII)


def submit(scope: Scope, name: str, sent: Body) -> Body:
    """Makes a job and queues it; gives the job's document.

    Args:
        scope: The workspace, with the submitter as caller.
        name: The job's name, which no other has.
        sent: The definition, as the body's `properties`.

    Raises:
        UserError: 400 for what the service refuses.
    """
    kind = kind_of(sent)
    _check_experiment(sent)
    job = kind.checked(scope, sent)
    submitter = {"objectId": scope.caller.object_id, "clientId": scope.caller.client_id}
    body = work.document(scope, name, job, submitter)
    with scope.cloud.store.transaction():
        scope.put(runs.JOB, body, "jobs", name)
        _make_run(scope, name, sent, kind.run_fields(job))
        kind.start(scope, name, job)
    return body


def _check_experiment(sent: Body) -> None:
    """Source of rule and text: github.com/microsoft/dstoolkit-mlops-v2/pull/180, where the service's answer stands."""
    name = sent.get("experimentName")
    if name and not EXPERIMENT.fullmatch(str(name)):
        raise bad(
            "experimentName",
            "Experiment name must be 1-256 characters, start with a letter or a number, and can only contain letters, "
            "numbers, underscores, and dashes.",
        )


def _make_run(scope: Scope, name: str, sent: Body, own: Body) -> None:
    experiment = runs.experiment(scope, sent.get("experimentName") or runs.DEFAULT_EXPERIMENT)
    runs.make_run(
        scope,
        name,
        experiment,
        **{
            **own,
            "displayName": sent.get("displayName") or name,
            "description": sent.get("description"),
            "tags": object_of(sent, "tags"),
            "properties": {**own["properties"], **object_of(sent, "properties")},
            "hidden": bool(sent.get("isArchived")),
        },
    )
