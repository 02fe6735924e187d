"""Stack files: what is read, and what each mistake says."""

import copy
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from department.__main__ import main
from settings import Department, SettingsError, parse_department, read_stack_file
from settings.registries import registry_tier
from settings.warnings import warnings
from tests.program.harness import ROOT, run_program, stack_file

KEY = "azureml-platform:department"
REMOVE = "(remove)"


def changed(*edits: tuple[str, Any]) -> Any:
    """The dev stack's department with values set, added or removed: ("teams.0.name", "x")."""
    department = copy.deepcopy(stack_file("dev"))
    for path, value in edits:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        target = department
        for part in parents:
            target = target[part]
        if value == REMOVE:
            del target[last]
        else:
            target[last] = value
    return department


def problems(department: Any) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        parse_department(department, "Pulumi.dev.yaml")
    return {problem.key: problem.message for problem in caught.value.problems}


def test_the_dev_stack_is_the_published_example() -> None:
    department = read_stack_file(ROOT / "Pulumi.dev.yaml")
    [team] = department.teams
    assert department.names(team).resource_group == "bgmr-bluegranit-eastus2-dev"
    assert department.admin == "user@domain.com"
    assert [(c.name, c.vm_size, c.max_nodes, c.priority, c.idle_minutes, c.min_nodes) for c in team.clusters] == [
        ("ds3-v2-cluster", "STANDARD_DS3_V2", 1, "lowPriority", 2, 0),
        ("ds13-v2-2ndclust", "STANDARD_D13_V2", 2, "lowPriority", 2, 0),
        ("nv6-gpucluster", "STANDARD_NV6", 1, "lowPriority", 2, 0),
    ]
    assert [member.user for member in team.leads] == ["admin1@site.com", "user1@site.com"]
    assert [member.user for member in team.data_scientists] == ["user1@site.com", "user2@site.com"]
    assert team.lake and [(d.name, d.file_system) for d in team.lake.datastores] == [("MLData", "fs1")]


def test_production_is_stricter_by_default() -> None:
    dev, pro = (parse_department(changed(("environment", name)), "f") for name in ("dev", "pro"))
    assert (dev.key_vault.purge_protection, registry_tier(dev, dev.teams[0]), dev.replication) == (
        False,
        "Basic",
        "Standard_LRS",
    )
    assert (pro.key_vault.purge_protection, registry_tier(pro, pro.teams[0]), pro.replication) == (
        True,
        "Standard",
        "Standard_ZRS",
    )
    off = parse_department(changed(("environment", "pro"), ("keyVault", {"purgeProtection": False})), "f")
    assert off.key_vault.purge_protection is False


def test_people_are_compared_in_any_letter_case() -> None:
    department = parse_department(changed(("teams.0.leads", ["Admin1@Site.COM"])), "f")
    assert department.teams[0].leads[0].user == "admin1@site.com"


KEYS = "/subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27/resourceGroups/keys/providers"
KEY_ID = f"{KEYS}/Microsoft.KeyVault/vaults/theirs/keys/platform"
KEY_IDENTITY = f"{KEYS}/Microsoft.ManagedIdentity/userAssignedIdentities/wraps"
ACCOUNT = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/data"
    "/providers/Microsoft.Storage/storageAccounts/companylake"
)
SUBNET = (
    "/subscriptions/"
    + "0" * 8
    + "-0000-0000-0000-"
    + "0" * 12
    + ("/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/spoke/subnets/ml")
)
RESOURCE = (
    SUBNET.split("/virtualNetworks", maxsplit=1)[0].replace("Microsoft.Network", "Microsoft.Sql") + "/servers/sql"
)
NOTEBOOK = {"name": "notebook", "user": "user2@site.com", "vmSize": "STANDARD_DS3_V2"}
MISTAKES: list[tuple[str, Any, str, list[str]]] = [
    # path, value, key of the problem, what the message says
    ("teams.0.clusters.1.vmSize", "STANDARD_DS13_V22", "teams[0].clusters[1].vmSize", ["mean 'STANDARD_DS13_V2'?"]),
    ("teams.0.clusters.1.vmSize", "potato", "teams[0].clusters[1].vmSize", ["'potato' is not a known VM size. VM"]),
    ("teams.0.name", "b" * 21, "teams[0].name", ["(21 characters)", "up to 20"]),
    ("teams.0.name", "bluegranites", "teams[0].name", ["'bgmrbluegranitese2devwork' (25 characters)", "naming.work"]),
    ("teams.0.customName", "averylongcustomnamexy", "teams[0].customName", ["(25 characters)", "3 to 24"]),
    ("teams.0.clusters.0.name", "a" * 33, "teams[0].clusters[0].name", ["(33 characters)", "3 to 32"]),
    ("teams.0.clusters.0.name", "train-1", "teams[0].clusters[0].name", ["a letter follows every hyphen"]),
    ("teams.0.clusters.1.name", "DS3-v2-cluster", "teams[0].clusters[1].name", ["taken by teams[0].clusters[0].name"]),
    ("teams.0.clusters.0.minNodes", 1, "teams[0].clusters[0].minNodes", ["1 is not allowed", "Always 0"]),
    ("teams.0.clusters.0.maxNodes", "1", "teams[0].clusters[0].maxNodes", ["expected a whole number, found '1'"]),
    ("teams.0.clusters.0.maxNodes", 1.5, "teams[0].clusters[0].maxNodes", ["expected a whole number, found 1.5"]),
    ("teams.0.clusters.0.maxNodes", 0, "teams[0].clusters[0].maxNodes", ["0 is not allowed", "1 to 1000"]),
    ("teams.0.clusters.0.maxNodes", REMOVE, "teams[0].clusters[0].maxNodes", ["is missing"]),
    ("teams.0.clusters.0.idleMinutes", True, "teams[0].clusters[0].idleMinutes", ["a whole number, found true"]),
    ("teams.0.clusters.0.priority", "lowpriority", "teams[0].clusters[0].priority", ["'lowpriority'", "'lowPriority'"]),
    ("teams.0.clusters.0.vmsize", "x", "teams[0].clusters[0].vmsize", ["unknown key", "Did you mean 'vmSize'?"]),
    ("teams.0.clusters", {"a": 1}, "teams[0].clusters", ["expected a list, found a mapping"]),
    ("teams.0.clusters.0", "ds3", "teams[0].clusters[0]", ["expected a mapping of keys, found 'ds3'"]),
    ("teams.0.leads.0", "admin1", "teams[0].leads[0]", ["'admin1' (6 characters)", "Team leads"]),
    ("teams.0.leads.0", 5, "teams[0].leads[0]", ["expected a mapping of keys, found 5"]),
    ("teams.0.leads.0", {"usr": "a@b.com"}, "teams[0].leads[0].usr", ["Did you mean 'user'?"]),
    ("teams.0.leads.0", {"until": "2099-01-01"}, "teams[0].leads[0]", ["names either a user or a group"]),
    ("teams.0.leads.0", {"user": "a@b.com", "group": "g"}, "teams[0].leads[0]", ["names either a user or a group"]),
    ("teams.0.leads.0", {"user": "a@b.com", "until": "soon"}, "teams[0].leads[0].until", ["a day such as", "'soon'"]),
    ("teams.0.lake.datastores.0.fileSystem", "fs11", "teams[0].lake.datastores[0].fileSystem", ["'fs11'", "'fs1'"]),
    ("teams.0.lake.datastores.0.name", "WorkspaceBlobStore", "teams[0].lake.datastores[0].name", ["from the start"]),
    ("teams.0.lake.datastores.0.name", "ml data", "teams[0].lake.datastores[0].name", ["'ml data'"]),
    ("teams.0.lake.fileSystems", [], "teams[0].lake.fileSystems", ["is empty"]),
    ("teams.0.lake.fileSystems.0", "Fs", "teams[0].lake.fileSystems[0]", ["'Fs'", "3 to 63"]),
    ("teams.0.lake.lifecycle", [{"name": "a"}], "teams[0].lake.lifecycle[0]", ["needs one of coolAfterDays"]),
    (
        "teams.0.lake.lifecycle",
        [{"name": "a", "coolAfterDays": 9, "deleteAfterDays": 9}],
        "teams[0].lake.lifecycle[0]",
        ["each later"],
    ),
    ("teams.0.instances", [NOTEBOOK | {"idleMinutes": 5}], "teams[0].instances[0].idleMinutes", ["15 to 4320"]),
    (
        "teams.0.instances",
        [NOTEBOOK | {"schedule": {}}],
        "teams[0].instances[0].schedule",
        ["a time to start or to stop"],
    ),
    (
        "teams.0.instances",
        [NOTEBOOK | {"schedule": {"stop": "18:00"}}],
        "teams[0].instances[0].schedule.stop",
        ["cron expression"],
    ),
    (
        "teams.0.instances",
        [NOTEBOOK | {"name": "nv6-gpucluster"}],
        "teams[0].instances[0].name",
        ["taken by teams[0].cl"],
    ),
    ("teams.0.budget", {"monthly": 0, "start": "2026-11"}, "teams[0].budget.monthly", ["above 0"]),
    ("teams.0.budget", {"monthly": "500", "start": "2026-11"}, "teams[0].budget.monthly", ["expected a number"]),
    ("teams.0.budget", {"monthly": 500, "start": "2026-13"}, "teams[0].budget.start", ["as 2026-11"]),
    ("azurePolicy", "strict", "azurePolicy", ["'deny' refuses"]),
    ("network", {"mode": "privat"}, "network.mode", ["'privat'", "'managed'"]),
    ("network", {"mode": "private"}, "network", ["needs either addressSpace, or both"]),
    ("network", {"mode": "private", "endpointSubnetId": SUBNET}, "network", ["needs either addressSpace, or both"]),
    (
        "network",
        {"mode": "private", "addressSpace": "10.0.0.0/8"},
        "network.addressSpace",
        ["prefix length of 16 to 26"],
    ),
    ("network", {"mode": "private", "addressSpace": "10.0.0.1/24"}, "network.addressSpace", ["no IPv4 range"]),
    ("network", {"addressSpace": "10.0.0.0/24"}, "network", ["mode 'public', in which addressSpace mean nothing"]),
    (
        "network",
        {"mode": "private", "addressSpace": "10.0.0.0/24", "allowedIps": ["1.2.3.4"]},
        "network",
        ["allowedIps"],
    ),
    ("network", {"allowedIps": ["10.1.2.3"]}, "network.allowedIps[0]", ["'10.1.2.3' cannot be listed"]),
    ("network", {"allowedIps": ["203.0.113.8/31"]}, "network.allowedIps[0]", ["cannot be listed"]),
    ("network", {"allowedIps": ["::1"]}, "network.allowedIps[0]", ["no IPv4 address"]),
    (
        "network",
        {"mode": "managed", "outbound": [{"name": "pypi"}]},
        "network.outbound[0]",
        ["one of host, serviceTag"],
    ),
    (
        "network",
        {"mode": "managed", "outbound": [{"name": "sql", "resourceId": RESOURCE}]},
        "network.outbound[0]",
        ["resourceId and subresource together"],
    ),
    (
        "network",
        {"mode": "managed", "outboundAccess": "internet", "outbound": [{"name": "pypi", "host": "pypi.org"}]},
        "network",
        ["only rules with a resourceId"],
    ),
    (
        "network",
        {"mode": "managed", "basicFirewall": True, "outbound": [{"name": "mail", "serviceTag": "Office365"}]},
        "network",
        ["has basicFirewall, but no host in outbound"],
    ),
    ("network", {"mode": "public", "basicFirewall": True}, "network", ["'public'", "basicFirewall"]),
    (
        "teams.0.network",
        {"mode": "managed", "outbound": [{"name": "pypi", "host": "a.org"}, {"name": "pypi", "host": "b.org"}]},
        "teams[0].network.outbound[1].name",
        ["taken by teams[0].network.outbound[0].name"],
    ),
    (
        "teams.0.lake.accountId",
        "mylake",
        "teams[0].lake.accountId",
        ["is not the id of a storage account, which has the form", "storageAccounts/NAME"],
    ),
    ("teams.0.lake.accountId", ACCOUNT, "teams[0].lake.accountId", ["not in the department's subscription"]),
    (
        "teams.0.data",
        {"containers": ["a-b"], "datastores": [{"name": "mldata", "container": "a-b"}]},
        "teams[0].data.datastores[0].name",
        ["taken by teams[0].lake.datastores[0].name"],
    ),
    (
        "teams.0.data",
        {"containers": ["raw"], "datastores": [{"name": "R", "container": "rav"}]},
        "teams[0].data.datastores[0].container",
        ["'rav' is not in data.containers. Did you mean 'raw'?"],
    ),
    (
        "teams.0.data",
        {"shares": [{"name": "notes"}], "datastores": [{"name": "R", "share": "note"}]},
        "teams[0].data.datastores[0].share",
        ["'note' is not in data.shares. Did you mean 'notes'?"],
    ),
    (
        "teams.0.data",
        {
            "containers": ["c-1"],
            "shares": [{"name": "notes"}],
            "datastores": [{"name": "R", "share": "notes", "container": "c-1"}],
        },
        "teams[0].data.datastores[0]",
        ["either a container or a share"],
    ),
    ("teams.0.data", {"shares": [{"name": "a-b"}, {"name": "a-b"}]}, "teams[0].data.shares[1].name", ["distinct"]),
    ("teams.0.data", {"shares": [{"name": "notes", "gib": 6000}]}, "teams[0].data.shares[0].gib", ["1 to 5120"]),
    (
        "teams.0",
        {"name": "a", "network": {"mode": "private", "addressSpace": "10.20.0.0/24"}},
        "teams[0].clusters",
        ["no cluster without GPUs", "department.teams[0].network makes it"],
    ),
    (
        "teams.0",
        {
            "name": "a",
            "network": {"mode": "private", "addressSpace": "10.20.0.0/24"},
            "clusters": [{"name": "gpu", "vmSize": "STANDARD_NC4AS_T4_V3", "maxNodes": 1}],
        },
        "teams[0].clusters",
        ["no cluster without GPUs"],
    ),
    ("teams.0.customerKey", {}, "teams[0].customerKey", ["keyVault.purgeProtection to true", "cannot be undone"]),
    ("teams.0.customerKey", {"keyId": KEY_ID}, "teams[0].customerKey", ["keyId and identityId together or neither"]),
    (
        "teams.0.customerKey",
        {"keyId": KEY_ID.replace("8b41", "9b41"), "identityId": KEY_IDENTITY},
        "teams[0].customerKey.keyId",
        ["not in the department's subscription"],
    ),
    (
        "teams.0",
        {
            **stack_file("dev")["teams"][0],
            "customerKey": {"keyId": KEY_ID, "identityId": KEY_IDENTITY, "serviceSide": True},
            "network": {"mode": "private", "addressSpace": "10.20.0.0/24"},
        },
        "teams[0].customerKey.serviceSide",
        ["closed vault"],
    ),
    ("teams.0.data", {}, "teams[0].data", ["neither containers nor shares"]),
    ("teams.0.automation", [{"name": "release"}], "teams[0].automation[0]", ["no way to sign in"]),
    (
        "teams.0.automation",
        [{"name": "release", "github": {"repository": "a/b"}}],
        "teams[0].automation[0].github",
        ["either an environment or a branch"],
    ),
    (
        "teams.0.automation",
        [{"name": "release", "secret": {"rotated": "2026"}}],
        "teams[0].automation[0].secret.rotated",
        ["a day such as"],
    ),
    (
        "teams.0.automation",
        [{"name": "x1", "secret": {"rotated": "2026-11-01", "readers": [{"user": "a@b.com", "until": "2020-01-01"}]}}],
        "teams[0].automation[0].secret.readers[0].until",
        ["ended on 2020-01-01"],
    ),
    ("teams", REMOVE, "teams", ["is missing", "at least one"]),
    ("teams", [], "teams", ["is empty"]),
    ("code", "bgmrbgmrbgm", "code", ["(11 characters)", "up to 10"]),
    ("code", 1234, "code", ["expected text, found 1234"]),
    ("code", None, "code", ["is missing"]),
    ("environment", "prod", "environment", ["'prod'", "'pro' (production)"]),
    ("region", "eastus22", "region", ["not a known Azure region", "Did you mean 'eastus2'?"]),
    ("regionAbbreviation", "east-us", "regionAbbreviation", ["up to 8"]),
    ("subscriptionId", "8b41ca0c", "subscriptionId", ["8-4-4-4-12"]),
    ("uniqueNames", True, "teams[0].name", ["bgmrbluegranite2dev"]),
    ("allowedVmSizes", ["STANDARD_DS3_V2", "STANDARD_NV6"], "teams[0].clusters[1].vmSize", ["'s allowedVmSizes"]),
    ("keyVault", {"retentionDays": 5}, "keyVault.retentionDays", ["5 is not allowed", "7 to 90"]),
    ("subscription", "x", "subscription", ["unknown key", "'subscriptionId'"]),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: f"{m[0]}={m[1]}")
def test_each_mistake_is_told_with_key_value_and_what_is_allowed(mistake: tuple[str, Any, str, list[str]]) -> None:
    path, value, key, said = mistake
    found = problems(changed((path, value)))
    assert list(found) == [f"{KEY}.{key}"]
    for words in said:
        assert words in found[f"{KEY}.{key}"]


def test_all_mistakes_are_told_at_once() -> None:
    found = problems(
        changed(
            ("admin", REMOVE),
            ("teams.0.clusters.0.vmSize", "STANDARD_DS3"),
            ("teams.0.clusters.1.name", "ds3-v2-cluster"),
            ("teams.0.clusters.2.minNodes", 2),
            ("teams.0.lake.datastores.0.fileSystem", "raw"),
            ("uniqueNames", True),
        )
    )
    assert {key.removeprefix(f"{KEY}.") for key in found} == {
        "admin",
        "teams[0].clusters[0].vmSize",
        "teams[0].clusters[1].name",
        "teams[0].clusters[2].minNodes",
        "teams[0].lake.datastores[0].fileSystem",
        "teams[0].name",
    }


def test_access_that_has_ended_is_refused_and_access_that_ends_soon_is_told() -> None:
    department = changed(("teams.0.leads.0", {"user": "a@b.com", "until": "2026-12-31"}))
    for today in (date(2026, 12, 1), date(2026, 12, 31)):
        parse_department(department, "f", today=today)
    parsed = parse_department(department, "f", today=date(2026, 12, 1))
    ends = f"{KEY}.teams[0].leads[0].until: the access of a@b.com ends on 2026-12-31."
    assert ends not in warnings(parsed, date(2026, 12, 1))
    assert ends in warnings(parsed, date(2026, 12, 20))
    with pytest.raises(SettingsError, match=r"leads\[0\]\.until: the access of 'a@b\.com' ended on 2026-12-31"):
        parse_department(department, "f", today=date(2027, 1, 1))


def test_a_basic_registry_has_no_private_endpoints() -> None:
    found = problems(changed(("registrySku", "Basic"), ("teams.0.network", {"mode": "managed"})))
    assert "teams[0].network" in found[f"{KEY}.registrySku"]


def test_a_list_of_addresses_shuts_clusters_out_and_that_is_told() -> None:
    parsed = parse_department(changed(("network", {"allowedIps": ["203.0.113.0/24"]})), "f")
    assert any("network.allowedIps: clusters have addresses" in w for w in warnings(parsed, date(2026, 12, 1)))
    assert registry_tier(parsed, parsed.teams[0]) == "Premium"


def test_hyphens_of_a_datastores_name_are_told() -> None:
    lake = {"fileSystems": ["fs1"], "datastores": [{"name": "my-store", "fileSystem": "fs1"}]}
    data = {
        "containers": ["raw"],
        "datastores": [{"name": "raw-data", "container": "raw"}, {"name": "raw_data", "container": "raw"}],
    }
    parsed = parse_department(changed(("teams.0.lake", lake), ("teams.0.data", data)), "f")
    told = [w for w in warnings(parsed, date(2026, 12, 1)) if "hyphens" in w]
    keys = [one.partition(": ")[0] for one in told]
    assert keys == [f"{KEY}.teams[0].lake.datastores[0].name", f"{KEY}.teams[0].data.datastores[0].name"]
    assert told[0].endswith("Take 'my_store'.")


def test_a_secret_that_expires_is_told() -> None:
    secret = {"rotated": "2026-11-01", "validDays": 60}
    parsed = parse_department(changed(("teams.0.automation", [{"name": "seed", "secret": secret}])), "f")
    key = f"{KEY}.teams[0].automation[0].secret.rotated: the secret"
    told = {
        day: [w for w in warnings(parsed, day) if w.startswith(key)]
        for day in (date(2026, 11, 20), date(2026, 12, 20), date(2027, 1, 1))
    }
    assert list(told.values()) == [
        [],
        [f"{key} expires on 2026-12-31. Set 'rotated' to 2026-12-20 to make a new one."],
        [f"{key} expired on 2026-12-31. Set 'rotated' to 2027-01-01 to make a new one."],
    ]


def test_production_has_no_archive() -> None:
    rule = {"name": "old", "archiveAfterDays": 30}
    found = problems(changed(("environment", "pro"), ("teams.0.lake.lifecycle", [rule])))
    assert "no archive tier" in found[f"{KEY}.teams[0].lake.lifecycle[0].archiveAfterDays"]


def test_a_size_is_warned_about_a_year_before_it_is_retired() -> None:
    department = parse_department(changed(), "f")
    told = [
        len([w for w in warnings(department, day) if ("will be retired on 2028-05-01") in w])
        for day in (date(2027, 4, 1), date(2027, 6, 1))
    ]
    assert told == [0, 2]  # DS3_V2 and D13_V2
    assert any(
        ("was retired on 2028-05-01") in w and "STANDARD_D4DS_V5" in w for w in warnings(department, date(2028, 5, 1))
    )


@pytest.mark.parametrize("day", ["2099-12-31", "2099-12-31T00:00:00Z", "2099-12-31 00:00:00 +0000 UTC"])
def test_a_day_without_quotes_is_a_day(day: str) -> None:
    """What Pulumi makes of one is the last form, seen with its command line 3.259.0."""
    department = changed(("teams.0.leads.0", {"group": "Data People", "until": day}))
    assert parse_department(department, "f").teams[0].leads[0].until == date(2099, 12, 31)


def test_check_reads_scalars_as_pulumi_does(tmp_path: Path) -> None:
    """In the real command line `yes` is text, a day without quotes is a moment, and 1.0 is 1."""
    raw = changed(("teams.0.leads.0", {"group": "Data People", "until": "2099-12-31"}))
    stack = write(tmp_path / "Pulumi.x.yaml", {"config": {KEY: raw}})
    stack.write_text(
        stack.read_text().replace("'2099-12-31'", "2099-12-31").replace("maxNodes: 1\n", "maxNodes: 1.0\n")
    )
    assert "until: 2099-12-31\n" in stack.read_text()
    assert read_stack_file(stack).teams[0].leads[0].until == date(2099, 12, 31)
    stack.write_text(stack.read_text().replace("environment: dev", "environment: dev\n    protect: yes"))
    with pytest.raises(SettingsError, match=r"protect.*'yes'"):
        read_stack_file(stack)


def test_teams_whose_resources_would_share_names_are_refused() -> None:
    twin = changed()["teams"][0] | {"name": "other", "customName": "bgmrbluegranite2dev", "clusters": []}
    found = problems(changed(("teams", [changed()["teams"][0], twin])))
    assert "teams[0]" in found[f"{KEY}.teams[1].customName"]


@pytest.mark.parametrize(("raw", "said"), [(None, "is missing"), ("bgmr", "found 'bgmr'"), ([], "found a list")])
def test_a_department_that_is_none(raw: Any, said: str) -> None:
    [(key, message)] = problems(raw).items()
    assert key == KEY
    assert said in message
    assert "docs/settings.md" in message


def test_a_reached_limit_of_the_hash_is_allowed() -> None:
    department = parse_department(changed(("uniqueNames", True), ("teams.0.name", "bluegra")), "f")
    assert len(department.names(department.teams[0]).work) == 24


def test_values_in_messages_are_short() -> None:
    assert len(problems(changed(("code", "x" * 100_000)))[f"{KEY}.code"]) < 400


# the program


@pytest.mark.parametrize("department", [None, changed(("teams.0.clusters.0.vmSize", "STANDARD_DS3_V22"))])
def test_the_program_stops_before_its_first_resource_without_a_traceback(department: Any) -> None:
    with pytest.raises(pulumi.RunError, match=r"^Pulumi\.dev\.yaml: azureml-platform:department") as caught:
        run_program(department)
    assert caught.value.__cause__ is None


# the command


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True))
    return path


def test_check_passes_the_committed_stack_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(ROOT / "Pulumi.dev.yaml"), str(ROOT / "Pulumi.prod.yaml")]) == 0
    out = capsys.readouterr().out
    assert "Pulumi.prod.yaml: ok" in out
    assert "STANDARD_NV6 was retired on 2023-09-06" in out
    assert "STANDARD_NC4AS_T4_V3" in out


def test_check_reports_all_files_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = write(tmp_path / "Pulumi.bad.yaml", {"config": {KEY: changed(("code", "x" * 11))}})
    assert main(["check", "--json", str(bad), str(ROOT / "Pulumi.prod.yaml")]) == 1
    first, second = json.loads(capsys.readouterr().out)
    assert first["problems"][0]["key"] == f"{KEY}.code"
    assert second["problems"] == []


BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(c + 1)}: &{chr(c + 1)} [{', '.join([f'*{chr(c)}'] * 8)}]\n" for c in range(ord("a"), ord("i"))
)
FILES = {
    "empty": ("", "is missing"),
    "no config": ("encryptionsalt: v1:x", "is missing"),
    "near key": ("config:\n  azureml-platform:departement: {}\n", "not 'azureml-platform:departement'"),
    "broken": ("config:\n  a: [1,\n", "line 3"),
    "tab": ("config:\n\tazureml-platform:department: x\n", "line 2"),
    "duplicate": (
        f"config:\n  {KEY}:\n    code: a\n    code: b\n", "line 4: the key 'code' is there already, on line 3",
    ),
    "list": ("- a\n- b\n", "is missing"),
    "tag": (f"config:\n  {KEY}: !!python/object/apply:os.system ['true']\n", "line 2: the tag"),
    "bomb": (BOMB, "anchors expand to more than"),
    "loop": (f"config: &c\n  {KEY}: *c\n", "the anchor 'c' contains itself"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_stack_file(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, said = FILES[name]
    file = write(tmp_path / "Pulumi.x.yaml", content)
    assert main(["check", str(file)]) == 1
    err = capsys.readouterr().err
    assert f"Pulumi.x.yaml: {KEY}" in err
    assert said in err


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    binary = tmp_path / "Pulumi.b.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert main(["check", str(tmp_path / "Pulumi.none.yaml"), str(binary)]) == 1
    err = capsys.readouterr().err
    assert "No such file" in err
    assert "neither UTF-8" in err


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["docs", str(tmp_path / "file")]) == 1
    assert f"error: {tmp_path / 'file'}" in capsys.readouterr().err


def test_wrong_usage_is_exit_code_2() -> None:
    for arguments in ([], ["check"], ["chek", "x"]):
        assert main(arguments) == 2


def test_the_command_runs_as_a_module(tmp_path: Path) -> None:
    bad = write(tmp_path / "Pulumi.bad.yaml", {"config": {KEY: changed(("cod", "x"))}})
    ran = subprocess.run(
        [sys.executable, "-m", "department", "check", str(bad)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert ran.returncode == 1
    assert "Did you mean 'code'?" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_every_setting_says_what_it_is() -> None:
    def described(schema: dict[str, Any]) -> None:
        for name, field in schema.get("properties", {}).items():
            assert field.get("description", "").endswith("."), name

    schema = Department.model_json_schema()
    described(schema)
    for definition in schema["$defs"].values():
        described(definition)


def test_restricted_file_systems_and_feeds_are_the_lakes_own() -> None:
    lake = "teams.0.lake"
    feed = {"name": "factory", "objectId": "0b6f7c1e-9a55-4f0e-8d31-6d1f5a7c2b44", "fileSystems": ["fs8"]}
    persons = {"fileSystem": "fs9", "readers": ["user1@site.com"]}
    found = problems(changed((f"{lake}.restricted", [persons, {"fileSystem": "fs1"}]), (f"{lake}.feeds", [feed, feed])))
    at = f"{KEY}.teams[0].lake"
    assert found[f"{at}.restricted[0].fileSystem"] == "'fs9' is no file system of the lake, which has: fs1."
    assert "neither readers nor writers" in found[f"{at}.restricted[1]"]
    assert "'fs8' is no file system of the lake" in found[f"{at}.feeds[0].fileSystems[0]"]
    assert "Feeds have distinct names." in found[f"{at}.feeds[1].name"]


def test_folders_are_restricted_once_and_in_no_other_one() -> None:
    at, users = "teams.0.lake.restricted", {"readers": ["user1@site.com"]}

    def restricted(*folders: str | None) -> Any:
        return problems(changed((at, [{"fileSystem": "fs1", "folder": folder, **users} for folder in folders])))

    right = [{"fileSystem": "fs1", "folder": name, **users} for name in (None, "hr", "hr2/Persons_1 a=b", "sales")]
    lake = parse_department(changed((at, right)), "f").teams[0].lake
    assert lake is not None
    assert lake.restricted_folders == {"fs1": ["hr", "hr2/Persons_1 a=b", "sales"]}
    key = f"{KEY}.{at.replace('.0', '[0]')}"
    assert "restricted by teams[0].lake.restricted[0].folder" in restricted("hr", "hr")[f"{key}[1].folder"]
    assert "no folder lies in another one" in restricted("hr/a", "hr")[f"{key}[1].folder"]
    assert "no folder lies in another one" in restricted("hr", "hr/a")[f"{key}[1].folder"]
    assert "restricted once" in restricted(None, None)[f"{key}[1].fileSystem"]
    for wrong in ("", "/hr", "hr/", "a//b", "a'b", "a*", "..", "a/../b", " a", "x" * 101):
        assert f"{key}[0].folder" in restricted(wrong), wrong
    many = restricted(*("x" * 90 + f"/{i:02}" for i in range(40)))
    assert "characters, and Azure takes 8192" in many[key]


def test_limits_of_vcpus_name_families_and_hold_one_node() -> None:
    dedicated = {"name": "cpu", "vmSize": "STANDARD_DS3_V2", "maxNodes": 2}
    team = parse_department(changed(("teams.0.quota", {"STANDARDDSV2FAMILY": 8, "standardDv2Family": 0})), "f").teams[0]
    assert team.quota == {"standardDSv2Family": 8, "standardDv2Family": 0}  # its clusters have low priority
    key = f"{KEY}.teams[0].quota"
    for quota, said in (
        ({"standardDSv3Famly": 8}, "is no VM family"),
        ({"standardDSv2Family": -2}, "0 or more vCPUs, or -1"),
        ({"standardDSv2Family": 8, "StandardDSv2Family": 8}, "stands twice"),
        ({"standardDSv2Family": 3}, "is 3, and one node of 'cpu' needs 4 vCPUs"),
    ):
        found = problems(changed(("teams.0.clusters", [dedicated]), ("teams.0.quota", quota)))
        assert said in found[key], found


def test_ids_are_taken_in_any_letter_case() -> None:
    subscription = stack_file("dev")["subscriptionId"]
    group = f"/subscriptions/{subscription.upper()}/resourcegroups/Data-RG"
    subnets = f"{group}/PROVIDERS/microsoft.network/virtualnetworks/hub/Subnets"
    lake = {"accountId": f"{group}/providers/microsoft.storage/storageaccounts/corplake", "fileSystems": ["fs1"]}
    network = {
        "mode": "private",
        "endpointSubnetId": f"{subnets}/pe",
        "computeSubnetId": f"{subnets}/ml",
        "dnsZonesGroupId": group,
    }
    key = f"{group}/providers/microsoft.keyvault/vaults/corp/Keys/k1"
    identity = f"{group}/providers/microsoft.managedidentity/userassignedidentities/id1"
    team = parse_department(
        changed(
            ("teams.0.lake", lake),
            ("network", network),
            ("teams.0.customerKey", {"keyId": key, "identityId": identity}),
            ("keyVault", {"purgeProtection": True}),
        ),
        "f",
    ).teams[0]
    assert team.lake and team.lake.account_id == lake["accountId"]
    assert team.network.compute_subnet_id == f"{subnets}/ml"
