"""Dependencies given by id, and shared ones: what is taken, and what each mistake says."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.purge import deleted_vaults
from settings import SettingsError, parse_department
from settings.registries import connects_shared_registry, shared_registry_tier
from tests.program.harness import SUBSCRIPTION, stack_file

KEY = "azureml-platform:department"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/platform"
ELSEWHERE = GROUP.replace(SUBSCRIPTION, "11111111-2222-3333-4444-555555555555")
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/theirkv"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/theircr"
LOGS = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/theirlog"
INSIGHTS = f"{GROUP}/providers/microsoft.insights/components/theirai"  # as the portal writes it
OWN_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/bgmr-bluegranit-eastus2-dev"
SUBNET = "/providers/Microsoft.Network/virtualNetworks/net/subnets/one"
SHARED_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/bgmr-shared-eastus2-dev"


def department(existing: Any = None, *more: Any, **settings: Any) -> Any:
    """The dev stack's department with `existing` of its team, more teams and other settings."""
    made = copy.deepcopy(stack_file("dev")) | settings
    if existing is not None:
        made["teams"][0]["existing"] = existing
    builder = {"vmSize": "STANDARD_DS3_V2", "maxNodes": 1}  # of images, without which no private team is taken
    made["teams"] += [{"clusters": [{"name": f"of{team['name']}", **builder}], **team} for team in more]
    return made


def problems(raw: Any) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        parse_department(raw, "Pulumi.dev.yaml")
    return {problem.key.removeprefix(f"{KEY}."): problem.message for problem in caught.value.problems}


def test_every_dependency_can_be_given_by_id() -> None:
    everything = {
        "resourceGroupId": GROUP.replace("resourceGroups", "resourcegroups"),
        "keyVaultId": VAULT,
        "registryId": REGISTRY.replace(GROUP, ELSEWHERE),
        "logWorkspaceId": LOGS.replace(GROUP, ELSEWHERE),
        "applicationInsightsId": INSIGHTS,
    }
    parsed = parse_department(department(everything), "f")
    assert parsed.teams[0].existing.model_dump(by_alias=True) == everything
    assert parsed.resource_group(parsed.teams[0]) == "platform"


def test_a_teams_own_comes_before_what_is_shared() -> None:
    other = {"name": "other"}
    shared = {"registryId": REGISTRY, "logWorkspaceId": LOGS}
    parsed = parse_department(department({"registryId": REGISTRY.replace("their", "own")}, other, shared=shared), "f")
    own, others = parsed.teams
    assert (own.existing.registry_id, others.existing.registry_id) == (REGISTRY.replace("their", "own"), REGISTRY)
    assert (own.existing.log_workspace_id, others.existing.log_workspace_id) == (LOGS, LOGS)


WRONG = {
    "a name": ({"keyVaultId": "theirkv"}, "keyVaultId", "'theirkv' is not the id of a key vault, which has the form"),
    "another type": ({"keyVaultId": REGISTRY}, "keyVaultId", "Microsoft.KeyVault/vaults/NAME"),
    "a vault as registry": ({"registryId": VAULT}, "registryId", "is not the id of a container registry"),
    "a vault as logs": ({"logWorkspaceId": VAULT}, "logWorkspaceId", "is not the id of a Log Analytics workspace"),
    "logs as insights": (
        {"applicationInsightsId": LOGS},
        "applicationInsightsId",
        "is not the id of an Application Insights resource",
    ),
    "a vault as group": ({"resourceGroupId": VAULT}, "resourceGroupId", "is not the id of a resource group"),
    "a slash more": ({"resourceGroupId": f"{GROUP}/"}, "resourceGroupId", "has the form /subscriptions/"),
    "a child": ({"keyVaultId": f"{VAULT}/secrets/x"}, "keyVaultId", "is not the id of a key vault"),
    "no subscription": ({"keyVaultId": VAULT.replace(SUBSCRIPTION, "mine")}, "keyVaultId", "not the id"),
    "a name that no vault has": ({"keyVaultId": f"{VAULT}_{'x' * 30}"}, "keyVaultId", "not the id"),
    "a number": ({"registryId": 7}, "registryId", "expected text, found 7"),
    "an unknown key": ({"keyVault": VAULT}, "keyVault", "Did you mean 'keyVaultId'?"),
    "a vault elsewhere": (
        {"keyVaultId": VAULT.replace(GROUP, ELSEWHERE)},
        "keyVaultId",
        f"is not in the department's subscription '{SUBSCRIPTION}'",
    ),
    "a group elsewhere": ({"resourceGroupId": ELSEWHERE}, "resourceGroupId", "is not in the department's subscription"),
    "its own group": ({"resourceGroupId": f"{SHARED_GROUP}"}, "resourceGroupId", "is what this stack makes for all"),
    "its own vault": (
        {"keyVaultId": VAULT.replace(GROUP, OWN_GROUP.upper())},
        "keyVaultId",
        "is what this stack makes for teams[0]",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_id_is_told_by_its_key(name: str) -> None:
    existing, key, said = WRONG[name]
    found = problems(department(existing, shared={"logWorkspace": True}))
    assert list(found) == [f"teams[0].existing.{key}"]
    assert said in found[f"teams[0].existing.{key}"]


@pytest.mark.parametrize(("key", "id_"), [("keyVaultId", VAULT), ("resourceGroupId", GROUP)])
def test_two_teams_do_not_use_what_each_needs_for_itself(key: str, id_: str) -> None:
    other = {"name": "other", "existing": {key: id_.upper()}}
    found = problems(department({key: id_}, other))
    assert "is taken by teams[0].existing" in found[f"teams[1].existing.{key}"]


@pytest.mark.parametrize(
    ("shared", "said"),
    [
        ({"registry": True, "registryId": REGISTRY}, "has registry, which makes one, and registryId: leave one out."),
        ({"logWorkspace": True, "logWorkspaceId": LOGS}, "has logWorkspace, which makes one, and logWorkspaceId"),
    ],
)
def test_what_is_shared_is_made_or_given(shared: Any, said: str) -> None:
    assert said in problems(department(shared=shared))["shared"]


def test_a_shared_registrys_logs_need_a_place() -> None:
    shared = {"registry": True}
    assert "set shared.logWorkspace" in problems(department(shared=shared, diagnostics=True))["shared.registry"]
    for fine in ({"diagnostics": False}, {"shared": {**shared, "logWorkspaceId": LOGS}}):
        parse_department(department(**{"shared": shared, "diagnostics": True, **fine}), "f")


def test_a_public_team_needs_a_registry_that_it_reaches() -> None:
    private = {"mode": "private", "addressSpace": "10.0.0.0/24"}
    settings = {"network": private, "shared": {"registry": True}}
    public = {"name": "open", "network": {"mode": "public"}}
    assert "the shared registry is private" in problems(department(None, public, **settings))["teams[1].network"]
    parse_department(department(None, {**public, "network": {"mode": "managed"}}, **settings), "f")
    parse_department(department(None, {**public, "existing": {"registryId": REGISTRY}}, **settings), "f")


def test_a_team_is_not_named_as_what_is_shared() -> None:
    twin = {"name": "shared"}
    found = problems(department(None, twin, shared={"logWorkspace": True}))
    assert "would be named as what the teams share" in found["teams[1].name"]
    parse_department(department(None, twin), "f")


def test_a_given_network_or_lake_is_not_the_stacks_own() -> None:
    lake = {"accountId": f"{OWN_GROUP}/providers/Microsoft.Storage/storageAccounts/x12", "fileSystems": ["fs1"]}
    found = problems(department(None, {"name": "other", "lake": lake}))
    assert "is what this stack makes for teams[0]" in found["teams[1].lake.accountId"]


def test_the_departments_own_network_is_not_the_stacks_own() -> None:
    network = {"mode": "private", "endpointSubnetId": f"{OWN_GROUP}{SUBNET}", "computeSubnetId": f"{GROUP}{SUBNET}"}
    found = problems(department(network=network))
    assert list(found) == ["network.endpointSubnetId"]
    assert "is what this stack makes for teams[0]" in found["network.endpointSubnetId"]


def test_a_group_named_as_what_is_shared_can_be_given_where_nothing_is() -> None:
    parse_department(department({"resourceGroupId": SHARED_GROUP}), "f")


def test_many_wrong_ids_are_told() -> None:
    many = [{"name": f"t{i}", "existing": {"keyVaultId": f"kv{i}", "resourceGroupId": "/x"}} for i in range(100)]
    assert len(problems(department(None, *many))) >= 50


def test_the_shared_registrys_tier_is_the_highest_that_a_team_needs() -> None:
    private = {"mode": "private", "addressSpace": "10.0.0.0/24"}
    shared = {"registry": True}
    assert shared_registry_tier(parse_department(department(shared=shared), "f")) == "Basic"
    both = department(None, {"name": "other", "network": private}, shared=shared)
    assert shared_registry_tier(parse_department(both, "f")) == "Premium"


def test_one_of_those_with_the_same_zones_connects_the_shared_registry() -> None:
    def team(name: str, **network: str) -> Any:
        return {"name": name, "network": {"mode": "private", **network}}

    subnet = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/hub/subnets"
    given = {"endpointSubnetId": f"{subnet}/pe", "computeSubnetId": f"{subnet}/ml", "dnsZonesGroupId": GROUP}
    teams = [team("b", **given), team("a", **given), team("c", addressSpace="10.0.0.0/24")]
    for order in (teams, teams[::-1]):
        parsed = parse_department(department(None, *order, shared={"registry": True}), "f")
        assert {one.name for one in parsed.teams if connects_shared_registry(parsed, one)} == {"a", "c"}


def test_the_search_for_deleted_vaults_leaves_a_given_one_out() -> None:
    parsed = parse_department(department({"keyVaultId": VAULT}), "f")

    def send(method: str, path: str, body: Any) -> Any:
        raise AssertionError(path)

    assert list(deleted_vaults(parsed, send)) == []


@settings(derandomize=True, database=None)
@given(st.text(max_size=300) | st.from_regex(r"/subscriptions/.*/providers/Microsoft\.KeyVault/vaults/.*"))
def test_any_text_is_an_id_or_told(text: str) -> None:
    try:
        parse_department(department({"keyVaultId": text}), "f")
    except SettingsError as error:
        assert all(problem.path == ("teams", 0, "existing", "keyVaultId") for problem in error.problems)
        assert len(str(error)) < 500
