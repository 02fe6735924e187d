"""Command jobs from submission to their outputs, by the unmodified azure-ai-ml."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, Output, UserIdentityConfiguration, command
from azure.ai.ml.entities import CommandJobLimits, Environment, Model
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobServiceClient, generate_container_sas
from azure.storage.filedatalake import DataLakeServiceClient

from tests.azure.client import Client, error, unique
from tests.azure.ml import harness
from tests.azure.ml.harness import ML_API, Team, cluster
from tests.azure.ml.waiting import details, ended, log_text, status, streamed, until

Submit = Callable[..., str]


@pytest.fixture
def submit(ml: MLClient, tmp_path: Path) -> Submit:
    """Submits a script as a command job in an environment of nothing but Python; gives its name."""

    def make(script: str, line: str = "python run.py", **more: Any) -> str:
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / "run.py").write_text(dedent(script))
        environment = more.pop("environment", None) or Environment(name="none", image="python:3.11")
        job = command(
            code=str(tmp_path / "src"),
            command=line,
            environment=environment,
            compute=more.pop("compute", "cpu"),
            **more,
        )
        for key in ("limits", "identity"):
            if key in more:
                setattr(job, key, more[key])
        return str(ml.jobs.create_or_update(job).name)

    return make


class TestRefusals:
    """By plain requests, as the client itself refuses some of it."""

    def send(self, team: Team, api: str = ML_API, **changes: Any) -> Any:
        environment = f"/environments/{unique('e')}/versions/1"
        team.arm("PUT", environment, {"properties": {"image": "python:3.11"}})
        properties = {
            "jobType": "Command",
            "command": "true",
            "computeId": f"{team.id}/computes/cpu",
            "environmentId": f"{team.id}{environment}",
            **changes,
        }
        return team.arm("PUT", f"/jobs/{unique('job')}", {"properties": properties}, api)

    @pytest.mark.parametrize(
        ("changes", "target"),
        [
            ({"jobType": "AutoML"}, "jobType"),
            ({"jobType": "Sweep"}, "searchSpace"),
            ({"command": " "}, "command"),
            ({"command": "python ${{inputs.x}}"}, "command"),
            ({"command": "python ${{outputs.x}}"}, "command"),
            ({"command": "python ${{nonsense}}"}, "command"),
            ({"computeId": "nothing"}, "computeId"),
            ({"environmentId": None}, "environmentId"),
            ({"environmentId": "/x/environments/none/versions/9"}, "environmentId"),
            ({"environmentId": "azureml://registries/azureml/environments/none/versions/1"}, "environmentId"),
            ({"codeId": "/x/codes/none/versions/9"}, "codeId"),
            ({"resources": {"instanceCount": 2}}, "resources.instanceCount"),
            ({"resources": {"shmSize": "lots"}}, "resources.shmSize"),
            ({"resources": {"shmSize": "0g"}}, "resources.shmSize"),
            ({"experimentName": "feature/a"}, "experimentName"),
            ({"experimentName": "two words"}, "experimentName"),
            ({"experimentName": "_a"}, "experimentName"),
            ({"experimentName": "x" * 257}, "experimentName"),
            ({"limits": {"jobLimitsType": "Command", "timeout": "soon"}}, "limits.timeout"),
            ({"inputs": {"x": {"jobInputType": "uri_file"}}}, "inputs.x.uri"),
            ({"inputs": {"x": {"jobInputType": "thing", "uri": "a"}}}, "inputs.x.jobInputType"),
            ({"inputs": {"x": {"jobInputType": "uri_file", "uri": "a", "mode": "Beam"}}}, "inputs.x.mode"),
            ({"outputs": {"x": {"jobOutputType": "thing"}}}, "outputs.x.jobOutputType"),
            ({"outputs": {"../x": {"jobOutputType": "uri_folder"}}}, "outputs.../x"),
            ({"inputs": {"a/b": {"jobInputType": "literal", "value": "1"}}}, "inputs.a/b"),
            ({"inputs": {"x": {"jobInputType": "literal", "value": "\0"}}}, "inputs.x.value"),
            ({"inputs": "x"}, "inputs"),
            ({"inputs": {"x": 1}}, "inputs.x"),
            ({"environmentVariables": {"A=B": "1"}}, "environmentVariables.A=B"),
            ({"environmentVariables": {"A": [1]}}, "environmentVariables.A"),
            ({"command": "a\0b"}, "command"),
            ({"resources": 3}, "resources"),
            ({"limits": [1]}, "limits"),
        ],
        ids=str,
    )
    def test_what_is_wrong_is_named(self, team: Team, changes: dict[str, Any], target: str) -> None:
        refused = self.send(team, **changes)
        assert error(refused) == (400, "UserError")
        assert refused.json()["error"]["target"] == f"properties.{target}"

    def test_the_version_of_an_output_is_known_to_earlier_models_only(self, team: Team) -> None:
        outputs = {"o": {"jobOutputType": "uri_folder", "assetName": "a", "assetVersion": "1"}}
        refused = self.send(team, outputs=outputs)
        assert error(refused) == (400, "UserError")
        detail = refused.json()["error"]["details"][0]
        assert detail["code"] == "RequestInvalid"
        assert "'assetVersion'" in detail["message"] and "'UriFolderJobOutput'" in detail["message"]
        taken = self.send(team, outputs=outputs, api="2024-01-01-preview")
        assert taken.status_code == 201, taken.text

    def test_lists_by_tag_and_properties(self, team: Team) -> None:
        tag, value = unique("t"), unique("v")
        made = self.send(team, tags={tag: "1"}, properties={"by": value}).json()["name"]

        def names(**query: str) -> list[str]:
            return [one["name"] for one in team.arm("GET", "/jobs", **query).json()["value"]]

        assert (names(tag=tag), names(properties=f"by={value}")) == ([made], [made])
        assert (names(tag=value), names(properties=value), names(tag=tag, jobType="Sweep")) == ([], [], [])

    def test_a_bad_name(self, team: Team) -> None:
        assert error(team.arm("PUT", "/jobs/-x", {"properties": {}})) == (400, "UserError")

    def test_an_unknown_job(self, team: Team) -> None:
        for method, path in (("GET", "/jobs/none"), ("POST", "/jobs/none/cancel")):
            assert error(team.arm(method, path)) == (404, "UserError")
        assert team.plane("GET", "history/v1.0", "/runs/none").status_code == 404

    def test_a_stranger(self, team: Team, lead: Client) -> None:
        assert error(lead.arm("GET", f"{team.id}/jobs", api="2025-12-01")) == (403, "AuthorizationFailed")

    def test_a_job_does_not_change(self, team: Team) -> None:
        made = self.send(team).json()
        changed = {**made["properties"], "command": "false"}
        assert error(team.arm("PUT", f"/jobs/{made['name']}", {"properties": changed})) == (400, "UserError")
        again = team.arm("PUT", f"/jobs/{made['name']}", {"properties": {**made["properties"], "tags": {"a": "b"}}})
        assert again.status_code == 200 and again.json()["properties"]["tags"] == {"a": "b"}


def test_a_job_reads_its_input_and_writes_its_output(ml: MLClient, team: Team, submit: Submit, tmp_path: Path) -> None:
    lake = DataLakeServiceClient(f"https://{team.needs.lake['name']}.dfs.core.windows.net", ml._credential)
    lake.get_file_system_client("fs1").get_file_client("models/in.csv").upload_data(b"a,b\n1,2\n", overwrite=True)
    job = submit(
        """
        import os, pathlib, sys, time
        print("read", open(sys.argv[1]).read().split(), flush=True)
        while not os.path.exists(sys.argv[4]):
            time.sleep(0.05)
        pathlib.Path(sys.argv[2], "deep").mkdir()
        pathlib.Path(sys.argv[2], "deep", "model.txt").write_text("weights " + sys.argv[3])
        pathlib.Path("outputs", "report.txt").write_text("fine")
        try:
            open(sys.argv[1], "w")
        except PermissionError:
            print("read only")
        """,
        f"python run.py ${{{{inputs.data}}}} ${{{{outputs.model}}}} ${{{{inputs.number}}}} {tmp_path / 'heard'}",
        inputs={"data": Input(type="uri_file", path="azureml://datastores/lake/paths/models/in.csv"), "number": 3},
        outputs={"model": Output(type="uri_folder")},
        experiment_name="first",
    )
    shown = streamed(ml, job, tmp_path / "heard")
    assert "Streaming user_logs/std_log.txt" in shown and "read ['a,b', '1,2']" in shown
    if os.geteuid() != 0:  # nothing is read only to root
        assert "read only" in shown
    done = ml.jobs.get(job)
    assert (done.status, done.experiment_name) == ("Completed", "first")
    ml.jobs.download(job, download_path=tmp_path / "all", all=True)
    files = {str(path.relative_to(tmp_path / "all")): path for path in (tmp_path / "all").rglob("*") if path.is_file()}
    assert set(files) == {
        "artifacts/user_logs/std_log.txt",
        "artifacts/outputs/report.txt",
        "named-outputs/model/deep/model.txt",
    }
    assert files["named-outputs/model/deep/model.txt"].read_text() == "weights 3"

    name = unique("model")
    source = f"azureml://jobs/{job}/outputs/model"
    for version in ("1", "2"):
        made = ml.models.create_or_update(Model(name=name, path=source, type="custom_model"))
        assert made.version == version
    assert str(made.path).endswith(f"/datastores/workspaceblobstore/paths/azureml/{job}/model")
    assert ml.models.get(name, label="latest").version == "2"
    ml.models.download(name, "1", download_path=tmp_path / "model")
    assert [path.read_text() for path in (tmp_path / "model").rglob("model.txt")] == ["weights 3"]

    assert job in {one.name for one in ml.jobs.list() if one}
    ml.jobs.archive(job)
    assert job not in {one.name for one in ml.jobs.list() if one}
    ml.jobs.restore(job)
    assert job in {one.name for one in ml.jobs.list() if one}


def test_a_failing_script_gives_a_failed_job_with_its_log(team: Team, submit: Submit) -> None:
    job = submit("print('before'); raise SystemExit('the reason')")
    assert ended(team, job) == "Failed"
    failure = details(team, job)["error"]["error"]
    assert "exited with status code 1" in failure["message"] and "the reason" in failure["message"]
    assert "before" in log_text(team, job)


def test_the_log_is_there_while_the_job_runs_and_cancel_ends_the_whole_group(
    team: Team, ml: MLClient, submit: Submit
) -> None:
    job = submit(
        """
        import subprocess, sys, time
        stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
        child = subprocess.Popen([sys.executable, "-c", stubborn])
        print("child", child.pid, flush=True)
        time.sleep(600)
        """
    )
    line = until(lambda: [one for one in log_text(team, job).splitlines() if one.startswith("child")], "the log")
    child = int(line[0].split()[1])
    assert status(team, job) == "Running"
    node = team.arm("POST", "/computes/cpu/listNodes").json()["nodes"]
    assert [(one["nodeState"], one["runId"]) for one in node] == [("running", job)]
    ml.jobs.begin_cancel(job).wait()
    assert status(team, job) in ("CancelRequested", "Canceled")
    assert ended(team, job) == "Canceled"
    assert not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]


def _nodes(team: Team) -> dict[str, int]:
    found: dict[str, int] = team.arm("GET", "/computes/cpu").json()["properties"]["properties"]["nodeStateCounts"]
    return found


def test_what_a_command_left_in_the_background_has_a_moment_to_finish(team: Team, submit: Submit) -> None:
    job = submit("", "(sleep 0.3; echo late) & sleep 600 & echo done")
    assert ended(team, job) == "Completed"
    assert log_text(team, job).split()[-2:] == ["done", "late"]


def test_a_queued_job_waits_for_the_node_and_is_cancelled_at_once(team: Team, ml: MLClient, submit: Submit) -> None:
    first = submit("import time; print('on', flush=True); time.sleep(600)")
    until(lambda: "on" in log_text(team, first), "the first job")
    second = submit("print('never')")
    assert _nodes(team)["runningNodeCount"] == 1
    assert status(team, second) == "Queued"
    ml.jobs.begin_cancel(second).wait()
    assert ended(team, second) == "Canceled"
    ml.jobs.begin_cancel(first).wait()
    assert ended(team, first) == "Canceled"
    until(lambda: _nodes(team)["idleNodeCount"] == 1, "the node's rest")


def test_a_job_ends_with_its_cluster_and_its_folder_with_it(team: Team, submit: Submit) -> None:
    assert team.arm("PUT", "/computes/shortlived", cluster(team.needs)).status_code == 201
    job = submit("import time; print('on', flush=True); time.sleep(600)", compute="shortlived")
    until(lambda: "on" in log_text(team, job), "the job")
    folders = team.azure.sandbox.directory / "runs"
    assert list(folders.glob(f"{job}-*"))
    assert team.arm("DELETE", "/computes/shortlived", underlyingResourceAction="Delete").status_code == 202
    assert ended(team, job) == "Failed"
    assert details(team, job)["error"]["error"]["message"] == "The compute 'shortlived' was deleted."
    until(lambda: not list(folders.glob(f"{job}-*")), "the end of the run's folder")


def test_a_time_limit_is_kept(team: Team, submit: Submit) -> None:

    job = submit("import time; time.sleep(600)", limits=CommandJobLimits(timeout=1))
    assert ended(team, job) == "Canceled"
    assert "time limit" in details(team, job)["error"]["error"]["message"]


def test_what_a_job_sees(team: Team, submit: Submit) -> None:
    """Its run, its node's identity and the gateway; nothing of the sandbox's own secrets or of a persona's."""
    job = submit(
        """
        import json, os, ssl, urllib.request
        names = sorted(os.environ)
        assert not [name for name in names if "SECRET" in name and name != "MSI_SECRET"], names
        assert os.environ["MARK"] == "given"
        with open(os.path.expanduser("~/.wgetrc")) as settings:
            assert settings.read().split() == ["ca_certificate", "=", os.environ["SSL_CERT_FILE"]]
        request = urllib.request.Request(
            os.environ["MSI_ENDPOINT"] + "?api-version=2017-09-01&resource=https://storage.azure.com",
            headers={"secret": os.environ["MSI_SECRET"]},
        )
        token = json.load(urllib.request.urlopen(request))["access_token"]
        url = "https://ACCOUNT.blob.core.windows.net/fs1?restype=container&comp=list"
        asked = urllib.request.Request(url, headers={"Authorization": "Bearer " + token, "x-ms-version": "2023-11-03"})
        print("listed", urllib.request.urlopen(asked).status, os.environ["AZUREML_RUN_ID"], os.environ["HOME"])
        """.replace("ACCOUNT", team.needs.lake["name"]),
        environment_variables={"MARK": "given"},
    )
    assert ended(team, job) == "Completed", log_text(team, job)
    assert f"listed 200 {job} {team.azure.sandbox.directory}" in log_text(team, job)


def test_missing_input_fails_the_job_with_its_name(team: Team, submit: Submit) -> None:

    given = Input(type="uri_file", path="azureml://datastores/lake/paths/not/there.csv")
    job = submit("", "python run.py ${{inputs.data}}", inputs={"data": given})
    assert ended(team, job) == "Failed"
    message = details(team, job)["error"]["error"]["message"]
    assert message.startswith("Input 'data': The file") and "does not exist" in message
    assert message in log_text(team, job)


def test_public_inputs_come_from_the_folder_that_stands_for_their_container(
    team: Team, submit: Submit, tmp_path: Path
) -> None:
    account, files = unique("public"), tmp_path / "files"
    (files / "deep").mkdir(parents=True)
    (files / "deep" / "x.csv").write_text("1,2")
    placed = team.azure.sandbox.command("public", f"{account}/data", str(files))
    assert (placed.returncode, placed.stdout) == (0, f"{account}/data has 1 files\n"), placed.stderr
    web = team.azure.sandbox.command("public", f"{account}.example.org/data", str(files))
    assert web.returncode == 0, web.stderr
    paths = {
        "https": f"https://{account}.blob.core.windows.net/data/deep/x.csv",
        "wasbs": f"wasbs://data@{account}.blob.core.windows.net/deep/x.csv",
        "web": f"https://{account}.example.org/data/deep/x.csv",
    }
    inputs = {name: Input(type="uri_file", path=path) for name, path in paths.items()}
    inputs["all"] = Input(type="uri_folder", path=f"wasbs://data@{account}.blob.core.windows.net")
    line = " ".join(f"${{{{inputs.{name}}}}}" for name in paths)
    job = submit("", f"cat {line} ${{{{inputs.all}}}}/deep/x.csv", inputs=inputs)
    assert ended(team, job) == "Completed", log_text(team, job)
    assert "1,2" * 4 in log_text(team, job)
    direct = {
        "data": Input(type="uri_file", path=paths["https"], mode="direct"),
        "web": Input(type="uri_file", path=paths["web"], mode="direct"),
        "gone": Input(type="uri_file", path=paths["https"] + "x", mode="direct"),
    }
    script = """
        import sys, urllib.request
        print("read", urllib.request.urlopen(sys.argv[1]).read())
        try:
            urllib.request.urlopen(sys.argv[2])
        except Exception as error:
            print(error)
        """
    job = submit(script, "python run.py ${{inputs.data}} ${{inputs.gone}} ${{inputs.web}}", inputs=direct)
    text = log_text(team, job) if ended(team, job) == "Completed" else ""
    assert "read b'1,2'" in text and "HTTP Error 404" in text
    assert f"Input 'web': a script does not reach '{paths['web']}'" in text and "Input 'data'" not in text
    assert f"Input 'gone': There is no container 'data' in a storage account '{account}'" in text


def test_a_public_blob_is_read_by_the_storage_client(owner: None, team: Team, tmp_path: Path) -> None:
    account, content = unique("public"), bytes(range(256)) * 8
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "x.bin").write_bytes(content)
    assert team.azure.sandbox.command("public", f"{account}/data", str(tmp_path / "files")).returncode == 0
    address = f"https://{account}.blob.core.windows.net/data/x.bin"
    blob = BlobClient.from_blob_url(address)
    assert blob.get_blob_properties().size == len(content)
    assert blob.download_blob().readall() == content
    assert blob.download_blob(offset=10, length=5).readall() == content[10:15]
    with pytest.raises(ResourceNotFoundError):
        BlobClient.from_blob_url(address + "x").download_blob()


@pytest.mark.parametrize("host", ["nobodyhas.blob.core.windows.net", "www.example.org"])
def test_a_public_input_without_such_a_folder(team: Team, submit: Submit, host: str) -> None:
    job = submit("", "cat ${{inputs.data}}", inputs={"data": Input(type="uri_file", path=f"https://{host}/data/x.csv")})
    assert ended(team, job) == "Failed"
    message = details(team, job)["error"]["error"]["message"]
    name = host.removesuffix(".blob.core.windows.net")
    assert f"python -m sandbox public {name}/data FOLDER" in message and "no internet" in message


@pytest.mark.parametrize("name", ["account", "../x", "a/..", "a/b/c", "A/b"])
def test_what_is_no_public_container(team: Team, tmp_path: Path, name: str) -> None:
    refused = team.azure.sandbox.command("public", name, str(tmp_path))
    assert refused.returncode == 1
    assert f"'{name}' is no public container" in refused.stderr


def test_the_nodes_identity_needs_its_role_on_the_data(team: Team, azure: Client, submit: Submit) -> None:
    """The submitter may read the lake, the cluster's identity may not: the job fails, unless it runs as the user."""

    poor = harness.identity(azure, team.needs.group)
    body = cluster(team.needs)
    body["identity"]["userAssignedIdentities"] = {poor["id"]: {}}
    assert team.arm("PUT", "/computes/poor", body).status_code in (200, 201)
    lake = Client(azure.sandbox, "scientist")
    url = f"https://{team.needs.lake['name']}.blob.core.windows.net/fs1/for/user.csv"
    headers = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2023-11-03"}
    token = lake.token("https://storage.azure.com")
    put = lake.session.put(url, data=b"x", headers={**headers, "Authorization": f"Bearer {token}"})
    assert put.status_code == 201, put.text
    given = Input(type="uri_file", path="azureml://datastores/lake/paths/for/user.csv")
    refused = submit("", "cat ${{inputs.data}}", inputs={"data": given}, compute="poor")
    assert ended(team, refused) == "Failed"
    message = details(team, refused)["error"]["error"]["message"]
    assert "AuthorizationPermissionMismatch" in message and poor["properties"]["principalId"] in message
    allowed = submit(
        "", "cat ${{inputs.data}}", inputs={"data": given}, compute="poor", identity=UserIdentityConfiguration()
    )
    assert ended(team, allowed) == "Completed", log_text(team, allowed)


def test_datastores_give_access_by_their_own_credential(team: Team, azure: Client, submit: Submit) -> None:
    """A blob datastore with an account's key; after the key changed the same job fails."""

    account = harness.account(azure, team.needs.group, keys=True)
    harness.put(azure, f"{account['id']}/blobServices/default/containers/data", {})
    harness.grant(azure, account["id"], harness.SCIENTIST, harness.BLOB_CONTRIBUTOR, "User")
    keys = azure.arm("POST", f"{account['id']}/listKeys", api="2024-01-01").json()["keys"]
    credentials = {"credentialsType": "AccountKey", "secrets": {"secretsType": "AccountKey", "key": keys[0]["value"]}}
    store = {"datastoreType": "AzureBlob", "accountName": account["name"], "containerName": "data"}
    assert (
        team.arm("PUT", "/datastores/keyed", {"properties": {**store, "credentials": credentials}}).status_code == 201
    )
    line = "mkdir ${{outputs.out}}/a && echo hi > ${{outputs.out}}/a/b.txt"

    out = Output(type="uri_folder", path="azureml://datastores/keyed/paths/results/${{name}}/")
    wrote = submit("", line, outputs={"out": out})
    assert ended(team, wrote) == "Completed", log_text(team, wrote)
    folder = Input(type="uri_folder", path=f"azureml://datastores/keyed/paths/results/{wrote}")
    read = submit("", "cat ${{inputs.in}}/a/b.txt", inputs={"in": folder})
    assert ended(team, read) == "Completed", log_text(team, read)
    assert "hi" in log_text(team, read)
    azure.arm("POST", f"{account['id']}/regenerateKey", {"keyName": "key1"}, api="2024-01-01")
    failed = submit("", "cat ${{inputs.in}}/a/b.txt", inputs={"in": folder})
    assert ended(team, failed) == "Failed"
    assert "AuthenticationFailed" in details(team, failed)["error"]["error"]["message"]


def test_a_link_that_leads_out_of_an_output_is_left_out(team: Team, submit: Submit, tmp_path: Path) -> None:
    """A link in an output that points at a file of the host is not followed."""

    secret = tmp_path / "host.txt"
    secret.write_text("the host's")
    job = submit(
        "",
        f"ln -s {secret} ${{{{outputs.out}}}}/link && echo ok > ${{{{outputs.out}}}}/good",
        outputs={"out": Output(type="uri_folder")},
    )
    assert ended(team, job) == "Completed", log_text(team, job)
    assert "Left out link" in log_text(team, job)


def test_a_datastore_by_service_principal(team: Team, azure: Client, submit: Submit) -> None:
    """Neither the submitter nor the node has a role on the account; the datastore's own principal has."""
    application = azure.graph("POST", "/applications", {"displayName": unique("app")}).json()
    principal = azure.graph("POST", "/servicePrincipals", {"appId": application["appId"]}).json()
    password = azure.graph("POST", f"/applications/{application['id']}/addPassword", {"passwordCredential": {}}).json()
    account = harness.account(azure, team.needs.group, hierarchical=True)
    harness.put(azure, f"{account['id']}/blobServices/default/containers/fs2", {})
    harness.grant(azure, account["id"], principal["id"], harness.BLOB_CONTRIBUTOR)
    store = {
        "datastoreType": "AzureDataLakeGen2",
        "accountName": account["name"],
        "filesystem": "fs2",
        "credentials": {
            "credentialsType": "ServicePrincipal",
            "clientId": application["appId"],
            "tenantId": azure.tenant,
            "secrets": {"secretsType": "ServicePrincipal", "clientSecret": password["secretText"]},
        },
    }
    assert team.arm("PUT", "/datastores/byprincipal", {"properties": store}).status_code == 201
    out = Output(type="uri_file", path="azureml://datastores/byprincipal/paths/deep/result.txt")
    wrote = submit("", "echo made > ${{outputs.out}}", outputs={"out": out})
    assert ended(team, wrote) == "Completed", log_text(team, wrote)
    given = Input(type="uri_file", path="azureml://datastores/byprincipal/paths/deep/result.txt", mode="download")
    read = submit("", "cat ${{inputs.in}}", inputs={"in": given})
    assert ended(team, read) == "Completed", log_text(team, read)
    assert "made" in log_text(team, read)
    store["credentials"]["secrets"]["clientSecret"] = "wrong"
    assert team.arm("PUT", "/datastores/byprincipal", {"properties": store}).status_code == 200
    failed = submit("", "cat ${{inputs.in}}", inputs={"in": given})
    assert ended(team, failed) == "Failed"
    assert "its secret is not valid" in details(team, failed)["error"]["error"]["message"]


def test_a_datastore_by_sas_reaches_what_the_signature_allows(team: Team, azure: Client, submit: Submit) -> None:
    account = harness.account(azure, team.needs.group, keys=True)
    harness.put(azure, f"{account['id']}/blobServices/default/containers/data", {})
    key = azure.arm("POST", f"{account['id']}/listKeys", api="2024-01-01").json()["keys"][0]["value"]
    signature = generate_container_sas(
        account["name"], "data", key, permission="rl", expiry=datetime.now(UTC) + timedelta(hours=1)
    )
    credentials = {"credentialsType": "Sas", "secrets": {"secretsType": "Sas", "sasToken": signature}}
    store = {"datastoreType": "AzureBlob", "accountName": account["name"], "containerName": "data"}
    team.arm("PUT", "/datastores/signed", {"properties": {**store, "credentials": credentials}})
    full = BlobServiceClient(f"https://{account['name']}.blob.core.windows.net", key)
    full.get_blob_client("data", "a.txt").upload_blob(b"signed content")
    given = Input(type="uri_file", path="azureml://datastores/signed/paths/a.txt")
    read = submit("", "cat ${{inputs.in}}", inputs={"in": given})
    assert ended(team, read) == "Completed", log_text(team, read)
    assert "signed content" in log_text(team, read)
    out = Output(type="uri_folder", path="azureml://datastores/signed/paths/out/")
    refused = submit("", "echo x > ${{outputs.out}}/x", outputs={"out": out})
    assert ended(team, refused) == "Failed"
    assert "AuthorizationPermissionMismatch" in details(team, refused)["error"]["error"]["message"]


def test_a_workspace_with_keys(keyed_team: Team, as_scientist: None, tmp_path: Path) -> None:
    """Uploads and logs go by the account's key, as in a workspace that was made without saying how."""
    ml = harness.ml_client(keyed_team)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("by key")
    job = ml.jobs.create_or_update(
        command(
            command="cat ${{inputs.data}}/a.txt; until [ -e "
            f"{tmp_path / 'heard'} ]; do sleep 0.05; done; echo more > ${{{{outputs.out}}}}/b.txt",
            inputs={"data": Input(type="uri_folder", path=str(tmp_path / "data"))},
            outputs={"out": Output(type="uri_folder")},
            environment=Environment(name="none", image="python:3.11"),
            compute="cpu",
        )
    )
    assert "by key" in streamed(ml, str(job.name), tmp_path / "heard")
    ml.jobs.download(str(job.name), download_path=tmp_path / "got", output_name="out")
    assert [path.read_text() for path in (tmp_path / "got").rglob("b.txt")] == ["more\n"]
