"""Which resource of the program an input leads to."""

from collections.abc import Iterator

from policies.azuretypes import is_named
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
        UnknownValueError: If the id is not known, and the program's outputs do not tell it either.
    """
    if found := graph.sources(resource, path.partition(".")[0], *kinds):
        return found[0]
    wanted = resource.get(path)
    if not isinstance(wanted, str):
        return None
    return next((one for one in graph.of(*kinds) if is_named(one, wanted)), None)


def leading_to(graph: Graph, kind: str, key: str, wanted: Resource) -> Iterator[Resource]:
    """The resources of a type, such as private endpoints, of which an input leads to a resource.

    Args:
        graph: The stack.
        kind: The type.
        key: The input.
        wanted: Where it must lead.
    """
    for one in graph.of(kind):
        if wanted.urn in one.property_dependencies.get(key, ()):
            yield one
            continue
        value = one.inputs.get(key)
        if any(isinstance(text, str) and is_named(wanted, text) for text in _texts(value)):
            yield one


def open_lead(graph: Graph, kind: str, *keys: str) -> UnknownValueError | None:
    """What is not known of a resource of a type, and may lead to any other; None if there is no such value.

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
