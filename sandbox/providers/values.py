"""Property values as plain Python: what a protobuf Struct holds, with secrets and unknowns in their wire form.

A secret is a dict with Pulumi's signature; an unknown is its marker string. Whole numbers come out as int, as they
belong in a JSON body. Providers here never get outputs or resource references, since they do not ask for them.
"""

from typing import Any, Final

from google.protobuf import struct_pb2

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (a public marker, not a secret)

Properties = dict[str, Any]


def from_struct(struct: struct_pb2.Struct) -> Properties:
    """A Struct's fields; nulls inside are kept."""
    return {key: _from_value(value) for key, value in struct.fields.items()}


def _from_value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        return from_struct(value.struct_value)
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "list_value":
        return [_from_value(item) for item in value.list_value.values]
    return None


def to_struct(properties: Properties) -> struct_pb2.Struct:
    """The Struct with these fields."""
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        _set(struct.fields[key], value)
    return struct


def _set(target: struct_pb2.Value, value: Any) -> None:
    if isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, (int, float)):
        target.number_value = value
    elif isinstance(value, dict):
        target.struct_value.SetInParent()  # an empty object is not a null
        for key, item in value.items():
            _set(target.struct_value.fields[key], item)
    elif isinstance(value, (list, tuple)):
        target.list_value.SetInParent()
        for item in value:
            _set(target.list_value.values.add(), item)
    else:
        target.null_value = struct_pb2.NULL_VALUE


def is_secret(value: Any) -> bool:
    """Whether this very value is marked secret (something inside it may be all the same)."""
    return isinstance(value, dict) and value.get(_SIGNATURE) == _SECRET


def secret(value: Any) -> Properties:
    """The value, marked secret."""
    return {_SIGNATURE: _SECRET, "value": value}


def plain(value: Any) -> Any:
    """The value without secret marks and without null properties."""
    if is_secret(value):
        return plain(value["value"])
    if isinstance(value, dict):
        return {key: cleaned for key, item in value.items() if (cleaned := plain(item)) is not None}
    return [plain(item) for item in value] if isinstance(value, list) else value


def without_nulls(value: Any) -> Any:
    """The value without null properties, secret marks kept."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def unmarked(properties: Properties) -> Properties:
    """`plain`, for the properties of a resource."""
    return {key: cleaned for key, item in properties.items() if (cleaned := plain(item)) is not None}


def marked_like(value: Any, model: Any) -> Any:
    """The value, secret wherever the model is: how a secret input stays one in the outputs of the same name."""
    if is_secret(model):
        return value if is_secret(value) else secret(value)
    if isinstance(value, dict) and isinstance(model, dict) and not is_secret(value):
        return {key: marked_like(item, model.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(model, list) and len(value) == len(model):
        return [marked_like(item, other) for item, other in zip(value, model, strict=True)]
    return value


def has_unknowns(value: Any) -> bool:
    """Whether anything in the value is not known yet."""
    if isinstance(value, dict):
        return any(has_unknowns(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknowns(item) for item in value)
    return bool(value == UNKNOWN)


def same(value: Any, other: Any) -> bool:
    """Deep equality that tells true from 1, which Python's own does not."""
    if isinstance(value, dict) and isinstance(other, dict):
        return value.keys() == other.keys() and all(same(value[key], other[key]) for key in value)
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(same(a, b) for a, b in zip(value, other, strict=True))
    return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)
