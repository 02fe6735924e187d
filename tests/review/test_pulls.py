"""Pull requests end to end: the command reviews them, and says what is expected of each."""

from collections.abc import Iterator
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.review.harness import Reviewed, reviewed
from tests.review.pulls import IN_EVERY_RUN, PULLS, changes_of, with_name

DOLLARS = 0.02


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Reviewed:
    return reviewed(tmp_path_factory.mktemp("review") / "project", IN_EVERY_RUN)


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reviewed]:
    yield reviewed(tmp_path_factory.mktemp("review") / "project", [name for name in PULLS if name not in IN_EVERY_RUN])


@pytest.mark.parametrize("name", IN_EVERY_RUN)
def test_a_pull_request(some: Reviewed, name: str) -> None:
    check(some, name)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", [name for name in PULLS if name not in IN_EVERY_RUN])
def test_a_further_pull_request(rest: Reviewed, name: str) -> None:
    check(rest, name)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_renamed_team_is_one_team(rest: Reviewed) -> None:
    stack = rest.stack("team-renamed")
    assert {one["team"] for one in stack["groups"]} == {"gamma"}
    [team] = stack["costs"]["teams"]
    assert (team["team"], team["before"]) == ("gamma", team["after"])
    assert not any(stack["access"][key] for key in stack["access"] if key not in ("ending", "notes"))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_all_of_an_access_that_ends_is_told_with_its_last_day(rest: Reviewed) -> None:
    gained = rest.stack("person-for-a-while")["access"]["grants_gained"]
    assert [one["until"] for one in gained] == ["2099-06-30"] * 2
    joined = rest.stack("member-for-a-while")["access"]["members_gained"]
    assert [one["until"] for one in joined] == ["2099-06-30"]


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_service_principal_has_one_name(rest: Reviewed) -> None:
    access = rest.stack("automation")["access"]
    [secret] = access["passwords_gained"]
    assert f"the service principal {secret['principal']}" in {
        one["principal"]["name"] for one in access["grants_gained"]
    }


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_value_that_is_too_long_is_not_told_as_nothing(rest: Reviewed) -> None:
    told = [one for change in rest.stack("tags")["changes"] for one in change["differences"]]
    values = {one["path"]: (one["before"], one["after"]) for one in told}
    assert (values["tags.project"], values["tags.note"]) == (("", "churn"), ("", "…"))


def test_the_review_objects_and_leaves_nothing_behind(some: Reviewed) -> None:
    assert some.code == 1
    folder: Path = some.project.folder
    assert list(folder.parent.glob("azureml-review-*")) == []
    assert len(some.project.git("worktree", "list").splitlines()) == 1
    assert some.report["made_by"] == "base"  # nothing but stack files differs
    assert "what is not committed" in some.report["head"]


def check(found: Reviewed, name: str) -> None:
    pull, stack = PULLS[name], found.stack(name)
    assert stack["state"] == pull.state, stack["failures"]
    made = changes_of(stack)
    assert [one for one in made if not any(fnmatchcase(one, pattern) for pattern in pull.changes)] == []
    assert [pattern for pattern in pull.changes if not any(fnmatchcase(one, pattern) for one in made)] == []

    new = [one for one in stack["violations"] if one["state"] == "new" and pull.base]
    assert {one["rule"] for one in new} == set(pull.broken)
    for one in new:
        assert pull.broken[one["rule"]] in found.line(one["place"]), one["place"]
    assert {one["rule"] for one in stack["violations"] if one["state"] == "fixed"} == set(pull.fixed)

    lost = [one for one in stack["changes"] if one["loss"]]
    assert {with_name(one["urn"]) for one in lost} == set(pull.lost)
    assert all(one["loss"]["accepted"] == bool(pull.accepted) for one in lost)
    if stack["costs"]:
        before, after = stack["costs"]["before"], stack["costs"]["after"]
        for key, dollars in (("floor", pull.floor), ("worst", pull.worst)):
            difference = float(Decimal(after[key]) - Decimal(before[key]))
            assert dollars is None or difference == pytest.approx(dollars, abs=DOLLARS), key
    for key, expected in (("abilities_gained", pull.gain), ("abilities_lost", pull.lose)):
        who = {one["principal"]["name"] for one in (stack["access"] or {}).get(key, ())}
        assert sorted(one for one in who if not any(fnmatchcase(one, pattern) for pattern in expected)) == [], key
        assert [pattern for pattern in expected if not any(fnmatchcase(one, pattern) for one in who)] == [], key
    if pull.told:
        text, line = pull.told
        told = [one for one in (*stack["notices"], *stack["failures"]) if text in one["message"]]
        assert told, (stack["notices"], stack["failures"])
        assert not line or line in found.line(told[0]["place"])
