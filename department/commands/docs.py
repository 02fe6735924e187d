"""`docs`: writes the pages and schemas that are generated from settings, components and contract."""

from collections.abc import Callable, Mapping
from pathlib import Path

import contract
from department import reference as components
from settings import reference as settings
from terminal import write_whole

PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings.reference,
    "settings.schema.json": settings.schema,
    "components.md": components.reference,
    "outputs.schema.json": contract.schema,
}
"""The function that makes each page, by the page's file name. `make generate` writes the same pages to docs/."""


def run(folder: Path) -> int:
    """Write the pages.

    Raises:
        OSError: A page cannot be written.
    """
    for name, content in PAGES.items():
        write_whole(folder / name, content())
    return 0
