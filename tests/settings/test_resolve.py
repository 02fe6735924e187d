"""Defaults: removing a key that holds its default, setting it to null or writing the default out changes nothing."""

import copy
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settings import Department, SettingsError, parse_department
from settings.types import Section, key_of, section_in
from settings.yamlfile import read_yaml
from tests.hostile.departments import departments
from tests.program.harness import ROOT, stack_file

KEY = "azureml-platform:department"
TODAY = date(2026, 11, 29)
WIDE = sorted((ROOT / "tests/proof/stacks").glob("*.yaml"))
STACKS = [stack_file("dev"), stack_file("prod"), *(read_yaml(file).value for file in WIDE)]
Path = tuple[str | int, ...]


def keys_of(raw: Any, section: type[Section] = Department, path: Path = ()) -> Iterator[Path]:
    """The path of each key that a department could have, in the sections that it has."""
    for name, field in section.model_fields.items():
        key, inner = key_of(name, field), section_in(field.annotation)
        yield (*path, key)
        value = raw.get(key)
        if inner is None:
            continue
        if isinstance(value, dict):
            yield from keys_of(value, inner, (*path, key))
        for i, entry in enumerate(value if inner and isinstance(value, list) else ()):
            if isinstance(entry, dict):
                yield from keys_of(entry, inner, (*path, key, i))


def changed(raw: Any, path: Path, *value: Any) -> Any:
    """A copy with another value at a path, or without the key."""
    raw = copy.deepcopy(raw)
    holder = raw
    for part in path[:-1]:
        holder = holder[part]
    holder.pop(path[-1], None)
    if value:
        holder[path[-1]] = value[0]
    return raw


def outcome(raw: Any) -> Any:
    """The settings, or the problems with their keys."""
    try:
        return parse_department(raw, "f", today=TODAY).model_dump(mode="json", by_alias=True)
    except SettingsError as error:
        return {problem.key: problem.message for problem in error.problems}


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.sampled_from(STACKS), departments()), st.data())
def test_absent_null_and_the_default_written_out_are_the_same(raw: Any, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(keys_of(raw))))
    absent = outcome(changed(raw, path))
    assert outcome(changed(raw, path, None)) == absent
    if "teams" in absent:
        default = absent
        for part in path:
            default = default[part]
        assert outcome(changed(raw, path, default)) == absent


def production(**edits: Any) -> Any:
    return stack_file("dev") | {"environment": "pro"} | edits


def refused(raw: Any, key: str, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_department(raw, "f", today=TODAY)
    assert text in {problem.key: problem.message for problem in caught.value.problems}[f"{KEY}.{key}"]


@pytest.mark.parametrize("diagnostics", [{}, {"diagnostics": None}, {"diagnostics": True}])
def test_a_shared_registry_in_production_needs_a_place_for_its_logs(diagnostics: Any) -> None:
    refused(production(shared={"registry": True}, **diagnostics), "shared.registry", "logs have no place")
    parse_department(production(shared={"registry": True}, diagnostics=False), "f", today=TODAY)


@pytest.mark.parametrize("vault", [{}, {"keyVault": None}, {"keyVault": {"purgeProtection": None}}])
def test_production_has_the_purge_protection_that_a_made_key_needs(vault: Any) -> None:
    [team] = stack_file("dev")["teams"]
    raw = production(teams=[team | {"customerKey": {}}], **vault)
    assert parse_department(raw, "f", today=TODAY).key_vault.purge_protection
    refused(raw | {"environment": "dev"}, "teams[0].customerKey", "keyVault.purgeProtection to true")


@pytest.mark.parametrize("network", [{}, {"network": None}])
def test_a_team_without_a_network_has_the_departments(network: Any) -> None:
    [team] = stack_file("dev")["teams"]
    private = {"mode": "private", "addressSpace": "10.20.0.0/24"}
    raw = stack_file("dev") | {"network": private, "teams": [team | network]}
    assert parse_department(raw, "f", today=TODAY).teams[0].network.mode == "private"
    refused(raw | {"registrySku": "Basic"}, "registrySku", f"which {KEY}.network needs")
