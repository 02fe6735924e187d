"""What is generated from the code is committed as it is generated."""

from pathlib import Path
from typing import Any

import pytest

from components import outputs, reference
from components.settings.__main__ import main
from tests.program.harness import ROOT, stack_file

DOCS = ROOT / "docs"


@pytest.mark.parametrize(("command", "file"), [("schema", "settings.schema.json"), ("reference", "settings.md")])
def test_what_comes_from_the_settings_is_up_to_date(command: str, file: str, tmp_path: Path) -> None:
    assert main([command, str(tmp_path / file)]) == 0
    assert (DOCS / file).read_text() == (tmp_path / file).read_text(), (
        f"python -m components.settings {command} docs/{file}"
    )
    assert list(tmp_path.iterdir()) == [tmp_path / file]


@pytest.mark.parametrize(("module", "file"), [(outputs, "outputs.schema.json"), (reference, "components.md")])
def test_what_comes_from_the_components_is_up_to_date(module: Any, file: str, tmp_path: Path) -> None:
    assert module.main([str(tmp_path / file)]) == 0
    assert (DOCS / file).read_text() == (tmp_path / file).read_text(), f"python -m {module.__name__} docs/{file}"
    assert module.main([]) == 2


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
