"""Pipelines by the unmodified azure-ai-ml, from YAML and from Python, to their outputs, children and logs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient, dsl, load_component
from azure.ai.ml.entities import Environment, PipelineJob

from tests.azure.client import unique
from tests.azure.ml.harness import Team, cluster
from tests.azure.ml.waiting import details, ended, log_text

ENVIRONMENT = Environment(name="none", image="python:3.11")
Step = Callable[..., Any]


@pytest.fixture(scope="module")
def wide(team: Team) -> str:
    """A cluster of three nodes."""
    assert team.arm("PUT", "/computes/wide", cluster(team.needs, most=3)).status_code in (200, 201)
    return "wide"


@pytest.fixture
def step(tmp_path: Path) -> Step:
    """A component of a shell command; `inputs` and `outputs` by their types."""

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
        path = tmp_path / f"{name}.yml"
        path.write_text(str(fields))  # YAML takes Python's notation of such a dictionary, but for True and None
        return load_component(path)

    return make


def children(ml: MLClient, name: str) -> dict[str, Any]:
    return {one.display_name: one for one in ml.jobs.list(parent_job_name=name)}


def run(team: Team, name: str) -> dict[str, Any]:
    found: dict[str, Any] = team.plane("GET", "history/v1.0", f"/runs/{name}").json()
    return found


class TestTwoSteps:
    """One pipeline with a binding of every kind."""

    @pytest.fixture
    def job(self, step: Step, wide: str) -> PipelineJob:
        make = step(
            "make",
            "echo ${{inputs.count}} ${{inputs.word}} $[[--extra ${{inputs.extra}}]] > ${{outputs.out}}/made.txt",
            {
                "count": {"type": "integer"},
                "word": {"type": "string", "default": "plain"},
                "extra": {"type": "string", "optional": "true"},
            },
            {"out": {"type": "uri_folder"}},
        )
        use = step(
            "use",
            "cat ${{inputs.data}}/made.txt; tr a-z A-Z < ${{inputs.data}}/made.txt > ${{outputs.out}}/used.txt",
            {"data": {"type": "uri_folder"}},
            {"out": {"type": "uri_folder"}},
        )

        @dsl.pipeline(None, name="two", compute=wide)
        def two(count: int, salt: str) -> Any:
            made = make(count=count, word=salt)
            used = use(data=made.outputs.out)
            return {"result": used.outputs.out}

        job: PipelineJob = two(count=7, salt=unique("s"))
        return job

    def test_from_submission_to_the_outputs(self, ml: MLClient, team: Team, job: PipelineJob, tmp_path: Path) -> None:
        name = str(ml.jobs.create_or_update(job, experiment_name="pipes").name)
        assert ended(team, name) == "Completed", details(team, name)
        made, used = (children(ml, name)[one] for one in ("made", "used"))
        assert "7 " in log_text(team, used.name)
        ml.jobs.download(name, download_path=tmp_path / "parent", output_name="result")
        (result,) = (tmp_path / "parent").rglob("used.txt")
        salt = job.inputs["salt"]._data
        assert result.read_text().split() == ["7", str(salt).upper()]
        ml.jobs.download(made.name, download_path=tmp_path / "child", all=True)
        assert (tmp_path / "child" / "named-outputs" / "out" / "made.txt").read_text().split() == ["7", salt]
        assert (made.status, ml.jobs.get(made.name).status) == ("Completed", "Completed")
        record = run(team, used.name)
        assert (record["parentRunId"], record["rootRunId"], record["runType"]) == (name, name, "azureml.StepRun")
        shown = ml.jobs.get(name)
        assert shown.properties["azureml.parameters"] == f'{{"count":"7","salt":"{salt}"}}'
        assert shown.properties["azureml.pipelines.stages"].endswith('"Status":"Finished"}}')
