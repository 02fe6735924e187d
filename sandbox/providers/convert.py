"""From the SDK's properties to the resource manager's JSON and back, as azure-native converts them.

Inputs become a request body, a response becomes outputs, outputs become the inputs that they show, and a preview gets
the outputs that are certain beforehand. Each walks an object's `Shape`; what a shape does not name is left out.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from sandbox.providers.resources import Described, Part, Shape, shape
from sandbox.providers.values import UNKNOWN, Properties, same

_IDENTITIES = "userAssignedIdentities"  # a list of ids in the SDK, an object with those keys on the wire
_Object = Callable[[Shape, Properties], Properties | None]


def resource_id(described: Described, inputs: Properties, subscription: str) -> str:
    """The id that these inputs make. A scope is a path of its own and keeps its slashes."""
    parts = {"subscriptionId": subscription}
    for name in described.type.path_inputs:
        value = str(inputs.get(name, ""))
        parts[name] = value.strip("/") if name in ("scope", "resourceUri") else quote(value, safe="$&+=:@~")
    return described.type.path.format(**parts)


def path_values(described: Described, identifier: str) -> dict[str, str]:
    """The inputs that an id shows: the reverse of `resource_id`.

    Raises:
        ValueError: The id is not one of this type.
    """
    template, given = described.type.path.strip("/").split("/"), identifier.strip("/").split("/")
    extra = len(given) - len(template)  # a scope stands for several segments
    if template[0] in ("{scope}", "{resourceUri}"):
        given = ["/" + "/".join(given[: extra + 1]), *given[extra + 1 :]]
    if len(given) != len(template) or any(
        not want.startswith("{") and want.lower() != have.lower() for want, have in zip(template, given, strict=False)
    ):
        raise ValueError(f"'{identifier}' is no id of {described.token}: {described.type.path} is its form.")
    parameters = {want[1:-1]: have for want, have in zip(template, given, strict=True) if want.startswith("{")}
    return {name: parameters[name] for name in described.type.path_inputs}


def request_body(described: Described, inputs: Properties, previous: Properties | None = None) -> Properties:
    """The body of the PUT.

    Args:
        described: The type.
        inputs: Plain inputs.
        previous: The inputs before, for an update. An identity that was taken out of a list is sent as null.
    """
    body = _to_wire(described.body, inputs, previous or {})
    return body or {}


def _to_wire(form: Shape, values: Properties, previous: Any) -> Properties | None:
    if _mismatch(form, values):
        return None
    before = previous if isinstance(previous, dict) else {}
    body: Properties = {}
    for name, part in form.parts.items():
        if name in values:
            target = body
            for container in part.containers:
                target = target.setdefault(container, {})
            target[part.wire] = _wire_value(name, part.type, values[name], before.get(name))
    return body


def _wire_value(name: str, kind: str, value: Any, previous: Any) -> Any:
    if name == _IDENTITIES and kind == "[]string" and isinstance(value, list):
        gone = [member for member in previous if member not in value] if isinstance(previous, list) else []
        return {**dict.fromkeys(gone), **{member: {} for member in value}}
    return _walk(kind, value, lambda form, values: _to_wire(form, values, previous))


def outputs(described: Described, response: Properties) -> Properties:
    """The outputs that a response shows, with the API version that azure-native adds."""
    return {**(_from_wire(described.outputs, response) or {}), "azureApiVersion": described.version}


def _from_wire(form: Shape, response: Properties) -> Properties | None:
    properties: Properties = {}
    for name, part in form.parts.items():
        source = response
        for container in part.containers:
            inner = source.get(container)
            source = inner if isinstance(inner, dict) else {}
        value = source.get(part.wire)
        if value is None:
            continue
        if name in form.constants and value != form.constants[name]:
            return None
        properties[name] = _sdk_value(name, part.type, value, _from_wire)
    return properties


def _sdk_value(name: str, kind: str, value: Any, convert: _Object) -> Any:
    if name == _IDENTITIES and kind == "[]string" and isinstance(value, dict):
        return sorted(value)
    return _walk(kind, value, convert)


def imported_inputs(described: Described, identifier: str, response: Properties) -> Properties:
    """The inputs with which a resource that already exists would have been made, without empty collections."""
    inputs = _from_wire(described.body, response) or {}
    body = {name: value for name, raw in inputs.items() if name != "id" and (value := _filled(raw)) is not None}
    return {**path_values(described, identifier), **body}


def _filled(value: Any) -> Any:
    """The value without empty objects and lists; None for one of these."""
    if isinstance(value, dict):
        return {key: item for key, raw in value.items() if (item := _filled(raw)) is not None} or None
    if isinstance(value, list):
        return [item for raw in value if (item := _filled(raw)) is not None] or None
    return value


def shown_inputs(described: Described, properties: Properties) -> Properties:
    """The body inputs that outputs show: what the service alone may set is left out."""
    return _shown(described.body, properties) or {}


def _shown(form: Shape, properties: Properties) -> Properties | None:
    if _mismatch(form, properties):
        return None
    return {
        name: _sdk_value(name, part.type, properties[name], _shown)
        for name, part in form.parts.items()
        if name in properties
    }


def preview(form: Shape, inputs: Properties) -> Properties:
    """The outputs that are sure before the service has answered; everything else is unknown."""
    return {name: _foreseen(part, inputs.get(name, UNKNOWN), form, name) for name, part in form.parts.items()}


def _foreseen(part: Part, value: Any, form: Shape, name: str) -> Any:
    if name in form.constants:
        return form.constants[name]
    return _foreseen_value(part.type, value)


def _foreseen_value(kind: str, value: Any) -> Any:
    if kind.startswith("[]"):
        return [_foreseen_value(kind[2:], item) for item in value] if isinstance(value, list) else UNKNOWN
    if isinstance(value, list):
        return value if kind == "any" else UNKNOWN
    if isinstance(value, dict):
        if kind.startswith("{}"):
            return {key: _foreseen_value(kind[2:], item) for key, item in value.items()}
        if kind[0].isupper() and "|" not in kind:
            return preview(shape(kind), value)
        return value if kind == "any" or "|" in kind else UNKNOWN
    return value


def _walk(kind: str, value: Any, convert: _Object) -> Any:
    """Converts the objects in a value of this type; a union's member is the first that accepts the object."""
    if isinstance(value, dict):
        if kind.startswith("{}"):
            return {key: _walk(kind[2:], item, convert) for key, item in value.items()}
        for name in kind.split("|") if kind[0].isupper() else []:
            converted = convert(shape(name), value)
            if converted is not None or "|" not in kind:
                return converted
        return value
    if isinstance(value, list) and kind.startswith("[]"):
        return [_walk(kind[2:], item, convert) for item in value]
    return value


def _mismatch(form: Shape, values: Properties) -> bool:
    return any(name in values and values[name] != constant for name, constant in form.constants.items())


def refreshed(inputs: Properties, before: Any, after: Any) -> Properties:
    """The inputs after a refresh: changed only where what the outputs show has changed since the last read.

    Args:
        inputs: The inputs in the state.
        before: What the outputs in the state show.
        after: What the outputs read now show.
    """
    remaining = {name: value for name, value in inputs.items() if name not in before or name in after}
    for name, value in after.items():
        if name not in before:
            remaining[name] = value
        elif not same(before[name], value):
            remaining[name] = _merged(inputs[name], before[name], value) if name in inputs else value
    return remaining


def _merged(base: Any, before: Any, after: Any) -> Any:
    if isinstance(base, dict) and isinstance(before, dict) and isinstance(after, dict):
        return refreshed(base, before, after)
    if isinstance(base, list) and isinstance(before, list) and isinstance(after, list):
        known = min(len(base), len(before))
        return [
            _merged(base[index], before[index], item) if index < known else item for index, item in enumerate(after)
        ]
    return after


def get_path(values: Any, path: list[str]) -> Any:
    """The value at a path of object keys; None where there is none."""
    for key in path:
        if not isinstance(values, dict) or key not in values:
            return None
        values = values[key]
    return values


def wire_path(described: Described, path: str) -> list[str]:
    """The body's path of an SDK path such as `subnets` or `properties.accessPolicies`."""
    first, *rest = path.split(".")
    part = described.body.parts[first]
    return [*part.containers, part.wire, *rest]


def set_path(values: Properties, path: list[str], value: Any) -> None:
    """Sets the value at a path of object keys, making the objects on the way."""
    for key in path[:-1]:
        values = values.setdefault(key, {})
    values[path[-1]] = value


def without_path(values: Properties, path: list[str]) -> Properties:
    """A copy without the value at a path."""
    first, *rest = path
    if first not in values or (rest and not isinstance(values[first], dict)):
        return values
    if rest:
        return {**values, first: without_path(values[first], rest)}
    return {key: value for key, value in values.items() if key != first}
