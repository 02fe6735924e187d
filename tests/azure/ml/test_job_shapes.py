"""The keys of jobs as the service sends them, by api-version, with null for what is unset.

Source: recordings of azure-ai-ml's command and pipeline jobs, listed in docs/fidelity/ml.md.
"""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.azure.client import unique
from tests.azure.ml.harness import Team, command_job
from tests.azure.ml.pipelines import arm_component, arm_pipeline, run
from tests.azure.ml.waiting import ended

EARLY, LATE = "2024-01-01-preview", "2025-01-01-preview"
JOB = {
    "description",
    "tags",
    "properties",
    "displayName",
    "status",
    "experimentName",
    "services",
    "computeId",
    "isArchived",
    "identity",
    "componentId",
    "notificationSetting",
    "jobType",
    "inputs",
    "outputs",
}
COMMAND = JOB | {
    "resources",
    "codeId",
    "command",
    "environmentId",
    "distribution",
    "limits",
    "environmentVariables",
    "parameters",
    "queueSettings",
}
RESOURCES = {"instanceCount", "instanceType", "properties", "shmSize", "dockerArgs"}
# What a version has beside these: of the job, its resources, inputs of data, outputs, queue settings.
MORE: dict[str, tuple[set[str], ...]] = {
    EARLY: (
        {"secretsConfiguration", "autologgerSettings"},
        {"maxInstanceCount", "locations"},
        {"pathOnCompute"},
        {"assetVersion", "pathOnCompute", "autoDeleteSetting"},
        {"priority"},
    ),
    LATE: ({"parentJobName"}, {"dockerArgsList"}, set(), set(), set()),
}
SERVICE = {"jobServiceType", "port", "endpoint", "status", "errorMessage", "properties", "nodes"}


def submit(team: Team, api: str) -> Any:
    inputs = {
        "d": {"jobInputType": "uri_folder", "uri": "azureml://datastores/lake/paths/x", "mode": "Direct"},
        "l": {"jobInputType": "literal", "value": "1"},
    }
    properties = command_job(team, inputs=inputs, outputs={"o": {"jobOutputType": "uri_folder"}})
    return team.arm("PUT", f"/jobs/{unique('job')}", {"properties": properties}, api)


@pytest.mark.parametrize("api", [EARLY, LATE])
def test_a_command_job(keyed_team: Team, api: str) -> None:
    more, resources, data, output, queue = MORE[api]
    made = submit(keyed_team, api)
    assert made.status_code == 201
    assert made.headers["Location"].endswith(f"/jobs/{made.json()['name']}?api-version={api}")
    assert set(made.json()["systemData"]) == {"createdAt", "createdBy", "createdByType"}
    job = made.json()["properties"]
    assert set(job) == COMMAND | more
    assert set(job["resources"]) == RESOURCES | resources
    assert (job["resources"]["instanceCount"], job["resources"]["shmSize"]) == (1, "2g")
    assert job["queueSettings"] == {"jobTier": "Null", **dict.fromkeys(queue)}
    assert set(job["inputs"]["d"]) == {"description", "uri", "mode", "jobInputType"} | data
    assert set(job["inputs"]["l"]) == {"description", "value", "jobInputType"}
    for one in (job["outputs"]["o"], job["outputs"]["default"]):
        assert set(one) == {"description", "uri", "assetName", "mode", "jobOutputType"} | output
    assert {name: set(one) for name, one in job["services"].items()} == {"Tracking": SERVICE, "Studio": SERVICE}
    assert job["properties"]["_azureml.ClusterName"] == "cpu"
    assert [job[key] for key in ("codeId", "distribution", "limits", "identity", "componentId")] == [None] * 5
    assert "StartTimeUtc" not in job["properties"]
    ended(keyed_team, made.json()["name"])
    shown = keyed_team.arm("GET", f"/jobs/{made.json()['name']}", api=api).json()["properties"]["properties"]
    shown_run = run(keyed_team, made.json()["name"])
    for name in ("StartTimeUtc", "EndTimeUtc"):
        time = datetime.strptime(shown[name], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        assert time == datetime.fromisoformat(shown_run[f"{name[0].lower()}{name[1:]}"]).replace(microsecond=0)
    assert re.fullmatch(r"00:00:\d\d\.\d{7}", shown_run["duration"])
    assert shown_run["runNumber"] == int(datetime.fromisoformat(shown_run["createdUtc"]).timestamp())


def test_what_the_service_adds_to_headers(team: Team) -> None:
    answers = [team.arm("GET", "/jobs"), team.arm("GET", "/jobs/none")]
    assert [one.headers["x-ms-response-type"] for one in answers] == ["standard", "error"]
    assert all(float(one.headers["x-request-time"]) >= 0 for one in answers)


def test_a_pipeline_job(keyed_team: Team) -> None:
    made = arm_pipeline(
        keyed_team, {"a": arm_component(keyed_team, "true")}, outputs={"o": {"jobOutputType": "mltable"}}
    )
    job = made.json()["properties"]
    assert set(job) == JOB | {"secretsConfiguration", "settings", "jobs", "sourceJobId"}
    assert set(job["outputs"]) == {"o"}  # and no default one
    assert job["sourceJobId"] is job["componentId"] is None
    ended(keyed_team, made.json()["name"])
    refused = keyed_team.arm("POST", f"/jobs/{made.json()['name']}/cancel")
    assert refused.status_code == 400
    assert refused.json()["error"]["message"].endswith("is in terminal status, it can't be canceled.")
