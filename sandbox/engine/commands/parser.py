"""Pulumi's command line: words and flags, as far as the embedded engine goes."""

import argparse
import difflib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from sandbox.engine.commands import configuration, edits, stacks
from sandbox.engine.commands.operations import cancel, operate_on_stack
from sandbox.engine.errors import UsageError

CLI_ONLY = [
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


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the nearest known word, and leaves the exit to `main`."""

    def error(self, message: str) -> NoReturn:
        """Raise a `UsageError`, for which `main` exits with code 2."""
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
        if value in CLI_ONLY:
            raise UsageError(
                f"`{self.prog} {value}` is not supported by the embedded engine; it knows {', '.join(action.choices)}. "
                "Use the pulumi CLI for the rest"
            )
        raise UsageError(
            f"unknown command {value!r} for {self.prog!r}{self.nearest(str(value))}; "
            f"it knows {', '.join(action.choices)}"
        )


def parsers() -> tuple[Parser, dict[str, Parser]]:
    """The parser of the whole command line, and those of its commands by name."""
    parser = Parser(
        prog="pulumi", description="Pulumi's command line, served by the embedded engine.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    by_name: dict[str, Parser] = {}
    texts = {
        "preview": "show what an update would do",
        "up": "create or update the stack's resources",
        "refresh": "take what providers report into the state",
        "destroy": "delete all resources of the stack",
    }
    for name, text in texts.items():
        aliases = {"up": ["update"], "destroy": ["down"], "preview": ["pre"]}.get(name, [])
        by_name[name] = commands.add_parser(name, help=text, aliases=aliases, allow_abbrev=False)
        _operation_flags(by_name[name], name)
        by_name[name].set_defaults(run=operate_on_stack, kind=name)
        by_name.update(dict.fromkeys(aliases, by_name[name]))
    by_name["import"] = commands.add_parser(
        "import", help="take a resource that exists into the state", allow_abbrev=False
    )
    _operation_flags(by_name["import"], "import")
    _import_flags(by_name["import"])
    by_name["import"].set_defaults(run=operate_on_stack, kind="import")
    by_name["cancel"] = commands.add_parser(
        "cancel", help="drop the lock of an update that no longer runs", allow_abbrev=False
    )
    _common_flags(by_name["cancel"])
    by_name["cancel"].add_argument("name", nargs="?", metavar="STACK")
    by_name["cancel"].set_defaults(run=cancel)
    for name, text, add_words in (
        ("stack", "outputs, state and names of stacks", _stack_commands),
        ("state", "edit the state", _state_commands),
        ("config", "show and change a stack's configuration", _config_commands),
    ):
        by_name[name] = commands.add_parser(name, help=text, allow_abbrev=False)
        words = by_name[name].add_subparsers(dest="word", metavar="COMMAND")
        _common_flags(by_name[name])
        by_name[name].set_defaults(run=None)
        add_words(by_name[name], words)
    return parser, by_name


def _common_flags(parser: Parser) -> None:
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


def _operation_flags(parser: Parser, name: str) -> None:
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


def _import_flags(parser: Parser) -> None:
    for name in ("type", "name", "id"):
        parser.add_argument(name, metavar=name.upper())
    parser.add_argument("--parent", default="", metavar="NAME=URN", help="the parent; else the stack itself")
    parser.add_argument("--provider", default="", metavar="NAME=URN", help="the provider; else the package's default")
    parser.add_argument("--protect", nargs="?", const="true", default="true", choices=["true", "false"])
    parser.add_argument("--generate-code", nargs="?", const="true", choices=["true", "false"], help=argparse.SUPPRESS)


_Words = argparse._SubParsersAction  # what `add_subparsers` gives


def _add(words: "_Words[Any]", name: str, text: str, run: Callable[..., int]) -> Parser:
    added: Parser = words.add_parser(name, help=text, allow_abbrev=False)
    _common_flags(added)
    for action in added._actions:  # `pulumi stack -s dev output`: not given again is not given anew
        action.default = argparse.SUPPRESS
    added.set_defaults(run=run)
    return added


def _stack_commands(parser: Parser, words: "_Words[Any]") -> None:
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


def _state_commands(_parser: Parser, words: "_Words[Any]") -> None:
    delete = _add(words, "delete", "take a resource out of the state; it stays where it is", edits.delete)
    delete.add_argument("urn", metavar="URN")
    delete.add_argument("--force", action="store_true", help="even if it is protected")
    delete.add_argument("--target-dependents", action="store_true", help="and all that depends on it")
    for name, text in (("protect", "let nothing delete resources"), ("unprotect", "let resources be deleted")):
        protect = _add(words, name, text, edits.protect)
        protect.add_argument("urn", nargs="*", metavar="URN")
        protect.add_argument("--all", action="store_true")


def _config_commands(parser: Parser, words: "_Words[Any]") -> None:
    parser.set_defaults(run=configuration.show)
    get = _add(words, "get", "print one value, a secret in clear", configuration.get)
    set_ = _add(words, "set", "change Pulumi.<stack>.yaml", configuration.set_)
    remove = _add(words, "rm", "take a key out of Pulumi.<stack>.yaml", configuration.remove)
    for each in (parser, get, set_, remove):
        each.add_argument("--config-file", type=Path, help="instead of Pulumi.<stack>.yaml")
    for each in (get, set_, remove):
        each.add_argument("key", metavar="KEY")
    for each in (get, set_):
        each.add_argument("--path", action="store_true", help="KEY is a path, such as `a.b[0]`")
    for each in (parser, get):
        each.add_argument("-j", "--json", action="store_true")
    parser.add_argument("--show-secrets", action="store_true")
    set_.add_argument("value", nargs="?", metavar="VALUE", help="from standard input if it is not given")
    set_.add_argument("--secret", action="store_true", help="encrypt it")
    set_.add_argument("--plaintext", action="store_true", help=argparse.SUPPRESS)
    for action in (action for each in (get, set_, remove) for action in each._actions if action.option_strings):
        if action.option_strings[-1] in parser._option_string_actions:
            action.default = argparse.SUPPRESS  # else `config -s dev set …` would lose the stack
