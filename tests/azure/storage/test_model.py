"""Random sequences of operations, against models in memory: a dictionary for flat accounts, a tree for lakes."""

from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobBlock, BlobServiceClient, ContainerClient
from azure.storage.filedatalake import DataLakeServiceClient, FileSystemClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.azure.storage.containers import all_files
from tests.azure.storage.harness import Azure

NAMES = st.lists(st.sampled_from(["a", "b", "a-b", "a.b", "ü", "0"]), min_size=1, max_size=3).map("/".join)
CONTENT = st.binary(max_size=40)
SETTINGS = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)

# Flat

FLAT = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES, CONTENT),
        st.tuples(st.just("blocks"), NAMES, st.lists(CONTENT.filter(bool), max_size=4)),
        st.tuples(st.just("append"), NAMES, CONTENT.filter(bool)),
        st.tuples(st.just("copy"), NAMES, NAMES),
        st.tuples(st.just("delete"), NAMES),
        st.tuples(st.just("list"), st.sampled_from(["", "a", "a/", "a-", "ü/"]), st.integers(1, 4)),
    ),
    max_size=25,
)


class Flat:
    """A container and the dictionary that it must equal."""

    def __init__(self, container: ContainerClient) -> None:
        self.container = container
        self.model: dict[str, tuple[str, bytes]] = {}

    def put(self, name: str, content: bytes) -> None:
        self.container.upload_blob(name, content, overwrite=True)
        self.model[name] = ("block", content)

    def blocks(self, name: str, parts: list[bytes]) -> None:
        blob = self.container.get_blob_client(name)
        if self.model.get(name, ("block",))[0] == "append":
            with pytest.raises(HttpResponseError, match="InvalidBlobType"):
                blob.stage_block("000", b"1")
            return
        for number, part in enumerate(parts):
            blob.stage_block(f"{number:03}", part)
        blob.commit_block_list([BlobBlock(f"{number:03}") for number in reversed(range(len(parts)))])
        self.model[name] = ("block", b"".join(reversed(parts)))

    def append(self, name: str, content: bytes) -> None:
        blob = self.container.get_blob_client(name)
        if name not in self.model:
            blob.create_append_blob()
            self.model[name] = ("append", b"")
        kind, before = self.model[name]
        if kind == "block":
            with pytest.raises(HttpResponseError, match="InvalidBlobType"):
                blob.append_block(content)
            return
        blob.append_block(content)
        self.model[name] = (kind, before + content)

    def copy(self, name: str, target: str) -> None:
        source, copy = self.container.get_blob_client(name), self.container.get_blob_client(target)
        if name not in self.model:
            with pytest.raises(HttpResponseError, match="CannotVerifyCopySource"):
                copy.start_copy_from_url(source.url)
            return
        copy.start_copy_from_url(source.url)
        self.model[target] = self.model[name]

    def delete(self, name: str) -> None:
        if name not in self.model:
            with pytest.raises(HttpResponseError, match="BlobNotFound"):
                self.container.delete_blob(name)
            return
        self.container.delete_blob(name)
        del self.model[name]

    def list(self, prefix: str, size: int) -> None:
        names = sorted(name for name in self.model if name.startswith(prefix))
        listed = self.container.list_blobs(prefix, results_per_page=size).by_page()
        pages = [[one.name for one in page] for page in listed]
        assert [name for page in pages for name in page] == names
        assert all(len(page) <= size for page in pages)
        tails = [name[len(prefix) :].partition("/") for name in names]
        expected = sorted({prefix + head + slash for head, slash, _ in tails})
        walked = self.container.walk_blobs(prefix, results_per_page=size)
        assert sorted(one.name for one in walked) == expected

    def check(self) -> None:
        for name, (_, content) in self.model.items():
            assert self.container.download_blob(name).readall() == content


@SETTINGS
@given(steps=FLAT)
def test_a_flat_container(azure: Azure, steps: list[tuple[Any, ...]]) -> None:
    name = f"m{uuid4().hex[:20]}"
    service = BlobServiceClient(f"https://{name}.blob.core.windows.net", azure.account(name), **azure.transport)
    flat = Flat(service.create_container("data"))
    for step, *arguments in steps:
        getattr(flat, step)(*arguments)
    flat.list("", 3)
    flat.check()
    service.delete_container("data")
    assert not _orphans(azure)


# Hierarchical

LAKE = st.lists(
    st.one_of(
        st.tuples(st.just("write"), NAMES, CONTENT),
        st.tuples(st.just("make"), NAMES),
        st.tuples(st.just("rename"), NAMES, NAMES),
        st.tuples(st.just("delete"), NAMES),
        st.tuples(st.just("list"), st.integers(1, 4)),
    ),
    max_size=25,
)
Tree = dict[str, bytes | None]
"""Files' content by path; None for directories."""


class Lake:
    """A filesystem and the tree that it must equal."""

    def __init__(self, files: FileSystemClient) -> None:
        self.files = files
        self.model: Tree = {}

    def _parents(self, path: str) -> list[str]:
        parts = path.split("/")[:-1]
        return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]

    def _below(self, path: str) -> Tree:
        return {name: content for name, content in self.model.items() if name.startswith(path + "/")}

    def _blocked(self, path: str) -> bool:
        return any(self.model.get(parent) is not None for parent in self._parents(path))

    def _add(self, path: str, content: bytes | None) -> None:
        self.model |= dict.fromkeys(self._parents(path))
        self.model[path] = content

    def write(self, path: str, content: bytes) -> None:
        file = self.files.get_file_client(path)
        if self._blocked(path) or self.model.get(path, b"") is None:
            with pytest.raises(HttpResponseError, match="PathConflict"):
                file.create_file()
            return
        file.create_file()
        half = len(content) // 2
        for start, part in ((half, content[half:]), (0, content[:half])):
            if part:
                file.append_data(part, start)
        file.flush_data(len(content))
        self._add(path, content)

    def make(self, path: str) -> None:
        directory = self.files.get_directory_client(path)
        if self._blocked(path) or self.model.get(path) is not None:
            with pytest.raises(HttpResponseError, match="PathConflict"):
                directory.create_directory()
            return
        directory.create_directory()
        self._add(path, None)

    def _rename_allowed(self, source: str, target: str) -> bool:
        parent = target.rpartition("/")[0]
        if source not in self.model or (parent and (parent not in self.model or self.model[parent] is not None)):
            return False
        folder = self.model[source] is None
        if f"{target}/".startswith(f"{source}/") and (folder or source != target):
            return False
        if target in self.model and (self.model[target] is None) != folder:
            return False
        return not (folder and self._below(target))

    def rename(self, source: str, target: str) -> None:
        directory = self.files.get_directory_client(source)
        new = f"{self.files.file_system_name}/{target}"
        if not self._rename_allowed(source, target):
            with pytest.raises(HttpResponseError) as error:
                directory.rename_directory(new)
            assert error.value.status_code in {404, 409}
            return
        directory.rename_directory(new)
        moved = {target: self.model.pop(source)}
        for name in self._below(source):
            moved[target + name[len(source) :]] = self.model.pop(name)
        self.model |= moved

    def delete(self, path: str) -> None:
        directory = self.files.get_directory_client(path)
        if path not in self.model:
            with pytest.raises(HttpResponseError, match="PathNotFound"):
                directory.delete_directory()
            return
        directory.delete_directory()
        for name in [path, *self._below(path)]:
            del self.model[name]

    def list(self, size: int) -> None:
        shown = {one.name: one.is_directory for one in self.files.get_paths(max_results=size)}
        assert shown == {name: content is None for name, content in self.model.items()}
        top = [one.name for one in self.files.get_paths(recursive=False, max_results=size)]
        assert sorted(top) == sorted(name for name in self.model if "/" not in name)

    def check(self) -> None:
        for name, content in self.model.items():
            if content is not None:
                assert self.files.get_file_client(name).download_file().readall() == content


@SETTINGS
@given(steps=LAKE)
def test_a_lake(azure: Azure, steps: list[tuple[Any, ...]]) -> None:
    name = f"m{uuid4().hex[:20]}"
    key = azure.account(name, isHnsEnabled=True)
    service = DataLakeServiceClient(f"https://{name}.dfs.core.windows.net", credential=key, **azure.transport)
    lake = Lake(service.create_file_system("fs1"))
    for step, *arguments in steps:
        getattr(lake, step)(*arguments)
    lake.list(3)
    lake.check()
    service.delete_file_system("fs1")
    assert not _orphans(azure)


def _orphans(azure: Azure) -> set[str]:
    """Files on disk that belong to no blob."""

    def found() -> set[str]:
        return {path.name for path in (azure.cloud.directory / "blobs").iterdir()} - all_files(azure.cloud)

    return azure.do(found)
