"""Resources that exist already and are used, and those that the teams share."""

from typing import Self

from pydantic import Field, model_validator

from settings.ids import ApplicationInsightsId, KeyVaultId, LogWorkspaceId, RegistryId, ResourceGroupId
from settings.types import Section, fault, key_of


class Existing(Section):
    """Resources of a team that exist already. They get role assignments, and are never changed, protected or deleted.

    The resource group should hold nothing else: the team's people get their roles on it, and budget and policies
    apply to it. The key vault has Azure roles as its permission model; the workspace administers all secrets in it.
    """

    resource_group_id: ResourceGroupId | None = Field(
        default=None, description="Id of the resource group, in the department's subscription."
    )
    key_vault_id: KeyVaultId | None = Field(
        default=None, description="Id of the key vault, in the department's subscription."
    )
    registry_id: RegistryId | None = Field(
        default=None,
        description=(
            "Id of the container registry; of tier Premium where the team's network is not public. "
            "shared.registryId if left out."
        ),
    )
    log_workspace_id: LogWorkspaceId | None = Field(
        default=None, description="Id of the Log Analytics workspace. shared.logWorkspaceId if left out."
    )
    application_insights_id: ApplicationInsightsId | None = Field(
        default=None, description="Id of the Application Insights resource."
    )


class Shared(Section):
    """Resources that the teams use together: made for them, or given by id. A team's own 'existing' goes before these.

    The department's 'network' says how a registry that is made is reached; private teams also have private endpoints
    to it. Each team can pull the images of all teams.
    """

    registry: bool = Field(default=False, description="Whether one container registry is made for the teams.")
    registry_id: RegistryId | None = Field(
        default=None,
        description=(
            "Id of a container registry that exists, in place of one that is made; of tier Premium for private teams."
        ),
    )
    log_workspace: bool = Field(
        default=False, description="Whether one Log Analytics workspace is made for the teams' logs."
    )
    log_workspace_id: LogWorkspaceId | None = Field(
        default=None, description="Id of a Log Analytics workspace that exists, in place of one that is made."
    )

    @property
    def makes(self) -> bool:
        """Whether anything is made for the teams."""
        return self.registry or self.log_workspace

    @model_validator(mode="after")
    def _made_or_given(self) -> Self:
        for made, given in (("registry", "registry_id"), ("log_workspace", "log_workspace_id")):
            if getattr(self, made) and getattr(self, given):
                fields = type(self).model_fields
                raise fault(
                    "has {made}, which makes one, and {given}: leave one out.",
                    made=key_of(made, fields[made]),
                    given=key_of(given, fields[given]),
                )
        return self
