"""Jobs made to reach out of their folder, and what a job can learn of the sandbox's secrets."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient, Output

from tests.azure.client import unique
from tests.azure.ml.harness import Team
from tests.azure.ml.test_jobs import Submit, submit
from tests.azure.ml.waiting import details, ended, log_text

__all__ = ["submit"]

LAKE = "azureml://datastores/lake/paths"
RUN = "azureml://datastores/workspaceartifactstore/paths"
PLACES = ["../../up", "a/../../../up", "%2e%2e/%2e%2e/up", "/etc/up", "..", "a/..", "a%00b", "./up"]


def outside(team: Team) -> set[Path]:
    """What lies beside the sandbox's folder, and in it beside the blobs, the database and the runs."""
    directory = team.azure.sandbox.directory
    kept = ("blobs", "runs", "environments")
    own = {path for path in directory.iterdir() if not path.name.startswith(("azure.db", "."))}
    inner = {path for path in (directory / "runs").glob("*") if path.name.startswith(("up", "."))}
    return {*directory.parent.iterdir(), *(path for path in own if path.name not in kept), *inner}


def send(team: Team, **properties: Any) -> Any:
    environment = f"/environments/{unique('e')}/versions/1"
    team.arm("PUT", environment, {"properties": {"image": "python:3.11"}})
    given = {
        "jobType": "Command",
        "computeId": f"{team.id}/computes/cpu",
        "environmentId": f"{team.id}{environment}",
        **properties,
    }
    return team.arm("PUT", f"/jobs/{unique('job')}", {"properties": given})


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["uri_file", "uri_folder"])
def test_an_outputs_address_leads_nowhere_else(team: Team, place: str, kind: str) -> None:
    before = outside(team)
    command = "echo x > ${{outputs.o}}/f || { mkdir -p $(dirname ${{outputs.o}}) && echo x > ${{outputs.o}}; }"
    made = send(team, command=command, outputs={"o": {"jobOutputType": kind, "uri": f"{LAKE}/{place}"}})
    if made.status_code != 400:
        assert made.status_code == 201
        assert ended(team, made.json()["name"]) in ("Completed", "Failed")
    assert outside(team) == before


@pytest.mark.parametrize("place", PLACES)
def test_an_inputs_address_leads_nowhere_else(team: Team, place: str) -> None:
    before = outside(team)
    made = send(team, command="cat ${{inputs.i}}", inputs={"i": {"jobInputType": "uri_file", "uri": f"{LAKE}/{place}"}})
    if made.status_code != 400:
        assert ended(team, made.json()["name"]) in ("Completed", "Failed")  # some are names of blobs that are there
        assert "root:" not in log_text(team, made.json()["name"])
    assert outside(team) == before


@pytest.mark.parametrize("name", ["..", "../x", "a/../../x", "%2e%2e", "a\\..\\x", "a\0", "." * 3, "a" * 300, "-rf"])
def test_a_jobs_name_is_no_path(team: Team, name: str) -> None:
    before = outside(team)
    quoted = "".join(f"%{byte:02x}" for byte in name.encode())
    made = team.arm("PUT", f"/jobs/{quoted}", {"properties": {"jobType": "Command", "command": "true"}})
    assert 400 <= made.status_code < 500
    assert outside(team) == before


def test_a_folder_that_became_a_link_is_not_followed(team: Team, submit: Submit, tmp_path: Path) -> None:
    """The run's own `outputs`, and an output's folder, in whose place the job put links to a folder of the host."""
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "host.txt").write_text("the host's")
    line = f"ln -s {tmp_path}/host outputs && rmdir ${{{{outputs.out}}}} && ln -s {tmp_path}/host ${{{{outputs.out}}}}"
    job = submit("", line, outputs={"out": Output(type="uri_folder", path=f"{LAKE}/linked/{unique('x')}/")})
    assert ended(team, job) == "Completed", log_text(team, job)
    assert log_text(team, job).count("Left out") == 2
    found = team.plane("GET", "artifact/v2.0", f"/artifacts/ExperimentRun/dcid.{job}")
    assert "host.txt" not in found.text


def test_links_in_a_snapshot_are_files_where_it_runs(ml: MLClient, team: Team, submit: Submit, tmp_path: Path) -> None:
    """The client uploads what a link points at, file by file; there are no archives, and no link arrives."""
    (tmp_path / "src").mkdir()
    (tmp_path / "elsewhere.txt").write_text("what it points at")
    (tmp_path / "src" / "link.txt").symlink_to(tmp_path / "elsewhere.txt")
    job = submit("", "test -f link.txt -a ! -L link.txt && cat link.txt")
    assert ended(team, job) == "Completed", log_text(team, job)
    assert "what it points at" in log_text(team, job)
    assert (tmp_path / "elsewhere.txt").read_text() == "what it points at"


OWN = {"AZUREML_RUN_TOKEN", "MLFLOW_TRACKING_TOKEN", "MSI_SECRET", "IDENTITY_HEADER"}
"""Of the run alone, as in Azure ML; a job that prints its environment tells its log's readers of them."""


def test_a_job_that_prints_its_environment_tells_no_secret_but_its_own(team: Team, submit: Submit) -> None:
    script = """
        import json, os, pathlib
        def read(path):
            try:
                return path.read_bytes().decode(errors="replace")
            except OSError:
                return ""
        print("FOUND" + json.dumps({
            "environment": dict(os.environ),
            "arguments": [read(path) for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")],
        }))
    """
    job = submit(script)
    assert ended(team, job) == "Completed", log_text(team, job)
    line = next(line for line in log_text(team, job).splitlines() if line.startswith("FOUND"))
    found = json.loads(line.removeprefix("FOUND"))
    environment, arguments = found["environment"], "\n".join(found["arguments"])
    directory = team.azure.sandbox.directory
    personas = json.loads((directory / "personas.json").read_text())
    secrets = [text for text in _texts(personas) if len(text) > 20 and text.count("-") != 4]
    assert secrets
    own = {environment[name] for name in OWN if name in environment}
    assert own
    assert [name for name, value in environment.items() if name not in OWN and value in own] == []
    keys = [key for key in ("seal.key", "entra.key", "ca.key") if (directory / key).exists()]
    private = [
        line for key in keys for line in (directory / key).read_text(errors="replace").split("\n") if len(line) > 40
    ]
    for secret in [*secrets, *private, os.environ["AZURE_CLIENT_SECRET"]]:
        assert secret not in str(environment)
        assert secret not in arguments
    assert not [secret for secret in own if secret in arguments]
    assert not [secret for secret in own if secret in json.dumps(details(team, job))]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]
