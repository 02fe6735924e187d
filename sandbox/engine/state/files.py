"""How the engine writes its files: whole or not at all, with errors for the user."""

from pathlib import Path

from sandbox import files
from sandbox.engine.errors import EngineError


def write_file(path: Path, text: str) -> None:
    """Write a file in one step; its folder is made if need be.

    Raises:
        EngineError: it cannot be written. The old content stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomically(path, text.encode())
    except OSError as e:
        raise EngineError(f"{path} cannot be written: {e.strerror}") from e
