"""Tags that an organization wants, beside those that the settings give every resource.

Azure's limits: learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations. Storage
accounts allow names of 128 characters; private DNS zones and the secrets of a key vault hold 15 tags.
"""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from settings.types import fault

COMPUTED = ("department", "team", "environment", "owner", "costCenter")
"""Tags that the settings give: their values come from other keys."""

MOST = 15 - len(COMPUTED)
"""Most tags beside the computed ones: the smallest limit of any type of resource, less the computed ones."""

_LONGEST_NAME, _LONGEST_VALUE = 128, 256
_NAME = re.compile(rf"[^<>%&\\?/\x00-\x1f\x7f]{{1,{_LONGEST_NAME}}}")
_RESERVED = ("azure", "microsoft", "windows")


def merged(*tags: Mapping[str, str]) -> dict[str, str]:
    """The tags together. Azure compares names without case, so a later tag replaces an earlier one of any case."""
    together: dict[str, tuple[str, str]] = {}
    for name, value in (pair for group in tags for pair in group.items()):
        together[name.lower()] = (name, value)
    return dict(together.values())


def _checked(tags: Mapping[str, str]) -> Mapping[str, str]:
    """The tags.

    Raises:
        PydanticCustomError: If Azure would refuse one, or if another setting gives it.
    """
    seen: dict[str, str] = {}
    for name, value in tags.items():
        _check_name(name)
        if len(value) > _LONGEST_VALUE:
            raise fault(
                "the value of tag '{name}' has {length} characters; Azure allows {most}.",
                name=name,
                length=str(len(value)),
                most=str(_LONGEST_VALUE),
            )
        if (other := seen.setdefault(name.lower(), name)) != name:
            raise fault(
                "'{name}' and '{other}' are one tag: Azure compares names without case.", name=name, other=other
            )
    return tags


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name) or name.lower().startswith(_RESERVED):
        raise fault(
            "'{name}' cannot be the name of a tag. Azure allows 1 to {most} characters without < > % & \\ ? /, "
            "and no name that starts with {reserved}.",
            name=name,
            most=str(_LONGEST_NAME),
            reserved=", ".join(_RESERVED),
        )
    if name.lower() in {computed.lower() for computed in COMPUTED}:
        raise fault(
            "'{name}' is a tag that the settings give: {computed}. Set owner or costCenter for their values.",
            name=name,
            computed=", ".join(COMPUTED),
        )
    return name


Tags = Annotated[Mapping[str, str], Field(max_length=MOST), AfterValidator(_checked)]
"""Names and values of tags."""

TagName = Annotated[str, AfterValidator(_check_name)]
