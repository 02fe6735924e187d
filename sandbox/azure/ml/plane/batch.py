"""The management front end of the data plane: the jobs of batch endpoints."""

from sandbox.azure.ml.endpoints.batch import jobs
from sandbox.azure.ml.plane.routing import Answer, Request, route


def _jobs(request: Request) -> Answer:
    found = jobs.listed(request.scope, request.names["endpoint"], request.names.get("deployment", ""))
    return {"value": list(found), "nextLink": None}


ROUTES = [
    route("GET", "/batchEndpoints/{endpoint}/jobs", "batchEndpoints/jobs/read", _jobs),
    route(
        "GET", "/batchEndpoints/{endpoint}/deployments/{deployment}/jobs", "batchEndpoints/deployments/jobs/read", _jobs
    ),
]
