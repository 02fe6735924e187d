"""What leaves the providers, and what the local Azure answers, against the models in Microsoft's own clients."""

import copy
import fcntl
import functools
import json
import operator
import re
import typing
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from sandbox.providers.resources import RESOURCES, describe
from settings import Department, parse_department
from settings.data import Feed, Restricted
from settings.naming import Naming
from tests.conftest import Sandbox, started
from tests.program.contract import check
from tests.program.harness import stack_file
from tests.program.stack import KEY, Stack
from tests.proof import samples
from tests.proof.environment import Finding, Verdict, judge
from tests.proof.recording import Exchange, recorded
from tests.proof.stacks import CHECKED

MANAGEMENT = "management.azure.com"


# What the models do not know and is right all the same: where, rule, the property's last name, and why.
_SECRETS = {("response", "required", "secrets"): "credentials are write-only; the schema requires them for writing"}
RECORDED = (
    "etag",
    "creationTime",
    "ipAllowlist",
    "linkedModelInventoryArmId",
    "changeableIsolationModes",
    "privateEndpointConnections",
    "enableBatchPrivateLink",
    "provisioningWarnings",
    "userCreatedAcrAccount",
    "userCreatedStorageAccount",
    "softDeleteEnabled",
)
"""Members that recordings of the service have and its models leave out: tests/azure/ml/test_recorded.py."""
KNOWN = {
    **_SECRETS,
    **{("response", "unknown", name): "recorded" for name in RECORDED},
    ("response", "status", "status"): "recorded: the PUT of a registry is 202",
    ("response", "unknown", "type"): "every resource has one; the model of zone groups leaves it out",
}

# Of all that the provider could send or read, what the models do not know.
STATICALLY_KNOWN: dict[tuple[str, str, str], str] = {
    **_SECRETS,
    (
        "response",
        "unknown",
        "systemData",
    ): "all of the resource manager's resources have it; older schemas leave it out",
    (
        "request",
        "unknown",
        "assignmentType",
    ): "PolicyAssignment 2025-01-01; the newest model with metadata is 2023-04-01",
    ("response", "unknown", "assignmentType"): "as in requests",
    ("response", "unknown", "instanceId"): "as assignmentType",
    ("request", "unknown", "serviceGateway"): "of a later API version than the one that azure-native asks for",
    ("request", "unknown", "id"): "IpamPoolPrefixAllocation's id lies in `pool`, which nobody here sets",
    ("response", "unknown", "id"): "as in requests",
    ("response", "unknown", "location"): "of a load balancer's pool, which no answer to these types spells out",
}
# Choices that are made where nothing is said: by the example stacks.
BY_DEFAULT = {
    "Department.registry_sku=Basic",
    "Department.registry_sku=Standard",
}
# What gives names and no bodies: tests/settings/test_names.py and tests/program/test_renames.py.
NAMING = {"Department.naming", "Team.former_name", *(f"Naming.{name}" for name in Naming.model_fields)}
TAGS = {"Department.tags", "Department.ignore_tags", "Team.tags"}  # tests/program/test_tags.py
# What commands take, and no update sends: tests/program/test_quota.py, tests/operations.
COMMANDS = {"Team.quota", "Cluster.expected_hours", "Instance.expected_hours"}
# What makes role assignments and nothing else: tests/program/test_sandbox.py brings them up.
ASSIGNMENTS = {
    "Lake.restricted",
    "Lake.feeds",
    *(f"{section.__name__}.{name}" for section in (Restricted, Feed) for name in section.model_fields),
}
WITHOUT_MODEL = {"azure-native:costmanagement:Budget"}


def _record(sandbox: Sandbox, folder: Path) -> Iterator[Exchange]:
    """The stacks made, and one of them changed in every resource that takes tags."""
    dev = Stack(sandbox, folder)
    with recorded() as exchanges:
        for done in (dev.up(stack_file("dev")), dev.up(stack_file("dev") | {"costCenter": "4711"})):
            assert done.code == 0, done.text
        done = Stack(sandbox, folder, "prod").up(stack_file("prod"))
        assert done.code == 0, done.text
        for name, settings in CHECKED.items():
            file = folder / f"Pulumi.{name}.yaml"
            file.write_text(yaml.safe_dump({"config": {KEY: settings}}))
            code, text = Stack(sandbox, folder, name).run("up", "--config-file", str(file), "--yes", "--skip-preview")
            assert code == 0, text
            check(Stack(sandbox, folder, name).outputs())
    yield from (one for one in exchanges if one.host == MANAGEMENT)


@pytest.fixture(scope="session")
def exchanges(tmp_path_factory: pytest.TempPathFactory) -> list[Exchange]:
    """Recorded once for all processes that run tests."""
    shared = tmp_path_factory.getbasetemp()
    if hasattr(tmp_path_factory, "_given_basetemp") and shared.name.startswith("popen-"):
        shared = shared.parent
    file = shared / "exchanges.json"
    with (shared / "exchanges.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            folder = tmp_path_factory.mktemp("recording")
            with started(folder / ".sandbox") as sandbox:
                file.write_text(json.dumps([asdict(one) for one in _record(sandbox, folder)]))
    return [Exchange(**one) for one in json.loads(file.read_text())]


def _told(
    verdicts: Iterable[Verdict], known: dict[tuple[str, str, str], str]
) -> tuple[set[str], set[tuple[str, str, str]]]:
    """The findings that are not known, and the known ones that were seen."""
    unknown, seen = set(), set()
    for verdict in verdicts:
        for finding in verdict.findings:
            key = (finding.where, finding.rule, finding.at.rsplit(".", 1)[-1])
            if key in known:
                seen.add(key)
            else:
                unknown.add(str(finding))
    return unknown, seen


def test_every_body_and_every_answer_fits_microsofts_models(exchanges: list[Exchange]) -> None:
    verdicts = judge(exchanges)
    wrong, seen = _told(verdicts, KNOWN)
    assert not wrong, "\n".join(sorted(wrong))
    assert seen == set(KNOWN), "what is no longer found need not be excused"
    unmodelled = {one.path for one, verdict in zip(exchanges, verdicts, strict=True) if not verdict.operation}
    assert [one for one in unmodelled if "operation" not in one.lower()] == []  # long operations have no model
    assert sum(bool(one.body) for one in exchanges) > 200
    assert len({verdict.operation for verdict in verdicts if verdict.operation.startswith("PUT")}) >= 16


def test_all_settings_are_in_a_stack_whose_bodies_are_checked() -> None:
    used: set[str] = set()
    for settings in (stack_file("dev"), stack_file("prod"), *CHECKED.values()):
        used |= set(_used(parse_department(settings, "f")))
    unused = set(_settings(Department)) - used - NAMING - TAGS - COMMANDS - ASSIGNMENTS
    assert unused ^ BY_DEFAULT == set()


def _used(value: Any) -> Iterator[str]:
    """`Model.field` for each field that is set, and `Model.field=choice` where it is one of a few choices."""
    if isinstance(value, tuple):
        for item in value:
            yield from _used(item)
    elif isinstance(value, BaseModel):
        for name in value.model_fields_set:
            found = getattr(value, name)
            yield f"{type(value).__name__}.{name}"
            if not isinstance(found, BaseModel | tuple):
                yield f"{type(value).__name__}.{name}={found}"
            yield from _used(found)


def _settings(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{model.__name__}.{name}"
        for part in _parts(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _settings(part)
            elif typing.get_origin(part) is typing.Literal:
                yield from (f"{model.__name__}.{name}={choice}" for choice in typing.get_args(part))


def _parts(annotation: Any) -> Iterator[Any]:
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal or not arguments:
        yield annotation
        return
    for argument in arguments:
        yield from _parts(argument)


@pytest.fixture(scope="module")
def all_types() -> dict[str, list[Verdict]]:
    """What the models say of everything that the provider can send for a type, and can read."""
    sent: list[tuple[str, Exchange]] = []
    for token in RESOURCES:
        described = describe(token)
        assert described is not None
        blank = Exchange("PUT", MANAGEMENT, samples.path(described), described.version, None, 200, None)
        sent += [(token, replace(blank, body=body)) for body in samples.requests(described)]
        sent += [(token, replace(blank, method="GET", answer=body)) for body in samples.responses(described)]
    verdicts: dict[str, list[Verdict]] = {}
    for (token, _), verdict in zip(sent, judge(one for _, one in sent), strict=True):
        verdicts.setdefault(token, []).append(verdict)
    return verdicts


def test_the_provider_puts_every_property_of_every_type_where_the_models_have_it(
    all_types: dict[str, list[Verdict]],
) -> None:
    structure = {"unknown", "type", "required"}  # the samples' values are no real ones
    found = [
        replace(verdict, findings=tuple(one for one in verdict.findings if one.rule in structure))
        for verdicts in all_types.values()
        for verdict in verdicts
    ]
    wrong, seen = _told(found, STATICALLY_KNOWN)
    assert not wrong, "\n".join(sorted(wrong))
    assert seen == set(STATICALLY_KNOWN)
    without = {token for token, verdicts in all_types.items() if not any(one.operation for one in verdicts)}
    assert without == WITHOUT_MODEL


PLANTED = [  # part of the path, property, its wrong value (None takes it away), rule
    ("/storageAccounts/", "sku.name", "Standard_XRS", "enum"),
    ("/storageAccounts/", "properties.minimumTlsVersion", "TLS1_9", "enum"),
    ("/storageAccounts/", "properties.isHnsEnabled", "yes", "type"),
    ("/storageAccounts/", "properties.enableHttpsTrafficOnly", True, "unknown"),  # its name in the SDK
    ("/storageAccounts/", "kind", None, "required"),
    ("/storageAccounts/", "location", None, "required"),
    ("/blobServices/", "properties.deleteRetentionPolicy.days", 366, "range"),
    ("/managementPolicies/", "properties.policy.rules[0].type", "Life", "enum"),
    ("/vaults/", "properties.sku.family", "B", "enum"),
    ("/vaults/", "properties.tenantId", None, "required"),
    ("/vaults/", "properties.hsmPoolResourceId", "x", "read-only"),
    ("/registries/", "sku.name", "Free", "enum"),
    ("/Microsoft.OperationalInsights/", "properties.sku.name", "PerGB", "enum"),
    ("/components/", "kind", None, "required"),
    ("/roleAssignments/", "properties.principalType", "Person", "enum"),
    ("/roleAssignments/", "properties.principalId", None, "required"),
    ("/Microsoft.MachineLearningServices/", "properties.publicNetworkAccess", "Open", "enum"),
    ("/Microsoft.MachineLearningServices/", "properties.systemDatastoresAuthMode", "identity", "enum"),
    ("/Microsoft.MachineLearningServices/", "identity.type", "User", "enum"),
    ("/Microsoft.MachineLearningServices/", "properties.workspaceId", "x", "read-only"),
    ("/computes/", "properties.computeType", "AmlCluster", "enum"),
    ("/computes/", "properties.properties.vmPriority", "Low", "enum"),
    ("/computes/", "properties.properties.scaleSettings.maxNodeCount", None, "required"),
    ("/computes/", "properties.properties.scaleSettings.nodeIdleTimeBeforeScaleDown", "2min", "format"),
    ("/computes/", "properties.properties.idleTime", "PT1H", "unknown"),
    ("/datastores/", "properties.credentials.credentialsType", "Nothing", "enum"),
    ("/datastores/", "properties.filesystem", None, "required"),
]


def _planted(exchanges: list[Exchange]) -> Iterator[Exchange]:
    """The first PUT of each kind that has the property's object, with the wrong value in it."""
    for part, path, value, _ in PLANTED:
        *parents, last = [int(key) if key.isdigit() else key for key in re.findall(r"[^.\[\]]+", path)]
        for one in exchanges:
            body = copy.deepcopy(one.body)
            try:
                at = functools.reduce(operator.getitem, parents, body)
            except (KeyError, TypeError):
                continue
            if one.method == "PUT" and part in "/".join(["", *one.path.split("/")[-3:]]) and (value or last in at):
                at[last] = value
                if value is None:
                    del at[last]
                yield replace(one, body=body, status=0, answer=None)
                break
        else:
            raise AssertionError(f"no PUT to {part} whose body has {path}")


def test_wrong_bodies_are_found(exchanges: list[Exchange]) -> None:
    verdicts = judge(_planted(exchanges))
    found = [{(one.at, one.rule) for one in verdict.findings} for verdict in verdicts]
    missed = [planted for planted, got in zip(PLANTED, found, strict=True) if (planted[1], planted[3]) not in got]
    assert missed == []


NAMES = [
    ("storageAccounts/bgmrbluegranite2devwork", "storageAccounts/bgmr-bluegranit"),
    ("storageAccounts/bgmrbluegranite2devwork", "storageAccounts/bgmrbluegranite2developmentw"),
    ("vaults/bgmrbluegranite2devkv", "vaults/bgmr_bluegranite2devkv"),
    ("registries/bgmrbluegranite2devcr", "registries/abcd"),
    ("workspaces/bgmrbluegranite2devws", "workspaces/ws"),
    ("datastores/MLData", "datastores/ML.Data"),
]


def test_wrong_names_are_found(exchanges: list[Exchange]) -> None:
    puts = [one for one in exchanges if one.method == "PUT"]
    renamed = [replace(next(one for one in puts if one.path.endswith(name)), path=f"/{wrong}") for name, wrong in NAMES]
    originals = [next(one for one in puts if one.path.endswith(name)) for name, _ in NAMES]
    originals = [next(one for one in puts if one.path.endswith(name)) for name, _ in NAMES]
    renamed = [
        replace(one, path=one.path.removesuffix(name) + wrong)
        for one, (name, wrong) in zip(originals, NAMES, strict=True)
    ]
    for verdict, (_, wrong) in zip(judge(renamed), NAMES, strict=True):
        assert "name" in [one.rule for one in verdict.findings], wrong


def test_a_lie_in_an_answer_is_found(exchanges: list[Exchange]) -> None:
    read = next(one for one in exchanges if one.method == "GET" and one.status == 200 and "/vaults/" in one.path)
    properties = {**read.answer["properties"], "colour": "blue"}
    lying = replace(read, status=201, answer={**read.answer, "properties": properties})
    (verdict,) = judge([lying])
    assert [(one.rule, one.at) for one in verdict.findings] == [("status", "status"), ("unknown", "properties.colour")]


def test_findings_say_where_and_what_is_allowed() -> None:
    finding = Finding(
        "request", "sku.name", "enum", "'X' is none of A, B", "", "azure-mgmt-storage 23.0.1 (2024-01-01)"
    )
    assert str(finding) == "request sku.name: enum: 'X' is none of A, B [azure-mgmt-storage 23.0.1 (2024-01-01)]"
