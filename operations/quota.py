"""The vCPUs that a department's compute can use at most, against the quota that Azure has for them.

Dedicated nodes and instances draw on their family's quota and on the region's total, low-priority nodes on one pool of
all families. A workspace can have a limit of its own below the subscription's. Every preview tells
(`department.preflight`), and `python -m department quota Pulumi.dev.yaml` at any time.

Sources: learn.microsoft.com/azure/machine-learning/how-to-manage-quotas. No `az ml` command changes a quota: a
workspace's is changed by the operation itself with `az rest` (learn.microsoft.com/cli/azure/reference-index; the item's
form is that of azure-sdk-for-net's live test of UpdateQuotas), the subscription's by `az quota update`
(learn.microsoft.com/cli/azure/quota; the names: learn.microsoft.com/rest/api/quota/quota/create-or-update).
docs/fidelity/program.md has what is known of Azure's answers.
"""

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from catalogue import vm_sizes
from operations.resourcemanager import ARM, AzureRefusedError, Send, body_of
from settings import Department, Team

API = "2025-12-01"
NAMESPACE = "Microsoft.MachineLearningServices"
DEDICATED, LOW_PRIORITY = "TotalDedicatedCores", "TotalLowPriorityCores"
_TOTALS = {"dedicatedcores/usages": DEDICATED, "lowprioritycores/usages": LOW_PRIORITY}
NO_LIMIT = -1
"""The limit that lifts a limit."""
_WORKSPACE = re.compile(rf"(?P<workspace>/.+/providers/{re.escape(NAMESPACE)}/workspaces/[^/]+)/usages/[^/]+", re.I)


@dataclass(frozen=True)
class Demand:
    """The vCPUs that compute can take of one quota.

    Attributes:
        pool: The quota: a family such as `standardDSv2Family`, or one of the totals `DEDICATED` and `LOW_PRIORITY`.
        vcpus: VCPUs with every node on.
        node: VCPUs of the largest node.
        by: The compute that takes them: `team/cluster: 4 × STANDARD_DS3_V2`.
    """

    pool: str
    vcpus: int
    node: int
    by: tuple[str, ...]


@dataclass(frozen=True)
class Limit:
    """A quota as Azure has it.

    Attributes:
        vcpus: The vCPUs that the quota allows; None if only the total limits them.
        used: The vCPUs in use now, also those of other departments.
    """

    vcpus: int | None
    used: int


class Verdict(StrEnum):
    """Whether a quota holds what can be drawn on it."""

    FITS = "fits"
    SHORT = "too small"
    REFUSED = "holds no node"
    """Azure refuses a cluster of which not one node fits, with `ClusterMinNodesExceedCoreQuota`."""
    UNKNOWN = "not named by Azure"


@dataclass(frozen=True)
class Finding:
    """One quota and what the department can draw on it.

    Attributes:
        demand: The vCPUs that compute can take.
        limit: The quota; None where Azure names none.
        workspace: Name of the workspace whose own limit it is; None for the subscription's.
        command: The command that raises the limit to the demand; None where it fits, or where there is no command.
    """

    demand: Demand
    limit: Limit | None
    workspace: str | None
    command: str | None

    @property
    def verdict(self) -> Verdict:
        """Whether the quota holds the demand."""
        return _verdict(self.demand, self.limit)

    def text(self, region: str) -> str:
        """The shortage in a sentence, and the command that mends it."""
        whose = f"workspace {self.workspace}" if self.workspace else "subscription"
        what = f"{self.demand.pool} in {region} ({whose})"
        if self.limit is None:
            return f"Azure names no vCPU quota for {what}, on which {self._drawn} can be drawn."
        effect = "jobs wait for nodes"
        if self.verdict is Verdict.REFUSED:
            effect = f"a node needs {self.demand.node}, so that none starts, and Azure may refuse to make the compute"
        how = self.command or "in the studio, under Quota: az quota takes no such name"
        return f"vCPU quota of {what} is {self.limit.vcpus}, and {self._drawn} can be drawn: {effect}. Change it: {how}"

    @property
    def _drawn(self) -> str:
        return f"{self.demand.vcpus} ({', '.join(self.demand.by)})"


Limits = Mapping[str, Limit]
"""Quotas by their plain names."""


@dataclass(frozen=True)
class Quotas:
    """What Azure tells of a region by one request.

    Attributes:
        subscription: The subscription's quotas.
        workspaces: Those of workspaces, by lower-case id.
    """

    subscription: Limits
    workspaces: Mapping[str, Limits]

    def of(self, workspace: str, name: str) -> Limit | None:
        """A workspace's own quota; None where it has none.

        Args:
            workspace: The workspace's id.
            name: The quota, in any spelling.
        """
        return self.workspaces.get(workspace.lower(), {}).get(plain(name))


def check(department: Department, quotas: Quotas) -> list[Finding]:
    """Every quota that the department draws on; the workspaces' own limits come last."""
    findings = []
    for demand in demands(department.teams):
        limit = quotas.subscription.get(plain(demand.pool))
        short = _verdict(demand, limit) in (Verdict.SHORT, Verdict.REFUSED)
        findings.append(Finding(demand, limit, None, _ask_command(department, demand) if short else None))
    for team in department.teams:
        id_ = workspace_id(department, team)
        for demand in demands([team]):
            if limit := quotas.of(id_, demand.pool):
                short = _verdict(demand, limit) is not Verdict.FITS
                command = _share_command(department, [(f"{id_}/quotas/{demand.pool}", demand.vcpus)])
                findings.append(Finding(demand, limit, id_.rsplit("/", 1)[-1], command if short else None))
    return findings


def demands(teams: Iterable[Team]) -> list[Demand]:
    """The vCPUs that the compute of teams takes of each quota if every node is on."""
    drawn: dict[str, list[Demand]] = defaultdict(list)
    for team in teams:
        machines = [(cluster.name, cluster.vm_size, cluster.max_nodes, cluster.priority) for cluster in team.clusters]
        machines += [(instance.name, instance.vm_size, 1, "dedicated") for instance in team.instances]
        for name, size_name, nodes, priority in machines:
            size = vm_sizes.known()[size_name]
            by = (f"{team.name}/{name}: {nodes} × {size.name}",)
            for pool in (LOW_PRIORITY,) if priority == "lowPriority" else (size.family, DEDICATED):
                drawn[pool].append(Demand(pool, size.vcpus * nodes, size.vcpus, by))
    families = sorted(drawn.keys() - {DEDICATED, LOW_PRIORITY})
    return [_sum(drawn[pool]) for pool in (*families, DEDICATED, LOW_PRIORITY) if pool in drawn]


def _sum(drawn: list[Demand]) -> Demand:
    return Demand(
        drawn[0].pool,
        sum(demand.vcpus for demand in drawn),
        max(demand.node for demand in drawn),
        tuple(by for demand in drawn for by in demand.by),
    )


def share_command(department: Department, findings: list[Finding]) -> str | None:
    """The command that gives each workspace a limit of what its dedicated compute can draw; None without any.

    A family whose quota is too small for all of them is left out: Azure refuses a limit above the subscription's.

    Args:
        department: The department.
        findings: What `check` found.
    """
    fitting = {finding.demand.pool for finding in findings if finding.verdict is Verdict.FITS and not finding.workspace}
    shares = [
        (f"{workspace_id(department, team)}/quotas/{demand.pool}", demand.vcpus)
        for team in department.teams
        for demand in demands([team])
        if demand.pool in fitting - {DEDICATED, LOW_PRIORITY}
    ]
    return _share_command(department, shares) if shares else None


def workspace_id(department: Department, team: Team) -> str:
    """Azure's id of a team's workspace."""
    group = f"/subscriptions/{department.subscription_id}/resourceGroups/{department.resource_group(team)}"
    return f"{group}/providers/{NAMESPACE}/workspaces/{department.names(team).workspace}"


def _verdict(demand: Demand, limit: Limit | None) -> Verdict:
    if limit is None:
        return Verdict.UNKNOWN
    if limit.vcpus is None or demand.vcpus <= limit.vcpus:
        return Verdict.FITS
    return Verdict.REFUSED if demand.node > limit.vcpus else Verdict.SHORT


def _location(department: Department) -> str:
    return f"/subscriptions/{department.subscription_id}/providers/{NAMESPACE}/locations/{department.region}"


def _ask_command(department: Department, demand: Demand) -> str | None:
    """The command that asks for more of the subscription's quota; for the dedicated total there is none."""
    if demand.pool == DEDICATED:
        return None
    kind = "lowPriority" if demand.pool == LOW_PRIORITY else "dedicated"
    words = ["az", "quota", "update", "--resource-name", demand.pool, "--scope", _location(department)]
    return shlex.join([*words, "--limit-object", f"value={demand.vcpus}", "--resource-type", kind])


def _share_command(department: Department, shares: list[tuple[str, int]]) -> str:
    """The command that sets limits of workspaces: ids of their quotas, and vCPUs."""
    url, body = update_quotas_path(department), limits_body(shares)
    return shlex.join(["az", "rest", "--method", "post", "--url", url, "--body", json.dumps(body)])


def update_quotas_path(department: Department) -> str:
    """The path of the operation that sets limits of workspaces."""
    return f"{_location(department)}/updateQuotas?api-version={API}"


def limits_body(shares: list[tuple[str, int]]) -> dict[str, Any]:
    """The body of the operation: ids of the workspaces' quotas, and vCPUs."""
    type_ = f"{NAMESPACE}/workspaces/dedicatedCores/quotas"
    return {"value": [{"id": id_, "type": type_, "limit": vcpus, "unit": "Count"} for id_, vcpus in shares]}


def read_quotas(department: Department, send: Send) -> Quotas:
    """The quotas of the department's subscription and of its workspaces, as they are now.

    Raises:
        AzureRefusedError: If Azure does not tell them.
    """
    subscription: dict[str, Limit] = {}
    workspaces: dict[str, dict[str, Limit]] = defaultdict(dict)
    try:
        for row in _rows(department, send):
            if "/computes/" in row["id"]:  # what one cluster uses is no quota
                continue
            limit = Limit(None if row["limit"] == NO_LIMIT else int(row["limit"]), int(row["currentValue"] or 0))
            own = _WORKSPACE.fullmatch(row["id"])
            (workspaces[own["workspace"].lower()] if own else subscription).update(dict.fromkeys(_names(row), limit))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AzureRefusedError(f"the quotas came in a form that is not known ({error!r}).") from None
    return Quotas(subscription, workspaces)


def _rows(department: Department, send: Send) -> Iterator[Mapping[str, Any]]:
    path = f"{_location(department)}/usages?api-version={API}"
    while path:
        body = body_of(send("GET", path, None))
        yield from body["value"]
        path = str(body.get("nextLink") or "").removeprefix(ARM)


def _names(row: Mapping[str, Any]) -> set[str]:
    """The plain names of a usage's quota: the family is in the value, the shown name or the id's end."""
    kind = str(row["type"]).lower().removeprefix(f"{NAMESPACE.lower()}/")
    if kind in _TOTALS:
        return {plain(_TOTALS[kind])}
    spellings = (row["name"]["value"], row["name"].get("localizedValue") or "", row["id"].rsplit("/", 1)[-1])
    # A family has a row of the same name for its low-priority nodes too, which the one pool bounds.
    return set() if "lowpriority" in plain(kind + row["name"]["value"]) else {plain(name) for name in spellings}


def plain(name: str) -> str:
    """A quota's name without what its spellings differ in: `standardDSv2Family`, `Standard_DSv2_Family_Cluster_…`."""
    return re.sub(r"[^a-z0-9]", "", name.lower()).removesuffix("clusterdedicatedvcpus")
