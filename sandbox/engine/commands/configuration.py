"""`pulumi config`: shows a stack's configuration, and changes its file, whose other lines and comments stay."""

import argparse
import getpass
import json
import sys
from pathlib import Path
from typing import Any

from sandbox.engine.commands.selection import say, workspace_of
from sandbox.engine.errors import EngineError
from sandbox.engine.project import Config, Project, load_yaml
from sandbox.engine.show import tables
from sandbox.engine.show.documents import print_json
from sandbox.engine.state import snapshot
from sandbox.engine.state.files import write_file
from sandbox.engine.state.secrets import Secrets
from sandbox.engine.values import Path_, parse_path


def show(args: argparse.Namespace, *_: object) -> int:
    """`pulumi config`: every key and value, secrets masked."""
    workspace = workspace_of(args, {})
    config, own = workspace.config, f"{workspace.project.name}:"
    shown = config.values if args.show_secrets else config.shown()
    if args.json:
        print_json({key: _entry(config, key, args.show_secrets) for key in shown})
        return 0
    for line in tables.lines(("KEY", "VALUE"), ((key.removeprefix(own), shown[key]) for key in sorted(shown))):
        say(line)
    return 0


def _entry(config: Config, key: str, show_secrets: bool) -> dict[str, Any]:
    is_secret = key in config.secret_keys
    if is_secret and not show_secrets:
        return {"secret": True}
    entry: dict[str, Any] = {"value": config.values[key], "secret": is_secret}
    if config.values[key][:1] in ("{", "["):
        entry["objectValue"] = json.loads(config.values[key])
    return entry


def get(args: argparse.Namespace, *_: object) -> int:
    """`pulumi config get KEY`: one value, a secret in clear."""
    workspace = workspace_of(args, {})
    path = _path(args.key) if args.path else [args.key]
    key = _full(str(path[0]), workspace.project)
    value: Any = workspace.config.values.get(key)
    for part in path[1:] if value is not None else ():
        value = json.loads(value) if isinstance(value, str) else value
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            value = None
    if value is None:
        raise EngineError(f"configuration key '{args.key}' not found for stack '{workspace.stack.name}'")
    if args.json:
        print_json({**_entry(workspace.config, key, True), "value": _text(value)})
    else:
        say(_text(value))
    return 0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def set_(args: argparse.Namespace, *_: object) -> int:
    """`pulumi config set KEY [VALUE]`: the value from standard input if it is not given."""
    workspace = workspace_of(args, {})
    path = _path(args.key) if args.path else [args.key]
    key = _full(str(path[0]), workspace.project)
    value: Any = args.value if args.value is not None else _asked(args.secret)
    file = args.config_file or workspace.project.directory / f"Pulumi.{workspace.stack.name}.yaml"
    new_salt = None
    if args.secret:
        secrets = Secrets(workspace.config.salt or snapshot.load(workspace.stack)[0].salt)
        value = {"secure": secrets.encrypt(value)}
        new_salt = None if workspace.config.salt else secrets.salt
    elif args.path:
        value = _typed(value)
    if path[1:]:
        value = _placed((load_yaml(file).get("config") or {}).get(key) if file.exists() else None, path[1:], value)
    _write(file, workspace.project, key, value, new_salt)
    return 0


def remove(args: argparse.Namespace, *_: object) -> int:
    """`pulumi config rm KEY`."""
    workspace = workspace_of(args, {})
    file = args.config_file or workspace.project.directory / f"Pulumi.{workspace.stack.name}.yaml"
    key = _full(args.key, workspace.project)
    if file.exists():
        _write(file, workspace.project, key, None)
    return 0


def _write(file: Path, project: Project, key: str, value: Any, salt: str | None = None) -> None:
    from sandbox.engine.commands.stackfile import changed  # noqa: PLC0415 # ruamel is for those who write only

    try:
        text = file.read_bytes().decode("utf-8-sig") if file.exists() else ""  # line ends as they are
    except (OSError, UnicodeDecodeError) as e:
        raise EngineError(f"{file} cannot be read: {e}") from e
    try:
        new_text = changed(text, project.name, key, value, salt)
    except EngineError as e:
        raise EngineError(f"{file}: {e}") from e
    write_file(file, new_text)


def _asked(secret: bool) -> str:
    if sys.stdin.isatty():
        return getpass.getpass("value: ") if secret else input("value: ")
    return sys.stdin.read().removesuffix("\n")


def _full(key: str, project: Project) -> str:
    """The key with its namespace.

    Raises:
        EngineError: The text is no key.
    """
    if key.count(":") > 1 or not key.strip(":"):
        raise EngineError(
            f"invalid configuration key: could not parse {key} as a configuration key "
            "(configuration keys should be of the form `<namespace>:<name>`)"
        )
    return key if ":" in key else f"{project.name}:{key}"


def _path(text: str) -> Path_:
    try:
        return parse_path(text)
    except ValueError as e:
        raise EngineError(f"invalid configuration key: {e}") from e


def _typed(text: str) -> Any:
    """The value that Pulumi stores at a path: true, false and whole numbers get their type, all else is text."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text) if text == str(int(text)) else text
    except ValueError:
        return text


def _placed(old: Any, path: Path_, value: Any) -> Any:
    """The old value with another one at a path below it.

    Raises:
        EngineError: the path leads through what is neither an object nor a list.
    """
    if not path:
        return value
    part, rest = path[0], path[1:]
    if isinstance(part, int):
        items = list(old) if isinstance(old, list) else []
        if (old is not None and not isinstance(old, list)) or part > len(items):
            raise EngineError(f"there is no place [{part}] in {_text(old)}")
        items[part : part + 1] = [_placed(items[part] if part < len(items) else None, rest, value)]
        return items
    if old is not None and not isinstance(old, dict):
        raise EngineError(f"there is no key {part!r} in {_text(old)}: it is no object")
    return {**(old or {}), part: _placed((old or {}).get(part), rest, value)}
