"""One-time tokens: each is the hashed name of a file, which whoever comes first removes."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from pathlib import Path

FOLDER = "tickets"
SECONDS = 600  # that a token is good for


def make(folder: Path, persona: str, target: str) -> str:
    """A token that lets its bearer in once.

    Args:
        folder: The studio's folder, which only its owner can read.
        persona: Whose pages it opens.
        target: The path to show then, with its query.
    """
    tickets = folder / FOLDER
    tickets.mkdir(mode=0o700, exist_ok=True)
    for old in tickets.iterdir():
        if _is_old(old):
            old.unlink(missing_ok=True)
    token = secrets.token_urlsafe(32)
    made = os.open(tickets / hashed(token), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(made, "w") as file:
        json.dump({"persona": persona, "target": target}, file)
    return token


def take(folder: Path, persona: str, token: str) -> str | None:
    """The target of a token, which is used up; None for one that is unknown, used, old or another persona's."""
    file = folder / FOLDER / hashed(token)
    old = _is_old(file)
    try:
        told = json.loads(file.read_bytes())
        file.unlink()  # fails for whoever comes second
    except (OSError, ValueError):
        return None
    return None if old or told["persona"] != persona else str(told["target"])


def hashed(token: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def _is_old(file: Path) -> bool:
    try:
        return file.stat().st_mtime < time.time() - SECONDS
    except OSError:
        return False
