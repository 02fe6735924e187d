"""Data transfers, which are steps of pipelines only: a task on data, without a command and an environment."""

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import jobfields
from sandbox.azure.ml.jobfields import bad
from sandbox.azure.ml.jobs.command import check_serverless
from sandbox.azure.ml.pipelines.transfer import CONFLICT, MERGE
from sandbox.azure.ml.scope import Scope

JOB_TYPE = "DataTransfer"


def checked(scope: Scope, sent: Body) -> Body:
    """The step's definition with what the service fills in.

    Raises:
        UserError: 400, naming the field.
    """
    mode = sent.get("dataCopyMode") or MERGE
    if mode not in (MERGE, CONFLICT):
        raise bad("dataCopyMode", f"The data copy mode '{mode}' is not one of {MERGE}, {CONFLICT}.")
    job: Body = {
        "jobType": JOB_TYPE,
        "task": sent["task"],
        "dataCopyMode": mode,
        "componentId": sent["componentId"],
        "computeId": jobfields.compute(scope, sent),
        "inputs": {name: jobfields.job_input(name, one) for name, one in sent["inputs"].items()},
        "outputs": {name: jobfields.job_output(name, one) for name, one in sent["outputs"].items()},
        "resources": {"instanceCount": 1},
        **dict.fromkeys(("distribution", "identity", "queueSettings", "codeId")),
    }
    check_serverless(scope, job)
    return job
