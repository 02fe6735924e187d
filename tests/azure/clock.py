"""The sandbox's clock for tests."""

import json
from datetime import datetime
from typing import Any

from tests.conftest import Sandbox


def clock(sandbox: Sandbox, *words: str) -> dict[str, Any]:
    """What the command says of the clock; `clock(sandbox, "advance", "5d")` moves it."""
    done = sandbox.command("clock", *(words or ("show",)), "--json")
    assert done.returncode == 0, done.stderr + sandbox.log()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def now(sandbox: Sandbox) -> datetime:
    """The sandbox's time."""
    return datetime.fromisoformat(clock(sandbox)["now"])
