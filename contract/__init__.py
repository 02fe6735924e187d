"""The contract between a department's stack and those who read its outputs: typed, versioned, without secrets.

`python -m department docs` writes its JSON schema. A change that old readers do not understand raises
`CONTRACT`; a new optional key does not. `tests/program/contracts` holds what each contract promised first.
"""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

CONTRACT = 1


class _Output(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)


class ClusterOutput(_Output):
    """A compute cluster, under its name."""

    vm_size: str = Field(description="VM size of the nodes, as Azure ML writes it.")
    max_nodes: int = Field(description="Most nodes at one time.")
    priority: Literal["dedicated", "lowPriority"] = Field(description="Whether Azure may take nodes back.")
    idle_minutes: int = Field(description="Minutes without a job after which a node is given back.")


class InstanceOutput(_Output):
    """A compute instance, under its name in the settings."""

    name: str
    vm_size: str
    user: str = Field(description="Whose it is, as a user principal name.")


class DatastoreOutput(_Output):
    """A datastore of the workspace, under its name."""

    type: Literal["AzureDataLakeGen2", "AzureBlob", "AzureFile"] = Field(
        description="Kind of storage, in Azure's words."
    )
    account: str = Field(description="Storage account.")
    container: str = Field(description="File system, container or share.")
    uri: str = Field(description="Where jobs find its files: azureml://…/datastores/NAME/paths/.")


class RoleOutput(_Output):
    """A custom role."""

    name: str = Field(description="Full name, unique in the tenant.")
    id: str = Field(description="Id of the role definition.")


class RolesOutput(_Output):
    """The roles of a team's people."""

    team_lead: RoleOutput
    data_scientist: RoleOutput
    automation: RoleOutput | None = None


class AutomationOutput(_Output):
    """A service principal of the team, under its name."""

    client_id: str
    tenant_id: str
    vault: str | None = Field(default=None, description="Key vault that keeps its secret, if it has one.")
    secret_name: str | None = Field(default=None, description="Name of the secret there.")


class TeamOutput(_Output):
    """A team's workspace and what is in it, under the team's name."""

    subscription_id: str
    resource_group: str
    workspace: str
    location: str
    studio_url: str = Field(description="Address of the workspace's web interface.")
    tracking_uri: str = Field(description="Address for MLflow: azureml://…")
    clusters: dict[str, ClusterOutput]
    instances: dict[str, InstanceOutput] = Field(default_factory=dict)
    datastores: dict[str, DatastoreOutput]
    roles: RolesOutput
    automation: dict[str, AutomationOutput] = Field(default_factory=dict, description="Service principals by name.")


class ModelRegistryOutput(_Output):
    """The registry of models that the teams share."""

    name: str
    resource_group: str
    uri: str = Field(description="How clients name it: azureml://registries/NAME.")


class DepartmentOutput(_Output):
    """The department as a whole."""

    code: str
    environment: Literal["res", "dev", "pro"]
    region: str
    subscription_id: str
    owner: str
    cost_center: str
    model_registry: ModelRegistryOutput | None = Field(default=None, description="The teams' registry of models.")


class StackOutputs(_Output):
    """All outputs of a department's stack."""

    contract: Literal[1] = Field(description="Version of this contract.")
    department: DepartmentOutput
    teams: dict[str, TeamOutput]


def schema() -> str:
    """JSON schema of the outputs, as it is committed."""
    return json.dumps(StackOutputs.model_json_schema(), indent=2) + "\n"
