"""How the engine writes its files: whole or not at all, with errors for the user."""

from pathlib import Path

import terminal
from sandbox.engine.errors import EngineError


def write_file(path: Path, text: str) -> None:
    """Write a file in one step; its folder is made if need be.

    Raises:
        EngineError: The file cannot be written. The old content stays.
    """
    try:
        terminal.write_whole(path, text)
    except OSError as e:
        raise EngineError(f"{path} cannot be written: {e.strerror}") from e
