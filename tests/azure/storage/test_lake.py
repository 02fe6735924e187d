"""Hierarchical namespaces, as azure-storage-file-datalake drives them, and flat ones at the Data Lake endpoint."""

from collections.abc import Callable
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobServiceClient
from azure.storage.filedatalake import ContentSettings, DataLakeServiceClient, FileSystemClient

from tests.azure.storage.harness import Azure
from tests.azure.storage.test_authorization import refused

MakeLake = Callable[..., tuple[FileSystemClient, BlobServiceClient]]


@pytest.fixture
def make_lake(azure: Azure, new_name: Callable[[], str]) -> MakeLake:
    """Makes an account with the filesystem `fs1`, seen through both endpoints."""

    def make(**properties: Any) -> tuple[FileSystemClient, BlobServiceClient]:
        name = new_name()
        key = azure.account(name, **properties)
        lake = DataLakeServiceClient(f"https://{name}.dfs.core.windows.net", credential=key, **azure.transport)
        blobs = BlobServiceClient(f"https://{name}.blob.core.windows.net", credential=key, **azure.transport)
        return lake.create_file_system("fs1"), blobs

    return make


@pytest.fixture
def files(make_lake: MakeLake) -> FileSystemClient:
    return make_lake(isHnsEnabled=True)[0]


def write(files: FileSystemClient, *paths: str) -> None:
    for path in paths:
        files.get_file_client(path).upload_data(path.encode(), overwrite=True)


def paths(files: FileSystemClient, path: str | None = None, *, recursive: bool = True) -> list[str]:
    return [one.name + ("/" if one.is_directory else "") for one in files.get_paths(path, recursive=recursive)]


# Refusals


@pytest.mark.parametrize(
    "call",
    [
        lambda files: files.get_file_client("absent").download_file(),
        lambda files: files.get_file_client("absent").append_data(b"1", 0),
        lambda files: files.get_file_client("absent").delete_file(),
        lambda files: files.get_directory_client("absent").delete_directory(),
        lambda files: files.get_directory_client("absent").get_access_control(),
        lambda files: list(files.get_paths("absent")),
    ],
)
def test_an_absent_path(files: FileSystemClient, call: Callable[[FileSystemClient], Any]) -> None:
    with pytest.raises(ResourceNotFoundError, match=r"PathNotFound|BlobNotFound"):  # a download asks the Blob endpoint
        call(files)


def test_an_absent_filesystem(azure: Azure, make_lake: MakeLake) -> None:
    _, blobs = make_lake(isHnsEnabled=True)
    endpoint = f"https://{blobs.account_name}.dfs.core.windows.net"
    key = blobs.credential.account_key
    absent = DataLakeServiceClient(endpoint, credential=key, **azure.transport).get_file_system_client("absent")
    for action in (lambda: absent.create_file("a"), lambda: list(absent.get_paths())):
        assert refused(action) == "FilesystemNotFound"


def test_a_file_is_no_directory_and_a_directory_no_file(files: FileSystemClient) -> None:
    write(files, "file", "directory/file")
    for action in (
        lambda: files.create_file("file/below"),
        lambda: files.create_directory("file/below/more"),
        lambda: files.create_directory("file"),
        lambda: files.create_file("directory"),
        lambda: files.get_file_client("directory").append_data(b"1", 0),
    ):
        assert refused(action) == "PathConflict"
    assert paths(files) == ["directory/", "directory/file", "file"]
    assert paths(files, "directory/file") == ["directory/file"]


def test_a_path_is_made_once_where_that_is_asked(files: FileSystemClient) -> None:
    once: dict[str, Any] = {"match_condition": MatchConditions.IfMissing}
    files.create_directory("directory", **once)
    files.create_file("file", **once)
    for action in (lambda: files.create_directory("directory", **once), lambda: files.create_file("file", **once)):
        with pytest.raises(ResourceExistsError, match="PathAlreadyExists"):
            action()


def test_data_must_be_contiguous(files: FileSystemClient) -> None:
    file = files.create_file("file")
    file.append_data(b"3456", 3)
    assert refused(lambda: file.flush_data(7)) == "InvalidFlushPosition"
    file.append_data(b"012", 0)
    assert refused(lambda: file.flush_data(5)) == "InvalidFlushPosition"
    assert refused(lambda: file.flush_data(8)) == "InvalidFlushPosition"
    assert file.get_file_properties().size == 0
    file.flush_data(7)
    assert refused(lambda: file.append_data(b"x", 6)) == "InvalidFlushPosition"
    file.append_data(b"7", 7, flush=True)
    assert file.download_file().readall() == b"01234567"


def test_what_the_blob_endpoint_wrote_is_not_appended_to(make_lake: MakeLake) -> None:
    files, blobs = make_lake(isHnsEnabled=True)
    blobs.get_blob_client("fs1", "a/b").upload_blob(b"1")
    assert refused(lambda: files.get_file_client("a/b").append_data(b"2", 1)) == "InvalidFlushOperation"
    assert files.get_file_client("a/b").download_file().readall() == b"1"
    assert paths(files) == ["a/", "a/b"]


def test_a_directory_that_is_not_empty_goes_only_with_what_is_in_it(make_lake: MakeLake, azure: Azure) -> None:
    files, blobs = make_lake(isHnsEnabled=True)
    write(files, "a/b/c")
    assert refused(lambda: blobs.get_blob_client("fs1", "a").delete_blob()) == "DirectoryIsNotEmpty"
    directory = files.get_directory_client("a")
    assert refused(lambda: directory._client.path.delete(recursive=False)) == "DirectoryNotEmpty"
    directory.delete_directory()
    assert paths(files) == []
    files.create_directory("empty")
    blobs.get_blob_client("fs1", "empty").delete_blob()
    assert paths(files) == []


def test_flat_accounts_have_no_access_control(make_lake: MakeLake) -> None:
    files, _ = make_lake()
    write(files, "a")
    for action in (
        files.get_file_client("a").get_access_control,
        lambda: files.get_file_client("a").set_access_control(owner="me"),
        lambda: files.get_directory_client("/").get_access_control(),
    ):
        assert refused(action) == "HierarchicalNamespaceNotEnabled"


# Files and directories


def test_directories_above_a_file_are_made(files: FileSystemClient) -> None:
    write(files, "a/b/c/file", "a/other")
    assert paths(files) == ["a/", "a/b/", "a/b/c/", "a/b/c/file", "a/other"]
    assert paths(files, recursive=False) == ["a/"]
    assert paths(files, "a", recursive=False) == ["a/b/", "a/other"]
    assert paths(files, "a/b") == ["a/b/c/", "a/b/c/file"]


def test_directories_are_kept_when_they_are_empty(files: FileSystemClient) -> None:
    write(files, "a/b/file")
    files.get_file_client("a/b/file").delete_file()
    assert paths(files) == ["a/", "a/b/"]


def test_a_directory_made_again_keeps_what_is_in_it(files: FileSystemClient) -> None:
    write(files, "a/file")
    files.create_directory("a", metadata={"n": "1"})
    assert paths(files) == ["a/", "a/file"]
    assert files.get_directory_client("a").get_directory_properties().metadata == {"n": "1", "hdi_isfolder": "true"}


def test_names_that_sort_between_a_directory_and_what_is_in_it(files: FileSystemClient) -> None:
    write(files, "a/1", "a-b/1", "a.b", "a0")
    assert paths(files, recursive=False) == ["a/", "a-b/", "a.b", "a0"]
    pages = files.get_paths(recursive=False, max_results=1).by_page()
    assert [one.name for page in pages for one in page] == ["a", "a-b", "a.b", "a0"]


def test_properties_of_files(files: FileSystemClient) -> None:
    settings = ContentSettings(content_type="text/csv", cache_control="no-store")
    file = files.create_file("a/file", content_settings=settings, metadata={"Stufe": "1"})
    file.append_data(b"12", 0)
    before = file.get_file_properties()
    file.flush_data(2)
    after = file.get_file_properties()
    assert (before.size, after.size, before.etag != after.etag) == (0, 2, True)
    assert (after.content_settings.content_type, after.metadata) == ("text/csv", {"Stufe": "1"})
    with pytest.raises(ResourceModifiedError, match="ConditionNotMet"):
        file.flush_data(2, etag=before.etag, match_condition=MatchConditions.IfNotModified)
    file.set_metadata({"neu": "2"})
    assert file.get_file_properties().metadata == {"neu": "2"}
    found = next(one for one in files.get_paths() if not one.is_directory)
    assert (found.content_length, found.owner, found.permissions) == (2, "$superuser", "rw-r-----")
    assert found.etag == file.get_file_properties().etag.strip('"')


def test_the_root_has_properties(files: FileSystemClient) -> None:
    root = files._get_root_directory_client()
    assert root.get_access_control()["permissions"] == "rwxr-x---"
    root.set_access_control(permissions="rwxrwx--x")
    assert root.get_access_control()["permissions"] == "rwxrwx--x"
    assert root.exists()


def test_both_endpoints_see_the_same(make_lake: MakeLake) -> None:
    files, blobs = make_lake(isHnsEnabled=True)
    write(files, "a/file")
    blobs.get_blob_client("fs1", "b/blob").upload_blob(b"blob")
    container = blobs.get_container_client("fs1")
    shown = {one.name: one.metadata or {} for one in container.list_blobs(include=["metadata"])}
    assert shown == {"a": {"hdi_isfolder": "true"}, "a/file": {}, "b": {"hdi_isfolder": "true"}, "b/blob": {}}
    assert sorted(one.name for one in container.walk_blobs()) == ["a/", "b/"]
    assert files.get_file_client("b/blob").download_file().readall() == b"blob"
    assert blobs.get_blob_client("fs1", "a/file").download_blob().readall() == b"a/file"
    assert refused(lambda: container.upload_blob("a", b"1", overwrite=True)) == "ResourceTypeMismatch"
    assert refused(lambda: container.upload_blob("a/file/below", b"1")) == "ResourceTypeMismatch"


# Renames


def rename(files: FileSystemClient, old: str, new: str, **conditions: Any) -> None:
    files.get_directory_client(old).rename_directory(f"fs1/{new}", **conditions)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("absent", "x", "SourcePathNotFound"),
        ("a", "absent/x", "RenameDestinationParentPathNotFound"),
        ("a", "a/b/x", "InvalidRenameSourcePath"),
        ("a", "a", "InvalidRenameSourcePath"),
        ("a", "full", "PathAlreadyExists"),
        ("a", "file", "InvalidSourceOrDestinationResourceType"),
        ("file", "empty", "InvalidSourceOrDestinationResourceType"),
        ("a", "file/x", "PathConflict"),
    ],
)
def test_renames_that_are_refused_change_nothing(files: FileSystemClient, old: str, new: str, code: str) -> None:
    write(files, "a/b/1", "full/1", "file")
    files.create_directory("empty")
    before = paths(files)
    assert refused(lambda: rename(files, old, new)) == code
    assert paths(files) == before


def test_a_directory_is_renamed_with_all_in_it(files: FileSystemClient) -> None:
    write(files, "a/b/1", "a/2", "a-b", "ab/3")
    files.create_directory("empty")
    etag = files.get_file_client("a/b/1").get_file_properties().etag
    files.get_file_client("a/2").append_data(b"waiting", 3)
    rename(files, "a", "empty")
    assert paths(files) == ["a-b", "ab/", "ab/3", "empty/", "empty/2", "empty/b/", "empty/b/1"]
    moved = files.get_file_client("empty/b/1")
    assert (moved.download_file().readall(), moved.get_file_properties().etag) == (b"a/b/1", etag)
    files.get_file_client("empty/2").flush_data(10)
    assert files.get_file_client("empty/2").download_file().readall() == b"a/2waiting"


def test_a_file_is_renamed_over_another_one(files: FileSystemClient) -> None:
    write(files, "a b/ü%", "c")
    once: dict[str, Any] = {"match_condition": MatchConditions.IfMissing}
    source = files.get_file_client("a b/ü%")
    with pytest.raises(ResourceExistsError, match="PathAlreadyExists"):
        source.rename_file("fs1/c", **once)
    stale: dict[str, Any] = {"source_etag": '"0x8D1"', "source_match_condition": MatchConditions.IfNotModified}
    with pytest.raises(HttpResponseError, match="SourceConditionNotMet"):
        source.rename_file("fs1/c", **stale)
    source.rename_file("fs1/c")
    assert paths(files) == ["a b/", "c"]
    assert files.get_file_client("c").download_file().readall() == "a b/ü%".encode()


def test_a_rename_into_another_filesystem(azure: Azure, make_lake: MakeLake) -> None:
    files, blobs = make_lake(isHnsEnabled=True)
    blobs.create_container("fs2")
    write(files, "a/1")
    files.get_directory_client("a").rename_directory("fs2/b")
    assert paths(files) == []
    assert sorted(blobs.get_container_client("fs2").list_blob_names()) == ["b", "b/1"]


# Access control


@pytest.mark.parametrize(
    "change",
    [
        {"permissions": "rwx"},
        {"permissions": "0999"},
        {"acl": "user::rwx,nobody::r--"},
        {"acl": "user::rwz"},
    ],
)
def test_bad_access_control(files: FileSystemClient, change: dict[str, Any]) -> None:
    write(files, "a")
    acl = files.get_file_client("a").get_access_control()["acl"]
    assert refused(lambda: files.get_file_client("a").set_access_control(**change)) == "InvalidInput"
    assert files.get_file_client("a").get_access_control()["acl"] == acl


def test_access_control_is_kept_and_shown(files: FileSystemClient) -> None:
    write(files, "a/b/1")
    directory = files.get_directory_client("a")
    directory.set_access_control(owner="me", acl="user::rwx,user:you:r-x,group::r--,mask::rwx,other::--x")
    found = directory.get_access_control()
    assert (found["owner"], found["permissions"]) == ("me", "rwxrwx--x+")
    directory.set_access_control(permissions="0750")
    assert directory.get_access_control()["permissions"] == "rwxr-x---+"
    changed = directory.update_access_control_recursive("user:them:r--", batch_size=1)
    assert changed.counters is not None
    assert (changed.counters.directories_successful, changed.counters.files_successful) == (2, 1)
    assert files.get_file_client("a/b/1").get_access_control()["acl"] == (
        "user::rw-,user:them:r--,group::r--,mask::r--,other::---"
    )
    directory.remove_access_control_recursive("user:them")
    assert "them" not in files.get_file_client("a/b/1").get_access_control()["acl"]
    directory.set_access_control_recursive("user::r--,group::---,other::---")
    assert files.get_file_client("a/b/1").get_access_control()["permissions"] == "r--------"


def test_permissions_at_creation(files: FileSystemClient) -> None:
    made = files.create_directory("a", permissions="0777", umask="0022")
    assert made.get_access_control()["permissions"] == "rwxr-xr-x"
    assert files.create_file("b", permissions="0777").get_access_control()["permissions"] == "rwxr-x---"


# Flat namespaces


def test_a_flat_namespace_at_the_data_lake_endpoint(make_lake: MakeLake) -> None:
    files, blobs = make_lake()
    write(files, "a/b/1", "a/2")
    assert paths(files) == ["a/2", "a/b/1"]
    assert paths(files, recursive=False) == ["a/"]
    files.create_directory("made")
    assert paths(files, recursive=False) == ["a/", "made/"]
    assert blobs.get_blob_client("fs1", "made").get_blob_properties().metadata == {"hdi_isfolder": "true"}
    rename(files, "a", "new/place")
    assert paths(files) == ["made/", "new/place/2", "new/place/b/1"]
    files.get_directory_client("new").delete_directory()
    assert paths(files) == ["made/"]
