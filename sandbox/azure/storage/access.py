"""Owners, permissions and access control lists of a hierarchical namespace, as its clients write and read them.

They are kept and shown, not evaluated: role assignments decide alone.
Source: learn.microsoft.com/azure/storage/blobs/data-lake-storage-access-control.
"""

import re

from sandbox.azure.storage.errors import StorageError

ENTRY = re.compile(r"(default:)?(user|group|mask|other):([^:,]*)(?::([r-][w-][x-]))?")
SYMBOLIC = re.compile(r"([r-][w-][x-]){3}")
OCTAL = re.compile(r"[0-7]{3,4}")
DEFAULT_UMASK = 0o027

Acl = dict[str, str]
"""Permissions such as `r-x` by scope, type and id such as `user::`, `default:group:ID`."""


def parse(acl: str, *, removal: bool = False) -> Acl:
    """The entries of a list; those to remove have no permissions.

    Raises:
        StorageError: 400 InvalidInput.
    """
    entries: Acl = {}
    for text in acl.split(","):
        match = ENTRY.fullmatch(text.strip())
        if match is None or (match[4] is None) != removal:
            raise StorageError("InvalidInput", f"The access control list entry '{text}' is invalid.")
        entries[f"{match[1] or ''}{match[2]}:{match[3]}"] = match[4] or ""
    return entries


def render(acl: Acl) -> str:
    """The list in the form in which clients send it."""
    return ",".join(f"{who}:{permissions}" for who, permissions in acl.items())


def permissions(acl: str) -> str:
    """The permissions as nine letters; `+` follows where the list has more entries."""
    entries = parse(acl)
    group = entries.get("mask:", entries.get("group:", "---"))
    more = "+" if entries.keys() - {"user:", "group:", "other:"} else ""
    return entries.get("user:", "---") + group + entries.get("other:", "---") + more


def with_permissions(acl: str, text: str, umask: int = 0) -> str:
    """The list with the owner's, group's and others' permissions as given: `rwxr-x---` or octal.

    Raises:
        StorageError: 400 InvalidInput.
    """
    mode = _mode(text) & ~umask
    triples = ["".join(letter if mode >> shift + bit & 1 else "-" for letter, bit in zip("rwx", (2, 1, 0), strict=True))
               for shift in (6, 3, 0)]  # fmt: skip
    entries = parse(acl)
    entries |= {"user:": triples[0], "mask:" if "mask:" in entries else "group:": triples[1], "other:": triples[2]}
    return render(entries)


def umask(text: str | None) -> int:
    """What a new path's permissions leave out; 0027 where the request does not say.

    Raises:
        StorageError: 400 InvalidInput.
    """
    if text is None:
        return DEFAULT_UMASK
    if not OCTAL.fullmatch(text):
        raise StorageError("InvalidInput", f"The umask '{text}' is invalid: write four octal digits.")
    return int(text, 8)


def _mode(text: str) -> int:
    if OCTAL.fullmatch(text):
        return int(text, 8)
    if not SYMBOLIC.fullmatch(text):
        raise StorageError("InvalidInput", f"The permissions '{text}' are invalid: write 'rwxr-x---' or '0750'.")
    return int("".join("0" if letter == "-" else "1" for letter in text), 2)


def changed(acl: str, mode: str, entries: str) -> str:
    """The list after a recursive change: `set`, `modify` or `remove` of entries.

    Raises:
        StorageError: 400 for another mode or invalid entries.
    """
    given = parse(entries, removal=mode == "remove")
    if mode == "set":
        return render(given)
    if mode == "modify":
        return render(parse(acl) | given)
    if mode == "remove":
        return render({who: what for who, what in parse(acl).items() if who not in given})
    raise StorageError("InvalidQueryParameterValue", details={"QueryParameterName": "mode"})
