"""Pull requests: an edit of a stack file, and what a review must say of it.

Each is a stack of its own, so that one review of one repository tells of all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BASE = """\
config:
  azureml-platform:department:
    code: {code}
    environment: dev
    region: eastus2
    regionAbbreviation: e2
    subscriptionId: 8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27
    admin: user@domain.com
    teams:
      - name: alpha
        leads: [admin1@site.com]
        dataScientists: [user1@site.com]
        clusters:
          - name: {code}-cpu
            vmSize: STANDARD_DS3_V2
            maxNodes: 2
        lake:
          fileSystems: [raw]
          datastores:
            - name: Raw
              fileSystem: raw
"""
BETA = """\
      - name: beta
        dataScientists: [user2@site.com]
"""
LAKE = BASE[BASE.index("        lake:") :]
HELD = (
    "StorageAccount alpha-data",
    "StorageAccount alpha-lake",
    "StorageAccount alpha-work",
    "BlobContainer alpha-raw",
    "Vault alpha-vault",
    "Registry alpha-registry",
    "Workspace alpha-workspace",
)
"""What a team has that holds data."""


@dataclass(frozen=True)
class Pull:
    """A pull request.

    Attributes:
        edits: What is replaced in the base's file, and by what.
        base: The base's file; None where the stack is new.
        gone: Whether the head has no such file.
        state: What the review calls the stack.
        changes: Patterns `operation Type name`: each is met, and each change meets one.
        broken: For each rule with a new violation, a part of the line of the stack file where the value stands.
        fixed: Rules whose violation is fixed.
        floor: What an idle month costs more, in dollars.
        worst: What a month with every node on costs more.
        gain: Patterns of who can do more: each is met, and whoever can do more meets one.
        lose: The same of who can do less.
        lost: What loses its data: `Type name`.
        told: A part of a notice or failure, and a part of the line that it names.
        accepted: The URNs that may be lost, below the stack's prefix.
    """

    edits: Mapping[str, str] = field(default_factory=dict)
    base: str | None = BASE
    gone: bool = False
    state: str = "changed"
    changes: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    floor: float | None = 0
    worst: float | None = 0
    gain: tuple[str, ...] = ()
    lose: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    told: tuple[str, str] | None = None
    accepted: tuple[str, ...] = ()

    def files(self, code: str) -> tuple[str | None, str | None]:
        """The stack file at the base and at the head."""
        before = (self.base or BASE).replace("{code}", code)
        after = before
        for old, new in self.edits.items():
            assert old.replace("{code}", code) in after, old
            after = after.replace(old.replace("{code}", code), new.replace("{code}", code))
        return (before if self.base else None), (None if self.gone else after)


ANCHORED = """\
config:
  azureml-platform:department:
    code: {code}
    environment: dev
    region: eastus2
    regionAbbreviation: e2
    subscriptionId: 8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27
    admin: user@domain.com
    teams:
      - name: alpha
        clusters:
          - &small
            name: {code}-one
            vmSize: STANDARD_DS3_V2
            maxNodes: 2 # of every cluster
          - {<<: *small, name: {code}-two}
"""
INSTANCE = "instances: [{name: {code}vm, user: user1@site.com, vmSize: STANDARD_DS3_V2}]"
AUTOMATION = "automation: [{name: pipeline, role: contributor, secret: {rotated: '2026-11-20'}}]"
DS3 = 0.229 * 730
"""US dollars of a month of a STANDARD_DS3_V2 in eastus2, as catalogue/vm_prices.csv has it."""
BALANCER = 0.33 * 730 / 24
"""US dollars of a month of the load balancer that each cluster has, also without nodes."""
TOLD = (
    "keyvault-vault-require-purge-protection",
    "machinelearning-workspace-disable-public-access",
    "machinelearning-workspace-require-diagnostics",
)
"""Rules that every team of such a stack breaks, as advice."""


def told_of(team: str) -> dict[str, str]:
    """Those rules with the line where the value of a team stands, which leaves all of it out."""
    return dict(zip(TOLD, ("environment: dev", f"- name: {team}", f"- name: {team}"), strict=True))


MACHINES = ("the nodes' identity of team alpha", "the workspace's identity of team alpha")
TEAM = ("admin1@site.com", "user1@site.com", "the nodes' identity of team *", "*")
"""Who has access to all that a team has."""
IN_LAKE = ("admin1@site.com", "user1@site.com", *MACHINES)
"""Who reads and writes its lake."""
NODES = "machinelearning-compute-limit-max-nodes"
IDLE = "machinelearning-compute-limit-idle-time"

IN_EVERY_RUN = ("anchor", "team-deleted", "person-moved", "unloadable", "new-stack", "gone-stack")
"""Those that `make test` has, beside the errors; `make soak` has all."""

PULLS: dict[str, Pull] = {
    "anchor": Pull(
        {"maxNodes: 2 # of every cluster": "maxNodes: 20 # of every cluster"},
        base=ANCHORED,
        changes=("updated Compute alpha-*-one", "updated Compute alpha-*-two"),
        broken={NODES: "maxNodes: 20"},
        worst=36 * DS3,
        accepted=("azureml-platform::azure-native:storage:StorageAccount::alpha-lake",),
        told=("StorageAccount::alpha-lake: nothing of it or below it is lost", ""),
    ),
    "team-deleted": Pull(
        {BASE[BASE.index("      - name: alpha") :]: "", BETA: BETA},
        base=BASE + BETA,
        changes=("deleted *",),
        fixed=TOLD,
        floor=None,  # the sum of all that a team has
        worst=None,
        lost=HELD,
        lose=TEAM,
    ),
    "person-moved": Pull(
        {
            "dataScientists: [user1@site.com]": "dataScientists: []",
            "[user2@site.com]": "[user2@site.com, user1@site.com]",
        },
        base=BASE + BETA,
        changes=(
            "deleted RoleAssignment alpha-dataScientist-user1@site.com",
            "deleted RoleAssignment alpha-user1@site.com-data",
            "created RoleAssignment beta-dataScientist-user1@site.com",
            "created RoleAssignment beta-user1@site.com-data",
        ),
        gain=("user1@site.com",),
        lose=("user1@site.com",),
    ),
    "unloadable": Pull(
        {"maxNodes: 2": "maxNodes: two"},
        state="failed",
        told=("clusters[0].maxNodes: expected a whole number", "maxNodes: two"),
        worst=None,
    ),
    "new-stack": Pull(base=None, state="new", changes=("created *",), floor=None, worst=None, gain=TEAM),
    "gone-stack": Pull(gone=True, state="gone", worst=None, told=("pulumi destroy", "")),
    "comment": Pull({"teams:": "teams: # of the department"}, state="same"),
    "more-nodes": Pull({"maxNodes: 2": "maxNodes: 4"}, changes=("updated Compute alpha-*-cpu",), worst=2 * DS3),
    "fewer-nodes": Pull({"maxNodes: 2": "maxNodes: 1"}, changes=("updated Compute alpha-*-cpu",), worst=-DS3),
    "long-idle": Pull(
        {"maxNodes: 2": "maxNodes: 2\n            idleMinutes: 30"},
        changes=("updated Compute alpha-*-cpu",),
        broken={IDLE: "idleMinutes: 30"},
    ),
    "idle-fixed": Pull(
        {"            idleMinutes: 30\n": ""},
        base=BASE.replace("maxNodes: 2\n", "maxNodes: 2\n            idleMinutes: 30\n"),
        changes=("updated Compute alpha-*-cpu",),
        fixed=(IDLE,),
    ),
    "new-cluster": Pull(
        {"        lake:": "          - {name: {code}-more, vmSize: STANDARD_DS3_V2, maxNodes: 1}\n        lake:"},
        changes=("created Compute alpha-*-more",),
        floor=BALANCER,
        worst=DS3 + BALANCER,
    ),
    "cluster-deleted": Pull(
        {BASE[BASE.index("        clusters:") : BASE.index("        lake:")]: ""},
        changes=("deleted Compute alpha-*-cpu",),
        floor=-BALANCER,
        worst=-2 * DS3 - BALANCER,
        told=("-cpu is gone: whoever reads it fails", ""),
    ),
    "cluster-renamed": Pull(
        {"{code}-cpu": "{code}-cores"},
        changes=("deleted Compute alpha-*-cpu", "created Compute alpha-*-cores"),
    ),
    "other-size": Pull(
        {"STANDARD_DS3_V2": "STANDARD_D13_V2"},
        changes=("replaced Compute alpha-*-cpu",),
        worst=2 * (0.598 - 0.229) * 730,
    ),
    "low-priority": Pull(
        {"maxNodes: 2": "maxNodes: 2\n            priority: lowPriority"},
        changes=("replaced Compute alpha-*-cpu",),
        worst=None,
    ),
    "retired-size": Pull(
        {"STANDARD_DS3_V2": "STANDARD_NV6"},
        changes=("replaced Compute alpha-*-cpu",),
        worst=None,
        told=("was retired on", "vmSize: STANDARD_NV6"),
    ),
    "instance": Pull(
        {"        lake:": f"        {INSTANCE}\n        lake:"},
        changes=("created Compute alpha-*vm", "created RoleAssignment alpha-user1@site.com-files"),
        floor=None,
        worst=None,
        gain=("user1@site.com",),
    ),
    "new-team": Pull(
        {"              fileSystem: raw\n": "              fileSystem: raw\n" + BETA},
        changes=("created *",),
        broken=told_of("beta"),
        floor=None,
        worst=None,
        gain=("user2@site.com", "*"),
    ),
    "loss-accepted": Pull(
        {LAKE: ""},
        changes=("deleted *",),
        floor=None,
        worst=None,
        lost=("StorageAccount alpha-lake", "BlobContainer alpha-raw"),
        accepted=("azureml-platform::azureml-platform:components:TeamWorkspace::alpha",),
        lose=IN_LAKE,
    ),
    "lake-deleted": Pull(
        {LAKE: ""},
        changes=("deleted *",),
        floor=None,
        worst=None,
        lost=("StorageAccount alpha-lake", "BlobContainer alpha-raw"),
        lose=IN_LAKE,
    ),
    "team-renamed": Pull({"name: alpha": "name: gamma\n        formerName: alpha"}, changes=("updated *",)),
    "team-renamed-anew": Pull(
        {"name: alpha": "name: gamma"},
        changes=("deleted *", "created *"),
        broken=told_of("gamma"),
        fixed=TOLD,
        worst=None,
        lost=HELD,
        gain=TEAM,
        lose=TEAM,
    ),
    "person-added": Pull(
        {"[user1@site.com]": "[user1@site.com, newcomer@other.example]"},
        changes=(
            "created RoleAssignment alpha-dataScientist-newcomer@other.example",
            "created RoleAssignment alpha-newcomer@other.example-data",
        ),
        gain=("newcomer@other.example",),
    ),
    "person-for-a-while": Pull(
        {"[user1@site.com]": "[user1@site.com, {user: guest@other.example, until: 2099-06-30}]"},
        changes=(
            "created RoleAssignment alpha-dataScientist-guest@other.example",
            "created RoleAssignment alpha-guest@other.example-data",
        ),
        gain=("guest@other.example",),
    ),
    "member-for-a-while": Pull(
        {"[user1@site.com]": "[user1@site.com, {user: guest@other.example, until: 2099-06-30}]"},
        base=BASE.replace("        lake:", "        groups: true\n        lake:"),
        changes=("updated Group alpha-dataScientist",),
        gain=("guest@other.example",),
    ),
    "person-removed": Pull(
        {"        dataScientists: [user1@site.com]\n": ""},
        changes=(
            "deleted RoleAssignment alpha-dataScientist-user1@site.com",
            "deleted RoleAssignment alpha-user1@site.com-data",
        ),
        lose=("user1@site.com",),
    ),
    "ended-access-removed": Pull(
        {"{user: user1@site.com, until: 2026-01-31}": ""},
        base=BASE.replace("[user1@site.com]", "[{user: user1@site.com, until: 2026-01-31}]"),
        changes=(
            "deleted RoleAssignment alpha-dataScientist-user1@site.com",
            "deleted RoleAssignment alpha-user1@site.com-data",
        ),
        lose=("user1@site.com",),
    ),
    "role-raised": Pull(
        {"leads: [admin1@site.com]": "leads: [admin1@site.com, user1@site.com]"},
        changes=("created RoleAssignment alpha-teamLead-user1@site.com",),
        gain=("user1@site.com",),
    ),
    "file-system": Pull(
        {"[raw]": "[raw, clean]"},
        changes=("created BlobContainer alpha-clean", "created RoleAssignment *"),
        worst=None,
        gain=IN_LAKE,
    ),
    "file-system-deleted": Pull(
        {"[raw, clean]": "[raw]"},
        base=BASE.replace("[raw]", "[raw, clean]"),
        changes=("deleted BlobContainer alpha-clean", "deleted RoleAssignment *"),
        worst=None,
        lost=("BlobContainer alpha-clean",),
        lose=IN_LAKE,
    ),
    "file-system-renamed": Pull(
        {"[raw]": "[clean]", "fileSystem: raw": "fileSystem: clean"},
        changes=("*",),
        worst=None,
        lost=("BlobContainer alpha-raw",),
        gain=IN_LAKE,
        lose=IN_LAKE,
    ),
    "private": Pull(
        {"    teams:": "    network: {mode: private, addressSpace: 10.9.0.0/23}\n    teams:"},
        changes=("created *", "updated *", "replaced Compute alpha-*-cpu", "replaced *"),
        fixed=("machinelearning-workspace-disable-public-access",),
        floor=None,  # private endpoints, zones, registry of tier Premium
        worst=None,
    ),
    "managed": Pull(
        {"    teams:": "    network: {mode: managed}\n    teams:"},
        changes=("*",),
        floor=None,
        worst=None,
    ),
    "moved": Pull(
        {"region: eastus2": "region: westeurope"},
        changes=("replaced *",),
        floor=None,
        worst=None,
        lost=HELD,
    ),
    "premium-registry": Pull(
        {"    teams:": "    registrySku: Premium\n    teams:"},
        changes=("updated Registry alpha-registry",),
        floor=45.62,
        worst=45.62,
    ),
    "tags": Pull(
        {"    teams:": f"    tags: {{project: churn, note: {'long ' * 20}}}\n    teams:"}, changes=("updated *",)
    ),
    "purge-protection": Pull(
        {"    teams:": "    keyVault: {purgeProtection: true}\n    teams:"},
        changes=("updated Vault alpha-vault",),
        fixed=("keyvault-vault-require-purge-protection",),
    ),
    "logs-kept": Pull(
        {"    teams:": "    logRetentionDays: 90\n    teams:"},
        changes=("updated Workspace alpha-logs",),
        worst=None,
        floor=None,
    ),
    "protected": Pull({"    teams:": "    protect: true\n    teams:"}, changes=("created ManagementLockByScope *",)),
    "automation": Pull(
        {"        lake:": f"        {AUTOMATION}\n        lake:"},
        changes=("created *",),
        broken={"authorization-assignment-limit-contributor": "name: pipeline"},
        gain=("the service principal * alpha dev pipeline", "user@domain.com", MACHINES[1]),
    ),
    "broken-yaml": Pull(
        {"    teams:": "    teams: ["}, state="failed", told=("not valid YAML", "- name: alpha"), worst=None
    ),
}


def code_of(name: str) -> str:
    """The department's code of a pull request: two letters and its number."""
    return f"r{list(PULLS).index(name):02}"


def with_name(urn: str) -> str:
    """`Type name` of a URN."""
    _, _, type_, name = urn.split("::", 3)
    return f"{type_.rpartition(':')[2]} {name}"


def changes_of(stack: Mapping[str, Any]) -> list[str]:
    """`operation Type name` of every change of a stack's review."""
    return [f"{one['operation']} {with_name(one['urn'])}" for one in stack["changes"]]
