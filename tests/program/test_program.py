"""What the program registers for the committed stacks: names, order, access, outputs."""

import copy
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi.runtime import rpc
from pulumi_azure_native import resources

from contract import StackOutputs, schema
from department.aliases import drop_version_aliases
from tests.program.harness import (
    ROOT,
    SECRET_MARK,
    TENANT,
    Registered,
    Run,
    principal_id,
    run_function,
    run_program,
    stack_file,
)

BLOB = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
FILES = "69566ab7-960f-475b-8e7c-b3118f30c6bd"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
VAULT_ADMIN = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
IDENTITY = principal_id("bgmrbluegranite2devid")
NODES = principal_id("bgmrbluegranite2devnodeid")
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"


@pytest.fixture(scope="module")
def dev() -> Run:
    return run_program(stack_file("dev"))


@pytest.fixture(scope="module")
def prod() -> Run:
    return run_program(stack_file("prod"), stack="prod")


def test_the_dev_stack_has_what_the_main_job_needs(dev: Run) -> None:
    counted = Counter(r.type.rsplit(":", 1)[1] for r in dev.resources)
    del counted["RoleAssignment"]
    assert counted == {
        "azure-native": 1,
        "TeamWorkspace": 1,
        "ResourceGroup": 1,
        "StorageAccount": 3,
        "BlobContainer": 1,
        "BlobServiceProperties": 1,
        "Vault": 1,
        "Registry": 1,
        "Workspace": 2,  # of Log Analytics and of machine learning
        "Component": 1,
        "UserAssignedIdentity": 2,
        "ComputeCluster": 3,
        "Compute": 3,
        "AdlsDatastore": 1,
        "Datastore": 1,
        "DataScientistRole": 1,
        "RoleDefinition": 2,
    }


def test_names_are_the_published_ones(dev: Run) -> None:
    ids = {r.id for r in dev.resources if r.type.startswith("azure-native:")}
    ends = {id_.rsplit("/", 1)[1] for id_ in ids}
    base = "bgmrbluegranite2dev"
    assert {f"{base}{suffix}" for suffix in ("ws", "work", "data", "lake", "cr", "kv", "ai", "log")} <= ends
    assert {
        ("bgmr-bluegranit-eastus2-dev"),
        "ds3-v2-cluster",
        "ds13-v2-2ndclust",
        "nv6-gpucluster",
        "fs1",
        "MLData",
    } <= ends


def test_azure_makes_up_no_name_and_no_place(dev: Run, prod: Run) -> None:
    regional = {"ResourceGroup", "StorageAccount", "Vault", "Registry", "Workspace", "Component", "Compute"}
    for resource in [*dev.resources, *prod.resources]:
        if resource.type.startswith("azure-native:"):
            assert resource.id  # made of path inputs alone: a missing one fails here
        if resource.type.startswith("azure-native:") and resource.type.rsplit(":", 1)[1] in regional:
            assert resource.inputs["location"] == "eastus2"
            assert resource.inputs["tags"] == {
                "department": "bgmr",
                "team": resource.inputs["tags"]["team"],
                "environment": resource.inputs["tags"]["environment"],
                "owner": "user@domain.com",
                "costCenter": resource.inputs["tags"]["costCenter"],
            }


def test_everything_hangs_on_the_subscription_of_the_settings(dev: Run) -> None:
    provider = dev.one("azure-native")
    assert provider.inputs["subscriptionId"] == "8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27"
    for resource in dev.resources:
        if resource.type.startswith("azure-native:"):
            assert resource.request.provider.startswith(provider.urn)


def test_every_resource_is_below_its_team(prod: Run) -> None:
    parents = {r.urn: r.parent for r in prod.resources}
    teams = {r.urn for r in prod.of("TeamWorkspace")}
    assert len(teams) == 2
    for resource in prod.resources:
        if resource.type.startswith("azure-native:") and not resource.type.endswith(":PolicyDefinition"):
            urn = resource.parent
            while urn not in teams:
                urn = parents[urn]


def assignments(run: Run, principal: str) -> set[tuple[str, str]]:
    """(last part of the scope, GUID of the role) of what somebody is assigned."""
    return assignments_of(run, principal_id(principal))


def assignments_of(run: Run, object_id: str) -> set[tuple[str, str]]:
    return {
        (r.inputs["scope"].rsplit("/", 1)[1], r.inputs["roleDefinitionId"].rsplit("/", 1)[1])
        for r in run.of("RoleAssignment")
        if r.inputs["principalId"] == object_id
    }


def user(name: str) -> str:
    return json.dumps({"userPrincipalName": name})


def test_the_workspace_identity_has_its_roles_before_the_workspace_exists(dev: Run) -> None:
    workspace = dev.one("machinelearningservices:Workspace")
    before = dev.before(workspace)
    needed = {
        ("bgmrbluegranite2devwork", CONTRIBUTOR),
        ("bgmrbluegranite2devkv", CONTRIBUTOR),
        ("bgmrbluegranite2devkv", VAULT_ADMIN),
        ("bgmrbluegranite2devcr", CONTRIBUTOR),
        ("bgmrbluegranite2devai", CONTRIBUTOR),
        ("bgmrbluegranite2devwork", BLOB),
    }
    found = {
        (r.inputs["scope"].rsplit("/", 1)[1], r.inputs["roleDefinitionId"].rsplit("/", 1)[1])
        for r in dev.of("RoleAssignment")
        if r.urn in before and r.inputs["principalId"] == IDENTITY
    }
    assert needed <= found
    assert workspace.inputs["primaryUserAssignedIdentity"].endswith("/bgmrbluegranite2devid")
    assert workspace.inputs["identity"]["type"] == "UserAssigned"


def test_the_clusters_identity_has_its_roles_before_the_clusters_exist(dev: Run) -> None:
    for compute in dev.of("Compute"):
        before = dev.before(compute)
        found = {
            (r.inputs["scope"].rsplit("/", 1)[1], r.inputs["roleDefinitionId"].rsplit("/", 1)[1])
            for r in dev.of("RoleAssignment")
            if r.urn in before and r.inputs["principalId"] == NODES
        }
        assert {("bgmrbluegranite2devcr", ACR_PULL), ("bgmrbluegranite2devwork", BLOB)} <= found
        assert compute.inputs["identity"]["userAssignedIdentities"][0].endswith("/bgmrbluegranite2devnodeid")


def test_people_get_their_roles_on_the_group_and_their_data(dev: Run) -> None:
    lead, scientist = (
        dev.one("RoleDefinition", roleName=f"bgmr bluegranit dev {t}") for t in ("Team Lead", "Data Scientist")
    )
    group = "bgmr-bluegranit-eastus2-dev"
    as_lead, as_scientist = ((group, r.inputs["roleDefinitionId"]) for r in (lead, scientist))
    data = (group, BLOB)
    assert assignments(dev, user("admin1@site.com")) == {as_lead, data}
    assert assignments(dev, user("user1@site.com")) == {as_lead, as_scientist, data}
    assert assignments(dev, user("user2@site.com")) == {as_scientist, data}
    for role in (lead, scientist):
        assert role.inputs["assignableScopes"] == [role.inputs["scope"]]
        assert role.inputs["scope"].endswith(f"/resourceGroups/{group}")
        for assignment in dev.of("RoleAssignment"):
            if role.inputs["roleDefinitionId"] in assignment.inputs["roleDefinitionId"]:
                assert role.urn in assignment.dependencies


def test_no_assignment_is_there_twice_and_each_tells_the_principal_type(dev: Run, prod: Run) -> None:
    for run in (dev, prod):
        keys = [
            (a.inputs["scope"], a.inputs["principalId"], a.inputs["roleDefinitionId"]) for a in run.of("RoleAssignment")
        ]
        names = [a.inputs["roleAssignmentName"] for a in run.of("RoleAssignment")]
        assert len(set(keys)) == len(keys) == len(set(names))
        people = {principal_id(user(f"{name}@site.com")) for name in ("admin1", "user1", "user2")}
        for assignment in run.of("RoleAssignment"):
            expected = "User" if assignment.inputs["principalId"] in people else "ServicePrincipal"
            assert assignment.inputs["principalType"] == expected


def with_team(**settings: Any) -> Any:
    """The dev stack's department with its team set otherwise."""
    department = copy.deepcopy(stack_file("dev"))
    department["teams"][0] |= settings
    return department


def test_groups_have_the_roles_in_their_peoples_place() -> None:
    run = run_program(with_team(groups=True, readers=["user2@site.com"]))
    groups = {g.inputs["displayName"]: g for g in run.of("Group")}
    assert set(groups) == {f"bgmr bluegranit dev {title}" for title in ("Team Lead", "Data Scientist", "Reader")}
    leads = groups["bgmr bluegranit dev Team Lead"]
    assert leads.inputs["members"] == [principal_id(user(f"{name}@site.com")) for name in ("admin1", "user1")]
    assert leads.inputs["securityEnabled"] is True
    types = Counter(a.inputs["principalType"] for a in run.of("RoleAssignment"))
    assert types["User"] == 0
    assert {scope for scope, _ in assignments(run, leads.name)} == {"bgmr-bluegranit-eastus2-dev"}


SECRET = {"rotated": "2026-11-01", "validDays": 90, "readers": ["admin1@site.com"]}


def test_the_seed_case_a_contributor_with_a_secret_in_the_vault() -> None:
    run = run_program(with_team(automation=[{"name": "seed", "role": "contributor", "secret": SECRET}]))
    assert assignments(run, "bluegranit-seed") == {
        ("bgmrbluegranite2devws", CONTRIBUTOR),
        ("bgmr-bluegranit-eastus2-dev", BLOB),
    }
    password = run.one("ServicePrincipalPassword")
    assert password.inputs["endDate"] == "2027-01-30T00:00:00Z"
    assert password.inputs["rotateWhenChanged"] == {"rotated": "2026-11-01"}
    kept = run.one("Secret").inputs
    assert kept["secretName"] == "seed-password"
    assert rpc.unwrap_rpc_secret(kept["properties"])["attributes"] == {
        "expires": datetime(2027, 1, 30, tzinfo=UTC).timestamp()
    }
    assert ("seed-password", SECRETS_USER) in assignments(run, user("admin1@site.com"))
    automation = StackOutputs.model_validate(run.outputs, strict=False).teams["bluegranit"].automation["seed"]
    assert (automation.vault, automation.secret_name) == ("bgmrbluegranite2devkv", "seed-password")
    assert automation.client_id == principal_id("client bluegranit-seed")


def test_automation_is_trusted_by_its_own_tokens() -> None:
    devops = {
        ("organizationId"): "0" * 8 + "-0000-0000-0000-" + "0" * 12,
        "organization": "contoso",
        "project": "ML",
        "serviceConnection": "azure ml",
    }
    github = {"repository": "contoso/forecast", "environment": "prod"}
    run = run_program(with_team(automation=[{"name": "release", "github": github, "azureDevOps": devops}]))
    trusted = {f.inputs["displayName"]: f.inputs for f in run.of("ApplicationFederatedIdentityCredential")}
    assert trusted["github"]["issuer"] == "https://token.actions.githubusercontent.com"
    assert trusted["github"]["subject"] == "repo:contoso/forecast:environment:prod"
    assert trusted["azure-devops"]["issuer"].startswith("https://vstoken.dev.azure.com/00000000-")
    assert trusted["azure-devops"]["subject"] == "sc://contoso/ML/azure ml"
    assert all(inputs["audiences"] == ["api://AzureADTokenExchange"] for inputs in trusted.values())
    assert run.of("ServicePrincipalPassword") == run.of("keyvault:Secret") == []
    role = run.one("RoleDefinition", roleName="bgmr bluegranit dev MLOps Automation").inputs["roleDefinitionId"]
    assert ("bgmr-bluegranit-eastus2-dev", role) in assignments(run, "bluegranit-release")


def test_a_lake_by_service_principal_keeps_its_secret_secret() -> None:
    lake = {"fileSystems": ["fs1"], "datastores": [{"name": "MLData", "fileSystem": "fs1"}], "servicePrincipal": SECRET}
    run = run_program(with_team(lake=lake))
    credentials = rpc.unwrap_rpc_secret(run.one("Datastore").inputs["properties"])["credentials"]
    assert (credentials["credentialsType"], credentials["clientId"]) == (
        "ServicePrincipal",
        principal_id("client bluegranit-lake"),
    )
    sent = run.one("Datastore").request.object["properties"]["credentials"]["secrets"]
    assert SECRET_MARK in str(sent)
    assert ("fs1", BLOB) in assignments(run, "bluegranit-lake")


def test_a_lake_that_exists_gets_nothing_but_roles() -> None:
    group = f"/subscriptions/{stack_file('dev')['subscriptionId']}/resourceGroups/data"
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/companylake"
    lake = {
        ("accountId"): account,
        "fileSystems": ["sales"],
        "datastores": [{"name": "Sales", "fileSystem": "sales", "type": "blob"}],
    }
    run = run_program(with_team(lake=lake))
    assert len(run.of("StorageAccount")) == 2
    assert run.of("BlobContainer") == run.of("BlobServiceProperties") == []
    properties = run.one("Datastore").inputs["properties"]
    assert (
        properties["datastoreType"],
        properties["accountName"],
        properties["containerName"],
        properties["resourceGroup"],
    ) == (
        "AzureBlob",
        "companylake",
        "sales",
        "data",
    )
    scope = f"{account}/blobServices/default/containers/sales"
    assert sum(a.inputs["scope"] == scope for a in run.of("RoleAssignment")) == 5


def test_a_lake_ages_and_forgives() -> None:
    rules = [
        {("name"): "old", "prefixes": ["fs1/logs"], "coolAfterDays": 30, "archiveAfterDays": 90, "deleteAfterDays": 365}
    ]
    run = run_program(with_team(lake={"fileSystems": ["fs1"], "softDeleteDays": 14, "lifecycle": rules}))
    [rule] = run.one("ManagementPolicy").inputs["policy"]["rules"]
    assert rule["definition"]["filters"] == {"blobTypes": ["blockBlob"], "prefixMatch": ["fs1/logs"]}
    assert rule["definition"]["actions"]["baseBlob"] == {
        "tierToCool": {"daysAfterModificationGreaterThan": 30},
        "tierToArchive": {"daysAfterModificationGreaterThan": 90},
        "delete": {"daysAfterModificationGreaterThan": 365},
    }
    kept = run.one("BlobServiceProperties").inputs
    assert kept["deleteRetentionPolicy"] == kept["containerDeleteRetentionPolicy"] == {"enabled": True, "days": 14}
    assert run_program(with_team(lake={"fileSystems": ["fs1"], "softDeleteDays": 0})).of("BlobServiceProperties") == []


def test_an_instance_is_one_persons_and_stops() -> None:
    schedule = {"start": "0 8 * * 1-5", "stop": "0 18 * * *", "timeZone": "W. Europe Standard Time"}
    instance = {
        "name": "user2-notebook",
        "user": "user2@site.com",
        "vmSize": "STANDARD_DS3_V2",
        "schedule": schedule,
        "setupScript": "echo hi",
    }
    run = run_program(with_team(instances=[instance], clusters=[]))
    compute = run.one("Compute")
    properties = compute.inputs["properties"]
    assert (properties["computeType"], properties["disableLocalAuth"]) == ("ComputeInstance", True)
    inner = properties["properties"]
    assert inner["idleTimeBeforeShutdown"] == "PT60M"
    assert inner["personalComputeInstanceSettings"]["assignedUser"] == {
        "objectId": principal_id(user("user2@site.com")),
        "tenantId": TENANT,
    }
    assert [
        (s["action"], s["cron"]["expression"], s["cron"]["timeZone"]) for s in inner["schedules"]["computeStartStop"]
    ] == [
        ("Start", "0 8 * * 1-5", "W. Europe Standard Time"),
        ("Stop", "0 18 * * *", "W. Europe Standard Time"),
    ]
    assert inner["setupScripts"]["scripts"]["creationScript"] == {
        "scriptSource": "inline",
        "scriptData": "ZWNobyBoaQ==",
    }
    assert (inner["enableSSO"], inner["sshSettings"]["sshPublicAccess"]) == (True, "Disabled")
    assert list(compute.request.replaceOnChanges) == ["properties"]
    assert ("bgmr-bluegranit-eastus2-dev", FILES) in assignments(run, user("user2@site.com"))


def test_the_account_for_data_has_containers_and_datastores() -> None:
    run = run_program(with_team(data={"containers": ["raw"], "datastores": [{"name": "Raw", "container": "raw"}]}))
    assert run.one("BlobContainer", containerName="raw").inputs["accountName"] == "bgmrbluegranite2devdata"
    store = StackOutputs.model_validate(run.outputs, strict=False).teams["bluegranit"].datastores["Raw"]
    assert (store.type, store.account, store.container) == ("AzureBlob", "bgmrbluegranite2devdata", "raw")


def test_every_persona_gets_its_role_and_only_those_who_work_with_data_get_the_data() -> None:
    department = copy.deepcopy(stack_file("dev"))
    department["subscriptionAdmins"] = ["quota@site.com"]
    department["teams"][0] |= {
        "admins": ["boss@site.com"],
        "readers": [{"group": "Auditors"}],
        "dataScientists": [{"group": "Data People", "until": "2099-12-31"}],
    }
    run = run_program(department)
    group = "bgmr-bluegranit-eastus2-dev"
    assert assignments(run, user("boss@site.com")) == {(group, CONTRIBUTOR)}
    auditors, people = (
        json.dumps({"displayName": name, "securityEnabled": True}) for name in ("Auditors", "Data People")
    )
    assert assignments(run, auditors) == {(group, READER)}
    assert {scope for scope, _ in assignments(run, people)} == {group}
    assert (group, BLOB) in assignments(run, people)
    assert {
        a.inputs["principalType"] for a in run.of("RoleAssignment") if a.inputs["principalId"] == principal_id(people)
    } == {"Group"}
    [(subscription, role)] = assignments(run, user("quota@site.com"))
    definition = run.one("RoleDefinition", roleName="bgmr dev Subscription Admin")
    assert (subscription, role) == (department["subscriptionId"], definition.inputs["roleDefinitionId"])


def test_role_names_are_unique_in_the_tenant(dev: Run, prod: Run) -> None:
    names = [r.inputs["roleName"] for run in (dev, prod) for r in run.of("RoleDefinition")]
    guids = [r.inputs["roleDefinitionId"] for run in (dev, prod) for r in run.of("RoleDefinition")]
    assert len(set(names)) == len(names) == len(set(guids)) == 6


def test_everybody_is_looked_up_once(prod: Run) -> None:
    asked = Counter(json.dumps(args) for token, args in prod.invokes if token.endswith(":getUser"))
    assert set(asked.values()) == {1}
    assert len(asked) == 3


def test_nothing_has_a_password_or_is_open_to_the_public(dev: Run) -> None:
    for account in dev.of("StorageAccount"):
        assert account.inputs["allowSharedKeyAccess"] is False
        assert account.inputs["allowBlobPublicAccess"] is False
        assert account.inputs["enableHttpsTrafficOnly"] is True
        assert account.inputs["minimumTlsVersion"] == "TLS1_2"
    assert {a.inputs["accountName"] for a in dev.of("StorageAccount") if a.inputs["isHnsEnabled"]} == {
        "bgmrbluegranite2devlake"
    }
    vault = dev.one("Vault").inputs["properties"]
    assert vault["enableRbacAuthorization"] is True and vault["enableSoftDelete"] is True
    assert "enablePurgeProtection" not in vault  # Azure refuses false
    assert dev.one("Registry").inputs["adminUserEnabled"] is False
    workspace = dev.one("machinelearningservices:Workspace").inputs
    assert workspace["systemDatastoresAuthMode"] == "Identity"
    assert workspace["v1LegacyMode"] is False
    assert dev.one("Datastore").inputs["properties"]["credentials"] == {"credentialsType": "None"}
    assert dev.one("Component").inputs["workspaceResourceId"].endswith("/bgmrbluegranite2devlog")


def test_production_is_stricter(prod: Run) -> None:
    assert all(v.inputs["properties"]["enablePurgeProtection"] is True for v in prod.of("Vault"))
    assert all(r.inputs["sku"] == {"name": "Premium"} for r in prod.of("Registry"))  # it is private
    assert all(a.inputs["sku"] == {"name": "Standard_ZRS"} for a in prod.of("StorageAccount"))
    assert {c.inputs["properties"]["properties"]["vmPriority"] for c in prod.of("Compute")} == {"Dedicated"}


def test_production_cannot_be_deleted_by_mistake(dev: Run, prod: Run) -> None:
    locked = {lock.inputs["scope"].rsplit("/", 1)[1] for lock in prod.of("ManagementLockByScope")}
    kept = [r for r in prod.resources if r.type.endswith((":StorageAccount", ":Vault"))]
    assert locked == {r.id.rsplit("/", 1)[1] for r in kept}
    assert all(r.request.protect for r in kept)
    assert len(kept) == 8
    assert {lock.inputs["level"] for lock in prod.of("ManagementLockByScope")} == {"CanNotDelete"}
    assert dev.of("ManagementLockByScope") == []
    assert not any(r.request.protect for r in dev.resources)


def test_nobody_who_comes_and_goes_has_a_role_on_what_is_locked(prod: Run) -> None:
    locked = tuple(lock.inputs["scope"] for lock in prod.of("ManagementLockByScope"))
    for assignment in prod.of("RoleAssignment"):
        if assignment.inputs["principalType"] == "User":
            assert not assignment.inputs["scope"].startswith(locked)
    assert ("bgmr-bluegranit-eastus2-pro", BLOB) in assignments(prod, user("user2@site.com"))


def test_a_lock_goes_before_what_is_below_it(prod: Run) -> None:
    for lock in prod.of("ManagementLockByScope"):
        before = prod.before(lock)
        below = [a for a in prod.of("RoleAssignment") if a.inputs["scope"].startswith(lock.inputs["scope"])]
        assert below
        assert all(a.urn in before for a in below)


def test_production_is_logged(dev: Run, prod: Run) -> None:
    watched = Counter(d.inputs["resourceUri"].split("/")[7] for d in prod.of("DiagnosticSetting"))
    assert watched == {"workspaces": 2, "vaults": 2, "registries": 2, "storageAccounts": 6}
    assert all(
        "/blobServices/default" in d.inputs["resourceUri"]
        for d in prod.of("DiagnosticSetting")
        if "storage" in d.inputs["resourceUri"]
    )
    assert dev.of("DiagnosticSetting") == []


def test_azure_policy_holds_the_same_rules(prod: Run) -> None:
    department = {
        **with_team(),
        "azurePolicy": "deny",
        "allowedVmSizes": ["STANDARD_DS3_V2", "STANDARD_D13_V2", "STANDARD_NV6"],
    }
    run = run_program(department)
    assigned = {a.inputs["policyAssignmentName"]: a.inputs for a in run.of("PolicyAssignment")}
    assert assigned["compute-vm-sizes"]["parameters"] == {
        "effect": {"value": "Deny"},
        "allowedVmSizes": {"value": department["allowedVmSizes"]},
    }
    assert assigned["cluster-min-nodes"]["parameters"] == {"effect": {"value": "Deny"}}
    assert assigned["storage-tls"]["parameters"]["minimumTlsVersion"] == {"value": "TLS1_2"}
    assert {a["scope"].rsplit("/", 1)[1] for a in assigned.values()} == {"bgmr-bluegranit-eastus2-dev"}
    rules = {d.inputs["policyDefinitionName"]: d.inputs["policyRule"] for d in run.of("PolicyDefinition")}
    assert set(rules) == {"bgmr-dev-ml-compute-vm-sizes", "bgmr-dev-ml-cluster-min-nodes"}
    audited = {
        a.inputs["policyAssignmentName"]: a.inputs["parameters"]["effect"]["value"] for a in prod.of("PolicyAssignment")
    }
    assert audited["workspace-logs"] == "AuditIfNotExists"
    assert set(audited.values()) == {"Audit", "AuditIfNotExists"}
    assert "vault-purge-protection" in audited and "vault-purge-protection" not in assigned


def test_a_budget_tells_in_time() -> None:
    run = run_program(with_team(budget={"monthly": 500, "start": "2026-12", "contacts": ["boss@site.com"]}))
    budget = run.one("Budget")
    assert (budget.inputs["amount"], budget.inputs["timePeriod"]) == (500, {"startDate": "2026-12-01T00:00:00Z"})
    told = {(n["thresholdType"], n["threshold"]) for n in budget.inputs["notifications"].values()}
    assert told == {("Actual", 50), ("Actual", 80), ("Actual", 100), ("Forecasted", 100)}
    assert all(n["contactEmails"] == ["boss@site.com"] for n in budget.inputs["notifications"].values())
    assert list(budget.request.replaceOnChanges) == ["timePeriod.startDate"]


PRIVATE = {"mode": "private", "addressSpace": "10.20.0.0/24"}
ENDPOINTS = {
    "work-blob": ("bgmrbluegranite2devwork", "blob"),
    "work-file": ("bgmrbluegranite2devwork", "file"),
    "work-queue": ("bgmrbluegranite2devwork", "queue"),
    "work-table": ("bgmrbluegranite2devwork", "table"),
    "data-blob": ("bgmrbluegranite2devdata", "blob"),
    "lake-blob": ("bgmrbluegranite2devlake", "blob"),
    "lake-dfs": ("bgmrbluegranite2devlake", "dfs"),
    "vault": ("bgmrbluegranite2devkv", "vault"),
    "registry": ("bgmrbluegranite2devcr", "registry"),
    "workspace": ("bgmrbluegranite2devws", "amlworkspace"),
}


def test_a_private_team_is_reached_by_endpoints_only() -> None:
    run = run_program(with_team(network=PRIVATE))
    for account in run.of("StorageAccount"):
        assert (account.inputs["publicNetworkAccess"], account.inputs["networkRuleSet"]["defaultAction"]) == (
            "Disabled",
            "Deny",
        )
    assert run.one("Vault").inputs["properties"]["publicNetworkAccess"] == "Disabled"
    assert run.one("Registry").inputs["publicNetworkAccess"] == "Disabled"
    assert run.one("Registry").inputs["sku"] == {"name": "Premium"}
    workspace = run.one("machinelearningservices:Workspace")
    assert workspace.inputs["serverlessComputeSettings"] == {
        "serverlessComputeCustomSubnet": f"{run.one('VirtualNetwork').id}/subnets/compute",
        "serverlessComputeNoPublicIP": True,
    }
    assert (workspace.inputs["publicNetworkAccess"], workspace.inputs["imageBuildCompute"]) == (
        "Disabled",
        "ds3-v2-cluster",
    )
    endpoints = {}
    for endpoint in run.of("PrivateEndpoint"):
        [link] = endpoint.inputs["privateLinkServiceConnections"]
        endpoints[link["name"]] = (link["privateLinkServiceId"].rsplit("/", 1)[1], link["groupIds"][0])
        assert endpoint.inputs["subnet"]["id"].endswith("/virtualNetworks/bgmrbluegranite2devvnet/subnets/endpoints")
    assert endpoints == ENDPOINTS
    zones = {z.inputs["privateZoneName"] for z in run.of("PrivateZone")}
    assert {"privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"} < zones
    assert len(zones) == len(run.of("VirtualNetworkLink")) == 9
    groups = {
        g.name: [c["privateDnsZoneId"].rsplit("/", 1)[1] for c in g.inputs["privateDnsZoneConfigs"]]
        for g in run.of("PrivateDnsZoneGroup")
    }
    assert groups["bluegranit-workspace"] == ["privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"]
    assert {zone for used in groups.values() for zone in used} == zones


def test_private_clusters_are_in_the_network_and_come_after_the_endpoints() -> None:
    run = run_program(with_team(network=PRIVATE))
    network = run.one("VirtualNetwork").inputs
    assert [(s["name"], s["addressPrefix"]) for s in network["subnets"]] == [
        ("endpoints", "10.20.0.0/25"),
        ("compute", "10.20.0.128/25"),
    ]
    assert all("networkSecurityGroup" in subnet for subnet in network["subnets"])
    for compute in run.of("Compute"):
        inner = compute.inputs["properties"]["properties"]
        assert inner["subnet"]["id"].endswith("/subnets/compute")
        assert inner["enableNodePublicIp"] is False
        assert {e.urn for e in run.of("PrivateEndpoint") if "lake" not in e.name} <= run.before(compute)


def test_a_given_network_and_its_zones_are_used() -> None:
    spoke = f"/subscriptions/{'0' * 8}-0000-0000-0000-{'0' * 12}/resourceGroups/hub"
    subnets = f"{spoke}/providers/Microsoft.Network/virtualNetworks/spoke/subnets"
    given = {
        "mode": "private",
        "endpointSubnetId": f"{subnets}/pe",
        "computeSubnetId": f"{subnets}/ml",
        "dnsZonesGroupId": spoke,
    }
    run = run_program(with_team(network=given))
    assert (
        run.of("VirtualNetwork")
        == run.of("PrivateZone")
        == run.of("VirtualNetworkLink")
        == run.of("NetworkSecurityGroup")
        == []
    )
    assert {e.inputs["subnet"]["id"] for e in run.of("PrivateEndpoint")} == {f"{subnets}/pe"}
    used = {c["privateDnsZoneId"] for g in run.of("PrivateDnsZoneGroup") for c in g.inputs["privateDnsZoneConfigs"]}
    assert all(zone.startswith(f"{spoke}/providers/Microsoft.Network/privateDnsZones/privatelink.") for zone in used)
    without_zones = run_program(with_team(network={k: v for k, v in given.items() if k != "dnsZonesGroupId"}))
    assert {link.inputs["virtualNetwork"]["id"] for link in without_zones.of("VirtualNetworkLink")} == {
        subnets.removesuffix("/subnets")
    }


def test_a_managed_network_lets_out_what_is_named() -> None:
    sql = f"/subscriptions/{'0' * 8}-0000-0000-0000-{'0' * 12}/resourceGroups/db/providers/Microsoft.Sql/servers/sql"
    outbound = [
        {"name": "pypi", "host": "*.pypi.org"},
        {"name": "factory", "serviceTag": "DataFactory", "ports": "443"},
        {"name": "sql", "resourceId": sql, "subresource": "sqlServer"},
    ]
    network = {"mode": "managed", "outbound": outbound, "allowedIps": ["203.0.113.7/32"]}
    basic = run_program(with_team(network={**network, "basicFirewall": True})).one("machinelearningservices:Workspace")
    assert basic.inputs["managedNetwork"]["firewallSku"] == "Basic"
    run = run_program(with_team(network=network))
    workspace = run.one("machinelearningservices:Workspace").inputs
    assert workspace["managedNetwork"]["isolationMode"] == "AllowOnlyApprovedOutbound"
    assert "firewallSku" not in workspace["managedNetwork"]
    assert (workspace["provisionNetworkNow"], workspace["publicNetworkAccess"]) == (True, "Enabled")
    rules = {r.inputs["ruleName"]: r.inputs["properties"] for r in run.of("ManagedNetworkSettingsRule")}
    assert set(rules) == {"pypi", "factory", "sql", "data-blob", "lake-blob", "lake-dfs"}
    assert (rules["pypi"]["type"], rules["pypi"]["destination"]) == ("FQDN", "*.pypi.org")
    assert rules["factory"]["destination"]["serviceTag"] == "DataFactory"
    assert rules["lake-dfs"]["destination"]["serviceResourceId"].endswith("/bgmrbluegranite2devlake")
    assert run.one("StorageAccount", accountName="bgmrbluegranite2devwork").inputs["networkRuleSet"]["ipRules"] == [
        {"iPAddressOrRange": "203.0.113.7", "action": "Allow"}
    ]
    assert run.one("Registry").inputs["networkRuleSet"]["defaultAction"] == "Deny"
    approver = {
        scope for scope, role in assignments_of(run, IDENTITY) if role == "b556d68e-0be0-4f35-a333-ad7ee1ce17ea"
    }
    assert approver == {"bgmr-bluegranit-eastus2-dev"}
    assert not any("subnet" in c.inputs["properties"]["properties"] for c in run.of("Compute"))
    assert not any(c.inputs["properties"]["properties"]["enableNodePublicIp"] for c in run.of("Compute"))


def test_outputs_keep_the_contract(dev: Run, prod: Run) -> None:
    outputs = StackOutputs.model_validate(json.loads(json.dumps(dev.outputs)), strict=False)
    team = outputs.teams["bluegranit"]
    assert (team.resource_group, team.workspace) == ("bgmr-bluegranit-eastus2-dev", "bgmrbluegranite2devws")
    assert team.datastores["MLData"].uri == (
        "azureml://subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27/resourcegroups/bgmr-bluegranit-eastus2-dev"
        "/workspaces/bgmrbluegranite2devws/datastores/MLData/paths/"
    )
    assert {name: c.max_nodes for name, c in team.clusters.items()} == {
        "ds3-v2-cluster": 1,
        "ds13-v2-2ndclust": 2,
        "nv6-gpucluster": 1,
    }
    assert set(StackOutputs.model_validate(prod.outputs, strict=False).teams) == {"bluegranit", "forecast"}


def test_the_committed_schema_is_that_of_the_contract() -> None:
    assert (ROOT / "docs" / "outputs.schema.json").read_text() == schema()


def test_a_preview_goes_through_without_an_account_and_says_what_it_could_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")  # asks nobody but the environment
    for name in ("AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    run = run_program(stack_file("dev"), preview=True)
    assert len(run.resources) == len(run_program(stack_file("dev")).resources)
    assert "The vCPU quota in eastus2 could not be read, so it is not checked: signing in to Azure" in run.warnings[-1]


def test_retired_sizes_are_warned_about(dev: Run, prod: Run) -> None:
    [warning] = dev.warnings
    assert "teams[0].clusters[2].vmSize" in warning and "STANDARD_NC4AS_T4_V3" in warning
    assert prod.warnings == []


def aliases(resource: Registered) -> list[Any]:
    return [*resource.request.aliases, *resource.request.aliasURNs]


def test_version_aliases_are_dropped_unless_kept() -> None:
    department = stack_file("dev")
    assert not any(aliases(r) for r in run_program(department).resources)
    kept = run_program({**department, "keepVersionAliases": True})
    assert len(aliases(kept.one("Vault"))) > 10


def test_the_projects_own_aliases_stay() -> None:
    def program() -> None:
        drop_version_aliases()
        options = pulumi.ResourceOptions(
            aliases=[pulumi.Alias(name=("old")), "urn:pulumi:dev::p::azure-native:resources:ResourceGroup::older"]
        )
        resources.ResourceGroup("group", resource_group_name="group", location="eastus2", opts=options)

    [group] = run_function(program).of("ResourceGroup")
    assert [alias.spec.name or alias.urn.rsplit("::", 1)[1] for alias in group.request.aliases] == ["old", "older"]


def test_the_program_does_nothing_but_read_build_and_export() -> None:
    source = (ROOT / "__main__.py").read_text()
    statements = [line for line in source.splitlines() if line and not line.startswith(('"""', "import", "from"))]
    assert len(statements) == 2


def mutate(value: Any, draw: st.DrawFn) -> Any:
    """Something in the value replaced by something else."""
    strange: st.SearchStrategy[Any] = st.sampled_from(
        [None, (""), -1, 0, 2**70, 1.5, True, [], {}, [[]], "x" * 5000, "ünïcode", "a/../b", "${x}", "\x00"]
    )
    if isinstance(value, dict) and value and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: mutate(value[key], draw)}
    if isinstance(value, list) and value and draw(st.booleans()):
        i = draw(st.integers(0, len(value) - 1))
        return [*value[:i], mutate(value[i], draw), *value[i + 1 :]]
    return draw(strange)


@st.composite
def departments(draw: st.DrawFn) -> Any:
    department = copy.deepcopy(stack_file("dev"))
    for _ in range(draw(st.integers(1, 3))):
        department = mutate(department, draw)
    return department


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(departments())
def test_any_settings_give_a_graph_or_a_message_that_names_the_key(department: Any) -> None:
    try:
        run = run_program(department)
    except pulumi.RunError as error:
        assert re.match(r"Pulumi\.dev\.yaml: azureml-platform:department", str(error))
    else:
        StackOutputs.model_validate(run.outputs, strict=False)


def test_the_policy_configurations_allow_what_the_stacks_ask_for() -> None:
    for stack in ("dev", "prod"):
        config = json.loads(Path(ROOT / "policies" / "merged" / f"{stack}.json").read_text())
        allowed = config["machinelearning-compute-allow-vm-sizes"]["allowed"]
        for team in stack_file(stack)["teams"]:
            assert all(cluster["vmSize"] in allowed for cluster in team["clusters"])
