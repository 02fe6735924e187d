"""A resource's properties, in which a value may be unknown.

Pulumi marks a value that only the deployment will tell by one of seven ids, `pulumi preview --json` hides a secret as
`[secret]`. Both are one thing to a rule: a value that it must not take for right. Here they become `UNKNOWN`, whatever
they were read from.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NoReturn

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"  # Pulumi's key for values that are no plain JSON
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (Pulumi's mark of a secret)
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_SHOWN: Final = re.compile(r"\[secret\]|\[unknown\]|output<.*>")  # as Pulumi's displays write them


@cache
def _marks() -> Mapping[str, str]:
    """Pulumi's ids of unknown values, and what each will be."""
    from pulumi_policy import proxy  # noqa: PLC0415 - a second's import, which a command line's --help does without

    return {
        proxy.UNKNOWN_BOOLEAN_VALUE: "boolean",
        proxy.UNKNOWN_NUMBER_VALUE: "number",
        proxy.UNKNOWN_STRING_VALUE: "string",
        proxy.UNKNOWN_ARRAY_VALUE: "Array",
        proxy.UNKNOWN_ASSET_VALUE: "asset",
        proxy.UNKNOWN_ARCHIVE_VALUE: "archive",
        proxy.UNKNOWN_OBJECT_VALUE: "Object",
    }


class Unknown:
    """A value that is not known.

    Attributes:
        kind: What it will be, in Pulumi's words: `string`, `Object`, `secret`, …
    """

    def __init__(self, kind: str = "string") -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"<unknown {self.kind}>"

    def __bool__(self) -> NoReturn:
        """No rule may take an unknown for true or false."""
        raise TypeError("an unknown value was asked whether it is true")


class UnknownValueError(Exception):
    """A rule needs a value that is not known."""

    def __init__(self, path: str, kind: str) -> None:
        super().__init__(path, kind)
        self.path, self.kind = path, kind

    def __str__(self) -> str:
        return f"{self.kind} value at .{self.path} can't be known during preview"


def read(value: Any) -> Any:
    """A value as it stands on the wire or in a file, with every secret opened and every unknown an `Unknown`."""
    if isinstance(value, str):
        if kind := _marks().get(value):
            return Unknown(kind)
        return Unknown("secret" if "secret" in value else "string") if _SHOWN.fullmatch(value) else value
    if isinstance(value, list):
        return [read(item) for item in value]
    if isinstance(value, Mapping):
        return _special(value) if SIGNATURE in value else {key: read(item) for key, item in value.items()}
    return value


def _special(value: Mapping[str, Any]) -> Any:
    """A secret's or an output's value; an asset or archive stays as it is."""
    signature = value[SIGNATURE]
    if signature == _SECRET:
        if "value" in value:
            return read(value["value"])
        plain = value.get("plaintext")
        return read(json.loads(plain)) if isinstance(plain, str) else Unknown("secret")
    if signature == _OUTPUT:
        return read(value["value"]) if "value" in value else Unknown("output")
    return dict(value)


def at(properties: Any, path: str) -> Any:
    """The value at a dotted path of wire names, such as `sku.name`; None where there is none.

    Raises:
        UnknownValueError: If it, or what contains it, is not known.
    """
    walked: list[str] = []
    for key in path.split("."):
        if not isinstance(properties, Mapping):
            return None
        walked.append(key)
        properties = properties.get(key)
        if isinstance(properties, Unknown):
            raise UnknownValueError(".".join(walked), properties.kind)
    return properties


def known(value: Any, path: str) -> Any:
    """The value, if neither it nor anything in it is unknown.

    Raises:
        UnknownValueError: If something is; the error has its path.
    """
    if isinstance(value, Unknown):
        raise UnknownValueError(path, value.kind)
    if isinstance(value, Mapping):
        for key, item in value.items():
            known(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            known(item, f"{path}[{index}]")
    return value
