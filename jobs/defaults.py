"""Defaults that the commands and the library share; light, so that `--help` can show them."""

from __future__ import annotations

STACK = "dev"
"""The stack whose outputs are read where none is named."""

LISTED = 20
"""The most runs that a list has where nothing else is said."""

CHEAPEST = "cheapest"
"""Stands for the cluster whose nodes cost least an hour."""
