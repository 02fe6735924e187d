"""The naming rules: the published example, Azure's limits, and that nothing is ever cut."""

import dataclasses
import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.names import LIMITS, NameRefusedError, TeamNames
from settings import Department, SettingsError, parse_department
from settings.names import HASH_LENGTH, Scheme
from tests.program.harness import stack_file

SUBSCRIPTION = "8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27"
ALPHABET = string.ascii_lowercase + string.digits

codes = st.from_regex(r"[a-z][a-z0-9]{0,3}", fullmatch=True)
teams = st.text(ALPHABET, min_size=1, max_size=10)
abbreviations = st.text(ALPHABET, min_size=2, max_size=2)
environments = st.sampled_from(["res", "dev", "pro"])
customs = st.none() | st.from_regex(r"[a-z][a-z0-9]{2,18}", fullmatch=True)


def example(
    *, team: str = "bluegranit", custom_name: str | None = None, unique_in: str = "", **changes: str
) -> TeamNames:
    parts = {"department": "bgmr", "region": "eastus2", "region_abbreviation": "e2", "environment": "dev"}
    scheme = Scheme(**(parts | changes), subscription_id=unique_in, unique_names=bool(unique_in))  # type: ignore[arg-type]
    return scheme.team(team, custom_name)


def test_the_published_example() -> None:
    assert dataclasses.asdict(example()) == {
        "resource_group": "bgmr-bluegranit-eastus2-dev",
        "workspace": "bgmrbluegranite2devws",
        "work": "bgmrbluegranite2devwork",
        "data": "bgmrbluegranite2devdata",
        "lake": "bgmrbluegranite2devlake",
        "registry": "bgmrbluegranite2devcr",
        "vault": "bgmrbluegranite2devkv",
        "insights": "bgmrbluegranite2devai",
        "logs": "bgmrbluegranite2devlog",
        "workspace_identity": "bgmrbluegranite2devid",
        "node_identity": "bgmrbluegranite2devnodeid",
        "key_identity": "bgmrbluegranite2devkeyid",
        "network": "bgmrbluegranite2devvnet",
    }


def test_a_custom_name_takes_the_place_of_group_and_base() -> None:
    names = example(custom_name="mycustomamls")
    assert (names.resource_group, names.workspace, names.work) == ("mycustomamls", "mycustomamlsws", "mycustomamlswork")


@given(codes, teams, abbreviations, environments, customs)
def test_every_allowed_part_gives_names_that_azure_accepts(
    code: str, team: str, abbreviation: str, environment: str, custom: str | None
) -> None:
    names = example(
        department=code, team=team, region_abbreviation=abbreviation, environment=environment, custom_name=custom
    )
    values = dataclasses.asdict(names)
    for kind, name in values.items():
        assert LIMITS[kind].pattern.fullmatch(name)
    assert len(set(values.values())) == len(values)
    if custom is None:
        assert names.work == f"{code}{team}{abbreviation}{environment}work"


@given(codes, teams, environments)
def test_a_hash_fits_or_is_an_error_but_never_cuts(code: str, team: str, environment: str) -> None:
    base = f"{code}{team}e2{environment}"

    def names() -> TeamNames:
        return example(department=code, team=team, environment=environment, unique_in=SUBSCRIPTION)

    if len(base) + HASH_LENGTH + len("work") > 24:
        with pytest.raises(NameRefusedError, match=re.escape(base)):
            names()
    else:
        assert re.fullmatch(re.escape(base) + r"[a-z2-7]{4}work", names().work)
        assert names().workspace == f"{base}ws"


def test_the_hash_depends_on_subscription_and_group_in_any_letter_case() -> None:
    short = {"team": "blue", "unique_in": SUBSCRIPTION}
    same = example(**{**short, "unique_in": SUBSCRIPTION.upper()})
    assert example(**short) == same
    assert example(**short).vault != example(**{**short, "unique_in": SUBSCRIPTION[::-1]}).vault


@given(st.text(ALPHABET, min_size=21, max_size=60))
def test_too_long_is_an_error_with_the_length(custom: str) -> None:
    with pytest.raises(NameRefusedError, match=rf"'{custom}\w+' \({len(custom) + 2}|{len(custom) + 4} characters"):
        example(custom_name=custom)


# learn.microsoft.com/azure/cloud-adoption-framework/ready/azure-best-practices/resource-abbreviations
ADOPTION_FRAMEWORK = {
    "environment": "prod",
    "resourceGroup": "rg-{department}-{team}-{environment}-{region}",
    "workspace": "mlw-{department}-{team}-{environment}",
    "workStorage": "stwork{team}{environment}{hash}",
    "dataStorage": "stdata{team}{environment}{hash}",
    "lakeStorage": "dls{team}{environment}{hash}",
    "containerRegistry": "cr{department}{team}{environment}{hash}",
    "keyVault": "kv-{team}-{environment}-{hash}",
    "applicationInsights": "appi-{department}-{team}-{environment}",
    "logWorkspace": "log-{department}-{team}-{environment}",
    "workspaceIdentity": "id-{department}-{team}-{environment}",
    "nodeIdentity": "id-{department}-{team}-nodes-{environment}",
    "keyIdentity": "id-{department}-{team}-key-{environment}",
    "virtualNetwork": "vnet-{department}-{team}-{environment}",
    "modelRegistry": "mlr-{department}-{environment}",
    "modelRegistryGroup": "rg-{department}-models-{environment}",
}


def settings(**changes: Any) -> Department:
    raw = stack_file("dev") | {"environment": "pro"}
    team = changes.pop("team", {})
    return parse_department(raw | changes | {"teams": [raw["teams"][0] | team, *changes.get("teams", ())]}, "f")


def told(**changes: Any) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        settings(**changes)
    return {problem.key.partition(".")[2]: problem.message for problem in caught.value.problems}


def test_names_as_the_cloud_adoption_framework_recommends_them() -> None:
    department = settings(naming=ADOPTION_FRAMEWORK, modelRegistry={})
    names = dataclasses.asdict(department.names(department.teams[0]))
    hash_ = names["vault"][-HASH_LENGTH:]
    assert names == {
        "resource_group": "rg-bgmr-bluegranit-prod-eastus2",
        "workspace": "mlw-bgmr-bluegranit-prod",
        "work": f"stworkbluegranitprod{hash_}",
        "data": f"stdatabluegranitprod{hash_}",
        "lake": f"dlsbluegranitprod{hash_}",
        "registry": f"crbgmrbluegranitprod{hash_}",
        "vault": f"kv-bluegranit-prod-{hash_}",
        "insights": "appi-bgmr-bluegranit-prod",
        "logs": "log-bgmr-bluegranit-prod",
        "workspace_identity": "id-bgmr-bluegranit-prod",
        "node_identity": "id-bgmr-bluegranit-nodes-prod",
        "key_identity": "id-bgmr-bluegranit-key-prod",
        "network": "vnet-bgmr-bluegranit-prod",
    }
    assert department.scheme.model_registry() == ("mlr-bgmr-prod", "rg-bgmr-models-prod")
    assert department.protect  # production stays production under another name


def test_a_custom_name_has_hyphens_and_storage_leaves_them_out() -> None:
    department = settings(team={"customName": "mlw-mlopsv2-0518"})
    names = department.names(department.teams[0])
    assert (names.resource_group, names.workspace) == ("mlw-mlopsv2-0518", "mlw-mlopsv2-0518ws")
    assert (names.work, names.registry, names.vault) == (
        "mlwmlopsv20518work",
        "mlwmlopsv20518cr",
        "mlw-mlopsv2-0518kv",
    )


SECOND = {"name": "second"}
FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"naming": {"workspace": "mlw-{tem}"}}, "naming.workspace", "'{tem}' is no field here. Did you mean 'team'?"),
    ({"naming": {"workspace": "mlw-{team!r}"}}, "naming.workspace", "is no field here"),
    ({"naming": {"workspace": "mlw-{team.name}"}}, "naming.workspace", "is no field here"),
    ({"naming": {"workspace": "mlw-{team"}}, "naming.workspace", "brace without its other one"),
    ({"naming": {"resourceGroup": "rg-{base}"}}, "naming.resourceGroup", "'{base}' is no field here"),
    ({"naming": {"modelRegistry": "mlr-{team}"}}, "naming.modelRegistry", "'{team}' is no field here"),
    ({"naming": {"workStorage": "st-{team}"}}, "naming.workStorage", "(13 characters) as the name of a storage acc"),
    ({"naming": {"keyVault": "kv--{team}"}}, "naming.keyVault", "single hyphens"),
    ({"naming": {"workspace": "mlw-{base}-{region}-{hash}"}}, "naming.workspace", "3 to 33 letters"),
    ({"naming": {"modelRegistry": "m"}, "modelRegistry": {}}, "naming.modelRegistry", "3 to 33 letters"),
    ({"naming": {"dataStorage": "{base}work"}}, "naming.dataStorage", "also that of workStorage"),
    ({"naming": {"environment": "Prod!"}}, "naming.environment", "up to 12"),
    (
        {"naming": {"modelRegistryGroup": "bgmr"}, "modelRegistry": {}, "team": {"customName": "bgmr"}},
        "teams[0].customName",
        "named as the model registry: 'bgmr' is taken",
    ),
    ({"naming": {"resourceGroup": "rg"}, "teams": [SECOND]}, "teams[1].name", "'rg' is taken"),
    ({"naming": {"keyVault": "kv-{department}"}, "teams": [SECOND]}, "teams[1].name", "'kv-bgmr' is taken"),
    ({"teams": [SECOND | {"customName": "ab"}]}, "teams[1].customName", "'ab' (2 characters)"),
    ({"teams": [SECOND | {"formerName": "bluegranit"}]}, "teams[1].formerName", "is the name of teams[0]"),
    ({"team": {"formerName": "bluegranit"}}, "teams[0].formerName", "is the team's name"),
    ({"region": "usgovvirginia"}, "region", "is a region of Azure Government. This program works only in Azure's"),
    ({"region": "China East 2"}, "region", "is a region of Azure operated by 21Vianet"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault[1]}-{fault[2][:30]}")
def test_what_azure_refuses_is_told_with_its_key(fault: tuple[dict[str, Any], str, str]) -> None:
    changes, key, said = fault
    assert said in told(**changes)[key]


def test_one_workspace_name_in_two_groups_is_no_clash() -> None:
    department = settings(naming={"workspace": "mlw-{environment}"}, teams=[SECOND])
    assert {department.names(team).workspace for team in department.teams} == {"mlw-pro"}


@pytest.mark.parametrize("spelling", ["eastus2", "East US 2", "EastUS2", "EASTUS2"])
def test_a_region_in_any_of_azures_spellings(spelling: str) -> None:
    assert settings(region=spelling).region == "eastus2"


def test_a_renamed_team_keeps_its_names_on_azure() -> None:
    before, after = settings(), settings(team={"name": "planning", "formerName": "bluegranit"})
    assert after.names(after.teams[0]) == before.names(before.teams[0])
    assert after.tags_of(after.teams[0])["team"] == "planning"
