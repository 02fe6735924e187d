"""The plan: every resource of a preview comes from a setting, and every setting has its line."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from settings.plan import Plan, PriceKey, read_plan
from settings.yamlfile import read_yaml
from tests.program.harness import ROOT, run_program, stack_file

DEV = ROOT / "Pulumi.dev.yaml"
KEY = "azureml-platform:department"
STACKS = {stack: stack_file(stack) for stack in ("dev", "prod")} | {
    file.stem: read_yaml(file).value for file in sorted((ROOT / "tests/proof/stacks").glob("*.yaml"))
}
ANCHORS = """config:
  azureml-platform:department:
    code: bgmr
    environment: pro
    region: eastus2
    regionAbbreviation: e2
    subscriptionId: 8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27
    admin: a@site.com
    network: {mode: managed}
    teams:
      - name: blue
        clusters:
          - &small
            name: small
            vmSize: STANDARD_DS3_V2
            maxNodes: 4
          - <<: *small
            name: other
      - name: red
        leads: &leads [a@site.com]
        readers: *leads
"""


def written(path: Path) -> Plan:
    path.write_text(ANCHORS)
    return read_plan(path, shown="Pulumi.x.yaml")


@pytest.mark.parametrize("stack", STACKS)
def test_resources_and_settings_find_one_another(stack: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(yaml.safe_dump({"config": {KEY: STACKS[stack]}}))
    plan, run = read_plan(file), run_program(STACKS[stack])
    teams = {team.name for team in plan.department.teams}
    unknown = []
    for made in run.resources:
        planned, first = plan.of(made.type, made.name), made.name.split("-")[0]
        assert planned is None or planned.team in (None, first), (made.type, made.name, planned)
        if planned is None and first in teams and made.type.startswith("azure"):
            unknown.append((made.type, made.name))
    assert unknown == []
    there = {made.name for made in run.resources}
    grouped = {team.name for team in plan.department.teams if team.groups}  # whose groups have the roles
    absent = [one for one in plan.resources if one.name not in there and not (one.person and one.team in grouped)]
    assert [one.name for one in absent] == []


def test_a_cluster_has_its_line_and_price_key() -> None:
    plan = read_plan(DEV, shown="Pulumi.dev.yaml")
    cluster = plan.of("azure-native:machinelearningservices:Compute", "bluegranit-ds3-v2-cluster")
    assert cluster and cluster.team == "bluegranit" and cluster.kind == "cluster"
    assert cluster.price == PriceKey("eastus2", "STANDARD_DS3_V2", "lowPriority", 1)
    line = DEV.read_text().splitlines()[cluster.place.line - 1]
    assert line.lstrip().startswith("- name: ds3-v2-cluster")
    assert str(cluster.place) == f"Pulumi.dev.yaml:{cluster.place.line}:{line.index('name') + 1}"
    assert cluster.place.key == "azureml-platform:department.teams[0].clusters[0]"


def test_a_person_is_known_by_every_assignment() -> None:
    plan = read_plan(DEV)
    lead = plan.of("azure-native:authorization:RoleAssignment", "bluegranit-teamLead-user1@site.com")
    assert lead and (lead.person, lead.role, lead.path) == ("user1@site.com", "leads", ("teams", 0, "leads", 1))
    data = plan.of("azure-native:authorization:RoleAssignment", "bluegranit-user2@site.com-blobs")
    scientist = plan.of("azure-native:authorization:RoleAssignment", "bluegranit-user2@site.com")
    assert scientist and scientist.person == "user2@site.com" and data and data.team == "bluegranit"


@pytest.mark.parametrize(
    ("path", "line", "key", "origin"),
    [
        (("teams", 0, "clusters", 0, "maxNodes"), 16, "teams[0].clusters[0].maxNodes", "written"),
        (("teams", 0, "clusters", 1, "maxNodes"), 16, "teams[0].clusters[1].maxNodes", "written"),  # merged
        (("teams", 0, "clusters", 1, "name"), 18, "teams[0].clusters[1].name", "written"),
        (("teams", 1, "readers", 0), 20, "teams[1].readers[0]", "written"),  # an anchor
        (("teams", 0, "network", "mode"), 9, "network.mode", "inherited"),
        (("teams", 0, "network", "outboundAccess"), 9, "network.mode", "inherited"),
        (("protect",), 4, "environment", "inherited"),
        (("owner",), 8, "admin", "inherited"),
        (("teams", 0, "clusters", 0, "idleMinutes"), 13, "teams[0].clusters[0].idleMinutes", "default"),
        (("logRetentionDays",), 3, "logRetentionDays", "default"),
    ],
)
def test_where_a_value_stands(tmp_path: Path, path: Any, line: int, key: str, origin: str) -> None:
    place = written(tmp_path / "Pulumi.x.yaml").place(path)
    assert (place.line, place.key, place.origin) == (line, f"azureml-platform:department.{key}", origin)
