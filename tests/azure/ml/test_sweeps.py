"""Sweeps by the unmodified azure-ai-ml and by plain requests: from the search space to the best trial's outputs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, Output, command, dsl
from azure.ai.ml.entities import Environment
from azure.ai.ml.sweep import BanditPolicy, Choice, GridSamplingAlgorithm, RandomSamplingAlgorithm, Uniform

from tests.azure.client import Client, error, unique
from tests.azure.ml.harness import Team, bare_environment, cluster
from tests.azure.ml.pipelines import Step, children, completed, run, steps, submitted
from tests.azure.ml.shapes import CREATED, GUID, differences
from tests.azure.ml.waiting import below, details, ended, log_text, status, streamed, until

HERE = Path(__file__).parent
NODES = "trials"
API = "2024-01-01-preview"
LR = ["uniform", [0.001, 0.1]]


@pytest.fixture(scope="module", autouse=True)
def nodes(team: Team) -> None:
    """A cluster of three nodes."""
    assert team.arm("PUT", f"/computes/{NODES}", cluster(team.needs, most=3)).status_code in (200, 201)


@pytest.fixture
def step(tmp_path: Path) -> Step:
    """Makes components of shell commands."""
    return steps(tmp_path)


def sweep(line: str, search: dict[str, Any], *, total: int = 4, at_once: int = 2, **more: Any) -> Any:
    """A sweep of a command that has `score.py` beside it."""
    base = command(
        code=str(HERE / "scripts"),
        command=line,
        environment=Environment(name="none", image="python:3.11"),
        compute=NODES,
        inputs=more.pop("inputs", {}),
        outputs=more.pop("outputs", {}),
        experiment_name="sweeps",
    )
    made = base(**search).sweep(
        **{"sampling_algorithm": "random", "goal": "maximize", "primary_metric": "score", **more}
    )
    made.set_limits(max_total_trials=total, max_concurrent_trials=at_once, timeout=600)
    return made


def body(team: Team, line: str, space: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A standalone sweep as it is sent."""
    properties = {
        "jobType": "Sweep",
        "computeId": f"{team.id}/computes/{NODES}",
        "searchSpace": space,
        "samplingAlgorithm": {"samplingAlgorithmType": "Random"},
        "limits": {"jobLimitsType": "Sweep", "maxTotalTrials": 2, "maxConcurrentTrials": 10, "timeout": "PT5M"},
        "objective": {"goal": "maximize", "primaryMetric": "score"},
        "trial": {
            "command": line,
            "environmentId": bare_environment(team),
            "environmentVariables": {},
        },
        "inputs": {},
        "outputs": {},
        **more,
    }
    return {"properties": properties}


def put(team: Team, sent: dict[str, Any], name: str = "") -> Any:
    return team.arm("PUT", f"/jobs/{name or unique('sweep')}", sent, API)


def trials(team: Team, name: str) -> dict[str, dict[str, Any]]:
    """The trials' runs by name."""
    return {one["runId"]: one for one in below(team, name)}


def hyperdrive_log(team: Team, name: str) -> str:
    return team.azure.session.get(details(team, name)["logFiles"]["azureml-logs/hyperdrive.txt"]).text


class TestByTheClient:
    def test_from_submission_to_the_best_trials_output(self, ml: MLClient, team: Team, tmp_path: Path) -> None:
        line = (
            "echo ${{search_space.k}} ${{inputs.word}} > ${{outputs.model}}/k.txt; mkdir -p outputs; "
            "echo ${{search_space.k}} > outputs/k.txt; python score.py score nan -inf 0.1 0.${{search_space.k}}"
        )
        job = sweep(
            line,
            {"k": Choice([3, 7, 5])},
            inputs={"word": "hello", "k": 1},
            outputs={"model": Output(type="uri_folder")},
            sampling_algorithm=GridSamplingAlgorithm(),
        )
        made = ml.jobs.create_or_update(job)
        name = str(made.name)
        assert made.status == "Running"
        assert ended(team, name) == "Completed", details(team, name)
        found = ml.jobs.get(name)
        assert found.properties["best_child_run_id"] == f"{name}_1" and found.properties["score"] == "0.7"
        assert found.properties["best_metric_status"] == "Succeeded" and found.properties["space_size"] == "3"
        assert found.properties["best_data_container_id"] == f"dcid.{name}_1"
        assert found.tags["_aml_system_all_jobs_generated"] == "true"
        assert found.tags["_aml_system_samples_generated_count"] == "3"
        assert json.loads(found.tags[f"{name}_1"]) == {"k": 7}
        listed = {one.name: one for one in ml.jobs.list(parent_job_name=name)}
        assert set(listed) == {f"{name}_{number}" for number in range(3)}
        trial = ml.jobs.get(f"{name}_1")
        assert trial.type == "command" and trial.status == "Completed"
        names = {one.name for one in ml.jobs.list() if one}
        assert name in names and trial.name not in names
        ml.jobs.download(name, download_path=tmp_path, all=True)
        assert (tmp_path / "named-outputs" / "model" / "k.txt").read_text() == "7 hello\n"
        assert (tmp_path / "artifacts" / "outputs" / "k.txt").read_text() == "7\n"
        assert "Completed" in (tmp_path / "hd-artifacts" / "azureml-logs" / "hyperdrive.txt").read_text()

    def test_streamed(self, ml: MLClient, tmp_path: Path) -> None:
        job = sweep("python score.py score 1; sleep 2", {"lr": Uniform(0, 1)}, total=2, inputs={"lr": 0.1})
        shown = streamed(ml, submitted(ml, job), tmp_path / "heard")
        assert "Streaming azureml-logs/hyperdrive.txt" in shown
        assert re.search(r"\[SCHEDULER\]\[INFO\]Scheduling job, id='\S+_0'", shown)

    def test_with_mlflow(self, ml: MLClient, team: Team) -> None:
        """A script that begins and ends its run by MLflow's own client."""
        script = (
            "import mlflow, sys\nwith mlflow.start_run():\n  mlflow.log_param('lr', sys.argv[1])\n"
            "  mlflow.log_metric('loss', float(sys.argv[1]))"
        )
        base = command(
            command=f'python -c "{script}" ${{{{inputs.lr}}}}',
            environment=Environment(name="plain", image="unused", conda_file=HERE / "environments" / "plain.yml"),
            compute=NODES,
            inputs={"lr": 0.1},
        )
        sobol: Any = RandomSamplingAlgorithm(rule="sobol", seed=3)
        job = base(lr=Uniform(min_value=0.2, max_value=0.9)).sweep(
            sampling_algorithm=sobol, goal="minimize", primary_metric="loss"
        )
        job.set_limits(max_total_trials=3, max_concurrent_trials=3)
        name = submitted(ml, job)
        assert ended(team, name) == "Completed", details(team, name)
        values = {one: json.loads(text)["lr"] for one, text in ml.jobs.get(name).tags.items() if one.startswith(name)}
        best = min(values, key=lambda one: values[one])
        found = ml.jobs.get(name).properties
        assert found["best_child_run_id"] == best and float(found["score"]) == pytest.approx(values[best])
        assert len(values) == 3 and all(0.2 <= one <= 0.9 for one in values.values())

    def test_early_termination(self, ml: MLClient, team: Team) -> None:
        """The good trial is done before the poor one, which would last for ever, logs its first value."""
        line = (
            "if [ ${{search_space.k}} = 9 ]; then python score.py score 0.9; else python score.py score 0.1 --hold; fi"
        )
        job = sweep(
            line,
            {"k": Choice([9, 1])},
            at_once=1,
            sampling_algorithm="grid",
            inputs={"k": 1},
            early_termination_policy=BanditPolicy(slack_factor=0.2, evaluation_interval=1),
        )
        name = submitted(ml, job)
        assert ended(team, name) == "Completed", details(team, name)
        found = trials(team, name)
        assert [found[f"{name}_{number}"]["status"] for number in range(2)] == ["Completed", "Canceled"]
        assert f"cancels the job, id='{name}_1'" in hyperdrive_log(team, name)
        assert ml.jobs.get(name).properties["best_child_run_id"] == f"{name}_0"

    def test_cancelled(self, ml: MLClient, team: Team) -> None:
        name = submitted(ml, sweep("sleep 600", {"k": Choice([1, 2])}, inputs={"k": 1}))
        until(lambda: status(team, f"{name}_0") == "Running", "the first trial")
        ml.jobs.begin_cancel(name).result()
        assert ended(team, name) == "Canceled"
        assert {one["status"] for one in trials(team, name).values()} == {"Canceled"}
        assert len(trials(team, name)) == 2  # no other began
        assert ml.jobs.get(name).tags["_aml_system_cancellation_requested"] == "true"

    def test_a_node_of_a_pipeline(self, ml: MLClient, team: Team, step: Step) -> None:
        """The component's input is the hyperparameter; the best trial's output goes on to the next step."""
        train = step(
            "train",
            "echo $[[--k ${{inputs.k}}]] ${{inputs.word}} > ${{outputs.model}}/k.txt; "
            "python score.py score 0.${{inputs.k}}",
            {"k": {"type": "integer", "optional": "true"}, "word": {"type": "string"}},
            {"model": {"type": "uri_folder"}},
            code=str(HERE / "scripts"),
        )
        read = step("read", "cat ${{inputs.model}}/k.txt", {"model": {"type": "uri_folder"}})

        @dsl.pipeline(None, compute=NODES)
        def tuned(word: str) -> Any:
            trial = train(k=Choice([2, 8, 5]), word=word)
            search = trial.sweep(primary_metric="score", goal="maximize", sampling_algorithm="grid")
            search.set_limits(max_total_trials=3, max_concurrent_trials=3, timeout=600)
            read(model=search.outputs.model)
            return {}

        name = completed(ml, team, tuned(word=unique("w")))
        found = children(team, name)
        assert set(found) == {"search", "read"}
        search = found["search"]["runId"]
        assert found["search"]["properties"]["best_child_run_id"] == f"{search}_1"
        assert found["search"]["properties"]["azureml.runsource"] == "hyperdrive"
        assert {one["rootRunId"] for one in trials(team, search).values()} == {name}
        assert "--k 8" in log_text(team, found["read"]["runId"])


class TestRequests:
    def test_what_a_put_answers(self, team: Team) -> None:
        """sweep_job/…test_sweep_job_await_completion, …test_sweep_job_submit_with_inputs, 2026-03"""
        name = unique("sweep")
        inputs = {"n": {"jobInputType": "literal", "value": "9"}}
        sent = body(team, "echo ${{search_space.lr}} ${{inputs.n}}", {"lr": LR}, inputs=inputs)
        made = put(team, sent, name)
        assert made.status_code == 201, made.text
        unset = dict.fromkeys(("maxInstanceCount", "instanceType", "locations", "properties", "dockerArgs"))
        resources = {"instanceCount": 1, "shmSize": "2g", **unset}
        short = team.id.replace("resourceGroups", "resourcegroups").replace(
            "/providers/Microsoft.MachineLearningServices", ""
        )
        service = {"endpoint": f"https://ml.azure.com/runs/{name}?wsid={short}", "jobServiceType": "Studio"}
        metric = '{"name":"score","goal":"maximize"}'
        expected = {
            "id": f"{team.id}/jobs/{name}",
            "name": name,
            "type": "Microsoft.MachineLearningServices/workspaces/jobs",
            "systemData": CREATED,
            "properties": {
                "description": None,
                "tags": {
                    "_aml_system_max_concurrent_jobs": "10",
                    "_aml_system_max_total_jobs": "2",
                    "_aml_system_max_duration_minutes": "5",
                    "_aml_system_policy_config": '{"name":"Default","properties":{}}',
                    "_aml_system_generator_config": '{"name":"RANDOM","parameter_space":{"lr":["uniform",[0.001,0.1]]},'
                    '"properties":{"rule":"Random","logbase":null,"seed":null}}',
                    "_aml_system_primary_metric_config": metric,
                    "_aml_system_platform_config": re.compile(r"\{.*\}"),
                    "_aml_system_resume_child_runs": "null",
                    "_aml_system_all_jobs_generated": "false",
                    "_aml_system_cancellation_requested": "false",
                    "_aml_system_samples_generated_count": "0",
                },
                "properties": {
                    "primary_metric_config": metric,
                    "resume_from": "null",
                    "runTemplate": "HyperDrive",
                    "azureml.runsource": "hyperdrive",
                    "platform": "AML",
                    "ContentSnapshotId": GUID,
                    "user_agent": str,
                },
                "displayName": name,
                "status": "Running",
                "experimentName": "Default",
                "services": {
                    "Studio": {
                        **dict.fromkeys(("port", "status", "errorMessage", "properties", "nodes")),
                        **service,
                    }
                },
                "computeId": f"{team.id}/computes/{NODES}",
                "isArchived": False,
                **dict.fromkeys(("identity", "componentId", "notificationSetting", "secretsConfiguration")),
                "jobType": "Sweep",
                "searchSpace": {"lr": LR},
                "samplingAlgorithm": {
                    "samplingAlgorithmType": "Random",
                    "seed": None,
                    "logbase": None,
                    "rule": "Random",
                },
                "limits": {
                    "timeout": "PT5M",
                    "jobLimitsType": "Sweep",
                    "maxTotalTrials": 2,
                    "maxConcurrentTrials": 10,
                    "trialTimeout": None,
                },
                "earlyTermination": None,
                "objective": {"primaryMetric": "score", "goal": "Maximize"},
                "trial": {
                    "codeId": None,
                    "command": "echo ${{search_space.lr}} ${{inputs.n}}",
                    "environmentId": bare_environment(team),
                    "environmentVariables": {},
                    "distribution": None,
                    "resources": resources,
                },
                "inputs": {"n": {"description": None, "jobInputType": "literal", "value": "9"}},
                "outputs": {},
                "queueSettings": {"jobTier": "Null", "priority": None},
                "resources": resources,
                "componentConfiguration": None,
            },
        }
        wrong = differences(expected, made.json())
        assert not wrong, "\n".join(wrong)
        assert put(team, sent, name).status_code == 200  # the same again changes nothing
        changed = put(team, body(team, "echo", {"lr": LR}), name)
        assert error(changed) == (400, "UserError") and "cannot be changed" in changed.text
        assert ended(team, name) == "Completed"

    def test_the_policys_tag(self, team: Team) -> None:
        """sweep_job/…test_sweep_job_submit, 2026-03"""
        policy = {
            "policyType": "TruncationSelection",
            "evaluationInterval": 100,
            "delayEvaluation": 200,
            "truncationPercentage": 40,
        }
        made = put(team, body(team, "true", {"lr": LR}, earlyTermination=policy)).json()["properties"]
        assert made["tags"]["_aml_system_policy_config"] == (
            '{"name":"TruncationSelection","properties":{"evaluation_interval":100,"delay_evaluation":200,'
            '"truncation_percentage":40,"exclude_finished_jobs":false}}'
        )
        assert made["earlyTermination"] == policy

    def test_the_curated_environment_is_resolved(self, team: Team) -> None:
        """sweep_job/…test_sweep_job_await_completion, 2026-03"""
        curated = "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu"
        sent = body(team, "true", {"lr": LR})
        sent["properties"]["trial"]["environmentId"] = f"azureml:{curated}:33"
        made = put(team, sent).json()
        team.arm("POST", f"/jobs/{made['name']}/cancel")
        found = made["properties"]["trial"]["environmentId"]
        assert found == f"{team.id}/environments/{curated}/versions/33"

    def test_trials_that_all_fail(self, team: Team) -> None:
        name = put(team, body(team, "exit 3", {"lr": LR})).json()["name"]
        assert ended(team, name) == "Failed"
        assert "at least one of the child runs" in details(team, name)["error"]["error"]["message"]
        assert "best_child_run_id" not in run(team, name)["properties"]

    def test_time_limits(self, team: Team) -> None:
        limits = {"jobLimitsType": "Sweep", "maxTotalTrials": 3, "maxConcurrentTrials": 1}
        sent = body(team, "sleep 600", {"lr": LR}, limits={**limits, "maxTotalTrials": 1, "trialTimeout": "PT1S"})
        short = put(team, sent).json()["name"]
        whole = put(team, body(team, "sleep 600", {"lr": LR}, limits={**limits, "timeout": "PT2S"})).json()["name"]
        assert ended(team, short) == "Completed"
        assert "time limit of PT1S" in details(team, f"{short}_0")["error"]["error"]["message"]
        assert ended(team, whole) == "Canceled"
        assert "time limit of PT2S" in details(team, whole)["error"]["error"]["message"]
        assert len(trials(team, whole)) == 1

    def test_trials_share_the_clusters_nodes(self, team: Team) -> None:
        limits = {"jobLimitsType": "Sweep", "maxTotalTrials": 6}  # all at once, and the cluster has three nodes
        name = put(team, body(team, "sleep 600", {"lr": LR}, limits=limits)).json()["name"]
        until(lambda: sum(one["status"] == "Running" for one in trials(team, name).values()) == 3, "three trials")
        assert sorted(one["status"] for one in trials(team, name).values()) == ["Queued"] * 3 + ["Running"] * 3
        team.arm("POST", f"/jobs/{name}/cancel")
        assert ended(team, name) == "Canceled"

    def test_a_trial_that_is_cancelled_alone(self, team: Team) -> None:
        space = {"k": ["choice", [["sleep 600", "true"]]]}
        grid = {"samplingAlgorithmType": "Grid"}
        name = put(team, body(team, "${{search_space.k}}", space, samplingAlgorithm=grid)).json()["name"]
        until(lambda: status(team, f"{name}_0") == "Running", "the first trial")
        assert team.arm("POST", f"/jobs/{name}_0/cancel").status_code == 200
        assert ended(team, name) == "Completed"
        assert [trials(team, name)[f"{name}_{one}"]["status"] for one in range(2)] == ["Canceled", "Completed"]

    def test_a_trials_name_that_is_taken(self, team: Team) -> None:
        """The sweep fails, and the trial that still runs is cancelled."""
        name = unique("sweep")
        assert put(team, body(team, "true", {"lr": LR}), f"{name}_2").status_code == 201
        space = {"k": ["choice", [["true", "sleep 600", "true"]]]}
        limits = {"jobLimitsType": "Sweep", "maxTotalTrials": 3, "maxConcurrentTrials": 2}
        grid = {"samplingAlgorithmType": "Grid"}
        put(team, body(team, "${{search_space.k}}", space, samplingAlgorithm=grid, limits=limits), name)
        assert ended(team, name) == "Failed"
        assert f"There is a run '{name}_2' already" in details(team, name)["error"]["error"]["message"]
        assert ended(team, f"{name}_1") == "Canceled"

    def test_deleted_with_its_trials(self, team: Team) -> None:
        name = put(team, body(team, "true", {"lr": LR})).json()["name"]
        assert team.arm("DELETE", f"/jobs/{name}").status_code == 400
        ended(team, name)
        assert team.arm("DELETE", f"/jobs/{name}").status_code == 200
        assert team.arm("GET", f"/jobs/{name}_0").status_code == 404

    @pytest.mark.parametrize(
        ("changes", "target"),
        [
            ({"searchSpace": {}}, "searchSpace"),
            ({"searchSpace": {"lr": ["uniform", [1, 0]]}}, "searchSpace"),
            ({"objective": {"goal": "more", "primaryMetric": "m"}}, "objective.goal"),
            ({"objective": {"goal": "maximize"}}, "objective.primaryMetric"),
            ({"limits": {"maxTotalTrials": 1001}}, "limits.maxTotalTrials"),
            ({"limits": {"maxConcurrentTrials": 0}}, "limits.maxConcurrentTrials"),
            ({"limits": {"timeout": "soon"}}, "limits.timeout"),
            ({"limits": {"trialTimeout": "soon"}}, "limits.trialTimeout"),
            ({"samplingAlgorithm": {"samplingAlgorithmType": "Grid"}}, "samplingAlgorithm"),
            ({"samplingAlgorithm": {}}, "samplingAlgorithm"),
            ({"earlyTermination": {"policyType": "none"}}, "earlyTermination"),
            ({"trial": {"environmentId": "azureml:none:1"}}, "command"),
            ({"trial": {"command": "true"}}, "environmentId"),
            ({"trial": {"command": "echo ${{inputs.no}}", "environmentId": "azureml:none:1"}}, "command"),
            ({"computeId": "nowhere"}, "computeId"),
            ({"outputs": {"o": {"jobOutputType": "parquet"}}}, "outputs.o.jobOutputType"),
        ],
    )
    def test_refusals_name_the_field(self, team: Team, changes: dict[str, Any], target: str) -> None:
        refused = put(team, body(team, "true", {"lr": LR}, **changes))
        assert error(refused) == (400, "UserError"), refused.text
        assert refused.json()["error"]["target"] == f"properties.{target}"

    def test_bayesian_sampling_asks_for_its_package(self, team: Team) -> None:
        bayesian = {"samplingAlgorithmType": "Bayesian"}
        refused = put(team, body(team, "true", {"lr": LR}, samplingAlgorithm=bayesian))
        assert error(refused) == (400, "UserError") and "'optuna'" in refused.text

    def test_who_may(self, team: Team, lead: Client) -> None:
        refused = lead.arm("PUT", f"{team.id}/jobs/{unique('sweep')}", body(team, "true", {"lr": LR}), api=API)
        assert error(refused) == (403, "AuthorizationFailed") and "jobs/write" in refused.text


def test_a_data_input_reaches_each_trial(ml: MLClient, team: Team, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("0.5")
    job = sweep(
        "python score.py score $(cat ${{inputs.data}})",
        {"k": Choice([1, 2])},
        total=2,
        inputs={"data": Input(type="uri_file", path=str(tmp_path / "data.txt")), "k": 1},
    )
    name = submitted(ml, job)
    assert ended(team, name) == "Completed", details(team, name)
    assert ml.jobs.get(name).properties["score"] == "0.5"
