"""Components, pipelines and their runs for tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from azure.ai.ml import MLClient, load_component

from tests.azure.client import unique
from tests.azure.ml.harness import Team, bare_environment
from tests.azure.ml.waiting import below, details, ended

FOLDER = {"type": "uri_folder"}
Step = Callable[..., Any]


def steps(folder: Path) -> Step:
    """Makes components of shell commands; inputs and outputs by name, with their declarations."""

    def make(name: str, line: str, inputs: Any = None, outputs: Any = None, **more: Any) -> Any:
        fields = {
            "type": "command",
            "name": name,
            "version": "1",
            "command": line,
            "environment": {"image": "python:3.11"},
            "inputs": inputs or {},
            "outputs": outputs or {},
            **more,
        }
        path = folder / f"{name}.yml"
        path.write_text(str(fields))  # YAML takes Python's notation of such a dictionary, but for True and None
        return load_component(path)

    return make


def submitted(ml: MLClient, job: Any) -> str:
    return str(ml.jobs.create_or_update(job).name)


def completed(ml: MLClient, team: Team, job: Any) -> str:
    """The name of a pipeline that was submitted and completed."""
    name = submitted(ml, job)
    assert ended(team, name) == "Completed", failures(team, name)
    return name


def children(team: Team, name: str) -> dict[str, dict[str, Any]]:
    """The runs of a pipeline's nodes, by the nodes' names."""
    return {one["displayName"]: one for one in below(team, name)}


def failures(team: Team, name: str) -> list[Any]:
    """Why a pipeline and its steps failed."""
    found = [details(team, name)["error"], *(one["error"] for one in children(team, name).values())]
    return [one["error"]["message"] for one in found if one]


def run(team: Team, name: str) -> dict[str, Any]:
    """A run as run history shows it."""
    found: dict[str, Any] = team.plane("GET", "history/v1.0", f"/runs/{name}").json()
    return found


def arm_component(team: Team, line: str, **spec: Any) -> str:
    """A component made by a plain request; gives its id."""
    name = unique("c")
    body = {
        "name": name,
        "type": "command",
        "command": line,
        "environment": f"azureml:{bare_environment(team)}",
        "is_deterministic": False,
        **spec,
    }
    made = team.arm("PUT", f"/components/{name}/versions/1", {"properties": {"componentSpec": body}})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def arm_pipeline(team: Team, jobs: dict[str, Any], **properties: Any) -> Any:
    """Submits a pipeline by a plain request; the nodes' bodies by their names, or only their components' ids."""
    nodes = {
        name: {"name": name, "type": "command", **({"componentId": node} if isinstance(node, str) else node)}
        for name, node in jobs.items()
    }
    body = {"jobType": "Pipeline", "jobs": nodes, "computeId": f"{team.id}/computes/cpu", **properties}
    return team.arm("PUT", f"/jobs/{unique('job')}", {"properties": body}, "2024-01-01-preview")
