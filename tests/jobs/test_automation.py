"""A team's service principal end to end: the stack makes it, who may reads its secret, Azure's clients run as it."""

import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient

from tests.conftest import Sandbox
from tests.jobs.conftest import ROOT
from tests.program.harness import stack_file
from tests.program.stack import Stack

VAULT = "bgmrbluegranite2devkv"
SEED = {
    "name": "seed",
    "role": "contributor",
    "secret": {"rotated": "2026-11-01", "validDays": 700, "readers": ["user2@site.com"]},
}
RELEASE = {"name": "release", "github": {"repository": "contoso/forecast", "branch": "main"}}
AS_ITSELF = """
import json, sys, uuid
from azure.ai.ml import MLClient
from azure.ai.ml.entities import AmlCompute
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.storage.filedatalake import DataLakeServiceClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.models import RoleAssignmentCreateParameters

team = json.loads(sys.argv[1])
credential = DefaultAzureCredential()
lake = team["datastores"]["MLData"]
file = DataLakeServiceClient(f"https://{lake['account']}.dfs.core.windows.net", credential).get_file_client(
    lake["container"], "seed.txt"
)
file.upload_data(b"from the service principal", overwrite=True)
ml = MLClient(credential, team["subscriptionId"], team["resourceGroup"], team["workspace"])
ml.compute.begin_create_or_update(AmlCompute(name="seed-made", size="STANDARD_DS3_V2", max_instances=1)).result()
token = credential.get_token("https://management.azure.com/.default").token
roles = AuthorizationManagementClient(credential, team["subscriptionId"]).role_assignments
scope = team["studioUrl"].split("wsid=")[1].split("&")[0]
role = {
    "role_definition_id": "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "principal_id": team["automation"]["seed"]["clientId"],
    "principal_type": "ServicePrincipal",
}
try:  # Contributor, so it cannot make itself the owner
    roles.create(scope, str(uuid.uuid4()), RoleAssignmentCreateParameters(**role))
    refused = None
except HttpResponseError as error:
    refused = error.error.code
print(json.dumps({
    "token": token,
    "read": file.download_file().readall().decode(),
    "clusters": sorted(one.name for one in ml.compute.list()),
    "refused": refused,
}))
"""
SIGN_IN = """
from azure.identity import DefaultAzureCredential

DefaultAzureCredential().get_token("https://management.azure.com/.default")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The dev stack with two service principals, of which one has a secret."""
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox") / ".sandbox")
    sandbox.start()
    try:
        stack = Stack(sandbox, tmp_path_factory.mktemp("stack"))
        department = stack_file("dev")
        department["teams"][0]["automation"] = [SEED, RELEASE]
        done = stack.up(department)
        assert done.code == 0, done.text
        yield stack
    finally:
        sandbox.stop()


def shell(stack: Stack, persona: str, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a shell's lines as somebody who has the sandbox's environment."""
    known = {
        **os.environ,
        **stack.sandbox.environment(persona),
        "SANDBOX_DIR": str(stack.sandbox.directory),
        "PYTHON": sys.executable,
        **variables,
    }
    return subprocess.run(
        ["sh", "-c", script], cwd=ROOT, env=known, capture_output=True, text=True, timeout=120, check=False
    )


def secrets_of(stack: Stack) -> SecretClient:
    """The vault as who deploys, with the right to set secrets."""
    owner = stack.sandbox.environment("owner")
    credential = ClientSecretCredential(
        owner["AZURE_TENANT_ID"], owner["AZURE_CLIENT_ID"], owner["AZURE_CLIENT_SECRET"]
    )
    return SecretClient(f"https://{VAULT}.vault.azure.net", credential)


@pytest.fixture
def secrets(made: Stack, monkeypatch: pytest.MonkeyPatch) -> SecretClient:
    for name, value in made.sandbox.environment("owner").items():
        monkeypatch.setenv(name, value)
    return secrets_of(made)


def test_an_unmodified_client_works_as_the_service_principal(made: Stack) -> None:
    outputs = made.outputs()
    team = outputs["teams"]["bluegranit"]
    script = (
        'exports=$("$PYTHON" -m jobs env --stack dev --team bluegranit --automation seed) && eval "$exports" && '
        '[ "$SP_PASSWORD" = "$AZURE_CLIENT_SECRET" ] && exec "$PYTHON" -c "$AS_ITSELF" "$TEAM"'
    )
    done = shell(made, "scientist", script, AS_ITSELF=AS_ITSELF, TEAM=json.dumps(team))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    claims = jwt.decode(told["token"], options={"verify_signature": False})
    assert (claims["appid"], claims["idtyp"]) == (team["automation"]["seed"]["clientId"], "app")
    assert told["read"] == "from the service principal"
    assert {"ds3-v2-cluster", "seed-made"} <= set(told["clusters"])
    assert told["refused"] == "AuthorizationFailed"


@pytest.mark.parametrize(("branch", "code"), [("main", ""), ("other", "AADSTS700213")])
def test_a_trusted_pipeline_works_as_its_service_principal(made: Stack, tmp_path: Path, branch: str, code: str) -> None:
    release = made.outputs()["teams"]["bluegranit"]["automation"]["release"]
    subject = f"repo:contoso/forecast:ref:refs/heads/{branch}"
    script = (
        '"$PYTHON" -m sandbox token --issuer https://token.actions.githubusercontent.com --subject "$SUBJECT" '
        '> "$AZURE_FEDERATED_TOKEN_FILE" && unset AZURE_CLIENT_SECRET && exec "$PYTHON" -c "$SIGN_IN"'
    )
    done = shell(
        made,
        "scientist",
        script,
        SUBJECT=subject,
        SIGN_IN=SIGN_IN,
        AZURE_CLIENT_ID=release["clientId"],
        AZURE_FEDERATED_TOKEN_FILE=str(tmp_path / "token"),
    )
    assert (done.returncode == 0, code in done.stderr) == (not code, True), done.stderr


def test_the_only_one_with_a_secret_needs_no_name(made: Stack) -> None:
    done = shell(made, "scientist", '"$PYTHON" -m jobs env')
    assert done.returncode == 0, done.stderr
    names = [shlex.split(line)[1].split("=")[0] for line in done.stdout.splitlines()]
    assert names == [
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_SUBSCRIPTION_ID",
        "SP_PASSWORD",
    ]
    assert done.stderr == ""


@pytest.mark.parametrize("value", ['it\'s $(touch /tmp/no) `x` "q" \\ !!', "line\nline", " spaced ", "-n", "ä%*?[a]~#"])
def test_a_secret_of_any_characters_arrives_as_it_is(made: Stack, secrets: SecretClient, value: str) -> None:
    before = secrets.get_secret("seed-password")
    secrets.set_secret("seed-password", value)
    try:
        done = shell(made, "scientist", 'eval "$("$PYTHON" -m jobs env)" && printf "%s|" "$SP_PASSWORD"')
        assert (done.returncode, done.stdout) == (0, f"{value}|"), done.stderr
    finally:
        secrets.set_secret("seed-password", str(before.value), expires_on=before.properties.expires_on)


def test_who_is_no_reader_is_told_who_may(made: Stack) -> None:
    done = shell(made, "lead", '"$PYTHON" -m jobs env --automation seed')
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: you may not read 'seed-password' in vault {VAULT} (ForbiddenByRbac)")
    assert "secret.readers of automation 'seed'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--automation release", "'release' has no secret: its pipelines sign in by their own tokens"),
        ("--automation none", "no service principal 'none'; those with a secret: seed"),
        ("--team other", "no team 'other'"),
    ],
)
def test_one_that_cannot_be_told(made: Stack, arguments: str, said: str) -> None:
    done = shell(made, "scientist", f'"$PYTHON" -m jobs env {arguments}')
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_expired_secret_says_how_to_rotate_it(made: Stack, secrets: SecretClient) -> None:
    before = secrets.get_secret("seed-password").properties.expires_on
    assert before is not None
    secrets.update_secret_properties("seed-password", expires_on=datetime(2020, 10, 1, tzinfo=UTC))
    try:
        done = shell(made, "scientist", '"$PYTHON" -m jobs env')
        assert (done.returncode, done.stdout) == (1, "")
        assert "the secret of 'seed' expired on 2020-10-01: another day as its secret.rotated" in done.stderr
    finally:
        secrets.update_secret_properties("seed-password", expires_on=before)


def test_a_deleted_secret_is_told(made: Stack, secrets: SecretClient) -> None:
    secrets.begin_delete_secret("seed-password").wait()
    try:
        done = shell(made, "scientist", '"$PYTHON" -m jobs env')
        assert (done.returncode, done.stdout) == (1, "")
        assert f"vault {VAULT} has no secret 'seed-password': bring the stack up again" in done.stderr
    finally:
        secrets.begin_recover_deleted_secret("seed-password").wait()


def test_nothing_is_printed_on_a_terminal(made: Stack) -> None:
    leader, follower = pty.openpty()
    try:
        environment: dict[str, Any] = {**os.environ, **made.sandbox.environment("scientist")}
        environment["SANDBOX_DIR"] = str(made.sandbox.directory)
        command = [sys.executable, "-m", "jobs", "env"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=follower, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(follower)
        os.close(leader)
    assert done.returncode == 1
    assert b'not to a terminal: eval "$(python -m jobs env' in done.stderr


def test_another_day_makes_another_secret_and_the_old_one_ends(made: Stack) -> None:
    printed = shell(made, "scientist", 'eval "$("$PYTHON" -m jobs env)" && env')
    old = dict(line.split("=", 1) for line in printed.stdout.splitlines() if "=" in line)
    department = stack_file("dev")
    department["teams"][0]["automation"] = [{**SEED, "secret": {**SEED["secret"], "rotated": "2026-11-15"}}, RELEASE]  # type: ignore[dict-item]
    done = made.up(department)
    assert done.code == 0, done.text
    assert set(done.steps) == {
        "create-replacement ServicePrincipalPassword bluegranit-seed",
        "replace ServicePrincipalPassword bluegranit-seed",
        "update Secret bluegranit-seed",
        "delete-replaced ServicePrincipalPassword bluegranit-seed",
    }
    new = shell(made, "scientist", 'eval "$("$PYTHON" -m jobs env)" && exec "$PYTHON" -c "$SIGN_IN"', SIGN_IN=SIGN_IN)
    assert new.returncode == 0, new.stderr
    names = ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
    ended = shell(made, "scientist", 'exec "$PYTHON" -c "$SIGN_IN"', SIGN_IN=SIGN_IN, **{n: old[n] for n in names})
    assert ended.returncode != 0
    assert "AADSTS7000215" in ended.stderr
    assert old["SP_PASSWORD"] not in ended.stderr
    assert old["SP_PASSWORD"] not in made.sandbox.log()
