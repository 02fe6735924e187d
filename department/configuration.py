"""The settings of the stack that is running."""

import json
from typing import Any

import pulumi

from settings import Department, SettingsError, parse_department
from settings.parse import NAME, NAMESPACE


def load_department() -> Department:
    """The department of the stack that is running.

    Raises:
        pulumi.RunError: If the settings cannot be used; its text names file, key and what is allowed.
    """
    file = f"Pulumi.{pulumi.get_stack()}.yaml"
    text = pulumi.Config(NAMESPACE).get(NAME)
    try:
        return parse_department(None if text is None else _decoded(text), file)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text  # a plain value where a structured one belongs: the model says so
