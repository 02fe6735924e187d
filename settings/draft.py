"""A department of which some values are wrong, so that the rest can be checked all the same."""

from collections.abc import Collection, Mapping
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, cast, get_args, get_origin

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from settings.problems import Path
from settings.types import Section, key_of, section_in

S = TypeVar("S", bound=Section)
_BLANKS = {str: "", int: 0, float: 0.0, bool: False, date: date.max}


def draft(section: type[S], raw: Mapping[str, Any], wrong: Collection[Path], path: Path = ()) -> S:
    """A section with its right values, and a blank one in the place of each that is wrong.

    Lists keep their length, so that paths stay what they are.

    Args:
        section: The type.
        raw: The section's resolved value.
        wrong: Where values are wrong, and every path above them.
        path: Where the section is.
    """
    values = {}
    for name, field in section.model_fields.items():
        key = key_of(name, field)
        values[name] = _value(field, raw[key], wrong, (*path, key)) if key in raw else _blank(field)
    return cast(S, section.model_construct(**values))


def _value(field: FieldInfo, raw: Any, wrong: Collection[Path], path: Path) -> Any:
    if path not in wrong:
        return _adapter(cast(Any, field.annotation), tuple(field.metadata)).validate_python(raw)
    section = section_in(field.annotation)
    if _is_list(field.annotation):
        entries = raw if isinstance(raw, list) else []
        return tuple(_entry(section, entry, wrong, (*path, i)) for i, entry in enumerate(entries))
    return draft(section, raw, wrong, path) if section and isinstance(raw, dict) else _blank(field)


def _entry(section: type[Section] | None, raw: Any, wrong: Collection[Path], path: Path) -> Any:
    if section is None:
        return raw if path not in wrong else ""
    return draft(section, _mapping(raw), wrong, path) if path in wrong else section.model_validate(raw)


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is tuple or any(get_origin(option) is tuple for option in get_args(annotation))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _blank(field: FieldInfo) -> Any:
    if not field.is_required():
        return field.get_default(call_default_factory=True)
    kind = field.annotation
    if get_origin(kind) is tuple:
        return ()
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Section):
        return draft(kind, {}, ())
    return _BLANKS[kind]  # type: ignore[index] # a plain value


@cache
def _adapter(annotation: Any, metadata: tuple[Any, ...]) -> TypeAdapter[Any]:
    return TypeAdapter(Annotated[(annotation, *metadata)] if metadata else annotation)
