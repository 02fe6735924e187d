"""Go programs sign in: azure-native's and azuread's providers are such, and MSAL Go checks more than other clients."""

import subprocess

import pytest

from tests.azure.go.modules import VERSIONS, binary
from tests.conftest import SUBSCRIPTION, Sandbox


def run(sandbox: Sandbox, version: str, **variables: str) -> subprocess.CompletedProcess[str]:
    program = binary(version)
    if not program.exists():
        pytest.skip(f"{program.name} is not built: `make prepare` does it where Go and a network are")
    names = ("HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
    environment = {name: sandbox.environment("owner")[name] for name in names}
    return subprocess.run(
        [str(program)], env={**environment, **variables}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_azidentity_signs_in(shared_sandbox: Sandbox, version: str) -> None:
    done = run(shared_sandbox, version)
    assert done.stdout.split() == [SUBSCRIPTION], done.stderr


def test_azidentity_is_refused_with_a_wrong_secret(shared_sandbox: Sandbox) -> None:
    done = run(shared_sandbox, "1.15.0", AZURE_CLIENT_SECRET="wrong")
    assert done.returncode == 1
    assert "AADSTS7000215" in done.stderr
