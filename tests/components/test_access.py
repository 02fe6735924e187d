"""The roles, judged as Azure evaluates them, and the assignments' names."""

import json
import re
from collections.abc import Iterable
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue import roles as built_in
from components.identity.principals import Principal, stable_guid, unique
from components.identity.roles import AUTOMATION, DATA_SCIENTIST, SUBSCRIPTION_ADMIN, TEAM_LEAD, CustomRole
from sandbox.azure.access.rbac import built_in_roles, matches, permits

ML = "Microsoft.MachineLearningServices"
W = f"{ML}/workspaces"


def allows(role: CustomRole, operation: str) -> bool:
    """Whether Azure allows an operation to somebody with this role only.

    An action matches the whole operation, in any letter case; `*` stands for any characters, slashes too. What
    notActions match is taken out. Source: learn.microsoft.com/azure/role-based-access-control/role-definitions.
    """

    def match(patterns: Iterable[str]) -> bool:
        return any(re.fullmatch(re.escape(p).replace(r"\*", ".*"), operation, re.IGNORECASE) for p in patterns)

    return match(role.actions) and not match(role.not_actions)


ALL = (DATA_SCIENTIST, TEAM_LEAD, AUTOMATION, SUBSCRIPTION_ADMIN)
USE = [
    f"{W}/read",
    f"{W}/jobs/write",
    f"{W}/jobs/delete",
    f"{W}/jobs/cancel/action",
    f"{W}/computes/read",
    f"{W}/computes/start/action",
    f"{W}/computes/stop/action",
    f"{W}/computes/listNodes/action",
    f"{W}/codes/versions/write",
    f"{W}/data/versions/write",
    f"{W}/models/versions/write",
    f"{W}/environments/versions/write",
    f"{W}/environments/build/action",
    f"{W}/environments/readSecrets/action",
    f"{W}/experiments/runs/submit/action",
    f"{W}/metadata/artifacts/write",
    f"{W}/metadata/snapshots/write",
    f"{W}/datastores/read",
    f"{W}/onlineEndpoints/write",
    f"{W}/schedules/write",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
]
ADMINISTER = [
    f"{W}/write",
    f"{W}/delete",
    f"{W}/listKeys/action",
    f"{W}/resynckeys/action",
    f"{W}/listStorageAccountKeys/action",
    f"{W}/listNotebookKeys/read",
    f"{W}/computes/listKeys/action",
    f"{W}/datastores/listSecrets/action",
    f"{W}/connections/listSecrets/action",
    f"{W}/outboundRules/write",
    f"{ML}/locations/updateQuotas/action",
    "Microsoft.Quota/quotas/write",
    "Microsoft.Capacity/resourceProviders/locations/serviceLimits/write",
    "Microsoft.Support/supportTickets/write",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Storage/storageAccounts/listKeys/action",
    "Microsoft.KeyVault/vaults/write",
]
CHANGE_COMPUTE = [
    f"{W}/computes/write",
    f"{W}/computes/delete",
    f"{W}/computes/train/write",
    f"{W}/computes/train/delete",
]


@pytest.mark.parametrize("operation", USE)
def test_both_use_the_workspace(operation: str) -> None:
    assert allows(DATA_SCIENTIST, operation)
    assert allows(TEAM_LEAD, operation)


@pytest.mark.parametrize("operation", ADMINISTER)
def test_neither_administers_it(operation: str) -> None:
    assert not allows(DATA_SCIENTIST, operation)
    assert not allows(TEAM_LEAD, operation)


@pytest.mark.parametrize("operation", CHANGE_COMPUTE)
def test_only_leads_change_compute(operation: str) -> None:
    assert allows(TEAM_LEAD, operation)
    assert not allows(DATA_SCIENTIST, operation)


def test_automation_runs_and_deploys_and_changes_nothing_else() -> None:
    for operation in (
        ("jobs/write"),
        "models/versions/write",
        "onlineEndpoints/deployments/write",
        "environments/build/action",
    ):
        assert allows(AUTOMATION, f"{W}/{operation}")
    for operation in [*ADMINISTER, *CHANGE_COMPUTE, f"{W}/datastores/write"]:
        assert not allows(AUTOMATION, operation)


def test_a_subscription_admin_asks_for_quota_and_support_and_changes_nothing() -> None:
    for operation in (
        "Microsoft.Support/supportTickets/write",
        "Microsoft.Quota/quotas/write",
        "Microsoft.Capacity/resourceProviders/locations/serviceLimits/write",
        f"{ML}/locations/updateQuotas/action",
    ):
        assert allows(SUBSCRIPTION_ADMIN, operation)
    for operation in (
        *CHANGE_COMPUTE,
        (f"{W}/write"),
        f"{W}/jobs/write",
        "Microsoft.Authorization/roleAssignments/write",
    ):
        assert not allows(SUBSCRIPTION_ADMIN, operation)


KNOWN = [
    f"Microsoft.MachineLearningServices/{name}"
    for name in json.loads((files("sandbox.azure.arm") / "operations.json").read_text())[ML]
]
SUBMIT = ("*/read", "environments/write", "jobs/*", "metadata/artifacts/write", "metadata/snapshots/write",
          "environments/build/action", "environments/readSecrets/action", "experiments/runs/submit/action")  # fmt: skip
NOTEBOOKS = ("computes/read", "notebooks/samples/read", "notebooks/storage/*", "listNotebookAccessToken/read")
"""Without listStorageAccountKeys/action, which the page lists too: the accounts take no keys."""
TASKS = {
    "submit a run": (SUBMIT, (DATA_SCIENTIST, TEAM_LEAD, AUTOMATION)),
    "use notebooks on a compute instance": (NOTEBOOKS, (DATA_SCIENTIST, TEAM_LEAD)),
    "start and stop an instance": (
        ("computes/start/action", "computes/stop/action", "computes/restart/action"),
        (DATA_SCIENTIST, TEAM_LEAD),
    ),
    "open an instance's applications": (("computes/applicationaccess/action",), (DATA_SCIENTIST, TEAM_LEAD)),
    "create a cluster or an instance": (("computes/write",), (TEAM_LEAD,)),
    "publish pipelines": (
        ("endpoints/pipelines/*", "pipelinedrafts/*", "modules/*", "components/*"),
        (DATA_SCIENTIST, TEAM_LEAD),
    ),
    "register data and models": (("data/versions/*", "models/*"), (DATA_SCIENTIST, TEAM_LEAD, AUTOMATION)),
    "make and use online endpoints": (("onlineEndpoints/*",), (DATA_SCIENTIST, TEAM_LEAD, AUTOMATION)),
}
"""What Microsoft lists for each task below a workspace, and who of the team has to be able to do it.

Source: learn.microsoft.com/azure/machine-learning/how-to-assign-roles, "Common scenarios" and its custom roles.
"""


@pytest.mark.parametrize("task", TASKS)
def test_people_have_what_their_tasks_need(task: str) -> None:
    patterns, roles = TASKS[task]
    for pattern in patterns:
        needed = [operation for operation in KNOWN if matches(f"{W}/{pattern}", operation)]
        if pattern == "*/read":  # which the page's lists do not mean: it is a key
            needed = [operation for operation in needed if not operation.endswith("/listNotebookKeys/read")]
        assert needed, f"Azure has no operation {pattern}"
        for role in roles:
            assert [operation for operation in needed if not allows(role, operation)] == [], role.title


@pytest.mark.parametrize("role", [DATA_SCIENTIST, TEAM_LEAD, AUTOMATION], ids=lambda role: role.title)
def test_online_deployments_are_made_by_a_template_in_the_resource_group(role: CustomRole) -> None:
    assert allows(role, "Microsoft.Resources/deployments/write")


def test_a_reader_sees_and_changes_nothing() -> None:
    """What docs/settings.md says of readers, notebook keys included."""
    [permissions] = built_in_roles()[built_in.READER]["permissions"]
    assert (permissions["actions"], permissions["dataActions"]) == (["*/read"], [])
    allowed = {operation for operation in KNOWN if permits([permissions], operation)}
    keys = {operation for operation in allowed if "/list" in operation.lower()}
    assert keys == {f"{W}/listNotebookKeys/read", f"{W}/listNotebookAccessToken/read"}


def test_no_role_allows_everything() -> None:
    assert all("*" not in (action, action.split("/")[0]) for role in ALL for action in role.actions)


@given(st.lists(st.text(min_size=1), min_size=3, max_size=3), st.lists(st.text(min_size=1), min_size=3, max_size=3))
def test_assignments_of_the_same_are_named_the_same_and_others_are_not(one: list[str], other: list[str]) -> None:
    assert stable_guid(*one) == stable_guid(*(part.lower() for part in one))
    if [part.lower() for part in one] != [part.lower() for part in other] and not any(
        ("|") in part for part in one + other
    ):
        assert stable_guid(*one) != stable_guid(*other)


def test_a_name_is_a_version_5_uuid_that_never_changes() -> None:
    scope = "/subscriptions/s/resourceGroups/g"
    assert stable_guid(scope, "p", "r") == "854a7b39-3bfb-5b72-ad3f-beed7f71adbb"


def test_somebody_in_two_lists_counts_once() -> None:
    a, b = Principal("a@x.com", "1", "User"), Principal("b@x.com", "2", "User")
    assert [p.name for p in unique([a, b, a])] == ["a@x.com", "b@x.com"]


BUILT_IN = {
    "READER": "Reader",
    "CONTRIBUTOR": "Contributor",
    "KEY_VAULT_ADMINISTRATOR": "Key Vault Administrator",
    "KEY_VAULT_SECRETS_OFFICER": "Key Vault Secrets Officer",
    "KEY_VAULT_SECRETS_USER": "Key Vault Secrets User",
    "KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER": "Key Vault Crypto Service Encryption User",
    "BLOB_DATA_READER": "Storage Blob Data Reader",
    "BLOB_DATA_CONTRIBUTOR": "Storage Blob Data Contributor",
    "FILE_DATA_PRIVILEGED_CONTRIBUTOR": "Storage File Data Privileged Contributor",
    "NETWORK_CONNECTION_APPROVER": "Azure AI Enterprise Network Connection Approver",
    "REGISTRY_USER": "AzureML Registry User",
    "ACR_PULL": "AcrPull",
}


def test_built_in_roles_have_the_ids_that_azure_publishes() -> None:
    found = {name: value for name, value in vars(built_in).items() if name.isupper() and isinstance(value, str)}
    guids = {
        name: value
        for name, value in found.items()
        if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value)
    }
    assert {name: built_in_roles()[guid]["roleName"] for name, guid in guids.items()} == BUILT_IN
