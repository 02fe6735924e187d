"""Downloads that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """Give a block an empty folder to download to, and move its files to `folder` when the block has ended.

    Each file replaces the one of its name in one step. Where the block fails, nothing of it stays.

    Args:
        folder: Where the files go; it is made if it is not there.

    Raises:
        OSError: The folder cannot be written, or the disk is full; its file name is one that the user knows.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{os.urandom(4).hex()}.part"
    try:
        part.mkdir()
        yield part
        for source in sorted(part.rglob("*")):  # a folder comes before what is in it
            target = folder / source.relative_to(part)
            if source.is_dir():
                target.mkdir(exist_ok=True)
            else:
                source.replace(target)
    except OSError as error:
        if not error.filename or part.name in str(error.filename):
            error.filename, error.filename2 = str(folder), None
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if made:
            with suppress(OSError):  # there is something in it
                folder.rmdir()
