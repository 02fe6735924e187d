"""The command line: Pulumi's own words and flags, as far as the embedded engine goes."""

import argparse
import contextlib
import difflib
import hashlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from sandbox.engine import snapshot
from sandbox.engine.deployment import Deployment, Options
from sandbox.engine.display import Display, EventLog, display_for, print_json
from sandbox.engine.errors import EngineError, UsageError
from sandbox.engine.events import Event
from sandbox.engine.policies import load_config
from sandbox.engine.project import Config, Project
from sandbox.engine.providers import Factory
from sandbox.engine.run import Workspace, operate, stack_outputs
from sandbox.engine.secrets import Secrets
from sandbox.engine.state import Backend, Codec, write_atomically
from sandbox.engine.values import masked, plain

_SHORT = {"outputs": ["stack", "output"], "export": ["stack", "export"], "import": ["stack", "import"]}
_ELSEWHERE = [
    "about",
    "config",
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
    "state",
    "template",
    "version",
    "watch",
    "whoami",
]
_INTERRUPTED = 130
_STACK_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


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


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


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
    if words and argv[words[0]] in _SHORT and words[0] == 0:
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
    if args.command == "stack" and args.stack_command is None:
        raise UsageError("`pulumi stack` needs one of: output, export, import, init, select, ls")
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
    found["cancel"] = commands.add_parser(
        "cancel", help="drop the lock of an update that no longer runs", allow_abbrev=False
    )
    _common_flags(found["cancel"])
    found["cancel"].add_argument("name", nargs="?", metavar="STACK")
    found["cancel"].set_defaults(run=_cancel)
    found["stack"] = commands.add_parser("stack", help="outputs, state and names of stacks", allow_abbrev=False)
    _stack_commands(found["stack"])
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
        parser.add_argument("--remove", action="store_true", help="remove the stack, too")


def _stack_commands(parser: _Parser) -> None:
    commands = parser.add_subparsers(dest="stack_command", metavar="COMMAND")

    def add(name: str, text: str, run: Callable[..., int]) -> _Parser:
        added: _Parser = commands.add_parser(name, help=text, allow_abbrev=False)
        _common_flags(added)
        added.set_defaults(run=run)
        return added

    output = add("output", "print the stack's outputs", _outputs)
    output.add_argument("name", nargs="?", metavar="NAME")
    output.add_argument("-j", "--json", action="store_true")
    output.add_argument("--show-secrets", action="store_true")
    export = add("export", "print the stack's state", _export)
    export.add_argument("--show-secrets", action="store_true")
    export.add_argument("--file", type=Path)
    import_ = add("import", "replace the stack's state", _import)
    import_.add_argument("--file", type=Path)
    import_.add_argument("-f", "--force", action="store_true", help="even if the state is of another stack")
    add("init", "make a stack", _init).add_argument("name", nargs="?", metavar="STACK")
    select = add("select", "choose the stack that commands work on", _select)
    select.add_argument("name", metavar="STACK")
    select.add_argument("--create", "-c", action="store_true", help="make it if it does not exist")
    add("ls", "list the project's stacks", _list).add_argument("-j", "--json", action="store_true")


# ---- finding the stack


def _backend(project: Project) -> Backend:
    return Backend(os.environ.get("PULUMI_BACKEND_URL") or project.backend or "file://~")


def _selection(project: Project) -> Path:
    """Where Pulumi keeps the name of a project's selected stack."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    digest = hashlib.sha1(str(project.directory / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    return home / "workspaces" / f"{project.name}-{digest}-workspace.json"


def _stack_name(args: argparse.Namespace, project: Project) -> str:
    name = args.stack or os.environ.get("PULUMI_STACK") or ""
    if not name:
        with contextlib.suppress(OSError, ValueError):
            name = json.loads(_selection(project).read_text()).get("stack", "")
    if not name:
        files = [p.name.removeprefix("Pulumi.").removesuffix(".yaml") for p in project.directory.glob("Pulumi.*.yaml")]
        known = sorted({*_backend(project).stacks(project.name), *files})
        there = f": there are {', '.join(known)}" if known else ""
        raise EngineError(f"no stack selected; use --stack NAME or `pulumi stack select`{there}")
    name = name.rsplit("/", 1)[-1]
    if not _STACK_NAME.fullmatch(name):
        raise EngineError(
            f"{name!r} is no stack name: letters, digits, '-', '_' and '.' are allowed, up to 100 of them"
        )
    return str(name)


def _workspace(args: argparse.Namespace, providers: Mapping[str, Factory]) -> Workspace:
    if not args.cwd.is_dir():
        raise EngineError(f"the directory {args.cwd} (--cwd) does not exist")
    project = Project.find(args.cwd.absolute())
    backend = _backend(project)
    stack = backend.stack(project.name, _stack_name(args, project))
    file, given = getattr(args, "config_file", None), getattr(args, "config", [])
    config = Config.load(project, stack.name, file, given, Secrets)
    return Workspace(project, stack, backend, config, providers, _packs(args))


def _packs(args: argparse.Namespace) -> list[tuple[Path, Any]]:
    directories, files = getattr(args, "policy_pack", []), getattr(args, "policy_pack_config", [])
    if files and len(files) != len(directories):
        raise UsageError(
            "--policy-pack-config must be given as often as --policy-pack: one file a pack, in the same order"
        )
    configs = [load_config(file) for file in files] or [{} for _ in directories]
    return [(directory.absolute(), config) for directory, config in zip(directories, configs, strict=True)]


def _existing(args: argparse.Namespace) -> Workspace:
    workspace = _workspace(args, {})
    if not workspace.stack.exists():
        raise EngineError(f"no stack named '{workspace.stack.name}' found in {workspace.backend.root}")
    return workspace


# ---- operations


def _operate(args: argparse.Namespace, providers: Mapping[str, Factory]) -> int:
    workspace = _workspace(args, providers)
    options = Options(
        dry_run=args.kind == "preview",
        parallel=args.parallel if args.parallel > 0 else 1,
        targets=args.target,
        target_dependents=args.target_dependents,
        continue_on_error=getattr(args, "continue_on_error", False),
        refresh=getattr(args, "refresh", "false") == "true",
        only_refresh=args.kind == "refresh",
        exclude_protected=getattr(args, "exclude_protected", False),
        clear_pending_creates=getattr(args, "clear_pending_creates", False),
        import_pending_creates=dict(getattr(args, "import_pending_creates", [])),
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


def _confirm(kind: str, stack: str) -> bool:
    """Ask on the terminal; Pulumi's question."""
    verb = {"up": "update", "refresh": "refresh", "destroy": "destroy"}[kind]
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
    _say(f"confirmation declined, not proceeding with the {verb}")
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
            shown.say(
                "^C received; cancelling: waiting for what has begun. "
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
    workspace = _existing(args)
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
    _say(
        f"The currently running update for '{workspace.stack.name}' has been canceled!"
        if dropped
        else f"'{workspace.stack.name}' was not locked"
    )
    return 0


# ---- stacks


def _outputs(args: argparse.Namespace, _providers: Mapping[str, Factory]) -> int:
    workspace = _existing(args)
    outputs = stack_outputs(snapshot.load(workspace.stack, workspace.config.salt)[0])
    shown = plain(outputs) if args.show_secrets else masked(outputs)
    if args.name is not None:
        if args.name not in shown:
            near = difflib.get_close_matches(args.name, shown, 1, 0.5)
            raise EngineError(
                f"current stack does not have output property '{args.name}'"
                f"{f'; did you mean {near[0]!r}?' if near else ''}"
            )
        value = shown[args.name]
        if args.json or not isinstance(value, str):
            print_json(value)
        else:
            _say(value)
        return 0
    if args.json:
        print_json(shown)
        return 0
    rows = [
        ("OUTPUT", "VALUE"),
        *(
            (key, value if isinstance(value, str) else json.dumps(Codec.numbers(value), ensure_ascii=False))
            for key, value in sorted(shown.items())
        ),
    ]
    width = max(len(key) for key, _ in rows)
    _say(f"Current stack outputs ({len(shown)}):")
    for key, value in rows if shown else []:
        _say(f"    {key.ljust(width)}  {value}")
    if not shown:
        _say("    No output values currently in this stack")
    return 0


def _export(args: argparse.Namespace, _providers: Mapping[str, Factory]) -> int:
    workspace = _existing(args)
    checkpoint, secrets = snapshot.load(workspace.stack, workspace.config.salt)
    deployment = Codec(secrets, args.show_secrets).dump_deployment(checkpoint)
    text = json.dumps({"version": 3, "deployment": deployment}, indent=4, ensure_ascii=False) + "\n"
    if args.file:
        write_atomically(args.file, text)
    else:
        sys.stdout.write(text)
    return 0


def _import(args: argparse.Namespace, _providers: Mapping[str, Factory]) -> int:
    workspace = _workspace(args, {})
    try:
        given = json.loads(args.file.read_text(encoding="utf-8") if args.file else sys.stdin.read())
    except (OSError, ValueError) as e:
        raise EngineError(f"the state {args.file or 'on standard input'} cannot be read: {e}") from e
    if not isinstance(given, dict) or given.get("version") != 3 or not isinstance(given.get("deployment"), dict):  # noqa: PLR2004
        raise EngineError(
            f"{args.file or 'standard input'} is not an exported stack: it must hold 'version': 3 and 'deployment'"
        )
    checkpoint, secrets = snapshot.adopt(given["deployment"], workspace.config.salt)
    strangers = {
        r.urn.split("::")[0].removeprefix("urn:pulumi:") + "/" + r.urn.split("::")[1] for r in checkpoint.resources
    }
    own = f"{workspace.stack.name}/{workspace.project.name}"
    if strangers - {own} and not args.force:
        raise EngineError(
            f"the state has resources of {', '.join(sorted(strangers - {own}))}, not of {own}; "
            "use --force to import it all the same"
        )
    workspace.stack.lock()
    try:
        workspace.stack.write(Codec(secrets).dump_deployment(checkpoint))
    finally:
        workspace.stack.unlock()
    _say("Import complete.")
    return 0


def _init(args: argparse.Namespace, _providers: Mapping[str, Factory]) -> int:
    args.stack = args.name or args.stack
    workspace = _workspace(args, {})
    if workspace.stack.exists():
        raise EngineError(f"stack '{workspace.stack.full_name}' already exists")
    workspace.stack.write(None)
    _remember(workspace)
    _say(f"Created stack '{workspace.stack.name}'")
    return 0


def _select(args: argparse.Namespace, _providers: Mapping[str, Factory]) -> int:
    args.stack = args.name
    workspace = _workspace(args, {})
    if not workspace.stack.exists():
        if not args.create:
            raise EngineError(f"no stack named '{workspace.stack.name}' found; --create makes it")
        workspace.stack.write(None)
        _say(f"Created stack '{workspace.stack.name}'")
    _remember(workspace)
    return 0


def _remember(workspace: Workspace) -> None:
    write_atomically(_selection(workspace.project), json.dumps({"stack": workspace.stack.name}))


def _list(args: argparse.Namespace, _providers: Mapping[str, Factory]) -> int:
    project = Project.find(args.cwd.absolute())
    backend = _backend(project)
    rows = []
    for name in backend.stacks(project.name):
        deployment = backend.stack(project.name, name).read()
        updated = deployment.get("manifest", {}).get("time", "n/a")
        rows.append({"name": name, "lastUpdate": updated, "resourceCount": len(deployment.get("resources") or ())})
    if args.json:
        print_json(rows)
        return 0
    _say(f"{'NAME':20} {'LAST UPDATE':32} RESOURCE COUNT")
    for row in rows:
        _say(f"{row['name']:20} {row['lastUpdate']:32} {row['resourceCount']}")
    return 0
