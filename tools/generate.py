"""The registry of what is generated and of what is refreshed. To add a file, add a row.

A row names a function as `module:function`, so that nothing is imported until it is needed.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from terminal import write_whole

ROOT = Path(__file__).resolve().parents[1]

FILES = {
    "docs/settings.schema.json": "settings.reference:schema",
    "docs/settings.md": "settings.reference:reference",
    "docs/components.md": "department.reference:reference",
    "docs/outputs.schema.json": "contract:schema",
    "docs/review.schema.json": "review.formats.document:schema",
    "docs/coverage.md": "tools.coverage:page",
    "sandbox/azure/arm/apiversions.json": "tools.apiversions:page",
    "docs/licences.md": "tools.licences:page",
    "policies/PulumiPolicy.yaml": "tools.policies:project",
    "policies/data/vm_sizes.csv": "tools.policies:vm_sizes",
    "policies/data/vm_prices.csv": "tools.policies:vm_prices",
    "docs/policies.md": "policies.reference:page",
    "policies/merged/dev.json": "tools.policies:dev",
    "policies/merged/prod.json": "tools.policies:prod",
}
"""Each generated file, and the function without arguments that returns its text."""

REFRESHED = {
    "prices": ("department", "costs", "--refresh"),
    "operations": ("tools.coverage", "--refresh"),
    "curated": ("tools.curated",),
    "roles": ("tools.roles",),
}
"""Facts from outside, each with the module and options that read them again and write them with their date.

Nothing checks the files' age.
"""


class GenerateError(Exception):
    """A file cannot be generated or refreshed; the text says which and what to do."""


def stale() -> dict[str, str]:
    """Return the generated files that differ from what is committed, each with its right text.

    Raises:
        GenerateError: A generator failed.
    """
    return {target: text for target, name in FILES.items() if (text := _text(target, name)) != _committed(target)}


def write(target: str, text: str) -> None:
    """Write a generated file."""
    write_whole(ROOT / target, text)


def refresh(names: list[str]) -> int:
    """Refresh what is named, or everything; returns the first exit code that is not 0.

    Raises:
        GenerateError: A name is unknown.
    """
    for name in names:
        if name not in REFRESHED:
            raise GenerateError(f"'{name}' cannot be refreshed; choose from: {', '.join(REFRESHED)}")
    commands = [[sys.executable, "-m", *REFRESHED[name]] for name in names or REFRESHED]
    codes = [subprocess.run(command, cwd=ROOT, check=False).returncode for command in commands]
    return next(filter(None, codes), 0)


def _committed(target: str) -> str | None:
    path = ROOT / target
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _text(target: str, name: str) -> str:
    try:
        text = _load(name)()
    except GenerateError as error:
        raise GenerateError(f"{target}: {error}") from error
    return str(text)


def _load(name: str) -> Callable[[], Any]:
    module, _, function = name.partition(":")
    loaded: Callable[[], Any] = getattr(importlib.import_module(module), function)
    return loaded
