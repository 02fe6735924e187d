"""Property values as they go over Pulumi's wire: plain dicts and lists, with secrets, unknowns and assets as markers.

The engine works on these dicts all the way, without value classes: a secret is `{SIG: SECRET, "value": v}`, an unknown
the string `UNKNOWN`, a reference to a resource `{SIG: RESOURCE, "urn": ..., "id": ...}`. Numbers are floats, as they
are in `google.protobuf.Struct`.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from google.protobuf import struct_pb2

SIG = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (the marker, not a secret)
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Map = dict[str, Any]
Path_ = list[str | int]


def from_struct(struct: struct_pb2.Struct) -> Map:
    """The dict that a protobuf Struct holds (two thirds of the time that `json_format` takes)."""
    return {key: _from_value(value) for key, value in struct.fields.items()}


def _from_value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        return {key: _from_value(inner) for key, inner in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_from_value(inner) for inner in value.list_value.values]
    if kind == "number_value":
        return value.number_value
    return value.bool_value if kind == "bool_value" else None


def to_struct(values: Map) -> struct_pb2.Struct:
    """A protobuf Struct of a dict."""
    struct = struct_pb2.Struct()
    struct.update(values)
    return struct


def secret(value: Any) -> Map:
    """The value marked secret; a value that is marked already stays as it is."""
    return cast("Map", value) if is_secret(value) else {SIG: SECRET, "value": value}


def is_secret(value: Any) -> bool:
    """Whether the value itself, and not only something in it, is marked secret."""
    return isinstance(value, dict) and value.get(SIG) == SECRET


def has_secret(value: Any) -> bool:
    """Whether the value or anything in it is marked secret."""
    return any(is_secret(part) for part in _parts(value))


def has_asset(value: Any) -> bool:
    """Whether the value or anything in it is an asset or an archive."""
    return any(isinstance(part, dict) and part.get(SIG) in (ASSET, ARCHIVE) for part in _parts(value))


def has_unknown(value: Any) -> bool:
    """Whether the value or anything in it is not known yet."""
    return any(part == UNKNOWN for part in _parts(value))


def _parts(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict):
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)


def rewrite(value: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of the value in which `change` has replaced every object (innermost first) and scalar."""
    if isinstance(value, dict):
        return change({key: rewrite(inner, change) for key, inner in value.items()})
    if isinstance(value, list):
        return [rewrite(inner, change) for inner in value]
    return change(value)


def plain(value: Any) -> Any:
    """The value without its secret markers."""
    return rewrite(value, lambda v: v["value"] if is_secret(v) else v)


def masked(value: Any) -> Any:
    """The value as Pulumi shows it: every secret `[secret]`, and assets without their text."""
    if is_secret(value):
        return "[secret]"
    if isinstance(value, dict):
        if value.get(SIG) == ASSET and "text" in value:
            return {**value, "text": "<contents elided>"}
        return {key: masked(inner) for key, inner in value.items()}
    return [masked(inner) for inner in value] if isinstance(value, list) else value


def collapse(value: Any, root: Path) -> Any:
    """The form of a value from the program that provider, state and analyzer see.

    References to resources become the id (of a component: the URN), outputs their value or unknown, and assets get the
    engine's hash. `root` is where relative paths of assets start.
    """

    def change(v: Any) -> Any:
        kind = v.get(SIG) if isinstance(v, dict) else None
        if kind == RESOURCE:
            return (v["id"] or UNKNOWN) if "id" in v else v["urn"]
        if kind == OUTPUT:
            known = v.get("value", UNKNOWN)
            return secret(known) if v.get("secret") else known
        if kind in (ASSET, ARCHIVE) and "hash" not in v:
            return {**v, "hash": _hash(v, root)}
        return v

    return rewrite(value, change) if any(isinstance(p, dict) and SIG in p for p in _parts(value)) else value


def _hash(asset: Map, root: Path) -> str:
    if asset[SIG] == ASSET:
        return hashlib.sha256(_content(asset, root)).hexdigest()
    if "path" in asset and (root / asset["path"]).is_file():  # packed already
        return hashlib.sha256((root / asset["path"]).read_bytes()).hexdigest()
    return hashlib.sha256(_tar(dict(_files(asset, root)))).hexdigest()


def _content(asset: Map, root: Path) -> bytes:
    if "text" in asset:
        return str(asset["text"]).encode()
    if "path" in asset:
        return Path(root / asset["path"]).read_bytes()
    raise NotImplementedError(f"an asset at a URI ({asset.get('uri')}) is not supported: give its text or a file")


def _files(archive: Map, root: Path, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    if "uri" in archive:
        raise NotImplementedError(f"an archive at a URI ({archive['uri']}) is not supported: give a folder or a file")
    for name, inner in archive.get("assets", {}).items():
        if inner[SIG] == ASSET:
            yield prefix + name, _content(inner, root)
        else:
            yield from _files(inner, root, f"{prefix}{name}/")
    if "path" in archive:
        folder = root / archive["path"]
        if not folder.is_dir():
            raise NotImplementedError(f"a packed archive in an archive ({folder}) is not supported: unpack it")
        for file in folder.rglob("*"):
            if file.is_file():
                yield prefix + file.relative_to(folder).as_posix(), file.read_bytes()


def _tar(files: dict[str, bytes]) -> bytes:
    """The tar stream whose hash is an archive's, byte by byte as Go writes it: names sorted, mode 0600, no times."""
    parts = []
    for name, content in sorted(files.items()):
        fields = f"{0o600:07o}\0{0:07o}\0{0:07o}\0{len(content):011o}\0{0:011o}\0"
        head = (
            name.encode().ljust(100, b"\0") + fields.encode() + b"        0" + bytes(100) + b"ustar\x0000" + bytes(64)
        )
        head = (head + b"0000000\0" * 2).ljust(512, b"\0")
        head = head[:148] + f"{sum(head):06o}\0 ".encode() + head[156:]
        parts += [head, content, bytes(-len(content) % 512)]
    return b"".join([*parts, bytes(1024)])


# ---- property paths, such as `a.b[0]["c.d"].*`

_PATH_PART = re.compile(r'\.?([^.\["\]]+)|\[(\d+)\]|\[\*\]|\["((?:[^"\\]|\\.)*)"\]')


def parse_path(text: str) -> Path_:
    """The keys and indices of a property path; `*` matches any at its place.

    Raises:
        ValueError: the text is no property path.
    """
    path: Path_ = []
    end = 0
    for part in _PATH_PART.finditer(text):
        if part.start() != end:
            break
        end = part.end()
        if part.group(2):
            path.append(int(part.group(2)))
        elif part.group(3) is not None:
            path.append(re.sub(r"\\(.)", r"\1", part.group(3)))
        else:
            path.append(part.group(1) or "*")
    if end != len(text):
        raise ValueError(f"{text!r} is not a property path")
    return path


def contains(path: Path_, other: Path_) -> bool:
    """Whether `other` is `path` or lies below it."""
    return len(other) >= len(path) and all(p in ("*", o) for p, o in zip(path, other, strict=False))


def reset(path: Path_, old: Any, new: Any, to_secret: bool = False) -> bool:
    """Set what `path` names in `new` (in place) back to what it is in `old`.

    Returns:
        False where only one of them has such a place, so that nothing could be set back.
    """
    if is_secret(old):
        old, to_secret = old["value"], True
    if is_secret(new):
        new, to_secret = new["value"], False
    if path[0] == "*":
        return _reset_all(path, old, new, to_secret)
    return _reset_one(path, old, new, to_secret)


def _reset_one(path: Path_, old: Any, new: Any, to_secret: bool) -> bool:
    key: Any = path[0]
    rest = path[1:]
    kind = dict if isinstance(key, str) else list
    in_old, in_new = _has(old, key), _has(new, key)
    if rest:
        if not isinstance(old, kind) or not isinstance(new, kind):
            return not isinstance(old, kind) and not isinstance(new, kind)
        if in_old and in_new:
            return reset(rest, old[key], new[key], to_secret)
        return not in_old and not in_new and kind is dict
    if in_old and isinstance(new, kind) and (in_new or kind is dict):
        new[key] = secret(old[key]) if to_secret else old[key]
        return True
    if in_new and kind is dict:
        del new[key]
        return True
    return not in_old and not in_new


def _has(value: Any, key: str | int) -> bool:
    if isinstance(key, int):
        return isinstance(value, list) and key < len(value)
    return isinstance(value, dict) and key in value


def _reset_all(path: Path_, old: Any, new: Any, to_secret: bool) -> bool:
    if isinstance(old, dict) and isinstance(new, dict):
        keys: list[str | int] = list(old if len(path) > 1 else {**old, **new})
    elif isinstance(old, list) and isinstance(new, list):
        keys = list(range(max(len(old), len(new))))
    else:
        return len(path) == 1 and isinstance(new, (dict, list))
    if len(path) > 1 and not all(_has(new, key) for key in keys):
        return False
    done = [_reset_one([key, *path[1:]], old, new, to_secret) for key in keys]
    return all(done)
