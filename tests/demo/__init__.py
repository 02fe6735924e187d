"""The README's first command, as a newcomer runs it."""
