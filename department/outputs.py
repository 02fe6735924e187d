"""Filling the contract: its models with Pulumi's outputs in the place of the values that they become."""

from typing import Any, TypeVar, cast

import pulumi

from contract import Output

T = TypeVar("T")


def later(value: pulumi.Output[T]) -> T:
    """A value that is known only when its resource is made, typed as what it becomes.

    Use it for the fields of a model that `model_construct` makes, and for nothing else.
    """
    return cast(T, value)


def exported(value: Any) -> Any:
    """A model with everything in it as the mappings and lists that Pulumi exports."""
    if isinstance(value, Output):
        fields = type(value).model_fields
        return {field.alias or name: exported(getattr(value, name)) for name, field in fields.items()}
    if isinstance(value, dict):
        return {key: exported(entry) for key, entry in value.items()}
    return [exported(entry) for entry in value] if isinstance(value, list) else value
