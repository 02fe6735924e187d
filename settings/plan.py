"""The plan: which resource of the stack comes from which setting, for whom, and at which price. It needs no Pulumi.

    plan = read_plan(Path("Pulumi.dev.yaml"))
    for planned in plan.resources:
        print(planned.name, planned.team, planned.place, planned.price)
    plan.of("azure-native:machinelearningservices:Compute", "bluegranit-ds3-v2-cluster")  # of a preview's resource

Resources are known by their names in Pulumi, which `settings.logical` composes for the program, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path as File
from typing import Literal

from catalogue.prices import Priority
from settings import logical
from settings.department import Department
from settings.names import SHARED
from settings.parse import StackFile, open_stack_file
from settings.problems import Path, written
from settings.team import Team
from settings.types import key_of

Kind = Literal[
    "subscription administrator",
    "shared services",
    "model registry",
    "team",
    "cluster",
    "instance",
    "lake",
    "data",
    "automation",
    "budget",
    "person",
]


@dataclass(frozen=True)
class Place:
    """The place of a value in a stack file.

    Attributes:
        file: The stack file, as it was named.
        key: The key, as people write it: `azureml-platform:department.teams[0].clusters[1].maxNodes`.
        line: Line from 1. What comes through a YAML anchor or merge has the line where it is written.
        column: Column from 1.
        origin: `written` in the file, `inherited` from the other key that `key` names (a team's network from the
            department's), or `default`, where line and column are those of the section that leaves it out.
    """

    file: str
    key: str
    line: int
    column: int
    origin: Literal["written", "inherited", "default"]

    def __str__(self) -> str:
        """The form in which terminals and editors follow a place."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class PriceKey:
    """The facts of a resource that `catalogue.prices` needs to price it.

    Attributes:
        region: Azure region.
        vm_size: VM size of a node, as Azure ML writes it.
        priority: `dedicated` or `lowPriority`.
        nodes: Most nodes at one time; 1 for an instance.
    """

    region: str
    vm_size: str
    priority: Priority
    nodes: int


@dataclass(frozen=True)
class Planned:
    """The Pulumi resource that one setting makes, with all that is named after it.

    Attributes:
        kind: The kind of resource.
        name: Its name in Pulumi, without the stack and the type.
        path: The setting, below `azureml-platform:department`.
        place: Where the setting stands.
        team: Name of its team; None for what is the department's.
        person: The person who gets access or has the instance: a user principal name or a group's name.
        role: The list in which the team has `person`: `admins`, `leads`, `dataScientists`, `readers`, `user`.
        price: Its price key; None where no VM is paid for.
    """

    kind: Kind
    name: str
    path: Path
    place: Place
    team: str | None = None
    person: str | None = None
    role: str | None = None
    price: PriceKey | None = None


@dataclass(frozen=True)
class Plan:
    """A stack file and what it makes.

    Attributes:
        file: The stack file, as it was named.
        department: Its settings, with every default.
        resources: The resources that the settings make: the department's first, then each team's.
    """

    file: str
    department: Department
    resources: tuple[Planned, ...]
    _source: StackFile

    def place(self, path: Path) -> Place:
        """The place of a setting's value, also of a setting that is left out.

        Args:
            path: Keys and positions below `azureml-platform:department`, such as `("teams", 0, "network", "mode")`.
        """
        origin = self._source.resolved.origin(path)
        node, depth = self._source.content.at(("config", self._source.key, *origin))
        complete = depth == len(origin) + 2
        how: Literal["written", "inherited", "default"] = "default"
        if complete:
            how = "written" if origin == path else "inherited"
        return Place(self.file, written(origin), node.line, node.column, how)

    def of(self, type_: str, name: str) -> Planned | None:
        """The plan's entry for a resource of the stack; None for a resource that every stack has, such as the provider.

        Args:
            type_: Its type in Pulumi, such as `azure-native:machinelearningservices:Compute`.
            name: Its name in Pulumi.
        """
        kinds = logical.KINDS_OF_TYPE.get(type_, logical.OTHER_KINDS)
        candidates = [planned for planned in self.resources if planned.kind in kinds]
        exact = next((planned for planned in candidates if planned.name == name), None)
        if exact or kinds == logical.OTHER_KINDS or "person" not in kinds:
            return exact or _longest(candidates, name)
        # Somebody's further assignments end in the person's name, or have it before what they are for, as in -data.
        team = name.partition("-")[0]
        people = (planned for planned in candidates if planned.kind == "person" and planned.team == team)
        before = name.rpartition("-")[0]
        its = (one for one in people if name.endswith(f"-{one.person}") or before == f"{team}-{one.person}")
        return next(its, _longest(candidates, name))


def _longest(candidates: list[Planned], name: str) -> Planned | None:
    """The resource with the longest name that begins another one."""
    fits = (planned for planned in candidates if name == planned.name or name.startswith(f"{planned.name}-"))
    return max(fits, key=lambda planned: len(planned.name), default=None)


def read_plan(path: File, *, shown: str | None = None) -> Plan:
    """The plan of a stack file.

    Args:
        path: The file.
        shown: The file's name in places; `path` if left out.

    Raises:
        SettingsError: As `settings.read_stack_file`.
    """
    source = open_stack_file(path)
    return plan_of(source, shown or str(path))


def plan_of(source: StackFile, file: str) -> Plan:
    """The plan of a stack file that has been read; `file` is how places name it."""
    plan = Plan(file, source.department, (), source)
    settings = [*_of_department(source.department), *_of_teams(source.department)]
    return replace(plan, resources=tuple(replace(each, place=plan.place(each.path)) for each in settings))


_NOWHERE = Place("", "", 0, 0, "default")


def _of_department(department: Department) -> Iterator[Planned]:
    for i, member in enumerate(department.subscription_admins):
        path, person = ("subscriptionAdmins", i), member.name
        name = logical.subscription_admin(person)
        yield Planned("subscription administrator", name, path, _NOWHERE, person=person, role="subscriptionAdmins")
    if department.shared.makes:
        yield Planned("shared services", SHARED, ("shared",), _NOWHERE)
    if department.model_registry:
        yield Planned("model registry", logical.MODEL_REGISTRY, ("modelRegistry",), _NOWHERE)


def _of_teams(department: Department) -> Iterator[Planned]:
    for i, team in enumerate(department.teams):
        at: Path = ("teams", i)
        yield Planned("team", team.name, at, _NOWHERE, team.name)
        yield from _people(team, at)
        yield from _computes(department.region, team, at)
        if team.lake:
            yield Planned("lake", logical.lake(team), (*at, "lake"), _NOWHERE, team.name)
            if team.lake.service_principal:
                name = logical.service_principal(team, logical.LAKE)
                yield Planned("automation", name, (*at, "lake", "servicePrincipal"), _NOWHERE, team.name)
        if team.data:
            yield Planned("data", logical.data(team), (*at, "data"), _NOWHERE, team.name)
        for j, entry in enumerate(team.automation):
            name = logical.service_principal(team, entry.name)
            yield Planned("automation", name, (*at, "automation", j), _NOWHERE, team.name, role=entry.role)
        if team.budget:
            yield Planned("budget", logical.budget(team), (*at, "budget"), _NOWHERE, team.name)


def _people(team: Team, at: Path) -> Iterator[Planned]:
    for field, persona in logical.PERSONAS.items():
        key = key_of(field, Team.model_fields[field])
        for i, member in enumerate(getattr(team, field)):
            name = logical.assignment(team, persona, member.name)
            yield Planned("person", name, (*at, key, i), _NOWHERE, team.name, member.name, key)


def _computes(region: str, team: Team, at: Path) -> Iterator[Planned]:
    for i, cluster in enumerate(team.clusters):
        price = PriceKey(region, cluster.vm_size, cluster.priority, cluster.max_nodes)
        name = logical.compute(team, cluster.name)
        yield Planned("cluster", name, (*at, "clusters", i), _NOWHERE, team.name, price=price)
    for i, instance in enumerate(team.instances):
        price = PriceKey(region, instance.vm_size, "dedicated", 1)
        name, path = logical.compute(team, instance.name), (*at, "instances", i)
        yield Planned("instance", name, path, _NOWHERE, team.name, instance.user, "user", price)
