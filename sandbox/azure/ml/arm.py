"""What the resource manager serves of Microsoft.MachineLearningServices."""

from sandbox.azure.arm.core import ResourceType
from sandbox.azure.arm.resources import Route
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml import (
    components,
    locations,
    mfeoperations,
    operations,
    power,
    registration,
    workspace_actions,
    workspaces,
)
from sandbox.azure.ml.computes.compute import Compute
from sandbox.azure.ml.connections import Connection
from sandbox.azure.ml.datastores import Datastore
from sandbox.azure.ml.endpoints.batch.deployment import BatchDeployment
from sandbox.azure.ml.endpoints.batch.endpoint import BatchEndpoint
from sandbox.azure.ml.endpoints.online import deployment
from sandbox.azure.ml.endpoints.online.deployment import OnlineDeployment
from sandbox.azure.ml.endpoints.online.endpoint import OnlineEndpoint
from sandbox.azure.ml.jobs import routes as jobs
from sandbox.azure.ml.networks import OutboundRule
from sandbox.azure.ml.registries.resource import Registry
from sandbox.azure.ml.schedules import firing
from sandbox.azure.ml.schedules import routes as schedules
from sandbox.azure.timers import Kind


def resource_types(cloud: Cloud) -> list[ResourceType]:
    """The resource types: workspaces, and what is made in them by PUT and stored as it is."""
    operations.forget_old(cloud, operations.KIND, operations.RUNNING, mfeoperations.KIND)
    return [
        workspaces.Workspace(),
        Compute(),
        Datastore(),
        Connection(),
        OutboundRule(),
        Registry(),
        OnlineEndpoint(),
        OnlineDeployment(),
        BatchEndpoint(),
        BatchDeployment(),
    ]


def routes() -> list[Route]:
    """The paths beside them: what regions offer, assets and jobs."""
    return [
        *locations.ROUTES,
        *operations.routes(),
        *mfeoperations.routes(),
        *deployment.routes(),
        *registration.routes(),
        *components.routes(),
        *jobs.routes(),
        *schedules.routes(),
        *workspace_actions.routes(),
    ]


def timers() -> dict[str, Kind]:
    """What happens at times: schedules' jobs, and the start and stop of instances."""
    return {**firing.TIMERS, **power.TIMERS}
