"""What is common to computes: their type, their kinds, and where the runner keeps nodes."""

from sandbox.azure.arm.core import Body
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml.names import WORKSPACES

TYPE = f"{WORKSPACES}/computes"
CLUSTER, INSTANCE = "AmlCompute", "ComputeInstance"
NODES = "mlNode"  # the runner's documents: a cluster's id and the node's, with state, run and vCPUs
SENT = "vmSizeAsSent"  # in the store; what a GET shows, where all else goes by the name in capitals


def kind_of(resource: Body) -> str:
    """Which kind of compute a resource is."""
    return str(resource["properties"]["computeType"])


def require(resource: Body, kind: str) -> None:
    """Refuses an action on a compute of another kind.

    Raises:
        AzureError: 400.
    """
    if kind_of(resource) != kind:
        raise AzureError(400, "BadRequest", f"Compute '{resource['name']}' is {kind_of(resource)}; this is for {kind}.")
