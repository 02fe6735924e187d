"""Secrets planted wherever one can be: none is found in clear in state, logs, outputs or what a job leaves."""

import base64
import json
import os
import re
import uuid
from pathlib import Path

import yaml

from tests.azure.client import Client
from tests.conftest import ROOT, Sandbox
from tests.faults.sweep import CLUSTER, TEAM, command
from tests.jobs.platform import CONDA, JOB
from tests.program.harness import stack_file
from tests.program.stack import Stack

KEPT_ON_PURPOSE = {"ca.key", "entra.key", "personas.json", "seal.key", "passphrase"}
"""Keys of the sandbox itself, mode 0600; SECURITY.md lists them."""

SHOWING = [
    ("preview", "--diff"),
    ("preview", "--json"),
    ("up", "--yes", "--skip-preview", "--diff", "--debug", "-v=9", "--logtostderr"),
    ("refresh", "--yes", "--diff"),
]
"""Commands that print all they can."""


def forms(secret: str) -> list[bytes]:
    """As it is, and in base64 at each of three offsets."""
    encoded = [base64.b64encode(b"x" * pad + secret.encode())[4:-4] for pad in range(3)]
    return [secret.encode(), *encoded]


def leaks(folder: Path, secrets: dict[str, str]) -> list[str]:
    """Which secret is in which file."""
    wanted = [(name, form) for name, secret in secrets.items() for form in forms(secret)]
    files = [file for file in folder.rglob("*") if file.is_file() and file.name not in KEPT_ON_PURPOSE]
    assert files
    return [f"{name} in {file}" for file in files for name, form in wanted if form in file.read_bytes()]


def process_arguments() -> bytes:
    """The command lines of all processes."""
    found = b""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += file.read_bytes()
        except OSError:
            continue  # it ended
    return found


def test_no_planted_secret_is_found_in_clear(signed_in: Sandbox, tmp_path: Path) -> None:
    passphrase, planted = f"passphrase-{uuid.uuid4().hex}", f"signature-{uuid.uuid4().hex}"
    home = signed_in.directory / "pulumi"
    home.mkdir(mode=0o700)
    (home / "passphrase").write_text(passphrase)
    stack, dev = Stack(signed_in, tmp_path), stack_file("dev")
    dev["teams"][0]["automation"] = [{"name": "seed", "role": "contributor", "secret": {"rotated": "2026-11-01"}}]
    first = stack.up(dev)
    assert first.code == 0, first.text
    printed, configured = tmp_path / "printed", f"configured-{uuid.uuid4().hex}"
    printed.mkdir()
    for n, words in enumerate(SHOWING):
        _, text = stack.run(*words, "--config-file", str(tmp_path / "Pulumi.dev.yaml"))
        (printed / f"{n} {words[0]}").write_text(text)
    config = tmp_path / "Pulumi.secret.yaml"
    config.write_text("config: {}\n")
    for words in (("set", "--secret", "azureml-platform:extra", configured), ("get", "azureml-platform:extra"), ()):
        code, text = stack.run("config", *words, "--config-file", str(config))
        assert code == 0, text
        if words[:1] == ("get",):
            assert configured in text  # asked for by name, as with Pulumi
        else:
            (printed / f"config {len(words)}").write_text(text)
    assert "secure:" in config.read_text()
    client = Client(signed_in)
    token, key = client.token(), account_key(client)
    vault_token = client.token("https://vault.azure.net")
    assert client.arm("GET", "resourceGroups").status_code == 200
    assert (
        client.session.get(f"https://{account(client)}.blob.core.windows.net/?comp=list&sig={planted}").status_code
        >= 400
    )
    code, exported = stack.run("stack", "export")
    assert code == 0
    run_token, told = run_of_a_job(signed_in, stack, tmp_path)
    again = stack.refresh(dev)
    secrets = {
        "service principal's password in the vault": vault_secret(client, "seed-password"),
        "configuration": configured,
        "passphrase": passphrase,
        "service principal's secret": os.environ["ARM_CLIENT_SECRET"],
        "token": token.rsplit(".", 1)[1],
        "vault token": vault_token.rsplit(".", 1)[1],
        "storage key": key,
        "signature in a URL": planted,
        "run's token": run_token.rsplit(".", 1)[1],
        "scientist's secret": signed_in.environment("scientist")["AZURE_CLIENT_SECRET"],
    }
    (printed / "stack file").write_bytes(config.read_bytes())
    (printed / "text").write_text(first.text + again.text + exported + told + yaml.safe_dump(stack.outputs()))
    assert leaks(printed, secrets) == []
    assert leaks(signed_in.directory, secrets) == []
    assert not [name for name, secret in secrets.items() if secret.encode() in process_arguments()]
    for name in KEPT_ON_PURPOSE - {"passphrase"}:
        assert (signed_in.directory / name).stat().st_mode & 0o077 == 0, name
    assert signed_in.directory.stat().st_mode & 0o077 == 0


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    secret = "secret-" + uuid.uuid4().hex
    (tmp_path / "plain").write_text(f"x {secret} y")
    (tmp_path / "encoded").write_bytes(base64.b64encode(f"ab{secret}".encode()))
    (tmp_path / "clean").write_text("nothing")
    assert sorted(Path(found.split(" in ")[1]).name for found in leaks(tmp_path, {"s": secret})) == ["encoded", "plain"]


def run_of_a_job(sandbox: Sandbox, stack: Stack, folder: Path) -> tuple[str, str]:
    """The token of a job that tells it backwards, and what its submission printed."""
    job, outputs = folder / "job", folder / "outputs.json"
    (job / "src").mkdir(parents=True)
    (job / "src" / "tell.py").write_text("import os\nprint('told', os.environ['AZUREML_RUN_TOKEN'][::-1])\n")
    (job / "conda.yml").write_text(CONDA)
    (job / "job.yml").write_text(JOB.format(name="tell", command='"python tell.py"'))
    outputs.write_text(json.dumps(stack.outputs()))
    words = ["submit", str(job), "--outputs", str(outputs), "--team", TEAM, "--cluster", CLUSTER, "--stream"]
    code, told = command(sandbox, *words)
    assert code == 0, told
    backwards = re.search(r"^told (\S+)$", told, re.MULTILINE)
    assert backwards, told
    return backwards[1][::-1], told


def vault_secret(client: Client, name: str) -> str:
    """A secret of the stack's vault."""
    [vault] = client.arm("GET", "providers/Microsoft.KeyVault/vaults", api="2024-11-01").json()["value"]
    headers = {"Authorization": f"Bearer {client.token('https://vault.azure.net')}"}
    url = f"https://{vault['name']}.vault.azure.net/secrets/{name}?api-version=7.4"
    found = client.session.get(url, headers=headers)
    assert found.status_code == 200, found.text
    return str(found.json()["value"])


def account(client: Client) -> str:
    """A storage account of the stack."""
    found = client.arm("GET", "providers/Microsoft.Storage/storageAccounts", api="2024-01-01").json()["value"]
    return str(found[0]["name"])


def account_key(client: Client) -> str:
    """Its first key."""
    found = client.arm("GET", "providers/Microsoft.Storage/storageAccounts", api="2024-01-01").json()["value"]
    keys = client.arm("POST", f"{found[0]['id']}/listKeys", api="2024-01-01").json()["keys"]
    return str(keys[0]["value"])


def test_no_secret_is_in_the_tree() -> None:
    for pattern in ("*.py", "*.yaml", "*.md", "*.json"):
        for file in [*ROOT.glob(pattern), *(ROOT / "sandbox").rglob(pattern), *(ROOT / "settings").rglob(pattern)]:
            assert b"-----BEGIN RSA PRIVATE" not in file.read_bytes(), file
            assert b"-----BEGIN PRIVATE" not in file.read_bytes(), file
