"""YAML that somebody else wrote: read like any, unless it would take memory or time without end."""

import re
from typing import Any

import yaml

_MOST_CHARACTERS = 1_000_000
_MOST_VALUES = 100_000
_DEEPEST = 100
_TAG_DIRECTIVE = re.compile("^%TAG", re.MULTILINE)
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml: twenty times as fast


def read_yaml(text: str, loader: Any = _Loader) -> Any:
    """The content as mappings, lists and scalars.

    Args:
        text: The file's content.
        loader: How scalars are read; without it as `yaml.safe_load` does.

    Raises:
        yaml.YAMLError: It is no YAML; or larger, deeper or with more behind its anchors than anything sensible.
    """
    try:
        _check(text)
        return yaml.load(text, loader)  # noqa: S506 # a safe loader, whichever it is
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # wrong numbers, days and keys
        raise yaml.YAMLError(f"{type(error).__name__}: {str(error)[:200]}") from None


def _check(text: str) -> None:
    """Looks at the parser's events alone: neither depth nor size of the content costs anything here."""
    if len(text) > _MOST_CHARACTERS:
        raise yaml.YAMLError(f"the file has more than {_MOST_CHARACTERS} characters")
    if _TAG_DIRECTIVE.search(text):  # thousands of them take libyaml minutes
        raise yaml.YAMLError("the directive %TAG means nothing here")
    values = 0
    sizes: dict[str | None, int] = {}
    inside: list[tuple[str | None, int]] = []  # the collections that are open: anchor, and values before
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise yaml.YAMLError(f"the anchor {event.anchor!r} is not there above, or contains itself")
            values += sizes[event.anchor]
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = inside.pop()
            sizes[anchor] = values - before
        elif isinstance(event, yaml.NodeEvent):
            if isinstance(event, yaml.CollectionStartEvent):
                inside.append((event.anchor, values))
                sizes.pop(event.anchor, None)
            else:
                sizes[event.anchor] = 1
            values += 1
        if len(inside) > _DEEPEST:
            raise yaml.YAMLError(f"the file is nested deeper than {_DEEPEST} levels")
        if values > _MOST_VALUES:
            raise yaml.YAMLError(f"its content and what its anchors expand to are more than {_MOST_VALUES} values")
