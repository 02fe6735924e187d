"""Outputs with a name become assets when their job has completed: models as models, everything else as data.

Source: learn.microsoft.com/azure/machine-learning/how-to-manage-inputs-outputs-pipeline.
"""

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.assetkinds import BY_PLURAL, MODEL_TYPES
from sandbox.azure.ml.assets import next_version, versions_of
from sandbox.azure.ml.registration import put_version
from sandbox.azure.ml.scope import Scope


def register_outputs(scope: Scope, job: Body) -> None:
    """Registers the named outputs of a job that has completed; without a version they get the next one.

    Raises:
        UserError: A version exists already with other content, or a name is not valid.
    """
    recorded = (scope.get(runs.RUN, job["name"]) or {"outputs": {}})["outputs"]
    for name, output in job["properties"]["outputs"].items():
        asset = output.get("assetName")
        if not asset or name not in recorded:
            continue
        kind, uri = str(output["jobOutputType"]), recorded[name]["uri"]
        is_model = kind in MODEL_TYPES
        plural = "models" if is_model else "data"
        content = {"modelType": kind, "modelUri": uri} if is_model else {"dataType": kind, "dataUri": uri}
        version = str(output.get("assetVersion") or next_version(versions_of(scope, plural, asset)))
        made = {**content, **({"jobName": job["name"]} if is_model else {})}
        put_version(scope, BY_PLURAL[plural], asset, version, made)
