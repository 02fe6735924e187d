"""YAML as stack files use it: no duplicate keys, no dates, and anchors that cannot blow a small file up."""

from pathlib import Path
from typing import Any

import yaml

_MOST_BYTES = 4_000_000
_MOST_NODES = 500_000
_DEEPEST = 60
_NOT_JSON = frozenset({"tag:yaml.org,2002:binary", "tag:yaml.org,2002:timestamp"})  # JSON has no such values


class YamlError(Exception):
    """The file cannot be read as YAML; the text says where and why."""


class _Loader(yaml.SafeLoader):
    """Reads dates as text, as JSON would hold them."""


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
        data = path.read_bytes()
    except OSError as error:
        raise YamlError(f"cannot read the file: {error.strerror}.") from None
    if len(data) > _MOST_BYTES:
        raise YamlError(f"the file has {len(data)} bytes; more than {_MOST_BYTES} are not read.")
    try:
        loader = (_TextLoader if as_text else _Loader)(data.decode("utf-8"))
        node = loader.get_single_node()
        return _Builder(loader).value(node, 0) if node else None
    except UnicodeDecodeError as error:
        raise YamlError(f"the file is not UTF-8 text (byte {error.start}).") from None
    except RecursionError:
        raise YamlError(f"the file is nested deeper than {_DEEPEST} levels.") from None
    except (yaml.YAMLError, ValueError) as error:
        raise YamlError(f"the file is not valid YAML: {_one_line(error)}.") from None


def _one_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return " ".join(str(error).split())
    return f"line {mark.line + 1}, column {mark.column + 1}: {getattr(error, 'problem', error)}"


class _Builder:
    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self._left = _MOST_NODES

    def value(self, node: yaml.Node, depth: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise YamlError(f"the file's anchors expand to more than {_MOST_NODES} values.")
        if depth > _DEEPEST:
            raise YamlError(f"line {node.start_mark.line + 1}: nested deeper than {_DEEPEST} levels.")
        if node.tag.startswith(("tag:yaml.org,2002:python/", "!")) or node.tag in _NOT_JSON:
            raise YamlError(f"line {node.start_mark.line + 1}: the tag {node.tag} means nothing here.")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, depth + 1) for child in node.value]
        return self._loader.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise YamlError(f"line {line}: a key is plain text.")
            if key.value in seen:
                raise YamlError(f"line {line}: the key '{key.value}' is there already, on line {seen[key.value]}.")
            seen[key.value] = line
        self._loader.flatten_mapping(node)
        return {key.value: self.value(child, depth + 1) for key, child in node.value}
