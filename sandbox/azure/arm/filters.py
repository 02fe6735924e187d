"""`$filter` of lists of resources: `resourceType eq '...'`, `tagName eq 'team'`, `substringof('x', name)`, ..."""

from collections.abc import Mapping
from typing import Any

from sandbox.azure.front.errors import AzureError
from sandbox.azure.odata import FilterError, Term, parse_filter

FIELDS = ("location", "name", "resourceGroup", "resourceType", "tagName", "tagValue")


def parse_terms(text: str, allowed: tuple[str, ...]) -> list[Term]:
    """The terms of a filter on these fields (for a bare function, its name).

    Raises:
        AzureError: 400 InvalidFilterInQueryString, for what is not understood.
    """
    try:
        terms = parse_filter(text)
    except FilterError as error:
        raise _invalid(text, str(error)) from error
    known = {field.lower() for field in allowed}
    for term in terms:
        name = term.field or term.operator
        if name.lower() not in known:
            raise _invalid(text, f"'{name}' is none of {', '.join(allowed)}")
    return terms


def _invalid(text: str, reason: str) -> AzureError:
    message = f"Invalid $filter '{text}' specified in the query string: {reason}."
    return AzureError(400, "InvalidFilterInQueryString", message, target="$filter")


def holds(terms: list[Term], resource: Mapping[str, Any]) -> bool:
    """Whether a resource meets all terms."""
    return all(term.holds(_value(resource, term.field.lower())) for term in terms)


def _value(resource: Mapping[str, Any], field: str) -> Any:
    tags = resource.get("tags") or {}
    match field:
        case "resourcegroup":
            return resource["id"].split("/")[4]
        case "resourcetype":
            return resource["type"]
        case "tagname":
            return list(tags)
        case "tagvalue":
            return list(tags.values())
        case _:
            return resource.get(field)
