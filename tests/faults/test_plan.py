"""A plan as the command has it, and its draws."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.azure.faults.plan import Draws, Plan, PlanError, Rule, parse_plan, read_plan
from tests.conftest import Sandbox


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("storm", "'storm' is no kind of fault; there are throttle"),
        ("slow,hots=x", "'hots=x' is not understood"),
        ("slow,host", "'host' is not understood"),
        ("slow,count=1,count=2", "'count=2' is not understood"),
        ("slow,probability=0", "probability must be above 0 and at most 1"),
        ("slow,probability=1.5", "probability must be above 0 and at most 1"),
        ("slow,probability=nan", "probability must be above 0 and at most 1"),
        ("slow,seconds=601", "seconds must be 0 to 600"),
        ("slow,seconds=soon", "seconds must be a number"),
        ("slow,count=0", "count must be at least 1"),
        ("late-roles,host=graph*", "host, method and path say nothing here"),
    ],
)
def test_a_wrong_plan_is_refused_with_what_is_allowed(text: str, part: str, tmp_path: Path) -> None:
    done = Sandbox(tmp_path).command("faults", "set", text)
    assert done.returncode == 1
    assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_set_show_and_clear(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    words = ["throttle,host=graph.*,probability=0.25,seconds=3", "reset-after,method=PUT,path=*/vaults/*,count=1"]
    assert sandbox.command("faults", "set", *words, "--seed", "7").stdout.splitlines() == ["seed 7", *words]
    assert sandbox.command("faults", "show").stdout.splitlines() == ["seed 7", *words]
    assert read_plan(tmp_path) == parse_plan(words, 7)
    assert sandbox.command("faults", "clear").stdout.startswith("no faults")
    assert read_plan(tmp_path) == Plan()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = Sandbox(tmp_path / "none").command("faults", "set", "slow")
    assert done.returncode == 1
    assert "`python -m sandbox start` makes it" in done.stderr


@pytest.mark.parametrize("text", ["{", "[]", '{"rules": [{"kind": "slow"}]}', '{"seed": 1, "rules": [{"king": 1}]}'])
def test_a_damaged_file_is_said(text: str, tmp_path: Path) -> None:
    (tmp_path / "faults.json").write_text(text)
    with pytest.raises(PlanError, match="faults clear"):
        read_plan(tmp_path)


def test_patterns_do_not_mind_case() -> None:
    rule = Rule("slow", host="Graph.*", method="put", path="*/Vaults/*")
    assert rule.matches("graph.microsoft.com", "PUT", "/x/vaults/y")
    assert not rule.matches("management.azure.com", "PUT", "/x/vaults/y")
    assert not rule.matches("graph.microsoft.com", "GET", "/x/vaults/y")
    assert not rule.matches("graph.microsoft.com", "PUT", "/vaults")


@given(st.integers(), st.lists(st.sampled_from("abc"), max_size=30))
def test_draws_do_not_depend_on_the_order_of_different_requests(seed: int, order: list[str]) -> None:
    def drawn(what: list[str]) -> dict[str, list[bool]]:
        draws, found = Draws(seed), dict[str, list[bool]]()
        for one in what:
            found.setdefault(one, []).append(draws.below(0.5, one))
        return found

    assert drawn(order) == drawn(sorted(order))


def test_draws_are_as_likely_as_said_and_differ_by_seed() -> None:
    def drawn(seed: int) -> list[bool]:
        draws = Draws(seed)
        return [draws.below(0.05, "PUT", str(number % 40)) for number in range(4000)]

    assert 150 < sum(drawn(1)) < 250
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
