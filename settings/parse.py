"""From the value of `azureml-platform:department`, or a stack file, to settings: parse, resolve, check."""

from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path as File

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
    """

    department: Department
    resolved: Resolved
    content: Node


def parse_department(raw: object, file: str, *, today: date | None = None) -> Department:
    """Validated settings from the value of `azureml-platform:department`.

    Args:
        raw: The value as YAML or JSON gives it; None if it is absent.
        file: Name of the stack file, for messages.
        today: Day on which access that is to end has ended; the present day if left out.

    Raises:
        SettingsError: With every problem that there is, or the first 50.
    """
    department, _ = _parse(raw, file, today or date.today())
    return department


def read_stack_file(path: File) -> Department:
    """Validated settings of a stack file, without an engine.

    Raises:
        SettingsError: If the file cannot be read, is no YAML, or has settings that cannot be used.
    """
    return open_stack_file(path).department


def open_stack_file(path: File, *, today: date | None = None) -> StackFile:
    """A stack file with its settings and the place of each.

    Args:
        path: The file.
        today: As in `parse_department`.

    Raises:
        SettingsError: As `read_stack_file`.
    """
    try:
        content = read_yaml(path)
    except YamlError as error:
        raise SettingsError(path.name, [Problem((), str(error))]) from None
    config = content.value.get("config") if isinstance(content.value, dict) else None
    config = config if isinstance(config, dict) else {}
    strangers = [str(key) for key in config if str(key).startswith(f"{NAMESPACE}:") and key != KEY]
    if strangers:
        raise SettingsError(
            path.name, [Problem((), f"is the only key that the program reads, not {show(key)}.") for key in strangers]
        )
    return StackFile(*_parse(config.get(KEY), path.name, today or date.today()), content)


def _parse(raw: object, file: str, today: date) -> tuple[Department, Resolved]:
    if raw is None:
        raise SettingsError(file, [Problem((), f"is missing. {_HOW}")])
    if not isinstance(raw, dict):
        raise SettingsError(file, [Problem((), f"expected a mapping of keys, found {show(raw)}. {_HOW}")])
    resolved = resolve(raw)
    try:
        department, wrong, problems = Department.model_validate(resolved.raw), frozenset[Path](), list[Problem]()
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False)
        problems = list(islice(shape_problems(errors, resolved), _MOST_TOLD + 1))
        if len(problems) > _MOST_TOLD:
            raise _too_many(file, problems) from None
        wrong = frozenset(details["loc"][:length] for details in errors for length in range(len(details["loc"]) + 1))
        department = draft(Department, resolved.raw, wrong)
    known = {problem.path for problem in problems}
    checked = cross_problems(Subject(department, resolved, wrong, today))
    problems.extend(islice((problem for problem in checked if problem.path not in known), _MOST_TOLD + 1))
    if len(problems) > _MOST_TOLD:
        raise _too_many(file, problems)
    if problems:
        raise SettingsError(file, problems)
    return department, resolved


def _too_many(file: str, problems: list[Problem]) -> SettingsError:
    rest = Problem((), f"has more problems than these {_MOST_TOLD}: mend them, and look again.")
    return SettingsError(file, [*problems[:_MOST_TOLD], rest])
