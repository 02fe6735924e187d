"""The command line: Pulumi's own words and flags, as far as the embedded engine goes, and the operations."""

import argparse
import difflib
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from sandbox.engine import configuration, stacks
from sandbox.engine.deployment import Adoption, Deployment, Options
from sandbox.engine.display import Display, EventLog, display_for
from sandbox.engine.errors import EngineError, UsageError
from sandbox.engine.events import Event
from sandbox.engine.providers import Factory
from sandbox.engine.run import Workspace, operate
from sandbox.engine.selection import existing, say, workspace_of

_TYPE = re.compile(r"[\w-]+:[\w/-]*:\w+")  # a resource's: with one, `import` is about that resource
_SHORT = {"outputs": ["stack", "output"], "export": ["stack", "export"], "import": ["stack", "import"]}
_ELSEWHERE = [
    "about",
    "console",
    "convert",
    "env",
    "install",
    "login",
    "logout",
    "logs",
    "new",
    "org",
    "package",
    "plugin",
    "policy",
    "schema",
    "template",
    "version",
    "watch",
    "whoami",
]
_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the nearest known word, and leaves the exit to `main`."""

    def error(self, message: str) -> NoReturn:
        """Raise what `main` turns into exit code 2."""
        raise UsageError(f"{message}; see `{self.prog} --help`")

    def nearest(self, word: str) -> str:
        """A hint at the known word or flag that is nearest."""
        known = [flag for action in self._actions for flag in action.option_strings]
        for action in self._actions:
            if isinstance(action.choices, Mapping):
                known += list(action.choices)
        near = difflib.get_close_matches(word, known, 1, 0.5)
        return f"; did you mean {near[0]!r}?" if near else ""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        if value in _ELSEWHERE:
            raise UsageError(
                f"`{self.prog} {value}` is not supported by the embedded engine; it knows {', '.join(action.choices)}. "
                "Use the pulumi CLI for the rest"
            )
        raise UsageError(
            f"unknown command {value!r} for {self.prog!r}{self.nearest(str(value))}; "
            f"it knows {', '.join(action.choices)}"
        )


def _warn(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main(argv: Sequence[str], providers: Mapping[str, Factory] | None = None) -> int:
    """Run one command of Pulumi's command line.

    Args:
        argv: the words after `pulumi`.
        providers: in-process providers by package; others are looked up as plugins.

    Returns:
        The exit code: 0 success, 1 failure, 2 wrong usage.
    """
    try:
        return _main(list(argv), providers or {})
    except UsageError as e:
        _warn(f"error: {e}")
        return 2
    except EngineError as e:
        _warn(f"error: {e}")
        return 1
    except BrokenPipeError:  # whoever read the output has gone
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED


def _main(argv: list[str], providers: Mapping[str, Factory]) -> int:
    parser, commands = _parsers()
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
    if args.command is None:
        parser.print_help()
        return 0
    if args.run is None:
        raise UsageError(f"`pulumi {args.command}` needs one of: {', '.join(args.words)}")
    run: Callable[[argparse.Namespace, Mapping[str, Factory]], int] = args.run
    return run(args, providers)


# ---- words and flags


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(
        prog="pulumi", description="Pulumi's command line, served by the embedded engine.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    found: dict[str, _Parser] = {}
    texts = {
        "preview": "show what an update would do",
        "up": "create or update the stack's resources",
        "refresh": "take what providers report into the state",
        "destroy": "delete all resources of the stack",
    }
    for name, text in texts.items():
        aliases = {"up": ["update"], "destroy": ["down"], "preview": ["pre"]}.get(name, [])
        found[name] = commands.add_parser(name, help=text, aliases=aliases, allow_abbrev=False)
        _operation_flags(found[name], name)
        found[name].set_defaults(run=_operate, kind=name)
        found.update(dict.fromkeys(aliases, found[name]))
    found["import"] = commands.add_parser(
        "import", help="take a resource that exists into the state", allow_abbrev=False
    )
    _operation_flags(found["import"], "import")
    _import_flags(found["import"])
    found["import"].set_defaults(run=_operate, kind="import")
    found["cancel"] = commands.add_parser(
        "cancel", help="drop the lock of an update that no longer runs", allow_abbrev=False
    )
    _common_flags(found["cancel"])
    found["cancel"].add_argument("name", nargs="?", metavar="STACK")
    found["cancel"].set_defaults(run=_cancel)
    for name, text, add_words in (
        ("stack", "outputs, state and names of stacks", _stack_commands),
        ("state", "edit the state", _state_commands),
        ("config", "show and change a stack's configuration", _config_commands),
    ):
        found[name] = commands.add_parser(name, help=text, allow_abbrev=False)
        words = found[name].add_subparsers(dest="word", metavar="COMMAND")
        _common_flags(found[name])
        found[name].set_defaults(run=None, words=words.choices)
        add_words(found[name], words)
    return parser, found


def _common_flags(parser: _Parser) -> None:
    parser.add_argument("-s", "--stack", help="the stack to work on")
    parser.add_argument("-C", "--cwd", type=Path, default=Path(), help="the project's directory")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--non-interactive", action="store_true", help="do not ask, and print lines instead of a live tree"
    )
    parser.add_argument("--color", choices=["always", "never", "raw", "auto"], default="auto")
    parser.add_argument("-v", "--verbose", nargs="?", help=argparse.SUPPRESS)
    for ignored in (
        "--logtostderr",
        "--logflow",
        "--emoji",
        "-e",
        "--disable-integrity-checking",
        "--fully-qualify-stack-names",
    ):
        parser.add_argument(ignored, action="store_true", help=argparse.SUPPRESS)


def _operation_flags(parser: _Parser, name: str) -> None:
    _common_flags(parser)
    parser.add_argument("--config-file", type=Path, help="instead of Pulumi.<stack>.yaml")
    parser.add_argument("-c", "--config", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument(
        "-p", "--parallel", type=int, default=4 * (os.cpu_count() or 1), help="how many operations run at once"
    )
    parser.add_argument("-t", "--target", action="append", default=[], metavar="URN")
    parser.add_argument("--target-dependents", action="store_true", help="and all that depends on the targets")
    parser.add_argument("-j", "--json", action="store_true", help="print JSON, as Pulumi does")
    parser.add_argument("--diff", action="store_true", help="show what changes in each resource")
    parser.add_argument("--show-sames", action="store_true", help="list unchanged resources, too")
    parser.add_argument("--suppress-outputs", action="store_true", help="print no stack outputs")
    parser.add_argument("--event-log", type=Path, metavar="FILE", help="write every engine event to a file")
    parser.add_argument("-m", "--message", help=argparse.SUPPRESS)
    for ignored in (
        "--suppress-permalink",
        "--skip-plugin-pre-install",
        "--suppress-progress",
        "--show-config",
        "--show-reads",
        "--show-replacement-steps",
    ):
        parser.add_argument(ignored, nargs="?", const="true", help=argparse.SUPPRESS)
    if name != "preview":
        parser.add_argument("-f", "--skip-preview", action="store_true", help="do not show a preview first")
        parser.add_argument(
            "--continue-on-error", action="store_true", help="go on with what does not need the failed resource"
        )
        parser.add_argument("--preview-only", action="store_true", help="only show what would happen")
    if name in ("preview", "up"):
        parser.add_argument("--policy-pack", action="append", default=[], type=Path, metavar="DIR")
        parser.add_argument(
            "--policy-pack-config",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="the pack's, in the same order",
        )
    if name != "destroy":
        parser.add_argument("--expect-no-changes", action="store_true", help="fail if anything changes")
    if name != "refresh":
        parser.add_argument(
            "-r",
            "--refresh",
            nargs="?",
            const="true",
            default="false",
            choices=["true", "false"],
            help="read the state anew first",
        )
    else:
        parser.add_argument(
            "--clear-pending-creates", action="store_true", help="drop creates that an interrupted update left pending"
        )
        parser.add_argument(
            "--import-pending-creates",
            nargs=2,
            action="append",
            default=[],
            metavar=("URN", "ID"),
            help="take a create that an interrupted update left pending into the state, under the id it has",
        )
    if name == "destroy":
        parser.add_argument(
            "--exclude-protected", action="store_true", help="leave protected resources, and what they need"
        )
        parser.add_argument(
            "--run-program",
            nargs="?",
            const="true",
            default="true" if os.environ.get("PULUMI_RUN_PROGRAM", "").lower() in {"1", "t", "true"} else "false",
            choices=["true", "false"],
            help="for the program's hooks, and the configuration that it gives providers",
        )
        parser.add_argument("--remove", action="store_true", help="remove the stack, too")


def _import_flags(parser: _Parser) -> None:
    for name in ("type", "name", "id"):
        parser.add_argument(name, metavar=name.upper())
    parser.add_argument("--parent", default="", metavar="NAME=URN", help="the parent; else the stack itself")
    parser.add_argument("--provider", default="", metavar="NAME=URN", help="the provider; else the package's default")
    parser.add_argument("--protect", nargs="?", const="true", default="true", choices=["true", "false"])
    parser.add_argument("--generate-code", nargs="?", const="true", choices=["true", "false"], help=argparse.SUPPRESS)


_Words = argparse._SubParsersAction  # what `add_subparsers` gives


def _add(words: "_Words[Any]", name: str, text: str, run: Callable[..., int]) -> _Parser:
    added: _Parser = words.add_parser(name, help=text, allow_abbrev=False)
    _common_flags(added)
    for action in added._actions:  # `pulumi stack -s dev output`: not given again is not given anew
        action.default = argparse.SUPPRESS
    added.set_defaults(run=run)
    return added


def _stack_commands(parser: _Parser, words: "_Words[Any]") -> None:
    parser.set_defaults(run=stacks.show)
    parser.add_argument("-i", "--show-ids", action="store_true", help="show each resource's id")
    parser.add_argument("-u", "--show-urns", action="store_true", help="show each resource's URN")
    parser.add_argument("--show-name", action="store_true", help="show the stack's name only")
    parser.add_argument("--show-secrets", action="store_true", help="show secret outputs in clear")
    output = _add(words, "output", "print the stack's outputs", stacks.outputs)
    output.add_argument("name", nargs="?", metavar="NAME")
    output.add_argument("-j", "--json", action="store_true")
    output.add_argument("--show-secrets", action="store_true")
    export = _add(words, "export", "print the stack's state", stacks.export)
    export.add_argument("--show-secrets", action="store_true")
    export.add_argument("--file", type=Path)
    import_ = _add(words, "import", "replace the stack's state", stacks.import_)
    import_.add_argument("--file", type=Path)
    import_.add_argument("-f", "--force", action="store_true", help="even if the state is of another stack")
    _add(words, "init", "make a stack", stacks.init).add_argument("name", nargs="?", metavar="STACK")
    select = _add(words, "select", "choose the stack that commands work on", stacks.select_)
    select.add_argument("name", metavar="STACK")
    select.add_argument("--create", "-c", action="store_true", help="make it if it does not exist")
    _add(words, "ls", "list the project's stacks", stacks.list_).add_argument("-j", "--json", action="store_true")
    remove = _add(words, "rm", "remove a stack's state, not its configuration file", stacks.remove)
    remove.add_argument("name", nargs="?", metavar="STACK")
    remove.add_argument("-f", "--force", action="store_true", help="even if it has resources, which then stay")
    remove.add_argument("--preserve-config", action="store_true", help=argparse.SUPPRESS)


def _state_commands(_parser: _Parser, words: "_Words[Any]") -> None:
    delete = _add(words, "delete", "take a resource out of the state; it stays where it is", stacks.delete)
    delete.add_argument("urn", metavar="URN")
    delete.add_argument("--force", action="store_true", help="even if it is protected")
    delete.add_argument("--target-dependents", action="store_true", help="and all that depends on it")
    for name, text in (("protect", "let nothing delete resources"), ("unprotect", "let resources be deleted")):
        protect = _add(words, name, text, stacks.protect)
        protect.add_argument("urn", nargs="*", metavar="URN")
        protect.add_argument("--all", action="store_true")


def _config_commands(parser: _Parser, words: "_Words[Any]") -> None:
    parser.set_defaults(run=configuration.show)
    get = _add(words, "get", "print one value, a secret in clear", configuration.get)
    set_ = _add(words, "set", "change Pulumi.<stack>.yaml", configuration.set_)
    remove = _add(words, "rm", "take a key out of Pulumi.<stack>.yaml", configuration.remove)
    for one in (parser, get, set_, remove):
        one.add_argument("--config-file", type=Path, help="instead of Pulumi.<stack>.yaml")
    for one in (get, set_, remove):
        one.add_argument("key", metavar="KEY")
    for one in (get, set_):
        one.add_argument("--path", action="store_true", help="KEY is a path, such as `a.b[0]`")
    for one in (parser, get):
        one.add_argument("-j", "--json", action="store_true")
    parser.add_argument("--show-secrets", action="store_true")
    set_.add_argument("value", nargs="?", metavar="VALUE", help="from standard input if it is not given")
    set_.add_argument("--secret", action="store_true", help="encrypt it")
    set_.add_argument("--plaintext", action="store_true", help=argparse.SUPPRESS)
    for action in (action for one in (get, set_, remove) for action in one._actions if action.option_strings):
        if action.option_strings[-1] in parser._option_string_actions:
            action.default = argparse.SUPPRESS  # else `config -s dev set …` would lose the stack


# ---- operations


def _operate(args: argparse.Namespace, providers: Mapping[str, Factory]) -> int:
    workspace = workspace_of(args, providers)
    options = Options(
        dry_run=args.kind == "preview",
        parallel=args.parallel if args.parallel > 0 else 1,
        targets=args.target,
        target_dependents=args.target_dependents,
        continue_on_error=getattr(args, "continue_on_error", False),
        refresh=getattr(args, "refresh", "false") == "true",
        only_refresh=args.kind == "refresh",
        exclude_protected=getattr(args, "exclude_protected", False),
        run_program=getattr(args, "run_program", "false") == "true",
        clear_pending_creates=getattr(args, "clear_pending_creates", False),
        import_pending_creates=dict(getattr(args, "import_pending_creates", [])),
        adoption=_adoption(args) if args.kind == "import" else None,
    )
    interactive = sys.stdin.isatty() and sys.stdout.isatty() and not args.non_interactive
    if args.kind != "preview":
        if getattr(args, "preview_only", False):
            return _once(args, workspace, replace(options, dry_run=True))
        if not args.yes and not args.skip_preview and not interactive:
            raise EngineError(
                "--yes or --skip-preview or --preview-only must be passed in to proceed "
                "when running in non-interactive mode"
            )
        if not args.skip_preview:
            code = _once(args, workspace, replace(options, dry_run=True))
            if code or not (args.yes or _confirm(args.kind, workspace.stack.name)):
                return code
    code = _once(args, workspace, options)
    if args.kind == "destroy" and args.remove and not code:
        workspace.stack.file.unlink(missing_ok=True)
    return code


def _adoption(args: argparse.Namespace) -> Adoption:
    given = {"--parent": args.parent, "--provider": args.provider}
    for flag, value in given.items():
        if value and not value.partition("=")[2].startswith("urn:pulumi:"):
            raise UsageError(f"{flag} must be NAME=URN; `pulumi stack export` shows the URNs")
    parent, provider = (value.partition("=")[2] for value in given.values())
    return Adoption(args.type, args.name, args.id, parent, provider, args.protect == "true")


def _confirm(kind: str, stack: str) -> bool:
    """Ask on the terminal; Pulumi's question."""
    verb = {"up": "update", "refresh": "refresh", "destroy": "destroy", "import": "import"}[kind]
    question = (
        f"Do you want to perform this {verb}? [yes/no] "
        if kind != "destroy"
        else f"Do you want to perform this destroy? It cannot be undone. Type the stack's name ({stack}): "
    )
    try:
        answer = input(question).strip()
    except (EOFError, KeyboardInterrupt):
        answer = ""
    if answer == stack or (kind != "destroy" and answer.lower() in ("y", "yes")):
        return True
    say(f"confirmation declined, not proceeding with the {verb}")
    return False


def _once(args: argparse.Namespace, workspace: Workspace, options: Options) -> int:
    """One preview, update, refresh or destroy, shown as it goes."""
    shown = display_for(args, workspace, options)
    with shown, EventLog(args.event_log) as log, _interrupts(shown, workspace) as watch:

        def show(event: Event) -> None:
            shown.show(event)
            log.write(event)

        ok = operate(args.kind, workspace, options, show, watch)
    if not ok:
        return 1
    if getattr(args, "expect_no_changes", False) and shown.has_changes:
        raise EngineError(
            "no changes were expected but changes were proposed"
            if options.dry_run
            else "no changes were expected but changes occurred"
        )
    return 0


@contextmanager
def _interrupts(shown: Display, workspace: Workspace) -> Iterator[Callable[[Deployment], None]]:
    """Ctrl-C once: nothing new is begun and what runs may end. Twice: the end, what runs stays pending in the state."""
    running: list[Deployment] = []
    stderr = sys.stderr  # not the program's, which stands in its place while it runs

    def handle(_signal: int, _frame: Any) -> None:
        if running and not running[0].interrupted:
            running[0].interrupted = True  # before it is told: the second may come while the first is being handled
            shown.say(
                "^C received; cancelling: waiting for what has begun, which the state will hold: "
                "run the same command again to go on from there. "
                "If you would like to terminate immediately, press ^C again.\n"
            )
            running[0].interrupt()
            return
        shown.close()
        stderr.write("^C received; terminating at once.\n")
        if running:
            stderr.write(
                "Operations that had begun are pending in the state: run `pulumi refresh` "
                "(with --clear-pending-creates once you know that a create failed), then `pulumi up` again.\n"
            )
        stderr.flush()
        workspace.stack.unlock()
        os._exit(_INTERRUPTED)

    try:
        before = signal.signal(signal.SIGINT, handle)
    except ValueError:  # not the main thread: whoever runs us there handles signals
        yield lambda _: None
        return
    try:
        yield running.append
    finally:
        signal.signal(signal.SIGINT, before)


def _cancel(args: argparse.Namespace, _providers: Mapping[str, Factory]) -> int:
    args.stack = args.name or args.stack
    workspace = existing(args)
    if (
        sys.stdin.isatty()
        and not args.yes
        and input(
            f"This will irreversibly cancel the current update for '{workspace.stack.name}'. Continue? [yes/no] "
        ).lower()
        not in ("y", "yes")
    ):
        return 1
    dropped = workspace.stack.cancel()
    say(
        f"The currently running update for '{workspace.stack.name}' has been canceled!"
        if dropped
        else f"'{workspace.stack.name}' was not locked"
    )
    return 0
