"""Reads what the installed pulumi_azure_native and pulumi_azuread say of the emulated types into `schema.json`.

The providers themselves must not import these packages: their modules take seconds and a hundred megabytes. So inputs,
outputs, required properties, defaults and API versions are read once for each release and kept beside this module.
Run `python -m sandbox.providers.sdk` after upgrading one of them; a test notices when it was forgotten.
"""

import ast
import collections.abc
import enum
import importlib
import inspect
import json
import re
import sys
import typing
from pathlib import Path
from typing import Any

import pulumi
from pulumi import _types

from sandbox.providers import directory, resources

TARGET = Path(__file__).with_name("schema.json")
_SIMPLE = {str: "string", bool: "boolean", int: "integer", float: "number"}


def read() -> dict[str, Any]:
    """The schema of every type in `resources.RESOURCES` and `directory.KINDS`, as `schema.json` has it."""
    reader = _Reader()
    described = {token: reader.resource(token) for token in sorted(resources.RESOURCES)}
    return {
        "resources": described,
        "objects": dict(sorted(reader.objects.items())),
        "directory": {token: _directory_type(token) for token in sorted(directory.KINDS)},
    }


def _directory_type(token: str) -> dict[str, Any]:
    """A type of azuread: inputs and outputs, whose objects count as `any`."""
    name = token.split(":")[2]
    package = importlib.import_module("pulumi_azuread")
    resource, arguments = getattr(package, name), getattr(package, f"{name}Args")
    return {
        "inputs": {key: _plain_type(kind) for key, kind in sorted(_types.input_type_types(arguments).items())},
        "required": _required(arguments),
        "outputs": {key: _plain_type(kind) for key, kind in sorted(_types.resource_types(resource).items())},
    }


def _plain_type(kind: Any) -> str:
    (member,) = _members(kind)
    origin = typing.get_origin(member)
    if origin is collections.abc.Sequence:
        return "[]" + _plain_type(typing.get_args(member)[0])
    if origin is collections.abc.Mapping:
        return "{}" + _plain_type(typing.get_args(member)[1])
    return _SIMPLE.get(member, "any")


class _Reader:
    """Walks from the resources' classes to the types of their properties."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}

    def resource(self, token: str) -> dict[str, Any]:
        _, module_name, name = token.split(":")
        # Not by its own module: imported before its lazily loaded package, that one lacks it for good.
        resource = getattr(importlib.import_module(f"pulumi_azure_native.{module_name}"), name)
        module = importlib.import_module(resource.__module__)
        arguments = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
        version = re.search(r"Uses Azure REST API version ([\w-]+)\.", inspect.getsource(module))
        if version is None:
            raise ValueError(f"{token}: its documentation names no API version")
        inputs = self._properties(_types.input_type_types(arguments), module_name)
        return {
            "version": version[1],
            "inputs": inputs,
            "required": _required(arguments),
            "defaults": _defaults(arguments),
            "outputs": self._answers(_types.resource_types(resource), inputs, module_name),
        }

    def _properties(self, types: dict[str, Any], module: str) -> dict[str, str]:
        return {name: self._type(kind, module) for name, kind in sorted(types.items())}

    def _answers(self, types: dict[str, Any], inputs: dict[str, str], module: str) -> dict[str, str]:
        """Output properties. The SDK types a union as Any there; its members are then the inputs' counterparts."""
        answers = self._properties(types, module)
        return {
            name: self._counterpart(inputs[name], module) if type_ == "any" and name in inputs else type_
            for name, type_ in answers.items()
        }

    def _counterpart(self, type_: str, module: str) -> str:
        outputs = importlib.import_module(f"pulumi_azure_native.{module}.outputs")
        members = [part.split(".")[1] + "Response" for part in type_.split("|") if part[0].isupper()]
        objects = [self._object(getattr(outputs, member), module) for member in members if hasattr(outputs, member)]
        return "|".join(sorted(objects)) or "any"

    def _type(self, kind: Any, module: str) -> str:
        parts = sorted({self._one(part, module) for part in _members(kind)})
        return parts[0] if len(parts) == 1 else "|".join(p for p in parts if p[0].isupper()) or "any"

    def _one(self, kind: Any, module: str) -> str:
        origin = typing.get_origin(kind)
        if origin is collections.abc.Sequence:
            return "[]" + self._type(typing.get_args(kind)[0], module)
        if origin is collections.abc.Mapping:
            return "{}" + self._type(typing.get_args(kind)[1], module)
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return "string"
        if _types.is_input_type(kind) or _types.is_output_type(kind):
            return self._object(kind, module)
        return _SIMPLE.get(kind, "any")

    def _object(self, kind: type, module: str) -> str:
        name = f"{module[0].upper()}{module[1:]}.{kind.__name__.removesuffix('Args')}"
        if name not in self.objects:
            self.objects[name] = {}  # types refer to themselves
            given = _types.is_input_type(kind)
            inputs = self.objects.get(name.removesuffix("Response"), {}).get("properties", {})
            self.objects[name] = {
                "properties": self._properties(_types.input_type_types(kind), module)
                if given
                else self._answers(_types.output_type_types(kind), inputs, module),
                "required": _required(kind) if given else [],
                "constants": _constants(kind),
            }
        return name


def _members(kind: Any) -> list[Any]:
    """The types that a union names, without what every input may be as well."""
    if typing.get_origin(kind) is not typing.Union:
        return [kind]
    waiting = (collections.abc.Awaitable, pulumi.Output)
    return [part for part in typing.get_args(kind) if part is not type(None) and typing.get_origin(part) not in waiting]


def _names(kind: type) -> dict[str, str]:
    return dict(_types.input_type_py_to_pulumi_names(kind))


def _required(kind: type) -> list[str]:
    parameters = inspect.signature(kind.__init__).parameters  # type: ignore[misc]
    names = _names(kind)
    return sorted(names[n] for n, p in parameters.items() if n in names and p.default is inspect.Parameter.empty)


def _defaults(kind: type) -> dict[str, Any]:
    source = inspect.getsource(kind.__init__)  # type: ignore[misc]
    assignments = re.findall(r"if (\w+) is None:\n +\1 = (.+)\n", source)
    return {_names(kind)[name]: ast.literal_eval(value) for name, value in assignments}


def _constants(kind: type) -> dict[str, str]:
    """The discriminators: properties that have one allowed value."""
    source = inspect.getsource(kind.__init__)  # type: ignore[misc]
    constants = re.findall(r'pulumi\.set\(__self__, "(\w+)", \'(.+)\'\)', source)
    names = _types._py_to_pulumi_names_from_py_properties(kind)
    return {names[name]: value for name, value in constants}


def written(schema: dict[str, Any]) -> str:
    """The file's text: a line for every type, so that a new release shows as a readable change."""

    def line(name: str, shape: dict[str, Any]) -> str:
        return f'"{name}":{json.dumps(shape, separators=(",", ":"))}'

    parts = [
        f'"{part}":{{\n' + ",\n".join(line(name, form) for name, form in types.items())
        for part, types in schema.items()
    ]
    return "{\n" + "\n},\n".join(parts) + "\n}\n}\n"


if __name__ == "__main__":
    TARGET.write_text(written(read()))
    sys.stdout.write(f"{TARGET.name}: {TARGET.stat().st_size // 1024} KB\n")
