"""The Typer app behind a `python -m ROOM`, and how it ends.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted. A failure is one message on standard error, `error: …`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from terminal.completion import VARIABLE, script

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def application(description: str) -> typer.Typer:
    """Make an app whose commands are added with `@app.command()` or `app.add_typer()`.

    Args:
        description: What the command line is for, in a sentence; `--help` shows it first.
    """
    app = typer.Typer(help=description, add_completion=False, pretty_exceptions_enable=False)

    @app.callback()
    def options(
        _: Annotated[
            bool,
            typer.Option(
                "--show-completion",
                is_eager=True,
                callback=_show_completion,
                help='Print a script that completes commands in bash and zsh: eval "$(… --show-completion)".',
            ),
        ] = False,
    ) -> None: ...

    return app


def run(
    app: typer.Typer,
    program: str,
    arguments: Sequence[str] | None = None,
    *,
    explain: Callable[[Exception], str | None] = lambda _: None,
    interrupted: str | None = None,
) -> int:
    """Run a command.

    A command returns its exit code, or None for success.

    Args:
        app: The app, made by `application`.
        program: How the app is called, such as `python -m jobs`; usage lines and completion show it.
        arguments: The words after the program; those of this process if left out.
        explain: Returns the message for the user if an exception is an expected failure, and None if it is a bug,
            which is raised. An `OSError` needs no explanation. An exception's `exit_code`, where it has one, is the
            command's.
        interrupted: Message for a user who interrupts a command (Ctrl-C).

    Returns:
        The exit code for `sys.exit`.
    """
    _open_closed_streams()
    command = typer.main.get_command(app)
    if VARIABLE in os.environ:
        from typer._completion_classes import completion_init  # noqa: PLC0415 - only a shell's question needs it

        completion_init()
    try:
        code = command.main(arguments, program, VARIABLE, standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:  # wrong usage, found by Typer
        hint = f"'{_path(error, program)} --help' lists what is allowed."
        return _fail(f"{error.format_message()}\n{hint}", error.exit_code)
    except typer.Abort:  # the answer to a question was no
        return _fail("aborted; nothing was changed", FAILED)
    except BrokenPipeError:  # the reader has enough, as in `… | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        message = explain(error)
        if message is None and isinstance(error, OSError):
            message = f"{error.filename or 'this machine'}: {error.strerror or error}"
        if message is None:
            raise
        return _fail(message, getattr(error, "exit_code", FAILED))
    if code == INTERRUPTED and interrupted:
        print(interrupted, file=sys.stderr)
    return code if isinstance(code, int) else 0


def _open_closed_streams() -> None:
    """Give a process that was started without one of its streams (`>&-`) an empty one: Python has None there."""
    nothing = Path(os.devnull)
    sys.stdin = sys.stdin or nothing.open()
    sys.stdout = sys.stdout or nothing.open("w")
    sys.stderr = sys.stderr or nothing.open("w")


def _fail(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code


def _path(error: typer.TyperException, program: str) -> str:
    """Return the command whose usage was wrong, such as `python -m jobs submit`."""
    context = getattr(error, "ctx", None)
    return context.command_path if context else program


def _show_completion(context: typer.Context, wanted: bool) -> None:
    if wanted:
        print(script(context.command_path))
        raise typer.Exit
