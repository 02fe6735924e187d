"""Check: names, locations, versions and the failures before anything is sent."""

import re
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime.proto import provider_pb2 as proto

from sandbox.providers.azure_native import AzureNative
from sandbox.providers.azuread import AzureAD
from sandbox.providers.values import UNKNOWN, secret
from tests.providers.cloud import SUBSCRIPTION, Cloud, error
from tests.providers.driver import Aborted, Resource, configured

ACCOUNT = "azure-native:storage:StorageAccount"
GIVEN = {"resourceGroupName": "g", "location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
Mode = proto.CheckRequest.AutonamingOptions.Mode


def autonaming(mode: str, name: str = "proposed") -> Any:
    return proto.CheckRequest.AutonamingOptions(proposed_name=name, mode=Mode.Value(mode))


def test_the_api_version_is_filled_in(alone: AzureNative) -> None:
    inputs = Resource(alone, ACCOUNT).checked({**GIVEN, "accountName": "acct"})
    assert inputs == {**GIVEN, "accountName": "acct", "azureApiVersion": "2024-01-01"}


@pytest.mark.parametrize(
    ("type_", "inputs", "name", "pattern", "random"),
    [
        (ACCOUNT, GIVEN, "accountName", r"thing[0-9a-f]{8}", True),
        ("azure-native:resources:ResourceGroup", {"location": "e"}, "resourceGroupName", r"thing[0-9a-f]{8}", True),
        (
            "azure-native:storage:BlobContainer",
            {"resourceGroupName": "g", "accountName": "acct"},
            "containerName",
            "thing",
            False,
        ),
        (
            "azure-native:authorization:RoleAssignment",
            {"scope": "/s", "principalId": "p", "roleDefinitionId": "r"},
            "roleAssignmentName",
            r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            True,
        ),
        (
            "azure-native:authorization:RoleDefinition",
            {"scope": "/s"},
            "roleDefinitionId",
            r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            True,
        ),
        (
            "azure-native:monitor:DiagnosticSetting",
            {"resourceUri": "/subscriptions/s"},
            "name",
            r"thing[0-9a-f]{8}",
            True,
        ),
        (
            "azure-native:machinelearningservices:Compute",
            {"resourceGroupName": "g", "workspaceName": "work", "location": "e"},
            "computeName",
            "thing",
            False,
        ),
    ],
)
def test_automatic_names(  # noqa: PLR0917 (a row of the table)
    alone: AzureNative, type_: str, inputs: dict[str, Any], name: str, pattern: str, random: bool
) -> None:
    resource = Resource(alone, type_)
    found = resource.checked(inputs)
    assert re.fullmatch(pattern, found[name])
    assert found.get("__createBeforeDelete", False) is random
    resource.inputs = found
    assert resource.checked(inputs) == found  # kept from then on


def test_the_engines_wishes_for_names(alone: AzureNative) -> None:
    account = Resource(alone, ACCOUNT)
    container = Resource(alone, "azure-native:storage:BlobContainer")
    inside = {"resourceGroupName": "g", "accountName": "acct"}
    assert account.check(GIVEN, autonaming=autonaming("ENFORCE", "mine"))[0]["accountName"] == "mine"
    assert account.check(GIVEN, autonaming=autonaming("PROPOSE", "mine"))[0]["accountName"] == "mine"
    assert container.check(inside, autonaming=autonaming("PROPOSE", "mine"))[0]["containerName"] == "mine"
    _, failures = account.check(GIVEN, autonaming=autonaming("DISABLE"))
    assert failures == ["missing required property 'accountName'"]
    definition = Resource(alone, "azure-native:authorization:RoleDefinition")
    proposed = definition.check({"scope": "/s"}, autonaming=autonaming("PROPOSE"))[0]["roleDefinitionId"]
    assert uuid.UUID(proposed)
    enforced = definition.check({"scope": "/s"}, autonaming=autonaming("ENFORCE"))[0]["roleDefinitionId"]
    assert enforced == "proposed"


def test_the_location_comes_from_the_old_inputs_then_config_then_the_group(native: AzureNative, cloud: Cloud) -> None:
    cloud.kept[f"/subscriptions/{SUBSCRIPTION}/resourcegroups/g"] = {"location": "westeurope"}
    inputs = {key: value for key, value in GIVEN.items() if key != "location"} | {"accountName": "acct"}
    account = Resource(native, ACCOUNT)
    assert account.checked(inputs)["location"] == "westeurope"
    account.checked(inputs)
    assert len(cloud.asked) == 1  # looked up once
    configured(native, location="northeurope")
    assert account.checked(inputs)["location"] == "northeurope"
    account.inputs = {"location": "eastus"}
    assert account.checked(inputs)["location"] == "eastus"


def test_an_unknown_group_leaves_the_location_unknown(alone: AzureNative) -> None:
    inputs = {"resourceGroupName": UNKNOWN, "accountName": "acct", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    assert Resource(alone, ACCOUNT).checked(inputs)["location"] == UNKNOWN


def test_a_group_that_cannot_be_read_leaves_the_location_missing(native: AzureNative, cloud: Cloud) -> None:
    cloud.say("GET", "/g", (403, error("AuthorizationFailed", "no")))
    _, failures = Resource(native, ACCOUNT).check(
        {"resourceGroupName": "g", "accountName": "acct", "kind": "k", "sku": {"name": "n"}}
    )
    assert failures == [
        "missing required property 'location'. Either set it explicitly or configure it with "
        "'pulumi config set azure-native:location <value>'."
    ]


@pytest.mark.parametrize(
    ("type_", "inputs", "expected"),
    [
        (ACCOUNT, {**GIVEN, "accountName": "Bad-Name"}, ["'accountName' does not match expression '^[a-z0-9]+$'"]),
        (ACCOUNT, {**GIVEN, "accountName": "ab"}, ["'accountName' is too short (2): at least 3 characters required"]),
        (
            ACCOUNT,
            {**GIVEN, "accountName": "a" * 25},
            ["'accountName' is too long (25): at most 24 characters allowed"],
        ),
        (
            ACCOUNT,
            {**GIVEN, "accountName": "acct", "resourceGroupName": "g" * 91},
            ["'resourceGroupName' is too long (91): at most 90 characters allowed"],
        ),
        (ACCOUNT, {**GIVEN, "accountName": "acct", "sku": {}}, ["missing required property 'sku.name'"]),
        (ACCOUNT, {**GIVEN, "accountName": "acct", "sku": "x"}, ["'sku' should be of type 'object' but got a string"]),
        (
            ACCOUNT,
            {**GIVEN, "accountName": "acct", "kind": [1]},
            ["'kind' should be of type 'string' but got an array"],
        ),
        (
            ACCOUNT,
            {**GIVEN, "accountName": "acct", "accessTier": 3},
            ["'accessTier' should be of type 'string' but got a number"],
        ),
        (ACCOUNT, {**GIVEN, "accountName": "acct", "kind": "Nonsense"}, []),  # enumerations are the service's business
        (
            "azure-native:storage:BlobServiceProperties",
            {
                "resourceGroupName": "g",
                "accountName": "acct",
                "blobServicesName": "default",
                "deleteRetentionPolicy": {"enabled": True, "days": 0},
                "changeFeed": {"retentionInDays": 1.5},
            },
            [
                "'changeFeed.retentionInDays' must be an integer but got 1.500000",
                "'deleteRetentionPolicy.days' is too low (0.000000 < 1.000000)",
            ],
        ),
        (
            "azure-native:storage:BlobServiceProperties",
            {
                "resourceGroupName": "g",
                "accountName": "acct",
                "blobServicesName": "default",
                "deleteRetentionPolicy": {"days": 400},
            },
            ["'deleteRetentionPolicy.days' is too high (400.000000 > 365.000000)"],
        ),
        (
            "azure-native:containerregistry:Registry",
            {"resourceGroupName": "g", "location": "e", "registryName": "my-registry", "sku": {"name": "Basic"}},
            ["'registryName' does not match expression '^[a-zA-Z0-9]*$'"],
        ),
        (
            "azure-native:keyvault:Vault",
            {"resourceGroupName": "g", "location": "e", "vaultName": "no_underscore", "properties": {"tenantId": "t"}},
            [
                "'vaultName' does not match expression '^[a-zA-Z0-9-]{3,24}$'",
                "missing required property 'properties.sku'",
            ],
        ),
        (
            "azure-native:authorization:ManagementLockByScope",
            {"scope": "/subscriptions/s", "lockName": "keep"},
            ["missing required property 'level'"],
        ),
        (
            "azure-native:machinelearningservices:Datastore",
            {
                "resourceGroupName": "g",
                "workspaceName": "work",
                "name": "has space",
                "properties": {"datastoreType": "x"},
            },
            [
                r"'name' does not match expression '^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$'"
            ],  # a union's inside is not checked
        ),
        (
            "azure-native:network:VirtualNetwork",
            {
                "resourceGroupName": "g",
                "location": "e",
                "virtualNetworkName": "v",
                "addressSpace": {"addressPrefixes": "10.0.0.0/16"},
                "subnets": [{"name": 3}],
            },
            [
                "'addressSpace.addressPrefixes' should be of type 'array' but got a string",
                "'subnets[0].name' should be of type 'string' but got a number",
            ],
        ),
    ],
)
def test_failures(alone: AzureNative, type_: str, inputs: dict[str, Any], expected: list[str]) -> None:
    assert Resource(alone, type_).check(inputs)[1] == expected


def test_unknown_values_are_not_judged_and_secrets_stay_secret(alone: AzureNative) -> None:
    given = {**GIVEN, "accountName": secret("acct"), "sku": UNKNOWN, "tags": {"a": None, "b": secret("c")}}
    found, failures = Resource(alone, ACCOUNT).check(given)
    assert failures == []
    assert found["accountName"] == secret("acct")
    assert found["tags"] == {"b": secret("c")}


def test_a_type_that_is_not_emulated_is_named(alone: AzureNative) -> None:
    with pytest.raises(Aborted, match="Resource type azure-native:web:WebApp not found: the sandbox's azure-native"):
        Resource(alone, "azure-native:web:WebApp").check({})
    with pytest.raises(Aborted, match="Resource type azuread:index/user:User not found"):
        Resource(AzureAD(), "azuread:index/user:User").check({})


@settings(max_examples=50)
@given(
    st.fixed_dictionaries(
        {"kind": st.text(), "sku": st.fixed_dictionaries({"name": st.text()})},
        optional={
            "accountName": st.from_regex("[a-z0-9]{3,24}", fullmatch=True),
            "location": st.text(min_size=1),
            "tags": st.dictionaries(st.text(), st.text()),
            "isHnsEnabled": st.booleans(),
            "unheardOf": st.integers(),
        },
    )
)
def test_check_is_idempotent_and_leaves_nothing_to_change(inputs: dict[str, Any]) -> None:
    provider = AzureNative()
    provider.config = {"location": "eastus2"}
    account = Resource(provider, ACCOUNT)
    once = account.checked({"resourceGroupName": "g", **inputs})
    account.inputs = once
    assert account.checked(once) == once
    assert not account.diff(account.checked({"resourceGroupName": "g", **inputs})).changed


@pytest.mark.parametrize(
    ("type_", "inputs", "expected"),
    [
        (
            "servicePrincipal:ServicePrincipal",
            {},
            ['Missing required argument. The argument "client_id" is required, but no definition was found.'],
        ),
        (
            "group:Group",
            {"displayName": "g"},
            ['"security_enabled": one of `mail_enabled,security_enabled` must be specified'],
        ),
        (
            "group:Group",
            {"displayName": "g", "mailEnabled": True},
            [
                '`types` must contain "Unified" for mail-enabled groups',
                "`mail_nickname` is required for mail-enabled groups",
            ],
        ),
        (
            "group:Group",
            {
                "displayName": "g",
                "mailEnabled": True,
                "assignableToRole": True,
                "types": ["Unified"],
                "mailNickname": "n",
            },
            ["`assignable_to_role` can only be `true` for security-enabled groups"],
        ),
        (
            "group:Group",
            {"displayName": "g", "securityEnabled": True, "theme": "x"},
            ["The sandbox's azuread does not emulate 'theme'."],
        ),
        ("group:Group", {"displayName": UNKNOWN}, []),
        (
            "applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential",
            {"applicationId": "a", "audiences": [], "issuer": "i", "subject": "s"},
            ['Missing required argument. The argument "display_name" is required, but no definition was found.'],
        ),
    ],
)
def test_azuread_failures(type_: str, inputs: dict[str, Any], expected: list[str]) -> None:
    assert Resource(AzureAD(), f"azuread:index/{type_}").check(inputs)[1] == expected


def test_a_name_that_must_be_unique_is_looked_up_before_anything_is_made(directory: AzureAD, cloud: Cloud) -> None:
    cloud.kept["applications"] = {"1": {"id": "1", "displayName": "o'app"}}
    application = Resource(directory, "azuread:index/application:Application")
    _, failures = application.check({"displayName": "o'app", "preventDuplicateNames": True})
    assert failures[0].startswith(
        'An existing "azuread_application" with name "o\'app" (ID: "1") was found and `prevent_duplicate_names` was '
    )
    assert application.check({"displayName": "other", "preventDuplicateNames": True})[1] == []
    assert application.check({"displayName": "o'app"})[1] == []
