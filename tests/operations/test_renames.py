"""What a preview tells of teams and clusters that were renamed; tests/program does it in the sandbox."""

from typing import Any

from operations import renames
from operations.quota import workspace_id
from operations.workspaces import Made
from settings import Department, parse_department
from tests.operations.test_purge import Answer, Azure
from tests.program.harness import stack_file


def department(name: str, **team: Any) -> Department:
    raw = stack_file("dev")
    raw["teams"][0] |= {"name": name, **team}
    return parse_department(raw, "f")


def made(of: Department, **tags: str) -> Made:
    team = of.teams[0]
    return Made(workspace_id(of, team).lower(), of.region, "x", "y", dict(of.tags_of(team)) | tags)


def test_a_team_that_would_take_anothers_names_is_refused() -> None:
    old, new = (department(name, customName="forecast") for name in ("sales", "planning"))
    said = renames.refusal(new, [made(old)])
    assert said.startswith("The team 'planning' has the names on Azure that the team 'sales' has")
    assert "set formerName: sales" in said


def test_a_team_that_is_gone_while_another_is_new_is_told_with_what_goes() -> None:
    old, new = department("sales"), department("planning")
    [said] = renames.warnings(new, [made(old)])
    assert "The team 'sales' is gone from the settings, and 'planning' is new." in said
    assert "formerName: sales" in said
    assert "up deletes its resource group 'bgmr-sales-eastus2-dev'" in said


def test_names_that_change_are_told_with_what_goes() -> None:
    before, after = department("sales"), department("sales", customName="forecast")
    [said] = renames.warnings(after, [made(before)])
    assert said.startswith("The names on Azure of the team 'sales' change, and Azure renames nothing: up deletes its")
    assert "'bgmrsalese2devws' with its models and runs" in said


def test_nothing_is_told_of_what_is_as_it_was_or_is_anothers() -> None:
    old, new = department("sales"), department("planning")
    kept = department("planning", formerName="sales")
    for settings, found in (
        (old, made(old)),
        (kept, made(old)),
        (kept, made(kept)),
        (new, made(old, department="other")),
        (new, made(old, environment="pro")),
        (old, made(new)),
    ):
        assert renames.refusal(settings, [found]) == ""
        assert settings is old or renames.warnings(settings, [found]) == []


def test_a_cluster_that_is_gone_while_one_of_its_size_is_new_is_told() -> None:
    before, after = department("sales"), department("sales")
    first = before.teams[0].clusters[0]
    computes = [
        {"name": cluster.name, "properties": {"properties": {"vmSize": cluster.vm_size}}}
        for cluster in before.teams[0].clusters
    ]
    azure = Azure(("GET", "/computes?", Answer(200, {"value": computes})))
    assert renames.cluster_warnings(before, [made(before)], azure) == []
    team = after.teams[0]
    renamed = team.model_copy(
        update={"clusters": (first.model_copy(update={"name": "cpu-cluster-large"}), *team.clusters[1:])}
    )
    azure = Azure(("GET", "/computes?", Answer(200, {"value": computes})))
    [said] = renames.cluster_warnings(after.model_copy(update={"teams": (renamed,)}), [made(before)], azure)
    assert f"'{first.name.lower()}' is gone from the settings, and 'cpu-cluster-large' with its VM size is new" in said
