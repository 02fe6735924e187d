"""From a stack's configuration, or a stack file, to settings: parse, resolve, check.

The program and `python -m department check` take the same way, `_department_of`, so that both say the same of a stack.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path as File
from typing import Any

from pydantic import ValidationError

from settings.checks import Subject, cross_problems
from settings.department import Department
from settings.draft import draft
from settings.problems import KEY, Path, Problem, SettingsError, show
from settings.resolve import Resolved, resolve
from settings.shape import shape_problems
from settings.yamlfile import Node, YamlError, read_yaml

NAMESPACE, NAME = KEY.split(":")
_MOST_TOLD = 50  # problems of one file; a hostile one has a hundred thousand
_HOW = "Describe the department under it; docs/settings.md has every key and Pulumi.dev.yaml is an example."


@dataclass(frozen=True)
class StackFile:
    """A stack file whose settings can be used.

    Attributes:
        department: The settings, with every default.
        resolved: The values that were filled in, and the keys they come from.
        content: The file, with the place of every value.
        key: The key below `config` under which the file has the settings.
        unseen: Where values are encrypted (`secure`): only the program sees them, and `department` has blanks there.
    """

    department: Department
    resolved: Resolved
    content: Node
    key: str
    unseen: tuple[Path, ...]


@dataclass(frozen=True)
class _Parsed:
    department: Department
    resolved: Resolved
    unseen: tuple[Path, ...]


def parse_department(raw: object, file: str, *, today: date | None = None) -> Department:
    """Validated settings from the value of `azureml-platform:department`.

    Args:
        raw: The value as YAML or JSON gives it; None if it is absent.
        file: Name of the stack file, for messages.
        today: Day on which access that is to end has ended; the present day if left out.

    Raises:
        SettingsError: With every problem that there is, or the first 50.
    """
    return _parse(raw, file, today or date.today(), ()).department


def parse_configuration(config: Mapping[str, object], file: str) -> Department:
    """Validated settings from the configuration of the stack that is running.

    Args:
        config: Every key with its namespace, and the value as text, as an engine gives it, secrets decrypted.
        file: Name of the stack file, for messages.

    Raises:
        SettingsError: As `parse_department`; also for another key in the program's namespace.
    """
    return _department_of(config, file, date.today(), ()).department


def read_stack_file(path: File) -> Department:
    """Validated settings of a stack file, without an engine.

    Raises:
        SettingsError: If the file cannot be read, is no YAML, or has settings that cannot be used or seen.
    """
    return open_stack_file(path).department


def open_stack_file(path: File, *, today: date | None = None, blank_unseen: bool = False) -> StackFile:
    """A stack file with its settings and the place of each.

    Args:
        path: The file.
        today: As in `parse_department`.
        blank_unseen: Whether encrypted values are left blank, in place of an error that names them.

    Raises:
        SettingsError: As `read_stack_file`.
    """
    try:
        content = read_yaml(path)
    except YamlError as error:
        raise SettingsError(path.name, [Problem((), str(error))]) from None
    config = content.value.get("config") if isinstance(content.value, dict) else None
    given = config if isinstance(config, dict) else {}
    keys = {_full(str(key)): str(key) for key in given}
    values = {full: given[key] for full, key in keys.items()}
    unseen = tuple(_encrypted(values.get(KEY)))
    if unseen and not blank_unseen:
        what = "is encrypted (secure), which only the program can read. Settings hold no secrets: write it in clear."
        raise SettingsError(path.name, [Problem(place, what) for place in unseen])
    parsed = _department_of(values, path.name, today or date.today(), unseen)
    return StackFile(parsed.department, parsed.resolved, content, keys[KEY], parsed.unseen)


def _full(key: str) -> str:
    """A key with its namespace: without one, Pulumi takes it for the project's own."""
    return key if ":" in key else f"{NAMESPACE}:{key}"


def _encrypted(value: object, path: Path = ()) -> Iterator[Path]:
    """Where a value has the form of Pulumi's encrypted texts."""
    if isinstance(value, dict) and set(value) == {"secure"} and isinstance(value["secure"], str):
        yield path
        return
    entries: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, entry in entries:
        yield from _encrypted(entry, (*path, part))


def _department_of(config: Mapping[str, object], file: str, today: date, unseen: tuple[Path, ...]) -> _Parsed:
    strangers = [key for key in config if key.startswith(f"{NAMESPACE}:") and key != KEY]
    if strangers:
        raise SettingsError(
            file, [Problem((), f"is the only key that the program reads, not {show(key)}.") for key in strangers]
        )
    value = config.get(KEY)
    return _parse(_decoded(value) if isinstance(value, str) else value, file, today, unseen)


def _decoded(text: str) -> object:
    """An engine gives structured values as JSON, and people write such text with `pulumi config set`."""
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text  # a plain value where a structured one belongs: `_parse` says so


def _parse(raw: object, file: str, today: date, unseen: tuple[Path, ...]) -> _Parsed:
    if raw is None:
        raise SettingsError(file, [Problem((), f"is missing. {_HOW}")])
    if unseen == ((),):
        raw = {}
    if not isinstance(raw, dict):
        raise SettingsError(file, [Problem((), f"expected a mapping of keys, found {show(raw)}. {_HOW}")])
    resolved = resolve(raw)
    try:
        department, wrong, problems = Department.model_validate(resolved.raw), frozenset[Path](), list[Problem]()
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False)
        problems = list(islice(_seen(shape_problems(errors, resolved), resolved, unseen), _MOST_TOLD + 1))
        if len(problems) > _MOST_TOLD:
            raise _too_many(file, problems) from None
        wrong = frozenset(details["loc"][:length] for details in errors for length in range(len(details["loc"]) + 1))
        department = draft(Department, resolved.raw, wrong)
    known = {problem.path for problem in problems}
    checked = _seen(cross_problems(Subject(department, resolved, wrong, today)), resolved, unseen)
    problems.extend(islice((problem for problem in checked if problem.path not in known), _MOST_TOLD + 1))
    if len(problems) > _MOST_TOLD:
        raise _too_many(file, problems)
    if problems:
        raise SettingsError(file, problems)
    return _Parsed(department, resolved, unseen)


def _seen(problems: Iterator[Problem], resolved: Resolved, unseen: tuple[Path, ...]) -> Iterator[Problem]:
    """The problems of values that can be seen."""
    for problem in problems:
        path = resolved.origin(problem.path)
        if not any(path[: len(hidden)] == hidden for hidden in unseen):
            yield problem


def _too_many(file: str, problems: list[Problem]) -> SettingsError:
    rest = Problem((), f"has more problems than these {_MOST_TOLD}: mend them, and look again.")
    return SettingsError(file, [*problems[:_MOST_TOLD], rest])
