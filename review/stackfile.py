"""A stack file as a review hands it to the engine, and whom and what the sandbox must know for it.

Nobody here can decrypt a secret, and nothing of the backend is needed. So the engine gets the configuration alone, with
a text in place of each secret.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from catalogue.private_link import ALL_ZONES
from settings import Department, Network, Problem, SettingsError, open_stack_file
from settings.checks.subject import sections
from settings.named import everybody
from settings.plan import Place, Plan, plan_of
from settings.problems import KEY
from settings.yamlfile import Node, YamlError, read_yaml

SECRET = "secret of the stack file"  # noqa: S105 # what stands for one
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LINE = re.compile(r"line (\d+)(?:, column (\d+))?")
_ID = re.compile(r"/subscriptions/[^/]+/resourceGroups/[^/]+(/.*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Fault:
    """A reason why a stack file cannot be used.

    Attributes:
        place: Where it stands; line 1 where that is not known.
        message: The key, its value, what is wrong with it and what is allowed.
    """

    place: Place
    message: str


def plan_or_faults(file: Path, today: date) -> tuple[Plan | None, tuple[Fault, ...]]:
    """The plan of a stack file, or why there is none.

    Args:
        file: The file.
        today: Day on which access that is to end has ended.
    """
    try:
        return plan_of(open_stack_file(file, today=today), file.name), ()
    except SettingsError as error:
        return None, tuple(_faults(file, error.problems))


def _faults(file: Path, problems: Iterable[Problem]) -> Iterator[Fault]:
    try:
        content: Node | None = read_yaml(file)
    except YamlError:
        content = None
    for problem in problems:
        line, column = 1, 1
        if content:
            node, _ = content.at(("config", KEY, *problem.path))
            line, column = node.line, node.column
        elif found := _LINE.search(problem.message):
            line, column = int(found[1]), int(found[2] or 1)
        yield Fault(Place(file.name, problem.key, line, column, "written"), f"{problem.key}: {problem.message}")


def without_secrets(file: Path, project: str, *, lasting: date | None = None) -> str:
    """The configuration of a stack file for the engine: JSON, which is YAML, too. A broken file stays as it is.

    Args:
        file: The file.
        project: The project's name, for keys without a namespace.
        lasting: A day until which access lasts that has ended before: settings refuse such access, which is there
            until an update takes it away.
    """
    try:
        content = read_yaml(file).value
        given = content.get("config") if isinstance(content, dict) else None
    except YamlError:
        return file.read_text(encoding="utf-8", errors="replace")
    config = given if isinstance(given, dict) else {}
    named = {key if ":" in key else f"{project}:{key}": _open(value, lasting) for key, value in config.items()}
    return json.dumps({"config": named}, ensure_ascii=False)


def _open(value: Any, lasting: date | None) -> Any:
    if isinstance(value, list):
        return [_open(inner, lasting) for inner in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"secure"}:
        return SECRET
    opened = {key: _open(inner, lasting) for key, inner in value.items()}
    if lasting and _DAY.match(str(opened.get("until", ""))) and opened["until"] < lasting.isoformat():
        opened["until"] = lasting.isoformat()
    return opened


def people(departments: Iterable[Department]) -> tuple[frozenset[str], frozenset[str]]:
    """The users (by user principal name) and groups that departments name."""
    users, groups = set[str](), set[str]()
    for department in departments:
        users.add(department.admin)
        for _, name, is_group in everybody(department):
            (groups if is_group else users).add(name)
    return frozenset(users), frozenset(groups)


def existing(departments: Iterable[Department]) -> Mapping[str, str]:
    """The ids of resources that departments use and do not make, each with the region of who uses it."""
    found: dict[str, str] = {}
    for department in departments:
        ids = [text for text in _texts(department.model_dump(mode="json")) if _ID.fullmatch(text)]
        for _, section in sections(department):
            if isinstance(section, Network) and (group := section.dns_zones_group_id):
                ids += [f"{group}/providers/Microsoft.Network/privateDnsZones/{zone}" for zone in ALL_ZONES]
        found |= {id_: department.region for id_ in ids if id_ not in found}
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
