"""The pack on programs that are not ours: no crash, no unknown read as a pass, every finding true."""

from collections.abc import Callable, Iterator

import pytest

from policies import config, offline
from policies.evaluation import Finding
from policies.resources import Graph
from tests.policies.analyzer import Analyzer, running
from tests.policies.foreign import PROGRAMS, containers, datacenter, functions, hub_and_projects, lake, website
from tests.policies.graphs import graph, platform
from tests.policies.platform import everything
from tests.program.harness import run_function

Program = Callable[[], None]
ENTRIES = everything(**{"azure-resource-require-tags": {"enforcementLevel": "disabled"}})
CONFIG = config.from_entries(ENTRIES, "everything")
"""Every rule but that about tags, which all of these programs break in each resource."""

ML, STORE, KV = "machinelearning-", "storage-account-", "keyvault-vault-"
REGION = "azure-resource-allow-regions"
OPEN_STORE = {f"{STORE}{rule}" for rule in ("disable-public-access", "disable-shared-key", "deny-by-default")}
PLAIN_STORE = {*OPEN_STORE, f"{STORE}require-tls12", f"{STORE}disable-public-blobs"}
PUBLIC_WORKSPACE = {
    f"{ML}workspace-{rule}"
    for rule in (
        "require-customer-key",
        "require-user-identity",
        "require-identity-datastores",
        "require-high-business-impact",
        "require-private-endpoint",
        "require-diagnostics",
    )
}
BROKEN: dict[Program, dict[str, set[str]]] = {
    website: {"site": PLAIN_STORE},
    functions: {"calls": PLAIN_STORE},
    lake: {
        "lake-group": {REGION},
        "lake": {REGION, *OPEN_STORE},
        "bo": {"authorization-assignment-refuse-owner"},
    },
    datacenter: {
        "hub": {"network-subnet-require-security-group"},
        "hub-late": {"network-subnet-require-security-group"},
    },
    containers: {
        "images": {
            "containerregistry-registry-disable-admin-user",
            "containerregistry-registry-disable-public-access",
        },
    },
    hub_and_projects: {
        "ai-group": {REGION},
        "ai-vault": {REGION, f"{ML}workspace-close-dependencies", f"{KV}require-rbac", f"{KV}require-purge-protection",
                     f"{KV}deny-by-default", f"{KV}disable-public-access"},
        "ai-store": {REGION, f"{ML}workspace-close-dependencies", f"{STORE}disable-public-blobs", *OPEN_STORE},
        "ai-insights": {REGION, "insights-component-require-log-workspace"},
        "nodes": {REGION},
        "hub": {REGION, *PUBLIC_WORKSPACE},
        "training": {
            REGION, *PUBLIC_WORKSPACE, f"{ML}workspace-disable-public-access", f"{ML}workspace-refuse-sharing"},
        "chat": {REGION},
        "search": {REGION},
        "model": {f"{ML}connection-refuse-credentials"},
        "scores": {REGION, f"{ML}endpoint-disable-key-auth", f"{ML}endpoint-disable-public-access"},
        "gpu": {REGION, *(f"{ML}compute-{rule}" for rule in (
            "allow-vm-sizes", "disable-local-auth", "disable-public-ip", "disable-remote-login",
            "enforce-min-nodes-zero", "limit-idle-time", "require-data-access", "require-virtual-network"))},
        "": {f"{ML}stack-limit-nodes", f"{ML}stack-limit-vcpus"},
    },
}  # fmt: skip
"""What is wrong with the deployed programs, by resource; read and found true one by one."""


def findings(program: Program, *, preview: bool) -> tuple[Graph, list[Finding]]:
    found = graph(run_function(program, preview=preview))
    return found, list(offline.evaluate(found, CONFIG).findings)


def violations(found: list[Finding]) -> dict[str, set[str]]:
    told: dict[str, set[str]] = {}
    for one in found:
        if one.kind == "violation":
            told.setdefault(one.urn.rpartition("::")[2], set()).add(one.rule.name)
    return told


@pytest.fixture(scope="module")
def process() -> Iterator[Analyzer]:
    with running() as analyzer:
        analyzer.configure(ENTRIES)
        yield analyzer


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_finding_is_true_and_none_is_missed(program: Program) -> None:
    _, deployed = findings(program, preview=False)
    assert not [one.message for one in deployed if "cannot read" in one.message]
    assert violations(deployed) == BROKEN[program]


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_wrong_once_deployed_does_not_pass_a_first_preview(program: Program) -> None:
    """Unknown is no pass: each violation is found before anything exists, or told as undecided."""
    _, deployed = findings(program, preview=False)
    _, first = findings(program, preview=True)
    told = {one.rule.name for one in first}
    assert {one.rule.name for one in deployed if one.kind == "violation"} <= told
    extra = {(one.rule.name, one.urn) for one in first if one.kind == "violation"}
    assert extra <= {(one.rule.name, one.urn) for one in deployed if one.kind == "violation"}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("preview", [False, True])
def test_the_process_says_the_same_as_the_offline_check(process: Analyzer, program: Program, preview: bool) -> None:
    run = run_function(program, preview=preview)
    report = offline.evaluate(graph(run), CONFIG)
    told = process.run(platform(run))
    assert {(rule, who) for rule, _, who, _ in told.violations if who} == {
        (one.rule.name, one.urn.rpartition("::")[2]) for one in report.findings if one.kind == "violation" and one.urn
    }
