"""MLflow 3's logged models, which the service does not have: 404 without a body, so `log_model` of MLflow 3 fails.

Source: github.com/Azure/azure-sdk-for-python/issues/44896 (2026-01), github.com/Azure/azureml-examples/pull/3885.
"""

from starlette.responses import Response

from sandbox.azure.ml.plane.mlflow import api
from sandbox.azure.ml.plane.routing import Answer, Request

READ, WRITE = "experiments/runs/read", "experiments/runs/write"


def _absent(request: Request) -> Answer:
    del request
    return Response(status_code=404)


ROUTES = [
    api(method, path, action, _absent)
    for path in ("/logged-models", "/logged-models/{rest*}")
    for method, action in (("GET", READ), ("POST", WRITE), ("PATCH", WRITE), ("DELETE", WRITE))
]
