"""Which setting the value of a resource's input is made from.

Only what rules look at is here; of any other input, the setting that makes the resource counts. The rows follow the
mappers in `department/`.
"""

from collections.abc import Mapping
from typing import Final, Literal

from settings.plan import Planned
from settings.problems import Path

_Holder = Literal["own", "team", "department"]
_ML, _VAULT = "azure-native:machinelearningservices", "azure-native:keyvault:Vault"

INPUTS: Final[Mapping[tuple[str, str], tuple[_Holder, Path]]] = {
    ("", "tags.team"): ("team", ("name",)),
    ("", "tags.department"): ("department", ("code",)),
    ("", "tags.environment"): ("department", ("environment",)),
    ("", "tags.owner"): ("department", ("owner",)),
    ("", "tags.costCenter"): ("department", ("costCenter",)),
    ("", "tags"): ("team", ("tags",)),
    ("", "location"): ("department", ("region",)),
    ("", "publicNetworkAccess"): ("team", ("network", "mode")),
    ("", "networkRuleSet"): ("team", ("network", "mode")),
    (f"{_ML}:Compute", "properties.properties.vmSize"): ("own", ("vmSize",)),
    (f"{_ML}:Compute", "properties.properties.vmPriority"): ("own", ("priority",)),
    (f"{_ML}:Compute", "properties.properties.scaleSettings.maxNodeCount"): ("own", ("maxNodes",)),
    (f"{_ML}:Compute", "properties.properties.scaleSettings.minNodeCount"): ("own", ("minNodes",)),
    (f"{_ML}:Compute", "properties.properties.scaleSettings.nodeIdleTimeBeforeScaleDown"): ("own", ("idleMinutes",)),
    (f"{_ML}:Compute", "properties.properties.idleTimeBeforeShutdown"): ("own", ("idleMinutes",)),
    (f"{_ML}:Compute", "properties.properties.subnet"): ("team", ("network", "mode")),
    (f"{_ML}:Compute", "properties.properties.enableNodePublicIp"): ("team", ("network", "mode")),
    (f"{_ML}:Compute", "identity"): ("own", ("identity",)),
    (f"{_ML}:Workspace", "managedNetwork"): ("team", ("network", "outboundAccess")),
    (f"{_ML}:Workspace", "encryption"): ("team", ("customerKey",)),
    (f"{_ML}:Workspace", "identity"): ("team", ("workspaceIdentity",)),
    (f"{_ML}:Workspace", "hbiWorkspace"): ("team", ("highBusinessImpact",)),
    (f"{_ML}:Workspace", "keyVault"): ("team", ("existing", "keyVaultId")),
    (f"{_ML}:Workspace", "containerRegistry"): ("team", ("existing", "registryId")),
    (f"{_ML}:Workspace", "applicationInsights"): ("team", ("existing", "applicationInsightsId")),
    (f"{_ML}:Datastore", "properties.credentials"): ("own", ("servicePrincipal",)),
    (_VAULT, "properties.enablePurgeProtection"): (
        "department",
        ("keyVault", "purgeProtection"),
    ),
    (_VAULT, "properties.softDelete"): ("department", ("keyVault", "retentionDays")),
    (_VAULT, "properties.publicNetworkAccess"): ("team", ("network", "mode")),
    (_VAULT, "properties.networkAcls"): ("team", ("network", "mode")),
    ("azure-native:containerregistry:Registry", "sku"): ("department", ("registrySku",)),
}
"""By type (empty for any) and the beginning of the input's path: whose setting, and its path below that."""


def setting_of(type_: str, path: str, planned: Planned | None) -> Path:
    """The path of the setting below `azureml-platform:department`.

    Args:
        type_: The resource's type in Pulumi; empty for the stack as a whole.
        path: Dotted path of the input; empty for the resource as a whole.
        planned: The plan's entry for the resource; None where it has none.
    """
    fits = [key for key in INPUTS if key[0] in ("", type_) and f"{path}.".startswith(f"{key[1]}.")]
    own: Path = planned.path if planned else ()
    if not fits or not type_:
        return own
    holder, below = INPUTS[max(fits, key=lambda key: (len(key[1]), len(key[0])))]
    holders: Mapping[_Holder, Path] = {"own": own, "team": own[:2], "department": ()}
    if holder == "team" and own[:1] != ("teams",):  # what the teams share has the department's setting of the name
        return below if below[0] in ("tags", "network") else own
    return (*holders[holder], *below)
