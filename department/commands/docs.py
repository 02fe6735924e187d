"""`docs`: writes the pages and schemas that are generated from settings, components and contract."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import contract
from department import reference as components
from operations.files import write_whole
from settings import reference as settings

PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings.reference,
    "settings.schema.json": settings.schema,
    "components.md": components.reference,
    "outputs.schema.json": contract.schema,
}
"""What makes each page, by its name."""


def run(folder: Path, *, only_check: bool) -> int:
    """Exit code 0 if the pages are written, or with `only_check` as they would be written; 1 if not."""
    try:
        return _stale(folder) if only_check else _write(folder)
    except OSError as error:
        print(f"{error.filename}: cannot be written: {error.strerror}.", file=sys.stderr)
        return 1


def _write(folder: Path) -> int:
    for name, content in PAGES.items():
        write_whole(folder / name, content())
    return 0


def _stale(folder: Path) -> int:
    stale = [name for name, make in PAGES.items() if (folder / name).read_text(encoding="utf-8") != make()]
    for name in stale:
        print(f"{folder / name}: is not as it is generated; run python -m department docs.", file=sys.stderr)
    return 1 if stale else 0
