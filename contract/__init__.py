"""The contract between a department's stack and those who read its outputs: typed, versioned, without secrets.

`department/` fills it and `jobs/` reads it. Unknown keys are ignored, so that a stack may offer more than a reader
knows. A change that old readers do not understand raises `CONTRACT`; a new optional key does not.
`tests/program/contracts` holds what each contract promised first.
"""

import json
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

CONTRACT: Final = 1


class Output(BaseModel):
    """A part of the outputs. Its keys are camelCase."""

    model_config = ConfigDict(frozen=True, strict=True, alias_generator=to_camel)


class PriceOutput(Output):
    """Price of a node an hour, from a table of prices with a date."""

    hourly: float = Field(ge=0, description="US dollars an hour and node.")
    as_of: str = Field(pattern=r"^\d{4}-\d\d-\d\d$", description="Day of the price, as 2026-11-29.")
    upper_bound: bool = Field(
        default=False, description="Whether this is the dedicated price of a low-priority node whose own is not known."
    )


class ClusterOutput(Output):
    """A compute cluster, under its name."""

    vm_size: str = Field(description="VM size of the nodes, as Azure ML writes it.")
    max_nodes: int = Field(ge=0, description="Most nodes at one time.")
    priority: Literal["dedicated", "lowPriority"] = Field(description="Whether Azure may take nodes back.")
    idle_minutes: int = Field(ge=0, description="Minutes without a job after which a node is given back.")
    price: PriceOutput | None = Field(default=None, description="What a node costs; null where no price is known.")


class InstanceOutput(Output):
    """A compute instance, under its name in the settings."""

    name: str = Field(description="Its name in the workspace.")
    vm_size: str = Field(description="Its VM size, as Azure ML writes it.")
    user: str = Field(description="Whose it is, as a user principal name.")


class DatastoreOutput(Output):
    """A datastore of the workspace, under its name."""

    type: Literal["AzureDataLakeGen2", "AzureBlob", "AzureFile"] = Field(
        description="Kind of storage, in Azure's words."
    )
    account: str = Field(description="Storage account.")
    container: str = Field(description="File system, container or share.")
    uri: str = Field(description="Where jobs find its files: azureml://…/datastores/NAME/paths/.")


class RoleOutput(Output):
    """A custom role."""

    name: str = Field(description="Full name, unique in the tenant.")
    id: str = Field(description="Id of the role definition.")


class RolesOutput(Output):
    """The roles of a team's people."""

    team_lead: RoleOutput
    data_scientist: RoleOutput
    automation: RoleOutput | None = None


class AutomationOutput(Output):
    """A service principal of the team, under its name."""

    client_id: str = Field(description="Client id (application id) with which it signs in.")
    tenant_id: str = Field(description="Its Entra tenant.")
    vault: str | None = Field(default=None, description="Key vault that keeps its secret, if it has one.")
    secret_name: str | None = Field(default=None, description="Name of the secret there.")


class SpendingOutput(Output):
    """Limits on the spending of the team. Azure does not enforce them."""

    per_job: float | None = Field(
        default=None, description="US dollars that a job may cost at worst before somebody is asked; null for no limit."
    )
    monthly: float | None = Field(
        default=None, description="The team's budget a month, in the currency of the subscription's bill."
    )


class ServingOutput(Output):
    """Limits on the team's online endpoints. Azure does not enforce them."""

    max_instances: int | None = Field(
        default=None, description="Most instances of all deployments together; null for no limit."
    )
    vm_sizes: list[str] | None = Field(default=None, description="VM sizes for deployments; null for any.")


class TeamOutput(Output):
    """A team's workspace and what is in it, under the team's name."""

    subscription_id: str = Field(description="Azure subscription.")
    resource_group: str = Field(description="Resource group of the workspace.")
    workspace: str = Field(description="Name of the workspace.")
    location: str = Field(description="Azure region.")
    studio_url: str = Field(description="Address of the workspace's web interface.")
    tracking_uri: str = Field(description="Address for MLflow: azureml://…")
    clusters: dict[str, ClusterOutput]
    instances: dict[str, InstanceOutput] = Field(default_factory=dict)
    datastores: dict[str, DatastoreOutput]
    roles: RolesOutput = Field(description="The custom roles of the team's people.")
    automation: dict[str, AutomationOutput] = Field(default_factory=dict, description="Service principals by name.")
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of the team's resources, for what jobs make.")
    spending: SpendingOutput = Field(default=SpendingOutput(), description="What the team may spend.")
    serving: ServingOutput = Field(default=ServingOutput(), description="What the team may serve.")

    @property
    def resource_id(self) -> str:
        """The workspace's id in Azure."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.workspace}"
        )

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        """Refuse addresses of another workspace: a file put together by hand would send a run to the wrong one."""
        if not self.tracking_uri.lower().endswith(self.resource_id.lower()):
            raise ValueError(f"trackingUri is not that of workspace {self.workspace}: {self.tracking_uri}")
        for name, datastore in self.datastores.items():
            uri = (
                f"azureml://subscriptions/{self.subscription_id}/resourcegroups/{self.resource_group}"
                f"/workspaces/{self.workspace}/datastores/{name}/paths/"
            )
            if datastore.uri.lower() != uri.lower():
                raise ValueError(f"datastores.{name}.uri should be {uri}, not {datastore.uri}")
        return self


class ModelRegistryOutput(Output):
    """The registry of models that the teams share."""

    name: str = Field(description="Name of the registry.")
    resource_group: str = Field(description="Its resource group.")
    uri: str = Field(description="How clients name it: azureml://registries/NAME.")


class DepartmentOutput(Output):
    """The department as a whole."""

    code: str = Field(description="Short code of the department.")
    environment: Literal["res", "dev", "pro"] = Field(description="Research, development or production.")
    region: str = Field(description="Azure region.")
    subscription_id: str = Field(description="Azure subscription.")
    owner: str = Field(description="Who answers for what is made.")
    cost_center: str = Field(description="Who pays for it.")
    model_registry: ModelRegistryOutput | None = Field(default=None, description="The teams' registry of models.")


class StackOutputs(Output):
    """All outputs of a department's stack."""

    contract: Literal[1] = Field(description="Version of this contract.")
    department: DepartmentOutput
    teams: dict[str, TeamOutput]


def schema() -> str:
    """JSON schema of the outputs, as it is committed."""
    return json.dumps(StackOutputs.model_json_schema(), indent=2) + "\n"
