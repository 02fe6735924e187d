"""Which resource of the program an input leads to."""

from collections.abc import Iterator

from policies.azuretypes import key_of, keys_of, name_of
from policies.model import Outcome, Problem, Undecided
from policies.resources import Graph, Resource
from policies.values import UnknownValueError, known


def target(resource: Resource, path: str, graph: Graph, *kinds: str) -> Resource | None:
    """The resource whose id an input has.

    Args:
        resource: The resource with the input.
        path: The input; where it is nested, the program's outputs tell only of its first part.
        graph: The stack.
        kinds: Types that it may be.

    Returns:
        None where there is no such input, or it leads out of the program.

    Raises:
        UnknownValueError: If the id is not known, and does not come from just one resource of these types.
    """
    source = graph.source(resource, path.partition(".")[0], *kinds)
    try:
        wanted = resource.get(path)
    except UnknownValueError:
        if source:
            return source
        raise
    if not isinstance(wanted, str):
        return None
    places = graph.cached("places", kinds, lambda: {key_of(one): one for one in reversed(graph.of(*kinds))})
    return next((places[key] for key in keys_of(wanted) if key in places), source)


def named(resource: Resource, key: str, graph: Graph, kind: str) -> Resource | None:
    """The resource of a type whose name an input has, such as the workspace of a compute.

    Args:
        resource: The resource with the input.
        key: The input, which is not nested.
        graph: The stack.
        kind: The type.

    Returns:
        None where it is not among the program's resources.

    Raises:
        UnknownValueError: If the name is not known, and does not come from just one resource of this type.
    """
    source = graph.source(resource, key, kind)
    try:
        name = resource.get(key)
    except UnknownValueError:
        if source:
            return source
        raise
    names = graph.cached("names", (kind,), lambda: _names(graph, kind))
    return (names.get(name.casefold()) if isinstance(name, str) else None) or source


def _names(graph: Graph, kind: str) -> dict[str, Resource]:
    """The resources of a type by name, of two with one name the first."""
    found = ((name_of(one), one) for one in reversed(graph.of(kind)))
    return {name.casefold(): one for name, one in found if name}


def leading_to(graph: Graph, kind: str, key: str, wanted: Resource) -> Iterator[Resource]:
    """The resources of a type, such as private endpoints, of which an input leads to a resource.

    Args:
        graph: The stack.
        kind: The type.
        key: The input.
        wanted: Where it must lead.
    """
    by_source, by_key = graph.cached(f"leads by {key}", (kind,), lambda: _leads(graph, kind, key))
    place = key_of(wanted)
    yield from dict.fromkeys([*by_source.get(wanted.urn, ()), *(by_key.get(place, ()) if place else ())])


def _leads(graph: Graph, kind: str, key: str) -> tuple[dict[str, list[Resource]], dict[str, list[Resource]]]:
    """The resources of a type by the URNs that an input comes from, and by the ids that it names."""
    by_source: dict[str, list[Resource]] = {}
    by_key: dict[str, list[Resource]] = {}
    for one in graph.of(kind):
        for urn in one.property_dependencies.get(key, ()):
            by_source.setdefault(urn, []).append(one)
        for text in _texts(one.inputs.get(key)):
            for place in keys_of(text):
                by_key.setdefault(place, []).append(one)
    return by_source, by_key


def open_lead(graph: Graph, kind: str, *keys: str) -> UnknownValueError | None:
    """An unknown input of a resource of this type, which may lead to any resource; None if all inputs are known.

    Args:
        graph: The stack.
        kind: The type.
        keys: The inputs. The value of one that comes from other resources of the program leads to these alone.
    """
    for one in graph.of(kind):
        for key in keys:
            try:
                if not one.property_dependencies.get(key):
                    known(one.inputs.get(key), key)
            except UnknownValueError as error:
                return error
    return None


def missing(graph: Graph, problem: Problem) -> Outcome:
    """That something is not there: a problem, if all that is there is known."""
    if graph.missing:
        yield Undecided(problem.path, graph.missing, problem.resource)
    else:
        yield problem


def undecided(found: list[UnknownValueError], what: str) -> Outcome:
    """That something is not known of several resources, told once."""
    if found:
        paths = ", ".join(dict.fromkeys(f".{error.path}" for error in found))
        yield Undecided(found[0].path, f"{what} of {len(found)} resources can't be known during preview ({paths})")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
