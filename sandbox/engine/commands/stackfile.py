"""Changes one key of Pulumi.<stack>.yaml; all other values, comments and line ends stay."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import PlainScalarString, SingleQuotedScalarString

from sandbox.engine.errors import EngineError
from sandbox.yamlfile import read_yaml
from terminal.scalars import Loader

_WIDEST = 1_000_000  # no line is folded


def changed(text: str, project: str, key: str, value: Any, salt: str | None = None) -> str:
    """The text of a stack file with one key set, or (value None) taken out.

    Args:
        text: The file's content; empty for a new one.
        project: The project's name: its keys may be written without it.
        key: The key with its namespace.
        value: Text, number, list or object.
        salt: A salt to write, for the first secret.

    Raises:
        EngineError: the file is not valid YAML.
    """
    try:
        round_trip, document = _read(text.replace("\r\n", "\n"))
    except YAMLError as e:
        raise EngineError(f"not valid YAML: {e}") from e
    comments = text if document is None and text.strip() else ""  # a file of comments only is no document
    document = CommentedMap() if document is None else document
    if salt:
        document.insert(0, "encryptionsalt", salt)
    config = document.get("config")
    if not config:
        config = document["config"] = CommentedMap()
    short = key.removeprefix(f"{project}:")
    known = next((name for name in (key, short) if name in config), key)
    if value is None:
        _remove(config, known)
    else:
        config[known] = _quoted(value)
    written = StringIO()
    round_trip.dump(document, written)
    result = comments + written.getvalue()
    return result.replace("\n", "\r\n") if "\r\n" in text else result


def _read(text: str) -> tuple[YAML, Any]:
    """A reader and writer with the file's own indentation, and what it read."""
    round_trip = YAML()
    round_trip.preserve_quotes = True
    round_trip.width = _WIDEST
    round_trip.brace_single_entry_mapping_in_flow_sequence = True
    document = round_trip.load(text)
    steps = dict(reversed(list(_indentations(document))))  # the first of each kind counts
    round_trip.indent(mapping=steps.get("mapping", 2), sequence=steps.get("sequence", 4), offset=steps.get("offset", 2))
    return round_trip, document


def _indentations(node: Any) -> Iterator[tuple[str, int]]:
    """The indentations of mappings, list items and their dashes, from the top of the file."""
    if not isinstance(node, CommentedMap):
        return
    for value in node.values():
        if isinstance(value, CommentedSeq) and value and not value.fa.flow_style():
            yield "sequence", value.lc.data[0][1] - node.lc.col
            yield "offset", value.lc.col - node.lc.col
        elif isinstance(value, CommentedMap) and value and not value.fa.flow_style():
            yield "mapping", value.lc.col - node.lc.col
            yield from _indentations(value)


def _remove(config: CommentedMap, key: str) -> None:
    """Take a key out. Comment lines below its value, which ruamel counts to the value, go to the next key."""
    if key not in config:
        return
    names = list(config)
    following = names[names.index(key) + 1 : names.index(key) + 2]
    below = _comment_below(config, key)
    del config[key]
    if following and below:
        config.yaml_set_comment_before_after_key(following[0], before=below, indent=config.lc.col)


def _comment_below(parent: Any, key: Any) -> str:
    value = parent[key]
    if isinstance(value, CommentedMap | CommentedSeq) and value and not value.fa.flow_style():
        return _comment_below(value, list(value)[-1] if isinstance(value, CommentedMap) else len(value) - 1)
    tokens = [token for token in parent.ca.items.get(key, ()) if token is not None and not isinstance(token, list)]
    lines = "".join(token.value for token in tokens).split("\n")[1:]
    return "\n".join(line.strip().removeprefix("#").removeprefix(" ") for line in lines if line.strip())


def _quoted(value: Any) -> Any:
    """The value with quotes around texts that would be read as something else without them."""
    if isinstance(value, dict):
        return {key: _quoted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_quoted(inner) for inner in value]
    if not isinstance(value, str):
        return value
    try:
        is_text = isinstance(read_yaml(value, Loader), str)
    except yaml.YAMLError:
        is_text = True  # ruamel quotes it
    return PlainScalarString(value) if is_text else SingleQuotedScalarString(value)  # else as the old value was
