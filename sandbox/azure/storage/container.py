"""A container's blobs: what the Blob and the Data Lake endpoint, and callers in process, do to them.

Documents of the kind `blob` have the key `account/container/name` and no name inside, so that a directory is renamed by
its keys alone. Kind `block` holds uncommitted blocks (key: the blob's, then `SEPARATOR` and the block's id), kind
`appended` the Data Lake endpoint's unflushed data (`SEPARATOR` and the position). With a hierarchical namespace every
directory is a document too.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from sandbox.azure import clock
from sandbox.azure.cloud import Cloud
from sandbox.azure.storage.access import inherited
from sandbox.azure.storage.accounts import Account
from sandbox.azure.storage.conditions import Conditions
from sandbox.azure.storage.content import Content, Received, Segment, content_of
from sandbox.azure.storage.errors import StorageError
from sandbox.azure.storage.names import after, check_blob, check_metadata

SEPARATOR = "\x01"  # no name has control characters
PENDING = ("block", "appended")
KINDS = ("blob", *PENDING)
MAX_BLOCKS = 50_000
MAX_BLOCK_ID = 64  # bytes
BATCH = 1000  # documents read at a time
FOLDER = "hdi_isfolder"
SUPERUSER = "$superuser"
ROOT_ACL = "user::rwx,group::r-x,other::---"  # of a new container

BlobType = Literal["BlockBlob", "AppendBlob"]
Pending = Literal["block", "appended"]
BlockList = Literal["Committed", "Uncommitted", "Latest"]


def new_etag() -> str:
    """An ETag that no other version has."""
    return f'"0x8D{os.urandom(6).hex().upper()}"'


@dataclass(frozen=True)
class Blob:
    """A blob's or a directory's properties.

    Attributes:
        type: What may be done to it.
        etag: Changes at every write.
        created: Seconds since 1970.
        modified: Seconds since 1970.
        size: Bytes.
        segments: Where the bytes are, in order.
        headers: Lowercased standard headers (`content-type`, `content-md5`, ...).
        metadata: The user's.
        directory: Whether it is a directory of a hierarchical namespace.
        lake: Whether the Data Lake endpoint made it; only such a file can be appended to there.
        appends: The number of blocks appended to an append blob.
        tier: The access tier where one was set.
        access: Owner, group and ACL, in a hierarchical namespace.
        copied: The `x-ms-copy-*` headers of a blob that was made by a copy.
    """

    etag: str
    created: int
    modified: int
    type: BlobType = "BlockBlob"
    size: int = 0
    segments: list[Segment] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    directory: bool = False
    lake: bool = False
    appends: int = 0
    tier: str = ""
    access: dict[str, str] = field(default_factory=dict)
    copied: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> set[str]:
        """The files that hold its bytes."""
        return {segment.file for segment in self.segments}

    @property
    def folder(self) -> bool:
        """Whether it is a directory, or stands for one in a flat namespace."""
        return self.directory or self.metadata.get(FOLDER) == "true"

    @classmethod
    def load(cls, document: dict[str, Any]) -> "Blob":
        """Reads a blob from its document."""
        return cls(**{**document, "segments": [Segment(*segment) for segment in document["segments"]]})

    def touched(self, **changes: Any) -> "Blob":
        """The next version, with a new ETag."""
        return replace(self, etag=new_etag(), modified=int(clock.seconds()), **changes)


@dataclass(frozen=True)
class Block:
    """A block of a block blob."""

    id: str
    size: int


@dataclass(frozen=True)
class Entry:
    """An entry of a listing: a blob, or a common prefix (`blob` is then the directory, where there is one)."""

    name: str
    blob: Blob | None
    prefix: bool = False


class Container:
    """A container of an account.

    Attributes:
        account: Its account.
        name: Its name.
        owner: Whose the files and directories become that it makes (object id, or `$superuser`).
    """

    def __init__(self, cloud: Cloud, account: Account, name: str, owner: str = SUPERUSER) -> None:
        self.account, self.name, self.owner = account, name, owner
        self.cloud, self.store = cloud, cloud.store
        self.content: Content = content_of(cloud.directory)

    @property
    def key(self) -> str:
        """The key of its document; its blobs' keys go on with `/` and their name."""
        return f"{self.account.name}/{self.name}"

    def check(self) -> dict[str, Any]:
        """The container's document.

        Raises:
            StorageError: 404 ContainerNotFound.
        """
        document = self.store.get("container", self.key)
        if document is None:
            raise StorageError("ContainerNotFound")
        return document

    def check_name(self, name: str) -> None:
        """Refuses a name that no blob here can have.

        Raises:
            StorageError: 400.
        """
        check_blob(name, hierarchical=self.account.hierarchical)

    def has(self, name: str) -> bool:
        """Whether there is a blob or directory of the name."""
        return self.store.has("blob", f"{self.key}/{name}")

    def find(self, name: str) -> Blob | None:
        """The blob or directory, or None."""
        document = self.store.get("blob", f"{self.key}/{name}")
        return None if document is None else Blob.load(document)

    def get(self, name: str) -> Blob:
        """The blob or directory.

        Raises:
            StorageError: 404 ContainerNotFound or BlobNotFound.
        """
        blob = self.find(name)
        if blob is None:
            self.check()
            raise StorageError("BlobNotFound")
        return blob

    def save(self, name: str, blob: Blob, old: Blob | None) -> Blob:
        """Writes the version; the old one's bytes go, but for those that this one shares."""
        with self.store.transaction():
            self.store.put("blob", f"{self.key}/{name}", vars(blob))
            if old is not None:
                self._discard(old.files - blob.files)
        return blob

    def put(
        self,
        name: str,
        conditions: Conditions,
        segments: list[Segment],
        *,
        blob_type: BlobType = "BlockBlob",
        **properties: Any,
    ) -> Blob:
        """Makes the blob or replaces it with all its properties, and drops its uncommitted blocks.

        Raises:
            StorageError: 404 ContainerNotFound, 409, 412, or 400 for the name or metadata.
        """
        self.check_name(name)
        check_metadata(properties.get("metadata", {}))
        old = self.find(name)
        if old is None:
            self.check()
        conditions.check_write(old, "BlobAlreadyExists")
        if old is not None and old.directory:
            raise StorageError("ResourceTypeMismatch")
        now = int(clock.seconds())
        size = sum(segment.size for segment in segments)
        with self.store.transaction():
            self.make_parents(name)
            access = self.default_access(name, directory=False)
            blob = Blob(new_etag(), now, now, blob_type, size, segments, access=access, **properties)
            self.drop_pending(name, keep=blob.files)
            return self.save(name, blob, old)

    def default_access(self, name: str, *, directory: bool) -> dict[str, str]:
        """Owner, group and permissions of a new path in a hierarchical namespace.

        The owning group is the parent's. A default list of the parent is passed on; else the umask 0027 decides.
        """
        if not self.account.hierarchical:
            return {}
        above = self.access_of(name.rpartition("/")[0]) if name else {}
        acl = "user::rwx,group::r-x,other::---" if directory else "user::rw-,group::r--,other::---"
        passed_on = inherited(above["acl"], directory=directory) if above else ""
        return {"owner": self.owner, "group": above.get("group", SUPERUSER), "acl": passed_on or acl}

    def access_of(self, name: str) -> dict[str, str]:
        """Owner, group and list of a directory or file; of the root for an empty name; empty for what is not there."""
        if name:
            blob = self.find(name)
            return blob.access if blob else {}
        document = self.store.get("container", self.key)
        stored: dict[str, str] = (document or {}).get("access") or {}
        return stored or {"owner": SUPERUSER, "group": SUPERUSER, "acl": ROOT_ACL}

    def make_parents(self, name: str) -> None:
        """Makes the directories above a path in a hierarchical namespace.

        Raises:
            StorageError: 409 ResourceTypeMismatch where one of them is a file.
        """
        if not self.account.hierarchical:
            return
        parts = name.split("/")[:-1]
        missing = []
        for depth in range(len(parts), 0, -1):
            parent = "/".join(parts[:depth])
            folder = self.find(parent)
            if folder is not None and not folder.directory:
                raise StorageError("ResourceTypeMismatch")
            if folder is not None:
                break
            missing.append(parent)
        for parent in reversed(missing):  # from above, so that each inherits from the one before
            self.save(parent, self.new_directory(parent), None)

    def new_directory(self, name: str, **properties: Any) -> Blob:
        """A new empty directory; in a flat namespace the blob that marks a directory."""
        now = int(clock.seconds())
        if self.account.hierarchical:
            return Blob(
                new_etag(),
                now,
                now,
                directory=True,
                access=self.default_access(name, directory=True),
                lake=True,
                **properties,
            )
        properties["metadata"] = {**properties.get("metadata", {}), FOLDER: "true"}
        return Blob(new_etag(), now, now, lake=True, **properties)

    def update(self, name: str, conditions: Conditions, **changes: Any) -> Blob:
        """Changes properties.

        Raises:
            StorageError: 404, 412, or 400 for metadata.
        """
        check_metadata(changes.get("metadata", {}))
        old = self.get(name)
        conditions.check_write(old)
        return self.save(name, old.touched(**changes), old)

    def set_tier(self, name: str, tier: str) -> None:
        """Sets the access tier, which makes no new version.

        Raises:
            StorageError: 404; 409 for what has no tier.
        """
        old = self.get(name)
        if old.directory or old.type != "BlockBlob":
            raise StorageError("InvalidBlobType")
        self.save(name, replace(old, tier=tier), old)

    def delete(self, name: str, conditions: Conditions) -> None:
        """Removes the blob, or an empty directory.

        Raises:
            StorageError: 404, 412, or 409 DirectoryIsNotEmpty.
        """
        old = self.get(name)
        conditions.check_write(old)
        if old.directory and self.store.page("blob", *self.below(name), 1):
            raise StorageError("DirectoryIsNotEmpty")
        with self.store.transaction():
            self.store.delete("blob", f"{self.key}/{name}")
            self.drop_pending(name, keep=set())
            self._discard(old.files)

    def drop(self) -> None:
        """Removes all blobs, committed or not."""
        with self.store.transaction():
            self.drop_range(f"{self.key}/", after(f"{self.key}/"))

    def below(self, directory: str) -> tuple[str, str]:
        """The range of keys below a directory; of all keys for the root."""
        prefix = f"{self.key}/{directory}/" if directory else f"{self.key}/"
        return prefix, after(prefix)

    def drop_range(self, start: str, stop: str) -> None:
        """Removes what has keys from `start` up to, not including, `stop`."""
        for kind in KINDS:
            while page := self.store.page(kind, start, stop, BATCH):
                for key, document in page:
                    self.store.delete(kind, key)
                    segments = document["segments"] if kind == "blob" else [document["segment"]]
                    self._discard({segment[0] for segment in segments})

    # Block blobs

    def stage_block(self, name: str, block_id: str, received: Received) -> None:
        """Keeps an uncommitted block; one of the same id is replaced.

        Raises:
            StorageError: 404 ContainerNotFound, 400 for the name or the id, 409 for an append blob or directory.
        """
        self.check_name(name)
        self.check()
        blob = self.find(name)
        if blob is not None and blob.directory:
            raise StorageError("ResourceTypeMismatch")
        if blob is not None and blob.type != "BlockBlob":
            raise StorageError("InvalidBlobType")
        other = self.pending("block", name)
        if other and len(other[0][0]) != len(block_id):  # all ids of a blob are of the same length
            raise StorageError("InvalidBlobOrBlock")
        self.set_pending("block", name, block_id, received.segment(block_id))

    def pending(self, kind: Pending, name: str) -> list[tuple[str, Segment]]:
        """The uncommitted blocks by id, or the unflushed data by position."""
        start = f"{self.key}/{name}{SEPARATOR}"
        entries = self.store.page(kind, start, after(start), 2 * MAX_BLOCKS)
        return [(key[len(start) :], Segment(*block["segment"])) for key, block in entries]

    def set_pending(self, kind: Pending, name: str, mark: str, segment: Segment) -> None:
        """Keeps a block or data for a later commit; what had the same id or position goes."""
        key = f"{self.key}/{name}{SEPARATOR}{mark}"
        with self.store.transaction():
            old = self.store.get(kind, key)
            self.store.put(kind, key, {"segment": segment})
            if old is not None:
                self._discard({old["segment"][0]})

    def drop_pending(self, name: str, keep: set[str], before: str | None = None) -> None:
        """Removes uncommitted blocks and unflushed data, or only those with an earlier mark; the files to keep stay."""
        start = f"{self.key}/{name}{SEPARATOR}"
        for kind, key, document in self.store.between(PENDING, start, after(start)):
            if before is None or key[len(start) :] < before:
                self.store.delete(kind, key)
                self._discard({document["segment"][0]} - keep)

    def blocks(self, name: str) -> tuple[Blob | None, list[Block], list[Block]]:
        """The blob, if it is committed, its committed and its uncommitted blocks.

        Raises:
            StorageError: 404 where there is neither; 409 InvalidBlobType.
        """
        blob, waiting = self.find(name), self.pending("block", name)
        if blob is None and not waiting:
            blob = self.get(name)
        if blob is not None and blob.type != "BlockBlob":
            raise StorageError("InvalidBlobType")
        committed = [Block(part.block, part.size) for part in blob.segments if part.block] if blob else []
        return blob, committed, [Block(block_id, part.size) for block_id, part in waiting]

    def commit_blocks(
        self, name: str, conditions: Conditions, entries: list[tuple[BlockList, str]], **properties: Any
    ) -> Blob:
        """Makes the blob of the named blocks, in that order.

        Args:
            name: The blob's.
            conditions: Under which to do so.
            entries: Where to look for each block, and its id.
            properties: The blob's new properties.

        Raises:
            StorageError: 400 InvalidBlockList for an unknown block, 409, 412.
        """
        if len(entries) > MAX_BLOCKS:
            raise StorageError("BlockListTooLong")
        blob = self.find(name)
        if blob is not None and blob.type != "BlockBlob":
            raise StorageError("InvalidBlobType")
        committed = {part.block: part for part in blob.segments if part.block} if blob else {}
        waiting = dict(self.pending("block", name))
        places = {"Committed": committed, "Uncommitted": waiting, "Latest": {**committed, **waiting}}
        try:
            segments = [places[place][block] for place, block in entries]
        except KeyError as error:
            raise StorageError("InvalidBlockList") from error
        return self.put(name, conditions, segments, **properties)

    # Append blobs

    def append(
        self,
        name: str,
        conditions: Conditions,
        received: Received,
        *,
        position: int | None = None,
        largest: int | None = None,
    ) -> Blob:
        """Appends to an append blob; the received file itself is dropped but for the first block's.

        Args:
            name: The blob's.
            conditions: Under which to do so.
            received: The block.
            position: Where the block must come to lie.
            largest: The size in bytes that the blob may have afterwards.

        Raises:
            StorageError: 404, 409, 412.
        """
        blob = self.get(name)
        if blob.type != "AppendBlob":
            raise StorageError("InvalidBlobType")
        conditions.check_write(blob)
        if position is not None and position != blob.size:
            raise StorageError("AppendPositionConditionNotMet")
        if largest is not None and blob.size + received.size > largest:
            raise StorageError("MaxBlobSizeConditionNotMet")
        if blob.appends >= MAX_BLOCKS:
            raise StorageError("BlockCountExceedsLimit")
        if blob.segments:
            segment = self.content.extend(blob.segments[0], received.file, received.size)
        else:
            segment = received.segment()
        new = blob.touched(size=segment.size, segments=[segment], appends=blob.appends + 1)
        saved = self.save(name, new, blob)
        if blob.segments:
            self.content.discard([received.file])
        return saved

    # Copies

    def copy(self, name: str, conditions: Conditions, source: Blob, **properties: Any) -> Blob:
        """Makes the blob of another one's content, type, headers and (where none are given) metadata.

        Raises:
            StorageError: 404 ContainerNotFound, 409, 412.
        """
        given = {"headers": source.headers, "metadata": source.metadata, **properties}
        if source.type == "AppendBlob":  # its file grows
            with self.content.write(lambda path: self._fill(path, source)) as received:
                segments = [received.segment()] if received.size else []
                return self.put(name, conditions, segments, blob_type="AppendBlob", appends=source.appends, **given)
        with self.content.share(source.segments) as segments:
            return self.put(name, conditions, segments, **given)

    def _fill(self, path: Path, blob: Blob) -> None:
        with path.open("wb") as file:
            file.writelines(self.content.read(blob.segments, 0, blob.size))

    # Listings

    def page(self, prefix: str, delimiter: str, start: str, limit: int) -> tuple[list[Entry], str]:
        """Blobs by name, those with a delimiter behind the prefix folded into common prefixes.

        Args:
            prefix: What names start with.
            delimiter: What ends a common prefix; empty for a flat listing.
            start: The name to go on from; empty for the first page.
            limit: How many entries at most.

        Returns:
            The entries, and the name to go on from; empty where nothing is left.
        """
        root = f"{self.key}/"
        entries: list[Entry] = []
        for name, entry in self._scan(prefix, delimiter, root + max(prefix, start), min(limit + 1, BATCH)):
            if len(entries) == limit:
                return entries, name
            if entry is not None:
                entries.append(entry)
        return entries, ""

    def _scan(self, prefix: str, delimiter: str, cursor: str, most: int) -> Iterator[tuple[str, Entry | None]]:
        """Names and their entries; None for what is only below an entry that came before."""
        root = f"{self.key}/"
        stop = after(root + prefix)
        while page := self._page(cursor, stop, most, root + prefix, delimiter):
            for key, document in page:
                name = key[len(root) :]
                if document is not None:
                    blob = Blob.load(document)
                    folded = blob.directory and delimiter == "/"
                    yield name, Entry(name + "/" if folded else name, blob, folded)
                    cursor = key + "\x00"
                    continue
                common = prefix + name[len(prefix) :].partition(delimiter)[0] + delimiter
                real = self.account.hierarchical and delimiter == "/"  # its directory has been listed
                yield name, None if real else Entry(common, None, prefix=True)
                cursor = after(root + common)

    def _page(
        self, start: str, stop: str, most: int, prefix: str, delimiter: str
    ) -> Sequence[tuple[str, dict[str, Any] | None]]:
        if delimiter:
            return self.store.folded("blob", start, stop, most, prefix=prefix, delimiter=delimiter)
        return self.store.page("blob", start, stop, most)

    def _discard(self, files: set[str]) -> None:
        if files:
            self.store.after_commit(lambda: self.content.discard(files))
