"""What is wrong with a department's settings, all of it at once, each with its key, its value and what is allowed."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from catalogue import vm_sizes
from catalogue.names import NameTooLongError, TeamNames
from catalogue.regions import REGIONS
from settings.model import PRODUCTION, SHARED, Department
from settings.names import team_names
from settings.spelling import nearest

KEY = "azureml-platform:department"
Path = tuple[str | int, ...]

RESERVED_DATASTORES = frozenset(
    {"workspaceblobstore", "workspacefilestore", "workspaceartifactstore", "workspaceworkingdirectory"}
)
"""Datastores that every workspace has from the start (learn.microsoft.com/azure/machine-learning/concept-data)."""

_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "date_type": "a day such as 2027-01-31",
    "date_parsing": "a day such as 2027-01-31",
    "date_from_datetime_parsing": "a day such as 2027-01-31",
    "tuple_type": "a list",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
}
_LONGEST_VALUE = 80
_PLAIN = re.compile(r"[\w-]{1,80}")  # what a terminal shows as it is
_MOST_NAMED = 20  # of what is allowed


@dataclass(frozen=True)
class Problem:
    """One thing that keeps a stack file from being used.

    Attributes:
        path: Where it is below `azureml-platform:department`.
        message: The value, what is wrong with it and what is allowed.
    """

    path: Path
    message: str

    @property
    def key(self) -> str:
        """The place as people write it: `azureml-platform:department.teams[0].name`."""
        return KEY + "".join(
            f".{part}" if isinstance(part, str) and _PLAIN.fullmatch(part) else f"[{show(part)}]" for part in self.path
        )


class SettingsError(Exception):
    """The settings cannot be used; its text has one line for each problem, with file and key."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{file}: {problem.key}: {problem.message}" for problem in self.problems))


def _printable(text: str) -> str:
    """The text with what a terminal would carry out spelled out."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def shape_problems(error: ValidationError, raw: object) -> Iterator[Problem]:
    """What the model has found: wrong types, values, missing and unknown keys."""
    errors = error.errors(include_url=False)
    holders = {found["loc"][:length] for found in errors for length in range(len(found["loc"]))}
    for found in errors:
        path = tuple(found["loc"])
        if found["type"] == "too_short" and path in holders:
            continue  # pydantic counts only the entries that are right
        if path[-1:] == ("user",) and isinstance(_value_at(raw, path[:-1]), str):
            path = path[:-1]  # a name alone, which the model has put into a mapping
        yield Problem(path, _printable(_message(path, found["type"], found["input"], found["msg"])))


def _value_at(raw: Any, path: Path) -> Any:
    for part in path:
        raw = raw[part]
    return raw


def _message(path: Path, kind: str, value: object, said: str) -> str:
    if kind == "extra_forbidden":
        return unknown_key(str(path[-1]), _keys(_model_at(path[:-1])))
    field = _field_at(path)
    allowed = f" {field.description}" if field and field.description else ""
    if kind == "own":
        return said
    return f"{_complaint(kind, value, said)}{allowed}"


def _complaint(kind: str, value: object, said: str) -> str:
    """What is wrong with a value, before what is allowed."""
    match kind:
        case "missing":
            return "is missing."
        case "too_short":
            return "is empty."
        case "vm_size":
            return f"{show(value)} {said}{_hint(nearest(str(value).upper(), vm_sizes.known(), cutoff=0.7))}"
        case "region":
            return f"{show(value)} {said}{_hint(nearest(str(value), REGIONS))}"
        case _ if kind in _TYPES:
            return f"expected {_TYPES[kind]}, found {show(value)}."
    length = f" ({len(value)} characters)" if isinstance(value, str) else ""
    return f"{show(value)}{length} is not allowed."


def unknown_key(key: str, known: Iterable[str]) -> str:
    """The message for a key that means nothing, with the nearest one that does."""
    names = sorted(known)
    return f"unknown key.{_hint(nearest(key, names), ' Remove it.')} Known keys here: {', '.join(names)}."


def _hint(near: str | None, otherwise: str = "") -> str:
    return f" Did you mean '{near}'?" if near else otherwise


def show(value: object) -> str:
    """A value as an error message shows it: short, and of a mapping only that it is one."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case str():
            return repr(value if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + "…")
        case _:
            return str(value)[:_LONGEST_VALUE]


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _field_at(path: Path) -> FieldInfo | None:
    """The field that a path leads to; for an entry of a list, the list's."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    model = _model_at(path[:-1])
    if not path or model is None:
        return None
    return next((field for name, field in model.model_fields.items() if path[-1] in (field.alias, name)), None)


def _model_at(path: Path) -> type[BaseModel] | None:
    model: type[BaseModel] | None = Department
    for part in path:
        if isinstance(part, str) and model is not None:
            field = next((f for name, f in model.model_fields.items() if part in (f.alias, name)), None)
            model = _model_in(field.annotation) if field else None
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for model in map(_model_in, get_args(annotation)) if model), None)


def cross_problems(raw: object, wrong: Collection[Path], today: date) -> Iterator[Problem]:
    """What is wrong between values that are each right, found even where others are wrong.

    Args:
        raw: The value of `azureml-platform:department`.
        wrong: Where a problem is known already; nothing that only follows from it is told.
        today: Day on which access that is to end has ended.
    """
    department = _mapping(raw)
    teams = list(_mappings(department, "teams"))
    yield from _ended(raw, (), today)
    yield from _duplicates(((("teams", i, "name"), team.get("name")) for i, team in teams), "Teams of a department")
    yield from _duplicates(
        (
            (("teams", i, kind, j, "name"), compute.get("name"))
            for i, team in teams
            for kind in ("clusters", "instances")
            for j, compute in _mappings(team, kind)
        ),
        "Azure wants the name of a cluster or instance to be unique in the region, so those of a department",
    )
    yield from _size_problems(department, teams)
    yield from dict.fromkeys(_network_problems(department, teams))
    yield from _existing_problems(department, teams, wrong)
    yield from dict.fromkeys(_key_problems(department, teams))
    yield from _shared_problems(department, teams)
    if not {("code",), ("environment",), ("regionAbbreviation",), ("region",)} & set(wrong):
        named = (("teams", i, key) for i, _ in teams for key in ("name", "customName"))
        bad = {path[1] for path in named if path in wrong}
        well_named = [(i, team) for i, team in teams if i not in bad]
        problems = list(_name_problems(department, well_named))
        yield from problems or _made_problems(department, well_named, wrong)
    for i, team in teams:
        yield from _lake_problems(("teams", i, "lake"), _mapping(team.get("lake")), department)
        yield from _store_problems(("teams", i), team, wrong)
        yield from _duplicates(
            ((("teams", i, "automation", j, "name"), entry.get("name")) for j, entry in _mappings(team, "automation")),
            "Automation of a team",
        )


def _ended(raw: object, path: Path, today: date) -> Iterator[Problem]:
    """Access whose end has come, wherever somebody is named."""
    if isinstance(raw, list):
        for i, entry in enumerate(raw):
            yield from _ended(entry, (*path, i), today)
    for key, value in _mapping(raw).items():
        if key != "until":
            yield from _ended(value, (*path, str(key)), today)
        elif isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value) and value[:10] < today.isoformat():
            who = _mapping(raw).get("user") or _mapping(raw).get("group")
            yield Problem(
                (*path, "until"),
                f"the access of {show(who)} ended on {value[:10]}. Delete the entry, and the next up takes the access "
                "away; or give a later day.",
            )


def _network_problems(department: Mapping[str, Any], teams: list[tuple[int, Mapping[str, Any]]]) -> Iterator[Problem]:
    """What a network asks of the rest."""
    for i, team in teams:
        at: Path = ("teams", i, "network") if isinstance(team.get("network"), Mapping) else ("network",)
        network = _mapping(team.get("network", department.get("network")))
        if network.get("mode") in ("private", "managed") and department.get("registrySku") in ("Basic", "Standard"):
            needs = Problem(at, "").key
            sku = show(department["registrySku"])
            yield Problem(("registrySku",), f"{sku} has no private endpoints, which {needs} needs: leave it out.")
        sizes = [vm_sizes.find(str(one.get("vmSize"))) for _, one in _mappings(team, "clusters")]
        if network.get("mode") == "private" and all(size and size.gpus for size in sizes):
            yield Problem(
                ("teams", i, "clusters"),
                f"has no cluster without GPUs, on which Azure ML builds images where the registry is closed, as "
                f"{Problem(at, '').key} makes it: add a small one.",
            )
        yield from _duplicates(
            (((*at, "outbound", j, "name"), rule.get("name")) for j, rule in _mappings(network, "outbound")), "Rules"
        )


def _key_problems(department: Mapping[str, Any], teams: list[tuple[int, Mapping[str, Any]]]) -> Iterator[Problem]:
    """What a key of the customer's own asks of the rest."""
    subscription, sku = department.get("subscriptionId"), department.get("registrySku")
    protection = _mapping(department.get("keyVault")).get(
        "purgeProtection", department.get("environment") == PRODUCTION
    )
    for i, team in teams:
        key, at = team.get("customerKey"), ("teams", i, "customerKey")
        if not isinstance(key, Mapping):
            continue
        given = key.get("keyId")
        if given is None and protection is not True:
            needs = "a vault that keeps what is deleted: set the department's keyVault.purgeProtection to true"
            yield Problem(at, f"Azure asks for {needs}, which cannot be undone, or give keyId and identityId.")
        if given is None and _mapping(team.get("existing")).get("keyVaultId"):
            yield Problem(
                at, "is made in the team's own vault; where existing.keyVaultId gives one, give the key's keyId."
            )
        if isinstance(given, str) and isinstance(subscription, str) and f"/subscriptions/{subscription}/" not in given:
            text = f"{show(given)} is not in the department's subscription {subscription}, as Azure ML wants it."
            yield Problem((*at, "keyId"), text)
        network = _mapping(team.get("network", department.get("network")))
        if key.get("serviceSide") is True and network.get("mode") == "private":
            yield Problem((*at, "serviceSide"), "Azure ML does not reach the key of a closed vault from its own side.")
        if sku in ("Basic", "Standard"):
            needs = Problem(at, "").key
            yield Problem(("registrySku",), f"{show(sku)} takes no customer's key, as {needs} gives: leave it out.")


_ONE_EACH = {
    "resourceGroupId": "Each team has a resource group of its own, as its people's roles are on it",
    "keyVaultId": "Each team has a vault of its own, as its workspace administers all secrets in it",
}


def _existing_problems(
    department: Mapping[str, Any], teams: list[tuple[int, Mapping[str, Any]]], wrong: Collection[Path]
) -> Iterator[Problem]:
    """What exists already and cannot be used where it is, or twice."""
    subscription = department.get("subscriptionId")
    for key, reason in _ONE_EACH.items():
        given = [one for one in _given(teams, "existing") if one[0][-1] == key and one[0] not in wrong]
        for path, id_ in given:
            if isinstance(subscription, str) and not id_.lower().startswith(f"/subscriptions/{subscription}/"):
                yield Problem(path, f"{show(id_)} is not in the department's subscription {show(subscription)}.")
        yield from _duplicates(given, reason, "")


def _given(teams: list[tuple[int, Mapping[str, Any]]], *parts: str) -> list[tuple[Path, str]]:
    """The ids in these parts of the teams, with where they are."""
    return [
        (("teams", i, part, key), id_)
        for i, team in teams
        for part in parts
        for key, id_ in _mapping(team.get(part)).items()
        if isinstance(id_, str) and key.endswith("Id")
    ]


def _made_problems(
    department: Mapping[str, Any], teams: list[tuple[int, Mapping[str, Any]]], wrong: Collection[Path]
) -> Iterator[Problem]:
    """Ids of what the stack itself makes: Pulumi would not know what comes first."""
    made = {}
    for i, team in teams:
        names = None if _mapping(team.get("existing")).get("resourceGroupId") else _names(department, team)
        if names:
            made[_group_id(department, names)] = f"teams[{i}]"
    if names := _shared_names(department):
        made[_group_id(department, names)] = "all teams"
    given = [(("network", key), id_) for key, id_ in _mapping(department.get("network")).items() if key.endswith("Id")]
    for path, id_ in [*given, *_given(teams, "existing", "network", "lake")]:
        whose = made.get("/".join(str(id_).lower().split("/")[:5]))
        if whose and path not in wrong:
            yield Problem(
                path, f"{show(id_)} is what this stack makes for {whose}. Give what exists without the stack."
            )


def _group_id(department: Mapping[str, Any], names: TeamNames) -> str:
    return f"/subscriptions/{department.get('subscriptionId')}/resourceGroups/{names.resource_group}".lower()


def _shared_names(department: Mapping[str, Any]) -> TeamNames | None:
    """The names of what is made for all teams, if anything is."""
    shared = _mapping(department.get("shared"))
    makes = shared.get("registry") is True or shared.get("logWorkspace") is True
    return _names(department, {"name": SHARED}) if makes else None


def _shared_problems(department: Mapping[str, Any], teams: list[tuple[int, Mapping[str, Any]]]) -> Iterator[Problem]:
    """What keeps the teams from sharing."""
    shared = _mapping(department.get("shared"))
    if shared.get("registry") is not True:
        return
    logged = department.get("diagnostics", department.get("environment") == PRODUCTION)
    if logged is True and not (shared.get("logWorkspace") or shared.get("logWorkspaceId")):
        yield Problem(
            ("shared", "registry"),
            "the shared registry's logs have no place: set shared.logWorkspace or shared.logWorkspaceId too, or "
            "diagnostics to false.",
        )
    closed = _mapping(department.get("network")).get("mode") == "private"
    for i, team in teams:
        network = _mapping(team.get("network"))
        own = _mapping(team.get("existing")).get("registryId")
        if closed and network.get("mode", "private" if not network else "public") == "public" and own is None:
            yield Problem(
                ("teams", i, "network"),
                "is public, and the shared registry is private as the department's network: give the team an "
                "existing.registryId, or a network of mode 'private' or 'managed'.",
            )


def _size_problems(department: Mapping[str, Any], teams: list[tuple[int, Mapping[str, Any]]]) -> Iterator[Problem]:
    allowed = department.get("allowedVmSizes")
    if not isinstance(allowed, list):
        return
    names = {size.upper() for size in allowed if isinstance(size, str)}
    some = f": {', '.join(show(name) for name in sorted(names))}" if len(names) <= _MOST_NAMED else ""
    for i, team in teams:
        computes = [(kind, *found) for kind in ("clusters", "instances") for found in _mappings(team, kind)]
        for kind, j, compute in computes:
            size = compute.get("vmSize")
            if isinstance(size, str) and size.upper() not in names:
                yield Problem(
                    ("teams", i, kind, j, "vmSize"),
                    f"{show(size)} is not one of the department's allowedVmSizes{some}.",
                )


def _name_problems(department: Mapping[str, Any], teams: list[tuple[int, Mapping[str, Any]]]) -> Iterator[Problem]:
    shared = _shared_names(department)
    taken: dict[str, int | None] = (
        {n.lower(): None for n in (shared.resource_group, shared.workspace)} if shared else {}
    )
    for i, team in teams:
        key = "customName" if team.get("customName") else "name"
        try:
            names = _names(department, team)
        except NameTooLongError as error:
            yield Problem(("teams", i, key), f"{error}.")
            continue
        for name in {names.resource_group, names.workspace} if names else set[str]():
            other = taken.setdefault(name.lower(), i)
            if other != i:
                whose = "what the teams share" if other is None else f"those of teams[{other}]"
                yield Problem(("teams", i, key), f"its resources would be named as {whose}: '{name}' is taken.")
                break


def _names(department: Mapping[str, Any], team: Mapping[str, Any]) -> TeamNames | None:
    """The team's names, or None where a part of them is not even text, which the model reports."""
    parts = [department.get(key) for key in ("code", "region", "regionAbbreviation", "environment")]
    parts += [team.get("name"), team.get("customName") or ""]
    if not all(isinstance(part, str) and len(part) <= _LONGEST_VALUE for part in parts):
        return None
    code, region, abbreviation, environment, name, custom = parts
    hashed = department.get("uniqueNames") is True
    return team_names(
        department=str(code),
        team=str(name),
        region=str(region),
        region_abbreviation=str(abbreviation),
        environment=str(environment),
        custom_name=str(custom) or None,
        unique_in_subscription=str(department.get("subscriptionId")) if hashed else None,
    )


def _lake_problems(path: Path, lake: Mapping[str, Any], department: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _duplicates(((*path, "fileSystems", i), system) for i, system in enumerate(_texts(lake, "fileSystems")))
    rules = list(_mappings(lake, "lifecycle"))
    yield from _duplicates((((*path, "lifecycle", i, "name"), rule.get("name")) for i, rule in rules), "Rules")
    for i, rule in rules:
        if rule.get("archiveAfterDays") is not None and department.get("environment") == PRODUCTION:
            yield Problem(
                (*path, "lifecycle", i, "archiveAfterDays"),
                "Azure has no archive tier for storage replicated across zones, as production's is; leave it out.",
            )
    account = lake.get("accountId")
    if not isinstance(account, str):
        return
    subscription = department.get("subscriptionId")
    if isinstance(subscription, str) and f"/subscriptions/{subscription}/" not in account:
        yield Problem(
            (*path, "accountId"), f"{show(account)} is not in the department's subscription {show(subscription)}."
        )
    for key in ("softDeleteDays", "lifecycle"):
        if lake.get(key):
            yield Problem(
                (*path, key), ("is set on the account itself, as accountId names one that exists; leave it out.")
            )


_PLACES = (
    ("lake", "fileSystems", "fileSystem"),
    ("data", "containers", "container"),
    ("data", "shares", "share"),
)
"""Where datastores are, what they stand for, and how they name it."""


def _store_problems(path: Path, team: Mapping[str, Any], wrong: Collection[Path]) -> Iterator[Problem]:
    """Datastores of lake and data: distinct names in the workspace, each of something that is there."""
    named: list[tuple[Path, object]] = []
    yield from _duplicates(
        (((*path, "data", "shares", i, "name"), one.get("name")) for i, one in _mappings(team.get("data"), "shares")),
        "Shares",
    )
    for part, places, place in _PLACES:
        holder = _mapping(team.get(part))
        known = dict.fromkeys(_texts(holder, places) or [str(one.get("name")) for _, one in _mappings(holder, places)])
        for i, store in _mappings(holder, "datastores"):
            at = (*path, part, "datastores", i)
            name, what = store.get("name"), store.get(place)
            if what is None:
                continue
            named.append(((*at, "name"), name))
            if isinstance(name, str) and name.lower() in RESERVED_DATASTORES:
                yield Problem((*at, "name"), f"{show(name)} is in every workspace from the start.")
            places_wrong = any(other[:4] == (*path, part, places) for other in wrong)
            if isinstance(what, str) and not places_wrong and what not in known:
                hint = _hint(nearest(what, known), " Add it there.")
                yield Problem((*at, place), f"{show(what)} is not in {part}.{places}.{hint}")
    yield from _duplicates(named, "Datastores")


def _duplicates(
    named: Iterable[tuple[Path, object]],
    whose: str = "File systems of a lake",
    rule: str = " have distinct names",
) -> Iterator[Problem]:
    first: dict[str, Path] = {}
    for path, name in named:
        if isinstance(name, str) and (other := first.setdefault(name.lower(), path)) != path:
            yield Problem(
                path,
                f"{show(name)} is taken by {Problem(other, '').key.removeprefix(KEY + '.')}. {whose}{rule}.",
            )


def _mapping(raw: object) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}


def _texts(raw: Mapping[str, Any], key: str) -> list[str]:
    entries = raw.get(key)
    return [entry for entry in entries if isinstance(entry, str)] if isinstance(entries, list) else []


def _mappings(raw: object, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    entries = _mapping(raw).get(key)
    for i, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, Mapping):
            yield i, entry
