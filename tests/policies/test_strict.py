"""What a preview cannot decide: told, decided at its end by the program's outputs, or blocked by a strict rule."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.policies.analyzer import Analyzer, Run, running
from tests.policies.platform import OWNER, UNKNOWN, Item, Platform, clean, everything

NETWORK = "machinelearning-compute-require-virtual-network"
TLS = "storage-account-require-tls12"
SUBNET = "properties.properties.subnet.id"


@pytest.fixture(scope="module")
def process() -> Iterator[Analyzer]:
    with running() as analyzer:
        yield analyzer


def run(process: Analyzer, platform: Platform, *strict: str, **more: Any) -> Run:
    process.configure(everything(**{name: {"strict": True, **more} for name in strict}))
    return process.run(platform)


def levels(found: Run) -> list[tuple[str, str]]:
    return [(rule, level) for rule, level, _, _ in found.all]


def test_an_unknown_value_is_told_in_pulumis_words(process: Analyzer) -> None:
    [(rule, level, who, message)] = run(process, clean().set("ownstore", "minimumTlsVersion", UNKNOWN)).all
    assert (rule, level, who) == (TLS, "advisory", "ownstore")
    assert message.startswith(f"can't run policy '{TLS}' from policy pack 'azureml-platform@v")
    assert message.endswith("string value at .minimumTlsVersion can't be known during preview")


def test_a_strict_rule_blocks_at_the_end_of_the_preview(process: Analyzer) -> None:
    found = run(process, clean().set("ownstore", "minimumTlsVersion", UNKNOWN), TLS)
    assert levels(found) == [(TLS, "advisory"), (TLS, "mandatory")]
    assert found.all[1][2] == "ownstore"
    assert "the configuration is strict, so this blocks" in found.all[1][3]


def test_a_strict_rule_that_is_advisory_does_not_block(process: Analyzer) -> None:
    found = run(process, clean().set("ownstore", "minimumTlsVersion", UNKNOWN), TLS, enforcementLevel="advisory")
    assert levels(found) == [(TLS, "advisory")]


def from_network() -> Platform:
    """A cluster whose subnet will be one of a network that the program makes."""
    platform = clean().set("own-cpu", SUBNET, UNKNOWN)
    made = Item("network:VirtualNetwork", "net", {"virtualNetworkName": "net", "location": "eastus2"})
    made.inputs["tags"] = {"team": "sales", "owner": "user@domain.com"}
    platform.items = {"net": made, **platform.items}
    platform.items["own-cpu"].sources["properties"] = ["net"]
    return platform


def test_a_value_that_comes_from_the_right_resource_is_decided_at_the_end(process: Analyzer) -> None:
    assert levels(run(process, from_network(), NETWORK)) == [(NETWORK, "advisory")]


def test_a_value_that_comes_from_elsewhere_is_not(process: Analyzer) -> None:
    platform = from_network()
    platform.items["own-cpu"].sources["properties"] = ["own-id"]
    assert levels(run(process, platform, NETWORK)) == [(NETWORK, "advisory"), (NETWORK, "mandatory")]


@pytest.mark.parametrize(
    ("name", "path", "source", "rule"),
    [
        ("person", "roleDefinitionId", "scientist", "authorization-assignment-refuse-owner"),
        ("man-ws", "storageAccount", "manstore", "machinelearning-workspace-refuse-sharing"),
    ],
)
def test_a_known_value_counts_more_than_where_it_comes_from(
    process: Analyzer, name: str, path: str, source: str, rule: str
) -> None:
    """A program can make the id of Owner, or of another account, out of the output of what is allowed."""
    wrong = {"person": OWNER, "man-ws": clean().items["own-ws"].inputs["storageAccount"]}
    platform = clean().set(name, path, wrong[name])
    platform.items[name].sources[path] = [source]
    assert (rule, "mandatory") in [(told, level) for told, level, _, _ in run(process, platform).violations]


def test_a_value_that_may_come_from_two_resources_is_not_known(process: Analyzer) -> None:
    platform = clean().set("own-ws", "storageAccount", UNKNOWN)
    platform.items["own-ws"].sources["storageAccount"] = ["ownstore", "manstore"]
    rules = {told for told, *_ in run(process, platform).undecided}
    assert {"machinelearning-workspace-refuse-sharing", "machinelearning-workspace-close-hbi-storage"} <= rules


def test_a_violation_that_shows_only_with_the_whole_stack_blocks(process: Analyzer) -> None:
    """No subnet, and only the program's outputs tell that the workspace has no managed network."""
    platform = clean().set("own-cpu", SUBNET, None).set("own-cpu", "workspaceName", UNKNOWN)
    platform.items["own-cpu"].sources["workspaceName"] = ["own-ws"]
    assert levels(run(process, platform)) == [(NETWORK, "advisory"), (NETWORK, "mandatory")]


def test_the_next_look_does_not_remember(process: Analyzer) -> None:
    run(process, clean().set("ownstore", "minimumTlsVersion", UNKNOWN), TLS)
    assert process.run(clean()).all == []


@pytest.mark.parametrize(
    ("rule", "name", "path"),
    [
        ("machinelearning-workspace-close-dependencies", "ownimages", "publicNetworkAccess"),
        ("machinelearning-workspace-close-hbi-storage", "ownstore", "publicNetworkAccess"),
        ("machinelearning-workspace-refuse-sharing", "man-ws", "keyVault"),
        ("authorization-assignment-refuse-owner", "person", "roleDefinitionId"),
        ("authorization-assignment-limit-contributor", "person", "roleDefinitionId"),
        ("authorization-assignment-limit-principals", "person", "principalId"),
        ("machinelearning-stack-limit-nodes", "own-cpu", "properties.properties.scaleSettings.maxNodeCount"),
        ("machinelearning-stack-limit-vcpus", "own-cpu", "properties.properties.vmSize"),
        ("machinelearning-stack-limit-monthly-cost", "own-cpu", "properties.properties.vmSize"),
        ("azure-name-require-unique", "ownstore", "accountName"),
        ("machinelearning-compute-require-image-pull", "own-pull", "roleDefinitionId"),
        ("machinelearning-compute-require-data-access", "own-read", "scope"),
        ("machinelearning-workspace-require-private-endpoint", "own-endpoint", "privateLinkServiceConnections"),
        ("machinelearning-workspace-require-diagnostics", "own-diagnostics", "resourceUri"),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_a_rule_about_the_stack_tells_what_it_cannot_know(
    process: Analyzer, rule: str, name: str, path: str, strict: bool
) -> None:
    found = run(process, clean().set(name, path, UNKNOWN), *([rule] if strict else []))
    assert [level for told, level, *_ in found.all if told == rule] == ["mandatory" if strict else "advisory"]
    assert not [told for told in found.violations if told[0] == rule]
