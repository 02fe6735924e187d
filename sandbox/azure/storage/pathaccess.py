"""Who may do what with a path by the access control lists of a hierarchical namespace.

Role assignments come first: where they allow an operation, lists are not looked at.
Sources: learn.microsoft.com/azure/storage/blobs/data-lake-storage-access-control (the algorithm and the permissions by
operation) and data-lake-storage-access-control-model (the order).
"""

from dataclasses import dataclass

from sandbox.azure.storage import access
from sandbox.azure.storage.container import Container


@dataclass(frozen=True)
class Need:
    """The permissions that an operation needs, besides `x` on every directory above the path.

    Attributes:
        path: On the file or directory itself, such as `r`.
        parent: On the directory that it is in, such as `wx`; where that is missing, on the nearest one above.
        below: On every directory below the path, such as `rwx`.
        owner: Whether it takes the path's owner, whatever the permissions.
    """

    path: str = ""
    parent: str = ""
    below: str = ""
    owner: bool = False


def allows(container: Container, object_id: str, principals: set[str], need: Need, path: str) -> bool:
    """Whether lists let a principal do what has these needs.

    Args:
        container: A container of an account with a hierarchical namespace.
        object_id: The principal.
        principals: The principal and the groups that it is in.
        need: What the operation needs.
        path: The path; empty for the container's root.
    """
    if container.store.get("container", container.key) is None:
        return False
    return _Look(container, object_id, frozenset(principals)).meets(need, path.strip("/"))


@dataclass(frozen=True)
class _Look:
    """A principal, with the groups that it is in, at a container."""

    container: Container
    object_id: str
    principals: frozenset[str]

    def meets(self, need: Need, path: str) -> bool:
        """Whether all needs are met."""
        above = path.split("/")[:-1] if path else []
        directories = ["/".join(above[:depth]) for depth in range(len(above) + 1)] if path else []
        existing = [name for name in directories if not name or self.container.has(name)]
        if not all(self.has("x", name) for name in existing):
            return False
        if need.parent and not (existing and self.has(need.parent, existing[-1])):
            return False
        if need.owner and not self._owns(path):
            return False
        if need.path and not self.has(need.path, path):
            return False
        return not need.below or all(self.has(need.below, name) for name in self._below(path))

    def _owns(self, path: str) -> bool:
        return self.container.access_of(path).get("owner") == self.object_id

    def _below(self, path: str) -> list[str]:
        """The directories below a path, and the path itself where it is one."""
        key = f"{self.container.key}/"
        documents = self.container.store.items("blob", f"{key}{path}/" if path else key)
        names = [name[len(key) :] for name, document in documents if document.get("directory")]
        own = self.container.find(path) if path else None
        return [*([path] if not path or (own is not None and own.directory) else []), *names]

    def has(self, wanted: str, path: str) -> bool:
        """Whether the list of a path gives the principal all of these permissions.

        The first class of entries that names the principal decides: owner, named user, groups together, others.
        """
        shown = self.container.access_of(path)
        if not shown:
            return False
        entries = access.parse(shown["acl"])
        if shown["owner"] == self.object_id:
            return _holds(entries.get("user:", ""), wanted)
        mask = entries.get("mask:", "rwx")
        named = entries.get(f"user:{self.object_id}")
        if named is not None:
            return _holds(named, wanted, mask)
        groups = [entries[f"group:{name}"] for name in self.principals if f"group:{name}" in entries]
        if shown["group"] in self.principals:
            groups.append(entries.get("group:", ""))
        if groups:
            return _holds(access.joined(groups), wanted, mask)
        return _holds(entries.get("other:", ""), wanted, mask)


def _holds(permissions: str, wanted: str, mask: str = "rwx") -> bool:
    return all(letter in permissions and letter in mask for letter in wanted)
