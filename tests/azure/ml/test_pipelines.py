"""Pipelines by the unmodified azure-ai-ml, from YAML and from Python, to their outputs, children and logs."""

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, Output, command, dsl, load_job
from azure.ai.ml.entities import Data, Environment, JobResourceConfiguration, PipelineJob
from azure.ai.ml.exceptions import JobException

from tests.azure.client import unique
from tests.azure.ml.harness import Team, cluster
from tests.azure.ml.pipelines import FOLDER, Step, children, completed, failures, run, steps, submitted
from tests.azure.ml.waiting import ended, log_text, streamed, until

ENVIRONMENT = Environment(name="none", image="python:3.11")
WIDE = "wide"


@pytest.fixture(scope="module", autouse=True)
def wide(team: Team) -> None:
    """A cluster of three nodes."""
    assert team.arm("PUT", f"/computes/{WIDE}", cluster(team.needs, most=3)).status_code in (200, 201)


@pytest.fixture
def step(tmp_path: Path) -> Step:
    """Makes components of shell commands."""
    return steps(tmp_path)


@pytest.fixture
def make(step: Step) -> Any:
    """A component that writes its inputs to a file."""
    return step(
        "make",
        "echo ${{inputs.count}} ${{inputs.word}} $[[--extra ${{inputs.extra}}]] > ${{outputs.out}}/made.txt",
        {
            "count": {"type": "integer"},
            "word": {"type": "string", "default": "plain"},
            "extra": {"type": "string", "optional": "true"},
        },
        {"out": FOLDER},
    )


@pytest.fixture
def use(step: Step) -> Any:
    """A component that reads such a file and writes it in capitals."""
    line = "cat ${{inputs.data}}/made.txt; tr a-z A-Z < ${{inputs.data}}/made.txt > ${{outputs.out}}/made.txt"
    return step("use", line, {"data": FOLDER}, {"out": FOLDER})


def downloaded(ml: MLClient, name: str, output: str, folder: Path) -> str:
    """The one file of an output."""
    ml.jobs.download(name, download_path=folder, output_name=output)
    (found,) = (path for path in (folder / "named-outputs").rglob("*") if path.is_file())
    return found.read_text()


class TestTwoSteps:
    @pytest.fixture
    def job(self, make: Any, use: Any) -> PipelineJob:
        @dsl.pipeline(None, name="two", compute=WIDE)
        def two(count: int, salt: str) -> Any:
            made = make(count=count, word=salt)
            used = use(data=made.outputs.out)
            return {"result": used.outputs.out}

        job: PipelineJob = two(count=7, salt=unique("s"))
        job.experiment_name = "pipes"
        return job

    def test_from_submission_to_the_outputs(self, ml: MLClient, team: Team, job: PipelineJob, tmp_path: Path) -> None:
        name, salt = completed(ml, team, job), job.inputs["salt"]._data
        listed = {one.display_name: one for one in ml.jobs.list(parent_job_name=name)}
        assert set(listed) == {"made", "used"}
        assert f"7 {salt}" in log_text(team, listed["used"].name)
        assert downloaded(ml, name, "result", tmp_path / "parent").split() == ["7", str(salt).upper()]
        made = ml.jobs.get(listed["made"].name)
        assert made.status == "Completed"
        ml.jobs.download(made.name, download_path=tmp_path / "child", all=True)
        assert (tmp_path / "child" / "named-outputs" / "out" / "made.txt").read_text().split() == ["7", salt]
        assert (tmp_path / "child" / "artifacts" / "user_logs" / "std_log.txt").exists()
        shown = ml.jobs.get(name)
        assert shown.experiment_name == "pipes"
        assert json.loads(shown.properties["azureml.parameters"]) == {"count": "7", "salt": salt}
        assert json.loads(shown.properties["azureml.pipelines.stages"])["Execution"]["Status"] == "Finished"

    def test_a_childs_record(self, ml: MLClient, team: Team, job: PipelineJob) -> None:
        name = completed(ml, team, job)
        parent, made = run(team, name), children(team, name)["made"]
        assert (made["parentRunId"], made["rootRunId"]) == (name, name)
        assert made["parentRunUuid"] == made["rootRunUuid"] == parent["runUuid"]
        assert (made["name"], made["runType"], made["target"]) == ("make", "azureml.StepRun", WIDE)
        assert made["dataContainerId"] == f"dcid.{made['runId']}"
        assert made["runTypeV2"]["orchestrator"] == "Execution" and "azureml.StepRun" in made["runTypeV2"]["traits"]
        assert made["compute"]["target"] == WIDE and made["computeRequest"] == {"nodeCount": 1, "gpuCount": 0}
        properties = made["properties"]
        assert properties["azureml.moduleName"] == "make" and properties["StepType"] == "PythonScriptStep"
        assert properties["azureml.pipelinerunid"] == properties["azureml.rootpipelinerunid"] == name
        assert len(properties["azureml.nodeid"]) == 8 and made["tags"]["azureml.nodeid"] == properties["azureml.nodeid"]
        arm = team.arm("GET", f"/jobs/{made['runId']}").json()
        assert arm["properties"] is None and arm["name"] == made["runId"]
        assert made["runId"] not in {one["name"] for one in team.arm("GET", "/jobs").json()["value"]}

    def test_streamed(self, ml: MLClient, job: PipelineJob, tmp_path: Path) -> None:
        shown = streamed(ml, submitted(ml, job), tmp_path / "heard")
        assert "Streaming logs/azureml/executionlogs.txt" in shown
        assert "Submitting 1 runs, first five are: made:" in shown and "node used: Completed" in shown

    def test_described_archived_and_restored(self, ml: MLClient, team: Team, job: PipelineJob) -> None:
        name = submitted(ml, job)
        job.name, job.tags = name, {"again": "yes"}
        assert ml.jobs.create_or_update(job).tags["again"] == "yes"  # the whole job a second time
        ended(team, name)
        ml.jobs.archive(name)
        assert name not in {one.name for one in ml.jobs.list() if one}
        ml.jobs.restore(name)
        assert name in {one.name for one in ml.jobs.list() if one}
        fetched = ml.jobs.get(name)
        fetched.display_name = "another name"
        assert ml.jobs.create_or_update(fetched).display_name == "another name"

    def test_deleted_with_its_children(self, ml: MLClient, team: Team, job: PipelineJob) -> None:
        name = completed(ml, team, job)
        child = children(team, name)["made"]["runId"]
        ml.jobs.begin_delete(name).wait()
        for one in (name, child):
            assert team.arm("GET", f"/jobs/{one}").status_code == 404
            assert team.plane("GET", "history/v1.0", f"/runs/{one}").status_code == 404


def test_yaml_with_inline_and_component_jobs(ml: MLClient, team: Team, make: Any, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "count.py").write_text("import sys; print('words', len(open(sys.argv[1]).read().split()))")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("a b c d")
    (tmp_path / "pipeline.yml").write_text(
        dedent(
            """
            type: pipeline
            display_name: from yaml
            settings: {default_compute: azureml:wide, continue_on_step_failure: false}
            inputs:
              text: {type: uri_folder, path: in, mode: download}
              number: 5
            jobs:
              made:
                component: make.yml
                inputs: {count: "${{parent.inputs.number}}"}
              counted:
                type: command
                code: src
                environment: {image: "python:3.11"}
                command: python count.py ${{inputs.text}}/a.txt && cat ${{inputs.before}}/made.txt
                environment_variables: {MARK: given}
                inputs:
                  text: ${{parent.inputs.text}}
                  before: ${{parent.jobs.made.outputs.out}}
            """
        )
    )
    name = completed(ml, team, load_job(tmp_path / "pipeline.yml"))
    text = log_text(team, children(team, name)["counted"]["runId"])
    assert "words 4" in text and "5 plain" in text
    properties = ml.jobs.get(name).properties
    assert properties["azureml.continue_on_step_failure"] == "False"
    assert properties["azureml.defaultComputeName"] == WIDE


class TestNested:
    @pytest.fixture
    def job(self, make: Any, use: Any) -> PipelineJob:
        @dsl.pipeline(None, name="inner")
        def inner(count: int, word: str = "inside") -> Any:
            made = make(count=count, word=word)
            return {"made": made.outputs.out}

        @dsl.pipeline(None, name="middle")
        def middle(count: int) -> Any:
            within = inner(count=count)
            used = use(data=within.outputs["made"])
            return {"used": used.outputs.out}

        @dsl.pipeline(None, name="outer", compute=WIDE)
        def outer(count: int) -> Any:
            deep = middle(count=count)
            last = use(data=deep.outputs["used"])
            return {"result": last.outputs.out, "halfway": deep.outputs["used"]}

        job: PipelineJob = outer(count=3)
        return job

    def test_outputs_and_runs_at_every_level(self, ml: MLClient, team: Team, job: PipelineJob, tmp_path: Path) -> None:
        name = completed(ml, team, job)
        assert downloaded(ml, name, "result", tmp_path / "a").split() == ["3", "INSIDE"]
        assert downloaded(ml, name, "halfway", tmp_path / "b").split() == ["3", "INSIDE"]
        deep = children(team, name)["deep"]
        assert (deep["status"], deep["rootRunId"], deep["runType"]) == ("Completed", name, "azureml.PipelineRun")
        within = children(team, deep["runId"])["within"]
        made = children(team, within["runId"])["made"]
        assert (made["parentRunId"], made["rootRunId"]) == (within["runId"], name)
        assert made["target"] == WIDE
        assert downloaded(ml, deep["runId"], "used", tmp_path / "c").split() == ["3", "INSIDE"]

    def test_a_registered_pipeline_component_is_a_job_too(self, ml: MLClient, team: Team, job: PipelineJob) -> None:
        registered = ml.components.create_or_update(job.component, version=unique("v"))
        assert registered.type == "pipeline"

        @dsl.pipeline(None, compute=WIDE)
        def around(count: int) -> Any:
            ml.components.get(registered.name, registered.version)(count=count)

        completed(ml, team, around(count=4))


class TestInputsThatAreNotGiven:
    @pytest.fixture
    def registered(self, ml: MLClient, make: Any) -> Any:
        """A pipeline component with an optional input and one that has a default."""

        @dsl.pipeline(None, name="free", version="1")
        def free(count: int = 5, extra: Input(type="string", optional=True) = None) -> Any:  # type: ignore[valid-type]
            made = make(count=count, extra=extra)
            return {"made": made.outputs.out}

        job: PipelineJob = free()
        return ml.components.create_or_update(job.component, version=unique("v"))

    def test_a_component_in_a_pipeline(self, ml: MLClient, team: Team, registered: Any, tmp_path: Path) -> None:
        free = ml.components.get(registered.name, registered.version)

        @dsl.pipeline(None, compute=WIDE)
        def around() -> Any:
            return {"without": free().outputs["made"], "given": free(extra="x").outputs["made"]}

        name = completed(ml, team, around())
        assert downloaded(ml, name, "without", tmp_path / "a") == "5 plain\n"
        assert downloaded(ml, name, "given", tmp_path / "b") == "5 plain --extra x\n"

    def test_a_component_as_a_job(self, ml: MLClient, team: Team, registered: Any) -> None:
        settings = {"default_compute": f"{team.id}/computes/{WIDE}"}
        name = unique("job")
        body = {"jobType": "Pipeline", "componentId": registered.id, "settings": settings, "jobs": {}}
        assert team.arm("PUT", f"/jobs/{name}", {"properties": body}).status_code == 201
        assert ended(team, name) == "Completed", failures(team, name)


def test_independent_steps_run_side_by_side_within_the_nodes(ml: MLClient, team: Team, step: Step) -> None:
    """Four steps of which each waits for two others would never end on less than three nodes."""
    mark = team.azure.sandbox.directory / unique("mark")
    meet = step(
        "meet",
        f"mkdir -p {mark}; touch {mark}/${{{{inputs.who}}}}; "
        f"until [ $(ls {mark} | wc -l) -ge 3 ]; do sleep 0.05; done; "
        f"ls {mark}",
        {"who": {"type": "string"}},
    )

    @dsl.pipeline(None, compute=WIDE)
    def four() -> None:
        for who in "abcd":
            meet(who=who)

    completed(ml, team, four())


class TestFailures:
    @pytest.fixture
    def parts(self, step: Step) -> tuple[Any, Any, Any]:
        fails = step("fails", "echo the reason; exit 3", {}, {"out": FOLDER})
        after = step("after", "ls ${{inputs.data}}", {"data": FOLDER})
        slow = step("slow", "sleep ${{inputs.seconds}}", {"seconds": {"type": "string"}})
        return fails, after, slow

    def test_other_steps_go_on_and_the_pipeline_fails(
        self, ml: MLClient, team: Team, parts: tuple[Any, Any, Any]
    ) -> None:
        fails, after, slow = parts

        @dsl.pipeline(None, compute=WIDE)
        def one_fails() -> None:
            broken = fails()
            after(data=broken.outputs.out)
            slow(seconds="1.2")

        name = submitted(ml, one_fails())
        assert ended(team, name) == "Failed"
        found = children(team, name)
        assert {node: one["status"] for node, one in found.items()} == {"broken": "Failed", "slow": "Completed"}
        assert "status code 3" in found["broken"]["error"]["error"]["message"]
        assert found["broken"]["error"]["componentName"] == "CommonRuntime"
        assert "broken" in run(team, name)["error"]["error"]["message"]
        with pytest.raises(JobException, match="broken"):
            ml.jobs.stream(name)

    def test_or_they_are_cancelled(self, ml: MLClient, team: Team, parts: tuple[Any, Any, Any]) -> None:
        fails, _, slow = parts

        @dsl.pipeline(None, compute=WIDE, continue_on_step_failure=False)
        def stops() -> None:
            slow(seconds="600")
            fails()

        name = submitted(ml, stops())
        assert ended(team, name) == "Failed"
        assert {node: one["status"] for node, one in children(team, name).items()} == {
            "fails": "Failed",
            "slow": "Canceled",
        }

    def test_cancelled_while_it_runs_at_every_level(
        self, ml: MLClient, team: Team, parts: tuple[Any, Any, Any]
    ) -> None:
        _, _, slow = parts

        @dsl.pipeline(None)
        def inner() -> None:
            slow(seconds="600")

        @dsl.pipeline(None, compute=WIDE)
        def outer() -> None:
            inner()
            slow(seconds="601")

        name = submitted(ml, outer())

        def running() -> bool:
            found = children(team, name)
            below = children(team, found["inner"]["runId"]) if "inner" in found else {}
            return [one["status"] for one in (*below.values(), found.get("slow", {"status": ""}))] == ["Running"] * 2

        until(running, "both steps")
        ml.jobs.begin_cancel(name).wait()
        assert ended(team, name) == "Canceled"
        found = children(team, name)
        assert {one["status"] for one in found.values()} == {"Canceled"}
        assert {one["status"] for one in children(team, found["inner"]["runId"]).values()} == {"Canceled"}

    def test_a_step_is_cancelled_alone(self, ml: MLClient, team: Team, parts: tuple[Any, Any, Any]) -> None:
        _, _, slow = parts

        @dsl.pipeline(None, compute=WIDE)
        def two() -> None:
            slow(seconds="600")

        name = submitted(ml, two())
        until(lambda: children(team, name).get("slow", {}).get("status") == "Running", "the step")
        ml.jobs.begin_cancel(children(team, name)["slow"]["runId"]).wait()
        assert ended(team, name) == "Failed"
        assert children(team, name)["slow"]["status"] == "Canceled"


class TestOutputs:
    def test_a_path_of_its_own_and_a_name(self, ml: MLClient, team: Team, make: Any, use: Any, tmp_path: Path) -> None:
        place, asset = unique("place"), unique("asset")

        @dsl.pipeline(None, compute=WIDE)
        def two() -> Any:
            made = make(count=1)
            made.outputs.out = Output(
                type="uri_folder",
                path=f"azureml://datastores/lake/paths/{place}/${{{{name}}}}/",
                name=asset,
                version="5",
            )
            used = use(data=made.outputs.out)
            return {"result": used.outputs.out}

        job = two()
        job.outputs["result"] = Output(type="uri_folder", path=f"azureml://datastores/lake/paths/{place}/result/")
        name = completed(ml, team, job)
        made = children(team, name)["made"]["runId"]
        registered = ml.data.get(asset, "5")
        assert str(registered.path).rstrip("/").endswith(f"/datastores/lake/paths/{place}/{made}")
        assert downloaded(ml, name, "result", tmp_path).split() == ["1", "PLAIN"]
        address = team.plane(
            "POST",
            "data/v1.0",
            "/dataversion/batchGetResolvedUris",
            {"values": [f"azureml://jobs/{name}/outputs/result"]},
        ).json()["values"]
        assert next(iter(address.values()))["uri"].rstrip("/").endswith(f"/datastores/lake/paths/{place}/result")

    def test_a_name_on_a_jobs_output(self, ml: MLClient, team: Team) -> None:
        """The version is the service's; it comes with success, and not without."""
        asset = unique("asset")

        def job(line: str) -> Any:
            outputs = {"d": Output(type="uri_folder", name=asset), "m": Output(type="custom_model", name=f"{asset}-m")}
            return command(command=line, environment=ENVIRONMENT, compute="cpu", outputs=outputs)

        failed = submitted(ml, job("exit 1"))
        assert ended(team, failed) == "Failed"
        assert team.arm("GET", f"/data/{asset}").status_code == 404
        done = submitted(ml, job("echo x > ${{outputs.d}}/x; echo m > ${{outputs.m}}/m"))
        assert ended(team, done) == "Completed"
        assert f"/paths/azureml/{done}/d" in str(ml.data.get(asset, label="latest").path)
        assert ml.models.get(f"{asset}-m", label="latest").job_name == done


@pytest.mark.parametrize("path", ["", "azureml://datastores/lake/paths/PLACE/"], ids=["default", "folder"])
def test_a_file_of_one_step_is_a_file_for_the_next(
    ml: MLClient, team: Team, step: Step, tmp_path: Path, path: str
) -> None:
    file = {"type": "uri_file"}
    write = step("write", f"echo {unique('s')} made > ${{{{outputs.out}}}}", outputs={"out": file})
    read = step("read", "tr a-z A-Z < ${{inputs.data}} > ${{outputs.out}}", {"data": file}, {"out": file})

    @dsl.pipeline(None, compute=WIDE)
    def two() -> Any:
        made = write()
        if path:
            made.outputs.out = Output(type="uri_file", path=path.replace("PLACE", unique("p")))
        return {"result": read(data=made.outputs.out).outputs.out}

    assert downloaded(ml, completed(ml, team, two()), "result", tmp_path).endswith("MADE\n")


def test_the_modes_of_a_components_file_are_the_steps(ml: MLClient, team: Team, step: Step, tmp_path: Path) -> None:
    modes = {"write": "rw_mount", "again": "upload"}
    read = {name: {**FOLDER, "mode": mode} for name, mode in {"a": "download", "b": "ro_mount"}.items()}
    write, again = (
        step(name, f"echo {name} > ${{{{outputs.out}}}}/x", outputs={"out": {**FOLDER, "mode": mode}})
        for name, mode in modes.items()
    )
    join = step("join", "cat ${{inputs.a}}/x ${{inputs.b}}/x > ${{outputs.out}}/x", read, {"out": FOLDER})

    @dsl.pipeline(None, compute=WIDE)
    def three() -> Any:
        return {"result": join(a=write().outputs.out, b=again().outputs.out).outputs.out}

    assert downloaded(ml, completed(ml, team, three()), "result", tmp_path) == "write\nagain\n"


def test_the_pipelines_name_of_an_output_counts(ml: MLClient, team: Team, step: Step) -> None:
    write = step("write", "echo x > ${{outputs.out}}/x", outputs={"out": FOLDER})
    inner, outer = unique("inner"), unique("outer")

    @dsl.pipeline(None, compute=WIDE)
    def one() -> Any:
        node = write()
        node.outputs.out.name, node.outputs.out.version = inner, "7"
        return {"result": node.outputs.out}

    job = one()
    output: Any = job.outputs["result"]
    output.name, output.version = outer, "8"
    completed(ml, team, job)
    assert ml.data.get(outer, "8")
    assert inner not in {data.name for data in ml.data.list()}


def test_the_output_called_artifacts_is_what_a_step_leaves_beside_its_code(
    ml: MLClient, team: Team, step: Step
) -> None:
    """As azureml-examples' hello-pipeline-default-artifacts has it."""
    write = step("write", "echo world > ./outputs/world.txt", outputs={"artifacts": FOLDER})
    read = step("read", "grep world ${{inputs.data}}/outputs/world.txt", {"data": FOLDER})

    @dsl.pipeline(None, compute=WIDE)
    def both() -> None:
        read(data=write().outputs.artifacts)

    completed(ml, team, both())


class TestReuse:
    @pytest.fixture
    def job(self, make: Any, use: Any) -> Any:
        salt = unique("s")

        @dsl.pipeline(None, compute=WIDE)
        def two(count: int = 1) -> Any:
            made = make(count=count, word=salt)
            used = use(data=made.outputs.out)
            return {"result": used.outputs.out}

        return two

    def test_equal_steps_are_not_run_again(self, ml: MLClient, team: Team, job: Any, tmp_path: Path) -> None:
        first, second = completed(ml, team, job()), completed(ml, team, job())
        before, after = children(team, first), children(team, second)
        for node in ("made", "used"):
            properties = after[node]["properties"]
            assert properties["azureml.isreused"] == "true"
            assert properties["azureml.reusedrunid"] == before[node]["runId"]
            assert properties["azureml.reusedpipelinerunid"] == properties["azureml.reusedpipeline"] == first
            assert properties["azureml.reusednodeid"] == before[node]["properties"]["azureml.nodeid"]
            assert after[node]["dataContainerId"] == before[node]["dataContainerId"]
            assert after[node]["runTypeV2"]["traits"] == ["azureml.StepRun"] and after[node]["compute"] is None
            assert log_text(team, after[node]["runId"]) == log_text(team, before[node]["runId"])
        assert downloaded(ml, second, "result", tmp_path / "a") == downloaded(ml, first, "result", tmp_path / "b")
        assert downloaded(ml, after["used"]["runId"], "out", tmp_path / "c")
        third = children(team, completed(ml, team, job()))
        assert third["made"]["properties"]["azureml.reusedrunid"] == before["made"]["runId"]

    def test_another_input_runs_again_and_what_follows(self, ml: MLClient, team: Team, job: Any) -> None:
        completed(ml, team, job())
        assert not _reused(team, completed(ml, team, job(count=2)))

    def test_a_forced_run_neither_reuses_nor_is_reused(self, ml: MLClient, team: Team, job: Any) -> None:
        forced = job()
        forced.settings.force_rerun = True
        first = completed(ml, team, forced)
        assert ml.jobs.get(first).properties["azureml.enforceRerun"] == "True"
        assert not _reused(team, completed(ml, team, job()))
        assert not _reused(team, completed(ml, team, forced))
        assert len(_reused(team, completed(ml, team, job()))) == 2

    def test_a_step_that_is_not_deterministic(self, ml: MLClient, team: Team, step: Step) -> None:
        once = step("once", "date", is_deterministic="false")

        @dsl.pipeline(None, compute=WIDE)
        def one() -> None:
            once()

        completed(ml, team, one())
        assert not _reused(team, completed(ml, team, one()))

    def test_equal_steps_of_one_pipeline_run_once(self, ml: MLClient, team: Team, step: Step) -> None:
        slow = step("slow", f"sleep 0.5; echo {unique('x')}")

        @dsl.pipeline(None, compute=WIDE)
        def twice() -> None:
            slow()
            slow()

        name = completed(ml, team, twice())
        assert len(_reused(team, name)) == 1

    def test_equal_steps_of_components_with_other_names(self, ml: MLClient, team: Team, step: Step) -> None:
        line = f"sleep 0.5; echo {unique('x')}"
        one, other = step("one", line), step("other", line)

        @dsl.pipeline(None, compute=WIDE)
        def both() -> None:
            one()
            other()

        assert len(_reused(team, completed(ml, team, both()))) == 1

    def test_a_failed_step_is_not_reused(self, ml: MLClient, team: Team, step: Step) -> None:
        mark = team.azure.sandbox.directory / unique("mark")
        once = step("once", f"[ -e {mark} ] || {{ touch {mark}; exit 1; }}")

        @dsl.pipeline(None, compute=WIDE)
        def one() -> None:
            once()

        assert ended(team, submitted(ml, one())) == "Failed"
        assert not _reused(team, completed(ml, team, one()))


def _reused(team: Team, name: str) -> list[str]:
    found = children(team, name)
    return [node for node, one in found.items() if one["properties"].get("azureml.isreused") == "true"]


def test_bindings_in_settings_and_texts(ml: MLClient, team: Team, step: Step, tmp_path: Path) -> None:
    """Compute, instances, variables, a literal that is made of several, and a path with an input in it."""
    show = step(
        "show",
        "echo ${{inputs.text}} $MARK $AZUREML_NODE_COUNT; cat ${{inputs.data}}",
        {"text": {"type": "string"}, "data": {"type": "uri_file"}},
        resources={"instance_count": 1},
    )
    (tmp_path / "in.txt").write_text("content")
    uploaded = ml.data.create_or_update(Data(name=unique("data"), path=str(tmp_path / "in.txt"), type="uri_file"))

    @dsl.pipeline(None)
    def bound(where: str, nodes: int, mark: str, data: Input) -> None:
        shown = show(text=mark, data=data)
        shown.compute = where
        nodes_binding: Any = "${{parent.inputs.nodes}}"  # the client takes no input of Python's here
        shown.resources = JobResourceConfiguration(instance_count=nodes_binding)
        shown.environment_variables = {"MARK": "${{parent.inputs.mark}}"}

    job = bound(where=WIDE, nodes=2, mark="hello", data=Input(type="uri_file", path=uploaded.id))
    name = completed(ml, team, job)
    text = log_text(team, children(team, name)["shown"]["runId"])
    assert "hello hello 2" in text and "content" in text


def test_distribution_in_a_component(ml: MLClient, team: Team, step: Step) -> None:
    ranks = step(
        "ranks",
        "echo rank $RANK of $WORLD_SIZE",
        distribution={"type": "pytorch", "process_count_per_instance": 2},
        resources={"instance_count": 2},
    )

    @dsl.pipeline(None, compute=WIDE)
    def one() -> None:
        ranks()

    name = completed(ml, team, one())
    files = team.plane("GET", "history/v1.0", f"/runs/{children(team, name)['ranks']['runId']}/details").json()
    assert len([file for file in files["logFiles"] if "std_log_process" in file]) == 4


def test_on_serverless_compute(ml: MLClient, team: Team, step: Step) -> None:
    job = command(command="echo on $AZUREML_NODE_COUNT", environment=ENVIRONMENT)
    name = submitted(ml, job)
    assert team.arm("GET", f"/jobs/{name}").json()["properties"]["computeId"] is None
    assert ended(team, name) == "Completed"
    assert "on 1" in log_text(team, name)
    once = step("once", "echo serverless", is_deterministic="false")

    @dsl.pipeline(None, default_compute="serverless")
    def one() -> None:
        once()

    completed(ml, team, one())
