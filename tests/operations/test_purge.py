"""Names that a deleted stack blocks: what the command says and does; tests/program does it in the sandbox."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from department.__main__ import main as department
from tests.program.harness import ROOT

DEV, PROD = str(ROOT / "Pulumi.dev.yaml"), str(ROOT / "Pulumi.prod.yaml")
GROUP = "/subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27/resourceGroups/bgmr-bluegranit-eastus2-dev"


@dataclass
class Answer:
    status_code: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        if self.body is None:
            raise ValueError("no body")
        return self.body


class Azure:
    """Answers from a list by method and the end of the path, 404 for everything else; keeps what was asked."""

    def __init__(self, *answers: tuple[str, str, Answer]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        self.asked.append(f"{method} {path}")
        for i, (verb, part, answer) in enumerate(self.answers):
            if verb == method and part in path:
                del self.answers[i]
                return answer
        return Answer(404, {"error": {"code": "ResourceNotFound", "message": "none"}})


def vault(*, protected: bool = False) -> Answer:
    dates = {"scheduledPurgeDate": "2027-02-19T13:20:56Z", "purgeProtectionEnabled": protected}
    return Answer(200, {"properties": dates})


def main(words: list[str], azure: Azure) -> int:
    """`python -m department purge` with this Azure."""
    with patch("department.commands.purge.signed_in", lambda: azure):
        return department(["purge", *words])


def test_no_blocked_name(capsys: pytest.CaptureFixture[str]) -> None:
    azure = Azure()
    assert main(["--check", DEV], azure) == 0
    assert "No deleted key vault" in capsys.readouterr().out
    [asked] = azure.asked
    assert asked.startswith("GET /subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27/providers/Microsoft.KeyVault/")
    assert "/locations/eastus2/deletedVaults/bgmrbluegranite2devkv?api-version=" in asked


def test_a_blocked_name_is_told_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", DEV], Azure(("GET", "deletedVaults", vault()))) == 1
    out = capsys.readouterr().out
    assert "bgmrbluegranite2devkv (team bluegranit): deleted, kept until 2027-02-19" in out
    assert "department purge FILE" in out and "az keyvault recover --name bgmrbluegranite2devkv" in out
    assert main(["--check", "--json", DEV], Azure(("GET", "deletedVaults", vault(protected=True)))) == 1
    assert json.loads(capsys.readouterr().out)[0]["protected"] is True


def test_purging_waits_until_azure_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    later = {"Location": "https://management.azure.com/operations/1", "Retry-After": "0"}
    azure = Azure(
        ("GET", "deletedVaults", vault()),
        ("POST", "/purge", Answer(202, None, later)),
        ("GET", "/operations/1", Answer(202, None, {"Retry-After": "0"})),
        ("GET", "/operations/1", Answer(200)),
        ("GET", f"{GROUP}?", Answer(200, {})),
        (
            ("DELETE"),
            "forceToPurge=true",
            Answer(202, None, {"Azure-AsyncOperation": "/operations/2", "Retry-After": "0"}),
        ),
        ("GET", "/operations/2", Answer(200, {"status": "InProgress"}, {"Retry-After": "0"})),
        ("GET", "/operations/2", Answer(200, {"status": "Succeeded"})),
    )
    assert main([DEV], azure) == 0
    assert azure.answers == []
    out = capsys.readouterr().out
    assert "purged the key vault bgmrbluegranite2devkv" in out
    assert "purged the workspace bgmrbluegranite2devws" in out


def test_a_workspace_whose_group_is_gone_is_purged_through_a_group_made_for_it() -> None:
    azure = Azure(
        ("PUT", GROUP, Answer(201, {})),
        ("DELETE", "forceToPurge=true", Answer(200)),
        ("DELETE", f"{GROUP}?", Answer(200)),
    )
    assert main([DEV], azure) == 0
    assert azure.answers == []
    assert azure.asked[-1].startswith(f"DELETE {GROUP}?")


def test_the_group_goes_again_where_the_purge_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    denied = Answer(403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
    azure = Azure(
        ("PUT", GROUP, Answer(201, {})),
        ("DELETE", "forceToPurge=true", denied),
        ("DELETE", f"{GROUP}?", Answer(200)),
    )
    assert main([DEV], azure) == 1
    assert azure.answers == []
    assert "AuthorizationFailed: no" in capsys.readouterr().err


def test_a_protected_vault_is_not_purged(capsys: pytest.CaptureFixture[str]) -> None:
    azure = Azure(("GET", "deletedVaults", vault(protected=True)), ("GET", f"{GROUP}?", Answer(200, {})))
    assert main([DEV], azure) == 1
    assert "protected until 2027-02-19" in capsys.readouterr().err
    assert not any(asked.startswith("POST") for asked in azure.asked)


def test_production_is_not_purged_by_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    azure = Azure()
    assert main([PROD], azure) == 1
    assert azure.asked == []
    assert "--production" in capsys.readouterr().err
    assert (
        main(
            ["--production", PROD],
            Azure(*[("PUT", "", Answer(201, {}))] * 2, *[("DELETE", "?api-version=2024", Answer(200))] * 2),
        )
        == 0
    )


def test_refusals_and_wrong_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    denied = Answer(
        403, {("error"): {"code": "AuthorizationFailed", "message": "The client does not have authorization"}}
    )
    assert main(["--check", DEV], Azure(("GET", "deletedVaults", denied))) == 1
    assert "status 403 AuthorizationFailed: The client does not have authorization" in capsys.readouterr().err
    assert main(["--check", str(tmp_path / "Pulumi.none.yaml")], Azure()) == 1
    assert "cannot read the file" in capsys.readouterr().err
    assert main(["--check"], Azure()) == 2
    assert main(["--json", DEV], Azure()) == 2
