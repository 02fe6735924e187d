"""What only some rules do: lists of sizes, durations, remediation; and what a configuration may not say."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from tests.policies.analyzer import Analyzer, running, stack_config
from tests.policies.platform import UNKNOWN, Item, clean, everything

RULE = "machinelearning-compute-"
SIZES = f"{RULE}allow-vm-sizes"
SIZE = "properties.properties.vmSize"
SCALE = "properties.properties.scaleSettings"


@pytest.fixture(scope="module")
def process() -> Iterator[Analyzer]:
    with running() as analyzer:
        yield analyzer


def cluster(path: str = "", value: Any = None) -> Item:
    platform = clean()
    return (platform.set("own-cpu", path, value) if path else platform).items["own-cpu"]


@pytest.mark.parametrize(
    "token",
    [
        "azure-native:machinelearningservices:Compute",
        "azure-native:machinelearningservices/v20230401:Compute",
        "azure-native_machinelearningservices_v20240401:machinelearningservices:Compute",
    ],
)
def test_every_api_version_of_a_type_is_judged(process: Analyzer, token: str) -> None:
    process.configure(everything())
    name = f"{RULE}enforce-min-nodes-zero"
    inputs = cluster(f"{SCALE}.minNodeCount", 1).inputs
    assert (name, "mandatory") in [found[:2] for found in process.analyze(token, inputs)]


def test_other_providers_are_not_judged(process: Analyzer) -> None:
    process.configure(everything())
    assert (
        process.analyze("azure:compute/virtualMachine:VirtualMachine", cluster(f"{SCALE}.minNodeCount", 1).inputs) == []
    )


@pytest.mark.parametrize(
    ("lists", "size", "passes"),
    [
        ({"allowed": ["Standard_DSv2*"]}, "STANDARD_DS3_V2", True),
        ({"allowed": ["STANDARD_DS3_V2"]}, "Standard_DS3_v2", True),
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
    process: Analyzer, lists: dict[str, Any], size: str, passes: bool
) -> None:
    config = everything()
    config[SIZES] = {"enforcementLevel": "mandatory", **lists}
    process.configure(config)
    item = cluster(SIZE, size)
    item.inputs["tags"] = {"team": "fraud", "department": "risk"}
    assert process.of(item, SIZES) == ([] if passes else [(SIZES, "mandatory")])


@pytest.mark.parametrize(
    ("lists", "why"),
    [
        ({"teams": {"fraud": {"allowed": ["STANDARD_D13_V2"]}}}, "no 'teamTag' says which tag"),
        ({"teams": {"fraud": {"allowed": ["STANDARD_D13_V2"]}}, "teamTag": "team"}, "no list of allowed or denied"),
    ],
)
def test_lists_that_are_for_nobody_here_do_not_apply_and_say_so(
    process: Analyzer, lists: dict[str, Any], why: str
) -> None:
    config = everything()
    config[SIZES] = {"enforcementLevel": "mandatory", **lists}
    process.configure(config)
    assert why in process.not_applicable(cluster())[SIZES]


def test_the_message_names_the_nearest_sizes_with_vcpus_and_price(process: Analyzer) -> None:
    process.configure(stack_config("dev"))
    item = cluster(SIZE, "Standard_D14_v2")
    [message] = [text for name, _, text in process.analyze(item.token, item.inputs) if name == SIZES]
    assert "Standard_D14_v2 (16 vCPUs, $1.196 an hour)" in message
    assert "Nearest allowed: STANDARD_D13_V2 (8 vCPUs, $0.598 an hour)" in message


@pytest.mark.parametrize(
    ("duration", "passes"),
    [("PT900S", True), ("PT15M", True), ("PT901S", False), ("P1D", False), ("P1M", False), ("900", False),
     ("PT", False), (900.0, False), (True, False)],
)  # fmt: skip
def test_an_idle_time_is_a_duration_of_any_spelling(process: Analyzer, duration: Any, passes: bool) -> None:
    process.configure(everything())
    rule = f"{RULE}limit-idle-time"
    found = process.of(cluster(f"{SCALE}.nodeIdleTimeBeforeScaleDown", duration), rule)
    assert found == ([] if passes else [(rule, "mandatory")])


@pytest.mark.parametrize(
    "odd", [None, 3.0, "x", [], {}, [1.0], {"properties": "x"}, {"properties": {"scaleSettings": []}}]
)
@pytest.mark.parametrize("path", ["properties", "properties.properties", SCALE, "tags", "location", "identity"])
def test_values_of_odd_types_break_no_rule_of_the_process(process: Analyzer, path: str, odd: Any) -> None:
    """Azure refuses them; a rule may say what it likes of them, but it says it of every one that it needs."""
    process.configure(everything())
    found = process.analyze(cluster().token, cluster(path, odd).inputs)
    assert not [message for _, _, message in found if "cannot read this resource" in message]


WRONG_CONFIG: list[tuple[str, Any, str]] = [
    (SIZES, {}, "one of allowed, denied, departments, teams must be set"),
    (SIZES, {"allowed": []}, "'allowed' must not be empty"),
    (SIZES, {"allowed": "STANDARD_DS3_V2"}, "'allowed' must be a list"),
    (SIZES, {"allowed": ["STANDARD_DS3_V2", "DS3"]}, "'DS3'"),
    (SIZES, {"alowed": ["STANDARD_DS3_V2"]}, "did you mean 'allowed'?"),
    (SIZES, {"allowed": ["STANDARD_DS3_V2"], "teams": {"x": ["STANDARD_DS3_V2"]}}, "'teams'.x must be an object"),
    (f"{RULE}limit-max-nodes", {"maxNodes": "four"}, "'maxNodes' must be a whole number, it is 'four'"),
    (f"{RULE}limit-max-nodes", {"maxNodes": -1}, "at least 0"),
    (f"{RULE}limit-max-nodes", {"maxNodes": True}, "'maxNodes' must be a whole number"),
    (f"{RULE}limit-idle-time", {"maxIdleSeconds": 1.5}, "'maxIdleSeconds' must be a whole number"),
    (f"{RULE}allow-priorities", {"allowed": ["Spot"]}, "'Spot', allowed are Dedicated, LowPriority"),
    (f"{RULE}disable-local-auth", {"enforcementLevel": "remediate"}, "it has no remedy"),
    (f"{RULE}disable-local-auth", {"strict": "yes"}, "'strict' must be true or false"),
    ("azure-resource-require-tags", {"required": ["team"], "patterns": {"team": "["}}, "no regular expression"),
    (f"{RULE}allow-vmsizes", {"allowed": ["STANDARD_DS3_V2"]}, f"did you mean '{SIZES}'?"),
]


@pytest.mark.parametrize(("rule", "values", "said"), WRONG_CONFIG)
def test_a_wrong_configuration_is_refused_before_any_resource(
    process: Analyzer, rule: str, values: dict[str, Any], said: str
) -> None:
    config = everything()
    config[rule] = {"enforcementLevel": "mandatory", **values}
    with pytest.raises(grpc.RpcError) as refused:
        process.configure(config)
    assert rule in refused.value.details()
    assert said in refused.value.details()
    assert len(refused.value.details().splitlines()) == 1


def test_rules_that_lack_what_they_need_are_off_without_a_configuration(process: Analyzer) -> None:
    levels = {policy.name: policy.enforcementLevel for policy in process.info().policies}
    assert levels[SIZES] == levels["azure-resource-require-tags"] == 2
    process.configure({})
    assert process.of(cluster(SIZE, "STANDARD_ND40RS_V2"), SIZES) == []


def test_min_nodes_are_remediated_where_asked(process: Analyzer) -> None:
    rule = f"{RULE}enforce-min-nodes-zero"
    bad = cluster(f"{SCALE}.minNodeCount", 3.0)
    process.configure(everything())
    assert process.remediate(bad.token, bad.inputs) == {}
    process.configure(everything(**{rule: {"enforcementLevel": "remediate"}}))
    assert process.remediate(bad.token, bad.inputs) == {rule: cluster().inputs}
    assert process.remediate(bad.token, cluster().inputs) == {}


def test_a_remedy_leaves_secrets_and_unknown_values_as_they_are(process: Analyzer) -> None:
    rule = f"{RULE}enforce-min-nodes-zero"
    process.configure(everything(**{rule: {"enforcementLevel": "remediate"}}))
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "it"}
    bad = cluster(f"{SCALE}.minNodeCount", 3.0)
    bad.inputs |= {"description": secret, "workspaceName": UNKNOWN}
    changed = process.remediate(bad.token, bad.inputs)[rule]
    assert (changed["description"], changed["workspaceName"]) == (secret, UNKNOWN)
    assert changed["properties"]["properties"]["scaleSettings"]["minNodeCount"] == 0


def test_rules_tell_what_people_need_and_the_configurations_name_them_all(process: Analyzer) -> None:
    info = process.info()
    assert info.name == "azureml-platform"
    names = {policy.name for policy in info.policies}
    assert names == set(stack_config("dev")) == set(stack_config("prod"))
    for policy in info.policies:
        assert policy.severity and policy.framework.reference and policy.remediation_steps
        assert policy.url.startswith("https://learn.microsoft.com/")
        words = policy.name.split("-")
        assert len(words) >= 4, "a name is <service>-<resource>-<verb>-…"
