"""Policy definitions and assignments, budgets, diagnostic settings."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.azure.client import Client, error, unique
from tests.conftest import SUBSCRIPTION

POLICY = "providers/Microsoft.Authorization/policyDefinitions"
ASSIGNMENT = "providers/Microsoft.Authorization/policyAssignments"
LOCAL_AUTH = "e96a9a5f-07ca-471b-9bc5-6a0f33cbd68f"  # Machine Learning computes should have local authentication off
VM_SIZES = "cccc23c7-8427-4f53-ad12-b6a63eb452b3"  # Allowed virtual machine size SKUs: a parameter without default
API = "2025-01-01"


@pytest.fixture(scope="module")
def group(azure: Client) -> str:
    return azure.group()


def rule(effect: str = "[parameters('effect')]") -> dict[str, Any]:
    return {"if": {"field": "type", "equals": "Microsoft.Storage/storageAccounts"}, "then": {"effect": effect}}


def definition(azure: Client, **properties: Any) -> Any:
    given = {"policyRule": rule("Deny"), "mode": "All", **properties}
    return azure.arm("PUT", f"{POLICY}/{unique('policy')}", {"properties": given}, api=API)


def assign(azure: Client, scope: str, policy: str, parameters: dict[str, Any] | None = None, **body: Any) -> Any:
    values = {name: {"value": value} for name, value in (parameters or {}).items()}
    properties = {"policyDefinitionId": policy, "parameters": values}
    return azure.arm("PUT", f"{scope}/{ASSIGNMENT}/{unique('a')}", {"properties": properties, **body}, api=API)


def test_a_definition_is_kept(azure: Client) -> None:
    effect = {"type": "String", "allowedValues": ["Audit", "Deny"], "defaultValue": "Deny"}
    made = definition(azure, policyRule=rule(), parameters={"effect": effect})
    assert made.status_code == 201
    assert made.json()["properties"]["policyType"] == "Custom"
    assert azure.arm("GET", made.json()["id"], api=API).json() == made.json()
    listed = azure.arm("GET", POLICY, api=API).json()["value"]
    assert {made.json()["name"], LOCAL_AUTH} <= {one["name"] for one in listed}
    built_in = azure.arm("GET", f"/{POLICY}/{LOCAL_AUTH}", api=API).json()
    assert built_in["properties"]["policyType"] == "BuiltIn"
    assert azure.arm("GET", f"/{POLICY}/{made.json()['name']}", api=API).status_code == 404


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"policyRule": None}, "InvalidRequestContent"),
        ({"policyRule": {"if": {}}}, "InvalidPolicyRule"),
        ({"policyRule": rule("Explode")}, "InvalidPolicyRule"),
        ({"policyRule": rule()}, "InvalidPolicyParameters"),
        ({"parameters": {"x": {"type": "Colour"}}}, "InvalidPolicyParameters"),
        ({"mode": "Some"}, "InvalidPolicyDefinition"),
    ],
)
def test_a_wrong_definition_is_refused(azure: Client, properties: dict[str, Any], code: str) -> None:
    assert error(definition(azure, **properties)) == (400, code)


def test_an_assignment_meets_its_definitions_parameters(azure: Client, group: str) -> None:
    built_in = f"/{POLICY}/{LOCAL_AUTH}"
    for policy, parameters, expected in (
        (f"/{POLICY}/00000000-0000-0000-0000-000000000000", {}, (404, "PolicyDefinitionNotFound")),
        (built_in, {"efect": "Deny"}, (400, "UndefinedPolicyParameter")),
        (built_in, {"effect": "Explode"}, (400, "PolicyParameterValueNotAllowed")),
        (f"/{POLICY}/{VM_SIZES}", {}, (400, "MissingPolicyParameter")),
        (f"/{POLICY}/{VM_SIZES}", {"listOfAllowedSKUs": "one"}, (400, "InvalidRequestContent")),
    ):
        assert error(assign(azure, group, policy, parameters)) == expected
    made = assign(azure, group, built_in, {"effect": "Deny"})
    assert made.status_code == 201
    assert made.json()["properties"]["scope"] == group
    assert made.json()["properties"]["enforcementMode"] == "Default"
    assert assign(azure, group, f"/{POLICY}/{VM_SIZES}", {"listOfAllowedSKUs": ["STANDARD_DS3_V2"]}).status_code == 201


def test_an_assignment_keeps_its_definition(azure: Client, group: str) -> None:
    made = assign(azure, group, f"/{POLICY}/{LOCAL_AUTH}", {"effect": "Deny"}).json()
    other = {"properties": {"policyDefinitionId": definition(azure, policyRule=rule("Audit")).json()["id"]}}
    assert error(azure.arm("PUT", made["id"], other, api=API)) == (400, "InvalidPolicyDefinitionIdUpdate")
    same = {"properties": {"policyDefinitionId": made["properties"]["policyDefinitionId"].upper()}}
    assert azure.arm("PUT", made["id"], same, api=API).status_code in (200, 201)


def test_an_effect_that_changes_resources_needs_an_identity_and_that_a_location(azure: Client, group: str) -> None:
    policy = definition(azure, policyRule=rule("Modify")).json()["id"]
    assert error(assign(azure, group, policy)) == (400, "ResourceIdentityRequired")
    identity = {"type": "SystemAssigned"}
    assert error(assign(azure, group, policy, identity=identity)) == (400, "LocationRequired")
    made = assign(azure, group, policy, identity=identity, location="eastus2")
    assert made.status_code == 201
    principal = made.json()["identity"]["principalId"]
    assert azure.graph("GET", f"/servicePrincipals/{principal}").status_code == 200
    assert error(azure.arm("DELETE", policy, api=API)) == (400, "InvalidDeletePolicyDefinitionRequest")
    azure.arm("DELETE", made.json()["id"], api=API)
    assert azure.graph("GET", f"/servicePrincipals/{principal}").status_code == 404
    assert azure.arm("DELETE", policy, api=API).status_code == 200


# ---- budgets


def month(ahead: int) -> str:
    """The first of a month, from this one."""
    today = datetime.now(UTC)
    years, index = divmod(today.month - 1 + ahead, 12)
    return f"{today.year + years}-{index + 1:02}-01T00:00:00Z"


def budget(**changes: Any) -> dict[str, Any]:
    notification = {"enabled": True, "operator": "GreaterThan", "threshold": 80, "contactEmails": ["user@domain.com"]}
    given = {
        "category": "Cost",
        "amount": 100,
        "timeGrain": "Monthly",
        "timePeriod": {"startDate": month(0)},
        "notifications": {"warn": notification},
    }
    return {"properties": {**given, **changes}}


@pytest.mark.parametrize("provider", ["Microsoft.Consumption", "Microsoft.CostManagement"])
def test_a_budget_ends_ten_years_later_and_its_start_never_changes(azure: Client, group: str, provider: str) -> None:
    path = f"{group}/providers/{provider}/budgets/{unique('b')}"
    made = azure.arm("PUT", path, budget(timePeriod={"startDate": month(1)}), api="2024-08-01")
    assert made.status_code == 201
    period = made.json()["properties"]["timePeriod"]
    assert int(period["endDate"][:4]) - int(period["startDate"][:4]) == 10
    more = azure.arm("PUT", path, budget(amount=200, timePeriod={"startDate": month(1)}), api="2024-08-01")
    assert (more.status_code, more.json()["properties"]["amount"]) == (200, 200)
    assert more.json()["eTag"] != made.json()["eTag"]
    moved = azure.arm("PUT", path, budget(timePeriod={"startDate": month(2)}), api="2024-08-01")
    assert moved.status_code == 400
    assert moved.json()["error"]["message"].startswith("Start date of budgets cannot be updated.")


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"amount": 0}, "properties.amount"),
        ({"amount": "much"}, "properties.amount"),
        ({"timeGrain": "Daily"}, "properties.timeGrain"),
        ({"timePeriod": {"startDate": month(0).replace("-01T", "-02T")}}, "properties.timePeriod.startDate"),
        ({"timePeriod": {"startDate": month(13)}}, "properties.timePeriod.startDate"),
        ({"timePeriod": {"startDate": month(-1)}}, "properties.timePeriod.startDate"),
        ({"timePeriod": {"startDate": "2017-05-01"}, "timeGrain": "Annually"}, "properties.timePeriod.startDate"),
        ({"timePeriod": {"startDate": "soon"}}, "properties.timePeriod.startDate"),
        ({"timePeriod": {"startDate": month(0), "endDate": month(0)}}, "properties.timePeriod.endDate"),
        ({"notifications": {f"n{number}": {} for number in range(6)}}, "properties.notifications"),
        ({"notifications": {"n": {"enabled": True}}}, "properties.notifications.n"),
        (
            {"notifications": {"n": {"enabled": True, "operator": "GreaterThan", "threshold": 1}}},
            "properties.notifications.n.contactEmails",
        ),
    ],
)
def test_a_wrong_budget_is_refused_and_the_field_named(
    azure: Client, group: str, changes: dict[str, Any], target: str
) -> None:
    path = f"{group}/providers/Microsoft.Consumption/budgets/{unique('b')}"
    answer = azure.arm("PUT", path, budget(**changes), api="2024-08-01")
    assert (answer.status_code, answer.json()["error"]["target"]) == (400, target)


def test_a_quarters_budget_may_have_begun_two_months_ago(azure: Client, group: str) -> None:
    path = f"{group}/providers/Microsoft.Consumption/budgets/{unique('b')}"
    body = budget(timeGrain="Quarterly", timePeriod={"startDate": month(-2)})
    assert azure.arm("PUT", path, body, api="2024-08-01").status_code == 201


# ---- diagnostic settings


@pytest.fixture(scope="module")
def logs(azure: Client, group: str) -> str:
    """The id of a Log Analytics workspace."""
    path = f"{group}/providers/Microsoft.OperationalInsights/workspaces/{unique('log')}"
    body = {"location": "eastus2", "properties": {"sku": {"name": "PerGB2018"}, "retentionInDays": 30}}
    assert azure.arm("PUT", path, body).status_code == 201
    return path


def vault(azure: Client, group: str) -> str:
    path = f"{group}/providers/Microsoft.KeyVault/vaults/{unique('kv')}"
    sku = {"family": "A", "name": "standard"}
    properties = {"tenantId": azure.tenant, "sku": sku, "enableRbacAuthorization": True}
    assert azure.arm("PUT", path, {"location": "eastus2", "properties": properties}).status_code == 200
    return path


def setting(azure: Client, resource: str, logs: str | None, *categories: str, name: str = "all") -> Any:
    entries = [{"category": one, "enabled": True} for one in categories]
    body = {"properties": {"workspaceId": logs, "logs": entries}}
    path = f"{resource}/providers/Microsoft.Insights/diagnosticSettings/{name}"
    return azure.arm("PUT", path, body, api="2021-05-01-preview")


def test_a_sink_takes_a_category_once(azure: Client, group: str, logs: str) -> None:
    resource = vault(azure, group)
    assert setting(azure, resource, logs, "AuditEvent").status_code == 200
    again = setting(azure, resource, logs, "AuditEvent", name="second")
    assert again.status_code == 409
    assert again.json()["code"] == "Conflict"  # without an `error` around it
    assert "is already used in diagnostic setting 'all'" in again.json()["message"]
    assert setting(azure, resource, logs, "AzurePolicyEvaluationDetails", name="second").status_code == 200
    assert setting(azure, resource, logs, "AuditEvent").status_code == 200  # its own update


def test_a_setting_needs_a_sink_and_categories_of_its_resource(azure: Client, group: str, logs: str) -> None:
    resource = vault(azure, group)
    assert setting(azure, resource, None, "AuditEvent").status_code == 400
    assert setting(azure, resource, logs + "x", "AuditEvent").status_code == 404
    assert "'StorageRead' is not supported" in setting(azure, resource, logs, "StorageRead").json()["message"]


def test_a_setting_outlives_its_resource(azure: Client, group: str, logs: str) -> None:
    resource = f"{group}/providers/Microsoft.ContainerRegistry/registries/{unique('cr')}"
    body = {"location": "eastus2", "sku": {"name": "Basic"}}
    azure.arm("PUT", resource, body)
    setting(azure, resource, logs, "ContainerRegistryLoginEvents")
    azure.arm("DELETE", resource)
    path = f"{resource}/providers/Microsoft.Insights/diagnosticSettings/all"
    assert azure.arm("GET", path, api="2021-05-01-preview").status_code == 404
    azure.arm("PUT", resource, body)
    assert azure.arm("GET", path, api="2021-05-01-preview").status_code == 200


# ---- what a workspace hangs on


def test_log_analytics_keeps_its_ids_and_refuses_wrong_days(azure: Client, logs: str) -> None:
    first = azure.arm("GET", logs).json()["properties"]
    body = {"location": "eastus2", "properties": {"sku": {"name": "PerGB2018"}, "retentionInDays": 90}}
    second = azure.arm("PUT", logs, body).json()["properties"]
    assert second["customerId"] == first["customerId"]
    assert second["retentionInDays"] == 90
    body["properties"]["retentionInDays"] = 29  # type: ignore[index]
    answer = azure.arm("PUT", logs, body)
    assert error(answer) == (400, "InvalidParameter")
    assert answer.json()["error"]["target"] == "properties.retentionInDays"


def test_application_insights_has_its_keys_and_needs_its_workspace(azure: Client, group: str, logs: str) -> None:
    path = f"{group}/providers/Microsoft.Insights/components/{unique('ai')}"
    body = {
        "location": "eastus2",
        "kind": "web",
        "properties": {"Application_Type": "web", "WorkspaceResourceId": logs},
    }
    made = azure.arm("PUT", path, body, api="2020-02-02")
    assert made.status_code == 200
    properties = made.json()["properties"]
    assert f"InstrumentationKey={properties['InstrumentationKey']}" in properties["ConnectionString"]
    assert properties["IngestionMode"] == "LogAnalytics"
    again = azure.arm("PUT", path, body, api="2020-02-02").json()["properties"]
    assert again["InstrumentationKey"] == properties["InstrumentationKey"]
    body["properties"]["WorkspaceResourceId"] = logs + "x"  # type: ignore[index]
    assert error(azure.arm("PUT", path, body, api="2020-02-02")) == (400, "InvalidRequestContent")


def test_a_registrys_name_is_taken_in_the_whole_world_and_its_tier_counts(azure: Client, group: str) -> None:
    name = unique("cr")
    path = f"{group}/providers/Microsoft.ContainerRegistry/registries"
    made = azure.arm("PUT", f"{path}/{name}", {"location": "eastus2", "sku": {"name": "Basic"}})
    assert made.status_code == 201
    assert made.json()["properties"]["loginServer"] == f"{name}.azurecr.io"
    assert made.json()["properties"]["adminUserEnabled"] is False
    elsewhere = f"{azure.group()}/providers/Microsoft.ContainerRegistry/registries/{name}"
    assert error(azure.arm("PUT", elsewhere, {"location": "eastus2", "sku": {"name": "Basic"}})) == (
        409,
        "AlreadyInUse",
    )
    closed = {"location": "eastus2", "sku": {"name": "Basic"}, "properties": {"publicNetworkAccess": "Disabled"}}
    answer = azure.arm("PUT", f"{path}/{unique('cr')}", closed)
    assert (answer.status_code, answer.json()["error"]["target"]) == (400, "properties.publicNetworkAccess")
    assert error(azure.arm("PUT", f"{path}/with-hyphen", closed)) == (400, "RegistryNameInvalid")
    azure.arm("DELETE", f"{path}/{name}")
    assert azure.arm("PUT", elsewhere, {"location": "eastus2", "sku": {"name": "Basic"}}).status_code == 201


def test_a_subscription_is_the_scope_of_budgets_too(azure: Client) -> None:
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Consumption/budgets/{unique('b')}"
    assert azure.arm("PUT", path, budget(), api="2024-08-01").status_code == 201
    assert azure.arm("GET", path, api="2024-08-01").json()["id"] == path
