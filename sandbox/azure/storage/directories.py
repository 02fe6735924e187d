"""Additions of the Data Lake endpoint to containers: directories, appended and flushed files, renames, trees.

Directories are real where the account has a hierarchical namespace; in a flat one they are marker blobs, or only the
common prefix of blobs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.azure.storage import access
from sandbox.azure.storage.conditions import Conditions
from sandbox.azure.storage.container import KINDS, SEPARATOR, Blob, Container
from sandbox.azure.storage.content import Received, Segment
from sandbox.azure.storage.errors import StorageError


def create_directory(container: Container, name: str, conditions: Conditions, **properties: Any) -> Blob:
    """Makes a directory with those above it; an existing one keeps what is in it.

    Raises:
        StorageError: 400, 404, 409, 412.
    """
    container.check_name(name)
    container.check()
    old = container.find(name)
    conditions.check_write(old, "BlobAlreadyExists")
    if old is not None and not old.folder:
        raise StorageError("ResourceTypeMismatch")
    with container.store.transaction():
        container.make_parents(name)
        return container.save(name, container.new_directory(name, **properties), old)


def create_file(container: Container, name: str, conditions: Conditions, **properties: Any) -> Blob:
    """Makes an empty file with the directories above it, or empties an existing one.

    Raises:
        StorageError: 400, 404, 409, 412.
    """
    return container.put(name, conditions, [], lake=True, **properties)


def append(container: Container, name: str, position: int, received: Received) -> Blob:
    """Keeps data for a position in a file, to be flushed.

    Raises:
        StorageError: 404; 409 for a directory or a file that the Blob endpoint wrote; 400 InvalidFlushPosition for a
            position in what is flushed already.
    """
    blob = _file(container, name)
    if position < blob.size:
        raise StorageError("InvalidFlushPosition")
    container.set_pending("appended", name, _mark(position), received.segment())
    return blob


def flush(
    container: Container, name: str, conditions: Conditions, position: int, *, retain: bool, headers: dict[str, str]
) -> Blob:
    """Makes the file `position` bytes long, with the data appended since the last flush.

    Args:
        container: The file's.
        name: The file's path.
        conditions: Under which to do so.
        position: The length in bytes.
        retain: Whether to keep data behind that length for a later flush.
        headers: The file's new headers; empty for the old ones.

    Raises:
        StorageError: 404, 409, 412; 400 InvalidFlushPosition where data are missing.
    """
    blob = _file(container, name)
    conditions.check_write(blob)
    pieces: list[Segment] = []
    reached = blob.size
    for mark, piece in container.pending("appended", name):
        if mark != _mark(reached) or reached >= position:
            break
        pieces.append(piece)
        reached += piece.size
    if reached != position:
        raise StorageError("InvalidFlushPosition")
    new = blob.touched(size=position, segments=blob.segments + pieces, headers={**blob.headers, **headers})
    with container.store.transaction():
        container.drop_pending(name, keep=new.files, before=_mark(position) if retain else None)
        return container.save(name, new, blob)


def _mark(position: int) -> str:
    return f"{position:020d}"  # sorts as the number


def _file(container: Container, name: str) -> Blob:
    blob = container.get(name)
    if blob.folder:
        raise StorageError("ResourceTypeMismatch")
    if not blob.lake:
        raise StorageError("InvalidFlushOperation")
    return blob


@dataclass(frozen=True)
class Place:
    """A path in a container, as source or target of a rename."""

    container: Container
    name: str

    @property
    def key(self) -> str:
        """The key of its document."""
        return f"{self.container.key}/{self.name}"


def rename(source: Place, target: Place, conditions: Conditions, source_conditions: Conditions) -> Blob | None:
    """Renames a file, or a directory with all in it, at once; replaces a file or an empty directory.

    Returns:
        The renamed file or directory; None for a directory that is only the common prefix of blobs.

    Raises:
        StorageError: 404 for source or the target's parent, 409, 412.
    """
    target.container.check_name(target.name)
    target.container.check()
    moved = source.container.find(source.name)
    folder = moved is None or moved.folder
    if moved is None and not _has_children(source):
        source.container.check()
        raise StorageError("SourcePathNotFound")
    if moved is not None:
        source_conditions.check_source(moved)
    if f"{target.key}/".startswith(f"{source.key}/") and (folder or target.key != source.key):
        raise StorageError("InvalidRenameSourcePath")
    old = _replaced(target, conditions, folder=folder)
    with source.container.store.transaction():
        if old is not None and target.key != source.key:
            target.container.delete(target.name, Conditions())
        _move(source, target, tree=folder)
    return target.container.find(target.name)


def _replaced(target: Place, conditions: Conditions, *, folder: bool) -> Blob | None:
    """The path that the rename replaces, or None."""
    parent = target.name.rpartition("/")[0]
    if target.container.account.hierarchical and parent:
        above = target.container.find(parent)
        if above is None:
            raise StorageError("RenameDestinationParentPathNotFound")
        if not above.directory:
            raise StorageError("ResourceTypeMismatch")
    old = target.container.find(target.name)
    conditions.check_write(old, "BlobAlreadyExists")
    if old is not None and old.folder != folder:
        raise StorageError("InvalidSourceOrDestinationResourceType")
    if folder and _has_children(target):
        raise StorageError("PathAlreadyExists")
    return old


def _has_children(place: Place) -> bool:
    return bool(place.container.store.page("blob", *place.container.below(place.name), 1))


def _move(source: Place, target: Place, *, tree: bool) -> None:
    ranges = [(source.key, source.key + chr(ord(SEPARATOR) + 1))]  # itself, and what waits for a commit
    if tree:
        ranges.append(source.container.below(source.name))
    for kind in KINDS:
        for start, stop in ranges:
            source.container.store.move(kind, start, stop, source.key, target.key)


def delete(container: Container, name: str, conditions: Conditions, *, recursive: bool) -> None:
    """Removes a file, or a directory with all in it, at once.

    Raises:
        StorageError: 404; 412; 409 DirectoryNotEmpty unless recursive.
    """
    place = Place(container, name)
    children = _has_children(place)
    blob = container.find(name) if children else container.get(name)
    if blob is not None:
        conditions.check_write(blob)
    if children and not recursive and (blob is None or blob.folder):
        raise StorageError("DirectoryNotEmpty")
    with container.store.transaction():
        if blob is None or blob.folder:
            container.drop_range(*container.below(name))
        if blob is not None:
            container.delete(name, Conditions())


def set_access(
    container: Container,
    name: str,
    conditions: Conditions,
    *,
    owner: str | None = None,
    group: str | None = None,
    permissions: str | None = None,
    acl: str | None = None,
) -> Blob:
    """Keeps owner, group, and permissions or a whole access control list; None leaves a part as it is.

    Raises:
        StorageError: 400 where the account has no hierarchical namespace, or for what is no ACL; 404; 412.
    """
    require_hierarchical(container)
    blob = root(container) if not name else container.get(name)
    new = dict(blob.access)
    if permissions is not None:
        new["acl"] = access.with_permissions(new["acl"], permissions)
    if acl is not None:
        new["acl"] = access.render(access.completed(access.parse(acl)))
    new["owner"], new["group"] = owner or new["owner"], group or new["group"]
    conditions.check_write(blob)
    return _save_access(container, name, blob, new)


@dataclass(frozen=True)
class RecursiveChange:
    """The outcome of one call of a recursive change of access control lists.

    Attributes:
        folders: Number of directories that were changed.
        files: Number of files that were changed.
        refused: Paths that the caller may not change.
        following: The path to go on from; empty at the end.
    """

    folders: int
    files: int
    refused: tuple[tuple[str, Blob], ...]
    following: str


def set_access_recursive(
    container: Container,
    name: str,
    *,
    mode: str,
    acl: str,
    start: str,
    limit: int,
    force: bool,
    may: Callable[[str], bool],
) -> RecursiveChange:
    """Changes the access control lists of a path and all below it, `limit` of them a call.

    Args:
        container: The container.
        name: The path; empty for the root.
        mode: `set`, `modify` or `remove`.
        acl: The entries.
        start: The path to go on from; empty for the beginning.
        limit: Most paths a call.
        force: Whether it goes on after a path that the caller may not change.
        may: Whether the caller may change a path's list.

    Raises:
        StorageError: 400; 404.
    """
    require_hierarchical(container)
    blob = root(container) if not name else container.get(name)
    entries, following = container.page(f"{name}/" if name else "", "", start, limit - (not start))
    found = [(entry.name, entry.blob) for entry in entries if entry.blob is not None]
    if not start:
        found.insert(0, (name, blob))
    changed, refused = [], []
    for path, path_blob in found:
        if may(path):
            changed.append((path, path_blob))
        else:
            refused.append((path, path_blob))
            if not force:
                following = ""
                break
    with container.store.transaction():
        for path, path_blob in changed:
            new = {**path_blob.access, "acl": access.changed(path_blob.access["acl"], mode, acl)}
            _save_access(container, path, path_blob, new)
    folders = sum(path_blob.directory for _, path_blob in changed)
    return RecursiveChange(folders, len(changed) - folders, tuple(refused), following)


def root(container: Container) -> Blob:
    """The container's root directory."""
    document = container.check()
    shown = {"etag": document["etag"], "created": document["created"], "modified": document["modified"]}
    return Blob(**shown, directory=True, access=container.access_of(""))


def _save_access(container: Container, name: str, blob: Blob, new: dict[str, str]) -> Blob:
    if name:
        return container.save(name, blob.touched(access=new), blob)
    changed = blob.touched(access=new)
    document = {**container.check(), "access": new, "etag": changed.etag, "modified": changed.modified}
    container.store.put("container", container.key, document)
    return changed


def require_hierarchical(container: Container) -> None:
    """Refuses what only a hierarchical namespace has.

    Raises:
        StorageError: 400 HierarchicalNamespaceNotEnabled.
    """
    if not container.account.hierarchical:
        raise StorageError("HierarchicalNamespaceNotEnabled")
