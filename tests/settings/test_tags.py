"""Further tags: what is refused with its reason, and which value a resource gets."""

from typing import Any

import pytest

from settings import SettingsError, parse_department
from tests.program.harness import stack_file

MANY = {f"t{i}": "x" for i in range(6)}


def tagged(department: Any = None, team: Any = None, ignore: Any = None) -> Any:
    raw = stack_file("dev")
    raw["tags"], raw["ignoreTags"], raw["teams"][0]["tags"] = department, ignore, team
    return raw


@pytest.mark.parametrize(
    ("raw", "key", "words"),
    [
        (tagged({"Owner": "me"}), "tags", "'Owner' is a tag that the settings give"),
        (tagged(team={"costcenter": "1"}), "teams[0].tags", "Set owner or costCenter for their values."),
        (tagged({"a/b": "x"}), "tags", "'a/b' cannot be the name of a tag"),
        (tagged({"": "x"}), "tags", "'' cannot be the name of a tag"),
        (tagged({"Microsoft.x": "x"}), "tags", "no name that starts with azure, microsoft, windows"),
        (tagged({"n" * 129: "x"}), "tags", "Azure allows 1 to 128 characters"),
        (tagged({"unit": "v" * 257}), "tags", "the value of tag 'unit' has 257 characters; Azure allows 256"),
        (tagged({"unit": "a", "Unit": "b"}), "tags", "'Unit' and 'unit' are one tag"),
        (tagged({"unit": 3}), "tags.unit", "expected text, found 3"),
        (tagged(["unit"]), "tags", "expected a mapping of keys, found a list"),
        (tagged({f"t{i}": "x" for i in range(11)}), "tags", "up to 10 names with their values"),
        (tagged(MANY, {f"u{i}": "x" for i in range(6)}), "teams[0].tags", "they are 12 tags"),
        (tagged({"Unit": "x"}, ignore=["By", "unit"]), "ignoreTags[1]", "'unit' is given in tags"),
        (tagged(ignore=["team"]), "ignoreTags[0]", "'team' is a tag that the settings give"),
    ],
)
def test_what_azure_would_refuse_is_named_by_its_key(raw: Any, key: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_department(raw, "f")
    [problem] = caught.value.problems
    assert problem.key == f"azureml-platform:department.{key}"
    assert words in problem.message


def test_a_teams_tag_replaces_the_departments_in_any_case() -> None:
    department = parse_department(tagged({"Unit": "all", "site": "a"}, {"unit": "own"} | MANY), "f")
    tags = department.tags_of(department.teams[0])
    assert {name: tags[name] for name in ("unit", "site", "team")} == {"unit": "own", "site": "a", "team": "bluegranit"}
    assert "Unit" not in tags
    assert department.tags_of()["Unit"] == "all"
