"""The schema beside the table is the installed SDK's, and table and schema fit together."""

import json
import re

import pytest
from pulumi.runtime.proto import provider_pb2 as proto

from sandbox.providers import resources, sdk
from sandbox.providers.azure_native import AzureNative
from sandbox.providers.azuread import AzureAD
from sandbox.providers.directory import KINDS
from sandbox.providers.provider import Provider
from tests.providers.driver import call


def test_the_schema_is_what_the_installed_sdk_says() -> None:
    assert sdk.TARGET.read_text() == sdk.written(sdk.read()), "run: python -m sandbox.providers.sdk"


@pytest.mark.parametrize("token", resources.RESOURCES)
def test_every_name_in_the_table_is_one_of_the_sdk(token: str) -> None:
    kind, described = resources.RESOURCES[token], resources.describe(token)
    assert described is not None
    schema = json.loads(sdk.TARGET.read_text())["resources"][token]
    inputs = set(schema["inputs"])
    assert set(kind.path_inputs) | kind.queries <= inputs
    assert kind.replaces <= inputs
    assert set(kind.limits) <= inputs
    assert set(kind.after_removal) <= inputs
    assert {one.split(".")[0] for one in [*kind.children, *kind.sets]} <= inputs
    assert set(kind.wire) <= inputs | set(schema["outputs"])
    assert set(described.required) - inputs == set()


def test_object_tables_name_objects_of_the_sdk() -> None:
    objects = json.loads(sdk.TARGET.read_text())["objects"]
    plain = {name.removesuffix("Response") for name in objects}
    assert plain >= resources.FLAT_OBJECTS
    for table in (resources.WIRE_NAMES, resources.OBJECT_LIMITS):
        for name, renamed in table.items():
            properties = {
                *objects.get(name, {}).get("properties", {}),
                *objects.get(name + "Response", {}).get("properties", {}),
            }
            assert set(renamed) <= properties, name


def test_every_type_that_an_object_names_is_there() -> None:
    for token in resources.RESOURCES:
        described = resources.describe(token)
        assert described is not None
        pending = [part.type for form in (described.body, described.outputs) for part in form.parts.values()]
        seen: set[str] = set()
        while pending:
            kind = pending.pop().removeprefix("[]").removeprefix("{}").removeprefix("[]")
            for name in kind.split("|") if kind[0].isupper() else []:
                if name not in seen:
                    seen.add(name)
                    pending += [part.type for part in resources.shape(name).parts.values()]


@pytest.mark.parametrize(
    ("provider", "tokens"), [(AzureNative, set(resources.RESOURCES)), (AzureAD, set(KINDS))], ids=["native", "azuread"]
)
def test_the_package_schema_has_every_emulated_type(provider: type[Provider], tokens: set[str]) -> None:
    """`pulumi import` needs it to write the program's part; without it the real command ends with exit code 1."""
    instance = provider()
    text = call(instance.GetSchema, proto.GetSchemaRequest()).schema
    schema = json.loads(text)
    assert (schema["name"], schema["version"]) == (instance.package, instance.version)
    assert set(schema["resources"]) == tokens
    for shape in schema["resources"].values():
        assert set(shape["requiredInputs"]) <= set(shape["inputProperties"])
    references = set(re.findall(r'"#/types/([^"]+)"', text))
    assert references <= set(schema["types"])
