"""What other services call in process, and what must hold beneath the endpoints."""

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError

from sandbox.azure.cloud import Cloud, open_cloud
from sandbox.azure.sealed import UnreadableSecretError, seal, unseal
from sandbox.azure.storage import accounts, blobs, containers
from sandbox.azure.storage.container import Container
from sandbox.azure.storage.containers import all_files
from sandbox.azure.storage.errors import StorageError
from tests.azure.storage.test_durability import served

ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/work"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """A local Azure with the account `work` and its container `data`."""
    found = open_cloud(tmp_path, {})
    found.store.put("resource", ID.lower(), {"id": ID, "properties": {}})
    accounts.register(found, "work", ID)
    containers.create(found, "work", "data", metadata={"a": "b"})
    yield found
    found.store.close()


def on_disk(cloud: Cloud) -> set[str]:
    return {path.name for path in (cloud.directory / "blobs").glob("*")}


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (lambda cloud: blobs.read(cloud, "absent", "data", "a"), "ResourceNotFound"),
        (lambda cloud: blobs.read(cloud, "work", "absent", "a"), "ContainerNotFound"),
        (lambda cloud: blobs.read(cloud, "work", "data", "a"), "BlobNotFound"),
        (lambda cloud: blobs.write(cloud, "work", "data", "../a", b"1"), "InvalidUri"),
        (lambda cloud: containers.create(cloud, "work", "data"), "ContainerAlreadyExists"),
        (lambda cloud: containers.update(cloud, "work", "absent", metadata={}), "ContainerNotFound"),
        (lambda cloud: containers.create(cloud, "work", "more", metadata={"a b": "1"}), "InvalidMetadata"),
    ],
)
def test_refusals(cloud: Cloud, action: Callable[[Cloud], object], code: str) -> None:
    with pytest.raises(StorageError) as error:
        action(cloud)
    assert error.value.code == code
    assert not on_disk(cloud)


def test_blobs_come_and_go(cloud: Cloud, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"from a file")
    blobs.write(cloud, "work", "data", "a/1", b"bytes", metadata={"n": "1"})
    blobs.write(cloud, "work", "data", "a/2", source, content_type="text/plain")
    blobs.write(cloud, "work", "data", "empty", b"")
    found = blobs.properties(cloud, "work", "data", "a/2")
    assert found is not None
    assert (found.size, found.headers["content-type"]) == (11, "text/plain")
    assert blobs.properties(cloud, "work", "data", "absent") is None
    assert list(blobs.names(cloud, "work", "data", "a/")) == ["a/1", "a/2"]
    blobs.download(cloud, "work", "data", "a/2", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"from a file"
    blobs.delete(cloud, "work", "data", "a/1")
    assert list(blobs.names(cloud, "work", "data")) == ["a/2", "empty"]
    assert on_disk(cloud) == all_files(cloud)
    assert blobs.read(cloud, "work", "data", "empty") == b""


def test_a_log_grows(cloud: Cloud) -> None:
    assert blobs.append(cloud, "work", "data", "log", b"").size == 0
    for part in (b"one\n", b"", b"two\n"):
        blobs.append(cloud, "work", "data", "log", part)
    assert blobs.read(cloud, "work", "data", "log") == b"one\ntwo\n"
    assert len(on_disk(cloud)) == 1


def test_what_a_killed_append_left_behind_is_written_over(cloud: Cloud) -> None:
    blobs.append(cloud, "work", "data", "log", b"one")
    (file,) = (cloud.directory / "blobs").iterdir()
    with file.open("ab") as half:
        half.write(b"half an append, never acknowledged")
    blobs.append(cloud, "work", "data", "log", b"two")
    assert blobs.read(cloud, "work", "data", "log") == b"onetwo"


def test_what_is_rolled_back_keeps_its_content(cloud: Cloud) -> None:
    blobs.write(cloud, "work", "data", "a", b"old")

    def fails() -> None:
        with cloud.store.transaction():
            blobs.write(cloud, "work", "data", "a", b"new")
            containers.delete_account(cloud, "work")
            raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError, match="rolled back"):
        fails()
    assert blobs.read(cloud, "work", "data", "a") == b"old"


def test_an_account_goes_with_all_that_is_in_it(cloud: Cloud) -> None:
    blobs.write(cloud, "work", "data", "a", b"1")
    container = containers.opened(cloud, "work", "data")
    with container.content.write(lambda path: path.write_bytes(b"waiting")) as received:
        container.stage_block("b", "YQ==", received)
    containers.delete_account(cloud, "work")
    assert accounts.find(cloud, "work") is None
    assert not on_disk(cloud)
    for kind in ("container", "blob", "block"):
        assert not list(cloud.store.list(kind))


def test_containers_are_the_same_documents_everywhere(cloud: Cloud) -> None:
    containers.create(cloud, "work", "more", public_access="Blob")
    assert [name for name, _ in containers.listing(cloud, "work")] == ["data", "more"]
    before = containers.get(cloud, "work", "data")
    after = containers.update(cloud, "work", "data", metadata={"c": "d"})
    assert before is not None
    assert (before["metadata"], after["metadata"], after["etag"] != before["etag"]) == ({"a": "b"}, {"c": "d"}, True)
    assert containers.delete(cloud, "work", "more")
    assert not containers.delete(cloud, "work", "more")


def test_a_deep_listing_reads_no_more_than_it_shows(cloud: Cloud) -> None:
    account = accounts.find(cloud, "work")
    assert account is not None
    place = Container(cloud, account, "data")
    with cloud.store.transaction():
        for number in range(2000):
            blobs.write(cloud, "work", "data", f"{number % 2}/{number:05}", b"")
    read = 0
    page = cloud.store.page

    def counted(*arguments: object) -> object:
        nonlocal read
        found = page(*arguments)  # type: ignore[arg-type]
        read += len(found)
        return found

    cloud.store.page = counted  # type: ignore[assignment, method-assign]
    entries, following = place.page("", "/", "", 100)
    assert ([entry.name for entry in entries], following) == (["0/", "1/"], "")
    assert read < 100
    place.page("0/", "", "0/00100", 10)
    assert read < 120


def test_keys_are_sealed_and_another_sandbox_cannot_open_them(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    sealed = seal(one, "secret")
    assert "secret" not in sealed
    assert unseal(one, sealed) == "secret"
    with pytest.raises(UnreadableSecretError, match=r"seal\.key"):
        unseal(other, sealed)
    with pytest.raises(UnreadableSecretError):
        unseal(one, sealed[:-4] + "AAA=")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="the system cannot limit another process's files")
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        server.container.create_container()
        server.container.upload_blob("a", b"1")
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (2**20, 2**20))
        with pytest.raises(HttpResponseError, match="InsufficientDiskSpace"):
            server.container.upload_blob("b", bytes(2**21))
        assert list(server.container.list_blob_names()) == ["a"]
        assert len(list((tmp_path / "blobs").iterdir())) == 1
