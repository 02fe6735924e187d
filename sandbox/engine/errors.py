"""How the engine stops: with a message for the user, or because the user has been told already."""

INTERRUPTED = 130  # exit code after a second Ctrl-C, as a shell reports SIGINT


class EngineError(Exception):
    """A failure whose text is for the user: it names the thing, what is wrong and what to do. Exit code 1."""


class UsageError(EngineError):
    """A command line that the engine does not understand. Exit code 2."""


class BailError(Exception):
    """The deployment cannot go on, and the user has been told why."""


class CancelledError(Exception):
    """The operation is ending: nothing more is begun. The program's SDK sees a monitor that has shut down."""
