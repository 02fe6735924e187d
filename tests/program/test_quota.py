"""The vCPU quota as previews tell it, and the commands that change it, carried out as `az rest` does."""

import json
import shlex
from pathlib import Path

import pytest

from department.__main__ import main as department
from operations.resourcemanager import body_of
from operations.resourcemanager import signed_in as resource_manager
from tests.conftest import Sandbox
from tests.program.harness import ROOT, stack_file
from tests.program.stack import Stack


def test_a_preview_tells_what_the_quota_does_not_hold(signed_in: Sandbox, tmp_path: Path) -> None:
    department = stack_file("prod")
    department["teams"][0]["clusters"][0]["maxNodes"] = 8
    done = Stack(signed_in, tmp_path, "prod").preview(department)
    assert done.code == 0, done.text
    assert "The vCPU quota in eastus2 holds, with every node on: standardDv2Family 16 of 48, " in done.text
    short = "vCPU quota of standardDSv2Family in eastus2 (subscription) is 24, and 32 (bluegranit/train-cpu: 8"
    assert short in done.text
    assert "az quota update --resource-name standardDSv2Family --scope /subscriptions/" in done.text


def test_the_command_that_is_told_for_a_small_workspace_limit_raises_it(
    signed_in: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = Stack(signed_in, tmp_path, "prod").up(stack_file("prod"))
    assert done.code == 0, done.text
    file = str(ROOT / "Pulumi.prod.yaml")
    assert department(["quota", file, "--json"]) == 0
    shares = json.loads(capsys.readouterr().out)["shareCommand"]
    assert az_rest(shares.replace('"limit": 16', '"limit": 8')) == ["Success"] * 3
    assert department(["quota", file, "--json"]) == 1
    found = [one for one in json.loads(capsys.readouterr().out)["quotas"] if one["workspace"]]
    assert [(one["limit"], one["atMost"], one["verdict"]) for one in found] == [(8, 16, "short")] * 3
    for one in found:
        assert az_rest(one["command"]) == ["Success"]
    assert department(["quota", file]) == 0


def test_a_teams_limit_stands_in_the_settings_and_is_set_by_the_command(
    signed_in: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack, raw = Stack(signed_in, tmp_path, "prod"), stack_file("prod")
    raw["teams"][0]["quota"] = {"standarddsv2family": 20}
    file = stack.configure(raw)
    assert (done := stack.up(raw)).code == 0, done.text
    said = (
        "quota of team bluegranit: the settings give the workspace bgmrbluegranite2prows 20 vCPUs of standardDSv2Family"
    )
    assert f"{said}, and Azure gives it no limit. After the update, set it: python -m" in stack.preview(raw).text
    assert department(["quota", file]) == 1
    assert f"{said}, and Azure gives it no limit. Set it: python -m department quota --apply" in capsys.readouterr().out
    assert department(["quota", file, "--apply"]) == 0
    told = capsys.readouterr().out
    assert "Set the limit of standardDSv2Family of the workspace bgmrbluegranite2prows: 20." in told
    assert department(["quota", file, "--apply", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(one["limit"], one["actual"]) for one in document["teamLimits"]] == [(20, 20)]
    assert [one["limit"] for one in document["quotas"] if one["workspace"]] == [20]
    assert "settings give the workspace" not in stack.preview(raw).text
    raw["teams"][0]["quota"] = {"standardDSv2Family": 999}
    assert department(["quota", stack.configure(raw), "--apply"]) == 1
    assert "999 vCPUs of standardDSv2Family: InvalidQuotaExceedsSubscriptionLimit (the subs" in capsys.readouterr().err
    raw["teams"][0]["quota"] = {"standardDSv2Family": -1}
    assert department(["quota", stack.configure(raw), "--apply"]) == 0
    assert not [one for one in json.loads(_quota_json(file, capsys))["quotas"] if one["workspace"]]


def _quota_json(file: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert department(["quota", file, "--json"]) == 0
    return capsys.readouterr().out


def az_rest(command: str) -> list[str]:
    """What `az rest` does with a command that was told: the statuses of its items."""
    words = shlex.split(command)
    assert words[:4] == ["az", "rest", "--method", "post"]
    url, body = (words[words.index(option) + 1] for option in ("--url", "--body"))
    return [item["status"] for item in body_of(resource_manager()("POST", url, json.loads(body)))["value"]]
