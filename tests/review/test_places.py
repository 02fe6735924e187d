"""Where in the stack file the value of an input stands."""

from pathlib import Path

import pytest

from review.settings_of import INPUTS
from review.violations import place_of
from settings import Department, Team
from settings.compute import Cluster
from settings.data import Lake
from settings.plan import Plan, read_plan
from settings.types import Section, key_of, section_in
from tests.review.pulls import ANCHORED, BASE

PREFIX = "urn:pulumi:dev::azureml-platform"
COMPUTE, ACCOUNT, VAULT = (
    "azure-native:machinelearningservices:Compute",
    "azure-native:storage:StorageAccount",
    "azure-native:keyvault:Vault",
)
SIZE, NODES = "properties.properties.vmSize", "properties.properties.scaleSettings.maxNodeCount"


def plan(tmp_path: Path, text: str) -> Plan:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(text.replace("{code}", "abc"))
    return read_plan(file, shown=file.name)


@pytest.mark.parametrize(
    ("resource", "path", "line", "origin"),
    [
        (f"{COMPUTE}::alpha-abc-cpu", NODES, "maxNodes: 2", "written"),
        (f"{COMPUTE}::alpha-abc-cpu", SIZE, "vmSize: STANDARD_DS3_V2", "written"),
        (f"{COMPUTE}::alpha-abc-cpu", "properties.properties.vmPriority", "- name: abc-cpu", "default"),
        (f"{COMPUTE}::alpha-abc-cpu", "identity", "- name: abc-cpu", "default"),
        (f"{COMPUTE}::alpha-abc-cpu", "", "- name: abc-cpu", "written"),
        (f"{ACCOUNT}::alpha-lake", "location", "region: eastus2", "written"),
        (f"{ACCOUNT}::alpha-lake", "tags.owner", "admin: user@domain.com", "inherited"),
        (f"{ACCOUNT}::alpha-lake", "tags.team", "- name: alpha", "written"),
        (f"{ACCOUNT}::alpha-lake", "publicNetworkAccess", "mode: managed", "inherited"),
        (f"{VAULT}::alpha-vault", "properties.enablePurgeProtection", "environment: dev", "inherited"),
        ("pulumi:pulumi:Stack::azureml-platform-dev", "", "code: abc", "written"),
    ],
)
def test_of_a_value(tmp_path: Path, resource: str, path: str, line: str, origin: str) -> None:
    text = BASE.replace("    teams:", "    network:\n      mode: managed\n    teams:")
    place = place_of(f"{PREFIX}::{resource}", path, plan(tmp_path, text))
    assert place and place.origin == origin
    written = (tmp_path / place.file).read_text().splitlines()[place.line - 1]
    assert line in written and written[place.column - 1 :].split(": ")[-1] in line


def test_of_a_value_behind_a_merged_anchor(tmp_path: Path) -> None:
    for cluster in ("abc-one", "abc-two"):
        place = place_of(f"{PREFIX}::{COMPUTE}::alpha-{cluster}", NODES, plan(tmp_path, ANCHORED))
        assert place and (tmp_path / place.file).read_text().splitlines()[place.line - 1].endswith("# of every cluster")


@pytest.mark.parametrize(("holder", "path"), sorted(set(INPUTS.values())))
def test_every_row_names_a_setting(holder: str, path: tuple[str, ...]) -> None:
    sections: dict[str, tuple[type[Section], ...]] = {
        "department": (Department,), "team": (Team,), "own": (Cluster, Lake)
    }  # fmt: skip
    found: tuple[type[Section], ...] = sections[holder]
    for key in path:
        fields = [
            field for section in found for name, field in section.model_fields.items() if key_of(name, field) == key
        ]
        assert fields, (holder, path, key)
        inner = section_in(fields[0].annotation)
        found = (inner,) if inner else ()
