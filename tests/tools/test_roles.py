"""The built-in roles are read again from Azure as they are; the sandbox stands in for it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from operations.resourcemanager import AzureRefusedError, signed_in
from tools.roles import ROLES, main, read_again


@pytest.fixture
def roles() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(ROLES.read_text())
    return content


def test_roles_are_read_as_the_file_has_them(as_persona: Callable[[str], None], roles: dict[str, Any]) -> None:
    as_persona("scientist")
    assert read_again(signed_in(), list(roles)) == roles
    with pytest.raises(AzureRefusedError, match="RoleDefinitionDoesNotExist"):
        read_again(signed_in(), ["00000000-0000-0000-0000-000000000001"])


def test_without_an_account_the_file_stays(
    monkeypatch: pytest.MonkeyPatch, roles: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential"), ("AZURE_CLIENT_SECRET", "")):
        monkeypatch.setenv(name, value)
    assert main() == 1
    assert "the built-in roles cannot be read: signing in to Azure failed" in capsys.readouterr().err
    assert json.loads(ROLES.read_text()) == roles
