"""Versioned assets: by plain requests what is refused, by azure-ai-ml what people do."""

from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient, command
from azure.ai.ml.entities import Data, Environment, Model
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from tests.azure.client import Client, error, unique
from tests.azure.ml.harness import Team

CONTENT: dict[str, dict[str, Any]] = {
    "data": {"dataType": "uri_file", "dataUri": "azureml://datastores/lake/paths/a.csv"},
    "environments": {"image": "python:3.11", "condaFile": "dependencies: []"},
    "codes": {"codeUri": "https://account.blob.core.windows.net/c"},
    "models": {"modelUri": "https://account.blob.core.windows.net/c/m", "modelType": "custom_model"},
}
CHANGED: dict[str, dict[str, Any]] = {
    "data": {"dataUri": "azureml://datastores/lake/paths/b.csv"},
    "environments": {"condaFile": "dependencies: [numpy]"},
    "codes": {"codeUri": "https://account.blob.core.windows.net/d"},
    "models": {"modelUri": "https://account.blob.core.windows.net/c/n"},
}
PLURALS = list(CONTENT)


def put(team: Team, plural: str, name: str, version: str, **properties: Any) -> Any:
    return team.arm("PUT", f"/{plural}/{name}/versions/{version}", {"properties": properties})


@pytest.mark.parametrize("plural", PLURALS)
class TestAllKinds:
    def test_content_does_not_change(self, team: Team, plural: str) -> None:
        name = unique("a")
        assert put(team, plural, name, "1", **CONTENT[plural]).status_code == 201
        again = put(team, plural, name, "1", **CONTENT[plural])
        assert again.status_code == (201 if plural == "environments" else 200)
        refused = put(team, plural, name, "1", **CONTENT[plural] | CHANGED[plural])
        assert error(refused) == (409 if plural == "environments" else 400, "UserError")
        inner = {one["type"]: one["info"] for one in refused.json()["error"]["additionalInfo"]}["InnerError"]
        assert inner["value"]["innerError"]["code"] == "ImmutableProperty"

    def test_what_describes_it_does(self, team: Team, plural: str) -> None:
        name = unique("a")
        put(team, plural, name, "1", **CONTENT[plural])
        changed = put(team, plural, name, "1", description="d", tags={"a": "b"})
        assert changed.ok, changed.text
        properties = team.arm("GET", f"/{plural}/{name}/versions/1").json()["properties"]
        assert (properties["description"], properties["tags"]) == ("d", {"a": "b"})

    def test_the_container_knows_the_latest_and_the_next_version(self, team: Team, plural: str) -> None:
        name = unique("a")
        assert team.arm("GET", f"/{plural}/{name}").status_code == 404
        for version in ("1", "7", "x"):
            put(team, plural, name, version, **CONTENT[plural])
        container = team.arm("GET", f"/{plural}/{name}").json()["properties"]
        assert (container["latestVersion"], container["nextVersion"]) == ("x", "8")
        listed = team.arm("GET", f"/{plural}/{name}/versions").json()["value"]
        assert [one["name"] for one in listed] == ["x", "7", "1"]

    def test_lists_come_in_pages_and_leave_out_what_is_archived(self, team: Team, plural: str) -> None:
        name = unique("a")
        for version in range(1, 6):
            put(team, plural, name, str(version), **CONTENT[plural])
        put(team, plural, name, "3", isArchived=True)

        def names(**query: str) -> list[str]:
            return [one["name"] for one in team.arm("GET", f"/{plural}/{name}/versions", **query).json()["value"]]

        assert names() == ["5", "4", "2", "1"]
        assert names(listViewType="ArchivedOnly") == ["3"]
        assert names(listViewType="All", _top="2", _skip="1") == ["4", "3"]

    def test_lists_by_tags_and_properties(self, team: Team, plural: str) -> None:
        name = unique("a")
        put(team, plural, name, "1", **CONTENT[plural], tags={"stage": "a"})
        put(team, plural, name, "2", **CONTENT[plural], tags={"stage": "b"}, properties={"by": "hand"})

        def names(**query: str) -> list[str]:
            return [one["name"] for one in team.arm("GET", f"/{plural}/{name}/versions", **query).json()["value"]]

        assert (names(tags="stage"), names(tags="stage=a"), names(_tags="stage=b")) == (["2", "1"], ["1"], ["2"])
        assert (names(tags="stage=c"), names(tags="stage,other")) == ([], [])
        assert (names(properties="by=hand"), names(properties="none"), names(version="1")) == (["2"], [], ["1"])

    def test_bad_names_and_missing_content_are_refused(self, team: Team, plural: str) -> None:
        assert error(put(team, plural, "-x", "1", **CONTENT[plural])) == (400, "UserError")
        assert error(put(team, plural, unique("a"), "1")) == (400, "UserError")

    def test_what_is_not_there(self, team: Team, plural: str) -> None:
        assert team.arm("GET", f"/{plural}/{unique('a')}/versions/1").status_code == 404
        assert team.arm("DELETE", f"/{plural}/{unique('a')}/versions/1").status_code == 204

    def test_a_deleted_container_takes_its_versions_along(self, team: Team, plural: str) -> None:
        name = unique("a")
        put(team, plural, name, "1", **CONTENT[plural])
        assert team.arm("DELETE", f"/{plural}/{name}").status_code == 200
        assert team.arm("GET", f"/{plural}/{name}/versions/1").status_code == 404


@pytest.mark.parametrize(
    ("plural", "properties"),
    [
        ("data", {"dataUri": "a", "dataType": "table"}),
        ("environments", {"condaFile": "a"}),
        ("environments", {"image": "a", "build": {"contextUri": "b"}}),
        ("models", {"modelUri": "a", "modelType": "onnx"}),
        ("models", {"modelUri": "azureml://jobs/none/outputs/model"}),
        ("models", {"modelUri": "azureml://datastores/none/paths/model"}),
    ],
    ids=str,
)
def test_content_that_is_not_valid(team: Team, plural: str, properties: dict[str, Any]) -> None:
    assert error(put(team, plural, unique("a"), "1", **properties)) == (400, "UserError")


def test_rights_by_kind(team: Team, lead: Client) -> None:
    stranger = team.by(lead)
    refused = put(stranger, "models", unique("a"), "1", **CONTENT["models"])
    assert error(refused) == (403, "AuthorizationFailed")
    assert "Microsoft.MachineLearningServices/workspaces/models/versions/write" in refused.json()["error"]["message"]


def test_data_by_the_client(ml: MLClient, tmp_path: Path) -> None:
    name = unique("data")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("a")
    for version in ("1", "2"):  # the number comes from the container
        made = ml.data.create_or_update(Data(name=name, path=str(tmp_path / "folder"), type="uri_folder"))
        assert made.version == version
    assert "/datastores/workspaceblobstore/paths/LocalUpload/" in str(made.path)
    assert ml.data.get(name, label="latest").version == "2"
    ml.data.archive(name, version="2")
    assert [one.version for one in ml.data.list(name)] == ["1"]
    ml.data.restore(name, version="2")
    assert {one.version for one in ml.data.list(name)} == {"1", "2"}
    with pytest.raises(ResourceNotFoundError):
        ml.data.get(name, version="9")


def test_environments_by_the_client(ml: MLClient) -> None:
    name = unique("env")
    conda = {"dependencies": ["python=3.11", {"pip": ["six"]}]}
    made = ml.environments.create_or_update(Environment(name=name, image="python:3.11", conda_file=conda))
    assert (made.version, ml.environments.get(name, label="latest").version) == ("1", "1")
    with pytest.raises(ResourceExistsError, match="already registered and cannot be changed"):
        ml.environments.create_or_update(Environment(name=name, version="1", image="python:3.12", conda_file=conda))
    same = ml.environments.create_or_update(Environment(name=name, image="python:3.11", conda_file=conda))
    changed = ml.environments.create_or_update(Environment(name=name, image="python:3.12", conda_file=conda))
    assert (same.version, changed.version) == ("1", "2")  # editing conda.yml and running again is everyday work


def test_models_of_a_local_folder_by_the_client(ml: MLClient, tmp_path: Path) -> None:
    name = unique("model")
    (tmp_path / "weights.bin").write_bytes(b"w")
    made = ml.models.create_or_update(Model(name=name, path=str(tmp_path / "weights.bin")))
    ml.models.download(name, made.version, download_path=str(tmp_path / "got"))
    assert [path.read_bytes() for path in (tmp_path / "got").rglob("weights.bin")] == [b"w"]
    ml.models.archive(name)
    assert name not in {one.name for one in ml.models.list()}


def test_the_same_code_is_uploaded_once(ml: MLClient, team: Team, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(f"# {unique('c')}")
    environment = Environment(name="none", image="python:3.11")
    jobs = [
        ml.jobs.create_or_update(
            command(code=str(tmp_path / "src"), command="true", environment=environment, compute="cpu")
        )
        for _ in range(2)
    ]
    codes = {team.arm("GET", f"/jobs/{job.name}").json()["properties"]["codeId"] for job in jobs}
    assert len(codes) == 1


def test_an_upload_by_identity_needs_the_callers_own_role(team: Team, azure: Client) -> None:
    """The address is signed with what the caller may do in storage; the owner of the subscription has no blob role."""
    answer = team.arm("POST", f"/codes/{unique('c')}/versions/1/startPendingUpload", {})
    address, _, signature = answer.json()["blobReferenceForConsumption"]["credential"]["sasUri"].partition("?")
    headers = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2023-11-03"}
    refused = azure.session.put(f"{address}/a.py?{signature}", data=b"x", headers=headers)
    assert refused.status_code == 403, refused.text
