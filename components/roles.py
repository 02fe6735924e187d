"""The roles that people and identities get, each with the reason for it.

Ids of built-in roles: learn.microsoft.com/azure/role-based-access-control/built-in-roles. The custom roles follow
learn.microsoft.com/azure/machine-learning/how-to-assign-roles, with what that page forgets: read literally,
`computes/*/write` does not match `computes/write`, so both stand there.
"""

from dataclasses import dataclass

CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
KEY_VAULT_ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
FILE_DATA_PRIVILEGED_CONTRIBUTOR = "69566ab7-960f-475b-8e7c-b3118f30c6bd"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"

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
    "Microsoft.Insights/metrics/read",
    "Microsoft.Insights/metricDefinitions/read",
)

_KEYS_AND_SECRETS = (
    f"{_W}/listKeys/action",
    f"{_W}/listNotebookKeys/action",
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
        f"{_W}/computes/resize/action",
        f"{_W}/computes/updateIdleShutdownSetting/action",
        *_THE_WORKSPACE_ITSELF,
        *_KEYS_AND_SECRETS,
        *_QUOTA_SUPPORT_AND_ACCESS,
    ),
)


def role_definition_id(subscription_id: str, guid: str) -> str:
    """The full id of a role, in the form in which Azure answers it, for built-in and custom ones."""
    return f"/subscriptions/{subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
