"""Commands, search filters and file names, with input of all kinds."""

import subprocess
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml.command import interpolate, optional_names, references
from sandbox.azure.ml.durations import seconds
from sandbox.azure.ml.plane import search
from sandbox.azure.ml.runner.data import DataError, inside

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


class TestCommands:
    @given(name=NAMES, value=st.text(), before=st.text("ab $\"'"), after=st.text("ab $\"'"))
    def test_a_value_takes_the_place_of_its_expression_once(
        self, name: str, value: str, before: str, after: str
    ) -> None:
        command = f"{before}${{{{ inputs.{name} }}}}{after}"
        assert interpolate(command, {name: value}, {}, {name}) == before + value + after

    @given(value=st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r"), min_size=1))
    @pytest.mark.parametrize(
        "command",
        ["{}", "'{}'", '"{}"', '"$(printf %s {})"', '"a\'b{}"', "'a\"b{}'", "\\'{}", "x{}/y", "\"$(printf %s '{}')\""],
    )
    def test_a_path_is_one_word_in_any_quotes(self, command: str, value: str) -> None:
        """Quotes are checked by bash itself, of which one process tells all."""
        line = "printf %s " + interpolate(command.format("${{inputs.x}}"), {"x": value}, {})
        told = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout
        assert value in told

    @pytest.mark.parametrize(
        ("command", "expected"),
        [
            ("a ${{inputs.x}} ${{outputs.y}}", "a 1 2"),
            ("a $[[--x ${{inputs.x}}]] b", "a --x 1 b"),
            ("a $[[--z ${{inputs.z}}]] b", "a  b"),
            ("a ${{inputs.x.path}}", "a 1"),
            ("a $x ${y} $((1+1))", "a $x ${y} $((1+1))"),
        ],
    )
    def test_expressions(self, command: str, expected: str) -> None:
        assert interpolate(command, {"x": "1"}, {"y": "2"}) == expected

    def test_what_is_missing_is_named(self) -> None:
        with pytest.raises(KeyError, match="z"):
            interpolate("${{inputs.z}}", {}, {})

    def test_only_what_stands_nowhere_else_is_optional(self) -> None:
        assert optional_names("$[[${{inputs.a}}]] ${{inputs.b}} $[[${{inputs.b}}]]") == {"a"}

    def test_references_tell_what_is_neither_input_nor_output(self) -> None:
        assert references("${{search_space.x}}") == [("${{search_space.x}}", "", "search_space.x")]


class TestFilters:
    RUNS: ClassVar[tuple[dict[str, Any], ...]] = (
        {
            "info": {"run_id": "r1", "run_name": "one", "start_time": 1},
            "data": {"metrics": [{"key": "a", "value": 1.0}], "params": [{"key": "p", "value": "x"}], "tags": []},
        },
        {
            "info": {"run_id": "r2", "run_name": "two", "start_time": 2},
            "data": {
                "metrics": [{"key": "a", "value": "NaN"}],
                "params": [],
                "tags": [{"key": "my tag", "value": "it's"}],
            },
        },
    )

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("", ["one", "two"]),
            ("metrics.a > 0", ["one"]),
            ("metric.a >= 1 AND params.p = 'x'", ["one"]),
            ("params.p != 'x'", []),
            ('tags."my tag" LIKE "it%"', ["two"]),
            ("tags.`my tag` ILIKE 'IT_S'", ["two"]),
            ("attributes.run_id IN ('r1', 'r3')", ["one"]),
            ("run_id NOT IN ('r1')", ["two"]),
            ("start_time >= 2", ["two"]),
            ("params.p IS NULL", ["two"]),
        ],
    )
    def test_filters(self, text: str, names: list[str]) -> None:
        assert [one["info"]["run_name"] for one in search.select(list(self.RUNS), text, search.RUN)] == names

    @pytest.mark.parametrize("by", ["metrics.a DESC", "metrics.a", "start_time", "attributes.run_name ASC"])
    def test_what_has_no_value_comes_last(self, by: str) -> None:
        found = list(reversed(self.RUNS))
        search.order(found, [by], search.RUN)
        assert [one["info"]["run_name"] for one in found] == ["one", "two"]

    @given(st.text())
    def test_any_filter_is_read_or_refused(self, text: str) -> None:
        try:
            search.select(list(self.RUNS), text, search.RUN)
        except AzureError as error:
            assert error.status == 400


class TestNames:
    @given(st.text())
    def test_no_name_leads_out_of_the_folder(self, tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
        folder = tmp_path_factory.mktemp("run") / "inside"
        folder.mkdir()
        try:
            target = inside(folder, name)
        except DataError:
            return
        assert target.parent.resolve().is_relative_to(folder.resolve())

    @pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "a\0b", ""])
    def test_hostile_names_are_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(DataError):
            inside(tmp_path, name)

    def test_nor_does_a_link_that_is_there(self, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "link").symlink_to(tmp_path)
        with pytest.raises(DataError):
            inside(tmp_path / "in", "link/x")

    def test_nor_a_name_that_is_a_file_and_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("")
        with pytest.raises(DataError):
            inside(tmp_path, "a/b")


@pytest.mark.parametrize(
    ("text", "expected"), [("PT120S", 120), ("PT1M30S", 90), ("P1DT2H", 93600), ("PT0.5S", 0.5), ("PT0S", 0)]
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "120", "2m", "P1H", "-PT1S"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        seconds(text)
