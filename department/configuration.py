"""The settings of the stack that is running."""

import pulumi
from pulumi.runtime import config

from settings import Department, SettingsError, parse_configuration


def load_department() -> Department:
    """The department of the stack that is running.

    Raises:
        pulumi.RunError: If the settings cannot be used; its text names file, key and what is allowed.
    """
    given = config.get_config_env() | config.CONFIG.get()
    try:
        return parse_configuration(given, f"Pulumi.{pulumi.get_stack()}.yaml")
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
