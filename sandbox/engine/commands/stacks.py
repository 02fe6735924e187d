"""`pulumi stack` and `pulumi state`: outputs, state, names, and what a user edits in a state by hand."""

import argparse
import contextlib
import difflib
import json
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import terminal
from sandbox.engine.carry_out.operate import stack_outputs
from sandbox.engine.commands.selection import confirmed, existing, project_of, say, select, selected, workspace_of
from sandbox.engine.errors import EngineError, StackNotFoundError
from sandbox.engine.show import tables
from sandbox.engine.show.documents import print_json
from sandbox.engine.state import snapshot
from sandbox.engine.state.checkpoint import Codec, refuse_version, version_of
from sandbox.engine.state.files import write_file
from sandbox.engine.state.resources import STACK_TYPE, Resource
from sandbox.engine.values import Map, masked, plain
from sandbox.engine.workspace import Workspace

Row = tuple[tuple[str, str], list[str]]
_DAY = 86_400
_UNITS = {
    "year": 360 * _DAY, "month": 30 * _DAY, "week": 7 * _DAY, "day": _DAY, "hour": 3600, "minute": 60, "second": 1,
}  # fmt: skip


def outputs(args: argparse.Namespace, *_: object) -> int:
    """`pulumi stack output [NAME]`."""
    workspace = existing(args)
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
            say(value)
        return 0
    if args.json:
        print_json(shown)
        return 0
    _say_outputs(shown)
    return 0


def _say_outputs(shown: Map) -> None:
    texts = {key: value if isinstance(value, str) else _compact(value) for key, value in sorted(shown.items())}
    say(f"Current stack outputs ({len(shown)}):")
    if shown:
        _say_table(("OUTPUT", "VALUE"), [(row, []) for row in texts.items()])
    else:
        say("    No output values currently in this stack")


def _compact(value: Any) -> str:
    return json.dumps(Codec.numbers(value), ensure_ascii=False, separators=(",", ":"))


def _say_table(titles: tuple[str, str], rows: list[Row]) -> None:
    """Two columns, and below a row what else there is to say about it."""
    head, *lines = tables.lines(titles, [cells for cells, _ in rows])
    say(f"    {head}")
    for line, (_, more) in zip(lines, rows, strict=True):
        say("\n".join(f"    {each}" for each in (line, *more)))


def show(args: argparse.Namespace, *_: object) -> int:
    """`pulumi stack`: where the stack is, its resources as a tree, its outputs."""
    workspace = existing(args)
    if args.show_name:
        say(workspace.stack.name)
        return 0
    manifest = workspace.stack.read().get("manifest")
    checkpoint, _secrets = snapshot.load(workspace.stack, workspace.config.salt)
    say(f"Current stack is {workspace.stack.name}:")
    say(f"    Managed by {platform.node()}")
    if manifest:
        at = datetime.fromisoformat(manifest["time"]).astimezone()
        say(f"    Last updated: {_ago(at)} ({at:%Y-%m-%d %H:%M:%S.%f %z %Z})")
        say(f"    Pulumi version used: {manifest['version']}")
    else:
        say("    No updates yet; run `pulumi up`")
    say(f"Current stack resources ({len(checkpoint.resources)}):")
    if checkpoint.resources:
        _say_table(("TYPE", "NAME"), list(_tree(checkpoint.resources, args)))
        say("")
        outputs = stack_outputs(checkpoint)
        _say_outputs(plain(outputs) if args.show_secrets else masked(outputs))
    else:
        say("    No resources currently in this stack")
    say("")
    say("Use `pulumi stack select` to change stack; `pulumi stack ls` lists known ones")
    return 0


def _tree(resources: list[Resource], args: argparse.Namespace) -> Iterator[Row]:
    """The resources below their parents; all that have none are the stack's."""
    top = next((r.urn for r in resources if r.type == STACK_TYPE), "")
    known = {r.urn for r in resources}
    below: dict[str, list[Resource]] = {}
    for resource in sorted(resources, key=lambda r: not r.parent):  # as the real command: those that have none last
        parent = resource.parent if resource.parent in known else top
        below.setdefault("" if resource.urn == top else parent, []).append(resource)

    def rows(parent: str, indent: str) -> Iterator[Row]:
        children = below.get(parent, [])
        for number, child in enumerate(children):
            last, inner = number == len(children) - 1, child.urn in below
            branch, under = ("└─ ", "   ") if last else ("├─ ", "│  ")
            if child.urn == top or not top:
                branch = under = ""
            about = indent + under + ("│  " if inner else "   ")
            more = [f"URN: {child.urn}"] * args.show_urns + [f"ID: {child.id}"] * bool(args.show_ids and child.id)
            yield (f"{indent}{branch}{child.type}", child.name), [about + line for line in more]
            if child.urn not in walked:
                walked.add(child.urn)
                yield from rows(child.urn, indent + under)

    walked: set[str] = set()
    yield from rows("", "")


def _ago(at: datetime) -> str:
    """The time since then, in one unit."""
    seconds = int((datetime.now(UTC) - at).total_seconds())
    for unit, length in _UNITS.items():
        if seconds >= length:
            number = seconds // length
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "now"


def _last_update(time: str) -> str:
    return _ago(datetime.fromisoformat(time)) if time != "n/a" else time


def export(args: argparse.Namespace, *_: object) -> int:
    """`pulumi stack export`."""
    workspace = existing(args)
    checkpoint, secrets = snapshot.load(workspace.stack, workspace.config.salt)
    deployment = Codec(secrets, args.show_secrets).dump_deployment(checkpoint)
    text = json.dumps({**version_of(deployment), "deployment": deployment}, indent=4, ensure_ascii=False) + "\n"
    if args.file:
        write_file(args.file, text)
    else:
        sys.stdout.write(text)
    return 0


def import_(args: argparse.Namespace, *_: object) -> int:
    """`pulumi stack import`."""
    workspace = workspace_of(args, {})
    try:
        given = json.loads(terminal.read_text(args.file) if args.file else sys.stdin.read().removeprefix("\ufeff"))
    except (OSError, ValueError) as e:
        raise EngineError(f"the state {args.file or 'on standard input'} cannot be read: {e}") from e
    what = str(args.file or "standard input")
    if not isinstance(given, dict) or "version" not in given or not isinstance(given.get("deployment"), dict):
        raise EngineError(f"{what} is not an exported stack: it must hold 'version' and 'deployment'")
    refuse_version(given, what)
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
    say("Import complete.")
    return 0


def init(args: argparse.Namespace, *_: object) -> int:
    """`pulumi stack init`."""
    args.stack = args.name or args.stack
    workspace = workspace_of(args, {})
    if workspace.stack.exists():
        raise EngineError(f"stack '{workspace.stack.full_name}' already exists")
    workspace.stack.write(None)
    select(workspace.project, workspace.stack.name)
    say(f"Created stack '{workspace.stack.name}'")
    return 0


def select_(args: argparse.Namespace, *_: object) -> int:
    """`pulumi stack select`."""
    args.stack = args.name
    workspace = workspace_of(args, {})
    if not workspace.stack.exists():
        if not args.create:
            raise StackNotFoundError(f"no stack named '{workspace.stack.name}' found; --create makes it")
        workspace.stack.write(None)
        say(f"Created stack '{workspace.stack.name}'")
    select(workspace.project, workspace.stack.name)
    return 0


def list_(args: argparse.Namespace, *_: object) -> int:
    """`pulumi stack ls`."""
    project, backend = project_of(args)
    current = selected(project)
    rows = []
    for name in backend.stacks(project.name):
        deployment = backend.stack(project.name, name).read()
        row = {"name": name, "current": name == current, "resourceCount": len(deployment.get("resources") or ())}
        rows.append(row | {"lastUpdate": deployment.get("manifest", {}).get("time", "n/a")})
    if args.json:
        print_json(rows)
        return 0
    cells = [
        (f"{r['name']}{'*' * bool(r['current'])}", _last_update(str(r["lastUpdate"])), str(r["resourceCount"]))
        for r in rows
    ]
    for line in tables.lines(("NAME", "LAST UPDATE", "RESOURCE COUNT"), cells):
        say(line)
    return 0


def remove(args: argparse.Namespace, *_: object) -> int:
    """`pulumi stack rm`, which leaves Pulumi.<stack>.yaml (as `--preserve-config` does)."""
    args.stack = args.name or args.stack
    workspace = existing(args)
    stack = workspace.stack
    with locked(workspace):
        if stack.exists() and snapshot.load(stack)[0].resources and not args.force:
            raise EngineError(
                f"'{stack.name}' still has resources; removal rejected. Possible actions:\n"
                f"- Make sure that '{stack.name}' is the stack that you want to destroy\n"
                "- Run `pulumi destroy` to delete the resources, then run `pulumi stack rm`\n"
                "- Run `pulumi stack rm --force` to override this error"
            )
        if not confirmed(args, f"This will permanently remove the '{stack.name}' stack! Continue?"):
            return 1
        stack.remove()
    if selected(workspace.project) == stack.name:
        select(workspace.project, "")
    say(f"Stack '{stack.name}' has been removed!")
    return 0


# ---- the state by hand


@contextlib.contextmanager
def locked(workspace: Workspace) -> Iterator[None]:
    """Hold the stack\'s lock."""
    workspace.stack.lock()
    try:
        yield
    finally:
        workspace.stack.unlock()
