"""From a stack file, or the value of its key, to validated settings."""

import json
from datetime import date
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from settings.model import Department
from settings.problems import KEY, Problem, SettingsError, cross_problems, shape_problems, show
from settings.yamlfile import YamlError, read_yaml

NAMESPACE, NAME = KEY.split(":")
_MOST_TOLD = 50  # problems of one file; a hostile one has a hundred thousand
_HOW = "Describe the department under it; docs/settings.md has every key and Pulumi.dev.yaml is an example."


def parse_department(raw: object, file: str, *, today: date | None = None) -> Department:
    """Validated settings from the value of `azureml-platform:department`.

    Args:
        raw: The value as YAML or JSON gives it; None if it is absent.
        file: Name of the stack file, for messages.
        today: Day on which access that is to end has ended; the present day if left out.

    Raises:
        SettingsError: With every problem that there is, or the first 50.
    """
    if raw is None:
        raise SettingsError(file, [Problem((), f"is missing. {_HOW}")])
    if not isinstance(raw, dict):
        raise SettingsError(file, [Problem((), f"expected a mapping of keys, found {show(raw)}. {_HOW}")])
    problems: list[Problem] = []
    department = None
    try:
        department = Department.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        problems.extend(islice(shape_problems(error, raw), _MOST_TOLD + 1))
    known = {problem.path for problem in problems}
    further = (problem for problem in cross_problems(raw, known, today or date.today()) if problem.path not in known)
    problems.extend(islice(further, _MOST_TOLD + 1 - len(problems)))
    if len(problems) > _MOST_TOLD:
        problems[_MOST_TOLD:] = [Problem((), f"has more problems than these {_MOST_TOLD}: mend them, and look again.")]
    if problems or department is None:
        raise SettingsError(file, problems)
    return department


def read_stack_file(path: Path) -> Department:
    """Validated settings of a stack file, without an engine.

    Raises:
        SettingsError: If the file cannot be read, is no YAML, or has settings that cannot be used.
    """
    try:
        content = read_yaml(path)
    except YamlError as error:
        raise SettingsError(path.name, [Problem((), str(error))]) from None
    config = content.get("config") if isinstance(content, dict) else None
    config = config if isinstance(config, dict) else {}
    strangers = [str(key) for key in config if str(key).startswith(f"{NAMESPACE}:") and key != KEY]
    if strangers:
        raise SettingsError(
            path.name, [Problem((), f"is the only key that the program reads, not {show(key)}.") for key in strangers]
        )
    return parse_department(config.get(KEY), path.name)
