"""Models, data, environments and components, and what was made from what."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.azure.client import Client, unique
from tests.azure.ml import harness
from tests.azure.ml.harness import Team, command_job
from tests.azure.ml.waiting import ended
from tests.studio.visitor import Visitor

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def made(azure: Client) -> tuple[Team, str, str]:
    """A team, a run of it that read data and wrote a model, and the model's name."""
    team, run, model = harness.team(azure), unique("job"), unique("model")
    own = {"dataType": "uri_folder", "dataUri": "azureml://datastores/lake/paths/x/", "description": HOSTILE}
    data = team.arm("PUT", "/data/purchases/versions/3", {"properties": own})
    assert data.ok, data.text
    job = command_job(
        team,
        "echo model > ${{outputs.model}}/model.txt",
        inputs={"data": {"jobInputType": "uri_folder", "uri": data.json()["id"], "mode": "Direct"}},
        outputs={"model": {"jobOutputType": "uri_folder"}},
    )
    assert team.arm("PUT", f"/jobs/{run}", {"properties": job}).ok
    assert ended(team, run) == "Completed"
    body = {"properties": {"modelUri": f"azureml://jobs/{run}/outputs/model", "modelType": "custom_model"}}
    for version in ("1", "2"):
        assert team.arm("PUT", f"/models/{model}/versions/{version}", body).ok
    return team, run, model


def test_lineage_leads_both_ways(owner_visit: Visitor, made: tuple[Team, str, str]) -> None:
    team, run, model = made
    wsid = f"wsid={team.id}"
    (listed,) = owner_visit.json(f"/model/list?{wsid}")["assets"]
    assert (listed["name"], listed["versions"]) == (model, 2)
    assert owner_visit.json(f"/model/{model}:1/details?{wsid}")["madeBy"]["name"] == run
    shown = owner_visit.json(f"/runs/{run}?{wsid}")
    assert {one["name"] for one in shown["models"]} == {f"{model}:1", f"{model}:2"}
    page = owner_visit.get(f"/runs/{run}?{wsid}").data.decode()
    assert f'href="/data/purchases/3/details?{wsid}">purchases:3' in page
    data = owner_visit.json(f"/data/purchases/3/details?{wsid}")
    assert [one["path"] for one in data["usedBy"]] == [f"/runs/{run}"]
    environment = owner_visit.json(f"/environments/none/version/1?{wsid}")
    assert [one["path"] for one in environment["usedBy"]] == [f"/runs/{run}"]


def test_a_model_s_files_are_downloads(visitors: Callable[[str], Visitor], made: tuple[Team, str, str]) -> None:
    team, _, model = made
    scientist, page = visitors("scientist"), f"/model/{model}:1/details"
    assert scientist.json(f"{page}?wsid={team.id}")["files"] == [
        {"path": "model.txt", "size": 6, "name": "model.txt", "shown": True}
    ]
    file = f"{page}/file?wsid={team.id}&path=model.txt"
    assert f'href="{file.replace("&", "&amp;")}"' in scientist.get(f"{page}?wsid={team.id}").data.decode()
    downloaded, shown = scientist.get(file), scientist.get(f"{file}&show=1")
    assert downloaded.data == shown.data == b"model\n"
    assert downloaded.headers["Content-Disposition"].startswith("attachment")
    assert shown.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_a_long_list_comes_in_parts(azure: Client, owner_visit: Visitor) -> None:
    team = harness.team(azure)
    for number in range(101):
        own = {"dataType": "uri_folder", "dataUri": "azureml://datastores/lake/paths/x/"}
        assert team.arm("PUT", f"/data/set{number}/versions/1", {"properties": own}).ok
    first, rest = (owner_visit.json(f"/data?wsid={team.id}&from={start}") for start in (0, 100))
    assert (len(first["assets"]), first["total"], len(rest["assets"])) == (100, 101, 1)
    assert {one["name"] for one in first["assets"] + rest["assets"]} == {f"set{number}" for number in range(101)}
    assert "from=100" in owner_visit.get(f"/data?wsid={team.id}").data.decode()


@pytest.mark.parametrize("path", ["..", "../model/model.txt", "a/../model.txt", "none.txt", "%00", "model.txt/", "//x"])
def test_no_path_leads_out_of_a_model(
    visitors: Callable[[str], Visitor], made: tuple[Team, str, str], path: str
) -> None:
    file = f"/model/{made[2]}:1/details/file?wsid={made[0].id}&path={path}"
    assert visitors("scientist").get(file).status in (400, 404)


@pytest.mark.parametrize(
    "address",
    ["azureml://datastores/lake/paths/../../x", "https://storage.example/x/y.csv"],
)
def test_addresses_that_are_no_datastore_s_have_no_files(
    owner_visit: Visitor, made: tuple[Team, str, str], address: str
) -> None:
    name = unique("away")
    own = {"dataType": "uri_file", "dataUri": address}
    assert made[0].arm("PUT", f"/data/{name}/versions/1", {"properties": own}).ok
    assert owner_visit.json(f"/data/{name}/1/details?wsid={made[0].id}")["files"] == []
    assert owner_visit.get(f"/data/{name}/1/details/file?wsid={made[0].id}").status == 404


def test_who_may_not_read_the_storage_is_told_so(owner_visit: Visitor, made: tuple[Team, str, str]) -> None:
    team, _, model = made
    shown = owner_visit.json(f"/model/{model}:1/details?wsid={team.id}")
    assert shown["files"] == []
    assert shown["filesRefused"].startswith("This request is not authorized")
    assert owner_visit.get(f"/model/{model}:1/details/file?wsid={team.id}&path=model.txt").status == 403


@pytest.mark.parametrize(
    "path", ["/model/list", "/data", "/environments", "/component/list", "/data/purchases/3/details"]
)
def test_each_list_is_a_page_without_foreign_markup(
    owner_visit: Visitor, made: tuple[Team, str, str], path: str
) -> None:
    answer = owner_visit.get(f"{path}?wsid={made[0].id}")
    assert answer.status == 200
    assert HOSTILE not in answer.data.decode()


def test_what_is_not_there(owner_visit: Visitor, made: tuple[Team, str, str]) -> None:
    for path in ("/model/none:1/details", f"/model/{made[2]}:9/details", f"/data/{quote('../x', safe='')}/1/details"):
        assert owner_visit.get(f"{path}?wsid={made[0].id}").status == 404
