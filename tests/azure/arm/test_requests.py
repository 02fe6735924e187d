"""What every request to the resource manager meets: tokens, versions, existence, bodies, locations, lists."""

from typing import Any

import pytest
import requests

from tests.azure.client import ARM, Client, error, unique
from tests.conftest import SUBSCRIPTION

STORAGE = "providers/Microsoft.Storage/storageAccounts"
IDENTITY = "providers/Microsoft.ManagedIdentity/userAssignedIdentities"


def test_a_request_without_version_is_refused(azure: Client) -> None:
    answer = azure.send("GET", f"{ARM}/subscriptions/{SUBSCRIPTION}/resourceGroups")
    assert error(answer) == (400, "MissingApiVersionParameter")


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("latest", "InvalidApiVersionParameter"),
        ("2024-3-1", "InvalidApiVersionParameter"),
        ("2024-03-01-Preview2", "InvalidApiVersionParameter"),
        ("2024-02-31", "NoRegisteredProviderFound"),
        ("2013-01-01", "NoRegisteredProviderFound"),
    ],
)
def test_a_version_that_is_none_is_refused(azure: Client, version: str, code: str) -> None:
    assert error(azure.arm("GET", "resourceGroups", api=version)) == (400, code)


def test_the_versions_name_ignores_case(azure: Client) -> None:
    url = f"{ARM}/subscriptions/{SUBSCRIPTION}/resourceGroups"
    assert azure.send("GET", url, params={"Api-Version": "2024-03-01-preview"}).status_code == 200


def test_what_is_missing_is_told_from_above(azure: Client) -> None:
    group = azure.group()
    absent = group + "x"
    assert error(azure.arm("GET", absent)) == (404, "ResourceGroupNotFound")
    assert error(azure.arm("GET", f"{absent}/{STORAGE}/acct")) == (404, "ResourceGroupNotFound")
    assert error(azure.arm("GET", f"{group}/{STORAGE}/acct")) == (404, "ResourceNotFound")
    inside = f"{group}/{STORAGE}/acct/blobServices/default/containers/box"
    assert error(azure.arm("GET", inside)) == (404, "ParentResourceNotFound")
    assert error(azure.arm("PUT", inside, {})) == (404, "ParentResourceNotFound")


def test_unknown_providers_types_and_subscriptions_are_named(azure: Client) -> None:
    group = azure.group()
    assert error(azure.arm("GET", f"{group}/providers/Microsoft.Nothing/things/a")) == (404, "InvalidResourceNamespace")
    assert error(azure.arm("GET", f"{group}/providers/Microsoft.Storage/things/a")) == (404, "InvalidResourceType")
    other = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups"
    assert error(azure.arm("GET", other)) == (404, "SubscriptionNotFound")
    assert error(azure.arm("GET", "/nothing")) == (404, "NotFound")
    assert error(azure.arm("POST", f"{group}/{STORAGE}/acct/doIt")) == (404, "NotFound")
    assert error(azure.arm("TRACE", group)) == (405, "MethodNotAllowed")


@pytest.mark.parametrize("content", ["{", "[1]", '"text"', "\x00", "[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(azure: Client, content: str) -> None:
    url = f"{ARM}/subscriptions/{SUBSCRIPTION}/resourceGroups/{unique('rg')}?api-version=2024-03-01"
    answer = azure.session.put(url, data=content, headers={"Authorization": f"Bearer {azure.token()}"})
    assert error(answer) == (400, "InvalidRequestContent")


def test_a_body_larger_than_4_mb_is_refused(azure: Client) -> None:
    answer = azure.arm("PUT", f"resourceGroups/{unique('rg')}", {"location": "x" * 5_000_000})
    assert error(answer) == (413, "RequestContentTooLarge")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "LocationRequired"),
        ({"location": ""}, "LocationRequired"),
        ({"location": 7}, "InvalidRequestContent"),
        ({"location": "atlantis"}, "LocationNotAvailableForResourceType"),
    ],
)
def test_a_location_is_required_and_must_be_a_region(azure: Client, body: Any, code: str) -> None:
    assert error(azure.arm("PUT", f"{azure.group()}/{IDENTITY}/one", body)) == (400, code)


def test_a_resource_stays_in_its_region_and_its_spelling_does_not_matter(azure: Client) -> None:
    path = f"{azure.group()}/{IDENTITY}/one"
    assert azure.arm("PUT", path, {"location": "East US 2"}).json()["location"] == "eastus2"
    assert azure.arm("PUT", path, {"location": "eastus2"}).status_code == 200
    answer = azure.arm("PUT", path, {"location": "westus"})
    assert error(answer) == (409, "InvalidResourceLocation")
    assert "'eastus2'" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"tags": ["a"]},
        {"tags": {"a": 1}},
        {"tags": {f"t{number}": "x" for number in range(51)}},
        {"tags": {"a": "x" * 257}},
        {"properties": "text"},
        {"identity": "text"},
    ],
)
def test_tags_and_the_parts_of_a_body_have_their_types(azure: Client, body: dict[str, Any]) -> None:
    answer = azure.arm("PUT", f"{azure.group()}/{IDENTITY}/one", {"location": "eastus2", **body})
    status, code = error(answer)
    assert status == 400
    assert code in ("InvalidRequestContent", "InvalidTags")
    assert answer.json()["error"]["target"].split(".")[0] == next(iter(body))


def test_ids_ignore_case_and_come_back_in_the_services_spelling(azure: Client) -> None:
    group = azure.group()
    path = f"{group.upper()}/PROVIDERS/MICROSOFT.MANAGEDIDENTITY/USERASSIGNEDIDENTITIES/One"
    made = azure.arm("PUT", path, {"location": "eastus2"})
    assert made.json()["id"] == f"{group}/{IDENTITY}/One"
    again = azure.arm("GET", f"{group}/{IDENTITY.lower()}/oNE")
    assert again.json() == made.json()


def test_lists_show_their_own_level_and_type_alone(azure: Client) -> None:
    group = azure.group()
    account = unique("acct")
    body = {"location": "eastus2", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
    azure.arm("PUT", f"{group}/{STORAGE}/{account}", body)
    azure.arm("PUT", f"{group}/{IDENTITY}/one", {"location": "eastus2"})
    azure.arm("PUT", f"{group}/{STORAGE}/{account}/blobServices/default/containers/box", {})
    listed = azure.arm("GET", f"{group}/{STORAGE}").json()["value"]
    assert [one["name"] for one in listed] == [account]
    everywhere = azure.arm("GET", STORAGE).json()["value"]
    assert account in [one["name"] for one in everywhere]
    inside = azure.arm("GET", f"{group}/{STORAGE}/{account}/blobServices/default/containers").json()["value"]
    assert [one["name"] for one in inside] == ["box"]
    assert error(azure.arm("GET", f"{group}x/{STORAGE}")) == (404, "ResourceGroupNotFound")


def test_resources_are_found_across_groups_by_filter(azure: Client) -> None:
    first, second = azure.group(), azure.group()
    name = unique("id")
    azure.arm("PUT", f"{first}/{IDENTITY}/{name}", {"location": "eastus2", "tags": {"team": "O'Neill"}})
    azure.arm("PUT", f"{second}/{IDENTITY}/{name}", {"location": "westus"})
    found = azure.arm("GET", "resources", filter=f"name eq '{name}'").json()["value"]
    assert {one["id"].split("/")[4] for one in found} == {first.split("/")[4], second.split("/")[4]}
    tagged = azure.arm(
        "GET", "resources", filter=f"substringof('{name[2:]}', name) and tagName eq 'team' and tagValue eq 'O''Neill'"
    ).json()["value"]
    assert [one["location"] for one in tagged] == ["eastus2"]
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities"
    here = azure.arm("GET", f"{second}/resources", filter=f"resourceType eq '{kind}'").json()["value"]
    assert [one["location"] for one in here] == ["westus"]
    assert len(azure.arm("GET", "resources", top="1").json()["value"]) == 1
    assert error(azure.arm("GET", "resources", filter="colour eq 'red'")) == (400, "InvalidFilterInQueryString")
    assert error(azure.arm("GET", "resources", filter="name eq")) == (400, "InvalidFilterInQueryString")
    assert error(azure.arm("GET", "resources", top="many")) == (400, "InvalidTopParameter")


def test_head_tells_whether_a_group_exists(azure: Client) -> None:
    group = azure.group()
    assert azure.arm("HEAD", group).status_code == 204
    assert azure.arm("HEAD", group + "x").status_code == 404


def test_patch_changes_what_it_names(azure: Client) -> None:
    group = azure.group()
    path = f"{group}/{IDENTITY}/one"
    made = azure.arm("PUT", path, {"location": "eastus2", "tags": {"a": "1"}}).json()
    changed = azure.arm("PATCH", path, {"tags": {"b": "2"}})
    assert changed.status_code == 200
    assert changed.json() == {**made, "tags": {"b": "2"}}
    assert error(azure.arm("PATCH", f"{group}/{IDENTITY}/two", {})) == (404, "ResourceNotFound")


def test_deleting_twice_is_no_error_but_for_groups(azure: Client) -> None:
    group = azure.group()
    path = f"{group}/{IDENTITY}/one"
    azure.arm("PUT", path, {"location": "eastus2"})
    assert azure.arm("DELETE", path).status_code == 200
    assert azure.arm("DELETE", path).status_code == 204
    assert error(azure.arm("DELETE", group + "x")) == (404, "ResourceGroupNotFound")


def test_tokens_are_checked(azure: Client) -> None:
    url = f"{ARM}/subscriptions?api-version=2022-12-01"
    for header in (
        None,
        "",
        "Bearer",
        "Bearer x",
        "Basic dXNlcjpwYXNz",
        f"Bearer {azure.token('https://graph.microsoft.com')}",
    ):
        headers = {} if header is None else {"Authorization": header}
        answer = azure.session.get(url, headers=headers)
        assert answer.status_code == 401, header
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
        assert answer.json()["error"]["code"] in ("AuthenticationFailed", "InvalidAuthenticationToken")


def test_the_tenant_is_described(azure: Client, lead: Client) -> None:
    subscriptions = azure.arm("GET", "/subscriptions").json()["value"]
    assert [one["subscriptionId"] for one in subscriptions] == [SUBSCRIPTION]
    assert azure.arm("GET", f"/subscriptions/{SUBSCRIPTION}").json()["tenantId"] == azure.tenant
    assert lead.arm("GET", "/tenants").json()["value"][0]["tenantId"] == azure.tenant
    regions = azure.arm("GET", "locations").json()["value"]
    assert {"name": "eastus2", "displayName": "East US 2"}.items() <= next(
        one for one in regions if one["name"] == "eastus2"
    ).items()
    provider = azure.arm("GET", "providers/microsoft.storage").json()
    assert provider["registrationState"] == "Registered"
    assert "storageAccounts" in [one["resourceType"] for one in provider["resourceTypes"]]
    assert "Microsoft.KeyVault" in [one["namespace"] for one in azure.arm("GET", "providers").json()["value"]]
    assert azure.arm("POST", "providers/Microsoft.KeyVault/register").status_code == 200
    assert error(azure.arm("GET", "providers/Microsoft.Nothing")) == (404, "InvalidResourceNamespace")


def test_answers_carry_a_request_id(azure: Client) -> None:
    answers: list[requests.Response] = [azure.arm("GET", "/tenants"), azure.arm("GET", "/nothing")]
    assert len({answer.headers["x-ms-request-id"] for answer in answers}) == 2
    assert len({answer.headers["x-ms-correlation-request-id"] for answer in answers}) == 2
