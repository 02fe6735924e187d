"""Azure Policy's rules: each built-in definition against what keeps it and what breaks it, and denials at the door."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.azure.arm.policy import built_in_policies
from sandbox.azure.arm.policyrules import Request, RuleError, compile_condition
from tests.azure.client import Client, error, unique
from tests.conftest import SUBSCRIPTION

COMPUTES = "Microsoft.MachineLearningServices/workspaces/computes"
WORKSPACES = "Microsoft.MachineLearningServices/workspaces"
STORAGE = "Microsoft.Storage/storageAccounts"
VAULTS = "Microsoft.KeyVault/vaults"
REGISTRIES = "Microsoft.ContainerRegistry/registries"
CLUSTER = {"computeType": "AmlCompute", "disableLocalAuth": True, "properties": {"subnet": {"id": "/x"}}}
INSTANCE = {"computeType": "ComputeInstance", "properties": {"idleTimeBeforeShutdown": "PT30M"}}
API = "2025-01-01"


def denies(rule: dict[str, Any], resource: dict[str, Any], **parameters: Any) -> bool:
    """Whether a rule's condition holds for a resource."""
    shown = {"id": "/subscriptions/s/resourceGroups/g/x", "name": "one", "location": "eastus2", **resource}
    return compile_condition(rule)(Request(shown, {"tags": {"team": "a"}}, parameters, "2024-01-01"))


def body(kind: str, properties: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"type": kind, "properties": properties or {}, **more}


# guid, parameters, a resource that keeps the rule, resources that break it
BUILT_IN: list[tuple[str, dict[str, Any], dict[str, Any], list[dict[str, Any]]]] = [
    (
        "e96a9a5f-07ca-471b-9bc5-6a0f33cbd68f",
        {},
        body(COMPUTES, CLUSTER),
        [body(COMPUTES, {"computeType": "AmlCompute"}), body(COMPUTES, {**CLUSTER, "disableLocalAuth": False})],
    ),
    (
        "679ddf89-ab8f-48a5-9029-e76054077449",
        {},
        body(COMPUTES, INSTANCE),
        [
            body(COMPUTES, {"computeType": "ComputeInstance", "properties": {}}),
            body(COMPUTES, {"computeType": "computeinstance", "properties": {"idleTimeBeforeShutdown": ""}}),
        ],
    ),
    (
        "7804b5c7-01dc-4723-969b-ae300cc07ff1",
        {},
        body(COMPUTES, CLUSTER),
        [body(COMPUTES, {"computeType": "AmlCompute", "properties": {}}), body(COMPUTES, INSTANCE)],
    ),
    (
        "438c38d2-3772-465a-a9cc-7a6666a275ce",
        {},
        body(WORKSPACES, {"publicNetworkAccess": "Disabled"}),
        [body(WORKSPACES), body(WORKSPACES, {"publicNetworkAccess": "Enabled"})],
    ),
    (
        "45e05259-1eb5-4f70-9574-baf73e9d219b",
        {},
        body(
            WORKSPACES,
            {"privateEndpointConnections": [{"privateLinkServiceConnectionState": {"status": "Approved"}}]},
        ),
        [
            body(WORKSPACES),
            body(
                WORKSPACES,
                {"privateEndpointConnections": [{"privateLinkServiceConnectionState": {"status": "Pending"}}]},
            ),
        ],
    ),
    (
        "6ddb1705-c8cf-450e-aa4b-19ad6703c440",
        {"isolationMode": "AllowOnlyApprovedOutbound"},
        body(WORKSPACES, {"managedNetwork": {"isolationMode": "allowonlyapprovedoutbound"}}),
        [body(WORKSPACES), body(WORKSPACES, {"managedNetwork": {"isolationMode": "AllowInternetOutbound"}})],
    ),
    (
        "ba769a63-b8cc-4b2d-abf6-ac33c7204be8",
        {},
        body(WORKSPACES, {"encryption": {"status": "Enabled"}}),
        [body(WORKSPACES), body(WORKSPACES, {"encryption": {"status": "Disabled"}})],
    ),
    (
        "5f0c7d88-c7de-45b8-ac49-db49e72eaa78",
        {},
        body(WORKSPACES, {"primaryUserAssignedIdentity": "/x"}),
        [body(WORKSPACES), body(WORKSPACES, {"primaryUserAssignedIdentity": ""})],
    ),
    (
        "e413671a-dd10-4cc1-a943-45b598596cb7",
        {},
        body(WORKSPACES, {"v1LegacyMode": True}),
        [body(WORKSPACES), body(WORKSPACES, {"v1LegacyMode": False})],
    ),
    (
        "404c3081-a854-4457-ae30-26a93ef643f9",
        {},
        body(STORAGE),  # absent is well in this version
        [body(STORAGE, {"supportsHttpsTrafficOnly": False})],
    ),
    (
        "fe83a0eb-a853-422d-aac2-1bffd182c5d0",
        {"minimumTlsVersion": "TLS1_2"},
        body(STORAGE, {"minimumTlsVersion": "TLS1_2"}),
        [body(STORAGE), body(STORAGE, {"minimumTlsVersion": "TLS1_1"})],
    ),
    (
        "4fa4b6c0-31ca-4c0d-b10d-24b96f62a751",
        {},
        body(STORAGE, {"allowBlobPublicAccess": False}),
        [body(STORAGE), body(STORAGE, {"allowBlobPublicAccess": True})],
    ),
    (
        "8c6a50c6-9ffd-4ae7-986f-5fa6111f9a54",
        {},
        body(STORAGE, {"allowSharedKeyAccess": False}),
        [body(STORAGE), body(STORAGE, {"allowSharedKeyAccess": True})],
    ),
    (
        "0b60c0b2-2dc2-4e1c-b5c9-abbed971de53",
        {},
        body(VAULTS, {"enablePurgeProtection": True, "enableSoftDelete": True}),
        [body(VAULTS), body(VAULTS, {"enablePurgeProtection": True, "enableSoftDelete": False})],
    ),
    (
        "1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d",
        {},
        body(VAULTS, {"enableSoftDelete": True}),
        [body(VAULTS), body(VAULTS, {"enableSoftDelete": False})],
    ),
    (
        "12d4fa5e-1f9f-4c21-97a9-b99b3c6611b5",
        {},
        body(VAULTS, {"enableRbacAuthorization": True}),
        [body(VAULTS), body(VAULTS, {"enableRbacAuthorization": False})],
    ),
    (
        "405c5871-3e91-4644-8a63-58e19d68ff5b",
        {},
        body(VAULTS, {"publicNetworkAccess": "disabled"}),
        [body(VAULTS), body(VAULTS, {"publicNetworkAccess": "Enabled"})],
    ),
    (
        "55615ac9-af46-4a59-874e-391cc3dfb490",
        {"restrictIPAddresses": "Yes", "allowedIPAddresses": ["10.0.0.0/8"], "forbiddenIPAddresses": ["10.9.0.0/16"]},
        body(VAULTS, {"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "10.1.2.3"}]}}),
        [
            body(VAULTS),
            body(VAULTS, {"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "11.1.2.3"}]}}),
            body(VAULTS, {"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "10.9.2.3"}]}}),
        ],
    ),
    (
        "dc921057-6b28-4fbe-9b83-f7bec05db6c2",
        {},
        body(REGISTRIES),
        [body(REGISTRIES, {"adminUserEnabled": True})],
    ),
    (
        "9f2dea28-e834-476c-99c5-3507b4728395",
        {},
        body(REGISTRIES),
        [body(REGISTRIES, {"anonymousPullEnabled": True})],
    ),
    (
        "0fdf0491-d080-4575-b627-ad0e843cba0f",
        {},
        body(REGISTRIES, {"publicNetworkAccess": "Disabled"}),
        [body(REGISTRIES), body(REGISTRIES, {"publicNetworkAccess": "Enabled"})],
    ),
    (
        "d550e854-df1a-4de9-bf44-cd894b39a95e",
        {},
        body("Microsoft.Insights/components", {"WorkspaceResourceId": "/x"}),
        [body("microsoft.insights/components"), body("Microsoft.Insights/components", {"WorkspaceResourceId": ""})],
    ),
    (
        "cccc23c7-8427-4f53-ad12-b6a63eb452b3",
        {"listOfAllowedSKUs": ["Standard_DS3_v2"]},
        body("Microsoft.Compute/virtualMachines", sku={"name": "STANDARD_DS3_V2"}),
        [body("Microsoft.Compute/virtualMachines", sku={"name": "Standard_NC6"})],
    ),
    (
        "e56962a6-4747-49cd-b67b-bf8b01975c4c",
        {"listOfAllowedLocations": ["eastus2"]},
        body(STORAGE, location="global"),
        [body(STORAGE, location="westus")],
    ),
    (
        "871b6d14-10aa-478d-b590-94f262ecfa99",
        {"tagName": "cost centre"},
        body(STORAGE, tags={"Cost Centre": ""}),
        [body(STORAGE), body(STORAGE, tags={"cost": "1"})],
    ),
    (
        "96670d01-0a4d-4649-9c89-2d3abc0a5025",
        {"tagName": "team"},
        body("Microsoft.Resources/subscriptions/resourceGroups", tags={"team": "a"}),
        [body("Microsoft.Resources/subscriptions/resourceGroups")],
    ),
    (
        "cd3aa116-8754-49c9-a813-ad46512ece54",
        {"tagName": "team"},
        body(STORAGE, tags={"team": "a"}),
        [body(STORAGE), body(STORAGE, tags={"team": "b"})],
    ),
    (
        "afe0c3be-ba3b-4544-ba52-0c99672a8ad6",
        {},
        body(STORAGE),
        [body(WORKSPACES)],
    ),
]


def test_every_known_definition_is_tried() -> None:
    assert {guid for guid, *_ in BUILT_IN} == set(built_in_policies())


@pytest.mark.parametrize(("guid", "parameters", "keeps", "breaks"), BUILT_IN, ids=[one[0] for one in BUILT_IN])
def test_a_built_in_rule(
    guid: str, parameters: dict[str, Any], keeps: dict[str, Any], breaks: list[dict[str, Any]]
) -> None:
    rule = built_in_policies()[guid]["policyRule"]["if"]
    assert not denies(rule, keeps, **parameters)
    for one in breaks:
        assert denies(rule, one, **parameters), one


LANDING_ZONE = {
    "allOf": [
        {"field": "type", "equals": COMPUTES},
        {"field": f"{COMPUTES}/computeType", "in": ["AmlCompute", "ComputeInstance"]},
        {
            "anyOf": [
                {"field": f"{COMPUTES}/vmSize", "notIn": "[parameters('allowedVmSizes')]"},
                {"field": f"{COMPUTES}/scaleSettings.minNodeCount", "greater": 0},
            ]
        },
    ]
}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"vmSize": "standard_ds3_v2", "scaleSettings": {"minNodeCount": 0}}, False),
        ({"vmSize": "STANDARD_DS3_V2", "scaleSettings": {"minNodeCount": 1}}, True),
        ({"vmSize": "STANDARD_NC6", "scaleSettings": {"minNodeCount": 0}}, True),
        ({"scaleSettings": {"minNodeCount": 0}}, True),
    ],
)
def test_a_clusters_size_and_nodes_are_found_where_the_alias_leads(properties: dict[str, Any], expected: bool) -> None:
    resource = body(COMPUTES, {"computeType": "AmlCompute", "properties": properties})
    assert denies(LANDING_ZONE, resource, allowedVmSizes=["STANDARD_DS3_V2"]) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"field": "name", "like": "o*e"}, True),
        ({"field": "name", "notLike": "o*x"}, True),
        ({"field": "location", "contains": "US"}, True),
        ({"field": "tags['team']", "equals": "A"}, True),
        ({"field": "tags.team", "exists": "true"}, True),
        ({"field": "kind", "exists": False}, True),
        ({"field": "kind", "notEquals": "x"}, True),
        ({"field": "kind", "equals": ""}, False),
        ({"field": f"{STORAGE}/rules[*].value", "greater": 1}, False),  # not every one
        ({"field": f"{STORAGE}/rules[*].value", "greaterOrEquals": 1}, True),
        ({"count": {"field": f"{STORAGE}/rules[*]"}, "equals": 2}, True),
        (
            {
                "count": {"field": f"{STORAGE}/rules[*]", "where": {"field": f"{STORAGE}/rules[*].value", "less": 2}},
                "lessOrEquals": 1,
            },
            True,
        ),
        ({"value": "[concat('a', '''b', length(parameters('list')))]", "equals": "a'b2"}, True),
        ({"value": "[if(empty(field('kind')), first(parameters('list')), 'no')]", "equals": "x"}, True),
        ({"value": "[last(split(field('id'), '/'))]", "equals": "x"}, True),
        ({"value": "[resourceGroup().tags.team]", "equals": "a"}, True),
        ({"value": "[parameters('list')[1]]", "equals": "y"}, True),
        ({"value": "[[literal]", "equals": "[[LITERAL]"}, True),
        ({"field": "Microsoft.KeyVault/vaults/sku.name", "exists": "true"}, False),  # another type's alias
        ({"not": {"anyOf": []}}, True),
    ],
)
def test_a_condition(condition: dict[str, Any], expected: bool) -> None:
    resource = body(STORAGE, {"rules": [{"value": 1}, {"value": 2}]}, tags={"team": "a"})
    assert denies(condition, resource, list=["x", "y"]) is expected


@pytest.mark.parametrize(
    "condition",
    [
        "text",
        {},
        {"field": "name"},
        {"equals": "x"},
        {"field": "name", "resembles": "x"},
        {"field": "name", "equals": "x", "like": "y"},
        {"allOf": {"field": "name", "equals": "x"}},
        {"value": "[utcNow()]", "equals": "x"},
        {"value": "[concat('a']", "equals": "x"},
        {"value": "[concat('a'))]", "equals": "x"},
        {"count": "x", "equals": 1},
    ],
)
def test_what_is_not_evaluated_is_refused(condition: Any) -> None:
    with pytest.raises(RuleError):
        compile_condition(condition)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("a[]()'*.", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["field", "value", "count", "where", "not", "allOf", "anyOf", "equals", "in", "less", "exists"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(JSON, JSON)
def test_any_json_is_a_rule_or_refused_and_no_rule_fails(rule: Any, properties: Any) -> None:
    try:
        condition = compile_condition(rule)
    except RuleError:
        return
    resource = body(STORAGE, properties if isinstance(properties, dict) else {})
    resource.update(id="/x", name="x", location="y")
    assert condition(Request(resource, {}, {}, "2024-01-01")) in (True, False)


# ---- at the door


def storage(azure: Client, group: str, **properties: Any) -> Any:
    path = f"{group}/providers/{STORAGE}/{unique('acct')}"
    given_ = {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": properties}
    return azure.arm("PUT", path, given_)


def assign(azure: Client, scope: str, guid: str, effect: str = "Deny", **more: Any) -> Any:
    properties = {
        "policyDefinitionId": f"/providers/Microsoft.Authorization/policyDefinitions/{guid}",
        "parameters": {"effect": {"value": effect}},
        "displayName": "No keys",
        **more,
    }
    path = f"{scope}/providers/Microsoft.Authorization/policyAssignments/{unique('a')}"
    made = azure.arm("PUT", path, {"properties": properties}, api=API)
    assert made.status_code == 201, made.text
    return made.json()


SHARED_KEY = "8c6a50c6-9ffd-4ae7-986f-5fa6111f9a54"


def test_a_denied_resource_is_not_made_and_the_policy_is_named(azure: Client) -> None:
    group, beside = azure.group(), azure.group()
    assignment = assign(azure, group, SHARED_KEY)
    answer = storage(azure, group, allowSharedKeyAccess=True)
    assert error(answer) == (403, "RequestDisallowedByPolicy")
    refused = answer.json()["error"]
    assert assignment["id"] in refused["message"]
    info = refused["additionalInfo"][0]
    assert info["type"] == "PolicyViolation"
    assert info["info"]["policyAssignmentScope"] == group
    evaluated = info["info"]["evaluationDetails"]["evaluatedExpressions"]
    assert f"{STORAGE}/allowSharedKeyAccess" in [one["expression"] for one in evaluated]
    assert azure.arm("GET", f"{group}/providers/{STORAGE}/{refused['target']}").status_code == 404
    assert storage(azure, group, allowSharedKeyAccess=False).status_code == 202
    assert storage(azure, beside, allowSharedKeyAccess=True).status_code == 202


def test_a_change_is_denied_too(azure: Client) -> None:
    group = azure.group()
    made = storage(azure, group, allowSharedKeyAccess=True)
    path = azure.send("GET", made.headers["Location"]).json()["id"]
    assign(azure, group, SHARED_KEY)
    assert azure.arm("GET", path).status_code == 200  # what is there stays
    patch = azure.arm("PATCH", path, {"tags": {"a": "b"}})
    assert error(patch) == (403, "RequestDisallowedByPolicy")
    right = azure.arm("PATCH", path, {"properties": {"allowSharedKeyAccess": False}})
    assert right.status_code == 200


@pytest.mark.parametrize("how", ["audit", "disabled", "not enforced", "excluded", "deleted"])
def test_what_does_not_deny(azure: Client, how: str) -> None:
    group = azure.group()
    effects = {"audit": "Audit", "disabled": "Disabled"}
    more: dict[str, Any] = {"enforcementMode": "DoNotEnforce"} if how == "not enforced" else {}
    if how == "excluded":
        more = {"notScopes": [group.upper()]}
    made = assign(azure, group, SHARED_KEY, effects.get(how, "Deny"), **more)
    if how == "deleted":
        azure.arm("DELETE", made["id"], api=API)
    assert storage(azure, group, allowSharedKeyAccess=True).status_code == 202


def test_a_custom_rule_of_the_subscription_holds_below_it_by_mode(azure: Client) -> None:
    tag = unique("tag")
    rule = {
        "if": {"allOf": [{"field": "name", "like": f"{tag}*"}, {"field": f"tags['{tag}']", "exists": "false"}]},
        "then": {"effect": "deny"},
    }
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization"
    for mode, of_groups in (("Indexed", 201), ("All", 403)):
        given_ = {"properties": {"mode": mode, "policyRule": copy.deepcopy(rule)}}
        definition = azure.arm("PUT", f"{path}/policyDefinitions/{unique('d')}", given_, api=API).json()["id"]
        assignment = {"properties": {"policyDefinitionId": definition}}
        made = azure.arm("PUT", f"{path}/policyAssignments/{unique('a')}", assignment, api=API).json()["id"]
        group = f"resourceGroups/{tag}{mode}"
        assert azure.arm("PUT", group, {"location": "eastus2"}).status_code == of_groups
        azure.arm("PUT", group, {"location": "eastus2", "tags": {tag: "x"}})
        identity = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{tag}"
        assert error(azure.arm("PUT", identity, {"location": "eastus2"})) == (403, "RequestDisallowedByPolicy")
        assert azure.arm("PUT", identity, {"location": "eastus2", "tags": {tag: "x"}}).status_code == 201
        azure.arm("DELETE", made, api=API)


def test_a_rule_that_is_not_evaluated_is_not_taken(azure: Client) -> None:
    rule = {"if": {"value": "[utcNow()]", "equals": "x"}, "then": {"effect": "deny"}}
    path = f"providers/Microsoft.Authorization/policyDefinitions/{unique('d')}"
    answer = azure.arm("PUT", path, {"properties": {"mode": "All", "policyRule": rule}}, api=API)
    assert error(answer) == (400, "InvalidPolicyRule")
    assert "does not evaluate the function 'utcNow'" in answer.json()["error"]["message"]
