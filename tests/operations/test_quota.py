"""The vCPU quota: what a department can draw, and what is said of each form in which Azure answers."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.quota import Finding, Verdict, check, demands, read_quotas, share_command
from operations.resourcemanager import AzureRefusedError
from settings import Department, parse_department
from tests.conftest import ROOT, SUBSCRIPTION, Sandbox
from tests.program.harness import stack_file

DEV, PROD = str(ROOT / "Pulumi.dev.yaml"), str(ROOT / "Pulumi.prod.yaml")
ML = "Microsoft.MachineLearningServices"
LOCATION = f"/subscriptions/{SUBSCRIPTION}/providers/{ML}/locations/eastus2"
WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/bgmr-bluegranit-eastus2-pro/providers/{ML}"
    "/workspaces/bgmrbluegranite2prows"
)


def command(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "department", "quota", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def department(**cluster: Any) -> Department:
    raw = stack_file("prod")
    raw["teams"][0]["clusters"][0] |= cluster
    return parse_department(raw, "Pulumi.prod.yaml")


@dataclass
class Azure:
    """Answers with pages of usages, and keeps what was asked."""

    pages: list[Any]
    status_code: int = 200
    asked: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, body: dict[str, Any] | None) -> "Azure":
        self.asked.append(f"{method} {path}")
        return self

    def json(self) -> Any:
        return self.pages.pop(0)


def checked(settings: Department, azure: Azure) -> list[Finding]:
    """What the quotas that Azure tells mean to a department."""
    return check(settings, read_quotas(settings, azure))


def row(id_: str, kind: str, name: str, limit: int, used: int | None = 0) -> dict[str, Any]:
    return {
        "id": id_,
        "type": f"{ML}/{kind}/usages",
        "currentValue": used,
        "limit": limit,
        "name": {"value": name, "localizedValue": name},
        "unit": "Count",
    }


def live(family: str, limit: int) -> dict[str, Any]:
    """As people have seen it: the dedicated and the low-priority row of a family have one name."""
    return row(f"{LOCATION}/usages/{family}", "vmFamily/dedicatedCores", family, limit)


def documented(family: str, limit: int) -> dict[str, Any]:
    """As the specification's example has it."""
    words = f"Standard {family.removeprefix('standard').removesuffix('Family')} Family Cluster Dedicated vCPUs"
    return row(f"/subscriptions/{SUBSCRIPTION}/usages/{words.replace(' ', '_')}", "vmFamily", words, limit)


TOTALS = [
    row(f"/subscriptions/{SUBSCRIPTION}/usages", "dedicatedCores", "Total Cluster Dedicated Regional vCPUs", 100),
    row(f"/subscriptions/{SUBSCRIPTION}/usages", "lowPriorityCores", "TotalLowPriorityCores", 50),
    row(f"/subscriptions/{SUBSCRIPTION}/usages", "totalCores", "Clusters", 100, 7),
]


def test_nodes_and_instances_are_counted_by_family_and_low_priority_in_one_pool() -> None:
    raw = stack_file("prod")
    raw["teams"][0]["instances"] = [{"name": "mine", "user": "user1@site.com", "vmSize": "Standard_DS3_v2"}]
    raw["teams"][0]["clusters"][1]["priority"] = "lowPriority"
    raw["teams"][1]["clusters"][0]["priority"] = "lowPriority"
    mixed = parse_department(raw, "Pulumi.prod.yaml")
    found = {one.pool: one for one in demands(mixed.teams)}
    assert {pool: one.vcpus for pool, one in found.items()} == {
        "standardDSv2Family": 4 * 4 + 4,
        "TotalDedicatedCores": 4 * 4 + 4,
        "TotalLowPriorityCores": 2 * 8 + 2 * 8,
    }
    assert found["standardDSv2Family"].by == (
        "bluegranit/train-cpu: 4 × STANDARD_DS3_V2",
        "bluegranit/mine: 1 × STANDARD_DS3_V2",
    )


@pytest.mark.parametrize("form", [live, documented])
@pytest.mark.parametrize(
    ("limit", "verdict"),
    [(16, Verdict.FITS), (15, Verdict.SHORT), (4, Verdict.SHORT), (3, Verdict.REFUSED), (-1, Verdict.FITS)],
)
def test_a_family_is_held_against_its_dedicated_row(
    form: Callable[[str, int], dict[str, Any]], limit: int, verdict: Verdict
) -> None:
    family = "standardDSv2Family"
    low = row(f"{LOCATION}/usages/{family}", "vmFamily/lowPriorityCores", family, -1)
    low_words = row(
        f"/subscriptions/{SUBSCRIPTION}/usages/x", "vmFamily", "Standard DSv2 Family Cluster LowPriority vCPUs", 1
    )
    rows = [form(family, limit), low, low_words, *TOTALS]
    azure = Azure([{"value": rows}])
    found = {one.demand.pool: one for one in checked(department(), azure)}
    assert found[family].verdict is verdict
    assert (found[family].command is None) is (verdict is Verdict.FITS)
    assert found["TotalDedicatedCores"].verdict is Verdict.FITS
    assert found["standardDv2Family"].verdict is Verdict.UNKNOWN
    assert azure.asked == [f"GET {LOCATION}/usages?api-version=2025-12-01"]  # one request for all


def test_pages_follow_one_another() -> None:
    link = f"https://management.azure.com{LOCATION}/usages?api-version=2025-12-01&$skiptoken=x"
    azure = Azure([{"value": [live("standardDSv2Family", 99)], "nextLink": link}, {"value": TOTALS, "nextLink": None}])
    assert {one.verdict for one in checked(department(), azure)} == {Verdict.FITS, Verdict.UNKNOWN}
    assert azure.asked[1].endswith("$skiptoken=x") and azure.asked[1].startswith(f"GET {LOCATION}")


def test_a_workspaces_own_limit_is_told_with_the_command_that_changes_it() -> None:
    rows = [
        live("standardDSv2Family", 99),
        row(
            f"{WORKSPACE.upper()}/usages/standardDSv2Family", "workspaces/dedicatedCores", "standardDSv2Family", 8, None
        ),
        row(f"{WORKSPACE}/computes/c/usages/standardDv2Family", "workspaces/computes", "standardDv2Family", 1),
        row(f"{WORKSPACE}x/usages/standardDv2Family", "workspaces/dedicatedCores", "standardDv2Family", 1),
    ]
    rows[1]["id"] = (
        rows[1]["id"].replace(f"/{ML.upper()}/WORKSPACES/", f"/{ML}/workspaces/").replace("/USAGES/", "/usages/")
    )
    findings = checked(department(), Azure([{"value": rows}]))
    [own] = [one for one in findings if one.workspace]
    assert (own.workspace, own.verdict, own.demand.vcpus) == ("bgmrbluegranite2prows", Verdict.SHORT, 16)
    [other] = [one for one in findings if one.demand.pool == "standardDv2Family"]
    assert other.verdict is Verdict.UNKNOWN  # neither a cluster's use nor another workspace's limit
    assert own.command is not None and own.command in own.text("eastus2")
    words = shlex.split(own.command)
    assert words[:4] == ["az", "rest", "--method", "post"]
    assert words[words.index("--url") + 1] == f"{LOCATION}/updateQuotas?api-version=2025-12-01"
    assert json.loads(words[words.index("--body") + 1])["value"] == [
        {
            "id": f"{WORKSPACE}/quotas/standardDSv2Family",
            "type": f"{ML}/workspaces/dedicatedCores/quotas",
            "limit": 16,
            "unit": "Count",
        }
    ]


def test_a_workspace_in_a_given_resource_group_is_found_there() -> None:
    raw = stack_file("prod")
    raw["teams"][0]["existing"] = {"resourceGroupId": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/given"}
    given = parse_department(raw, "Pulumi.prod.yaml")
    id_ = WORKSPACE.replace("bgmr-bluegranit-eastus2-pro", "given")
    own = row(f"{id_}/usages/standardDSv2Family", "workspaces/dedicatedCores", "standardDSv2Family", 8)
    assert [one.workspace for one in checked(given, Azure([{"value": [own]}])) if one.workspace] == [
        "bgmrbluegranite2prows"
    ]


def test_only_what_the_subscription_holds_is_shared_out() -> None:
    findings = checked(department(), Azure([{"value": [live("standardDSv2Family", 1), live("standardDv2Family", 99)]}]))
    shares = share_command(department(), findings)
    assert shares is not None and "standardDv2Family" in shares and "standardDSv2Family" not in shares
    assert share_command(department(), []) is None


@pytest.mark.parametrize(
    "body", [{}, {"value": None}, {"value": [{}]}, {"value": [7]}, [], {"value": [row("", "", "", 1) | {"limit": "x"}]}]
)
def test_an_answer_of_another_form_is_an_error(body: Any) -> None:
    with pytest.raises(AzureRefusedError):
        checked(department(), Azure([body]))


def test_azures_refusal_is_told() -> None:
    with pytest.raises(AzureRefusedError, match="status 403 AuthorizationFailed: no"):
        checked(department(), Azure([{"error": {"code": "AuthorizationFailed", "message": "no"}}], status_code=403))


@pytest.fixture
def larger(tmp_path: Path) -> str:
    raw = stack_file("dev")
    raw["teams"][0]["clusters"][0] |= {"maxNodes": 9, "priority": "dedicated"}
    raw["teams"][0]["clusters"][1] |= {"vmSize": "STANDARD_NC6S_V3", "priority": "dedicated"}
    target = tmp_path / "Pulumi.large.yaml"
    target.write_text(yaml.safe_dump({"config": {"azureml-platform:department": raw}}))
    return str(target)


def test_a_department_within_its_quota(shared_sandbox: Sandbox) -> None:
    done = command(DEV, "--json", **shared_sandbox.environment())
    assert done.returncode == 0, done.stderr
    [pool] = json.loads(done.stdout)["quotas"]
    assert (pool["quota"], pool["limit"], pool["atMost"], pool["verdict"]) == ("TotalLowPriorityCores", 100, 26, "fits")


def test_azure_natives_own_variables_sign_in(shared_sandbox: Sandbox) -> None:
    environment = shared_sandbox.environment() | {"AZURE_CLIENT_SECRET": ""}
    assert command(DEV, **environment).returncode == 0
    refused = command(DEV, **environment | {"ARM_CLIENT_SECRET": "wrong"})
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: signing in to Azure failed") and "wrong" not in refused.stderr


def test_a_department_beyond_its_quota(shared_sandbox: Sandbox, larger: str) -> None:
    done = command(larger, **shared_sandbox.environment())
    assert done.returncode == 1, done.stderr
    assert (
        "vCPU quota of standardDSv2Family in eastus2 (subscription) is 24, and 36 (bluegranit/ds3-v2-cluster: 9 × "
        "STANDARD_DS3_V2) can be drawn: jobs wait for nodes. Change it: az quota update --resource-name "
        f"standardDSv2Family --scope {LOCATION} --limit-object value=36 --resource-type dedicated" in done.stdout
    )
    assert "a node needs 6, so that none starts" in done.stdout


def test_who_may_not_read_quotas_is_told_so(shared_sandbox: Sandbox) -> None:
    done = command(PROD, **shared_sandbox.environment("scientist"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "AuthorizationFailed" in done.stderr and "Traceback" not in done.stderr


def test_without_an_account_or_a_file_it_says_what_to_do(tmp_path: Path) -> None:
    nobody = {"AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential", "AZURE_CLIENT_SECRET": "", "ARM_CLIENT_SECRET": ""}
    done = command(PROD, **nobody)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: signing in to Azure failed: run az login")
    missing = command(str(tmp_path / "none.yaml"))
    assert missing.returncode == 1 and "cannot read the file" in missing.stderr
    assert command().returncode == 2
