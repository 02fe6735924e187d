"""Managed networks, connections and registries in the resource manager."""

from typing import Any

import pytest

from tests.azure.client import Client, error, unique
from tests.azure.ml import harness
from tests.azure.ml.harness import ML_API, REGION, Needs, Team, cluster, outcome

OFF, INTERNET, APPROVED = "Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound"
FQDN = {"type": "FQDN", "destination": "pypi.org"}
TAG = {
    "type": "ServiceTag",
    "destination": {"serviceTag": "AzureMonitor", "protocol": "TCP", "portRanges": "443"},
}


@pytest.fixture(scope="module")
def needs(azure: Client) -> Needs:
    return harness.dependencies(azure)


def workspace(azure: Client, needs: Needs, mode: str) -> Team:
    body = needs.body(managedNetwork={"isolationMode": mode})
    return Team(azure, needs, harness.put(azure, needs.workspace_id(unique("ws")), body))


def network(team: Team) -> dict[str, Any]:
    shown: dict[str, Any] = team.azure.arm("GET", team.id, api=ML_API).json()["properties"]["managedNetwork"]
    return shown


def states(team: Team) -> tuple[str, str]:
    shown = network(team)
    return shown["status"]["status"], shown["outboundRules"]["lake"]["status"]


class TestIsolation:
    def test_an_unknown_mode_is_refused(self, azure: Client, needs: Needs) -> None:
        body = needs.body(managedNetwork={"isolationMode": "Total"})
        assert error(azure.arm("PUT", needs.workspace_id(unique("ws")), body, api=ML_API)) == (400, "ValidationError")

    @pytest.mark.parametrize(
        ("before", "after"), [(INTERNET, "Disabled"), (APPROVED, INTERNET), (APPROVED, "Disabled")]
    )
    def test_it_does_not_get_looser(self, azure: Client, needs: Needs, before: str, after: str) -> None:
        team = workspace(azure, needs, before)
        refused = azure.arm("PUT", team.id, needs.body(managedNetwork={"isolationMode": after}), api=ML_API)
        assert error(refused) == (400, "BadRequest")
        assert network(team)["isolationMode"] == before

    def test_it_gets_stricter(self, azure: Client, needs: Needs) -> None:
        team = workspace(azure, needs, INTERNET)
        changed = azure.arm("PUT", team.id, needs.body(managedNetwork={"isolationMode": APPROVED}), api=ML_API)
        assert changed.status_code == 200 and network(team)["isolationMode"] == APPROVED

    @pytest.mark.parametrize("rule", [FQDN, TAG], ids=lambda rule: str(rule["type"]))
    @pytest.mark.parametrize("mode", ["Disabled", INTERNET])
    def test_rules_are_for_the_mode_that_has_a_use_for_them(
        self, azure: Client, needs: Needs, mode: str, rule: dict[str, Any]
    ) -> None:
        team = workspace(azure, needs, mode)
        assert error(team.arm("PUT", "/outboundRules/r", {"properties": rule})) == (400, "BadRequest")

    @pytest.mark.parametrize(
        "rule",
        [
            {"type": "FQDN", "destination": "not a host"},
            {"type": "ServiceTag", "destination": {"serviceTag": "AzureMonitor"}},
            {"type": "PrivateEndpoint", "destination": {"subresourceTarget": "blob"}},
            {"type": "PrivateEndpoint", "destination": {"serviceResourceId": "/x", "subresourceTarget": "blob"}},
        ],
        ids=str,
    )
    def test_destinations_are_complete(self, azure: Client, needs: Needs, rule: dict[str, Any]) -> None:
        team = workspace(azure, needs, APPROVED)
        refused = team.arm("PUT", "/outboundRules/r", {"properties": rule})
        assert error(refused) == (400, "ValidationError")

    def test_rules_wait_for_the_network_which_the_first_compute_makes(self, azure: Client, needs: Needs) -> None:
        team = workspace(azure, needs, APPROVED)
        endpoint = {
            "type": "PrivateEndpoint",
            "destination": {"serviceResourceId": needs.lake["id"], "subresourceTarget": "dfs"},
        }
        for name, rule in (("pypi", FQDN), ("monitor", TAG), ("lake", endpoint)):
            made = team.arm("PUT", f"/outboundRules/{name}", {"properties": rule})
            assert made.status_code == 202 and outcome(azure, made)["status"] == "Succeeded"
        assert (network(team)["status"]["status"], network(team)["outboundRules"]["lake"]["status"]) == (
            "Inactive",
        ) * 2
        team.arm("PUT", "/computes/cpu", cluster(needs))
        assert states(team) == ("Active", "Active")
        assert team.arm("DELETE", "/outboundRules/pypi").status_code == 200
        assert set(network(team)["outboundRules"]) == {"monitor", "lake"}

    def test_it_can_be_provisioned_ahead(self, azure: Client, needs: Needs) -> None:
        team = workspace(azure, needs, INTERNET)
        assert team.arm("POST", "/provisionManagedNetwork", {}).status_code == 202
        assert network(team)["status"]["status"] == "Active"
        none = workspace(azure, needs, "Disabled")
        assert error(none.arm("POST", "/provisionManagedNetwork", {})) == (400, "BadRequest")


class TestConnections:
    def test_credentials_are_write_only(self, team: Team) -> None:
        name = unique("c")
        body = {"authType": "PAT", "category": "Git", "target": "https://git", "credentials": {"pat": "MARKED-PAT"}}
        assert "MARKED" not in team.arm("PUT", f"/connections/{name}", {"properties": body}).text
        assert "MARKED" not in team.arm("GET", f"/connections/{name}").text
        secrets = team.arm("POST", f"/connections/{name}/listsecrets").json()["properties"]["credentials"]
        assert secrets == {"pat": "MARKED-PAT"}
        folder = team.azure.sandbox.directory
        assert not any(b"MARKED-PAT" in path.read_bytes() for path in folder.glob("azure.db*"))

    def test_what_they_lack_is_named(self, team: Team) -> None:
        body = {"authType": "UsernamePassword", "category": "PythonFeed", "credentials": {"username": "u"}}
        refused = team.arm("PUT", f"/connections/{unique('c')}", {"properties": body})
        assert refused.json()["error"]["target"] == "properties.credentials.password"


def test_a_registry_is_in_its_own_region(azure: Client) -> None:
    group = azure.group()
    path = f"{group}/providers/Microsoft.MachineLearningServices/registries/{unique('reg')}"
    refused = azure.arm("PUT", path, {"location": REGION, "properties": {"regionDetails": []}}, api=ML_API)
    assert error(refused) == (400, "ValidationError")
    body = {
        "location": REGION,
        "identity": {"type": "SystemAssigned"},
        "properties": {"regionDetails": [{"location": REGION}]},
    }
    made = azure.arm("PUT", path, body, api=ML_API)
    assert outcome(azure, made)["status"] == "Succeeded"
    shown = azure.arm("GET", path, api=ML_API).json()
    assert shown["properties"]["mlFlowRegistryUri"].startswith(f"azureml://{REGION}.api.azureml.ms/mlflow/v1.0/subs")
    assert shown["identity"]["principalId"]


def test_keys_are_given_where_the_account_has_any(team: Team, keyed_team: Team, scientist: Client) -> None:
    assert team.arm("POST", "/listKeys").json()["userStorageKey"] is None
    assert keyed_team.arm("POST", "/listKeys").json()["userStorageKey"]
    refused = scientist.arm("POST", f"{team.id}/listKeys", api=ML_API)
    assert error(refused) == (403, "AuthorizationFailed")
