"""Pulumi's command line on the embedded engine: reads the words, runs the command, gives the exit code."""

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence

from sandbox.engine.commands.parser import parsers
from sandbox.engine.errors import INTERRUPTED, EngineError, UsageError
from sandbox.engine.provider import Factory

_TYPE = re.compile(r"[\w-]+:[\w/-]*:\w+")  # a resource's: with one, `import` is about that resource
_SHORT = {"outputs": ["stack", "output"], "export": ["stack", "export"], "import": ["stack", "import"]}


def _warn(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main(argv: Sequence[str], providers: Mapping[str, Factory] | None = None) -> int:
    """Run one command of Pulumi's command line.

    Args:
        argv: the words after `pulumi`.
        providers: in-process providers by package; others are looked up as plugins.

    Returns:
        The exit code, as the real command line has it.
    """
    try:
        return _main(list(argv), providers or {})
    except EngineError as e:
        _warn(f"error: {e}")
        return e.exit_code
    except BrokenPipeError:  # whoever read the output has gone
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _main(argv: list[str], providers: Mapping[str, Factory]) -> int:
    parser, commands = parsers()
    words = [n for n, word in enumerate(argv) if not word.startswith("-")]
    short = bool(words) and words[0] == 0 and argv[0] in _SHORT
    if short and not any(_TYPE.fullmatch(word) for word in argv):
        argv[0:1] = _SHORT[argv[0]]
    try:
        args, unknown = parser.parse_known_args(argv)
    except SystemExit as e:  # --help
        return int(e.code or 0)
    if unknown:
        own = commands.get(args.command, parser)
        raise UsageError(
            f"unknown flag or argument {unknown[0]!r} for `{own.prog}`{own.nearest(unknown[0].partition('=')[0])}"
        )
    if args.command is None or args.run is None:
        commands.get(args.command, parser).print_help()
        return 0
    run: Callable[[argparse.Namespace, Mapping[str, Factory]], int] = args.run
    return run(args, providers)
