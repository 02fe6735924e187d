"""What the engine says to its user when it cannot go on."""


class EngineError(Exception):
    """A failure whose text is meant for the user: it names the thing, what is wrong and what to do. Exit code 1."""


class UsageError(EngineError):
    """A command line that the engine does not understand. Exit code 2."""
