"""Which jobs were begun at a batch endpoint."""

from collections.abc import Iterator

from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml import runs
from sandbox.azure.ml.names import BATCH_ENDPOINTS
from sandbox.azure.ml.scope import Scope

KIND = "mlBatchJob"
TYPE = f"{BATCH_ENDPOINTS}/deployments/jobs"


def note(scope: Scope, endpoint: Body, deployment: Body, job: str, sent: Body) -> None:
    """Remembers a job, with what it was asked with; belongs in a transaction."""
    document = {"job": job, "deployment": deployment["name"], "inputData": sent.get("inputData") or {}}
    scope.cloud.store.put(KIND, f"{endpoint['id']}/{job}".lower(), document)


def listed(scope: Scope, endpoint: str, deployment: str = "") -> Iterator[Body]:
    """The jobs of an endpoint, or of one deployment of it, that are still there; the latest first."""
    at = f"{scope.id}/batchEndpoints/{endpoint}"
    found = []
    for one in scope.cloud.store.list(KIND, f"{at}/".lower()):
        run = scope.get(runs.RUN, one["job"])
        if run is not None and deployment.lower() in ("", one["deployment"].lower()):
            found.append((run["createdUtc"], shown(scope, at, one, run)))
    return (one for _, one in sorted(found, key=lambda item: item[0], reverse=True))


def shown(scope: Scope, endpoint_id: str, known: Body, run: Body) -> Body:
    """A job as the data plane shows it."""
    name = known["job"]
    return {
        "id": f"{endpoint_id}/deployments/{known['deployment']}/jobs/{name}",
        "name": name,
        "type": TYPE,
        "properties": {
            "name": name,
            "status": run["status"],
            "interactionEndpoints": {
                kind: {"jobEndpointType": kind, "endpoint": endpoint}
                for kind, endpoint in runs.addresses(scope, name).items()
            },
            "inputData": known["inputData"],
            "output": None,
            "outputData": {name: {"uri": one["uri"]} for name, one in run["outputs"].items()},
            "properties": run["properties"],
            "tags": run["tags"],
            "description": None,
        },
    }


def forget(cloud: Cloud, endpoint: Body) -> None:
    """Drops what is known of the jobs of an endpoint that goes."""
    cloud.store.clear(KIND, f"{endpoint['id']}/".lower())
