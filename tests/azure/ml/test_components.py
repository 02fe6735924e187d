"""Components: what the service adds, normalises and refuses, and the client's own ways with them."""

import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from azure.ai.ml import MLClient, load_component
from azure.ai.ml.entities import Component
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.azure.client import Client, error, unique
from tests.azure.ml.harness import Team

SPEC: dict[str, Any] = {
    "$schema": "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json",
    "name": "basic",
    "version": "1",
    "type": "command",
    "command": "echo ${{inputs.count}} ${{inputs.data}} > ${{outputs.out}}/x",
    "environment": "azureml:AzureML-sklearn-1.5:7",
    "is_deterministic": True,
    "inputs": {
        "count": {"type": "number", "optional": True, "default": "1.5", "min": 0},
        "data": {"type": "uri_folder"},
    },
    "outputs": {"out": {"type": "uri_folder"}},
    "distribution": {"type": "pytorch", "process_count_per_instance": 2},
    "_source": "YAML.COMPONENT",
}
Load = Callable[..., Component]


def put(team: Team, name: str, version: str, spec: dict[str, Any], **properties: Any) -> Any:
    body = {"properties": {**properties, "componentSpec": spec}}
    return team.arm("PUT", f"/components/{name}/versions/{version}", body, "2024-01-01-preview")


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """A command component of a YAML file, whose fields can be replaced."""
    path = tmp_path / "component.yml"
    path.write_text(
        dedent(
            """
            type: command
            name: basic
            display_name: Basic
            inputs: {count: {type: integer, default: 3}}
            outputs: {out: {type: uri_folder}}
            command: echo ${{inputs.count}} > ${{outputs.out}}/x
            environment: azureml:AzureML-sklearn-1.5:7
            """
        )
    )
    return lambda **fields: load_component(path, params_override=[{name: value} for name, value in fields.items()])


def test_a_pipelines_outputs_are_available_early_where_those_of_its_nodes_are(team: Team) -> None:
    early = {"yes": {"type": "boolean", "early_available": True, "is_control": True}, "out": {"type": "uri_folder"}}
    node = put(team, unique("c"), "1", {**SPEC, "outputs": early}).json()["id"]
    bound = {name: {"value": f"${{{{parent.outputs.my_{name}}}}}", "type": "literal"} for name in early}
    spec = {
        "name": "p",
        "type": "pipeline",
        "outputs": {"my_yes": {"type": "boolean"}, "my_out": {"type": "uri_folder"}},
        "jobs": {"node": {"componentId": node, "type": "command", "outputs": bound}},
    }
    made = put(team, unique("c"), "1", spec)
    assert made.json()["properties"]["componentSpec"]["outputs"] == {
        "my_yes": {"type": "boolean", "early_available": "True"},
        "my_out": {"type": "uri_folder"},
    }


class TestSpecification:
    def test_scalars_are_text_and_the_services_defaults_are_there(self, team: Team) -> None:
        name = unique("c")
        made = put(team, name, "1", SPEC | {"name": name})
        assert made.status_code == 201
        shown = made.json()["properties"]
        spec = shown["componentSpec"]
        assert spec["is_deterministic"] == "True" and "_source" not in spec
        assert spec["inputs"] == {
            "count": {"type": "number", "optional": "True", "default": "1.5", "min": "0"},
            "data": {"type": "uri_folder", "optional": "False"},
        }
        assert spec["resources"] == {"instance_count": "1"}
        assert spec["distribution"] == {"type": "PyTorch", "process_count_per_instance": "2"}
        assert spec["environment"] == "azureml://registries/azureml/environments/AzureML-sklearn-1.5/versions/7"
        assert (shown["stage"], shown["description"], shown["autoDeleteSetting"]) == ("Development", None, None)

    def test_a_pipeline_keeps_its_nodes_to_itself(self, team: Team) -> None:
        name = unique("c")
        jobs = {"a": {"name": "a", "type": "command", "componentId": f"{team.id}/components/x/versions/1"}}
        spec = {"name": name, "type": "pipeline", "jobs": jobs, "sourceJobId": None, "outputs": {}}
        shown = put(team, name, "1", spec).json()["properties"]["componentSpec"]
        assert shown == {"name": name, "version": "1", "type": "pipeline", "is_deterministic": "False"}
        refused = put(team, name, "1", {**spec, "jobs": {}})
        assert 'field "jobs" is immutable' in refused.json()["error"]["message"]

    def test_what_it_runs_does_not_change_and_what_describes_it_does(self, team: Team) -> None:
        name = unique("c")
        put(team, name, "1", SPEC | {"name": name})
        refused = put(team, name, "1", SPEC | {"name": name, "command": "echo other"})
        assert error(refused) == (400, "UserError")
        assert refused.json()["error"]["message"] == (
            f'Failed to update component {name} since field "command" is immutable, try specifying a new version.'
        )
        changed = put(team, name, "1", SPEC | {"name": name, "description": "d", "display_name": "D"}, tags={"a": "b"})
        assert changed.status_code == 200
        properties = team.arm("GET", f"/components/{name}/versions/1").json()["properties"]
        assert properties["tags"] == {"a": "b"}
        assert (properties["componentSpec"]["description"], properties["componentSpec"]["display_name"]) == ("d", "D")

    @pytest.mark.parametrize("spec", [None, [], "x"], ids=str)
    def test_a_component_without_a_specification(self, team: Team, spec: Any) -> None:
        assert error(put(team, unique("c"), "1", spec)) == (400, "UserError")


class TestAnonymous:
    def put(self, team: Team, name: str, **changes: Any) -> Any:
        guid = "779f9d31-d7a0-598a-0776-cdeb24ebc6ec"
        return put(team, "azureml_anonymous", guid, SPEC | {"name": name, **changes}, isAnonymous=True)

    def test_the_service_gives_the_version_and_the_same_for_the_same(self, team: Team) -> None:
        first, second = self.put(team, "one"), self.put(team, "one")
        assert first.status_code == second.status_code == 201
        assert first.json() == second.json()
        assert first.json()["name"] != "779f9d31-d7a0-598a-0776-cdeb24ebc6ec"
        assert first.json()["properties"]["componentSpec"]["version"] == "1"
        assert first.json()["properties"]["isAnonymous"] is True

    def test_another_name_is_another_component(self, team: Team) -> None:
        assert self.put(team, "one").json()["id"] != self.put(team, "two").json()["id"]

    def test_one_without_a_name_is_only_logged(self, team: Team) -> None:
        assert self.put(team, "azureml_anonymous").json()["properties"]["stage"] == "Logged"
        assert self.put(team, "named").json()["properties"]["stage"] == "Development"

    def test_they_are_in_no_list(self, team: Team) -> None:
        self.put(team, "one")
        assert "azureml_anonymous" not in {one["name"] for one in team.arm("GET", "/components").json()["value"]}


def test_what_is_not_there(team: Team) -> None:
    for path, what in (("", "none"), ("/versions/1", "none:1"), ("/versions/azureml_default", "none:azureml_default")):
        refused = team.arm("GET", f"/components/none{path}")
        assert error(refused) == (404, "UserError")
        assert refused.json()["error"]["message"] == f"Not found component {what}."
    assert team.arm("DELETE", "/components/none/versions/1").status_code == 204


def test_rights(team: Team, lead: Client) -> None:
    """A reader reads components; only who may write them makes one."""
    stranger = team.by(lead)
    refused = put(stranger, unique("c"), "1", SPEC)
    assert error(refused) == (403, "AuthorizationFailed")
    assert "workspaces/components/versions/write" in refused.json()["error"]["message"]
    for path, action in (("", "components/read"), ("/x/versions/1", "components/versions/read")):
        refused = stranger.arm("GET", f"/components{path}")
        assert error(refused) == (403, "AuthorizationFailed") and action in refused.json()["error"]["message"]
    scientist = team.by(Client(team.azure.sandbox, "scientist"))
    assert put(scientist, unique("c"), "1", SPEC).status_code == 201


def test_by_the_client_versions_are_times_and_the_latest_is_found(ml: MLClient, load: Load) -> None:
    name = unique("c")
    first = ml.components.create_or_update(load(name=name))
    second = ml.components.create_or_update(load(name=name, description="second"))
    assert first.version == "1"
    assert re.fullmatch(r"\d{4}(-\d\d){5}-\d{7}", str(second.version))
    latest = ml.components.get(name, label="latest")
    assert latest.version == second.version
    default = ml.components.get(name)
    assert str(default.id).endswith(f"/components/{name}/labels/default")
    assert default.version == second.version and default.description == "second"
    assert {one.version for one in ml.components.list(name)} == {first.version, second.version}
    assert name in {one.name for one in ml.components.list()}


def test_by_the_client_what_describes_it_is_edited(ml: MLClient, load: Load) -> None:
    name = unique("c")
    made = ml.components.create_or_update(load(name=name, version="1"))
    made.description, made.display_name = "edited", "Edited"
    ml.components.create_or_update(made)
    found = ml.components.get(name, "1")
    assert (found.description, found.display_name) == ("edited", "Edited")
    made.command = "echo other"
    with pytest.raises(HttpResponseError, match='since field "command" is immutable'):
        ml.components.create_or_update(made)


def test_by_the_client_archived_and_restored(ml: MLClient, load: Load) -> None:
    name = unique("c")
    for version in ("1", "2"):
        ml.components.create_or_update(load(name=name, version=version))
    ml.components.archive(name, version="2")
    assert [one.version for one in ml.components.list(name)] == ["1"]
    assert ml.components.get(name, label="latest").version == "1"
    ml.components.restore(name, version="2")
    assert {one.version for one in ml.components.list(name)} == {"1", "2"}
    ml.components.archive(name)
    assert name not in {one.name for one in ml.components.list()}
    ml.components.restore(name)
    assert name in {one.name for one in ml.components.list()}


def test_by_the_client_anonymous_ones(ml: MLClient, load: Load) -> None:
    """The client leaves the name out of its own version, so that both come under the same address."""
    first, again, other = (
        ml.components.create_or_update(load(name=name), is_anonymous=True) for name in ("one", "one", "two")
    )
    assert first.id == again.id != other.id


def test_by_the_client_an_unknown_one(ml: MLClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        ml.components.get("none", "1")
