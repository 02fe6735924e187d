"""False positives: what the project ships keeps the rules, with exactly the advisories that are listed here."""

import doctest
import inspect
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from department.reference import COMPONENTS
from policies import config, offline
from tests.conftest import Sandbox
from tests.policies.graphs import graph
from tests.program import hub
from tests.program.harness import run_function, run_program, stack_file
from tests.program.stack import KEY, Stack

Told = Mapping[str, int]  # rule -> how often
PUBLIC = {"machinelearning-workspace-disable-public-access": 1}
UNPURGED = "keyvault-vault-require-purge-protection"
DIAGNOSTICS = "machinelearning-workspace-require-diagnostics"
SHARED = {"resource": "*::shared-*", "reason": "All teams share it", "owner": "risk", "expires": "2999-12-31"}

DEPARTMENTS: dict[str, tuple[str, Told]] = {
    "dev": (
        "dev",
        # STANDARD_NV6 is retired in that region and has no price.
        {UNPURGED: 1, DIAGNOSTICS: 1, **PUBLIC, "machinelearning-stack-limit-monthly-cost": 1},
    ),
    "prod": ("prod", {}),
    # One team is in a managed network, and public; one has a vault of the security team's; two resources are exempted.
    "private": (
        "dev",
        {UNPURGED: 4, **PUBLIC, "machinelearning-workspace-close-dependencies": 1, "azure-resource-require-tags": 2},
    ),
}
EXAMPLES: dict[str, Told] = {
    # Its identity needs Contributor on the workspace and four more; no configuration flags that here.
    "TeamWorkspace": {**PUBLIC, "authorization-assignment-limit-contributor": 5},
    "ModelRegistry": {"machinelearning-registry-disable-public-access": 1},
    "ComputeCluster": {
        "machinelearning-compute-require-image-pull": 1,  # its workspace is not in the example
        "machinelearning-compute-require-data-access": 1,
    },
}
PREVIEWS: dict[str, Told] = {
    "dev": {
        **DEPARTMENTS["dev"][1],
        "insights-component-require-log-workspace": 1,
        "machinelearning-workspace-require-user-identity": 1,
    },
    "prod": {
        "insights-component-require-log-workspace": 2,
        "machinelearning-compute-require-virtual-network": 3,
        "network-subnet-require-security-group": 4,
        "machinelearning-workspace-require-user-identity": 2,
    },
}
"""More than what is told of a deployed stack: what is told of a resource, and decided at the preview's end."""


def told(report: offline.Report) -> Told:
    """How often each rule found something; that nothing of it blocks."""
    assert [(one.rule.name, one.urn, one.message) for one in report.findings if one.blocks] == []
    return Counter(one.rule.name for one in report.findings)


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_departments(name: str) -> None:
    stack, advisories = DEPARTMENTS[name]
    entries = config.merged(stack)
    department = stack_file(name) if name != "private" else hub.department()
    if name == "private":
        entries["azure-resource-allow-regions"]["allowed"] = ["westeurope"]
        entries["azure-resource-require-tags"]["exemptions"] = [SHARED]
        entries["machinelearning-stack-limit-nodes"]["maxNodes"] = 17
    report = offline.evaluate(graph(run_program(department, stack=stack)), config.from_entries(entries, name))
    assert told(report) == advisories


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: c.__name__)
def test_the_examples_of_the_components(component: type[pulumi.ComponentResource]) -> None:
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(component) or "")
    source, namespace = "".join(example.source for example in examples), dict[str, Any](pulumi=pulumi)
    run = run_function(lambda: exec(source, namespace))
    assert told(offline.evaluate(graph(run), offline.default_config())) == EXAMPLES.get(component.__name__, {})


@pytest.mark.parametrize("name", PREVIEWS)
def test_a_first_preview_by_the_engine(name: str, shared_sandbox: Sandbox, tmp_path: Path) -> None:
    """The whole way: program, engine, providers, the pack's process with the merged file, the event log, the check."""
    stack = Stack(shared_sandbox, tmp_path, name)
    log = tmp_path / "events.json"
    policies = ["--policy-pack", "policies", "--policy-pack-config", f"policies/merged/{name}.json"]
    code, text = stack.run(
        "preview", "--config-file", stack.configure(stack_file(name)), *policies, "--event-log", str(log)
    )
    assert code == 0, text
    violations = [line for line in text.splitlines() if line.strip().startswith("- [")]
    assert all("[advisory]" in line for line in violations)
    assert Counter(line.split()[2] for line in violations) == Counter(PREVIEWS[name])
    assert KEY in (tmp_path / f"Pulumi.{name}.yaml").read_text()
    offline_report = offline.evaluate(offline.load_graph(log), offline.stack_config(name))
    rules = {one.rule.name for one in offline_report.findings}
    assert rules >= PREVIEWS[name].keys()
    assert {one.kind for one in offline_report.findings if one.blocks} <= {"undecided"}  # an event log has no sources


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_a_first_preview_decides_every_rule_that_is_strict(name: str) -> None:
    """No role, principal or scope is known before anything exists; where they come from is."""
    first = run_program(stack_file(name), stack=name, preview=True)
    entries = {rule: {**entry, "strict": True} for rule, entry in config.merged(name).items()}
    report = offline.evaluate(graph(first), config.from_entries(entries, name))
    told_ = {one.rule.name for one in report.findings if one.kind == "undecided"}
    assert told_ == ({"machinelearning-stack-limit-monthly-cost"} if name == "dev" else set())  # no price of an NV6
    idle = {one.rule for one in report.not_applicable}
    assert not idle & {"authorization-assignment-limit-principals", "machinelearning-compute-require-image-pull"}
