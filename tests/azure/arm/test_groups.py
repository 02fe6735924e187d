"""Resource groups: made, moved never, deleted with all that is in them."""

import pytest

from tests.azure.client import READER, Client, error, unique, user_id
from tests.conftest import SUBSCRIPTION

IDENTITY = "providers/Microsoft.ManagedIdentity/userAssignedIdentities"


def test_a_group_shows_its_state_and_tags(azure: Client) -> None:
    name = unique("rg")
    made = azure.arm("PUT", f"resourceGroups/{name}", {"location": "East US 2", "tags": {"team": "a"}})
    assert made.status_code == 201
    assert made.json() == {
        "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": "eastus2",
        "tags": {"team": "a"},
        "properties": {"provisioningState": "Succeeded"},
    }
    assert azure.arm("PUT", f"resourceGroups/{name}", {"location": "eastus2"}).status_code == 200
    assert "tags" not in azure.arm("GET", f"resourceGroups/{name}").json()


@pytest.mark.parametrize("name", ["ends.", "a b", "x" * 91, "a*b"])
def test_a_bad_name_is_refused(azure: Client, name: str) -> None:
    assert error(azure.arm("PUT", f"resourceGroups/{name}", {"location": "eastus2"})) == (
        400,
        "InvalidResourceGroupName",
    )


def test_a_group_stays_in_its_region(azure: Client) -> None:
    name = azure.group().rsplit("/", 1)[-1]
    answer = azure.arm("PUT", f"resourceGroups/{name}", {"location": "westus"})
    assert error(answer) == (409, "InvalidResourceGroupLocation")
    answer = azure.arm("PUT", f"resourceGroups/{unique('rg')}", {"location": "atlantis"})
    assert error(answer) == (400, "LocationNotAvailableForResourceGroup")


def test_deleting_a_group_takes_all_in_it_along(azure: Client) -> None:
    group = azure.group()
    beside = azure.group(group.rsplit("/", 1)[-1] + "2")  # the same beginning
    vault, account = unique("kv"), unique("acct")
    properties = {"tenantId": azure.tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    azure.arm(
        "PUT", f"{group}/providers/Microsoft.KeyVault/vaults/{vault}", {"location": "eastus2", "properties": properties}
    )
    body = {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    azure.arm("PUT", f"{group}/providers/Microsoft.Storage/storageAccounts/{account}", body)
    identity = azure.arm("PUT", f"{group}/{IDENTITY}/one", {"location": "eastus2"}).json()
    azure.arm("PUT", f"{beside}/{IDENTITY}/one", {"location": "eastus2"})
    for scope in (group, f"{group}/providers/Microsoft.KeyVault/vaults/{vault}", beside):
        assert azure.assign(scope, identity["properties"]["principalId"], READER).status_code == 201

    answer = azure.arm("DELETE", group)
    assert answer.status_code == 202
    assert azure.send("GET", answer.headers["Location"]).status_code == 200

    assert error(azure.arm("GET", group)) == (404, "ResourceGroupNotFound")
    assert azure.arm("GET", f"{beside}/{IDENTITY}/one").status_code == 200
    gone = identity["properties"]["principalId"]
    assert azure.graph("GET", f"/servicePrincipals/{gone}").status_code == 404
    left = azure.arm(
        "GET", "providers/Microsoft.Authorization/roleAssignments", api="2022-04-01", filter=f"principalId eq '{gone}'"
    ).json()["value"]
    assert [one["properties"]["scope"] for one in left] == [beside]
    deleted = azure.arm("GET", f"providers/Microsoft.KeyVault/locations/eastus2/deletedVaults/{vault}")
    assert deleted.json()["properties"]["vaultId"].startswith(group)
    free = azure.arm(
        "POST",
        "providers/Microsoft.Storage/checkNameAvailability",
        {"name": account, "type": "Microsoft.Storage/storageAccounts"},
    )
    assert free.json() == {"nameAvailable": True}


def test_one_without_a_role_sees_no_groups_and_deletes_none(azure: Client, scientist: Client) -> None:
    group, other = azure.group(), azure.group()
    azure.assign(group, user_id("user2@site.com"), READER)
    seen = [one["id"] for one in scientist.arm("GET", "resourceGroups").json()["value"]]
    assert group in seen
    assert other not in seen
    answer = scientist.arm("DELETE", group)
    assert error(answer) == (403, "AuthorizationFailed")
    message = answer.json()["error"]["message"]
    assert f"'Microsoft.Resources/subscriptions/resourceGroups/delete' over scope '{group}'" in message
    assert user_id("user2@site.com") in message
    assert error(scientist.arm("GET", other)) == (403, "AuthorizationFailed")


def test_an_unknown_operation_is_not_found(azure: Client) -> None:
    assert error(azure.arm("GET", "operationresults/nothing")) == (404, "NotFound")
