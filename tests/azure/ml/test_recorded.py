"""Answers beside recordings of the real service: status, headers, every key with its type, explicit nulls, refusals.

The recordings are of azure-ai-ml's own tests, in github.com/Azure/azure-sdk-assets below `RECORDINGS`. Each test names
its recording; what it expects is written down from that in own words, for no recording is kept here.
"""

import json
import re
from typing import Any

import pytest
import requests

from tests.azure.client import Client, unique
from tests.azure.ml.harness import REGION, Team, outcome
from tests.azure.ml.shapes import CHANGED, CREATED, GUID, TIME, WRITTEN, ZULU, differences, refusal

RECORDINGS = "python/sdk/ml/azure-ai-ml/tests/recordings"
DATA = "2023-04-01-preview"
MODELS = "2023-08-01-preview"
DATASTORES = "2024-07-01-preview"
COMPUTES = "2023-08-01-preview"
CONNECTIONS = "2024-04-01-preview"
CONDA = "channels:\n- conda-forge\ndependencies:\n- python=3.11\n- pip\n- pip:\n  - six\nname: example\n"
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
NODES = {f"{state}NodeCount": 0 for state in ("idle", "running", "preparing", "unusable", "leaving", "preempted")}


def check(answer: requests.Response, status: int, expected: Any) -> None:
    """The status and the whole body of an answer."""
    assert answer.status_code == status, answer.text
    wrong = differences(expected, answer.json())
    assert not wrong, "\n".join(wrong)


def located(answer: requests.Response) -> None:
    """What was made is at its own address, with the query of the request."""
    assert answer.headers["Location"] == answer.request.url.replace("%24", "$")  # type: ignore[union-attr]


def asset(team: Team, path: str, properties: dict[str, Any], system: Any) -> dict[str, Any]:
    """A version's resource, by its path `PLURAL/NAME/versions/VERSION`."""
    plural, _, _, version = path.split("/")
    return {
        "id": f"{team.id}/{path}",
        "name": version,
        "type": f"Microsoft.MachineLearningServices/workspaces/{plural}/versions",
        "properties": properties,
        "systemData": system,
    }


def container(team: Team, plural: str, name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """A container's resource."""
    return {
        "id": f"{team.id}/{plural}/{name}",
        "name": name,
        "type": f"Microsoft.MachineLearningServices/workspaces/{plural}",
        "properties": {"description": None, "tags": {}, "properties": {}, "isArchived": False, **properties},
        "systemData": WRITTEN,
    }


def long(team: Team, path: str, group: str = "resourcegroups") -> str:
    words = team.id.split("/")
    return f"azureml://subscriptions/{words[2]}/{group}/{words[4]}/workspaces/{words[8]}/datastores/lake/paths/{path}"


# -- Data: dataset/e2etests/test_data.pyTestData{test_create_uri_folder,test_data_archive_restore_version,...}.json


@pytest.mark.parametrize(("kind", "end"), [("uri_file", ""), ("uri_folder", "/"), ("mltable", "/")])
def test_data(team: Team, kind: str, end: str) -> None:
    """dataset/e2etests/test_data.pyTestDatatest_create_uri_folder.json, …test_data_upload_file, …test_create_mltable"""
    name = unique("data")
    sent = {
        "description": "d",
        "properties": {},
        "tags": {},
        "isAnonymous": False,
        "isArchived": False,
        "dataType": kind,
        "dataUri": "azureml://datastores/lake/paths/a/b",
    }
    shown = {
        "description": "d",
        "tags": {},
        "properties": {},
        "isArchived": False,
        "isAnonymous": False,
        "autoDeleteSetting": None,
        "dataUri": long(team, "a/b" + end),
        "stage": None,
        "intellectualProperty": None,
        "dataType": kind,
    }
    made = team.arm("PUT", f"/data/{name}/versions/1", {"properties": sent}, api=DATA)
    expected = asset(team, f"data/{name}/versions/1", shown, {**CREATED, "lastModifiedAt": TIME})
    check(made, 201, expected)
    located(made)
    check(team.arm("GET", f"/data/{name}/versions/1", api=DATA), 200, expected)

    back = {**sent, "dataUri": made.json()["properties"]["dataUri"], "isArchived": True}
    archived = team.arm("PUT", f"/data/{name}/versions/1", {"properties": back}, api=DATA)
    check(archived, 200, asset(team, f"data/{name}/versions/1", {**shown, "isArchived": True}, WRITTEN))
    assert "Location" not in archived.headers


def test_a_data_container(team: Team) -> None:
    """dataset/e2etests/test_data.pyTestDatatest_data_get_latest_label.json"""
    name = unique("data")
    sent = {"dataType": "uri_file", "dataUri": "azureml://datastores/lake/paths/a"}
    team.arm("PUT", f"/data/{name}/versions/foo", {"properties": sent}, api=DATA)
    versions = {"latestVersion": "foo", "nextVersion": "1", "dataType": "uri_file", "tags": None, "properties": None}
    expected = container(team, "data", name, versions) | {"systemData": {**CREATED, "lastModifiedAt": TIME}}
    check(team.arm("GET", f"/data/{name}", api=DATA), 200, expected)


# -- Models


def test_a_model(team: Team) -> None:
    """model/e2etests/test_model.pyTestModeltest_crud_file.json, …test_crud_model_with_stage"""
    name = unique("model")
    flavors = {"python_function": {"data": {"loader_module": "m", "python_version": "3.11"}}}
    sent = {
        "description": "d",
        "properties": {},
        "tags": {"a": "b"},
        "isAnonymous": False,
        "isArchived": False,
        "flavors": flavors,
        "modelType": "mlflow_model",
        "modelUri": long(team, "m"),
    }
    shown = {
        **sent,
        "autoDeleteSetting": None,
        "intellectualProperty": None,
        "jobName": None,
        "modelUri": long(team, "m", "resourceGroups"),
        "provisioningState": "Succeeded",
        "stage": "Development",
    }
    made = team.arm("PUT", f"/models/{name}/versions/3", {"properties": sent}, api=MODELS)
    expected = asset(team, f"models/{name}/versions/3", shown, WRITTEN)
    check(made, 201, expected)
    located(made)
    check(team.arm("GET", f"/models/{name}/versions/3", api=MODELS), 200, expected)
    check(
        team.arm("GET", f"/models/{name}/versions", api=MODELS, listViewType="ActiveOnly"), 200, {"value": [expected]}
    )

    staged = team.arm("PUT", f"/models/{name}/versions/4", {"properties": {**sent, "stage": "Production"}}, api=MODELS)
    assert staged.json()["properties"]["stage"] == "Production"
    versions = {"latestVersion": "4", "nextVersion": "5", "provisioningState": "Succeeded"}
    check(team.arm("GET", f"/models/{name}", api=MODELS), 200, container(team, "models", name, versions))


def test_models_that_are_not_there(team: Team) -> None:
    """model/e2etests/test_model.pyTestModeltest_crud_file.json: the list of a container's versions"""
    name = unique("model")
    answer = team.arm("GET", f"/models/{name}/versions", api=MODELS, _orderBy="createdtime desc", _top="1")
    text = f"Model container with name: {name} not found."
    more = {"code": "ModelNotFound", "message": text, "details": [], "additionalInfo": []}
    check(answer, 404, refusal(REGION, "The specified resource was not found.", details=[more]))


# -- Environments


def environment(team: Team, name: str, properties: dict[str, Any], version: str = "1") -> requests.Response:
    sent = {"description": "d", "isAnonymous": False, "isArchived": False, **properties}
    return team.arm("PUT", f"/environments/{name}/versions/{version}", {"properties": sent}, api=DATA)


def shown_environment(**own: Any) -> dict[str, Any]:
    return {
        "description": "d",
        "tags": {},
        "properties": {"azureml.labels": "latest"},
        "isArchived": False,
        "isAnonymous": False,
        "autoDeleteSetting": None,
        "environmentType": "UserCreated",
        "condaFile": "",
        "osType": "Linux",
        "autoRebuild": "Disabled",
        "provisioningState": "Succeeded",
        "stage": "Development",
        "intellectualProperty": None,
        **own,
    }


def test_an_environment_with_a_conda_file(team: Team) -> None:
    """environment/e2etests/test_environment.pyTestEnvironmenttest_environment_create_conda.json"""
    name = unique("env")
    made = environment(team, name, {"image": IMAGE, "condaFile": CONDA})
    conda = made.json()["properties"]["condaFile"]
    assert json.loads(conda)["dependencies"] == ["python=3.11", "pip", {"pip": ["six"]}]
    assert conda.startswith('{\n  "channels": [\n    "conda-forge"\n  ],\n')
    check(
        made,
        201,
        asset(team, f"environments/{name}/versions/1", shown_environment(image=IMAGE, condaFile=conda), WRITTEN),
    )
    located(made)


def test_an_environment_with_a_build_context(team: Team) -> None:
    """environment/e2etests/test_environment.pyTestEnvironmenttest_environment_create_or_update_docker_context.json"""
    name, build = unique("env"), {"contextUri": "https://a.blob.core.windows.net/c/f/", "dockerfilePath": "Dockerfile"}
    first = environment(team, name, {"build": build})
    check(first, 201, asset(team, f"environments/{name}/versions/1", shown_environment(build=build), WRITTEN))
    again = environment(team, name, {"build": build})
    assert again.status_code == 201 and again.headers["Location"] == first.headers["Location"]
    assert again.json()["systemData"]["createdAt"] == first.json()["systemData"]["createdAt"]


def test_the_latest_environment_has_the_label(team: Team) -> None:
    """environment/e2etests/test_environment.pyTestEnvironmenttest_environment_archive_restore_version.json"""
    name = unique("env")
    for version in ("1", "2"):
        environment(team, name, {"image": IMAGE}, version)
    listed = team.arm("GET", f"/environments/{name}/versions", api=DATA).json()["value"]
    assert [(one["name"], one["properties"]["properties"]["azureml.labels"]) for one in listed] == [
        ("2", "latest"),
        ("1", ""),
    ]


def test_an_environment_container(team: Team) -> None:
    """environment/e2etests/test_environment.pyTestEnvironmenttest_environment_archive_restore_container.json"""
    name = unique("env")
    environment(team, name, {"image": IMAGE})
    versions = {"description": "", "latestVersion": "1", "nextVersion": "2", "provisioningState": "Succeeded"}
    check(team.arm("GET", f"/environments/{name}", api=DATA), 200, container(team, "environments", name, versions))


# -- Code


def test_code(team: Team) -> None:
    """code_asset/e2etests/test_code.pyTestCodetest_download_directory_code.json, …test_create_and_get"""
    name, digest = unique("code"), unique("h")
    nothing = team.arm("GET", f"/codes/{name}/versions", api="2023-04-01", hash=digest, hashVersion="202208")
    check(nothing, 200, {"value": []})

    upload = team.arm(
        "POST",
        f"/codes/{name}/versions/1/startPendingUpload",
        {"pendingUploadType": "TemporaryBlobReference"},
        api="2023-04-01",
    )
    account = team.needs.ids["storageAccount"]
    host = account.rsplit("/", 1)[-1] + ".blob.core.windows.net"
    own = f"{team.workspace['properties']['workspaceId']}-[a-z0-9]{{26}}"
    reference = {
        "blobUri": re.compile(f"https://{host}:443/{own}"),
        "storageAccountArmId": account,
        "credential": {"credentialType": "SAS", "sasUri": re.compile(f"https://{host}/{own}\\?.*sp=rcwl.*")},
    }
    expected: Any = {"blobReferenceForConsumption": reference, "pendingUploadId": GUID, "pendingUploadType": "None"}
    check(upload, 200, expected)

    hashes = {"hash_sha256": digest, "hash_version": "202208"}
    uri = upload.json()["blobReferenceForConsumption"]["blobUri"] + "/src"
    sent = {"properties": hashes, "isAnonymous": False, "isArchived": False, "codeUri": uri}
    made = team.arm("PUT", f"/codes/{name}/versions/1", {"properties": sent}, api="2023-04-01")
    shown = {**sent, "description": None, "tags": {}, "provisioningState": "Succeeded"}
    expected = asset(team, f"codes/{name}/versions/1", shown, WRITTEN)
    check(made, 201, expected)
    located(made)
    other = f"/codes/{unique('code')}/versions"  # names of codes are new each time
    check(team.arm("GET", other, api="2023-04-01", hash=digest), 200, {"value": [expected]})


# -- Datastores

STORES: dict[str, dict[str, str]] = {
    "AzureBlob": {"containerName": "c"},
    "AzureDataLakeGen2": {"filesystem": "c"},
    "AzureFile": {"fileShareName": "c"},
}


@pytest.mark.parametrize("kind", list(STORES))
def test_a_datastore(team: Team, kind: str) -> None:
    """datastore/e2etests/test_datastore.pyTestDatastoretest_credential_less_adls_gen2_store.json, …test_blob_store"""
    name = unique("d")
    sent = {
        "tags": {},
        "credentials": {"credentialsType": "None"},
        "datastoreType": kind,
        "accountName": "someaccount",
        "endpoint": "core.windows.net",
        "protocol": "https",
        **STORES[kind],
    }
    expected = {
        "id": f"{team.id}/datastores/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/datastores",
        "properties": {
            **sent,
            "description": None,
            "properties": None,
            "isDefault": False,
            "subscriptionId": None,
            "resourceGroup": None,
            "serviceDataAccessAuthIdentity": "None",
        },
        "systemData": WRITTEN,
    }
    made = team.arm("PUT", f"/datastores/{name}", {"properties": sent}, api=DATASTORES, skipValidation="true")
    check(made, 201, expected)
    located(made)
    assert "skipValidation=true" in made.headers["Location"]
    check(team.arm("GET", f"/datastores/{name}", api=DATASTORES), 200, expected)
    listed = team.arm("GET", "/datastores", api=DATASTORES, count="30", orderByAsc="false").json()["value"]
    assert listed[0] == made.json()  # the newest first
    assert listed[-1]["name"] in {"workspaceblobstore", "workspaceartifactstore"}


def test_the_default_datastore(keyed_team: Team) -> None:
    """dataset/e2etests/test_data.pyTestDatatest_create_uri_folder.json"""
    words = keyed_team.needs.ids["storageAccount"].split("/")
    expected = {
        "id": f"{keyed_team.id}/datastores/workspaceblobstore",
        "name": "workspaceblobstore",
        "type": "Microsoft.MachineLearningServices/workspaces/datastores",
        "properties": {
            "description": None,
            "tags": None,
            "properties": None,
            "isDefault": True,
            "credentials": {"credentialsType": "AccountKey"},
            "subscriptionId": words[2],
            "resourceGroup": words[4],
            "datastoreType": "AzureBlob",
            "accountName": words[-1],
            "containerName": f"azureml-blobstore-{keyed_team.workspace['properties']['workspaceId']}",
            "endpoint": "core.windows.net",
            "protocol": "https",
            "serviceDataAccessAuthIdentity": "WorkspaceSystemAssignedIdentity",
        },
        "systemData": {"createdAt": TIME, **CHANGED, "lastModifiedByType": "Application"},
    }
    check(keyed_team.arm("GET", "/datastores/workspaceblobstore", api=DATASTORES), 200, expected)
    older = {**expected, "properties": {**expected["properties"], "intellectualProperty": None}}  # type: ignore[dict-item]
    check(keyed_team.arm("GET", "/datastores/workspaceblobstore", api=DATA), 200, older)


def test_secrets_of_a_datastore(keyed_team: Team) -> None:
    """datastore/e2etests/test_datastore.pyTestDatastoretest_blob_store.json: a signature for a client that takes one"""
    path = "/datastores/workspaceblobstore/listSecrets"
    asked = {"expirableSecret": True, "expireAfterHours": 1}
    signed = keyed_team.arm("POST", path, asked, api=DATASTORES)
    check(signed, 200, {"secretsType": "Sas", "sasToken": re.compile(r"\?sv=[^&]+&.*ss=bf.*srt=co.*sp=rcuwdl.*sig=.+")})
    account = keyed_team.needs.ids["storageAccount"].rsplit("/", 1)[-1]
    place = keyed_team.arm("GET", "/datastores/workspaceblobstore").json()["properties"]["containerName"]
    blob = f"https://{account}.blob.core.windows.net/{place}/{unique('b')}{signed.json()['sasToken']}"
    headers = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2023-11-03"}
    assert keyed_team.azure.session.put(blob, data=b"x", headers=headers).status_code == 201
    check(keyed_team.arm("POST", path, api=DATASTORES), 200, {"secretsType": "AccountKey", "key": str})


def test_a_datastore_without_secrets(team: Team) -> None:
    """model/e2etests/test_model.pyTestModeltest_model_archive_restore_version.json"""
    asked = {"expirableSecret": True, "expireAfterHours": 1}
    answer = team.arm("POST", "/datastores/workspaceblobstore/listSecrets", asked, api=DATASTORES)
    check(answer, 400, refusal(REGION, "No secrets for credentials of type None."))


# -- Connections


@pytest.mark.parametrize(
    ("category", "auth", "group", "credentials"),
    [
        ("Git", "None", "ServicesAndApps", {}),
        ("S3", "AccessKey", "File", {"accessKeyId": "a", "secretAccessKey": "b"}),
        ("AzureOpenAi", "ApiKey", "AzureAI", {"key": "k"}),
    ],
)
def test_a_connection(team: Team, category: str, auth: str, group: str, credentials: dict[str, str]) -> None:
    """connection/e2etests/test_connections.pyTestWorkspaceConnections{test_git_crud,…s3_access_key,…secret_population}"""
    name, path = unique("conn"), ""
    path = f"/connections/{name}"
    sent = {"authType": auth, "category": category, "isSharedToAll": True, "metadata": {}, "target": "dummy"}
    body = {**sent, **({"credentials": credentials} if credentials else {})}
    properties = {
        **sent,
        "category": category.replace("OpenAi", "OpenAI"),
        "group": group,
        "expiryTime": None,
        "createdByWorkspaceArmId": team.id,
        "useWorkspaceManagedIdentity": False,
        "sharedUserList": [],
        "peRequirement": "NotRequired",
        "peStatus": "NotApplicable",
        "error": None,
        "isDefault": True,
        **({"credentials": None} if credentials else {}),
    }
    expected = {
        "tags": None,
        "location": None,
        "id": f"{team.id}/connections/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/connections",
        "properties": properties,
        "systemData": {key: ZULU if value is TIME else value for key, value in WRITTEN.items()},
    }
    check(team.arm("PUT", path, {"properties": body}, api=CONNECTIONS), 200, expected)
    check(team.arm("GET", path, api=CONNECTIONS), 200, expected)
    if credentials:
        clear = {**expected, "properties": {**properties, "credentials": credentials}}
        check(team.arm("POST", f"{path}/listsecrets", api=CONNECTIONS), 200, clear)
    gone = team.arm("DELETE", path, api=CONNECTIONS)
    assert (gone.status_code, gone.content) == (200, b"")

    missing = team.arm("GET", path, api=CONNECTIONS)
    unset = ("severity", "messageFormat", "messageParameters", "referenceCode", "detailsUri", "target", "debugInfo")
    error: dict[str, Any] = {
        "code": "UserError",
        "message": f"Connection {name} can't be found in this workspace",
        "details": [],
        "innerError": {"code": "NotFoundError", "innerError": None},
        "additionalInfo": None,
        **dict.fromkeys(unset),
    }
    told = {
        "correlation": {"operation": re.compile("[0-9a-f]{32}"), "request": re.compile("[0-9a-f]{16}")},
        "environment": REGION,
        "location": REGION,
        "time": TIME,
        "componentName": "account-rp",
        "statusCode": 404,
    }
    check(missing, 404, {"error": error, **told})


# -- Computes


def operation(answer: requests.Response, family: str, query: str) -> None:
    """An accepted request has the address of its state, which is InProgress at first."""
    address = answer.headers["Azure-AsyncOperation"]
    pattern = f"https://management.azure.com/subscriptions/[^/]+/providers/Microsoft.MachineLearningServices/locations/{REGION}"
    assert re.fullmatch(f"{pattern}/{family}/[^/?]+\\?api-version=[^&]+{query}", address), address


def test_a_cluster(team: Team, azure: Client) -> None:
    """compute/e2etests/test_compute.pyTestComputetest_aml_compute_create_and_delete.json"""
    name = unique("c")[:16]
    inner = {
        "osType": "Linux",
        "vmSize": "Standard_DS2_v2",
        "vmPriority": "Dedicated",
        "scaleSettings": {"maxNodeCount": 2, "minNodeCount": 0, "nodeIdleTimeBeforeScaleDown": "PT1M40S"},
        "userAccountCredentials": {"adminUserName": "azureuser", "adminUserPassword": "p-1"},
        "remoteLoginPortPublicAccess": "Enabled",
        "enableNodePublicIp": True,
    }
    sent = {
        "location": REGION,
        "properties": {
            "computeType": "AmlCompute",
            "description": "d",
            "disableLocalAuth": False,
            "properties": inner,
        },
    }
    own = {key: inner[key] for key in ("osType", "vmPriority", "scaleSettings", "remoteLoginPortPublicAccess")}
    cluster_now = {
        **own,
        "vmSize": "STANDARD_DS2_V2",
        "subnet": None,
        "currentNodeCount": None,
        "targetNodeCount": None,
        "nodeStateCounts": None,
        "allocationState": None,
        "errors": None,
        "virtualMachineImage": None,
        "isolatedNetwork": False,
        "enableNodePublicIp": True,
        "enableBatchPrivateLink": False,
    }
    new = {
        "createdOn": TIME,
        "modifiedOn": TIME,
        "disableLocalAuth": False,
        "description": "d",
        "resourceId": None,
        "computeType": "AmlCompute",
        "provisioningState": "Creating",
        "provisioningErrors": None,
        "provisioningWarnings": None,
        "isAttachedCompute": False,
        "properties": cluster_now,
    }
    identity = {
        "id": f"{team.id}/computes/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "location": REGION,
    }
    made = team.arm("PUT", f"/computes/{name}", sent, api=COMPUTES)
    check(made, 201, {**identity, "tags": None, "properties": new})
    operation(made, "computeOperationsStatus", "&service=new")
    assert "Location" not in made.headers
    first = azure.send("GET", made.headers["Azure-AsyncOperation"])
    check(first, 200, {"status": "InProgress"})
    assert team.arm("GET", f"/computes/{name}", api=COMPUTES).json()["properties"]["provisioningState"] == "Creating"
    assert outcome(azure, made) == {"status": "Succeeded", "percentComplete": 100.0}

    settled = {
        **cluster_now,
        "vmSize": "Standard_DS2_v2",
        "userAccountCredentials": {"adminUserName": "azureuser", "adminUserPassword": None},
        "currentNodeCount": 0,
        "targetNodeCount": 0,
        "nodeStateCounts": NODES,
        "allocationState": "Steady",
        "allocationStateTransitionTime": TIME,
        "propertyBag": {},
    }
    ready = {
        **new,
        "computeLocation": REGION,
        "provisioningState": "Succeeded",
        "provisioningWarnings": {},
        "properties": settled,
    }
    check(team.arm("GET", f"/computes/{name}", api=COMPUTES), 200, {**identity, "tags": {}, "properties": ready})

    again = team.arm("PUT", f"/computes/{name}", sent, api=COMPUTES)
    batch = team.id.replace("Microsoft.MachineLearningServices", "Microsoft.BatchAI")
    changed = {
        **new,
        "computeLocation": REGION,
        "provisioningWarnings": {},
        "resourceId": f"{batch}/clusters/{name}",
    }
    check(again, 201, {**identity, "tags": {}, "properties": changed})
    outcome(azure, again)

    gone = team.arm("DELETE", f"/computes/{name}", api=COMPUTES, underlyingResourceAction="Delete")
    assert (gone.status_code, gone.content) == (202, b"")
    operation(gone, "computeOperationsStatus", "&service=new")


def test_a_compute_instance(team: Team, azure: Client) -> None:
    """compute/e2etests/test_compute.pyTestComputetest_compute_instance_stop_start_restart.json"""
    name = unique("i")[:16]
    sent = {
        "location": REGION,
        "properties": {"computeType": "ComputeInstance", "properties": {"vmSize": "Standard_DS3_v2"}},
    }
    made = team.arm("PUT", f"/computes/{name}", sent, api=COMPUTES)
    inner = made.json()["properties"]["properties"]
    assert (made.status_code, inner["vmSize"]) == (201, "STANDARD_DS3_V2")
    for key in ("sshSettings", "applications", "connectivityEndpoints", "versions", "customServices", "lastOperation"):
        assert inner[key] is None, key
    outcome(azure, made)
    for action, state in (("stop", "Stopped"), ("start", "Running")):
        done = team.arm("POST", f"/computes/{name}/{action}", api=COMPUTES)
        assert (done.status_code, done.content) == (202, b"")
        outcome(azure, done)
        inner = team.arm("GET", f"/computes/{name}", api=COMPUTES).json()["properties"]["properties"]
        assert (inner["state"], inner["vmSize"]) == (state, "Standard_DS3_v2")
    assert [one["displayName"] for one in inner["applications"]] == ["Jupyter", "Jupyter Lab"]
    assert inner["sshSettings"].items() >= {"adminUserName": "azureuser", "sshPort": 50000}.items()
    assert (inner["schedules"], inner["errors"], inner["customServices"]) == ({"computeStartStop": []}, [], [])


# -- Workspaces and registries


def test_a_workspace(team: Team, azure: Client) -> None:
    """workspace/e2etests/test_workspace.pyTestWorkspacetest_workspace_update.json"""
    found = team.arm("GET", "", api=COMPUTES).json()
    assert found["etag"] is None and found["sku"] == {"name": "Basic", "tier": "Basic"}
    properties = found["properties"]
    words: dict[str, Any] = {
        "imageBuildCompute": None,
        "ipAllowlist": [],
        "linkedModelInventoryArmId": None,
        "serverlessComputeSettings": {"serverlessComputeCustomSubnet": None, "serverlessComputeNoPublicIP": False},
        "storageHnsEnabled": False,
        "enableServiceSideCMKEncryption": False,
        "privateLinkCount": 0,
    }
    assert not [one for one in words if properties[one] != words[one]]
    modes = ["AllowInternetOutbound", "AllowOnlyApprovedOutbound"]
    assert properties["managedNetwork"]["changeableIsolationModes"] == modes
    expected = {"resourceId": str, "fqdn": str, "isPrivateLinkEnabled": False, "notebookPreparationError": None}
    assert not differences(expected, properties["notebookInfo"])
    assert not differences({key: ZULU if one is TIME else one for key, one in WRITTEN.items()}, found["systemData"])

    changed = azure.arm("PATCH", team.id, {"tags": {"k": "v"}}, api=COMPUTES)
    assert (changed.status_code, changed.content) == (202, b"")
    operation(changed, "workspaceOperationsStatus", "&type=async")
    assert outcome(azure, changed) == {"status": "Succeeded", "percentComplete": 100.0}
    assert team.arm("GET", "", api=COMPUTES).json()["tags"] == {"k": "v"}


def test_a_registry(azure: Client) -> None:
    """registry/e2etests/test_registry.pyTestRegistrytest_registry_operations.json"""
    name = unique("reg")
    path = f"{azure.group()}/providers/Microsoft.MachineLearningServices/registries/{name}"
    region = {
        "location": "EastUS2",
        "acrDetails": [{"systemCreatedAcrAccount": {"acrAccountSku": "Premium"}}],
        "storageAccountDetails": [
            {"systemCreatedStorageAccount": {"storageAccountHnsEnabled": False, "storageAccountType": "standard_lrs"}}
        ],
    }
    sent = {
        "location": "EastUS2",
        "identity": {"type": "SystemAssigned"},
        "tags": {"one": "two"},
        "properties": {"regionDetails": [region]},
    }
    made = azure.arm("PUT", path, sent, api="2022-10-01-preview")
    assert (made.status_code, made.content) == (202, b"")
    operation(made, "registryOperationsStatus", "&type=async")
    assert made.headers["Location"].endswith("&type=location")
    assert outcome(azure, made) == {"status": "Succeeded", "percentComplete": 100.0}

    managed = f"/subscriptions/[^/]+/resourceGroups/azureml-rg-{name}_{GUID.pattern}"

    def account(part: str, kind: str, **own: Any) -> dict[str, Any]:
        made = {
            **own,
            f"{part}AccountName": re.compile("[0-9a-f]{11}"),
            "armResourceId": {"resourceId": re.compile(f"{managed}/providers/{kind}/[0-9a-f]{{11}}")},
        }
        word = part[0].upper() + part[1:]
        return {f"userCreated{word}Account": None, f"systemCreated{word}Account": made}

    regions = {
        "location": REGION,
        "storageAccountDetails": [
            account(
                "storage",
                "Microsoft.Storage/storageAccounts",
                storageAccountHnsEnabled=False,
                storageAccountType="standard_lrs",
            )
        ],
        "acrDetails": [account("acr", "Microsoft.ContainerRegistry/registries", acrAccountSku="Premium")],
    }
    host = f"{REGION}.api.azureml.ms"
    expected = {
        "tags": {"one": "two"},
        "location": REGION,
        "identity": {"type": "SystemAssigned", "principalId": GUID, "tenantId": azure.tenant},
        "id": path,
        "name": name,
        "type": "Microsoft.MachineLearningServices/registries",
        "properties": {
            "regionDetails": [regions],
            "intellectualPropertyPublisher": None,
            "publicNetworkAccess": "Enabled",
            "discoveryUrl": f"https://{host}/registrymanagement/v1.0/registries/{name}/discovery",
            "managedResourceGroup": {"resourceId": re.compile(managed)},
            "mlFlowRegistryUri": f"azureml://{host}/mlflow/v1.0{path}",
            "privateEndpointConnections": [],
        },
        "systemData": None,
    }
    check(azure.arm("GET", path, api="2022-10-01-preview"), 200, expected)
    check(azure.send("GET", made.headers["Location"]), 200, expected)
    gone = azure.arm("DELETE", path, api="2022-10-01-preview")
    assert (gone.status_code, gone.content) == (202, b"")
    assert outcome(azure, gone)["status"] == "Succeeded"
