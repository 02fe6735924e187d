"""Puts the rooms that others install into one wheel, below the package `azureml_platform`.

The repository's rooms have short names (`jobs`, `components`), which must not land in anybody's site-packages. So the
wheel has them as `azureml_platform.jobs` and so on, with their imports of one another rewritten
(docs/decisions/0002-one-wheel.md). hatchling loads this file; see `[tool.hatch]` in pyproject.toml.
"""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

PACKAGE = "azureml_platform"
ROOMS = ("catalogue", "components", "contract", "jobs", "terminal")
"""The rooms that the wheel has; they import no other room."""

COMMANDS = {"python -m jobs": "azureml-jobs"}
"""The name of a command in the repository, as messages have it, and its name once it is installed."""

EXTRAS = {
    "jobs": ("azure-ai-ml", "azure-identity", "azure-storage-file-datalake"),
    "components": ("pulumi", "pulumi-azure-native", "pulumi-azuread"),
}
"""Heavy packages, by the room that needs them."""

LIGHT = ("pydantic", "rich", "typer")
"""Packages that every installation has."""

_INIT = f'''"""Azure Machine Learning platforms: a client for data scientists (`jobs`), and Pulumi components.

`pip install 'azureml-platform[jobs]'` brings the command `azureml-jobs`; `pip install 'azureml-platform[components]'`
what a Pulumi program imports from `{PACKAGE}.components`.
"""
'''


class WheelError(Exception):
    """The wheel cannot be built; the text says why."""


class Dependencies(MetadataHookInterface):
    """Fills the packages' versions in from requirements.in, the one place that has them."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `dependencies` and `optional-dependencies`."""
        pinned = (Path(self.root) / "requirements.in").read_text(encoding="utf-8")
        metadata["dependencies"] = [_range(pinned, name) for name in LIGHT]
        metadata["optional-dependencies"] = {
            extra: [_range(pinned, name) for name in names] for extra, names in EXTRAS.items()
        }


class Rooms(BuildHookInterface[Any]):
    """Adds the rooms to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Stage the package beside the wheel."""
        if version == "editable":
            raise WheelError("an editable installation would lack the rooms: work in the repository itself")
        staged = self._staged()
        shutil.rmtree(staged, ignore_errors=True)
        stage(Path(self.root), staged)
        build_data["force_include"][str(staged)] = PACKAGE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was staged."""
        shutil.rmtree(self._staged(), ignore_errors=True)

    def _staged(self) -> Path:
        return Path(self.directory) / f".{PACKAGE}"


def stage(root: Path, target: Path) -> None:
    """Write the package: the rooms' files, with their imports and commands as they are once installed.

    Raises:
        WheelError: A room imports one that the wheel lacks.
    """
    others = {path.parent.name for path in root.glob("*/__init__.py")} - set(ROOMS)
    for room in ROOMS:
        for source in sorted((root / room).rglob("*")):
            if source.is_dir() or "__pycache__" in source.parts:
                continue
            to = target / source.relative_to(root)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, to)
            if source.suffix == ".py":
                where = str(source.relative_to(root))
                to.write_text(rewritten(source.read_text(encoding="utf-8"), where, others), encoding="utf-8")
    (target / "__init__.py").write_text(_INIT, encoding="utf-8")
    (target / "py.typed").touch()


def rewritten(source: str, where: str, others: set[str]) -> str:
    """Return a module with its imports of rooms below the package.

    Args:
        source: The module's text.
        where: Its path, for the message.
        others: The rooms that the wheel lacks.

    Raises:
        WheelError: It imports one of the others, or a room in a way that cannot be rewritten.
    """
    lines = source.splitlines(keepends=True)
    for line, room in _imports(ast.parse(source)):
        if room in others:
            raise WheelError(f"{where}:{line}: imports {room}, which the wheel lacks")
        if room in ROOMS:
            text, changed = re.subn(rf"^(\s*from ){room}\b", rf"\1{PACKAGE}.{room}", lines[line - 1])
            if not changed:
                text, changed = re.subn(rf"^(\s*)import {room}$", rf"\1from {PACKAGE} import {room}", lines[line - 1])
            if not changed:
                raise WheelError(f"{where}:{line}: write `from {room}… import …`, which can be rewritten")
            lines[line - 1] = text
    text = "".join(lines)
    for command, installed in COMMANDS.items():
        text = text.replace(command, installed)
    return text


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Return each absolute import's line and top-level package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]
        elif isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name.partition(".")[0]


def _range(pinned: str, name: str) -> str:
    """Return the versions that may be installed: from the pinned one up to the next major one."""
    match = re.search(rf"^{re.escape(name)}(?:\[.*\])?==((\d+)[\d.]*)", pinned, re.MULTILINE)
    if match is None:
        raise WheelError(f"requirements.in has no {name}, which the wheel needs")
    return f"{name}>={match[1]},<{int(match[2]) + 1}"
