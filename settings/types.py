"""The values that settings are made of: the base of every section, and the types of single values.

Every field's description says what it means and what is allowed. Messages, the JSON schema and docs/settings.md are
made from it.
"""

import ipaddress
from datetime import date
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    Strict,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from catalogue import regions, vm_sizes

T = TypeVar("T")
Entries = Annotated[tuple[T, ...], Strict(False)]
"""A list, which YAML and JSON give as one and which nobody changes later."""

UNSEEN = r"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
"""Characters that a reader would not see, for patterns."""

SMALLEST_SPACE, LARGEST_SPACE = 26, 16
"""Prefix lengths of a virtual network: half of the smallest has 32 addresses, of which Azure takes 5."""

_PRIVATE_RANGES = [ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
_RESOLVED = "x-resolved"


class Section(BaseModel):
    """A section of the settings. Keys are camelCase in the file, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", alias_generator=to_camel, allow_inf_nan=False)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Leave out of the required keys those that `settings.resolve` fills in."""
        json_schema = handler(schema)
        shape = handler.resolve_ref_schema(json_schema)
        filled = {key for key, field in shape.get("properties", {}).items() if field.pop(_RESOLVED, False)}
        if filled and (required := [key for key in shape.get("required", ()) if key not in filled]):
            shape["required"] = required
        elif filled:
            shape.pop("required", None)
        return json_schema


def resolved(description: str, **constraints: Any) -> Any:
    """A field that `settings.resolve` fills in where the file leaves it out.

    Args:
        description: Its meaning, with what takes its place if it is left out.
        constraints: As `pydantic.Field` takes them.
    """
    return Field(description=description, json_schema_extra={_RESOLVED: True}, **constraints)


def fault(message: str, **values: str) -> PydanticCustomError:
    """The error that a validator raises: its message is shown as it is, with the values in the place of `{name}`."""
    return PydanticCustomError("own", message, values)


def key_of(name: str, field: FieldInfo) -> str:
    """A field's key in the file."""
    return field.alias or name


def section_in(annotation: Any) -> type[Section] | None:
    """The section that a field's type is, lists or allows; None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((section for section in map(section_in, get_args(annotation)) if section), None)


def is_resolved(field: FieldInfo) -> bool:
    """Whether `settings.resolve` fills the field in."""
    return isinstance(field.json_schema_extra, dict) and _RESOLVED in field.json_schema_extra


def _known_size(name: str) -> str:
    size = vm_sizes.find(name)
    if size is None:
        raise PydanticCustomError("vm_size", "is not a known VM size.")
    return size.name


def _known_region(name: str) -> str:
    region = regions.find(name)
    if region is None and (cloud := regions.cloud_of(name)):
        raise fault(
            "'{name}' is a region of {cloud}. This program works only in Azure's public cloud: the other clouds have "
            "other addresses, directories and services.",
            name=name,
            cloud=cloud,
        )
    if region is None:
        raise PydanticCustomError("region", "is not a known Azure region.")
    return region


def _network(text: str) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(text)
    except ValueError:
        return None


def _public_range(text: str) -> str:
    """Storage, key vault and registry all take it: IPv4, not private, and no range of two addresses."""
    network = _network(text)
    if network is None:
        raise fault("'{text}' is no IPv4 address or range such as 203.0.113.0/24.", text=text)
    if any(network.overlaps(private) for private in _PRIVATE_RANGES) or network.prefixlen == ipaddress.IPV4LENGTH - 1:
        raise fault(
            "'{text}' cannot be listed: give public addresses, singly or as a range of four and more.", text=text
        )
    return text


def _address_space(text: str) -> str:
    network = _network(text)
    if network is None or not LARGEST_SPACE <= network.prefixlen <= SMALLEST_SPACE:
        raise fault(
            "'{text}' is no IPv4 range with a prefix length of {largest} to {smallest}, such as 10.20.0.0/24.",
            text=text,
            largest=str(LARGEST_SPACE),
            smallest=str(SMALLEST_SPACE),
        )
    return text


def _day(value: Any) -> Any:
    """A day from text. Without quotes it arrives as midnight, which Pulumi makes text of as Go does."""
    try:
        return date.fromisoformat(value.removesuffix("T00:00:00Z").removesuffix(" 00:00:00 +0000 UTC"))
    except (AttributeError, ValueError):
        return value


# Editors complete from the table, and do not underline other letter case.
VmSizeName = Annotated[
    str,
    AfterValidator(_known_size),
    WithJsonSchema({"anyOf": [{"enum": list(vm_sizes.known())}, {"type": "string", "pattern": "^[A-Za-z]+_\\w+"}]}),
]
Region = Annotated[
    str,
    AfterValidator(_known_region),
    WithJsonSchema({"anyOf": [{"enum": sorted(regions.REGIONS)}, {"type": "string", "pattern": "[A-Z ]"}]}),
]
_USER = r"^[^@\s/" + UNSEEN + r"]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,5}$"
UserName = Annotated[str, Field(pattern=_USER), AfterValidator(str.lower)]
Cron = Annotated[str, Field(pattern=r"^\S{1,64}( \S{1,64}){4}$")]
IpRange = Annotated[str, AfterValidator(_public_range)]
Cidr = Annotated[str, AfterValidator(_address_space)]
Month = Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]
Day = Annotated[date, BeforeValidator(_day)]
Days = Annotated[int, Field(ge=1, le=36500)]
_GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
Guid = Annotated[str, Field(pattern=f"^{_GUID}$")]
Person = Annotated[str, Field(pattern=f"{_USER}|^{_GUID.replace('f]', 'fA-F]')}$"), AfterValidator(str.lower)]
"""A user: by principal name, by mail address as guests are known, or by object id."""
RegistrySku = Literal["Basic", "Standard", "Premium"]
PRODUCTION = "pro"
"""The environment in which the safer defaults hold."""
Environment = Literal["res", "dev", "pro"]
