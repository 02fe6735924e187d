"""A department of five teams that is reached only by private endpoints: its life from an empty sandbox to one."""

import json
from pathlib import Path

from contract import StackOutputs
from department.__main__ import main as department
from tests.azure.client import Client
from tests.conftest import Sandbox
from tests.program import hub
from tests.program.harness import run_program
from tests.program.stack import Stack

PRIVATE = ("pricing", "fraud", "claims", "credit")


def test_the_stack_file_is_valid_and_says_what_it_is() -> None:
    assert department(["check", str(hub.FILE)]) == 0
    run = run_program(hub.department())
    workspaces = run.of("machinelearningservices:Workspace")
    access = {found.name: found.inputs["publicNetworkAccess"] for found in workspaces}
    assert access == {**{f"{team}-workspace": "Disabled" for team in PRIVATE}, "research-workspace": "Enabled"}
    assert {found.name for found in run.of("VirtualNetwork")} == {f"{team}-network" for team in PRIVATE[1:]}
    for name in ("StorageAccount", "Vault", "Registry"):
        closed = [one for one in run.of(name) if not one.name.startswith("research-")]
        for one in closed:
            body = one.inputs.get("properties", one.inputs)
            assert body["publicNetworkAccess"] == "Disabled", one.name
    assert len(run.of("Registry")) == 1
    assert len(run.of("Vault")) == 4


def _resources(sandbox: Sandbox) -> dict[str, int]:
    counted: dict[str, int] = json.loads(sandbox.command("status", "--json").stdout)["resources"]
    return {type_: number for type_, number in counted.items() if number}


def test_five_teams_come_up_stay_and_go(sandbox: Sandbox, tmp_path: Path) -> None:
    azure, stack, department = Client(sandbox), Stack(sandbox, tmp_path), hub.department()
    hub.make(azure)
    before, given = _resources(sandbox), hub.read(azure)
    previewed = stack.preview(department)
    assert previewed.code == 0, previewed.text
    assert _resources(sandbox) == before

    made = stack.up(department)
    assert made.code == 0, made.text
    assert {one for one in made.steps ^ previewed.steps if " default_" not in one} == set()  # default providers
    assert hub.read(azure) == given
    teams = StackOutputs.model_validate(stack.outputs()).teams
    assert set(teams) == {*PRIVATE, "research"}
    again = stack.up(department)
    assert (again.code, set(again.steps)) == (0, set()), again.text

    gone = stack.destroy(department)
    assert gone.code == 0, gone.text
    assert (_resources(sandbox), hub.read(azure)) == (before, given)
    deleted = azure.arm("GET", "providers/Microsoft.KeyVault/deletedVaults", api="2024-11-01").json()["value"]
    assert {one["name"] for one in deleted} == {
        f"risk{team}wedevkv" for team in ("pricing", "fraud", "credit", "research")
    }
