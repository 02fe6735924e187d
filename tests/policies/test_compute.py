"""The compute rules, in the analyzer process that both engines start."""

import copy
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from pulumi_policy.proxy import UNKNOWN_NUMBER_VALUE, UNKNOWN_OBJECT_VALUE, UNKNOWN_STRING_VALUE

from tests.policies.analyzer import Analyzer, running, stack_config

TYPE = "azure-native:machinelearningservices:Compute"
RULE = "machinelearning-compute-"
CLUSTER: dict[str, Any] = {
    "computeName": "ds3-v2-cluster",
    "properties": {
        "computeType": "AmlCompute",
        "disableLocalAuth": True,
        "properties": {
            "vmSize": "STANDARD_DS3_V2",
            "vmPriority": "Dedicated",
            "scaleSettings": {"minNodeCount": 0.0, "maxNodeCount": 1.0, "nodeIdleTimeBeforeScaleDown": "PT120S"},
        },
    },
}
SCALE = ("properties", "properties", "scaleSettings")


@pytest.fixture(scope="module")
def process() -> Iterator[Analyzer]:
    with running() as analyzer:
        yield analyzer


@pytest.fixture
def analyzer(process: Analyzer) -> Analyzer:
    process.configure(stack_config("dev"))
    return process


def cluster(path: tuple[str, ...] = (), value: Any = None, *, remove: bool = False) -> dict[str, Any]:
    changed = copy.deepcopy(CLUSTER)
    if path:
        target = changed
        for key in path[:-1]:
            target = target[key]
        if remove:
            del target[path[-1]]
        else:
            target[path[-1]] = value
    return changed


@pytest.mark.parametrize("stack", ["dev", "prod"])
@pytest.mark.parametrize("type_", [TYPE, "azure-native:machinelearningservices/v20230401:Compute"])
def test_a_right_cluster_passes(analyzer: Analyzer, stack: str, type_: str) -> None:
    analyzer.configure(stack_config(stack))
    assert analyzer.analyze(type_, CLUSTER) == []


BAD = [
    ("enforce-min-nodes-zero", (*SCALE, "minNodeCount"), 1.0, "minNodeCount is 1"),
    ("allow-vm-sizes", ("properties", "properties", "vmSize"), "STANDARD_ND40RS_V2", "STANDARD_ND40RS_V2"),
    ("limit-max-nodes", (*SCALE, "maxNodeCount"), 5.0, "maxNodeCount is 5; at most 4"),
    ("limit-idle-time", (*SCALE, "nodeIdleTimeBeforeScaleDown"), "PT30M", "PT30M"),
    ("limit-idle-time", (*SCALE, "nodeIdleTimeBeforeScaleDown"), "1800", "1800"),
    ("allow-priorities", ("properties", "properties", "vmPriority"), "Spot", "Spot"),
    ("disable-local-auth", ("properties", "disableLocalAuth"), False, "disableLocalAuth"),
]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("type_", [TYPE, "azure-native:machinelearningservices/v20230401:Compute"])
def test_one_wrong_value_is_one_mandatory_violation(
    analyzer: Analyzer, type_: str, bad: tuple[str, tuple[str, ...], Any, str]
) -> None:
    rule, path, value, said = bad
    [(name, level, message)] = analyzer.analyze(type_, cluster(path, value))
    assert (name, level) == (RULE + rule, "mandatory")
    assert said in message


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("allow-vm-sizes", ("properties", "properties", "vmSize")),
        ("limit-max-nodes", (*SCALE, "maxNodeCount")),
        ("limit-idle-time", (*SCALE, "nodeIdleTimeBeforeScaleDown")),
        ("disable-local-auth", ("properties", "disableLocalAuth")),
    ],
)
def test_an_absent_value_is_no_pass(analyzer: Analyzer, rule: str, path: tuple[str, ...]) -> None:
    assert [found[:2] for found in analyzer.analyze(TYPE, cluster(path, remove=True))] == [(RULE + rule, "mandatory")]


def test_absent_values_that_azure_fills_in_rightly_pass(analyzer: Analyzer) -> None:
    assert analyzer.analyze(TYPE, cluster((*SCALE, "minNodeCount"), remove=True)) == []
    assert analyzer.analyze(TYPE, cluster(("properties", "properties", "vmPriority"), remove=True)) == []


@pytest.mark.parametrize(
    ("rules", "path", "unknown"),
    [
        ({"enforce-min-nodes-zero"}, (*SCALE, "minNodeCount"), UNKNOWN_NUMBER_VALUE),
        ({"allow-vm-sizes"}, ("properties", "properties", "vmSize"), UNKNOWN_STRING_VALUE),
        ({"limit-idle-time"}, (*SCALE, "nodeIdleTimeBeforeScaleDown"), UNKNOWN_STRING_VALUE),
        ({"enforce-min-nodes-zero", "limit-max-nodes", "limit-idle-time"}, SCALE, UNKNOWN_OBJECT_VALUE),
    ],
)
def test_an_unknown_value_is_told(analyzer: Analyzer, rules: set[str], path: tuple[str, ...], unknown: str) -> None:
    found = analyzer.analyze(TYPE, cluster(path, unknown))
    assert {name for name, _, _ in found} == {RULE + rule for rule in rules}
    assert all(level == "advisory" and "can't be known during preview" in message for _, level, message in found)


def test_a_wrong_value_beside_an_unknown_one_still_blocks(analyzer: Analyzer) -> None:
    properties = cluster((*SCALE, "minNodeCount"), 2.0)
    properties["properties"]["properties"]["vmSize"] = UNKNOWN_STRING_VALUE
    assert {(name, level) for name, level, _ in analyzer.analyze(TYPE, properties)} == {
        (RULE + "enforce-min-nodes-zero", "mandatory"),
        (RULE + "allow-vm-sizes", "advisory"),
    }


def test_production_wants_dedicated_nodes(analyzer: Analyzer) -> None:
    low = cluster(("properties", "properties", "vmPriority"), "LowPriority")
    assert analyzer.analyze(TYPE, low) == []
    analyzer.configure(stack_config("prod"))
    assert [name for name, _, _ in analyzer.analyze(TYPE, low)] == [RULE + "allow-priorities"]


def test_sizes_are_compared_in_any_letter_case(analyzer: Analyzer) -> None:
    assert analyzer.analyze(TYPE, cluster(("properties", "properties", "vmSize"), "Standard_DS3_v2")) == []


def test_an_instance_has_sizes_too_and_other_compute_none(analyzer: Analyzer) -> None:
    instance = {
        "properties": {
            "computeType": "ComputeInstance",
            "disableLocalAuth": True,
            "properties": {"vmSize": "X", "idleTimeBeforeShutdown": "PT30M"},
        }
    }
    assert [name for name, _, _ in analyzer.analyze(TYPE, instance)] == [RULE + "allow-vm-sizes"]
    assert analyzer.analyze(TYPE, {"properties": {"computeType": "Kubernetes"}}) == []
    assert analyzer.analyze("azure-native:compute:VirtualMachine", CLUSTER) == []


WRONG_CONFIG: list[tuple[str, dict[str, Any], str]] = [
    ("allow-vm-sizes", {}, "one of allowed, denied"),
    ("allow-vm-sizes", {"allowed": []}, "'allowed' must not be empty"),
    ("allow-vm-sizes", {"allowed": "STANDARD_DS3_V2"}, "'allowed' must be a list"),
    ("allow-vm-sizes", {"allowed": ["STANDARD_DS3_V2", "DS3"]}, "'DS3'"),
    ("allow-vm-sizes", {"alowed": ["STANDARD_DS3_V2"]}, "did you mean 'allowed'?"),
    ("limit-max-nodes", {"maxNodes": "four"}, "'maxNodes'"),
    ("limit-max-nodes", {"maxNodes": -1}, "'maxNodes'"),
    ("limit-max-nodes", {"maxNodes": True}, "'maxNodes'"),
    ("limit-idle-time", {"maxIdleSeconds": 1.5}, "'maxIdleSeconds'"),
    ("allow-priorities", {"allowed": ["Spot"]}, "'Spot'"),
]


@pytest.mark.parametrize(("rule", "values", "said"), WRONG_CONFIG)
def test_a_wrong_configuration_is_refused_before_any_resource(
    analyzer: Analyzer, rule: str, values: dict[str, Any], said: str
) -> None:
    config = stack_config("dev")
    config[RULE + rule] = {"enforcementLevel": "mandatory", **values}
    with pytest.raises(grpc.RpcError) as refused:
        analyzer.configure(config)
    assert RULE + rule in refused.value.details()
    assert said in refused.value.details()


def test_no_configuration_needs_no_list_and_turns_the_rule_off(analyzer: Analyzer) -> None:
    analyzer.configure({})
    assert analyzer.analyze(TYPE, cluster(("properties", "properties", "vmSize"), "STANDARD_ND40RS_V2")) == []


@pytest.mark.parametrize(
    ("lists", "size", "passes"),
    [
        ({"allowed": ["Standard_DSv2*"]}, "STANDARD_DS3_V2", True),
        ({"allowed": ["standard_dsv2*"]}, "Standard_DS11-1_v2", True),
        ({"allowed": ["Standard_DSv2*"]}, "STANDARD_D13_V2", False),
        ({"allowed": ["Standard_NC*"]}, "Standard_NC4as_T4_v3", True),
        ({"denied": ["Standard_NC*"]}, "Standard_NC4as_T4_v3", False),
        ({"denied": ["Standard_NC*"]}, "STANDARD_DS3_V2", True),
        ({"allowed": ["Standard_DSv2*"], "denied": ["STANDARD_DS3_V2"]}, "Standard_DS3_v2", False),
        ({"teams": {"fraud": {"allowed": ["STANDARD_D13_V2"]}}, "teamTag": "team"}, "STANDARD_D13_V2", True),
        ({"allowed": ["STANDARD_DS3_V2"], "teams": {"Fraud": {"allowed": ["STANDARD_D13_V2"]}}, "teamTag": "TEAM"},
         "STANDARD_DS3_V2", False),
        ({"allowed": ["STANDARD_DS3_V2"], "teams": {"other": {"allowed": ["STANDARD_D13_V2"]}}, "teamTag": "team"},
         "STANDARD_DS3_V2", True),
        ({"departments": {"risk": {"denied": ["STANDARD_D13_V2"]}}, "departmentTag": "department",
          "teams": {"fraud": {"allowed": ["STANDARD_D13_V2"]}}, "teamTag": "team"}, "STANDARD_D13_V2", False),
    ],
)  # fmt: skip
def test_sizes_are_allowed_and_denied_by_name_series_team_and_department(
    analyzer: Analyzer, lists: dict[str, Any], size: str, passes: bool
) -> None:
    rule = RULE + "allow-vm-sizes"
    analyzer.configure({**stack_config("dev"), rule: {"enforcementLevel": "mandatory", **lists}})
    properties = cluster(("properties", "properties", "vmSize"), size)
    properties["tags"] = {"team": "fraud", "department": "risk"}
    assert [name for name, _, _ in analyzer.analyze(TYPE, properties)] == ([] if passes else [rule])


def test_the_message_names_the_nearest_sizes_with_vcpus_and_price(analyzer: Analyzer) -> None:
    properties = cluster(("properties", "properties", "vmSize"), "Standard_D14_v2")
    properties["location"] = "eastus2"
    [(_, _, message)] = analyzer.analyze(TYPE, properties)
    assert "Standard_D14_v2 (16 vCPUs, $1.196 an hour)" in message
    assert "Nearest allowed: STANDARD_D13_V2 (8 vCPUs, $0.598 an hour)" in message


def test_min_nodes_are_remediated_where_asked(analyzer: Analyzer) -> None:
    rule = RULE + "enforce-min-nodes-zero"
    bad = cluster((*SCALE, "minNodeCount"), 3.0)
    assert analyzer.remediate(TYPE, bad) == {}
    analyzer.configure({**stack_config("dev"), rule: {"enforcementLevel": "remediate"}})
    assert analyzer.remediate(TYPE, bad) == {rule: CLUSTER}


def test_rules_tell_what_people_need_and_the_configurations_name_them_all(analyzer: Analyzer) -> None:
    info = analyzer.info()
    assert info.name == "azureml-platform"
    names = {policy.name for policy in info.policies}
    assert names == set(stack_config("dev")) == set(stack_config("prod"))
    for policy in info.policies:
        assert policy.severity and policy.framework.reference and policy.remediation_steps
        assert policy.url.startswith("https://learn.microsoft.com/")
