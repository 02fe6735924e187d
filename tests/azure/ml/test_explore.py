"""Data by `azureml://` addresses, without a copy: `datastore/v1.0` and `data/v1.0` of the workspace's services."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient, command
from azure.ai.ml.entities import Data, Environment
from azure.identity import EnvironmentCredential
from azure.storage.blob import ContainerClient

from tests.azure.client import READER, Client, error, unique, user_id
from tests.azure.ml.harness import Team, grant
from tests.azure.ml.waiting import ended, log_text
from tests.conftest import ROOT, SUBSCRIPTION, Sandbox

ENVIRONMENT = ROOT / "tests" / "azure" / "ml" / "environments" / "soak" / "explore.yml"


def datastore(team: Team, name: str) -> Any:
    return team.plane("GET", "datastore/v1.0", f"/datastores/{name}")


def test_a_datastore_with_a_key_comes_with_it(keyed_team: Team) -> None:
    found = datastore(keyed_team, "workspaceblobstore").json()
    account = keyed_team.needs.ids["storageAccount"]
    keys = keyed_team.azure.arm("POST", f"{account}/listKeys", api="2024-01-01").json()["keys"]
    section = found["azureStorageSection"]
    assert (found["name"], found["dataStoreType"], found["isDefault"]) == ("workspaceblobstore", "AzureBlob", True)
    assert section["accountName"] == account.rsplit("/", 1)[-1]
    assert section["containerName"].startswith("azureml-blobstore-")
    assert (section["credentialType"], section["credential"]) == ("AccountKey", keys[0]["value"])


def test_one_by_identity_has_no_credential(team: Team) -> None:
    section = datastore(team, "lake").json()["azureStorageSection"]
    assert (section["containerName"], section["credentialType"], section["credential"]) == ("fs1", "None", None)


def test_a_service_principal_comes_as_client_credentials(team: Team) -> None:
    name = unique("d")
    secrets = {"secretsType": "ServicePrincipal", "clientSecret": "s"}
    credentials = {"credentialsType": "ServicePrincipal", "clientId": "c", "tenantId": "t", "secrets": secrets}
    body = {
        "datastoreType": "AzureBlob",
        "accountName": "someaccount",
        "containerName": "c",
        "credentials": credentials,
    }
    team.arm("PUT", f"/datastores/{name}", {"properties": body})
    section = datastore(team, name).json()["azureStorageSection"]
    assert (section["credentialType"], section["credential"]) == ("ClientCredentials", None)
    assert section["clientCredentials"].items() >= {"clientId": "c", "tenantId": "t", "clientSecret": "s"}.items()


def test_the_default_one_and_all(team: Team) -> None:
    assert team.plane("GET", "datastore/v1.0", "/default").json()["name"] == "workspaceblobstore"
    names = [one["name"] for one in team.plane("GET", "datastore/v1.0", "/datastores").json()["value"]]
    assert {"workspaceblobstore", "workspaceartifactstore", "lake"} <= set(names)
    query = {"dataStoreNames": "lake"}
    some = team.plane("GET", "datastore/v1.0", "/datastores", params=query).json()["value"]
    assert [one["name"] for one in some] == ["lake"]


def test_one_that_is_not_there(team: Team) -> None:
    assert datastore(team, unique("d")).status_code == 404


def test_a_secret_is_a_right_of_its_own(keyed_team: Team, lead: Client) -> None:
    """Who only reads gets no keys."""
    reader = keyed_team.by(lead)
    grant(keyed_team.azure, keyed_team.id, user_id("admin1@site.com"), READER, "User")
    refused = datastore(reader, "workspaceblobstore")
    assert error(refused) == (403, "AuthorizationFailed")
    assert "datastores/listSecrets/action" in refused.json()["error"]["message"]


def test_a_data_asset_comes_with_its_long_address(team: Team) -> None:
    name = unique("data")
    sent = {"dataType": "uri_folder", "dataUri": "azureml://datastores/lake/paths/f", "description": "d"}
    team.arm("PUT", f"/data/{name}/versions/3", {"properties": sent})
    found = team.plane("GET", "data/v1.0", f"/dataversion/{name}/versions/3").json()
    version = found["dataVersion"]
    assert (found["isV2"], version["dataType"], version["versionId"]) == (True, "UriFolder", "3")
    assert version["mutableProps"]["description"] == "d"
    words = team.id.split("/")
    assert (
        version["dataUri"]
        .lower()
        .startswith(
            f"azureml://subscriptions/{SUBSCRIPTION}/resourcegroups/{words[4]}/workspaces/{words[8]}/datastores/lake/paths/f"
        )
    )
    by_id = team.plane("POST", "data/v1.0", "/dataversion/getByAssetId", {"value": version["assetId"]})
    assert by_id.json()["dataVersion"] == version
    listed = team.plane("GET", "data/v1.0", f"/dataversion/{name}/versions").json()["value"]
    assert [one["dataVersion"]["versionId"] for one in listed] == ["3"]
    assert team.plane("GET", "data/v1.0", f"/dataversion/{name}/versions/3/exists").json() is True
    assert team.plane("GET", "data/v1.0", f"/dataversion/{name}/versions/4/exists").json() is False
    assert team.plane("GET", "data/v1.0", f"/dataversion/{name}/versions/4").status_code == 404


SCRIPT = """
import sys
import mltable
import pandas as pd
print("file", pd.read_csv(sys.argv[1]).sum().to_dict())
print("table", mltable.load(sys.argv[2]).to_pandas_dataframe().sum().to_dict())
"""
TABLE = """
paths:
  - file: ./a.csv
transformations:
  - read_delimited: {delimiter: ",", encoding: ascii}
"""
SUMS = ("file {'x': 6, 'y': 8}", "table {'x': 6, 'y': 8}")


def base(team: Team) -> str:
    words = team.id.split("/")
    return f"azureml://subscriptions/{words[2]}/resourcegroups/{words[4]}/workspaces/{words[8]}"


def uploaded(team: Team, datastore: str) -> str:
    """Puts a table into a datastore as the scientist; gives the address of its folder."""
    properties = team.arm("GET", f"/datastores/{datastore}").json()["properties"]
    host = f"https://{properties['accountName']}.blob.core.windows.net"
    container = properties.get("containerName") or properties["filesystem"]
    with ContainerClient(host, container, EnvironmentCredential()) as files:
        files.upload_blob("table/MLTable", TABLE)
        files.upload_blob("table/a.csv", "x,y\n2,3\n4,5\n")
    return f"{base(team)}/datastores/{datastore}/paths/table"


@pytest.mark.soak
def test_pandas_and_mltable_read_azureml_addresses(
    ml: MLClient, team: Team, keyed_team: Team, shared_sandbox: Sandbox, tmp_path: Path
) -> None:
    """Microsoft's own libraries: in a job by the nodes' identity, on a laptop with the datastore's key."""
    script = tmp_path / "src" / "read.py"
    script.parent.mkdir()
    script.write_text(SCRIPT)
    asset = unique("table")
    folder = uploaded(team, "lake")
    ml.data.create_or_update(Data(name=asset, version="1", path=folder, type="mltable", skip_validation=True))
    job = ml.jobs.create_or_update(
        command(
            code=str(script.parent),
            command=f"python read.py {folder}/a.csv {base(team)}/data/{asset}/versions/1",
            environment=Environment(image="python:3.11", conda_file=str(ENVIRONMENT)),
            compute="cpu",
        )
    )
    assert ended(team, str(job.name)) == "Completed", log_text(team, str(job.name))
    assert all(line in log_text(team, str(job.name)) for line in SUMS)

    folder = uploaded(keyed_team, "workspaceblobstore")
    done = subprocess.run(
        [_built(shared_sandbox, "azureml/fsspec"), str(script), f"{folder}/a.csv", folder],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert all(line in done.stdout for line in SUMS), done.stdout + done.stderr


def _built(sandbox: Sandbox, package: str) -> str:
    """The interpreter of the job environment that has a package."""
    found = next((sandbox.directory / "environments").glob(f"*/lib/python*/site-packages/{package}"))
    return str(found.parents[len(Path(package).parts) + 2] / "bin" / "python")
