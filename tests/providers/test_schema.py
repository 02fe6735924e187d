"""The schema beside the table is the installed SDK's, and table and schema fit together."""

import json

import pytest

from sandbox.providers import resources, sdk


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
