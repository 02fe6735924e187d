"""Folders that only some may see: access control lists, and role assignments with conditions, for real clients.

Sources: learn.microsoft.com/azure/storage/blobs/data-lake-storage-access-control (permissions by operation, the
algorithm), learn.microsoft.com/azure/storage/blobs/storage-auth-abac-examples.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.filedatalake import DataLakeServiceClient, FileSystemClient

from tests.azure.storage.harness import CONTRIBUTOR, READER, Azure, Credential, account_id
from tests.azure.storage.test_authorization import refused

DENIED = "AuthorizationPermissionMismatch"
READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
WRITE = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
NAME = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name]"
PATH = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path]"
PREFIX = "@Request[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:prefix]"


@dataclass
class Lake:
    """A lake with `people/one/data` and `people/two`, and a person who has no role.

    Attributes:
        files: The file system, as the account's key sees it.
        person: The person's object id.
        mine: The file system, as the person sees it.
    """

    azure: Azure
    name: str
    files: FileSystemClient
    person: str

    @property
    def mine(self) -> FileSystemClient:
        return self.seen_by(Credential(self.azure.cloud, self.person))

    def seen_by(self, credential: Any) -> FileSystemClient:
        address = f"https://{self.name}.dfs.core.windows.net"
        service = DataLakeServiceClient(address, credential=credential, **self.azure.transport)
        return service.get_file_system_client("fs1")

    def give(self, path: str, *entries: str) -> None:
        """Sets the list of a directory or file, after the three base entries."""
        target = self.files.get_directory_client(path or "/")
        target.set_access_control(acl=",".join(["user::rwx", "group::---", "other::---", *entries]))

    def group(self) -> str:
        """A group that the person is in."""
        group = str(uuid.uuid4())
        self.azure.do(self.azure.cloud.store.put, "group", group, {"id": group, "members": [self.person]})
        return group


def write(files: FileSystemClient, path: str, content: bytes = b"1") -> None:
    files.get_file_client(path).upload_data(content, overwrite=True)


def read(files: FileSystemClient, path: str) -> bytes:
    return files.get_file_client(path).download_file().readall()


def names(files: FileSystemClient, path: str | None = None, *, recursive: bool = False) -> list[str]:
    return [entry.name for entry in files.get_paths(path, recursive=recursive)]


@pytest.fixture
def lake(azure: Azure, new_name: Callable[[], str]) -> Lake:
    name = new_name()
    key = azure.account(name, isHnsEnabled=True)
    address = f"https://{name}.dfs.core.windows.net"
    files = DataLakeServiceClient(address, credential=key, **azure.transport).create_file_system("fs1")
    made = Lake(azure, name, files, str(uuid.uuid4()))
    write(files, "people/one/data")
    write(files, "people/two")
    for path in ("", "people", "people/one"):
        made.give(path)
    return made


# ---- lists


def test_without_a_role_and_an_entry_nothing_is_seen(lake: Lake) -> None:
    mine = lake.mine
    for action in (
        lambda: read(mine, "people/two"),
        lambda: names(mine),
        lambda: write(mine, "people/new"),
        lambda: mine.get_file_client("people/two").delete_file(),
        lambda: mine.get_file_client("people/two").get_file_properties(),
        lambda: mine.get_directory_client("people").get_access_control(),
        lambda: mine.get_directory_client("people").set_access_control(permissions="0777"),
        lambda: mine.get_file_client("people/two").rename_file("fs1/people/three"),
    ):
        assert refused(action) == DENIED


def test_a_reader_of_one_folder_reads_it_and_no_other(lake: Lake) -> None:
    lake.give("", f"user:{lake.person}:--x")
    lake.give("people", f"user:{lake.person}:--x")
    lake.give("people/one", f"user:{lake.person}:r-x")
    assert names(lake.mine, "people/one") == ["people/one/data"]
    assert refused(lambda: read(lake.mine, "people/one/data")) == DENIED  # the file has its own list
    lake.give("people/one/data", f"user:{lake.person}:r--")
    assert read(lake.mine, "people/one/data") == b"1"
    for action in (
        lambda: names(lake.mine, "people"),
        lambda: names(lake.mine, recursive=True),
        lambda: read(lake.mine, "people/two"),
        lambda: write(lake.mine, "people/one/data"),
        lambda: write(lake.mine, "people/one/new"),
    ):
        assert refused(action) == DENIED


def test_every_directory_above_must_be_passable(lake: Lake) -> None:
    lake.give("people/one/data", f"user:{lake.person}:r--")
    lake.give("people/one", f"user:{lake.person}:--x")
    lake.give("people", f"user:{lake.person}:--x")
    assert refused(lambda: read(lake.mine, "people/one/data")) == DENIED  # not the root
    lake.give("", f"user:{lake.person}:--x")
    assert read(lake.mine, "people/one/data") == b"1"


def test_a_writer_makes_changes_and_deletes_in_a_folder(lake: Lake) -> None:
    for path, permissions in (("", "--x"), ("people", "--x"), ("people/one", "-wx")):
        lake.give(path, f"user:{lake.person}:{permissions}")
    mine = lake.mine
    write(mine, "people/one/new/deep", b"2")
    assert lake.files.get_file_client("people/one/new/deep").get_access_control()["owner"] == lake.person
    assert read(mine, "people/one/new/deep") == b"2"  # its owner
    mine.get_file_client("people/one/new/deep").rename_file("fs1/people/one/moved")
    mine.get_file_client("people/one/moved").set_access_control(permissions="0700")  # as the owner
    mine.get_file_client("people/one/data").delete_file()  # takes the folder's permissions, not the file's
    assert refused(lambda: names(mine, "people/one")) == DENIED  # w and x, but no r
    assert refused(lambda: write(mine, "people/new")) == DENIED


@pytest.mark.parametrize(
    ("entry", "mask", "reads"),
    [("user", "r-x", True), ("user", "--x", False), ("group", "r-x", True), ("group", "--x", False)],
)
def test_the_mask_limits_named_entries(lake: Lake, entry: str, mask: str, reads: bool) -> None:
    who = lake.person if entry == "user" else lake.group()
    lake.give("", f"{entry}:{who}:rwx", f"mask::{mask}")
    if reads:
        assert names(lake.mine) == ["people"]
    else:
        assert refused(lambda: names(lake.mine)) == DENIED


def test_a_mask_is_worked_out_where_none_is_given(lake: Lake) -> None:
    lake.give("", f"user:{lake.person}:r-x", f"group:{lake.group()}:-w-")
    acl = lake.files.get_directory_client("/").get_access_control()["acl"]
    assert ",mask::rwx," in acl
    lake.files.get_directory_client("/").remove_access_control_recursive(acl=f"user:{lake.person}")
    assert refused(lambda: names(lake.mine)) == DENIED


@pytest.mark.parametrize("on", [False, True], ids=["stop", "go on"])
def test_a_recursive_change_spares_what_belongs_to_others(lake: Lake, on: bool) -> None:
    """The caller has to own each path (data-lake-storage-acl-cli); what it does not own is told."""
    lake.give("", f"user:{lake.person}:rwx")
    lake.mine.get_directory_client("mine").create_directory()
    write(lake.mine, "mine/own")
    lake.give("mine", f"user:{lake.person}:rwx")
    write(lake.files, "mine/a-theirs")
    mine = lake.mine.get_directory_client("mine")
    if on:
        done = mine.update_access_control_recursive("other::r--", continue_on_failure=True)
    else:
        done = mine.update_access_control_recursive("other::r--")
    counts = done["counters"]
    assert (counts.directories_successful, counts.files_successful, counts.failure_count) == (1, int(on), 1)
    permissions = {entry.name: entry.permissions for entry in lake.files.get_paths("mine")}
    assert permissions["mine/a-theirs"].rstrip("+").endswith("---")
    assert permissions["mine/own"].rstrip("+").endswith("r--") == on


def test_the_most_particular_entry_decides(lake: Lake) -> None:
    """A named user with less than the user's groups gets less; groups together give what any gives."""
    lake.give("", f"user:{lake.person}:---", f"group:{lake.group()}:rwx")
    assert refused(lambda: names(lake.mine)) == DENIED
    lake.give("", f"group:{lake.group()}:r--", f"group:{lake.group()}:--x")
    assert names(lake.mine) == ["people"]
    root = lake.files.get_directory_client("/")
    root.set_access_control(acl="user::rwx,group::r-x,other::---", group=lake.group())
    assert names(lake.mine) == ["people"]  # as a member of the owning group
    root.set_access_control(acl="user::rwx,group::---,other::r-x")
    assert refused(lambda: names(lake.mine)) == DENIED  # the owning group's entry goes before that of others


def test_new_paths_inherit_the_default_list(lake: Lake) -> None:
    lake.give("", f"user:{lake.person}:--x")
    lake.give("people", f"user:{lake.person}:r-x", f"default:user:{lake.person}:r-x")
    acl = lake.files.get_directory_client("people").get_access_control()["acl"]
    assert "default:user::rwx" in acl
    assert "default:mask::r-x" in acl
    write(lake.files, "people/new/deep/file", b"3")
    assert read(lake.mine, "people/new/deep/file") == b"3"
    assert names(lake.mine, "people/new", recursive=True) == ["people/new/deep", "people/new/deep/file"]
    assert refused(lambda: read(lake.mine, "people/one/data")) == DENIED  # was there before


def test_deleting_a_tree_takes_permissions_on_all_of_it(lake: Lake) -> None:
    lake.give("", f"user:{lake.person}:-wx")
    lake.give("people", f"user:{lake.person}:rwx")
    assert refused(lambda: lake.mine.get_directory_client("people").delete_directory()) == DENIED
    lake.give("people/one", f"user:{lake.person}:rwx")
    lake.mine.get_directory_client("people").delete_directory()
    assert names(lake.files) == []


def test_a_role_goes_before_the_lists(lake: Lake) -> None:
    lake.give("", f"user:{lake.person}:---")
    lake.azure.assign(READER, account_id(lake.name), lake.person)
    assert read(lake.mine, "people/one/data") == b"1"
    assert refused(lambda: write(lake.mine, "people/one/data")) == DENIED


def test_the_blob_endpoint_holds_to_the_same_lists(lake: Lake) -> None:
    address = f"https://{lake.name}.blob.core.windows.net"
    credential = Credential(lake.azure.cloud, lake.person)
    blobs = BlobServiceClient(address, credential=credential, **lake.azure.transport).get_container_client("fs1")
    assert refused(lambda: blobs.download_blob("people/one/data").readall()) == DENIED
    assert refused(lambda: list(blobs.list_blobs())) == DENIED
    for path, permissions in (("", "--x"), ("people", "--x"), ("people/one", "r-x"), ("people/one/data", "r--")):
        lake.give(path, f"user:{lake.person}:{permissions}")
    assert blobs.download_blob("people/one/data").readall() == b"1"
    assert [blob.name for blob in blobs.list_blobs("people/one/")] == ["people/one/data"]
    assert refused(lambda: list(blobs.list_blobs())) == DENIED


def test_a_flat_account_has_no_lists(azure: Azure, new_name: Callable[[], str]) -> None:
    name = new_name()
    key = azure.account(name)
    service = BlobServiceClient(f"https://{name}.blob.core.windows.net", credential=key, **azure.transport)
    service.create_container("fs1").upload_blob("a", b"1")
    nobody = Credential(azure.cloud, str(uuid.uuid4()))
    blobs = BlobServiceClient(f"https://{name}.blob.core.windows.net", credential=nobody, **azure.transport)
    assert refused(lambda: blobs.get_blob_client("fs1", "a").download_blob()) == DENIED


# ---- conditions


def only(action: str, expression: str, *, besides: str = "") -> str:
    """A condition as the portal writes it: the action, where the expression holds."""
    except_ = f" AND NOT SubOperationMatches{{'{besides}'}}" if besides else ""
    return f"((!(ActionMatches{{'{action}'}}{except_})) OR ({expression}))"


def conditioned(lake: Lake, role: str, condition: str) -> FileSystemClient:
    """The file system as somebody sees it who has a role with a condition."""
    person = str(uuid.uuid4())
    assignment = f"{account_id(lake.name)}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    properties = {
        "scope": account_id(lake.name),
        "principalId": person,
        "roleDefinitionId": f"/x/{role}",
        "condition": condition,
        "conditionVersion": "2.0",
    }
    document = {"id": assignment, "properties": properties}
    lake.azure.do(lake.azure.cloud.store.put, "roleAssignment", assignment.lower(), document)
    return lake.seen_by(Credential(lake.azure.cloud, person))


@pytest.mark.parametrize(
    "expression",
    [
        f"{PATH} StringLike 'people/one/*'",
        f"{PATH} StringStartsWith 'people/one/'",
        f"{PATH} StringLikeIgnoreCase 'PEOPLE/ONE/*'",
        f"{PATH} StringEquals 'people/one/data'",
        f"{PATH} StringNotEquals 'people/two'",
        f"{PATH} ForAnyOfAnyValues:StringLike {{'x/*', 'people/one/*'}}",
        f"({NAME} StringEquals 'fs1' AND {PATH} StringLike 'people/one/*')",
        f"({NAME} StringEquals 'other' OR {PATH} StringLike 'people/???/*')",
        f"(Exists {PATH} AND NOT ({PATH} StringEquals 'people/two'))",
    ],
)
def test_a_condition_lets_one_folder_be_read(lake: Lake, expression: str) -> None:
    files = conditioned(lake, READER, only(READ, expression, besides="Blob.List"))
    assert read(files, "people/one/data") == b"1"
    assert refused(lambda: read(files, "people/two")) == DENIED
    assert names(files) == ["people"]  # the condition leaves lists alone


@pytest.mark.parametrize("expression", [f"{NAME} StringEquals 'other'", f"{NAME} StringNotLike 'f*'"])
def test_a_condition_keeps_a_file_system_closed(lake: Lake, expression: str) -> None:
    files = conditioned(lake, CONTRIBUTOR, only(READ, expression))
    assert refused(lambda: read(files, "people/two")) == DENIED
    assert refused(lambda: names(files)) == DENIED
    write(files, "people/new")  # it is about reading alone


def test_a_condition_limits_writing_and_listing(lake: Lake) -> None:
    both = " AND ".join(
        [
            only(WRITE, f"{PATH} StringLike 'people/one/*'"),
            only(READ, f"{PREFIX} StringStartsWith 'people/one'"),
        ]
    )
    files = conditioned(lake, CONTRIBUTOR, both)
    write(files, "people/one/data", b"9")
    assert refused(lambda: write(files, "people/two")) == DENIED
    assert names(files, "people/one") == ["people/one/data"]
    assert refused(lambda: names(files, "people")) == DENIED


def test_a_prefix_is_missing_in_the_list_of_a_whole_file_system(lake: Lake) -> None:
    """Azure fails a comparison with what a request lacks, a negated one too."""
    files = conditioned(lake, READER, only(READ, f"{PREFIX} StringNotStartsWith 'people/one'"))
    assert refused(lambda: names(files)) == DENIED
    assert names(files, "people") == ["people/one", "people/two"]


def test_a_condition_that_cannot_be_read_gives_nothing(lake: Lake) -> None:
    files = conditioned(lake, READER, "(nonsense")
    assert refused(lambda: read(files, "people/two")) == DENIED
