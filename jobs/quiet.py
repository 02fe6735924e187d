"""azure-ai-ml without what it prints while it works: progress bars and dots."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import TypeVar

T = TypeVar("T")


def quietly(call: Callable[[], T]) -> T:
    """Call azure-ai-ml and return its answer; nothing of what it prints reaches the terminal."""
    with redirect_stderr(StringIO()), redirect_stdout(StringIO()):
        return call()
