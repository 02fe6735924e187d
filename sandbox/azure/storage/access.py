"""Owners, permissions and access control lists of a hierarchical namespace, as its clients write and read them.

`pathaccess` evaluates them. Source: learn.microsoft.com/azure/storage/blobs/data-lake-storage-access-control.
"""

import re

from sandbox.azure.storage.errors import StorageError

ENTRY = re.compile(r"(default:)?(user|group|mask|other):([^:,]*)(?::([r-][w-][x-]))?")
SYMBOLIC = re.compile(r"([r-][w-][x-]){3}")
OCTAL = re.compile(r"[0-7]{3,4}")
DEFAULT_UMASK = 0o027
PLAIN = ("user:", "group:", "mask:", "other:")  # how entries begin that are not defaults

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
    """The list in the form and the order in which the service shows it."""
    return ",".join(f"{who}:{permissions}" for who, permissions in sorted(acl.items(), key=_place))


def _place(entry: tuple[str, str]) -> tuple[bool, int, str]:
    """Defaults last; users, groups, mask, others; within a type the base entry first, then by id."""
    kind, _, name = entry[0].removeprefix("default:").partition(":")
    return entry[0].startswith("default:"), ("user", "group", "mask", "other").index(kind), name


def completed(acl: Acl) -> Acl:
    """A list with what the service adds: a mask beside named entries, and the base entries of a default list."""
    entries = dict(acl)
    for scope in ("", "default:"):
        own = {who.removeprefix(scope): what for who, what in entries.items() if who.startswith(scope or PLAIN)}
        if not own:
            continue
        for base in ("user:", "group:", "other:") if scope else ():
            entries.setdefault(scope + base, entries.get(base, "---"))
        named = [what for who, what in own.items() if who.startswith(("user:", "group:")) and not who.endswith(":")]
        if named and "mask:" not in own:
            entries[f"{scope}mask:"] = joined([*named, entries.get(f"{scope}group:", "---")])
    return entries


def joined(permissions: list[str]) -> str:
    """The permissions that any of the given ones has."""
    return "".join(letter if any(letter in text for text in permissions) else "-" for letter in "rwx")


def inherited(acl: str, *, directory: bool) -> str:
    """The list of a new path below a directory with this list; empty where the directory has no default list."""
    default = {who.removeprefix("default:"): what for who, what in parse(acl).items() if who.startswith("default:")}
    if not default:
        return ""
    passed_on = {f"default:{who}": what for who, what in default.items()} if directory else {}
    return render({**default, **passed_on})


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
    """The permissions that a new path leaves out; 0027 where the request does not say.

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
        return render(completed(given))
    if mode == "modify":
        scopes = [scope for scope in ("", "default:") if f"{scope}mask:" not in given]
        masks = {f"{scope}mask:" for scope in scopes}  # computed anew, as setfacl does
        return render(completed({who: what for who, what in parse(acl).items() if who not in masks} | given))
    if mode == "remove":
        return render({who: what for who, what in parse(acl).items() if who not in given})
    raise StorageError("InvalidQueryParameterValue", details={"QueryParameterName": "mode"})
