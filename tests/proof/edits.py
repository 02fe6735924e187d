"""Single edits of a department that is up: what is expected of one, and how that is seen.

Expectations come from `rules` and from Azure's own refusals, never from the stand-in providers.
"""

import copy
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from settings import Department
from tests.conftest import Sandbox
from tests.program.stack import KEY, Stack
from tests.proof import rules
from tests.proof.recording import Exchange, recorded

EVERY = 5  # one edit in so many is tried by `make test`: each takes seconds
PATH = "a part of the path replaces; what is made from it follows (azure-native: gen/replacement.go; Pulumi's cascade)"
FORCED = "location is in azure-native's force-new map (gen/replacement.go); what is inside follows"
BODY = "body properties that no rule names: one PUT (azure-native: provider/diff.go)"
NESTED = "below `properties` create-only marks do not count (azure-native: gen/properties.go): one PUT"
AZUREAD = "azuread marks it ForceNew, and makes the new one first; what is made of its value is updated"
GRAPH = "azuread changes it in place"
DECLARED = "the component declares it, since Azure keeps or refuses what azure-native sends"
REGISTERED = "the program registers more resources, or fewer"
NOTHING = "no input changes"


@dataclass(frozen=True)
class Edit:
    """One edit.

    Attributes:
        path: The setting.
        value: Its new value; `...` takes it away.
        rule: Why what is expected follows.
        update: Patterns of the base's resources, `Type name`, that are updated.
        replace: Those that are replaced.
        delete: Those that go.
        create: Resources that come.
        applied: Whether it is also brought up, and taken back.
    """

    path: str
    value: Any
    rule: str
    update: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    create: tuple[str, ...] = ()
    applied: bool = False


SAME = ("same", "read", "refresh")
REPLACING = {"delete-replaced", "replace", "create-replacement"}


@dataclass(frozen=True)
class Step:
    """One step of a preview: what is done with which resource (`Type name`), because of which properties."""

    operation: str
    type: str
    resource: str
    changed: frozenset[str]


@dataclass
class World:
    """A department whose settings are edited, up in a sandbox."""

    sandbox: Sandbox
    stack: Stack
    base: dict[str, Any]
    resources: frozenset[str] = frozenset()

    def start(self) -> None:
        """Bring the base up."""
        self.up(self.base)
        state = json.loads(self.stack.run("stack", "export")[1])["deployment"]["resources"]
        self.resources = frozenset(_named(one["urn"])[1] for one in state if one["type"].count(":") == 2)

    def stop(self) -> None:
        """Destroy it."""
        self.run("destroy", self.base, "--yes", "--skip-preview")
        assert self.ids() == {}

    def tried(self, operation: str, department: Any, *words: str) -> tuple[int, str]:
        """Exit code and output of a command."""
        file = self.stack.folder / f"Pulumi.{self.stack.name}.yaml"
        file.write_text(yaml.safe_dump({"config": {KEY: department}}))
        return self.stack.run(operation, "--config-file", str(file), *words)

    def run(self, operation: str, department: Any, *words: str) -> str:
        """The output of a command; it must succeed."""
        code, text = self.tried(operation, department, "--json", *words)
        assert code == 0, "\n".join(re.findall(r'"message": "((?:[^"\\]|\\.)*)"', text))
        return text

    def preview(self, department: Any) -> list[Step]:
        """What would change, in order, without the stack itself."""
        steps = json.loads(self.run("preview", department))["steps"]
        return [_step(one) for one in steps if one["op"] not in SAME and not one["urn"].endswith(f"-{self.stack.name}")]

    def up(self, department: Any) -> None:
        self.run("up", department, "--yes", "--skip-preview")

    def ids(self) -> dict[str, str]:
        """Azure's ids of the resource manager's resources, by `Type name`."""
        code, text = self.stack.run("stack", "export")
        assert code == 0, text
        found = json.loads(text)["deployment"].get("resources", [])
        return {_named(one["urn"])[1]: one["id"] for one in found if one["type"].startswith("azure-native:")}

    def status(self) -> dict[str, int]:
        """How many resources of each type there are."""
        counted: dict[str, int] = json.loads(self.sandbox.command("status", "--json").stdout)["resources"]
        return {type_: number for type_, number in counted.items() if number}


def _named(urn: str) -> tuple[str, str]:
    full = urn.split("::")[2].rsplit("$", 1)[-1]
    package, module, name = full.split(":")
    return f"{module.split('/')[0] if package != 'azuread' else 'index'}:{name}", f"{name} {urn.split('::')[3]}"


def _step(raw: dict[str, Any]) -> Step:
    type_, resource = _named(raw["urn"])
    changed = {*raw.get("diffReasons", ()), *raw.get("replaceReasons", ()), *raw.get("detailedDiff", ())}
    return Step(raw["op"], type_, resource, frozenset(changed))


def edited(base: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A department with one setting changed."""
    department = copy.deepcopy(base)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target: Any = department
    for part in parents:
        target = target[part]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return department


def _expected(edit: Edit, resources: frozenset[str]) -> dict[str, set[str]]:
    """The expected resources by operation."""
    patterns = {"update": edit.update, "replace": edit.replace, "delete": edit.delete}
    found = {
        operation: {one for one in resources for pattern in wanted if fnmatchcase(one, pattern)}
        for operation, wanted in patterns.items()
    }
    found["update"] -= found["replace"]
    for operation, wanted in patterns.items():
        for pattern in wanted:
            assert any(fnmatchcase(one, pattern) for one in resources), f"{operation} {pattern}: no such resource"
    return {"create": set(edit.create), **found}


def done_by(steps: list[Step]) -> dict[str, set[str]]:
    """Resources by what a preview does with them."""
    found: dict[str, set[str]] = {"create": set(), "update": set(), "replace": set(), "delete": set()}
    for step in steps:
        found["replace" if step.operation in REPLACING else step.operation].add(step.resource)
    return found


def rows(edits: Iterable[Edit]) -> Iterator[Any]:
    """The edits as parameters of a test: some in every run, the others in the soak."""
    for number, edit in enumerate(edits):
        value = "taken away" if edit.value is ... else json.dumps(edit.value)
        marks = pytest.mark.soak if number % EVERY else ()
        yield pytest.param(edit, id=f"{edit.path}={value}"[:80], marks=marks)


def check(world: World, edit: Edit) -> None:
    """The edit does what its rule gives, and nothing else."""
    department = edited(world.base, edit.path, edit.value)
    steps = world.preview(department)
    expected = _expected(edit, world.resources)
    assert done_by(steps) == expected, edit.rule
    _by_the_rules(steps)
    if edit.applied:
        try:
            _bring_up(world, department, expected)
            assert world.preview(department) == []
        finally:
            world.up(world.base)
        assert world.preview(world.base) == []


def _by_the_rules(steps: list[Step]) -> None:
    """Whatever is replaced has a changed property that replaces, and nothing else has; the old one goes first."""
    order = [(step.operation, step.resource) for step in steps]
    for step in steps:
        name = step.resource.split(" ", 1)[1]
        if step.operation == "update":
            assert not rules.replaces(step.type, name, step.changed), step
        elif step.operation == "create-replacement":
            assert rules.replaces(step.type, name, step.changed), step
            gone = order.index(("delete-replaced", step.resource)) if step.type not in rules.MADE_FIRST else -1
            assert gone < order.index((step.operation, step.resource)), step


def _bring_up(world: World, department: Any, expected: dict[str, set[str]]) -> None:
    """Exactly the expected resources are written and deleted on the wire."""
    before = world.ids()
    with recorded() as exchanges:
        world.up(department)
    after = world.ids()
    written = {after[one] for one in expected["create"] | expected["update"] | expected["replace"] if one in after}
    deleted = {before[one] for one in expected["delete"] | expected["replace"] if one in before}
    reset = {one for one in deleted if "/blobServices/" in one and one.endswith("/default")}  # PUT back to its defaults
    secrets = {one for one in deleted if one.split("/")[-2] == "secrets"}  # its vault deletes it, not ARM
    assert _touched(exchanges, "PUT", "PATCH") == {one.lower() for one in written | reset}
    assert _touched(exchanges, "DELETE") == {one.lower() for one in deleted - reset - secrets}
    assert _deleted_in_vaults(exchanges) == {tuple(one.lower().split("/")[-3::2]) for one in secrets}


_AT_GROUP = re.compile(r"/resourcegroups/[^/]+(?=/providers/microsoft\.authorization/roledefinitions/)")
"""A role is written at the scope where it can be assigned; its id is the subscription's."""


_VAULTS = ".vault.azure.net"


def _touched(exchanges: list[Exchange], *methods: str) -> set[str]:
    return {
        _AT_GROUP.sub("", one.path.lower())
        for one in exchanges
        if one.host == "management.azure.com" and one.method in methods and one.status < 300
    }


def _deleted_in_vaults(exchanges: list[Exchange]) -> set[tuple[str, ...]]:
    """Vault and name of each secret that its vault deleted."""
    return {
        (one.host.removesuffix(_VAULTS), one.path.lower().split("/")[2])
        for one in exchanges
        if one.host.endswith(_VAULTS) and one.method == "DELETE" and one.status < 300
    }


def fields(value: Any) -> Iterator[str]:
    """`Model.field` of all that is set."""
    if isinstance(value, tuple):
        for item in value:
            yield from fields(item)
    elif isinstance(value, BaseModel):
        for name in value.model_fields_set:
            yield f"{type(value).__name__}.{name}"
            yield from fields(getattr(value, name))


def on_the_way(base: Department, path: str) -> Iterator[str]:
    """`Model.field` of all that an edit's path goes through."""
    value: Any = base
    for key in path.split("."):
        if key.isdigit():
            value = value[int(key)]
            continue
        name = next(name for name, field in type(value).model_fields.items() if field.alias == key)
        yield f"{type(value).__name__}.{name}"
        value = getattr(value, name)
