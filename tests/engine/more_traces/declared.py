"""A program as data: `v` holds its resources in order, its exports, and whether it raises at the end.

A resource is `{"name", "type", "in": inputs, ...options}`; a value may be `{"$out": [name, property]}`,
`{"$id": name}`, `{"$resource": name}`, `{"$secret": value}`, `{"$text": [value, ...]}` or `{"$lookup": arguments}`.
"""

from collections.abc import Callable
from typing import Any

import pulumi
from pulumi_trace import Component, Named, Other, Provider, Thing

CLASSES = {"Thing": Thing, "Other": Other, "Named": Named}
OPTIONS = (
    "protect",
    "ignore_changes",
    "replace_on_changes",
    "delete_before_replace",
    "retain_on_delete",
    "additional_secret_outputs",
    "import_",
)
RESOURCES = ("parent", "provider", "deleted_with")


def declare(v: dict[str, Any]) -> None:
    """Registers what `v` holds."""
    made: dict[str, Any] = {}
    for spec in v["resources"]:
        made[spec["name"]] = _make(spec, made)
    for key, value in v.get("exports", {}).items():
        pulumi.export(key, _value(value, made))
    if v.get("raises"):
        raise RuntimeError("raised as asked")


def _make(spec: dict[str, Any], made: dict[str, Any]) -> Any:
    options: dict[str, Any] = {k: spec[k] for k in OPTIONS if k in spec}
    options |= {k: made[spec[k]] for k in RESOURCES if k in spec}
    if "depends_on" in spec:
        options["depends_on"] = [made[name] for name in spec["depends_on"]]
    if "aliases" in spec:
        options["aliases"] = [_alias(alias, made) for alias in spec["aliases"]]
    opts = pulumi.ResourceOptions(**options)
    if spec["type"] == "Component":
        component = Component(spec["name"], opts)
        if "outputs" in spec:
            component.register_outputs({k: _value(x, made) for k, x in spec["outputs"].items()})
        return component
    inputs = {k: _value(x, made) for k, x in spec.get("in", {}).items()}
    if spec["type"] == "Provider":
        return Provider(spec["name"], opts, **inputs)
    return CLASSES[spec["type"]](spec["name"], opts, **inputs)


def _alias(alias: dict[str, Any], made: dict[str, Any]) -> pulumi.Alias:
    given = dict(alias)
    if "parent" in given:
        given["parent"] = made[given["parent"]] if given["parent"] else pulumi.ROOT_STACK_RESOURCE
    if "type_" in given:
        given["type_"] = CLASSES[given["type_"]].type
    return pulumi.Alias(**given)


def _value(value: Any, made: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_value(x, made) for x in value]
    if not isinstance(value, dict):
        return value
    marker = next(iter(value), "")
    if marker in MARKERS:
        return MARKERS[marker](value[marker], made)
    return {k: _value(x, made) for k, x in value.items()}


def _text(parts: list[Any], made: dict[str, Any]) -> Any:
    return pulumi.Output.all(*_value(parts, made)).apply(lambda known: "".join(map(str, known)))


def _lookup(arguments: dict[str, Any], made: dict[str, Any]) -> Any:
    options = pulumi.InvokeOutputOptions(version="1.0.0")
    got = pulumi.runtime.invoke_output("trace:index:lookup", _value(arguments, made), options)
    return got.apply(lambda reply: reply["found"])


MARKERS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "$out": lambda given, made: getattr(made[given[0]], given[1]),
    "$id": lambda given, made: made[given].id,
    "$resource": lambda given, made: made[given],
    "$secret": lambda given, made: pulumi.Output.secret(_value(given, made)),
    "$text": _text,
    "$lookup": _lookup,
}
