"""Blobs of a flat namespace, as azure-storage-blob drives them: refusals first."""

import base64
import gzip
import hashlib
import io
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import (
    BlobBlock,
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    ContentSettings,
    generate_container_sas,
)

from tests.azure.storage.harness import Azure
from tests.azure.storage.test_authorization import refused

MIB = 1024 * 1024


@pytest.fixture
def service(azure: Azure, new_name: Callable[[], str]) -> BlobServiceClient:
    name = new_name()
    key = azure.account(name)
    small: dict[str, Any] = {
        "max_single_put_size": MIB,
        "max_block_size": MIB,
        "max_single_get_size": MIB,
        "max_chunk_get_size": MIB,
    }
    return BlobServiceClient(f"https://{name}.blob.core.windows.net", credential=key, **small, **azure.transport)


@pytest.fixture
def container(service: BlobServiceClient) -> ContainerClient:
    return service.create_container("data")


# Containers


@pytest.mark.parametrize(
    ("name", "code"),
    [("ab", "OutOfRangeInput"), ("a" * 64, "OutOfRangeInput")]
    + [(name, "InvalidResourceName") for name in ("Abc", "a--b", "-ab", "ab-", "a_b", "ä12")],
)
def test_container_names(service: BlobServiceClient, name: str, code: str) -> None:
    assert refused(lambda: service.create_container(name)) == code


def test_a_container_is_made_once_and_gone_with_its_blobs(service: BlobServiceClient) -> None:
    with pytest.raises(ResourceNotFoundError, match="ContainerNotFound"):
        service.delete_container("data")
    container = service.create_container("data", metadata={"Owner": "me"})
    with pytest.raises(ResourceExistsError, match="ContainerAlreadyExists"):
        service.create_container("data")
    container.upload_blob("a", b"1")
    assert container.get_container_properties().metadata == {"Owner": "me"}
    container.set_container_metadata({"other": "x"})
    assert container.get_container_properties().metadata == {"other": "x"}
    container.delete_container()
    assert not container.exists()
    assert not service.create_container("data").get_blob_client("a").exists()


def test_containers_are_listed_by_prefix_and_page(service: BlobServiceClient) -> None:
    for name in ("aa1", "aa2", "aa3", "bb1"):
        service.create_container(name, metadata={"n": name})
    pages = service.list_containers("aa", include_metadata=True, results_per_page=2).by_page()
    found = [[(one.name, one.metadata) for one in page] for page in pages]
    assert found == [[("aa1", {"n": "aa1"}), ("aa2", {"n": "aa2"})], [("aa3", {"n": "aa3"})]]


# Content


@pytest.mark.parametrize("call", ["download_blob", "get_blob_properties", "delete_blob", "get_block_list"])
def test_an_absent_blob(container: ContainerClient, call: str) -> None:
    with pytest.raises(ResourceNotFoundError, match="BlobNotFound"):
        getattr(container.get_blob_client("absent"), call)()


def test_an_absent_container(service: BlobServiceClient) -> None:
    absent = service.get_container_client("absent")
    for action in (
        lambda: absent.upload_blob("a", b"1"),
        lambda: absent.download_blob("a"),
        lambda: list(absent.list_blobs()),
        lambda: absent.get_blob_client("a").stage_block("YQ==", b"1"),
    ):
        assert refused(action) == "ContainerNotFound"


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 17])
def test_content_comes_back_however_it_is_split(container: ContainerClient, size: int) -> None:
    content = os.urandom(size)
    blob = container.get_blob_client("some/blob")
    blob.upload_blob(io.BytesIO(content), max_concurrency=2)
    assert blob.download_blob(max_concurrency=2).readall() == content
    assert blob.get_blob_properties().size == size


def test_an_overwritten_blob_is_new_altogether(container: ContainerClient) -> None:
    blob = container.get_blob_client("a")
    blob.upload_blob(b"1", metadata={"a": "b"}, content_settings=ContentSettings("text/plain"))
    before = blob.get_blob_properties()
    blob.upload_blob(b"22", overwrite=True)
    after = blob.get_blob_properties()
    assert (after.size, after.metadata, after.content_settings.content_type) == (2, {}, "application/octet-stream")
    assert after.etag != before.etag


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [(0, 1, b"0"), (3, 4, b"3456"), (8, 100, b"89"), (9, None, b"9"), (0, None, b"0123456789")],
)
def test_ranges(container: ContainerClient, offset: int, length: int | None, expected: bytes) -> None:
    container.upload_blob("a", b"0123456789")
    assert container.get_blob_client("a").download_blob(offset=offset, length=length).readall() == expected


def test_a_range_behind_the_end(container: ContainerClient) -> None:
    container.upload_blob("a", b"0123456789")
    assert refused(lambda: container.get_blob_client("a").download_blob(offset=10, length=1)) == "InvalidRange"


def test_md5_of_content_and_ranges(container: ContainerClient) -> None:
    blob = container.get_blob_client("a")
    wrong = ContentSettings(content_md5=bytearray(hashlib.md5(b"other").digest()))
    blob.upload_blob(b"content", validate_content=True)
    digest = bytearray(hashlib.md5(b"content").digest())
    assert blob.get_blob_properties().content_settings.content_md5 == digest
    assert blob.download_blob(offset=1, length=3, validate_content=True).readall() == b"ont"
    blob.upload_blob(b"content", overwrite=True, content_settings=wrong)  # what it says is kept, not checked
    assert blob.get_blob_properties().content_settings.content_md5 == wrong.content_md5


def test_properties_headers_and_metadata(container: ContainerClient) -> None:
    blob = container.get_blob_client("a")
    settings = ContentSettings("text/csv", "gzip", "de", "attachment", "no-store")
    blob.upload_blob(gzip.compress(b"1"), content_settings=settings, metadata={"Stufe": "eins"})
    found = blob.get_blob_properties()
    assert found.content_settings.content_type == "text/csv"
    assert found.content_settings.cache_control == "no-store"
    assert found.metadata == {"Stufe": "eins"}
    created = found.creation_time
    blob.set_blob_metadata({"neu": "1"})
    blob.set_http_headers(ContentSettings("text/plain"))
    found = blob.get_blob_properties()
    assert (found.metadata, found.content_settings.content_type) == ({"neu": "1"}, "text/plain")
    assert (found.content_settings.cache_control, found.creation_time) == (None, created)
    blob.set_standard_blob_tier("Cool")
    assert blob.get_blob_properties().blob_tier == "Cool"


@pytest.mark.parametrize("metadata", [{"a-b": "1"}, {"1a": "1"}, {"a": "x" * 9000}])
def test_bad_metadata(container: ContainerClient, metadata: dict[str, str]) -> None:
    code = refused(lambda: container.upload_blob("a", b"1", metadata=metadata))
    assert code == ("MetadataTooLarge" if "a" in metadata else "InvalidMetadata")
    assert not container.get_blob_client("a").exists()


# Conditions


def test_a_blob_is_not_replaced_unless_asked(container: ContainerClient) -> None:
    container.upload_blob("a", b"1")
    with pytest.raises(ResourceExistsError, match="BlobAlreadyExists"):
        container.upload_blob("a", b"2")
    with pytest.raises(ResourceExistsError):
        container.upload_blob("a", os.urandom(3 * MIB))  # by blocks
    assert container.download_blob("a").readall() == b"1"


@pytest.mark.parametrize("call", ["upload_blob", "set_blob_metadata", "delete_blob", "download_blob", "stale_download"])
def test_another_version_is_left_alone(container: ContainerClient, call: str) -> None:
    blob = container.get_blob_client("a")
    old = blob.upload_blob(b"1")["etag"]
    blob.upload_blob(b"2", overwrite=True)
    stale: dict[str, Any] = {"etag": old, "match_condition": MatchConditions.IfNotModified}
    actions: dict[str, Callable[[], Any]] = {
        "upload_blob": lambda: blob.upload_blob(b"3", overwrite=True, **stale),
        "set_blob_metadata": lambda: blob.set_blob_metadata({"a": "b"}, **stale),
        "delete_blob": lambda: blob.delete_blob(**stale),
        "download_blob": lambda: blob.download_blob(**stale),
        "stale_download": lambda: blob.download_blob(if_unmodified_since=datetime.now(UTC) - timedelta(hours=1)),
    }
    with pytest.raises(ResourceModifiedError, match="ConditionNotMet"):
        actions[call]()
    assert blob.download_blob().readall() == b"2"


def test_a_read_of_what_is_known_is_304(container: ContainerClient) -> None:
    blob = container.get_blob_client("a")
    etag = blob.upload_blob(b"1")["etag"]
    with pytest.raises(HttpResponseError) as error:
        blob.get_blob_properties(etag=etag, match_condition=MatchConditions.IfModified)
    assert error.value.status_code == 304
    with pytest.raises(HttpResponseError) as error:
        blob.get_blob_properties(if_modified_since=datetime.now(UTC) + timedelta(hours=1))
    assert error.value.status_code == 304
    assert blob.get_blob_properties(if_modified_since=datetime.now(UTC) - timedelta(hours=1)).etag == etag


def test_a_missing_blob_meets_no_etag(container: ContainerClient) -> None:
    condition: dict[str, Any] = {"etag": '"0x8D1"', "match_condition": MatchConditions.IfNotModified}
    with pytest.raises(ResourceModifiedError, match="ConditionNotMet"):
        container.upload_blob("a", b"1", overwrite=True, **condition)


# Blocks


def block(number: int) -> str:
    return base64.b64encode(b"%06d" % number).decode()


def test_blocks_become_a_blob_when_they_are_committed(container: ContainerClient) -> None:
    blob = container.get_blob_client("a")
    for number in (1, 2, 3):
        blob.stage_block(block(number), b"%d" % number)
    assert not blob.exists()
    committed, waiting = blob.get_block_list("all")
    assert (committed, [(one.id, one.size) for one in waiting]) == ([], [(block(n), 1) for n in (1, 2, 3)])
    assert refused(lambda: blob.commit_block_list([BlobBlock(block(4))])) == "InvalidBlockList"
    blob.commit_block_list([BlobBlock(block(3)), BlobBlock(block(1))])
    assert blob.download_blob().readall() == b"31"
    committed, waiting = blob.get_block_list("all")
    assert ([one.id for one in committed], waiting) == ([block(3), block(1)], [])


def test_committed_blocks_are_used_again(container: ContainerClient) -> None:
    blob = container.get_blob_client("a")
    blob.stage_block(block(1), b"one")
    blob.stage_block(block(2), b"two")
    blob.commit_block_list([BlobBlock(block(1)), BlobBlock(block(2))])
    blob.stage_block(block(2), b"TWO")
    blob.stage_block(block(2), b"2")
    blob.commit_block_list([BlobBlock(block(2)), BlobBlock(block(1)), BlobBlock(block(2))])
    assert blob.download_blob().readall() == b"2one2"


@pytest.mark.parametrize(
    ("block_id", "code"),
    [
        ("???", "InvalidQueryParameterValue"),
        ("", "MissingRequiredQueryParameter"),
        (base64.b64encode(b"x" * 65).decode(), "InvalidQueryParameterValue"),
        (base64.b64encode(b"x" * 30).decode(), "InvalidBlobOrBlock"),
    ],
)
def test_bad_block_ids(azure: Azure, container: ContainerClient, block_id: str, code: str) -> None:
    blob = container.get_blob_client("a")
    blob.stage_block(block(1), b"1")

    url = f"{blob.url}?comp=block" + (f"&blockid={block_id}" if block_id else "")
    token = _sas(container)
    answer = azure.http().put(f"{url}&{token}", data=b"1", headers={"x-ms-version": "2023-11-03"})
    assert answer.headers["x-ms-error-code"] == code


def _sas(container: ContainerClient) -> str:
    permission = ContainerSasPermissions(read=True, write=True, create=True, add=True, list=True, delete=True)
    return generate_container_sas(
        str(container.account_name),
        container.container_name,
        container.credential.account_key,
        permission=permission,
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )


def test_put_blob_forgets_uncommitted_blocks(container: ContainerClient) -> None:
    blob = container.get_blob_client("a")
    blob.stage_block(block(1), b"1")
    blob.upload_blob(b"whole", overwrite=True)
    assert blob.get_block_list("all") == ([], [])


# Append blobs


def test_appending(container: ContainerClient) -> None:
    blob = container.get_blob_client("log")
    assert refused(lambda: blob.append_block(b"1")) == "BlobNotFound"
    blob.create_append_blob(content_settings=ContentSettings("text/plain"))
    assert [blob.append_block(part)["blob_append_offset"] for part in (b"one", b"", b"two")[::2]] == ["0", "3"]
    assert blob.download_blob().readall() == b"onetwo"
    assert refused(lambda: blob.append_block(b"3", appendpos_condition=2)) == "AppendPositionConditionNotMet"
    assert refused(lambda: blob.append_block(b"3", maxsize_condition=6)) == "MaxBlobSizeConditionNotMet"
    assert refused(lambda: blob.stage_block(block(1), b"1")) == "InvalidBlobType"
    found = blob.get_blob_properties()
    assert (found.append_blob_committed_block_count, found.blob_type) == (2, "AppendBlob")
    container.upload_blob("block", b"1")
    assert refused(lambda: container.get_blob_client("block").append_block(b"1")) == "InvalidBlobType"


# Copies


def test_copies(service: BlobServiceClient, container: ContainerClient) -> None:
    source = container.get_blob_client("a")
    source.upload_blob(b"content", metadata={"a": "b"}, content_settings=ContentSettings("text/csv"))
    copy = service.create_container("other").get_blob_client("b")
    assert refused(lambda: copy.start_copy_from_url(source.url + "x")) == "CannotVerifyCopySource"
    assert refused(lambda: copy.start_copy_from_url("https://example.com/x")) == "CannotVerifyCopySource"
    assert copy.start_copy_from_url(source.url)["copy_status"] == "success"
    source.delete_blob()
    found = copy.get_blob_properties()
    assert (found.metadata, found.content_settings.content_type, found.copy.status) == (
        {"a": "b"},
        "text/csv",
        "success",
    )
    assert copy.download_blob().readall() == b"content"


def test_a_copied_append_blob_goes_its_own_way(container: ContainerClient) -> None:
    source, copy = container.get_blob_client("a"), container.get_blob_client("b")
    source.create_append_blob()
    source.append_block(b"one")
    copy.start_copy_from_url(source.url)
    source.append_block(b"-two")
    copy.append_block(b"+2")
    assert (source.download_blob().readall(), copy.download_blob().readall()) == (b"one-two", b"one+2")


def test_a_copy_from_another_account_needs_the_source_s_own_permission(
    azure: Azure, container: ContainerClient, new_name: Callable[[], str]
) -> None:
    source = container.get_blob_client("a")
    source.upload_blob(b"content")
    name = new_name()
    other = BlobServiceClient(f"https://{name}.blob.core.windows.net", azure.account(name), **azure.transport)
    copy = other.create_container("other").get_blob_client("b")
    assert refused(lambda: copy.start_copy_from_url(source.url)) == "NoAuthenticationInformation"
    copy.upload_blob_from_url(f"{source.url}?{_sas(container)}", overwrite=True)
    assert copy.download_blob().readall() == b"content"


# Listings


def test_blobs_are_listed_by_prefix_delimiter_and_page(container: ContainerClient) -> None:
    names = ["a", "a/1", "a/2", "a/b/3", "a-b", "b/1", "c", "ü/1", "\U0001f600"]
    for name in names:
        container.upload_blob(name, name.encode(), metadata={"n": "1"})
    assert [one.name for one in container.list_blobs()] == sorted(names)
    assert sorted(one.name for one in container.walk_blobs()) == ["a", "a-b", "a/", "b/", "c", "ü/", "\U0001f600"]
    assert sorted(one.name for one in container.walk_blobs("a/")) == ["a/1", "a/2", "a/b/"]
    pages = container.list_blobs("a", include=["metadata"], results_per_page=2).by_page()
    assert [[one.name for one in page] for page in pages] == [["a", "a-b"], ["a/1", "a/2"], ["a/b/3"]]
    found = next(iter(container.list_blobs("a/1", include=["metadata"])))
    assert (found.size, found.metadata, found.blob_type) == (3, {"n": "1"}, "BlockBlob")
    assert found.etag == container.get_blob_client("a/1").get_blob_properties().etag.strip('"')
    assert list(container.list_blobs("nothing")) == []


def test_a_reader_keeps_what_it_began_to_read(azure: Azure, container: ContainerClient) -> None:
    content = os.urandom(8 * MIB)
    blob = container.get_blob_client("a")
    blob.upload_blob(content)
    answer = azure.http().get(f"{blob.url}?{_sas(container)}", stream=True)
    first = answer.raw.read(1)
    blob.delete_blob()
    assert first + answer.raw.read() == content
