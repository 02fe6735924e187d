"""How a rule of this pack is made.

A rule looks at one property of a resource's inputs, in Azure's wire names. A value that is not known during a preview
is never taken for right: the SDK then reports, as a warning, that the rule cannot run, and it runs during the up.
A wrong or absent configuration is a violation too, never a pass.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pulumi_policy import (
    PolicyComplianceFramework,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
)

Check = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[str]]
"""From a resource's properties and the rule's configuration to what is wrong."""

Remedy = Callable[[Any], Any]
"""From a resource's properties to right ones, for the enforcement level `remediate`."""


class ConfigError(ValueError):
    """The rule's configuration cannot be used."""


def rule(
    name: str,
    description: str,
    *,
    resource: str,
    check: Check,
    severity: Severity,
    framework: PolicyComplianceFramework,
    url: str,
    remediation_steps: str,
    config: Mapping[str, Mapping[str, Any]] | None = None,
    remedy: Remedy | None = None,
) -> ResourceValidationPolicy:
    """A rule for one type of resource.

    Args:
        name: `<service>-<resource>-<verb>-…`; unique in the pack.
        description: What must hold, in one sentence.
        resource: Type, such as `machinelearningservices:Compute`, of any API version.
        check: Yields one sentence for each thing that is wrong.
        severity: How bad a violation is.
        framework: Where the rule comes from.
        url: Page that explains it.
        remediation_steps: What to do about a violation.
        config: JSON schema of each configuration key; all of them are required.
        remedy: Sets the properties right where the stack's configuration asks for `remediate`.
    """
    module, _, type_name = resource.partition(":")
    matches = re.compile(rf"azure-native:{module}(/v\w+)?:{type_name}").fullmatch

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if not matches(args.resource_type):
            return
        try:
            problems = list(check(args.props, args.get_config()))
        except ConfigError as error:
            problems = [f"the rule's configuration in policies/<stack>.json (--policy-pack-config) is wrong: {error}"]
        for problem in problems:
            report(f"{args.name}: {problem}", None)

    def remediate(args: ResourceValidationArgs) -> Any:
        return remedy(args.props) if remedy and matches(args.resource_type) else None

    return ResourceValidationPolicy(
        name=name,
        description=description,
        validate=validate,
        remediate=remediate if remedy else None,
        config_schema=PolicyConfigSchema({key: dict(schema) for key, schema in config.items()}, list(config))
        if config
        else None,
        severity=severity,
        framework=framework,
        tags=["azure", "machine-learning"],
        remediation_steps=remediation_steps,
        url=url,
    )


def at(properties: Any, *path: str) -> Any:
    """The value at a path of wire names, or None where there is none.

    Raises:
        UnknownValueError: If a value on the path is not known during a preview; the SDK turns it into a warning.
    """
    for key in path:
        if not isinstance(properties, Mapping):
            return None
        properties = properties.get(key)
    return properties


def texts(config: Mapping[str, Any], key: str, *, among: Iterable[str] | None = None) -> list[str]:
    """A configured list of texts that is not empty.

    Raises:
        ConfigError: If it is absent, empty, something else, or has a text that is not `among` the allowed ones.
    """
    values = config.get(key)
    if not isinstance(values, list) or not values or not all(isinstance(value, str) and value for value in values):
        raise ConfigError(f"'{key}' must be a list of texts and not empty, it is {values!r}")
    allowed = None if among is None else list(among)
    for value in values:
        if allowed is not None and value not in allowed:
            raise ConfigError(f"'{key}' has {value!r}, which is not one of {', '.join(allowed)}")
    return values


def whole_number(config: Mapping[str, Any], key: str) -> int:
    """A configured whole number of at least 0. On the wire all numbers are floats.

    Raises:
        ConfigError: If it is absent or something else.
    """
    value = config.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0 or int(value) != value:
        raise ConfigError(f"'{key}' must be a whole number of at least 0, it is {value!r}")
    return int(value)
