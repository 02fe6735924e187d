"""YAML as stack files use it: no duplicate keys, no dates, and anchors that cannot blow a small file up."""

import re
from pathlib import Path
from typing import Any

import yaml

_MOST_BYTES = 1_000_000  # 500 teams that use every setting
_MOST_VALUES = 100_000
_DEEPEST = 60
_LONGEST_SHOWN = 200
_TAG_DIRECTIVE = re.compile(rb"^%TAG", re.MULTILINE)
_SCALARS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null"))  # those of JSON
_COLLECTIONS = frozenset({None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


class YamlError(Exception):
    """The file cannot be read as YAML; the text says where and why."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # libyaml: twenty times as fast
    """Parses, and reads dates as text, as JSON would hold them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _TextLoader(_Loader):
    """Reads every scalar as it is written, but for null."""


_TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:null"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path, *, as_text: bool = False) -> Any:
    """The content of a YAML file as mappings, lists and scalars.

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
    if _TAG_DIRECTIVE.search(data):  # thousands of them take libyaml minutes
        raise YamlError("the directive %TAG means nothing here.")
    try:
        loader = (_TextLoader if as_text else _Loader)(data.decode("utf-8"))
        return _Builder(loader).document()
    except UnicodeDecodeError as error:
        raise YamlError(f"the file is not UTF-8 text (byte {error.start}).") from None
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
        self._anchors: dict[str, tuple[Any, int] | None] = {}  # value and number of values; None while it is built

    def document(self) -> Any:
        """The file's one document; None of an empty file."""
        self._loader.get_event()  # the stream's start
        value = None
        if not self._loader.check_event(yaml.StreamEndEvent):
            self._loader.get_event()  # the document's start
            value = self._value(0)
            self._loader.get_event()  # its end
        if not self._loader.check_event(yaml.StreamEndEvent):
            raise YamlError(f"{_place(self._loader.get_event().start_mark)}: a second document begins.")
        return value

    def _value(self, depth: int) -> Any:
        event = self._loader.get_event()
        if depth > _DEEPEST:
            raise YamlError(f"{_place(event.start_mark)}: nested deeper than {_DEEPEST} levels.")
        if isinstance(event, yaml.AliasEvent):
            return self._again(event)
        if event.anchor:
            self._anchors[event.anchor] = None
        before = self._built
        self._count(1)
        value = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else self._collection(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = value, self._built - before
        return value

    def _count(self, values: int) -> None:
        self._built += values
        if self._built > _MOST_VALUES:
            raise YamlError(f"the file and its anchors expand to more than {_MOST_VALUES} values.")

    def _again(self, event: yaml.AliasEvent) -> Any:
        """What stands behind an anchor."""
        if event.anchor not in self._anchors:
            raise YamlError(f"{_place(event.start_mark)}: there is no anchor '{event.anchor}' above.")
        found = self._anchors[event.anchor]
        if found is None:
            raise YamlError(f"{_place(event.start_mark)}: the anchor '{event.anchor}' contains itself.")
        value, values = found
        self._count(values)
        return value

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

    def _collection(self, event: Any, depth: int) -> Any:
        if event.tag not in _COLLECTIONS:
            raise _meaningless(event, event.tag)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(depth)
        values = []
        while not self._loader.check_event(yaml.SequenceEndEvent):
            values.append(self._value(depth + 1))
        self._loader.get_event()
        return values

    def _mapping(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        merged: dict[str, Any] = {}
        while not self._loader.check_event(yaml.MappingEndEvent):
            key = self._loader.get_event()
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarEvent) or key.anchor:
                raise YamlError(f"line {line}: a key is plain text.")
            if key.value in lines:
                raise YamlError(
                    f"line {line}: the key {_shown(key.value)} is there already, on line {lines[key.value]}."
                )
            lines[key.value] = line
            value = self._value(depth + 1)
            if key.value == "<<" and key.implicit[0]:
                merged = _merged(value, line)
            else:
                values[key.value] = value
        self._loader.get_event()
        return {**merged, **values}


def _meaningless(event: Any, tag: str) -> YamlError:
    return YamlError(f"{_place(event.start_mark)}: the tag {_shown(tag)} means nothing here.")


def _merged(value: Any, line: int) -> dict[str, Any]:
    """What `<<` adds: a mapping, or several of which the first with a key counts."""
    mappings = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in mappings):
        raise YamlError(f"line {line}: '<<' takes a mapping, or a list of them.")
    return {key: inner for one in reversed(mappings) for key, inner in one.items()}
