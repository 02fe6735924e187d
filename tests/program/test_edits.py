"""One setting changed at a time: exactly what azure-native's documented rules say happens to exactly what it concerns.

What is expected comes from azure-native's own rules (its path parameters, its force-new map, create-only properties)
and from what the components declare, not from the stand-in providers: docs/fidelity/program.md has the sources.
Each edit is brought up and taken back again in a sandbox.
"""

import copy
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from components.governance.azurepolicy import ALWAYS
from components.network.endpoints import ZONES
from tests.conftest import Sandbox
from tests.program.harness import stack_file
from tests.program.stack import Stack

TAGGED = {
    "ResourceGroup bluegranit-group",
    "UserAssignedIdentity bluegranit-workspace-identity",
    "UserAssignedIdentity bluegranit-nodes-identity",
    "StorageAccount bluegranit-work",
    "StorageAccount bluegranit-data",
    "StorageAccount bluegranit-lake",
    "Vault bluegranit-vault",
    "Registry bluegranit-registry",
    "Workspace bluegranit-logs",
    "Component bluegranit-insights",
    "Workspace bluegranit-workspace",
    "Compute bluegranit-ds3-v2-cluster",
    "Compute bluegranit-ds13-v2-2ndclust",
    "Compute bluegranit-nv6-gpucluster",
}
"""What takes tags; of these types azure-native replaces none for a change of tags."""


def updates(*names: str) -> set[str]:
    return {f"update {name}" for name in names}


def creates(*names: str) -> set[str]:
    return {f"create {name}" for name in names}


def deletes(*names: str) -> set[str]:
    return {f"delete {name}" for name in names}


def replaces(*names: str) -> set[str]:
    """Deleted first: the same name cannot be there twice."""
    return {f"{step} {name}" for name in names for step in ("delete-replaced", "replace", "create-replacement")}


def data_of(person: str) -> list[str]:
    """The assignment by which somebody reaches the team's data."""
    return [f"RoleAssignment bluegranit-{person}-data"]


LARGE = {"name": "large", "vmSize": "STANDARD_DS3_V2", "maxNodes": 2}
CLUSTERS = stack_file("dev")["teams"][0]["clusters"]
ENDPOINTS = ("work-blob", "work-file", "data-blob", "lake-blob", "lake-dfs", "vault", "registry", "workspace")
ALL_ZONES = [zone for zones in ZONES.values() for zone in zones]
FIREWALLED = (
    *(f"StorageAccount bluegranit-{purpose}" for purpose in ("work", "data", "lake")),
    "Vault bluegranit-vault",
    "Registry bluegranit-registry",
)
SIZES = ["STANDARD_DS3_V2", "STANDARD_D13_V2", "STANDARD_NV6"]
LOGGED = ("workspace", "vault", "registry", "work", "data", "lake")
THIS_MONTH = f"{date.today():%Y-%m}"
SEED = {"name": "seed", "role": "contributor", "secret": {"rotated": "2026-11-01"}}
NOTEBOOK = {
    "name": "notebook",
    "user": "user2@site.com",
    "vmSize": "STANDARD_DS3_V2",
    "schedule": {"stop": "0 18 * * *"},
}
RELEASE = {"name": "release", "github": {"repository": "contoso/forecast", "branch": "main"}}
DS3, DS13 = "Compute bluegranit-ds3-v2-cluster", "Compute bluegranit-ds13-v2-2ndclust"

EDITS: dict[str, tuple[dict[str, Any], set[str]]] = {
    # scale and idle time change in place
    "maxNodes": ({"teams.0.clusters.0.maxNodes": 3}, updates(DS3)),
    "idleMinutes": ({"teams.0.clusters.1.idleMinutes": 10}, updates(DS13)),
    # azure-native replaces neither, so the component says so
    "vmSize": ({"teams.0.clusters.0.vmSize": "STANDARD_D13_V2"}, replaces(DS3)),
    "priority": ({"teams.0.clusters.1.priority": "dedicated"}, replaces(DS13)),
    (
        "a cluster "
        "more"
    ): ({(
        ""
        "teams.0.clusters"
    ): [*CLUSTERS, LARGE]}, creates("ComputeCluster bluegranit-large", "Compute bluegranit-large")),
    "a cluster less": ({"teams.0.clusters": CLUSTERS[1:]}, deletes("ComputeCluster bluegranit-ds3-v2-cluster", DS3)),
    "a cluster renamed": (
        {"teams.0.clusters.0.name": "large"},
        creates("ComputeCluster bluegranit-large", "Compute bluegranit-large")
        | deletes("ComputeCluster bluegranit-ds3-v2-cluster", DS3),
    ),
    "two instances of one person": (
        {"teams.0.instances": [NOTEBOOK, {**NOTEBOOK, "name": "second"}]},
        creates(
            "ComputeInstance bluegranit-notebook",
            "Compute bluegranit-notebook",
            "ComputeInstance bluegranit-second",
            "Compute bluegranit-second",
            "RoleAssignment bluegranit-user2@site.com-files",
        ),
    ),
    # tags change in place, everywhere
    "costCenter": ({"costCenter": "4711"}, updates(*TAGGED)),
    "owner": ({"owner": "platform@domain.com"}, updates(*TAGGED)),
    "admin": ({"admin": "admin1@site.com"}, updates(*TAGGED)),
    # people
    "a lead more": (
        {"teams.0.leads": ["admin1@site.com", "user1@site.com", "user2@site.com"]},
        creates("RoleAssignment bluegranit-teamLead-user2@site.com"),
    ),
    "a lead less": (
        {"teams.0.leads": ["user1@site.com"]},
        deletes("RoleAssignment bluegranit-teamLead-admin1@site.com", *data_of("admin1@site.com")),
    ),
    "one role of two less": (
        {"teams.0.dataScientists": ["user2@site.com"]},
        deletes("RoleAssignment bluegranit-dataScientist-user1@site.com"),
    ),
    (
        "an "
        "administrator"
    ): ({"teams.0.admins": ["user@domain.com"]}, creates("RoleAssignment bluegranit-admin-user@domain.com")),
    "a reader": ({"teams.0.readers": ["user@domain.com"]}, creates("RoleAssignment bluegranit-reader-user@domain.com")),
    "a group": (
        {"teams.0.readers": [{"group": "bluegranit-data-scientists"}]},
        creates("RoleAssignment bluegranit-reader-bluegranit-data-scientists"),
    ),
    "a subscription admin": (
        {"subscriptionAdmins": ["admin1@site.com"]},
        creates("RoleDefinition subscription-admin", "RoleAssignment subscription-admin-admin1@site.com"),
    ),
    "an end of access": ({"teams.0.leads.0": {"user": "admin1@site.com", "until": "2099-12-31"}}, set()),
    # data
    "a datastore more": (
        {"teams.0.lake.datastores": [{"name": "MLData", "fileSystem": "fs1"}, {"name": "More", "fileSystem": "fs1"}]},
        creates("Datastore bluegranit-More"),
    ),
    "a datastore renamed": (
        {"teams.0.lake.datastores.0.name": "Other"},
        creates("Datastore bluegranit-Other") | deletes("Datastore bluegranit-MLData"),
    ),
    "a file system more": (
        {"teams.0.lake.fileSystems": ["fs1", "fs2"]},
        creates(
            "BlobContainer bluegranit-fs2",
            *(
                f"RoleAssignment bluegranit-fs2-{who}"
                for who in ("workspace-identity", "nodes-identity")
            ),
        ),
    ),
    "softDeleteDays": (
        {"teams.0.lake.softDeleteDays": 30},
        updates("BlobServiceProperties bluegranit-lake"),
    ),
    "no soft delete": ({"teams.0.lake.softDeleteDays": 0}, deletes("BlobServiceProperties bluegranit-lake")),
    "lifecycle": (
        {"teams.0.lake.lifecycle": [{"name": "old", "coolAfterDays": 30, "deleteAfterDays": 365}]},
        creates("ManagementPolicy bluegranit-lake"),
    ),
    "a datastore by the blob protocol": (
        {"teams.0.lake.datastores.0.type": "blob"},
        replaces("Datastore bluegranit-MLData"),
    ),
    "containers for data": (
        {"teams.0.data": {"containers": ["raw"], "datastores": [{"name": "Raw", "container": "raw"}]}},
        creates("AdlsDatastore bluegranit-data", "BlobContainer bluegranit-data-raw", "Datastore bluegranit-data-Raw"),
    ),
    "a lake by service principal": (
        {"teams.0.lake.servicePrincipal": {"rotated": "2026-11-01"}},
        creates(
            "ServicePrincipal bluegranit-lake",
            "Application bluegranit-lake",
            "ServicePrincipalPassword bluegranit-lake",
            "Secret bluegranit-lake",
            "RoleAssignment bluegranit-vault-user@domain.com",
            "RoleAssignment bluegranit-fs1-bluegranit-lake",
        )
        | updates("Datastore bluegranit-MLData"),
    ),
    # automation
    "a contributor with a secret": (
        {"teams.0.automation": [SEED]},
        creates(
            "ServicePrincipal bluegranit-seed",
            "Application bluegranit-seed",
            "ServicePrincipalPassword bluegranit-seed",
            "Secret bluegranit-seed",
            "RoleAssignment bluegranit-vault-user@domain.com",
            "RoleAssignment bluegranit-seed-workspace",
            *data_of("bluegranit-seed"),
        ),
    ),
    "trust in a repository": (
        {"teams.0.automation": [RELEASE]},
        creates(
            "ServicePrincipal bluegranit-release",
            "Application bluegranit-release",
            "ApplicationFederatedIdentityCredential bluegranit-release-github",
            "RoleDefinition bluegranit-automation",
            "RoleAssignment bluegranit-automation-bluegranit-release",
            *data_of("bluegranit-release"),
        ),
    ),
    # networks
    "allowedIps": (
        {"network": {"allowedIps": ["203.0.113.0/24"]}},
        # Azure's own builders are not in the list, so the team's cluster builds images.
        updates(*FIREWALLED, "Workspace bluegranit-workspace"),
    ),
    "from public to private": (
        {"network": {"mode": "private", "addressSpace": "10.20.0.0/24"}},
        updates(*FIREWALLED, "Workspace bluegranit-workspace")
        | replaces(DS3, DS13, "Compute bluegranit-nv6-gpucluster")
        | creates(
            "PrivateLinks bluegranit",
            "VirtualNetwork bluegranit-network",
            "NetworkSecurityGroup bluegranit-endpoints",
            "NetworkSecurityGroup bluegranit-compute",
            *(f"{kind} bluegranit-{end}" for end in ENDPOINTS for kind in ("PrivateEndpoint", "PrivateDnsZoneGroup")),
            *(f"{kind} bluegranit-{zone}" for zone in ALL_ZONES for kind in ("PrivateZone", "VirtualNetworkLink")),
        ),
    ),
    # what watches and guards
    "a budget": ({"teams.0.budget": {"monthly": 500, "start": THIS_MONTH}}, creates("Budget bluegranit-budget")),
    "diagnostics": (
        {"diagnostics": True},
        creates(*(f"DiagnosticSetting bluegranit-{what}" for what in LOGGED)),
    ),
    "azurePolicy": (
        {"azurePolicy": "audit", "allowedVmSizes": SIZES},
        creates(
            "PolicyDefinition ml-compute-vm-sizes",
            "PolicyDefinition ml-cluster-min-nodes",
            *(f"PolicyAssignment bluegranit-{name}" for name in (*ALWAYS, "cluster-min-nodes", "compute-vm-sizes")),
        ),
    ),
    # services
    "purgeProtection": ({"keyVault": {"purgeProtection": True}}, updates("Vault bluegranit-vault")),
    "registrySku": ({"registrySku": "Standard"}, updates("Registry bluegranit-registry")),
    "logRetentionDays": ({"logRetentionDays": 60}, updates("Workspace bluegranit-logs")),
    # what changes nothing
    "order of clusters": ({"teams.0.clusters": CLUSTERS[::-1]}, set()),
    "order of people": ({"teams.0.leads": ["user1@site.com", "admin1@site.com"]}, set()),
    "letter case of a person": ({"teams.0.leads.0": "Admin1@Site.com"}, set()),
    "letter case of a size": ({"teams.0.clusters.0.vmSize": "Standard_DS3_v2"}, set()),
    "a person as a mapping": ({"teams.0.leads.0": {"user": "admin1@site.com"}}, set()),
    "a default written out": ({"teams.0.clusters.0.minNodes": 0, "teams.0.clusters.0.idleMinutes": 2}, set()),
    "allowedVmSizes": ({"allowedVmSizes": SIZES}, set()),
    "keepVersionAliases": ({"keepVersionAliases": True}, set()),
}  # fmt: skip

ONLY_PREVIEWED = {
    "purgeProtection",  # nobody takes it back
    *(
        ("priority"),
        "a cluster renamed",
        "a cluster less",
        "owner",
        "admin",
    ),  # as others are, and clusters take their time
}


@pytest.fixture(scope="module")
def stack(module_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = Stack(module_sandbox, tmp_path_factory.mktemp("stack"), under_policy=False)
    done = made.up(stack_file("dev"))
    assert done.code == 0, done.text
    yield made


def edited(edits: dict[str, Any]) -> Any:
    department = copy.deepcopy(stack_file("dev"))
    for path, value in edits.items():
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        target = department
        for part in parents:
            target = target[part]
        target[last] = value
    return department


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_touches_what_it_concerns_and_nothing_else(stack: Stack, edit: str) -> None:
    edits, expected = EDITS[edit]
    stays = not expected or edit in ONLY_PREVIEWED
    done = stack.preview(edited(edits)) if stays else stack.up(edited(edits))
    assert (done.code, set(done.steps)) == (0, expected), done.text
    if not stays:
        back = stack.up(stack_file("dev"))
        assert back.code == 0, back.text
