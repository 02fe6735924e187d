"""A resource's properties, in which a value may be unknown.

Pulumi marks a value that only the deployment will tell by one of seven ids, `pulumi preview --json` hides a secret as
`[secret]`. Both are one thing to a rule: a value that it must not take for right. Here they become `UNKNOWN`, whatever
they were read from.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"  # Pulumi's key for values that are no plain JSON
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (Pulumi's mark of a secret)
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"  # to a resource, which stands for its id
_SHOWN: Final = re.compile(r"\[secret\]|\[unknown\]|output<.*>")  # as Pulumi's displays write them


MARKS: Final[Mapping[str, str]] = {
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7": "boolean",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421": "number",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9": "string",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2": "Array",
    "030794c1-ac77-496b-92df-f27374a8bd58": "asset",
    "e48ece36-62e2-4504-bad9-02848725956a": "archive",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff": "Object",
}
"""Pulumi's ids of unknown values, and what each will be; those of pulumi_policy.proxy, whose import takes a second."""


class Unknown:
    """A value that is not known.

    Attributes:
        kind: The type of the value once it is known, in Pulumi's words: `string`, `Object`, `secret`, …
    """

    def __init__(self, kind: str = "string") -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"<unknown {self.kind}>"

    def __bool__(self) -> NoReturn:
        """No rule may take an unknown for true or false."""
        raise TypeError("a rule took an unknown value for true or false")


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
        if kind := MARKS.get(value):
            return Unknown(kind)
        return Unknown("secret" if "secret" in value else "string") if _SHOWN.fullmatch(value) else value
    if isinstance(value, list):
        return [read(item) for item in value]
    if isinstance(value, dict):
        return _special(value) if SIGNATURE in value else {key: read(item) for key, item in value.items()}
    return value


def _special(value: Mapping[str, Any]) -> Any:
    """A secret's or an output's value, a resource's id; an asset or archive stays as it is."""
    signature = value[SIGNATURE]
    if signature == _SECRET:
        if "value" in value:
            return read(value["value"])
        plain = value.get("plaintext")
        return read(json.loads(plain)) if isinstance(plain, str) else Unknown("secret")
    if signature == _REFERENCE:
        return read(value["id"]) if value.get("id") else Unknown()
    if signature == _OUTPUT:
        return read(value["value"]) if "value" in value else Unknown("output")
    return dict(value)


def at(properties: Any, path: str) -> Any:
    """The value at a dotted path of wire names, such as `sku.name`; None where there is none.

    Raises:
        UnknownValueError: If it, or what contains it, is not known.
    """
    keys = path.split(".")
    for depth, key in enumerate(keys, 1):
        if not isinstance(properties, dict):
            return None
        properties = properties.get(key)
        if isinstance(properties, Unknown):
            raise UnknownValueError(".".join(keys[:depth]), properties.kind)
    return properties


def known(value: Any, path: str) -> Any:
    """The value, if neither it nor anything in it is unknown.

    Raises:
        UnknownValueError: If something is; the error has its path.
    """
    if isinstance(value, Unknown):
        raise UnknownValueError(path, value.kind)
    if isinstance(value, dict):
        for key, item in value.items():
            known(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            known(item, f"{path}[{index}]")
    return value
