"""What a workspace keeps for good: when a stack file is refused for it; tests/proof does it in the sandbox."""

from typing import Any

from operations import unique_names
from operations.quota import workspace_id
from operations.workspaces import Made
from operations.workspaces import workspaces as workspaces_of
from settings import Department, parse_department
from tests.operations.test_purge import Answer, Azure
from tests.program.harness import stack_file


def department(**team: str) -> Department:
    raw = stack_file("dev")
    raw["teams"][0] |= team
    return parse_department(raw, "f")


DEV = department(customName="forecast")
GROUP = f"/subscriptions/{DEV.subscription_id}/resourceGroups/forecast/providers"


def workspaces(*accounts: str, of: Department = DEV, next_: str | None = None) -> tuple[str, str, Answer]:
    found: list[dict[str, Any]] = [
        {
            "id": workspace_id(of, of.teams[0]),
            "properties": {"storageAccount": f"{GROUP}/Microsoft.Storage/storageAccounts/{account}"},
        }
        for account in accounts
    ]
    return "GET", "/workspaces?", Answer(200, {"value": found, "nextLink": next_})


def refusal(settings: Department, azure: Azure) -> str:
    return unique_names.refusal(settings, workspaces_of(settings, azure))


def unique(settings: Department) -> Department:
    return settings.model_copy(update={"unique_names": True})


def test_what_is_as_it_was_made_or_not_yet_made_is_not_refused() -> None:
    hashed = unique(DEV).names(DEV.teams[0]).work
    assert refusal(DEV, Azure(workspaces())) == ""
    assert refusal(DEV, Azure(workspaces("forecastwork"))) == ""
    assert refusal(unique(DEV), Azure(workspaces(hashed))) == ""


def test_other_names_are_refused_either_way_also_on_a_later_page() -> None:
    hashed = unique(DEV).names(DEV.teams[0]).work
    second = ("GET", "/more", workspaces(hashed)[2])
    off = refusal(DEV, Azure(workspaces(next_="https://management.azure.com/more"), second))
    assert off.startswith("uniqueNames: false gives the team 'bluegranit' the storage account 'forecastwork'")
    assert f"was made with '{hashed}'" in off
    assert "Set uniqueNames to true" in off
    on = refusal(unique(DEV), Azure(workspaces("forecastwork")))
    assert on.startswith(f"uniqueNames: true gives the team 'bluegranit' the storage account '{hashed}'")


def test_a_workspace_that_others_made_is_none_of_its_business() -> None:
    assert refusal(DEV, Azure(workspaces("theirs"))) == ""
    without_room_for_a_hash = department()
    assert refusal(without_room_for_a_hash, Azure(workspaces("theirs", of=without_room_for_a_hash))) == ""


def test_a_pattern_gives_a_workspace_no_other_storage_account_or_vault() -> None:
    names = DEV.names(DEV.teams[0])
    one = Made(workspace_id(DEV, DEV.teams[0]).lower(), DEV.region, names.work, names.vault, {})
    assert unique_names.refusal(DEV, [one]) == ""
    for key, name in (("workStorage", "stforecast"), ("keyVault", "kv-forecast")):
        raw = stack_file("dev") | {"naming": {key: name}}
        raw["teams"][0] |= {"customName": "forecast"}
        said = unique_names.refusal(parse_department(raw, "f"), [one])
        assert said.startswith(f"naming.{key} gives the ")
        assert f"'{name}' to the workspace 'forecastws', which was made with 'forecast" in said
