"""What is generated from the code is committed as it is generated."""

from pathlib import Path
from typing import Any

import pytest

from department.__main__ import main
from department.commands.docs import PAGES
from tests.program.harness import ROOT, stack_file

DOCS = ROOT / "docs"


@pytest.mark.parametrize("page", PAGES)
def test_generated_pages_are_up_to_date(page: str, tmp_path: Path) -> None:
    assert (DOCS / page).read_text() == PAGES[page](), "run make generate"


def test_pages_are_written_to_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == set(PAGES)
    assert capsys.readouterr().out == ""


def test_every_key_of_the_stack_files_is_in_the_reference() -> None:
    text = (DOCS / "settings.md").read_text()

    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value) | {key for child in value.values() for key in keys(child)}
        return {key for child in value for key in keys(child)} if isinstance(value, list) else set()

    for stack in ("dev", "prod"):
        assert all(f"| `{key}` |" in text for key in keys(stack_file(stack)))


def test_editors_find_the_schema() -> None:
    for stack in ("dev", "prod"):
        first = (ROOT / f"Pulumi.{stack}.yaml").read_text().splitlines()[0]
        assert first == "# yaml-language-server: $schema=docs/settings.schema.json"
