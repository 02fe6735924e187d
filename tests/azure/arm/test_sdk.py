"""Microsoft's own management client, unmodified, with nothing but the printed environment."""

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.resources.models import GenericResource, ResourceGroup, Sku

from tests.azure.client import unique
from tests.conftest import SUBSCRIPTION

pytestmark = pytest.mark.usefixtures("owner")


def test_groups_and_resources_live_and_die() -> None:
    group, name = unique("rg"), unique("acct")
    with ResourceManagementClient(DefaultAzureCredential(), SUBSCRIPTION) as client:
        assert client.resource_groups.check_existence(group) is False
        client.resource_groups.create_or_update(group, ResourceGroup(location="eastus2", tags={"team": "a"}))
        assert client.resource_groups.check_existence(group) is True
        providers = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers"
        account = f"{providers}/Microsoft.Storage/storageAccounts/{name}"
        body = GenericResource(location="eastus2", kind="StorageV2", sku=Sku(name="Standard_LRS"))
        made = client.resources.begin_create_or_update_by_id(account, body, api_version="2024-01-01").result(timeout=10)
        assert made.id == account
        assert made.properties is not None
        assert made.properties["provisioningState"] == "Succeeded"
        assert [one.name for one in client.resources.list_by_resource_group(group)] == [name]
        wanted = f"resourceType eq 'Microsoft.Storage/storageAccounts' and name eq '{name}'"
        found = client.resources.list(filter=wanted)
        assert [one.id for one in found] == [account]
        assert client.providers.get("Microsoft.Storage").registration_state == "Registered"
        client.resource_groups.begin_delete(group).result(timeout=10)
        assert client.resource_groups.check_existence(group) is False
        with pytest.raises(ResourceNotFoundError):
            client.resources.get_by_id(account, api_version="2024-01-01")


def test_a_refusal_carries_azures_code() -> None:
    with (
        ResourceManagementClient(DefaultAzureCredential(), SUBSCRIPTION) as client,
        pytest.raises(HttpResponseError) as refused,
    ):
        client.resource_groups.create_or_update(unique("rg"), ResourceGroup(location="atlantis"))
    assert refused.value.error is not None
    assert refused.value.error.code == "LocationNotAvailableForResourceGroup"
