"""Parts that all of Graph's answers share: error bodies, `$filter`, `$select`, `$top`, pages, what is never shown.

Sources: learn.microsoft.com/graph/errors and learn.microsoft.com/graph/query-parameters.
"""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse

from sandbox.azure import clock
from sandbox.azure.front.errors import AzureError, ServiceError
from sandbox.azure.odata import FilterError, Term, parse_filter

Document = dict[str, Any]
BASE = "https://graph.microsoft.com/v1.0"
PAGE, LARGEST_PAGE = 100, 999
RELATIONS = ("members", "owners")
UNDERSTOOD = frozenset({"$filter", "$select", "$top", "$count", "$orderby", "$skiptoken"})
# learn.microsoft.com/graph/api/resources/user: what a user shows unless $select asks for more.
USER_DEFAULTS = (
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
)


def error_response(error: ServiceError, request_id: str) -> JSONResponse:
    """The error with the `innerError` that Graph adds."""
    inner = {
        "date": clock.now().strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": str(uuid.uuid4()),
        "client-request-id": request_id,
    }
    body = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
    return JSONResponse(body, error.status, headers=error.headers)


def bad_request(message: str) -> AzureError:
    """A refusal with 400 Request_BadRequest."""
    return AzureError(400, "Request_BadRequest", message)


def not_found(name: str) -> AzureError:
    """The refusal of an object that does not exist, 404, in Graph's words."""
    return AzureError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{name}' does not exist or one of its queried reference-property objects are not present.",
    )


def check_options(options: Mapping[str, str]) -> None:
    """Refuses query options that the sandbox does not emulate, rather than ignore them.

    Raises:
        AzureError: 400.
    """
    for name in options:
        if name.startswith("$") and name not in UNDERSTOOD:
            text = f"The query option '{name}' is not emulated by the sandbox: {', '.join(sorted(UNDERSTOOD))} are."
            raise AzureError(400, "Request_UnsupportedQuery", text)


def shown(entity: Document, options: Mapping[str, str]) -> Document:
    """An entity as a GET shows it: selected fields, no relations, nothing hidden."""
    chosen = options.get("$select")
    if chosen:
        wanted: Iterable[str] = [name.strip() for name in chosen.split(",") if name.strip()]
        return {name: _open(entity.get(name)) for name in wanted if not name.startswith("_")}
    if "userPrincipalName" in entity:
        return {name: entity.get(name) for name in USER_DEFAULTS}
    return {name: _open(value) for name, value in entity.items() if name not in RELATIONS and not name.startswith("_")}


def _open(value: Any) -> Any:
    """The value without fields that begin with `_`."""
    if isinstance(value, dict):
        return {name: _open(part) for name, part in value.items() if not name.startswith("_")}
    return [_open(part) for part in value] if isinstance(value, list) else value


def single(name: str, entity: Document, options: Mapping[str, str]) -> Document:
    """The answer for a single entity of a set, such as `users`."""
    return {"@odata.context": f"{BASE}/$metadata#{name}/$entity", **shown(entity, options)}


def page(name: str, path: str, entities: Iterable[Document], options: Mapping[str, str]) -> Document:
    """The answer for a collection: filtered, and one page of it.

    Args:
        name: The set, for the context.
        path: The path below the version, for the next page's address.
        entities: All entities; typed ones have `@odata.type`.
        options: The query's options.

    Raises:
        AzureError: 400, for an option that is wrong.
    """
    check_options(options)
    terms = _terms(options.get("$filter", ""))
    matching = [entity for entity in entities if all(_holds(entity, term) for term in terms)]
    size, at = _number(options, "$top", PAGE, LARGEST_PAGE), _number(options, "$skiptoken", 0, len(matching))
    answer: Document = {"@odata.context": f"{BASE}/$metadata#{name}"}
    if options.get("$count") == "true":
        answer["@odata.count"] = len(matching)
    if at + size < len(matching) and "$top" not in options:
        answer["@odata.nextLink"] = f"{BASE}{path}?{urlencode({**options, '$skiptoken': at + size})}"
    types = [{part: entity[part] for part in ("@odata.type",) if part in entity} for entity in matching]
    values = [{**kind, **shown(entity, options)} for kind, entity in zip(types, matching, strict=True)]
    return {**answer, "value": values[at : at + size]}


def _number(options: Mapping[str, str], name: str, default: int, largest: int) -> int:
    text = options.get(name)
    if text is None:
        return default
    if not text.isdigit() or int(text) > largest:
        raise AzureError(400, "BadRequest", f"Invalid value '{text}' of {name}: it must be 1 to {largest}.")
    return int(text)


def _terms(text: str) -> list[Term]:
    """The terms of a filter.

    Raises:
        AzureError: 400: it is not understood.
    """
    try:
        terms = parse_filter(text)
    except FilterError as error:
        raise AzureError(400, "BadRequest", f"Invalid filter clause: {error}.") from error
    for term in terms:
        if not term.field:
            raise AzureError(400, "BadRequest", f"Invalid filter clause: unknown function '{term.operator}'.")
    return terms


def _holds(entity: Document, term: Term) -> bool:
    value: Any = entity
    for part in term.field.split("/"):
        value = value.get(part) if isinstance(value, dict) else None
    return term.holds(value)
