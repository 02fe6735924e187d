"""The naming rules: the published example, Azure's limits, and that nothing is ever cut."""

import dataclasses
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.names import LIMITS, NameTooLongError, TeamNames
from settings.names import BASE_LIMIT, HASH_LENGTH, team_names

SUBSCRIPTION = "8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27"
ALPHABET = string.ascii_lowercase + string.digits

codes = st.from_regex(r"[a-z][a-z0-9]{0,3}", fullmatch=True)
teams = st.text(ALPHABET, min_size=1, max_size=10)
abbreviations = st.text(ALPHABET, min_size=2, max_size=2)
environments = st.sampled_from(["res", "dev", "pro"])
customs = st.none() | st.from_regex(r"[a-z][a-z0-9]{2,18}", fullmatch=True)


def example(**changes: str | None) -> TeamNames:
    parts: dict[str, str | None] = {
        "department": "bgmr",
        "team": "bluegranit",
        "region": "eastus2",
        "region_abbreviation": "e2",
        "environment": "dev",
    }
    return team_names(**{**parts, **changes})  # type: ignore[arg-type]


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
    names = team_names(
        department=code,
        team=team,
        region="eastus2",
        region_abbreviation=abbreviation,
        environment=environment,
        custom_name=custom,
    )
    values = dataclasses.asdict(names)
    for kind, name in values.items():
        assert LIMITS[kind].fullmatch(name)
    assert len(set(values.values())) == len(values)
    if custom is None:
        assert names.work == f"{code}{team}{abbreviation}{environment}work"


@given(codes, teams, environments)
def test_a_hash_fits_or_is_an_error_but_never_cuts(code: str, team: str, environment: str) -> None:
    base = f"{code}{team}e2{environment}"

    def names() -> TeamNames:
        return example(department=code, team=team, environment=environment, unique_in_subscription=SUBSCRIPTION)

    if len(base) + HASH_LENGTH + len("work") > 24:
        with pytest.raises(NameTooLongError, match=re.escape(base)):
            names()
    else:
        assert re.fullmatch(re.escape(base) + r"[a-z2-7]{4}work", names().work)
        assert names().workspace == f"{base}ws"


def test_the_hash_depends_on_subscription_and_group_in_any_letter_case() -> None:
    short = {"team": "blue", "unique_in_subscription": SUBSCRIPTION}
    same = example(**{**short, "unique_in_subscription": SUBSCRIPTION.upper()})
    assert example(**short) == same
    assert example(**short).vault != example(**{**short, "unique_in_subscription": SUBSCRIPTION[::-1]}).vault


@given(st.text(ALPHABET, min_size=BASE_LIMIT + 1, max_size=60))
def test_too_long_is_an_error_with_the_length(custom: str) -> None:
    with pytest.raises(NameTooLongError, match=f"{len(custom)} characters"):
        example(custom_name=custom)
