"""Parallel steps by the unmodified azure-ai-ml: mini-batches, what they return, retries, thresholds, tables."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, Output, dsl
from azure.ai.ml.entities import Environment
from azure.ai.ml.parallel import RunFunction, parallel_run_function

from tests.azure.client import unique
from tests.azure.ml.harness import Team, cluster
from tests.azure.ml.pipelines import arm_pipeline, children, completed, submitted
from tests.azure.ml.waiting import details, ended, log_text, until

NODES = "pair"
CURATED = "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu@latest"
ENTRY = """
    import argparse, os, sys, time
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", default="")
    arguments, _ = parser.parse_known_args()

    def init():
        print("begun")

    def run(mini_batch):
        if arguments.folder:
            for one in mini_batch:
                open(os.path.join(arguments.folder, os.path.basename(one)), "w").write("seen")
        return [f"{os.path.basename(one)} {len(mini_batch)}" for one in mini_batch]
"""


@pytest.fixture(scope="module", autouse=True)
def nodes(team: Team) -> None:
    """A cluster of two nodes."""
    assert team.arm("PUT", f"/computes/{NODES}", cluster(team.needs, most=2)).status_code in (200, 201)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Seven files."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(7):
        (folder / f"f{number}.txt").write_text(str(number))
    return folder


Own = tuple[MLClient, Team, Path, Path]


@pytest.fixture
def own(ml: MLClient, team: Team, data: Path, tmp_path: Path) -> Own:
    """The client, the team, the files, and a folder."""
    return ml, team, data, tmp_path


def step(folder: Path, script: str, *, arguments: str = "", append: bool = True, **more: Any) -> Any:
    """A parallel component with an entry script."""
    code = folder / unique("code")
    code.mkdir()
    (code / "entry.py").write_text(dedent(script))
    kind = more.pop("kind", "uri_folder")
    return parallel_run_function(
        name=unique("p"),
        inputs={"data": Input(type=kind, mode="eval_mount" if kind == "mltable" else "ro_mount")},
        outputs={"rows": Output(type="uri_file"), "files": Output(type="uri_folder")},
        input_data="${{inputs.data}}",
        task=RunFunction(
            code=str(code),
            entry_script="entry.py",
            environment=more.pop("environment", None) or Environment(name="none", image="python:3.11"),
            program_arguments=arguments,
            append_row_to="${{outputs.rows}}" if append else None,
        ),
        **{"mini_batch_size": "3", "instance_count": 1, "max_concurrency_per_instance": 2, **more},
    )


def pipeline(component: Any, data: Path, kind: str = "uri_folder") -> Any:
    @dsl.pipeline(None, compute=NODES)
    def one(data: Input, salt: str) -> Any:
        node = component(data=data)
        node.environment_variables = {"SALT": salt}
        return {"rows": node.outputs.rows, "files": node.outputs.files}

    return one(data=Input(type=kind, path=str(data)), salt=unique("s"))


def downloaded(ml: MLClient, name: str, output: str, folder: Path) -> dict[str, str]:
    ml.jobs.download(name, download_path=folder / output, output_name=output)
    return {one.name: one.read_text() for one in (folder / output / "named-outputs").rglob("*") if one.is_file()}


def only_child(team: Team, name: str) -> dict[str, Any]:
    (found,) = children(team, name).values()
    return found


def test_from_files_to_rows(ml: MLClient, team: Team, data: Path, tmp_path: Path) -> None:
    """Two nodes with two processes each go through three mini-batches; rows are in the files' order."""
    component = step(tmp_path, ENTRY, arguments="--folder ${{outputs.files}}", instance_count=2)
    name = completed(ml, team, pipeline(component, data))
    rows = downloaded(ml, name, "rows", tmp_path)
    (text,) = rows.values()
    assert text.splitlines() == [f"f{number}.txt {3 if number < 6 else 1}" for number in range(7)]
    assert set(downloaded(ml, name, "files", tmp_path)) == {f"f{number}.txt" for number in range(7)}
    child = only_child(team, name)
    assert child["computeRequest"]["nodeCount"] == 2
    assert "3 of 3 mini-batches are done, 0 failed; 7 items succeeded, 0 failed." in log_text(team, child["runId"])
    logs = details(team, child["runId"])["logFiles"]
    assert "logs/job_result.txt" in logs and any(one.startswith("logs/user/stdout/node") for one in logs)
    assert "begun" in team.azure.session.get(logs["logs/user/stdout/node0/process000.stdout.txt"]).text


class TestFailures:
    def test_a_mini_batch_that_fails_is_tried_again(self, ml: MLClient, team: Team, data: Path, tmp_path: Path) -> None:
        script = f"""
            import os
            mark = {str(tmp_path / "mark")!r}

            def run(mini_batch):
                if not os.path.exists(mark):
                    open(mark, "w").close()
                    raise RuntimeError("the first time")
                return mini_batch
        """
        component = step(
            tmp_path, script, max_concurrency_per_instance=1, retry_settings={"max_retries": 1, "timeout": 60}
        )
        name = completed(ml, team, pipeline(component, data))
        log = log_text(team, only_child(team, name)["runId"])
        assert "Mini-batch 0, attempt 0: RuntimeError: the first time" in log
        assert "7 items succeeded, 0 failed" in log

    @pytest.mark.parametrize(
        ("more", "says"),
        [
            ({"mini_batch_error_threshold": 0}, "1 mini-batches failed, and the threshold is 0"),
            ({"arguments": "--error_threshold 2"}, "3 items failed, and the error threshold is 2"),
            ({"arguments": "--allowed_failed_percent 20"}, "33 % of the mini-batches failed"),
            ({}, ""),
        ],
    )
    def test_thresholds(self, own: Own, more: Any, says: str) -> None:
        script = """
            def run(mini_batch):
                assert "f0.txt" not in mini_batch[0], "not the first one"
                return mini_batch
        """
        ml, team, data, folder = own
        component = step(folder, script, retry_settings={"max_retries": 0, "timeout": 60}, **more)
        name = submitted(ml, pipeline(component, data))
        assert ended(team, name) == ("Failed" if says else "Completed")
        log = log_text(team, only_child(team, name)["runId"])
        assert (f"Failed: {says}" if says else "3 of 3 mini-batches are done, 1 failed; 4 items succeeded") in log

    def test_a_mini_batch_that_takes_too_long(self, ml: MLClient, team: Team, data: Path, tmp_path: Path) -> None:
        script = """
            import time
            def run(mini_batch):
                if "f0.txt" in mini_batch[0]: time.sleep(600)
                return mini_batch
        """
        component = step(tmp_path, script, retry_settings={"max_retries": 0, "timeout": 1})
        name = completed(ml, team, pipeline(component, data))
        log = log_text(team, only_child(team, name)["runId"])
        assert "took longer than 1 seconds" in log and "4 items succeeded, 3 failed" in log

    @pytest.mark.parametrize(
        ("script", "says"),
        [
            ("def init(): raise ValueError('no model')\ndef run(mini_batch): return []", "no model"),
            ("def init(): pass", "has no function 'run'"),
            ("def run(mini_batch): return 3", "must return a list"),
            ("import os\ndef run(mini_batch): os._exit(3)", "The process of the entry script ended"),
        ],
    )
    def test_scripts_that_cannot_be_used(self, own: Own, script: str, says: str) -> None:
        ml, team, data, tmp_path = own
        component = step(
            tmp_path, script, mini_batch_error_threshold=0, retry_settings={"max_retries": 0, "timeout": 60}
        )
        name = submitted(ml, pipeline(component, data))
        assert ended(team, name) == "Failed"
        assert says in log_text(team, only_child(team, name)["runId"])

    def test_a_cancel_ends_all_processes(self, ml: MLClient, team: Team, data: Path, tmp_path: Path) -> None:
        marks = tmp_path / "marks"
        marks.mkdir()
        script = f"""
            import os, time
            def run(mini_batch):
                open({str(marks)!r} + f"/{{os.getpid()}}", "w").close()
                time.sleep(600)
        """
        name = submitted(ml, pipeline(step(tmp_path, script), data))
        until(lambda: len(list(marks.iterdir())) == 2, "two processes")
        ml.jobs.begin_cancel(name).result()
        assert ended(team, name) == "Canceled"
        until(lambda: not any(Path(f"/proc/{one.name}").exists() for one in marks.iterdir()), "their end")


class TestTables:
    @pytest.fixture
    def table(self, tmp_path: Path) -> Path:
        """Forty rows of some 5 bytes each."""
        folder = tmp_path / "table"
        folder.mkdir()
        text = "paths:\n  - file: ./a.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n"
        (folder / "MLTable").write_text(text)
        (folder / "a.csv").write_text("a,b\n" + "".join(f"{one},{one % 2}\n" for one in range(40)))
        return folder

    def test_pandas_is_asked_for(self, ml: MLClient, team: Team, table: Path, tmp_path: Path) -> None:
        component = step(tmp_path, "def run(mini_batch): return mini_batch", kind="mltable", mini_batch_size="100")
        name = submitted(ml, pipeline(component, table, "mltable"))
        assert ended(team, name) == "Failed"
        assert "needs pandas in the environment" in log_text(team, only_child(team, name)["runId"])

    @pytest.mark.soak  # builds an environment with pandas
    def test_split_by_bytes_and_by_keys(self, ml: MLClient, team: Team, table: Path, tmp_path: Path) -> None:
        script = "def run(mini_batch): return mini_batch.assign(rows=len(mini_batch))"
        for more, sizes in (({"mini_batch_size": "100"}, {"20"}), ({"partition_keys": ["b"]}, {"20"})):
            component = step(tmp_path, script, kind="mltable", environment=CURATED, **more)
            name = completed(ml, team, pipeline(component, table, "mltable"))
            (text,) = downloaded(ml, name, "rows", tmp_path / unique("d")).values()
            rows = [line.split() for line in text.splitlines()]
            assert len(rows) == 40 and {row[2] for row in rows} == sizes
            if "partition_keys" in more:
                assert [row[1] for row in rows] == ["0"] * 20 + ["1"] * 20


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"mini_batch_size": "many"}, "mini-batch size"),
            ({"retry_settings": {"max_retries": -1}}, "maxRetries"),
            ({"logging_level": "LOUD"}, "LOUD"),
            ({"max_concurrency_per_instance": 0}, "maxConcurrencyPerInstance"),
        ],
    )
    def test_values_that_are_none(self, team: Team, changes: dict[str, Any], says: str) -> None:
        team.arm("PUT", "/environments/parallel/versions/1", {"properties": {"image": "python:3.11"}})
        spec = {
            "name": unique("p"),
            "type": "parallel",
            "inputs": {"data": {"type": "uri_folder"}},
            "input_data": "${{inputs.data}}",
            "task": {
                "type": "run_function",
                "entry_script": "x.py",
                "environment": f"azureml:{team.id}/environments/parallel/versions/1",
            },
        }
        made = team.arm("PUT", f"/components/{spec['name']}/versions/1", {"properties": {"componentSpec": spec}})
        data = {"job_input_type": "uri_folder", "uri": "azureml://datastores/lake/paths/x/", "mode": "Download"}
        node = {"type": "parallel", "componentId": made.json()["id"], "inputs": {"data": data}, **changes}
        name = arm_pipeline(team, {"a": node}).json()["name"]
        assert ended(team, name) == "Failed"
        assert says in str(only_child(team, name)["error"])
        team.arm("DELETE", f"/jobs/{name}")  # azure-ai-ml cannot list a job of such values
