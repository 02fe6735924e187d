"""Conditions of role assignments, as far as they tell storage accounts, containers and actions apart.

Source: learn.microsoft.com/azure/role-based-access-control/conditions-format.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

_TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<and>AND\b|&&)|(?P<or>OR\b|\|\|)|(?P<not>NOT\b|!)"
    r"|SubOperationMatches\s*\{\s*'(?P<part>[^']*)'\s*\}|ActionMatches\s*\{\s*'(?P<action>[^']*)'\s*\}"
    r"|@(?:Resource|Request)\[(?P<attribute>[^\]]+)\]\s+"
    r"(?P<operator>String(?:Not)?(?:Equals|StartsWith)(?:IgnoreCase)?)\s+'(?P<value>[^']*)')\s*",
    re.IGNORECASE,
)
_ATTRIBUTES = {
    "microsoft.storage/storageaccounts:name": "account",
    "microsoft.storage/storageaccounts/blobservices/containers:name": "container",
    "microsoft.storage/storageaccounts/blobservices/containers/blobs:path": "path",
    "microsoft.storage/storageaccounts/blobservices/containers/blobs:prefix": "path",
}
FOLDERS = re.compile(r"blobs:path\]\s+String(?:Not)?StartsWith\s+'([^']+)/'", re.IGNORECASE)
"""The folders that a condition tells apart."""


class UnreadConditionError(ValueError):
    """A condition has something that is not read here."""


@dataclass(frozen=True)
class Request:
    """What a condition is asked about.

    Attributes:
        action: The data action.
        account: Name of the storage account; empty for another kind of resource.
        container: Name of the container; empty for the account as a whole.
        path: Path of a file in it; empty for one that is in no folder of its own. No list of files is asked for.
    """

    action: str
    account: str = ""
    container: str = ""
    path: str = ""


Test = Callable[[Request], bool]


def holds(condition: str, request: Request) -> bool:
    """Whether a condition lets a request pass.

    Raises:
        UnreadConditionError: It has something else than comparisons of names and actions.
    """
    return _Reader(condition).read()(request)


class _Reader:
    """Reads a condition from left to right: OR of ANDs of comparisons, negations and parentheses."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._next = self._scan()

    def read(self) -> Test:
        test = self._any()
        if self._next is not None:
            raise UnreadConditionError(self._text)
        return test

    def _scan(self) -> re.Match[str] | None:
        if not self._text[self._at :].strip():
            return None
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            raise UnreadConditionError(self._text)
        self._at = found.end()
        return found

    def _takes(self, kind: str) -> re.Match[str] | None:
        found = self._next
        if found is None or found[kind] is None:
            return None
        self._next = self._scan()
        return found

    def _any(self) -> Test:
        tests = [self._all()]
        while self._takes("or"):
            tests.append(self._all())
        return lambda request: any(test(request) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._takes("and"):
            tests.append(self._one())
        return lambda request: all(test(request) for test in tests)

    def _one(self) -> Test:
        if self._takes("not"):
            denied = self._one()
            return lambda request: not denied(request)
        if self._takes("open"):
            inner = self._any()
            if not self._takes("close"):
                raise UnreadConditionError(self._text)
            return inner
        if found := self._takes("action"):
            pattern = found["action"].lower()
            return lambda request: fnmatchcase(request.action.lower(), pattern)
        if self._takes("part"):
            return lambda _: False  # the only one is Blob.List
        if found := self._takes("attribute"):
            return _comparison(found)
        raise UnreadConditionError(self._text)


def _comparison(found: re.Match[str]) -> Test:
    name = _ATTRIBUTES.get(found["attribute"].strip().lower())
    if name is None:
        raise UnreadConditionError(found.string)
    operator, value = found["operator"].lower(), found["value"]
    wanted = not operator.startswith("stringnot")

    def test(request: Request) -> bool:
        own, other = str(getattr(request, name)), value
        if operator.endswith("ignorecase"):
            own, other = own.lower(), other.lower()
        found_there = own.startswith(other) if "startswith" in operator else own == other
        return found_there is wanted

    return test
