"""One setting edited at a time: exactly the operations that the documented rules give, on exactly what it concerns.

Expectations come from `rules` and from Azure's own refusals, never from the stand-in providers. Every edit is
previewed from the same base, which has every setting; a dozen are brought up, watched on the wire, and taken back.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from settings import parse_department
from tests.azure.client import Client
from tests.conftest import started
from tests.program.stack import Stack
from tests.proof.edits import (
    AZUREAD,
    BODY,
    DECLARED,
    FORCED,
    GRAPH,
    NESTED,
    NOTHING,
    PATH,
    REGISTERED,
    Edit,
    World,
    check,
    done_by,
    edited,
    fields,
    on_the_way,
    rows,
)
from tests.proof.recording import recorded
from tests.proof.stacks import BASE

TEAM = "teams.0."
TEAM_TAGGED = (
    *("ResourceGroup all-*", "UserAssignedIdentity *", "StorageAccount *", "Vault *", "Registry all-*", "Workspace *"),
    *("Component *", "Compute all-low", "Compute all-own", "Secret *"),
)
"""But for instances: Azure changes none, so the component keeps their tags as they are."""
MODELS = ("ResourceGroup model-registry-group", "Registry model-registry")
MODEL_ROLES = "RoleAssignment model-registry-*"
TAGGED = (*TEAM_TAGGED, *MODELS)
IN_GROUP = (
    *TEAM_TAGGED,
    *("RoleDefinition all-*", "RoleAssignment all-*", "PolicyAssignment *", "Budget *", "DiagnosticSetting *"),
    *("Compute *", "Blob*", "FileShare *", "ManagementPolicy *", "Datastore *"),
)
ROLES = ("admin", "reader", "teamLead", "dataScientist")


def team(path: str, *rest: Any, **expected: Any) -> Edit:
    return Edit(TEAM + path, *rest, **expected)


def on_lake(who: str) -> tuple[str, ...]:
    """Somebody's assignments to the team's data."""
    return (f"RoleAssignment all-{who}-data", f"RoleAssignment all-{who}-files", uses_models(who))


def uses_models(who: str, role: str = "user") -> str:
    """Somebody's assignment to the department's model registry."""
    return f"RoleAssignment model-registry-{role}-{who}"


DEFINED = "Azure deletes no definition that is assigned, and gives no assignment another one"
CLUSTER, INSTANCE = "Compute all-low", "Compute all-notebook"
POLICIES, PASSWORD = "PolicyAssignment *", "ServicePrincipalPassword all-lake"
STORES = ("Datastore all-Raw", "Datastore all-Curated")
DEVOPS = {
    "organizationId": "11111111-2222-3333-4444-555555555555",
    "organization": "contoso",
    "project": "forecast",
    "serviceConnection": "azure",
}

EDITS = [
    # the department
    Edit("code", "wise", PATH + "; " + DEFINED, applied=True, update=(*TEAM_TAGGED, "Application *"),
         replace=(*MODELS, MODEL_ROLES, "RoleDefinition *", "PolicyDefinition *",
                  "PolicyAssignment all-compute-vm-sizes",
                  "PolicyAssignment all-cluster-min-nodes", "RoleAssignment all-teamLead-*",
                  "RoleAssignment all-dataScientist-*", "RoleAssignment all-automation-*",
                  "RoleAssignment subscription-admin-*")),
    Edit("environment", "dev", PATH + "; " + DEFINED, update=(*TEAM_TAGGED, "Application *"),
         replace=(*MODELS, MODEL_ROLES, "RoleDefinition *", "PolicyDefinition *",
                  "PolicyAssignment all-compute-vm-sizes",
                  "PolicyAssignment all-cluster-min-nodes", "RoleAssignment all-teamLead-*",
                  "RoleAssignment all-dataScientist-*", "RoleAssignment all-automation-*",
                  "RoleAssignment subscription-admin-*")),
    Edit("region", "northeurope", FORCED, replace=(*IN_GROUP, *MODELS, MODEL_ROLES)),
    Edit("regionAbbreviation", "ne", PATH, replace=("Registry model-registry", MODEL_ROLES)),
    Edit("admin", "admin1@site.com", NOTHING),
    Edit("owner", "Somebody else", BODY, update=TAGGED, applied=True),
    Edit("owner", ..., BODY, update=TAGGED),
    Edit("costCenter", "4712", BODY, update=TAGGED, applied=True),
    Edit("allowedVmSizes", ["STANDARD_DS3_V2", "STANDARD_D13_V2", "STANDARD_DS2_V2"], BODY,
         update=("PolicyAssignment all-compute-vm-sizes",), applied=True),
    Edit("allowedVmSizes", ..., REGISTERED, delete=("PolicyAssignment all-compute-vm-sizes",)),
    Edit("keyVault.purgeProtection", True, NESTED, update=("Vault *",),
         create=("PolicyAssignment all-vault-purge-protection",)),
    Edit("keyVault.retentionDays", 30, NESTED + "; Azure refuses it, as the settings say", update=("Vault *",)),
    Edit("registrySku", "Standard", BODY, update=("Registry all-*",), applied=True),
    Edit("logRetentionDays", 90, BODY, update=("Workspace all-logs",)),
    Edit("protect", True, REGISTERED + "; Azure removes no assignment below a lock", applied=True,
         create=tuple(f"ManagementLockByScope all-{what}" for what in ("work", "data", "lake", "vault"))),
    Edit("diagnostics", False, REGISTERED, applied=True,
         delete=("DiagnosticSetting *", "PolicyAssignment all-workspace-logs")),
    Edit("azurePolicy", "deny", BODY, update=tuple(
        f"PolicyAssignment all-{name}" for name in (
            "cluster-*", "compute-*", "instance-*", "storage-*", "vault-*", "registry-*", "insights-*",
            "workspace-identity"))),
    Edit("azurePolicy", "off", REGISTERED, delete=(POLICIES, "PolicyDefinition *"), applied=True),
    Edit("keepVersionAliases", True, NOTHING),
    Edit("modelRegistry.regions", [], BODY, update=("Registry model-registry",), applied=True),
    Edit("modelRegistry", ..., REGISTERED, delete=(*MODELS, MODEL_ROLES, "ModelRegistry model-registry")),
    Edit("deployers", ["user@domain.com", "admin1@site.com"], REGISTERED,
         create=("RoleAssignment all-vault-admin1@site.com",)),
    Edit("subscriptionAdmins", ["user1@site.com"], REGISTERED, delete=("RoleAssignment subscription-admin-*",),
         create=("RoleAssignment subscription-admin-user1@site.com",), applied=True),
    Edit("subscriptionAdmins", [], REGISTERED,
         delete=("RoleAssignment subscription-admin-*", "RoleDefinition subscription-admin")),
    # what changes nothing
    Edit("deployers", ["User@Domain.com"], NOTHING),
    Edit("deployers", [{"user": "user@domain.com"}], NOTHING),
    Edit("deployers", ..., NOTHING),
    Edit("teams.0.leads.0", {"user": "Admin1@Site.com"}, NOTHING),
    team("clusters", BASE["teams"][0]["clusters"][::-1], NOTHING),
    team("lake.datastores", BASE["teams"][0]["lake"]["datastores"][::-1], NOTHING),
    team("clusters.0.vmSize", "Standard_DS3_v2", NOTHING),
    team("clusters.1.idleMinutes", 2, NOTHING),
    team("clusters.1.minNodes", None, NOTHING),
    # a team
    team("customName", "wideall2", PATH,
         replace=(*IN_GROUP, *map(uses_models, ("all-workspace-identity", "all-nodes-identity", "all-own")))),
    team("admins", ["user@domain.com", "user1@site.com"], REGISTERED,
         create=("RoleAssignment all-admin-user1@site.com", uses_models("user1@site.com", "reader"))),
    team("leads", [], REGISTERED, delete=("RoleAssignment all-teamLead-*", *on_lake("admin1@site.com"))),
    team("leads.0.user", "user2@site.com", REGISTERED, applied=True,
         delete=("RoleAssignment all-teamLead-*", *on_lake("admin1@site.com")),
         create=("RoleAssignment all-teamLead-user2@site.com", *on_lake("user2@site.com"))),
    team("leads.0.until", "2098-12-31", NOTHING),
    team("spending.perJob", 20, NOTHING),
    team("serving.maxInstances", 5, NOTHING),
    team("serving.vmSizes.0", "STANDARD_D13_V2", NOTHING),
    team("dataScientists.0", {"user": "user1@site.com"}, REGISTERED,
         delete=("RoleAssignment all-dataScientist-*", *on_lake("bluegranit-data-scientists")),
         create=("RoleAssignment all-dataScientist-user1@site.com", "RoleAssignment all-user1@site.com-data",
                 uses_models("user1@site.com"))),  # whose files are theirs already, by their instance
    team("readers", [], REGISTERED, delete=("RoleAssignment all-reader-*", uses_models("user2@site.com", "reader"))),
    team("groups", True, REGISTERED,
         delete=("RoleAssignment all-admin-*", "RoleAssignment all-reader-*", "RoleAssignment all-teamLead-*",
                 "RoleAssignment model-registry-reader-*",
                 "RoleAssignment all-dataScientist-*", *on_lake("admin1@site.com"),
                 *on_lake("bluegranit-data-scientists")),
         create=(*(f"Group all-{role}" for role in ROLES),
                 *(f"RoleAssignment all-{role}-group-{role}" for role in ROLES),
                 *(uses_models(f"all-group-{role}", "reader") for role in ("admin", "reader")),
                 *(uses_models(f"all-group-{role}") for role in ("teamLead", "dataScientist")),
                 *(f"RoleAssignment all-group-{role}-{what}"
                   for role in ("teamLead", "dataScientist") for what in ("data", "files")))),
    team("workspaceIdentity", "system", BODY + "; Azure refuses it, as the settings say",
         update=("Workspace all-workspace", "Datastore all-data-*"),
         delete=("UserAssignedIdentity all-workspace-identity", "RoleAssignment all-workspace-identity-*",
                 "PolicyAssignment all-workspace-identity"),
         replace=(uses_models("all-workspace-identity"), *(
             f"RoleAssignment all-{what}-workspace-identity" for what in ("raw", "curated", "data-files")))),
    team("highBusinessImpact", True, BODY + "; Azure refuses it, as the settings say",
         update=("Workspace all-workspace",)),
    team("budget.monthly", 2000, BODY, update=("Budget *",)),
    team("budget.start", "2026-12", DECLARED, replace=("Budget *",), applied=True),
    team("budget.contacts", ["user1@site.com"], BODY, update=("Budget *",)),
    team("budget", ..., REGISTERED, delete=("Budget *",), applied=True),
    # clusters and instances
    team("clusters.0.name", "lower", REGISTERED, delete=(CLUSTER, "ComputeCluster all-low"),
         create=("Compute all-lower", "ComputeCluster all-lower")),
    team("clusters.0.vmSize", "STANDARD_D13_V2", DECLARED, replace=(CLUSTER,), applied=True),
    team("clusters.0.maxNodes", 4, NESTED, update=(CLUSTER,), applied=True),
    team("clusters.0.priority", "dedicated", DECLARED, replace=(CLUSTER,)),
    team("clusters.0.identity", "system", DECLARED, replace=(CLUSTER,), create=(
        "RoleAssignment all-all-low-images", *on_lake("all-low")),
         applied=True),
    team("clusters.0.idleMinutes", 20, NESTED, update=(CLUSTER,)),
    team("clusters", BASE["teams"][0]["clusters"][:1], REGISTERED,
         delete=("Compute all-own", "ComputeCluster all-own", uses_models("all-own"), "RoleAssignment *-all-own*")),
    team("instances.0.name", "paper", REGISTERED,
         delete=(INSTANCE, "ComputeInstance all-notebook"), create=("Compute all-paper", "ComputeInstance all-paper")),
    team("instances.0.user", "user2@site.com", DECLARED, replace=(INSTANCE,),
         delete=("RoleAssignment all-user1@site.com-files",), create=("RoleAssignment all-user2@site.com-files",)),
    team("instances.0.vmSize", "STANDARD_D13_V2", DECLARED, replace=(INSTANCE,)),
    team("instances.0.idleMinutes", 45, DECLARED, replace=(INSTANCE,), applied=True),
    team("instances.0.schedule.start", "0 9 * * *", DECLARED, replace=(INSTANCE,)),
    team("instances.0.schedule.stop", "0 19 * * *", DECLARED, replace=(INSTANCE,)),
    team("instances.0.schedule.timeZone", "UTC", DECLARED, replace=(INSTANCE,)),
    team("instances.0.schedule", ..., DECLARED, replace=(INSTANCE,)),
    team("instances.0.setupScript", "pip install duckdb", DECLARED, replace=(INSTANCE,)),
    team("instances", [], REGISTERED,
         delete=(INSTANCE, "ComputeInstance all-notebook", "RoleAssignment all-user1@site.com-files"), applied=True),
    # the lake
    team("lake.fileSystems", ["raw", "curated", "extra"], REGISTERED, applied=True,
         create=("BlobContainer all-extra", *(f"RoleAssignment all-extra-{who}" for who in (
             "all-lake", "nodes-identity", "workspace-identity")))),
    team("lake.softDeleteDays", 30, BODY, update=("BlobServiceProperties *",)),
    team("lake.softDeleteDays", 0, REGISTERED, delete=("BlobServiceProperties *",), applied=True),
    team("lake.lifecycle.0.name", "older", NESTED, update=("ManagementPolicy *",)),
    team("lake.lifecycle.0.prefixes", [], NESTED, update=("ManagementPolicy *",)),
    team("lake.lifecycle.0.coolAfterDays", 31, NESTED, update=("ManagementPolicy *",)),
    team("lake.lifecycle.0.archiveAfterDays", ..., NESTED, update=("ManagementPolicy *",)),
    team("lake.lifecycle.0.deleteAfterDays", 400, NESTED, update=("ManagementPolicy *",)),
    team("lake.lifecycle", [], REGISTERED, delete=("ManagementPolicy *",), applied=True),
    team("lake.servicePrincipal.rotated", "2026-11-01", AZUREAD, applied=True, replace=(PASSWORD,),
         update=("Secret all-lake", *STORES)),
    team("lake.servicePrincipal.validDays", 200, AZUREAD, replace=(PASSWORD,), update=("Secret all-lake", *STORES)),
    team("lake.servicePrincipal.readers", ["user2@site.com"], REGISTERED,
         delete=("RoleAssignment all-lake-secret-*",), create=("RoleAssignment all-lake-secret-user2@site.com",)),
    team("lake.servicePrincipal", ..., REGISTERED, update=STORES, applied=True,
         delete=("ServicePrincipal all-lake", "Application all-lake", PASSWORD, "Secret all-lake",
                 "RoleAssignment all-lake-secret-*", "RoleAssignment all-*-all-lake")),
    team("lake.datastores.0.name", "Rawer", REGISTERED, delete=("Datastore all-Raw",), create=("Datastore all-Rawer",)),
    team("lake.datastores.0.fileSystem", "curated", NESTED, update=("Datastore all-Raw",)),
    team("lake.datastores.0.type", "blob", DECLARED, replace=("Datastore all-Raw",), applied=True),
    # data and automation
    team("data.containers", ["exports", "imports"], REGISTERED, create=("BlobContainer all-data-imports",)),
    team("data.shares", [{"name": "notes", "gib": 50}, {"name": "papers"}], REGISTERED,
         create=("FileShare all-data-papers",)),
    team("data.shares.0.gib", 80, BODY, update=("FileShare all-data-notes",), applied=True),
    team("data.datastores.0.name", "Out", REGISTERED, delete=("Datastore all-data-Exports",),
         create=("Datastore all-data-Out",)),
    team("data", ..., REGISTERED,
         delete=("AdlsDatastore all-data", "Datastore all-data-*", "BlobContainer all-data-*", "FileShare all-data-*",
                 "RoleAssignment all-data-files-*", *(f"RoleAssignment all-{who}-files" for who in (
                     "admin1@site.com", "all-legacy", "all-own", "all-release", "bluegranit-data-scientists")))),
    team("automation.0.name", "deliver", REGISTERED,
         delete=("* all-release", "* all-release-github", "RoleAssignment *-all-release*"),
         create=("ServicePrincipal all-deliver", "Application all-deliver", *on_lake("all-deliver"),
                 "ApplicationFederatedIdentityCredential all-deliver-github",
                 "RoleAssignment all-automation-all-deliver")),
    team("automation.0.role", "contributor", REGISTERED,
         delete=("RoleAssignment all-automation-all-release",),
         create=("RoleAssignment all-release-workspace",)),
    team("automation.0.github.repository", "contoso/other", GRAPH,
         update=("ApplicationFederatedIdentityCredential all-release-github",), applied=True),
    team("automation.0.github.environment", "test", GRAPH,
         update=("ApplicationFederatedIdentityCredential all-release-github",)),
    team("automation.0.github", {"repository": "contoso/forecast", "branch": "main"}, GRAPH,
         update=("ApplicationFederatedIdentityCredential all-release-github",)),
    team("automation.0.azureDevOps", DEVOPS, REGISTERED,
         create=("ApplicationFederatedIdentityCredential all-release-azure-devops",)),
    team("automation.1.secret.rotated", "2026-11-01", AZUREAD, replace=("ServicePrincipalPassword all-legacy",),
         update=("Secret all-legacy",)),
    team("automation", BASE["teams"][0]["automation"][:1], REGISTERED, applied=True,
         delete=("* all-legacy", "RoleAssignment *all-legacy*")),
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """At the end it is destroyed, and leaves nothing but what Azure keeps of deleted things."""
    folder = tmp_path_factory.mktemp("edits")
    with started(folder / ".sandbox") as sandbox:
        made = World(sandbox, Stack(sandbox, folder, "edits"), BASE)
        azure = Client(sandbox)
        before = made.status(), _directory(azure)
        made.start()
        yield made
        made.stop()
        assert (made.status(), _directory(azure)) == before
        vaults = azure.arm("GET", "providers/Microsoft.KeyVault/deletedVaults", api="2024-11-01").json()["value"]
        assert len(vaults) == 1


def _directory(azure: Client) -> dict[str, int]:
    kinds = ("applications", "servicePrincipals", "groups", "users")
    return {kind: len(azure.graph("GET", f"/{kind}").json()["value"]) for kind in kinds}


@pytest.mark.parametrize("edit", rows(EDITS))
def test_an_edit_does_what_the_rules_give(world: World, edit: Edit) -> None:
    check(world, edit)


def test_another_name_of_a_team_is_another_team(world: World) -> None:
    department = edited(BASE, "teams.0.name", "every")
    code, text = world.tried("preview", department)
    assert code != 0, "its names on Azure are those of the team that is gone"
    assert "If it was renamed, set formerName: all, and its resources stay." in text
    department["teams"][0]["customName"] = "every"
    done = done_by(world.preview(department))
    own = {one for one in world.resources if re.search(r"[ -]all\b", one)}
    renamed = {re.sub(r"\ball\b", "every", one) for one in own}
    assert done == {"create": renamed, "update": set(), "replace": set(), "delete": own}


def test_names_of_what_is_up_are_kept(world: World) -> None:
    """Azure gives a workspace no other storage account or vault, and another workspace no deleted one's name."""
    before, department = world.ids(), edited(BASE, "uniqueNames", False)
    with recorded() as exchanges:
        for words in (("preview",), ("up", "--yes")):
            code, text = world.tried(words[0], department, *words[1:])
            assert code != 0
            assert "uniqueNames: false gives the team 'all' the storage account 'wideallwork'" in text
            assert "Set uniqueNames to true" in text
    assert {one.method for one in exchanges if one.host == "management.azure.com"} <= {"GET", "HEAD"}
    assert world.ids() == before
    assert world.preview(BASE) == []


NOT_EDITED = {
    "Department.unique_names": "test_names_of_what_is_up_are_kept",
    "DataDatastore.container": "as Datastore.file_system",
    "Share.name": "data.shares adds one",
    "DataDatastore.share": "as Datastore.file_system",
    "Department.subscription_id": "another subscription is another stack",
    "Member.group": "dataScientists.0 turns a group into a person",
    "Team.name": "test_another_name_of_a_team_is_another_team",
}


def test_every_setting_is_edited() -> None:
    base = parse_department(BASE, "f")
    touched = {one for edit in EDITS for one in on_the_way(base, edit.path)}
    assert set(fields(base)) - touched == set(NOT_EDITED)
    assert len(EDITS) >= 40
