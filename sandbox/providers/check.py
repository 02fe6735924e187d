"""Check: what azure-native fills into inputs, and the failures it reports before anything is sent.

Enumerations are not checked, nor anything inside a union (Compute, Datastore): the service decides those.
"""

import hashlib
import re
import uuid
from collections.abc import Callable
from typing import Any

from pulumi.runtime.proto import provider_pb2 as proto

from sandbox.providers.diff import CREATE_FIRST
from sandbox.providers.resources import GROUP_NAME, Described, Limits, Shape, shape
from sandbox.providers.values import UNKNOWN, Properties

_Autonaming = proto.CheckRequest.AutonamingOptions


def filled(
    described: Described, request: proto.CheckRequest, old: Properties, new: Properties, location: Callable[[], Any]
) -> Properties:
    """The defaults to add to new inputs: name, location, API version.

    Args:
        described: The type.
        request: For the resource's name, the engine's seed and its wishes for automatic names.
        old: Plain inputs in the state; their name and location are kept.
        new: Plain inputs of the program.
        location: The default location where neither says one; None if there is none.
    """
    added: Properties = {}
    if described.type.named_by not in new:
        added.update(_name(described, request, old))
    if "location" not in new and "location" in described.body.parts:
        where = old.get("location") or location()
        added.update({} if where is None else {"location": where})
    if "azureApiVersion" not in new:
        added["azureApiVersion"] = described.version
    return added


def _name(described: Described, request: proto.CheckRequest, old: Properties) -> Properties:
    key, naming = described.type.named_by, described.type.naming
    if key in old:
        return {key: old[key], **({CREATE_FIRST: True} if old.get(CREATE_FIRST) is True else {})}
    wish = request.autonaming if request.HasField("autonaming") else None
    if wish is not None and wish.mode == _Autonaming.DISABLE:
        return {}
    if wish is not None and (wish.mode == _Autonaming.ENFORCE or naming != "uuid"):
        return {key: wish.proposed_name, CREATE_FIRST: True}
    name = request.urn.rsplit("::", 1)[-1]
    if naming == "copy":
        return {key: name}
    digits = hashlib.sha256(request.randomSeed + request.urn.encode()).hexdigest()
    made = str(uuid.UUID(digits[:32])) if naming == "uuid" else name + digits[:8]
    return {key: made, CREATE_FIRST: True}


def failures(described: Described, inputs: Properties) -> list[str]:
    """The problems of plain inputs, in azure-native's words."""
    path = {name: described.type.limits.get(name) for name in described.type.path_inputs}
    problems: list[str] = []
    for name, limits in path.items():
        if name not in inputs:
            problems.append(f"missing required property '{name}'")
        else:
            problems += _value(name, "string", inputs[name], GROUP_NAME if name == "resourceGroupName" else limits)
    required = [name for name in described.required if name not in path]
    return problems + _object("", Shape(described.body.parts, tuple(required)), inputs)


def _object(context: str, form: Shape, values: Properties) -> list[str]:
    problems = [_missing(_inside(context, name)) for name in form.required if name not in values]
    for name, part in sorted(form.parts.items()):
        if name in values:
            problems += _value(_inside(context, name), part.type, values[name], part.limits)
    return problems


def _inside(context: str, name: str) -> str:
    return f"{context}.{name}" if context else name


def _missing(name: str) -> str:
    hint = ". Either set it explicitly or configure it with 'pulumi config set azure-native:location <value>'."
    return f"missing required property '{name}'" + (hint if name == "location" else "")


def _value(name: str, kind: str, value: Any, limits: Limits | None) -> list[str]:
    if value == UNKNOWN or kind == "any" or "|" in kind:
        return []
    if isinstance(value, dict):
        return _object(name, shape(kind), value) if kind[0].isupper() else []
    if isinstance(value, list) and kind.startswith("[]"):
        return [problem for i, item in enumerate(value) for problem in _value(f"{name}[{i}]", kind[2:], item, None)]
    return _scalar(name, _schema_type(kind), value, limits or Limits())


def _scalar(name: str, expected: str, value: Any, limits: Limits) -> list[str]:
    """Booleans pass as anything, as azure-native lets them."""
    if isinstance(value, bool):
        return []
    if isinstance(value, str) and expected == "string":
        return _text(name, value, limits)
    if isinstance(value, (int, float)) and expected in ("integer", "number"):
        return _number(name, expected, value, limits)
    given = "an array" if isinstance(value, list) else "a string" if isinstance(value, str) else "a number"
    return [f"'{name}' should be of type '{expected}' but got {given}"]


def _schema_type(kind: str) -> str:
    if kind.startswith("[]"):
        return "array"
    return "object" if kind.startswith("{}") or kind[0].isupper() else kind


def _text(name: str, value: str, limits: Limits) -> list[str]:
    length, problems = len(value.encode()), []
    if limits.shortest is not None and length < limits.shortest:
        problems.append(f"'{name}' is too short ({length}): at least {limits.shortest} characters required")
    if limits.longest is not None and length > limits.longest:
        problems.append(f"'{name}' is too long ({length}): at most {limits.longest} characters allowed")
    if limits.pattern is not None and not re.search(limits.pattern, value):
        problems.append(f"'{name}' does not match expression '{limits.pattern}'")
    return problems


def _number(name: str, expected: str, value: float, limits: Limits) -> list[str]:
    problems = []
    if expected == "integer" and not float(value).is_integer():
        problems.append(f"'{name}' must be an integer but got {value:f}")
    if limits.lowest is not None and value < limits.lowest:
        problems.append(f"'{name}' is too low ({value:f} < {limits.lowest:f})")
    if limits.highest is not None and value > limits.highest:
        problems.append(f"'{name}' is too high ({value:f} > {limits.highest:f})")
    return problems
