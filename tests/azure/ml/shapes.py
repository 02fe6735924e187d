"""What an answer must look like: every key, with its type, its pattern or its value."""

import re
from typing import Any

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?\+00:00")
ZULU = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CREATED = {"createdAt": TIME, "createdBy": str, "createdByType": "User"}
CHANGED = {"lastModifiedAt": TIME, "lastModifiedBy": str, "lastModifiedByType": "User"}
WRITTEN = {**CREATED, **CHANGED}


def differences(expected: Any, found: Any, at: str = "") -> list[str]:
    """Where an answer is not as expected.

    Args:
        expected: A type, a pattern of the whole text, a value, or a mapping or list of them. A mapping names all keys.
        found: The answer.
        at: The place in the answer, for the messages.
    """
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return [f"{at}: no object: {found!r}"]
        missing = [f"{at}.{key}: missing" for key in expected if key not in found]
        more = [f"{at}.{key}: not expected: {value!r}" for key, value in found.items() if key not in expected]
        inner = [
            one for key in expected if key in found for one in differences(expected[key], found[key], f"{at}.{key}")
        ]
        return missing + more + inner
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return [f"{at}: not {len(expected)} long: {found!r}"]
        pairs = enumerate(zip(expected, found, strict=True))
        return [line for index, (one, other) in pairs for line in differences(one, other, f"{at}[{index}]")]
    if isinstance(expected, re.Pattern):
        good = isinstance(found, str) and expected.fullmatch(found) is not None
    elif isinstance(expected, type):
        good = isinstance(found, expected)
    else:
        good = found == expected and type(found) is type(expected)
    return [] if good else [f"{at}: {found!r} is not {expected!r}"]


def refusal(region: str, message: Any, *inner: str, details: Any = ()) -> dict[str, Any]:
    """The refusal of the workspace's services."""
    chain: Any = None
    for code in reversed(inner):
        chain = {"code": code, "innerError": chain}
    info: list[tuple[str, Any]] = [
        ("ComponentName", "managementfrontend"),
        ("Correlation", {"operation": re.compile("[0-9a-f]{32}"), "request": re.compile("[0-9a-f]{16}")}),
        ("Environment", region),
        ("Location", region),
        ("Time", TIME),
        *([("InnerError", chain)] if inner else []),
    ]
    return {
        "error": {
            "code": "UserError",
            "message": message,
            "details": list(details),
            "additionalInfo": [{"type": name, "info": {"value": value}} for name, value in info],
        }
    }
