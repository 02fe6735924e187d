"""What breaks those who read a department's outputs: one schema against an earlier one, and outputs against both."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema

from contract import CONTRACT
from tests.program.harness import ROOT

Schema = Mapping[str, Any]
CURRENT = ROOT / "docs" / "outputs.schema.json"
PROMISED = ROOT / "tests" / "program" / "contracts" / f"{CONTRACT}.schema.json"
"""The schema as it was when this contract was first promised; another contract gets a file of its own."""


def check(outputs: Any) -> None:
    """Validate a stack's outputs by today's schema and by the promised one.

    Raises:
        jsonschema.ValidationError: They do not fit.
    """
    for file in (CURRENT, PROMISED):
        jsonschema.validate(outputs, json.loads(file.read_text()), jsonschema.Draft202012Validator)


def breaks(old: Schema, new: Schema) -> list[str]:
    """What a reader of the old schema, or a stack that was brought up under it, trips over in the new one."""
    return list(_breaks(_resolved(old, old), _resolved(new, new), "outputs"))


def _resolved(schema: Any, root: Schema) -> Any:
    """The schema with its references followed."""
    if isinstance(schema, list):
        return [_resolved(item, root) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "properties" in schema:
        properties = {key: _resolved(value, root) for key, value in schema["properties"].items()}
        return {"type": "object", "properties": properties, "required": schema.get("required", [])}
    return {
        key: _resolved(value, root) for key, value in schema.items() if key not in ("title", "description", "$defs")
    }


def _breaks(old: Any, new: Any, path: str) -> Iterator[str]:
    before, after = _kinds(old), _kinds(new)
    if set(before) != set(after):
        yield f"{path}: was {' or '.join(sorted(before))}, is {' or '.join(sorted(after))}"
        return
    for kind, was in before.items():
        now = after[kind]
        if values := _values(was):
            for value in sorted(_values(now) - values if _values(now) else {"anything"}):
                yield f"{path}: may be {value}, which nobody expects"
        if "additionalProperties" in was:
            yield from _breaks(was["additionalProperties"], now.get("additionalProperties", {}), f"{path}.*")
        if "items" in was:
            yield from _breaks(was["items"], now.get("items", {}), f"{path}[]")
        yield from _broken_keys(was, now, path)


def _broken_keys(was: Schema, now: Schema, path: str) -> Iterator[str]:
    known, there = was.get("properties", {}), now.get("properties", {})
    for key in known.keys() - there.keys():
        yield f"{path}.{key}: is gone"
    for key in known.keys() & there.keys():
        if key in was["required"] and key not in now["required"]:
            yield f"{path}.{key}: was always there, and now need not be"
        if key not in was["required"] and key in now["required"]:
            yield f"{path}.{key}: is required, and stacks that are up do not have it"
        yield from _breaks(known[key], there[key], f"{path}.{key}")
    for key in there.keys() - known.keys():
        if key in now["required"]:
            yield f"{path}.{key}: is new and required; stacks that are up do not have it"


def _kinds(schema: Schema) -> dict[str, Schema]:
    """The alternatives by their type."""
    return {str(one.get("type")): one for one in schema.get("anyOf", [schema])}


def _values(schema: Schema) -> set[str]:
    return {str(value) for value in schema.get("enum", [schema["const"]] if "const" in schema else [])}
