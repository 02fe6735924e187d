"""The roles that people and identities get, each with the reason for it.

The custom roles follow
learn.microsoft.com/azure/machine-learning/how-to-assign-roles, with what that page forgets: read literally,
`computes/*/write` does not match `computes/write`, so both stand there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from catalogue.roles import CONTRIBUTOR, READER, BuiltInRole

_ML = "Microsoft.MachineLearningServices"
_W = f"{_ML}/workspaces"


@dataclass(frozen=True)
class CustomRole:
    """A role that is defined for one team.

    Attributes:
        title: Last part of its name; the full name is unique in the tenant.
        description: Who gets it and what for, as people see it in the portal.
        actions: Management operations that it allows.
        not_actions: Those taken out again. They are no deny: another assignment can grant them.
    """

    title: str
    description: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]


_USE_THE_WORKSPACE = (
    f"{_W}/*/read",
    f"{_W}/*/action",
    f"{_W}/*/write",
    f"{_W}/*/delete",
    f"{_W}/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Resources/deployments/*",  # the studio and azure-ai-ml make online deployments by a template
    "Microsoft.Insights/metrics/read",
    "Microsoft.Insights/metricDefinitions/read",
)

# Not listNotebookAccessToken/read: the studio's notebooks need it, and its token is the caller's own.
_KEYS_AND_SECRETS = (
    f"{_W}/listKeys/action",
    f"{_W}/listNotebookKeys/read",
    f"{_W}/listStorageAccountKeys/action",
    f"{_W}/resynckeys/action",
    f"{_W}/computes/listKeys/action",
    f"{_W}/connections/listSecrets/action",
    f"{_W}/datastores/listSecrets/action",
)

_THE_WORKSPACE_ITSELF = (
    f"{_W}/write",
    f"{_W}/delete",
    f"{_W}/hubs/write",
    f"{_W}/hubs/delete",
    f"{_W}/featurestores/write",
    f"{_W}/featurestores/delete",
    f"{_W}/outboundRules/write",
    f"{_W}/outboundRules/delete",
    f"{_W}/privateEndpointConnections/write",
    f"{_W}/privateEndpointConnections/delete",
    f"{_W}/provisionManagedNetwork/action",
)

_QUOTA_SUPPORT_AND_ACCESS = (
    "Microsoft.Authorization/*",
    f"{_ML}/locations/updateQuotas/action",
    "Microsoft.Quota/*",
    "Microsoft.Capacity/*",
    "Microsoft.Support/*",
)

TEAM_LEAD = CustomRole(
    title="Team Lead",
    description="Uses the team's workspace and makes and sizes its compute within the quota; reads no keys.",
    actions=_USE_THE_WORKSPACE,
    not_actions=_THE_WORKSPACE_ITSELF + _KEYS_AND_SECRETS + _QUOTA_SUPPORT_AND_ACCESS,
)

DATA_SCIENTIST = CustomRole(
    title="Data Scientist",
    description="Uses all of the team's workspace; changes no compute or workspace, asks for no quota, reads no keys.",
    actions=_USE_THE_WORKSPACE,
    not_actions=(
        f"{_W}/computes/write",
        f"{_W}/computes/*/write",
        f"{_W}/computes/delete",
        f"{_W}/computes/*/delete",
        f"{_W}/computes/updateIdleShutdownSetting/action",
        *_THE_WORKSPACE_ITSELF,
        *_KEYS_AND_SECRETS,
        *_QUOTA_SUPPORT_AND_ACCESS,
    ),
)

_RUN_PIPELINES = (
    f"{_W}/read",
    f"{_W}/*/read",
    f"{_W}/jobs/*",
    f"{_W}/schedules/*",
    f"{_W}/codes/*",
    f"{_W}/data/*",
    f"{_W}/datasets/*",
    f"{_W}/models/*",
    f"{_W}/components/*",
    f"{_W}/environments/write",
    f"{_W}/environments/versions/write",
    f"{_W}/environments/build/action",
    f"{_W}/environments/readSecrets/action",
    f"{_W}/experiments/*",
    f"{_W}/metadata/*",
    f"{_W}/endpoints/*",
    f"{_W}/onlineEndpoints/*",
    f"{_W}/batchEndpoints/*",
    f"{_W}/computes/start/action",
    f"{_W}/computes/stop/action",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Resources/deployments/*",
)

AUTOMATION = CustomRole(
    title="MLOps Automation",
    description=(
        "Runs jobs and deploys models for a pipeline; changes no compute, workspace or datastore, reads no keys."
    ),
    actions=_RUN_PIPELINES,
    not_actions=_KEYS_AND_SECRETS,
)

SUBSCRIPTION_ADMIN = CustomRole(
    title="Subscription Admin",
    description="Asks for quota, divides it between workspaces and opens support tickets; changes no resource.",
    actions=(
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        f"{_ML}/*/read",
        f"{_ML}/locations/updateQuotas/action",
        "Microsoft.Quota/*",
        "Microsoft.Capacity/resourceProviders/locations/serviceLimits/*",
        "Microsoft.Capacity/register/action",
        "Microsoft.Support/*",
    ),
    not_actions=(),
)


class Persona(StrEnum):
    """Who somebody is to a team; each has one role on the team's resource group."""

    ADMIN = "admin"
    LEAD = "teamLead"
    DATA_SCIENTIST = "dataScientist"
    AUTOMATION = "automation"
    READER = "reader"


ROLES: Mapping[Persona, CustomRole | BuiltInRole] = MappingProxyType(
    {
        # Makes clusters and all else in the group; quota and support tickets are the subscription's, out of its reach.
        Persona.ADMIN: BuiltInRole("Contributor", CONTRIBUTOR),
        Persona.LEAD: TEAM_LEAD,
        Persona.DATA_SCIENTIST: DATA_SCIENTIST,
        Persona.AUTOMATION: AUTOMATION,
        Persona.READER: BuiltInRole("Reader", READER),
    }
)
"""The role of each persona."""

TITLES: Mapping[Persona, str] = MappingProxyType(
    {
        Persona.ADMIN: "Admin",
        Persona.LEAD: TEAM_LEAD.title,
        Persona.DATA_SCIENTIST: DATA_SCIENTIST.title,
        Persona.AUTOMATION: AUTOMATION.title,
        Persona.READER: "Reader",
    }
)
"""The name of each persona, in the names of groups."""

WORKS_WITH_DATA = (Persona.LEAD, Persona.DATA_SCIENTIST, Persona.AUTOMATION)
"""Personas that read and write the team's data; administrators and readers see that it is there."""


def role_definition_id(subscription_id: str, guid: str) -> str:
    """The full id of a role, in the form in which Azure answers it, for built-in and custom ones."""
    return f"/subscriptions/{subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
