"""Clusters and instances in the resource manager."""

from typing import Any, ClassVar

import pytest
import requests

from tests.azure.client import Client, error, unique
from tests.azure.ml.harness import REGION, Team, cluster, outcome


def put(team: Team, name: str, body: Any) -> requests.Response:
    return team.arm("PUT", f"/computes/{name}", body)


def inner(team: Team, name: str) -> dict[str, Any]:
    shown: dict[str, Any] = team.arm("GET", f"/computes/{name}").json()["properties"]["properties"]
    return shown


@pytest.mark.parametrize(
    "name", ["ab", "1cluster", "a" * 33, "under_score", "ends-with-1", "x-"], ids=lambda name: name[:12]
)
def test_bad_names_are_refused(team: Team, name: str) -> None:
    assert error(put(team, name, cluster(team.needs))) == (400, "InvalidComputeName")


@pytest.mark.parametrize("name", ["ds13-v2-2ndclust", "abc", "a-1-b"])
def test_good_names_are_taken(team: Team, name: str) -> None:
    assert put(team, name, cluster(team.needs)).status_code == 201


def test_an_unknown_size_is_refused_with_the_list(team: Team) -> None:
    refused = put(team, unique("c")[:16], cluster(team.needs, size="STANDARD_DS3_V9"))
    assert error(refused) == (400, "InvalidPropertyValue")
    assert "STANDARD_DS3_V2" in refused.json()["error"]["message"]


def test_one_node_must_fit_the_quota(team: Team) -> None:
    body = cluster(team.needs, size="STANDARD_NC24S_V3")
    body["properties"]["properties"]["vmPriority"] = "Dedicated"
    refused = put(team, "gpu", body)
    assert error(refused) == (400, "BadRequest")
    detail = refused.json()["error"]["details"][0]
    assert detail["code"] == "ClusterMinNodesExceedCoreQuota"
    assert "standardNCSv3Family family vCPU quota of 0" in detail["message"] and "24 vCPUs" in detail["message"]


def test_low_priority_has_a_pool_of_its_own(team: Team) -> None:
    assert put(team, "gpu-low", cluster(team.needs, size="STANDARD_NC24S_V3")).status_code == 201


@pytest.mark.parametrize(
    "scale",
    [
        {"minNodeCount": 2, "maxNodeCount": 1},
        {"minNodeCount": 0},
        {"maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "2m"},
    ],
)
def test_bad_scale_settings_are_refused(team: Team, scale: dict[str, Any]) -> None:
    refused = put(team, "scaled", cluster(team.needs, scaleSettings=scale))
    assert error(refused) == (400, "InvalidPropertyValue")


@pytest.mark.parametrize("kind", ["Kubernetes", "VirtualMachine", "Databricks"])
def test_other_kinds_are_refused_clearly(team: Team, kind: str) -> None:
    refused = put(team, "other", {"location": REGION, "properties": {"computeType": kind, "properties": {}}})
    assert refused.status_code == 400 and "not emulated" in refused.json()["error"]["message"]


def test_an_identity_must_exist(team: Team) -> None:
    body = cluster(team.needs)
    body["identity"]["userAssignedIdentities"] = {team.needs.nodes["id"] + "x": {}}
    assert error(put(team, "nobody", body)) == (400, "FailedIdentityOperation")


def test_a_second_put_keeps_what_the_service_ignores(team: Team) -> None:
    name = unique("c")[:12]
    created = put(team, name, cluster(team.needs))
    assert outcome(team.azure, created)["status"] == "Succeeded"
    changed = cluster(team.needs, most=2, size="STANDARD_DS2_V2")
    changed["properties"]["properties"]["vmPriority"] = "Dedicated"
    answer = put(team, name, changed)
    assert answer.json()["properties"]["properties"]["vmSize"] == "STANDARD_DS2_V2"  # the echo
    now = inner(team, name)
    assert (now["vmSize"], now["vmPriority"]) == ("STANDARD_DS3_V2", "LowPriority")
    assert now["scaleSettings"]["maxNodeCount"] == 2


def test_a_patch_scales_and_nothing_else(team: Team) -> None:
    name = unique("c")[:12]
    put(team, name, cluster(team.needs))
    scale = {"properties": {"properties": {"scaleSettings": {"maxNodeCount": 3}}}}
    assert team.arm("PATCH", f"/computes/{name}", scale).status_code == 200
    assert inner(team, name)["scaleSettings"]["maxNodeCount"] == 3
    refused = team.arm("PATCH", f"/computes/{name}", {"properties": {"properties": {"vmSize": "STANDARD_D1_V2"}}})
    assert refused.status_code == 400


@pytest.mark.parametrize(("action", "kept"), [("Detach", "STANDARD_DS3_V2"), ("Delete", "STANDARD_DS2_V2")])
def test_a_detached_name_remembers_its_size(team: Team, action: str, kept: str) -> None:
    name = unique("c")[:12]
    put(team, name, cluster(team.needs))
    gone = team.arm("DELETE", f"/computes/{name}", underlyingResourceAction=action)
    assert gone.status_code == 202
    assert outcome(team.azure, gone)["status"] == "Succeeded"
    again = put(team, name, cluster(team.needs, size="STANDARD_DS2_V2"))
    assert again.json()["properties"]["properties"]["vmSize"] == "STANDARD_DS2_V2"
    assert inner(team, name)["vmSize"] == kept


class TestInstances:
    BODY: ClassVar[dict[str, Any]] = {
        "location": REGION,
        "properties": {
            "computeType": "ComputeInstance",
            "properties": {"vmSize": "STANDARD_DS2_V2", "idleTimeBeforeShutdown": "PT30M"},
        },
    }

    def test_they_start_stop_and_count_against_the_quota(self, team: Team, azure: Client) -> None:
        name = unique("i")[:12]
        before = usage(azure, "standardDSv2Family")
        assert put(team, name, self.BODY).status_code == 201
        assert inner(team, name)["state"] == "Running"
        assert usage(azure, "standardDSv2Family") == before + 2
        team.arm("POST", f"/computes/{name}/stop")
        assert inner(team, name)["state"] == "Stopped"
        assert usage(azure, "standardDSv2Family") == before
        assert put(team, name, {**self.BODY, "tags": {"a": "b"}}).status_code == 201

    def test_idle_time_is_changed_by_an_action_of_its_own(self, team: Team) -> None:
        name = unique("i")[:12]
        put(team, name, self.BODY)
        path = f"/computes/{name}/updateIdleShutdownSetting"
        assert team.arm("POST", path, {"idleTimeBeforeShutdown": "PT5M"}).status_code == 400
        assert team.arm("POST", path, {"idleTimeBeforeShutdown": "PT1H"}).status_code == 200
        assert inner(team, name)["idleTimeBeforeShutdown"] == "PT1H"

    def test_their_names_are_unique_in_the_region(self, team: Team, keyed_team: Team) -> None:
        name = unique("i")[:12]
        put(team, name, self.BODY)
        assert error(put(keyed_team, name, self.BODY)) == (400, "BadRequest")

    def test_they_have_no_nodes_to_list(self, team: Team) -> None:
        name = unique("i")[:12]
        put(team, name, self.BODY)
        assert team.arm("POST", f"/computes/{name}/listNodes").status_code == 400


def location(azure: Client, method: str, what: str, body: Any = None) -> requests.Response:
    return azure.arm(
        method, f"providers/Microsoft.MachineLearningServices/locations/{REGION}/{what}", body, api="2025-12-01"
    )


def usages(azure: Client) -> dict[str, Any]:
    """By name, but for the families' low-priority rows, which have the dedicated ones' names."""
    rows = location(azure, "GET", "usages").json()["value"]
    return {row["name"]["value"]: row for row in rows if "/vmFamily/lowPriorityCores/" not in row["type"]}


def usage(azure: Client, family: str) -> int:
    return int(usages(azure)[family]["currentValue"])


def test_sizes_and_usages_are_listed(azure: Client) -> None:
    sizes = {one["name"]: one for one in location(azure, "GET", "vmSizes").json()["value"]}
    assert sizes["STANDARD_DS3_V2"]["vCPUs"] == 4 and sizes["STANDARD_NV6"]["gpus"] == 1
    found = usages(azure)
    names = ("standardDSv2Family", "TotalLowPriorityCores", "standardNCSv3Family")
    assert [found[name]["limit"] for name in names] == [24, 100, 0]


@pytest.mark.parametrize(
    ("family", "limit", "status"),
    [
        ("standardDSv2Family", 8, "Success"),
        ("standardDSv2Family", 1000, "InvalidQuotaExceedsSubscriptionLimit"),
        ("standardXFamily", 1, "InvalidVMFamilyName"),
    ],
)
def test_a_workspace_gets_a_part_of_the_quota(team: Team, azure: Client, family: str, limit: int, status: str) -> None:
    item = {"id": f"{team.id}/quotas/{family}", "limit": limit, "unit": "Count"}
    answer = location(azure, "POST", "updateQuotas", {"value": [item]}).json()["value"][0]
    assert answer["status"] == status
    location(azure, "POST", "updateQuotas", {"value": [{**item, "limit": -1}]})  # others use the workspace


@pytest.mark.parametrize("tail", ["standardDSv2Family", "Standard_DSv2_Family_Cluster_Dedicated_vCPUs"])
def test_a_workspaces_limit_is_among_the_usages(team: Team, azure: Client, tail: str) -> None:
    item = {"id": f"{team.id}/quotas/{tail}", "limit": 12, "unit": "Count"}
    assert location(azure, "POST", "updateQuotas", {"value": [item]}).json()["value"][0]["status"] == "Success"
    rows = location(azure, "GET", "usages").json()["value"]
    [own] = [row for row in rows if row["id"].startswith(f"{team.id}/")]
    assert (own["limit"], own["type"]) == (12, "Microsoft.MachineLearningServices/workspaces/dedicatedCores/usages")
    kinds = {
        row["type"].split("/", 1)[1]: row["limit"] for row in rows if row["name"]["value"] == "TotalLowPriorityCores"
    }
    assert kinds == {"lowPriorityCores/usages": 100}
    location(azure, "POST", "updateQuotas", {"value": [{**item, "limit": -1}]})  # others use the workspace


def test_the_team_lead_may_not_update_quotas(team: Team, lead: Client) -> None:
    assert error(location(lead, "POST", "updateQuotas", {"value": []})) == (403, "AuthorizationFailed")
