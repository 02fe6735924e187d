"""`$filter` as lists of resources take it: `name eq 'x' and tagName eq 'team'`, `substringof('x', name)`, `startswith(...)`."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.azure.errors import AzureError

_TERM = re.compile(
    r"\s*(?:(?P<field>[\w/]+)\s+(?P<op>eq|ne)\s+'(?P<value>(?:[^']|'')*)'"
    r"|startswith\((?P<start_field>\w+)\s*,\s*'(?P<start>(?:[^']|'')*)'\)"
    r"|substringof\('(?P<part>(?:[^']|'')*)'\s*,\s*(?P<part_field>\w+)\))\s*",
    re.IGNORECASE,
)
_FIELDS = {
    "name": "name",
    "resourcetype": "type",
    "location": "location",
    "resourcegroup": "id",
    "tagname": "tags",
    "tagvalue": "tags",
}


class Filter:
    """Whether a resource meets an expression; an empty one meets all.

    Args:
        text: Terms joined with `and`, compared without case.

    Raises:
        AzureError: 400 InvalidFilterInQueryString, for what is not understood.
    """

    def __init__(self, text: str) -> None:
        self._terms = [_term(one, text) for one in re.split(r"\s+and\s+", text) if one.strip()]

    def __call__(self, resource: Mapping[str, Any]) -> bool:
        """Whether all terms hold."""
        return all(term(resource) for term in self._terms)


def _term(text: str, whole: str) -> Callable[[Mapping[str, Any]], bool]:
    found = _TERM.fullmatch(text)
    name = (found["field"] or found["start_field"] or found["part_field"]).lower() if found else ""
    if found is None or name not in _FIELDS:
        raise AzureError(
            400,
            "InvalidFilterInQueryString",
            f"Invalid $filter '{whole}' specified in the query string. Terms may compare {', '.join(sorted(_FIELDS))}.",
            target="$filter",
        )
    wanted = next(one for one in (found["value"], found["start"], found["part"]) if one is not None)
    wanted = wanted.replace("''", "'").lower()
    if found["start"] is not None:
        return lambda resource: any(one.startswith(wanted) for one in _values(resource, name))
    if found["part"] is not None:
        return lambda resource: any(wanted in one for one in _values(resource, name))
    if found["op"].lower() == "ne":
        return lambda resource: wanted not in _values(resource, name)
    return lambda resource: wanted in _values(resource, name)


def _values(resource: Mapping[str, Any], name: str) -> list[str]:
    """What a term compares, in lower case."""
    if name == "resourcegroup":
        return [resource["id"].lower().split("/")[4]]
    if name in ("tagname", "tagvalue"):
        tags = resource.get("tags") or {}
        return [str(one).lower() for one in (tags if name == "tagname" else tags.values())]
    return [str(resource.get(_FIELDS[name], "")).lower()]
