"""Files that are never half-written."""

import os
import stat
import tempfile
from pathlib import Path

_PRIVATE = 0o600


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file in one step: whoever reads it, also after a crash, finds the old content or the new.

    A file that exists keeps its permissions; a new one gets those that the user's umask allows.

    Raises:
        OSError: The disk is full or the folder cannot be written; the old content stays.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    _write(path, content, mode)


def write_private(path: Path, content: bytes) -> None:
    """The same for a file that only its owner may read.

    Raises:
        OSError: The disk is full or the folder cannot be written; the old content stays.
    """
    _write(path, content, _PRIVATE)


def _write(path: Path, content: bytes, mode: int) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(handle, mode)
            os.fsync(handle)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
