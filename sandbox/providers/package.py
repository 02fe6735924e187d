"""The stand-ins' package schemas, which Pulumi asks a plugin for to write code for what it imports (`GetSchema`).

They hold the emulated types, and of each the inputs and outputs that the SDK has (`schema.json`).
"""

import json
from functools import cache
from typing import Any

from sandbox.providers.resources import raw_schema

_SIMPLE = {"string", "boolean", "integer", "number"}
_ANY = {"$ref": "pulumi.json#/Any"}


@cache
def package_schema(name: str, version: str) -> str:
    """The schema of `azure-native` or `azuread`, as JSON."""
    schema = raw_schema()
    types: dict[str, Any] = {}
    resources = schema["resources"] if name == "azure-native" else schema["directory"]
    if name == "azure-native":
        types = {
            _token(object_name): {"type": "object", **_properties(shape["properties"])}
            for object_name, shape in schema["objects"].items()
        }
    document = {
        "name": name,
        "version": version,
        "meta": {"moduleFormat": "(.*)(?:/[^/]*)" if name == "azuread" else "(.*)"},
        "language": {"python": {}},
        "types": types,
        "resources": {token: _resource(shape) for token, shape in resources.items()},
    }
    return json.dumps(document)


def _resource(shape: dict[str, Any]) -> dict[str, Any]:
    return {
        **_properties(shape["outputs"]),
        "inputProperties": _properties(shape["inputs"])["properties"],
        "requiredInputs": shape["required"],
    }


def _properties(types: dict[str, str]) -> dict[str, Any]:
    return {"properties": {name: _type(type_) for name, type_ in types.items() if name not in {"id", "urn"}}}


def _type(type_: str) -> dict[str, Any]:
    if type_.startswith("[]"):
        return {"type": "array", "items": _type(type_[2:])}
    if type_.startswith("{}"):
        return {"type": "object", "additionalProperties": _type(type_[2:])}
    if type_ in _SIMPLE:
        return {"type": type_}
    members = [{"$ref": f"#/types/{_token(name)}"} for name in type_.split("|") if name[0].isupper()]
    if not members:
        return _ANY
    return members[0] if len(members) == 1 else {"oneOf": members}


def _token(object_name: str) -> str:
    """The token of an object such as `Storage.NetworkRuleSet`."""
    module, _, name = object_name.partition(".")
    return f"azure-native:{module[0].lower()}{module[1:]}:{name}"
