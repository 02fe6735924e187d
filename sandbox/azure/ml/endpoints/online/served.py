"""What the runner is to serve: a document for each deployment, with what is wanted of it and what became of that.

A document has the `deployment` id, the `revision` that is wanted, its number of `instances`, the `operation` that waits
for it, and `by` whom it is wanted; the runner adds the `processes` that it started.
"""

import uuid

from sandbox.azure.arm.core import Body, Call
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.wakeup import wake_runner

KIND = "mlServed"
# What a change of needs another process for; the number of instances and the limits of requests do not.
CONTENT = (
    "model",
    "codeConfiguration",
    "environmentId",
    "environmentVariables",
    "instanceType",
    "livenessProbe",
    "readinessProbe",
)


def want(call: Call, deployment: Body, old: Body | None, operation: str) -> None:
    """Asks the runner to serve a deployment as it is now, as who asks may; belongs in a transaction."""
    cloud = call.cloud
    key = deployment["id"].lower()
    known = cloud.store.get(KIND, key) or {}
    same = old is not None and all(deployment["properties"].get(one) == old["properties"].get(one) for one in CONTENT)
    failed = old is not None and old["properties"]["provisioningState"] == "Failed"
    revision = known["revision"] if same and known and not failed else uuid.uuid4().hex[:12]
    wanted = {
        **known,
        "deployment": deployment["id"],
        "revision": revision,
        "instances": deployment["sku"]["capacity"],
        "operation": operation,
        "by": {"objectId": call.caller.object_id, "clientId": call.caller.client_id},
    }
    cloud.store.put(KIND, key, wanted)
    cloud.store.after_commit(lambda: wake_runner(cloud.store))


def forget(cloud: Cloud, deployment: Body) -> None:
    """A deployment is served no longer; belongs in a transaction."""
    cloud.store.delete(KIND, deployment["id"].lower())
    cloud.store.after_commit(lambda: wake_runner(cloud.store))
