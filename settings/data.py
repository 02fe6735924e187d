"""The team's data: the lake, the containers and shares of its storage account, and datastores."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from settings.ids import StorageAccountId
from settings.people import Member, Secret
from settings.types import Days, Entries, Guid, Section, fault

RESERVED_DATASTORES = frozenset(
    {"workspaceblobstore", "workspacefilestore", "workspaceartifactstore", "workspaceworkingdirectory"}
)
"""Datastores that every workspace has from the start (learn.microsoft.com/azure/machine-learning/concept-data)."""

DatastoreName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$")]
ContainerName = Annotated[str, Field(min_length=3, max_length=63, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
"""Name of a file system, container or share."""
_DATASTORE_NAME = "Name of the datastore: up to 255 letters, digits, hyphens and underscores."
_STEP = "[A-Za-z0-9_]([A-Za-z0-9_ .=-]*[A-Za-z0-9_])?"
_FOLDER = f"^{_STEP}(/{_STEP}){{0,7}}$"
_CONTAINER_NAME = "3 to 63 lower-case letters, digits and single hyphens"


class Datastore(Section):
    """A datastore of the workspace: the name under which jobs reach a file system of the team's lake."""

    name: DatastoreName = Field(description=_DATASTORE_NAME)
    file_system: str = Field(description="The file system that jobs reach; one of lake.fileSystems.")
    type: Literal["adlsGen2", "blob"] = Field(
        default="adlsGen2", description="How jobs reach it: 'adlsGen2' with directories, or 'blob'."
    )


class LifecycleRule(Section):
    """When blobs move to a cheaper tier and when they are deleted, counted in days since they were last written."""

    name: str = Field(
        pattern=r"^[a-zA-Z0-9-]{1,256}$", description="Name of the rule: up to 256 letters, digits and hyphens."
    )
    prefixes: Entries[str] = Field(
        default=(),
        description="File systems, or paths in them such as fs1/logs, that the rule is for. All if left out.",
    )
    cool_after_days: Days | None = Field(
        default=None, description="Days until the cool tier, which costs less to keep."
    )
    archive_after_days: Days | None = Field(
        default=None,
        description="Days until the archive tier, where a read takes hours. Not for storage replicated across zones.",
    )
    delete_after_days: Days | None = Field(default=None, description="Days until they are deleted.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = [d for d in (self.cool_after_days, self.archive_after_days, self.delete_after_days) if d is not None]
        if not days or days != sorted(set(days)):
            raise fault(
                "needs one of coolAfterDays, archiveAfterDays, deleteAfterDays, and each later than the one before."
            )
        return self


class Restricted(Section):
    """A file system of the lake, or a folder of one, that only some people reach, such as one with data about persons.

    The team's other people, its clusters' identities, its automation and the lake's service principal do not reach
    it. Jobs read it as the person who submits them (`identity: {type: user_identity}`).
    Who reaches the rest of a file system sees the names of what is in its restricted folders, and no content.
    The team's admins have no role on data, but they change the account, and with it whether account keys are allowed.
    Under `protect`, Azure's lock on the account also keeps these roles and those of feeds from deletion. To take one
    back, set `protect` to false, run `up`, and set it again.
    """

    file_system: str = Field(description="The file system; one of lake.fileSystems.")
    folder: str | None = Field(
        default=None,
        max_length=100,
        pattern=_FOLDER,
        description=(
            "A folder of it, such as hr/persons: up to 100 letters, digits, spaces and _ . = -, with a letter, digit "
            "or _ at both ends of each name. All of it if left out."
        ),
    )
    readers: Entries[Member] = Field(default=(), description="Who reads its files.")
    writers: Entries[Member] = Field(default=(), description="Who reads and writes its files.")

    @property
    def place(self) -> str:
        """File system and folder, as components name it."""
        return f"{self.file_system}/{self.folder}" if self.folder else self.file_system

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.readers or self.writers):
            raise fault("has neither readers nor writers.")
        return self


class Feed(Section):
    """An identity that fills the lake from outside, such as a Data Factory's: it writes file systems, and nothing else.

    It reads and writes all of a file system that it names, restricted folders included.
    """

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,22}[a-z0-9]$",
        description="Name in the team: 2 to 24 lower-case letters, digits and hyphens, starting with a letter.",
    )
    object_id: Guid = Field(
        description="Object id of its managed identity or service principal in Entra, in lower case."
    )
    file_systems: Entries[ContainerName] = Field(
        min_length=1, description="The file systems that it writes, each one of lake.fileSystems."
    )


class Lake(Section):
    """A data lake of the team: a storage account with a hierarchical namespace.

    With accountId, an account that exists is used with its file systems: only role assignments are made in it.
    With servicePrincipal, jobs reach the lake as that service principal; its secret is in the team's key vault and in
    the datastores. Without it, they use each person's own identity.
    """

    account_id: StorageAccountId | None = Field(
        default=None,
        description="Id of an account that exists, in the department's subscription. One is made if left out.",
    )
    file_systems: Entries[ContainerName] = Field(
        min_length=1, description=f"File systems of the lake, at least one, each of {_CONTAINER_NAME}."
    )
    datastores: Entries[Datastore] = Field(default=(), description="Datastores of the workspace on these file systems.")
    restricted: Entries[Restricted] = Field(
        default=(), description="File systems and folders that only some people reach."
    )
    feeds: Entries[Feed] = Field(default=(), description="What fills the lake from outside, such as a Data Factory.")
    service_principal: Secret | None = Field(
        default=None, description="Makes a service principal with which jobs reach the lake."
    )
    soft_delete_days: int = Field(
        default=7,
        ge=0,
        le=365,
        description="Days in which deleted blobs and file systems can be restored, 0 to 365. 0 turns it off.",
    )
    lifecycle: Entries[LifecycleRule] = Field(
        default=(), description="When blobs move to a cheaper tier and when they are deleted."
    )

    @property
    def restricted_file_systems(self) -> list[str]:
        """The file systems that are restricted as a whole."""
        return [one.file_system for one in self.restricted if one.folder is None]

    @property
    def restricted_folders(self) -> dict[str, list[str]]:
        """The restricted folders of each file system that has some."""
        folders: dict[str, list[str]] = {}
        for one in self.restricted:
            if one.folder is not None:
                folders.setdefault(one.file_system, []).append(one.folder)
        return folders


class DataDatastore(Section):
    """A datastore of the workspace: the name under which jobs reach a container or share of the account for data."""

    name: DatastoreName = Field(description=_DATASTORE_NAME)
    container: str | None = Field(default=None, description="The container that jobs reach; one of data.containers.")
    share: str | None = Field(
        default=None, description="The share that jobs reach; one of data.shares. Give either a container or a share."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.container is None) == (self.share is None):
            raise fault("names either a container or a share.")
        return self


class Share(Section):
    """A file share, which jobs mount as a folder."""

    name: ContainerName = Field(description=f"Name of the share: {_CONTAINER_NAME}.")
    gib: int = Field(default=100, ge=1, le=5120, description="Largest size in GiB, 1 to 5120.")


class Data(Section):
    """Containers and file shares in the team's storage account for data, beside the lake."""

    containers: Entries[ContainerName] = Field(default=(), description=f"Containers, each of {_CONTAINER_NAME}.")
    shares: Entries[Share] = Field(
        default=(), description="File shares. The team's people and clusters read and write them with their identity."
    )
    datastores: Entries[DataDatastore] = Field(
        default=(), description="Datastores of the workspace on these containers and shares."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.containers or self.shares):
            raise fault("has neither containers nor shares.")
        return self
