"""The limits that the settings give a team's workspace on the subscription's vCPU quota.

Azure keeps them outside of any resource, so that no stack can hold them: `updateQuotas` sets them, previews tell where
they differ from the settings, and `python -m department quota --apply Pulumi.dev.yaml` sets them.

Sources: learn.microsoft.com/azure/machine-learning/how-to-manage-quotas, rest/api/azureml/quotas/update.
"""

from dataclasses import dataclass

from operations.quota import NO_LIMIT, Quotas, limits_body, update_quotas_path, workspace_id
from operations.resourcemanager import AzureRefusedError, Send, body_of
from settings import Department

_HINTS = {
    "InvalidQuotaBelowClusterMinimum": "clusters of the workspace use more: lower their nodes first",
    "InvalidQuotaExceedsSubscriptionLimit": "the subscription has less: ask for more with az quota update",
    "InvalidVMFamilyName": "the region has no such VM family",
    "OperationNotSupportedForSku": "a workspace of this tier has no limits",
    "OperationNotEnabledForRegion": "this region has no limits of workspaces",
}


@dataclass(frozen=True)
class Share:
    """The limit of one VM family for a team's workspace.

    Attributes:
        team: The team's name.
        workspace: The workspace's name.
        quota_id: Azure's id of the limit.
        family: The VM family.
        vcpus: The limit in the settings; -1 for none.
        actual: The limit on Azure; None if there is none.
    """

    team: str
    workspace: str
    quota_id: str
    family: str
    vcpus: int
    actual: int | None

    @property
    def differs(self) -> bool:
        """Whether Azure has another limit than the settings."""
        return (NO_LIMIT if self.actual is None else self.actual) != self.vcpus

    @property
    def text(self) -> str:
        """The limits in the settings and on Azure, in a sentence."""
        return (
            f"quota of team {self.team}: the settings give the workspace {self.workspace} {_vcpus(self.vcpus)} of "
            f"{self.family}, and Azure gives it {_vcpus(self.actual)}."
        )


def shares(department: Department, quotas: Quotas) -> list[Share]:
    """Every limit in the settings, with what Azure has."""
    found = []
    for team in department.teams:
        id_ = workspace_id(department, team)
        for family, vcpus in team.quota.items():
            limit = quotas.of(id_, family)
            actual = limit.vcpus if limit else None
            name = id_.rsplit("/", 1)[-1]
            found.append(Share(team.name, name, f"{id_}/quotas/{family}", family, vcpus, actual))
    return found


def set_shares(department: Department, quotas: Quotas, send: Send) -> list[Share]:
    """Give the workspaces the limits of the settings; those that were changed.

    Args:
        department: The settings.
        quotas: What Azure has before.
        send: The resource manager.

    Raises:
        AzureRefusedError: If Azure refuses one of them. The others are set.
    """
    changed = [share for share in shares(department, quotas) if share.differs]
    if not changed:
        return []
    body = limits_body([(share.quota_id, share.vcpus) for share in changed])
    answered = body_of(send("POST", update_quotas_path(department), body)).get("value") or []
    statuses = {str(item.get("id", "")).lower(): str(item.get("status")) for item in answered}
    refused = []
    for share in changed:
        status = statuses.get(share.quota_id.lower(), "not answered")
        if status != "Success":
            hint = f" ({_HINTS[status]})" if status in _HINTS else ""
            refused.append(f"{share.workspace}: {_vcpus(share.vcpus)} of {share.family}: {status}{hint}")
    if refused:
        raise AzureRefusedError("limits that Azure refuses:\n" + "\n".join(refused))
    return changed


def _vcpus(limit: int | None) -> str:
    return "no limit" if limit in (None, NO_LIMIT) else f"{limit} vCPUs"
