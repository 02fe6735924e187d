"""A job as a GET shows it: its definition with its run's state."""

import copy

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.scope import Scope


def present(scope: Scope, job: Body) -> Body:
    """The job's resource."""
    run = scope.get(runs.RUN, job["name"]) or {}
    shown = copy.deepcopy({key: value for key, value in job.items() if key != "submitter"})
    tracking = f"azureml://{scope.workspace['location']}.api.azureml.ms/mlflow/v1.0{scope.id}?"
    studio = f"https://ml.azure.com/runs/{job['name']}?wsid={scope.id}"  # clients append the tenant
    shown["properties"] |= {
        "status": run.get("status"),
        "displayName": run.get("displayName"),
        "description": run.get("description"),
        "experimentName": run.get("experimentName"),
        "tags": run.get("tags", {}),
        "properties": run.get("properties", {}),
        "isArchived": run.get("hidden", False),
        "services": {
            "Tracking": {"jobServiceType": "Tracking", "endpoint": tracking, "port": None, "status": None},
            "Studio": {"jobServiceType": "Studio", "endpoint": studio, "port": None, "status": None},
            **interactive(job),
        },
    }
    store = scope.get("resource", "datastores", "workspaceartifactstore")
    in_artifacts = job["properties"]["jobType"] != "Pipeline"
    if in_artifacts and store is not None and store["properties"]["credentials"]["credentialsType"] != "None":
        # Left out where the store has no key: the client would sign log addresses with one and fail.
        shown["properties"]["outputs"]["default"] = {
            "jobOutputType": "uri_folder",
            "mode": "ReadWriteMount",
            "uri": f"azureml://datastores/workspaceartifactstore/{runs.artifact_prefix(job['name'])}",
        }
    return shown


def interactive(job: Body) -> Body:
    """The interactive services that a job asked for, none of which is started: their state says so."""
    return {
        name: {
            "port": None,
            "endpoint": None,
            "properties": None,
            "nodes": None,
            **one,
            "status": "Failed",
            "errorMessage": f"The sandbox starts no interactive services: {one['jobServiceType']} runs in Azure alone.",
        }
        for name, one in (job["properties"].get("services") or {}).items()
    }
