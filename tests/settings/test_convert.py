"""From amls_admin's config.yml to a stack file: its published examples, and each of its silent faults."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from department.__main__ import main
from settings import Department, read_stack_file
from tests.program.harness import stack_file

PUBLISHED: dict[str, dict[str, Any]] = {
    "workspace": {
        "subscription": "8b41ca9c-0c5a-4c01-b49b-5bb8d329cc27",
        "custom_name": None,
        "department": "bgmr",
        "team": "bluegranit",
        "region": "eastus2",
        "region_abbv": "e2",
        "environment": "dev",
        "admin": "cford@blue-granite.com",
        "security_group": None,
        "create_dls": "n",
    },
    "compute": {
        "nodes": "1, 2, 1",
        "priority": "lowpriority, lowpriority, lowpriority",
        "vm_sku": "STANDARD_DS3_V2, STANDARD_D13_V2, STANDARD_NV6",
        "cluster_name": "ds3-v2-cluster, ds13-v2-2ndclust, nv6-gpucluster",
    },
    "roles": {
        "team_leads": "cford@blue-granite.com, alathrop@blue-granite.com",
        "data_scientists": "alathrop@blue-granite.com, mquinn@blue-granite.com",
    },
}


def converted(tmp_path: Path, *edits: tuple[str, Any]) -> Department:
    config = copy.deepcopy(PUBLISHED)
    for path, value in edits:
        part, key = path.split(".")
        config[part][key] = value
    source, target = tmp_path / "config.yml", tmp_path / "Pulumi.dev.yaml"
    source.write_text(yaml.safe_dump(config))
    assert main(["convert", str(source), "--output", str(target)]) == 0
    return read_stack_file(target)


def test_the_published_example(tmp_path: Path) -> None:
    department = converted(tmp_path)
    [team] = department.teams
    assert department.names(team).resource_group == "bgmr-bluegranit-eastus2-dev"
    assert department.names(team).workspace == "bgmrbluegranite2devws"
    dev = stack_file("dev")["teams"][0]
    assert [c.model_dump(by_alias=True, exclude_defaults=True) for c in team.clusters] == dev["clusters"]
    assert [member.user for member in team.leads] == ["cford@blue-granite.com", "alathrop@blue-granite.com"]
    assert [member.user for member in team.data_scientists] == ["alathrop@blue-granite.com", "mquinn@blue-granite.com"]
    assert team.lake is None


def test_the_published_example_with_a_custom_name(tmp_path: Path) -> None:
    department = converted(tmp_path, ("workspace.custom_name", "mycustomamls"))
    names = department.names(department.teams[0])
    assert (names.resource_group, names.workspace, names.work) == ("mycustomamls", "mycustomamlsws", "mycustomamlswork")


def test_a_wanted_lake_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for answer in ("y", "Y", True):
        (tmp_path / "Pulumi.dev.yaml").unlink(missing_ok=True)
        lake = converted(tmp_path, ("workspace.create_dls", answer)).teams[0].lake
        assert lake and lake.file_systems == ("data",)
    assert "note: workspace.create_dls" in capsys.readouterr().err


def test_the_security_group_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    team = converted(tmp_path, ("workspace.security_group", "ML People")).teams[0]
    assert [member.group for member in team.data_scientists] == [None, None, "ML People"]
    assert "note: workspace.security_group" in capsys.readouterr().err


def test_lists_are_split_as_the_scripts_do(tmp_path: Path) -> None:
    team = converted(tmp_path, ("compute.nodes", "[1,2 1]"), ("roles.team_leads", "(a@b.com)")).teams[0]
    assert [cluster.max_nodes for cluster in team.clusters] == [1, 2, 1]
    assert [member.user for member in team.leads] == ["cford@blue-granite.com", "a@b.com"]


def test_the_admin_leads_as_in_the_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for leads, expected in (
        ("Cford@blue-granite.com", ["cford@blue-granite.com"]),
        ("", ["cford@blue-granite.com"]),
        ("alathrop@blue-granite.com", ["cford@blue-granite.com", "alathrop@blue-granite.com"]),
    ):
        (tmp_path / "Pulumi.dev.yaml").unlink(missing_ok=True)
        team = converted(tmp_path, ("roles.team_leads", leads)).teams[0]
        assert [member.user for member in team.leads] == expected
    assert capsys.readouterr().err.count("note: workspace.admin: becomes a team lead") == 2


def test_values_are_text_as_in_a_shell(tmp_path: Path) -> None:
    source, target = tmp_path / "config.yml", tmp_path / "Pulumi.dev.yaml"
    text = yaml.safe_dump(PUBLISHED).replace("region_abbv: e2", "region_abbv: 01").replace(": bluegranit", ": no")
    source.write_text(text)
    assert main(["convert", str(source), "--output", str(target)]) == 0
    department = read_stack_file(target)
    assert department.names(department.teams[0]).workspace == "bgmrno01devws"


def test_what_is_otherwise_than_the_scripts_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    converted(tmp_path)
    told = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1].strip() for line in told] == ["roles.data_scientists", "compute"]
    assert "after 2 minutes" in told[1]


FAULTS: list[tuple[str, Any, list[str]]] = [
    ("workspace.department", "bgmrbgmrbgm", ["workspace.department: 'bgmrbgmrbgm' (11 characters)"]),  # cut to 4
    (
        "workspace.team",
        "bluegranites",
        ["workspace.team:", "(25 characters) as the name of a storage account"],
    ),  # cut to 10
    ("workspace.environment", "prod", ["workspace.environment: 'prod'"]),  # cut to 'pro'
    ("workspace.region_abbv", "e-us-2", ["workspace.region_abbv: 'e-us-2'"]),  # cut to 2
    ("workspace.custom_name", "averylongcustomnamexy", ["workspace.custom_name:", "(25 characters)"]),  # cut to 19
    ("workspace.custom_name", "My-AMLS", ["workspace.custom_name: 'My-AMLS'"]),  # refused late by storage
    ("workspace.create_dls", "maybe", ["workspace.create_dls: 'maybe' is neither y nor n"]),
    ("workspace.admin", "", ["workspace.admin: is missing"]),
    ("workspace.region", "eastus22", ["workspace.region:", "Did you mean 'eastus2'?"]),
    ("workspace.regoin", "x", ["workspace.regoin: unknown key. Did you mean 'region'?"]),
    ("compute.nodes", "1, 2", ["lists must be equally long", "nodes has 2", "cluster_name has 3"]),  # empty arguments
    ("compute.nodes", "1, two, 1", ["compute.nodes: 'two' is not a whole number"]),
    ("compute.nodes", "1, 0, 1", ["compute.nodes: 0 is not allowed"]),
    ("compute.priority", "low, low, low", ["compute.priority: 'low' is not one of lowpriority, dedicated"]),
    ("compute.vm_sku", "STANDARD_DS3_V2, STANDARD_D13_V22, STANDARD_NV6", ["compute.vm_sku:", "STANDARD_D13_V2'?"]),
    ("compute.cluster_name", "a-b-c, a-b-c, gpu", ["compute.cluster_name: 'a-b-c' is taken"]),
    ("compute.cluster_name", "cluster, second, " + "x" * 33, ["compute.cluster_name:", "(33 characters)"]),
    ("roles.team_leads", "cford", ["roles.team_leads: 'cford'"]),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f[0]}={f[1]}")
def test_what_went_silently_wrong_is_told(
    fault: tuple[str, Any, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, value, said = fault
    part, key = path.split(".")
    config = copy.deepcopy(PUBLISHED)
    config[part][key] = value
    source = tmp_path / "config.yml"
    source.write_text(yaml.safe_dump(config))
    assert main(["convert", str(source), "--output", str(tmp_path / "out.yaml")]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"error: {source}")
    assert all(words in err for words in said), err
    assert not (tmp_path / "out.yaml").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found nothing"),
        ("- a\n", "found a list"),
        ("workspace: 5\n", "workspace: expected the keys"),
        ("a: [", "line 2"),
        ("workspace: {team: {x: 1}}\n", "workspace.team: expected text, found a mapping"),
    ],
)
def test_a_file_that_is_none(text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "config.yml"
    source.write_text(text)
    assert main(["convert", str(source)]) == 1
    assert said in capsys.readouterr().err


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    converted(tmp_path)
    before = (tmp_path / "Pulumi.dev.yaml").read_text()
    assert main(["convert", str(tmp_path / "config.yml"), "--output", str(tmp_path / "Pulumi.dev.yaml")]) == 1
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "Pulumi.dev.yaml").read_text() == before
    assert main(["convert", str(tmp_path / "none.yml")]) == 1
    assert "No such file" in capsys.readouterr().err
