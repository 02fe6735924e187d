"""How the engine stops: with a message for the user, or because the user has been told already."""

INTERRUPTED = 130  # exit code after a second Ctrl-C, as a shell reports SIGINT


class EngineError(Exception):
    """A failure whose text is for the user: it names the thing, what is wrong and what to do.

    Exit codes are the real command line's (`pkg/cmd/pulumi/cmd/exit_codes.go`): 1 unless a subclass has its own.
    """

    exit_code = 1


class UsageError(EngineError):
    """A command line that the engine does not understand."""


class NotConfirmedError(EngineError):
    """Nobody can be asked whether to go on."""

    exit_code = 2


class StackNotFoundError(EngineError):
    """There is no such stack."""

    exit_code = 6


class ChangesNotExpectedError(EngineError):
    """There were changes under `--expect-no-changes`."""

    exit_code = 7


class BailError(Exception):
    """The deployment cannot go on, and the user has been told why."""


class CancelledError(Exception):
    """The operation is ending: nothing more is begun. The program's SDK sees a monitor that has shut down."""
