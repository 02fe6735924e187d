"""Files that are there whole or not at all, and text as any system writes it."""

from __future__ import annotations

import codecs
import os
from contextlib import suppress
from pathlib import Path


def read_text(file: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 with its mark, as PowerShell 5 writes what `>` sends to a file.

    Raises:
        OSError: The file cannot be read.
        UnicodeDecodeError: The text is in neither encoding.
    """
    return decoded(file.read_bytes())


def decoded(data: bytes) -> str:
    """The text of what was read from a file, as `read_text` reads it.

    Raises:
        UnicodeDecodeError: The text is in neither encoding.
    """
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if marked else "utf-8-sig")


def write_whole(target: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write a file in one step, so that nobody reads half of it, even after a crash; missing folders are made.

    Args:
        target: The file to write or replace.
        content: Text, written as UTF-8, or bytes.
        private: Only the owner may read the file; otherwise it gets the usual permissions.

    Raises:
        OSError: The disk is full or the folder cannot be written; the old content stays.
    """
    part = target.with_name(f".{target.name}.{os.urandom(4).hex()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException as error:
        with suppress(OSError):  # the folder may be the reason
            part.unlink()
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(target), None  # what the user knows, not the temporary name
        raise
