"""YAML as stack files use it: Pulumi's scalars, no duplicate keys, and anchors that cannot blow a small file up."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from terminal.files import decoded
from terminal.scalars import Loader

_MOST_BYTES = 1_000_000  # 500 teams that use every setting
_MOST_VALUES = 100_000
_DEEPEST = 60
_LONGEST_SHOWN = 200
_TAG_DIRECTIVE = re.compile(r"^%TAG", re.MULTILINE)
_SCALARS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp"))
_COLLECTIONS = frozenset({None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


class YamlError(Exception):
    """The file cannot be read as YAML; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place. What stands behind an anchor keeps the place where it is written.

    Attributes:
        value: The value as mappings, lists and scalars.
        line: Its first line, from 1.
        column: Its first column, from 1.
        children: The nodes of a mapping by key, or of a list.
    """

    value: Any
    line: int
    column: int
    children: "Mapping[str, Node] | Sequence[Node]" = ()

    def at(self, path: Sequence[str | int]) -> "tuple[Node, int]":
        """The node at a path, or the nearest above it; and how many parts of the path lead to it."""
        node = self
        for depth, part in enumerate(path):
            try:
                node = node.children[part]  # type: ignore[index] # a key or a position, or neither
            except (LookupError, TypeError):
                return node, depth
        return node, len(path)


class _TextLoader(Loader):
    """Reads every scalar as it is written, but for null."""

    def resolve(self, kind: type, value: Any, implicit: Any) -> str:
        """Returns the tag of a plain value: a text, or `null`."""
        tag = super().resolve(kind, value, implicit)
        return tag if tag.endswith(":null") or kind is not yaml.ScalarNode else "tag:yaml.org,2002:str"


def read_yaml(path: Path, *, as_text: bool = False) -> Node:
    """The content of a YAML file as mappings, lists and scalars, with the place of each.

    Args:
        path: The file.
        as_text: Whether numbers, booleans and the like stay text as it is written, such as 007.

    Raises:
        YamlError: If it cannot be read, with the line where that is known.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise YamlError(f"cannot read the file: {error.strerror}.") from None
    if len(data) > _MOST_BYTES:
        raise YamlError(f"the file has more than {_MOST_BYTES} bytes; larger ones are not read.")
    try:
        text = decoded(data)
        if _TAG_DIRECTIVE.search(text):  # thousands of them take libyaml minutes
            raise YamlError("the directive %TAG means nothing here.")
        return _Builder((_TextLoader if as_text else Loader)(text)).document()
    except UnicodeDecodeError as error:
        raise YamlError(f"the file is neither UTF-8 text nor UTF-16 with its mark (byte {error.start}).") from None
    except (yaml.YAMLError, ValueError) as error:
        raise YamlError(f"the file is not valid YAML: {_one_line(error)}.") from None


def _one_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return _shown(str(error))
    return f"{_place(mark)}, column {mark.column + 1}: {getattr(error, 'problem', error)}"


def _shown(text: str) -> str:
    """Somebody's text as a message holds it: short, and nothing that a terminal would carry out."""
    return repr(text[:_LONGEST_SHOWN])


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}"


class _Builder:
    """Builds values as the parser's events come, so that what is too deep or too much is not read to its end."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._built = 0  # values so far; those behind an anchor count wherever it is used
        self._anchors: dict[str, tuple[Node, int] | None] = {}  # node and number of values; None while it is built

    def document(self) -> Node:
        """The file's one document; None of an empty file."""
        self._loader.get_event()  # the stream's start
        node = Node(None, 1, 1)
        if not self._loader.check_event(yaml.StreamEndEvent):
            self._loader.get_event()  # the document's start
            node = self._node(0)
            self._loader.get_event()  # its end
        if not self._loader.check_event(yaml.StreamEndEvent):
            raise YamlError(f"{_place(self._loader.get_event().start_mark)}: a second document begins.")
        return node

    def _node(self, depth: int) -> Node:
        event = self._loader.get_event()
        if depth > _DEEPEST:
            raise YamlError(f"{_place(event.start_mark)}: nested deeper than {_DEEPEST} levels.")
        if isinstance(event, yaml.AliasEvent):
            return self._again(event)
        if event.anchor:
            self._anchors[event.anchor] = None
        before = self._built
        self._count(1)
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self._scalar(event), *_start(event))
        else:
            node = self._collection(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = node, self._built - before
        return node

    def _count(self, values: int) -> None:
        self._built += values
        if self._built > _MOST_VALUES:
            raise YamlError(f"the file and its anchors expand to more than {_MOST_VALUES} values.")

    def _again(self, event: yaml.AliasEvent) -> Node:
        """The node to which an alias leads."""
        if event.anchor not in self._anchors:
            raise YamlError(f"{_place(event.start_mark)}: there is no anchor '{event.anchor}' above.")
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise YamlError(f"{_place(event.start_mark)}: the anchor '{event.anchor}' contains itself.")
        node, values = anchored
        self._count(values)
        return node

    def _scalar(self, event: Any) -> Any:
        tag = event.tag
        if tag in (None, "!"):
            tag = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag not in _SCALARS:
            raise _meaningless(event, tag)
        try:
            return self._loader.construct_object(yaml.ScalarNode(tag, event.value, event.start_mark))
        except (ValueError, LookupError):
            name = tag.rpartition(":")[2]
            raise YamlError(f"{_place(event.start_mark)}: {_shown(event.value)} cannot be read as {name}.") from None

    def _collection(self, event: Any, depth: int) -> Node:
        if event.tag not in _COLLECTIONS:
            raise _meaningless(event, event.tag)
        line, column = _start(event)
        if isinstance(event, yaml.MappingStartEvent):
            children = self._mapping(depth)
            return Node({key: node.value for key, node in children.items()}, line, column, children)
        nodes = []
        while not self._loader.check_event(yaml.SequenceEndEvent):
            nodes.append(self._node(depth + 1))
        self._loader.get_event()
        return Node([node.value for node in nodes], line, column, nodes)

    def _mapping(self, depth: int) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        lines: dict[str, int] = {}
        merged: Mapping[str, Node] = {}
        while not self._loader.check_event(yaml.MappingEndEvent):
            key = self._loader.get_event()
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarEvent) or key.anchor:
                raise YamlError(f"line {line}: a key must be plain text.")
            if key.value in lines:
                raise YamlError(
                    f"line {line}: the key {_shown(key.value)} is there already, on line {lines[key.value]}."
                )
            lines[key.value] = line
            node = self._node(depth + 1)
            if key.value == "<<" and key.implicit[0]:
                merged = _merged(node, line)
            else:
                nodes[key.value] = node
        self._loader.get_event()
        return {**merged, **nodes}


def _start(event: Any) -> tuple[int, int]:
    """Line and column of an event, from 1."""
    return event.start_mark.line + 1, event.start_mark.column + 1


def _meaningless(event: Any, tag: str) -> YamlError:
    return YamlError(f"{_place(event.start_mark)}: the tag {_shown(tag)} means nothing here.")


def _merged(node: Node, line: int) -> Mapping[str, Node]:
    """The keys that `<<` adds, from one mapping or several; of a key in several, the first counts."""
    holders = list(node.children) if isinstance(node.value, list) else [node]
    mappings = [holder.children for holder in holders if isinstance(holder, Node) and isinstance(holder.children, dict)]
    if len(mappings) < len(holders):
        raise YamlError(f"line {line}: '<<' takes a mapping, or a list of them.")
    return {key: inner for mapping in reversed(mappings) for key, inner in mapping.items()}
