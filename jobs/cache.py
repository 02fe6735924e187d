"""What this client keeps on this machine: a folder that only its owner can open, and that can be deleted."""

from __future__ import annotations

import os
from pathlib import Path

_NAME = "azureml-jobs"


def directory() -> Path:
    """Return the folder, below XDG_CACHE_HOME or `~/.cache`; it is made if it is not there."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / _NAME
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
