"""People, and the service principals of what runs without a person."""

from datetime import date, timedelta
from typing import Any, Literal, Self

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue

from settings.types import UNSEEN, Day, Entries, Guid, Person, Section, fault

_DEVOPS = rf"^[^/{UNSEEN}]{{1,64}}$"


class Member(Section):
    """Somebody who gets a role. For a user, the name alone is enough; a group, or access that ends, has these keys."""

    user: Person | None = Field(
        default=None,
        description="A user: principal name such as user1@site.com, mail address of a guest, or object id.",
    )
    group: str | None = Field(
        default=None,
        pattern=rf"^[^:{UNSEEN}]{{1,256}}$",
        description="An existing security group: display name of up to 256 characters without colons, or object id.",
    )
    until: Day | None = Field(
        default=None,
        description=(
            "Last day of the access, such as 2027-01-31. From the next day on, "
            "previews fail until the entry is deleted."
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"user": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.user is None) == (self.group is None):
            raise fault("names either a user or a group.")
        return self

    @property
    def name(self) -> str:
        """The user or group, as the settings name it."""
        return self.user or str(self.group)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A plain name is a user."""
        mapping = handler.resolve_ref_schema(handler(core_schema))
        name = "A user: principal name, mail address of a guest, or object id."
        return {"anyOf": [{"type": "string", "description": name}, mapping]}


class Secret(Section):
    """A service principal's secret, kept in the team's key vault.

    Under `protect`, Azure's lock on the vault also keeps the readers' roles from deletion. To take one back, set
    `protect` to false, run `up`, and set it again.
    """

    rotated: Day = Field(
        description="Day on which the secret was made. Give another day to make a new secret and end the old one."
    )
    valid_days: int = Field(
        default=180, ge=1, le=730, description="Days until the secret expires, from 'rotated' on, 1 to 730."
    )
    readers: Entries[Member] = Field(
        default=(), description="Who may read the secret in the vault, besides the vault's administrators."
    )

    @property
    def expires(self) -> date:
        """First day on which the secret is no longer valid."""
        return self.rotated + timedelta(days=self.valid_days)


class GitHub(Section):
    """A GitHub repository whose workflows sign in without a secret."""

    repository: str = Field(
        pattern=r"^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}$", description="The repository, as owner/name."
    )
    environment: str | None = Field(
        default=None, min_length=1, max_length=255, description="Trusts only jobs of this deployment environment."
    )
    branch: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="Trusts only runs of this branch. Give either an environment or a branch.",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.environment is None) == (self.branch is None):
            raise fault("names either an environment or a branch.")
        return self


class AzureDevOps(Section):
    """An Azure DevOps service connection whose pipelines sign in without a secret."""

    organization_id: Guid = Field(description="Id of the organization: 32 lower-case hexadecimal digits as 8-4-4-4-12.")
    organization: str = Field(pattern=_DEVOPS, description="Name of the organization.")
    project: str = Field(pattern=_DEVOPS, description="Name of the project.")
    service_connection: str = Field(pattern=_DEVOPS, description="Name of the service connection.")


class Automation(Section):
    """A service principal for what runs without a person, such as a pipeline."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,22}[a-z0-9]$",
        description="Name in the team: 2 to 24 lower-case letters, digits and hyphens, starting with a letter.",
    )
    role: Literal["automation", "contributor"] = Field(
        default="automation",
        description=(
            "'automation' runs jobs and deploys models; 'contributor' is Contributor on the workspace. "
            "Both reach the data."
        ),
    )
    git_hub: GitHub | None = Field(default=None, alias="github", description="Trusts a GitHub repository's workflows.")
    azure_dev_ops: AzureDevOps | None = Field(
        default=None, alias="azureDevOps", description="Trusts an Azure DevOps service connection."
    )
    secret: Secret | None = Field(
        default=None,
        description=(
            "Makes a secret and keeps it in the vault, for a pipeline that cannot sign in with a token of its own."
        ),
    )

    @model_validator(mode="after")
    def _signs_in(self) -> Self:
        if not (self.git_hub or self.azure_dev_ops or self.secret):
            raise fault("has no way to sign in: give github, azureDevOps or secret.")
        return self
