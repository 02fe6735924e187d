"""What training scripts do with MLflow; runs as a job, under both clients. Any difference ends it with an error."""

import math
import os
import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

EXPERIMENT = f"other {sys.argv[2]}"
run_id, experiment_id = os.environ["MLFLOW_RUN_ID"], os.environ["MLFLOW_EXPERIMENT_ID"]
assert mlflow.get_tracking_uri().startswith(sys.argv[1]), mlflow.get_tracking_uri()


def refused(code: str, call: object, *arguments: object, **named: object) -> None:
    try:
        call(*arguments, **named)  # type: ignore[operator]
    except MlflowException as error:
        assert error.error_code == code, (error.error_code, code, error)
    else:
        raise AssertionError(f"{call} was not refused")


# the job's own run, as plain calls find it
mlflow.log_metric("auc", 0.5)
for step, value in enumerate((0.6, 0.8, 0.7)):
    mlflow.log_metric("auc", value, step=step)
mlflow.log_metrics({"loss/train": 1.5, "odd": math.nan, "big": math.inf}, step=3)
mlflow.log_param("seed", 1)
mlflow.log_params({"kind": "tree", "depth": 3})
mlflow.set_tag("team", "blue")
assert mlflow.active_run().info.run_id == run_id
assert mlflow.active_run().info.experiment_id == experiment_id

client = MlflowClient()
run = client.get_run(run_id)
assert run.info.status == "RUNNING", run.info.status
assert run.data.metrics["auc"] == 0.7 and run.data.metrics["loss/train"] == 1.5, run.data.metrics
assert math.isnan(run.data.metrics["odd"]) and run.data.metrics["big"] == math.inf
assert run.data.params == {"seed": "1", "kind": "tree", "depth": "3"}, run.data.params
assert run.data.tags["team"] == "blue"
history = client.get_metric_history(run_id, "auc")
assert [(one.step, one.value) for one in history] == [(0, 0.5), (0, 0.6), (1, 0.8), (2, 0.7)], history
assert client.get_experiment(experiment_id).name == os.environ["MLFLOW_EXPERIMENT_NAME"]
assert mlflow.get_experiment_by_name(os.environ["MLFLOW_EXPERIMENT_NAME"]).experiment_id == experiment_id

refused("INVALID_PARAMETER_VALUE", client.log_param, run_id, "seed", 2)
client.log_param(run_id, "seed", 1)  # the same value again is no error
refused("RESOURCE_DOES_NOT_EXIST", client.get_run, "0" * 32)
refused("RESOURCE_DOES_NOT_EXIST", client.get_experiment, "0" * 32)

# a batch
now = 1_700_000_000_000
client.log_batch(
    run_id,
    metrics=[Metric("batch", float(step), now + step, step) for step in range(50)],
    params=[Param("from", "batch")],
    tags=[RunTag("by", "batch")],
)
assert client.get_run(run_id).data.metrics["batch"] == 49.0
assert len(client.get_metric_history(run_id, "batch")) == 50
client.delete_tag(run_id, "by")
assert "by" not in client.get_run(run_id).data.tags

# artifacts
mlflow.log_text("hello", "notes/a.txt")
mlflow.log_dict({"a": 1}, "d.json")
folder = Path(tempfile.mkdtemp())
(folder / "sub").mkdir()
(folder / "one.bin").write_bytes(bytes(range(256)) * 8192)
(folder / "sub" / "two.txt").write_text("two")
mlflow.log_artifacts(str(folder), "files")
names = {one.path: one.is_dir for one in client.list_artifacts(run_id)}
assert names.items() >= {"notes": True, "d.json": False, "files": True}.items(), names
got = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="files"))
assert (got / "one.bin").read_bytes() == (folder / "one.bin").read_bytes()
assert (got / "sub" / "two.txt").read_text() == "two"
assert mlflow.artifacts.load_text(f"runs:/{run_id}/notes/a.txt") == "hello"

# other experiments and runs
mlflow.end_run()
for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME"):
    os.environ.pop(name, None)
other = client.create_experiment(EXPERIMENT, tags={"owner": "me"})
refused("RESOURCE_ALREADY_EXISTS", client.create_experiment, EXPERIMENT)
assert client.get_experiment(other).tags["owner"] == "me"
mlflow.set_experiment(experiment_id=other)
with mlflow.start_run(run_name="parent") as parent:
    for depth in (1, 2, 3):
        with mlflow.start_run(run_name=f"child {depth}", nested=True):
            mlflow.log_param("depth", depth)
            mlflow.log_metric("score", depth / 10)
assert client.get_run(parent.info.run_id).info.status == "FINISHED"
assert client.get_run(parent.info.run_id).info.run_name == "parent"
found = client.search_runs([other], "metrics.score > 0.15 and params.depth != '9'", order_by=["metrics.score DESC"])
assert [one.data.params["depth"] for one in found] == ["3", "2"], found
children = client.search_runs([other], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
assert len(children) == 3
assert len(client.search_runs([other], "attributes.status = 'FINISHED'")) == 4
assert [one.info.run_name for one in client.search_runs([other], "run_name LIKE 'par%'")] == ["parent"]
assert len(client.search_runs([other], max_results=3)) == 3
refused("INVALID_PARAMETER_VALUE", client.search_runs, [other], "this is nonsense")
refused("INVALID_PARAMETER_VALUE", client.search_registered_models)  # it asks for a tag, which Azure does not search
try:
    with mlflow.start_run(run_name="broken"):
        sys.exit("meant")
except SystemExit:
    pass
assert client.search_runs([other], "run_name = 'broken'")[0].info.status == "FAILED"
client.delete_run(found[0].info.run_id)
assert found[0].info.run_id not in {one.info.run_id for one in client.search_runs([other])}
deleted = client.search_runs([other], run_view_type=ViewType.DELETED_ONLY)
assert [one.info.run_id for one in deleted] == [found[0].info.run_id]
client.restore_run(found[0].info.run_id)
client.set_experiment_tag(other, "stage", "two")
assert EXPERIMENT in {one.name for one in client.search_experiments(filter_string="tags.stage = 'two'")}
client.delete_experiment(other)
assert client.get_experiment(other).lifecycle_stage == "deleted"
client.restore_experiment(other)


# a model, which the service keeps as a run's files only: MLflow 3's `log_model` begins with the call that is refused
with mlflow.start_run(run_name="model") as logged:
    try:
        client.create_logged_model(other, "outside", logged.info.run_id)
    except MlflowException as error:
        told = "/api/2.0/mlflow/logged-models failed with error code 404 != 200. Response body: ''"
        assert told in str(error), error
    else:
        raise AssertionError("a logged model was made")
    (folder / "MLmodel").write_text("flavors: {}\n")
    mlflow.log_artifact(str(folder / "MLmodel"), "model")

got = Path(mlflow.artifacts.download_artifacts(f"runs:/{logged.info.run_id}/model"))
assert (got / "MLmodel").exists(), list(got.rglob("*"))

name = sys.argv[2]
client.create_registered_model(name, tags={"a": "b"}, description="first")
refused("RESOURCE_ALREADY_EXISTS", client.create_registered_model, name)
first = client.create_model_version(name, f"{logged.info.artifact_uri}/model", logged.info.run_id)
second = client.create_model_version(name, f"{logged.info.artifact_uri}/model", logged.info.run_id, tags={"c": "d"})
assert (first.version, second.version, second.run_id) == ("1", "2", logged.info.run_id), (first, second)
client.set_registered_model_alias(name, "champion", "1")
assert client.get_model_version_by_alias(name, "champion").version == "1"
client.set_model_version_tag(name, "1", "checked", "yes")
assert client.get_model_version(name, "1").tags == {"checked": "yes"}
assert {one.version for one in client.search_model_versions(f"name='{name}'")} == {"1", "2"}
assert client.get_registered_model(name).description == "first"
got = Path(mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{name}/1"))
assert (got / "MLmodel").exists(), list(got.rglob("*"))
client.delete_model_version(name, "2")
refused("RESOURCE_DOES_NOT_EXIST", client.get_model_version, name, "2")
print("all of it", mlflow.__version__)
