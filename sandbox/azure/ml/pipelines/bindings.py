"""Bindings: `${{parent.inputs.x}}` and `${{parent.jobs.step.outputs.y}}` in the fields of a pipeline's nodes.

Source: learn.microsoft.com/azure/machine-learning/reference-yaml-core-syntax; names of grouped inputs have dots.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.azure.arm.core import Body

EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_INPUT = re.compile(r"parent\.inputs\.(?P<name>[A-Za-z_][\w.]*)")
_STEP = re.compile(r"parent\.jobs\.(?P<step>[\w-]+)\.outputs\.(?P<name>\w+)")
_OUTPUT = re.compile(r"parent\.outputs\.(?P<name>\w+)")


@dataclass(frozen=True)
class Binding:
    """What an expression refers to.

    Attributes:
        name: An input of the parent, or an output of a step of it.
        step: The step; empty for an input of the parent.
    """

    name: str
    step: str = ""


Look = Callable[[Binding], Body | None]
"""Gives a binding's value as a job's input: a literal, or data with its uri; None for one that is not given."""


class BindingError(Exception):
    """A binding that has no value; the message says which."""


def parse(expression: str) -> Binding | None:
    """What stands between the braces; None for what is no binding of the parent, as `name` in an output's path."""
    found = _INPUT.fullmatch(expression)
    if found is not None:
        return Binding(found["name"])
    found = _STEP.fullmatch(expression)
    return None if found is None else Binding(found["name"], found["step"])


def bindings(value: Any) -> Iterator[Binding]:
    """All bindings in a field, however deep."""
    if isinstance(value, dict):
        for one in value.values():
            yield from bindings(one)
    elif isinstance(value, list):
        for one in value:
            yield from bindings(one)
    elif isinstance(value, str):
        yield from (found for text in EXPRESSION.findall(value) if (found := parse(text)) is not None)


def whole(text: Any) -> Binding | None:
    """The binding that a text consists of; None where there is more to it, or nothing."""
    found = EXPRESSION.fullmatch(text.strip()) if isinstance(text, str) else None
    return parse(found[1]) if found else None


def parent_output(text: Any) -> str:
    """The parent's output that an output is bound to; empty for none."""
    found = EXPRESSION.fullmatch(text.strip()) if isinstance(text, str) else None
    bound = _OUTPUT.fullmatch(found[1]) if found else None
    return bound["name"] if bound else ""


def filled(value: Any, look: Look) -> Any:
    """A field with values in place of bindings; a dictionary's entries without a value go.

    Raises:
        BindingError: A text is made of a binding that has no value.
    """
    if isinstance(value, dict):
        return {name: filled(one, look) for name, one in value.items() if (known := whole(one)) is None or look(known)}
    if isinstance(value, list):
        return [filled(one, look) for one in value]
    if not isinstance(value, str):
        return value

    def text(match: re.Match[str]) -> str:
        known = parse(match[1])
        if known is None:
            return match[0]
        found = look(known)
        if found is None:
            raise BindingError(f"'{match[0]}' has no value.")
        return text_of(found)

    return EXPRESSION.sub(text, value)


def text_of(value: Body) -> str:
    """A literal's value, or data's uri."""
    return str(value["value"] if value.get("jobInputType") == "literal" else value["uri"])
