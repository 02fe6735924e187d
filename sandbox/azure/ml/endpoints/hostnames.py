"""Names of endpoints: unique in a region, as each is a host name below it."""

import re

from sandbox.azure.arm.core import Body, Call
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.endpoints.refusals import refused

KIND = "mlEndpointName"
MOST = 100  # endpoints of a region, of all kinds
DOMAIN = "inference.ml.azure.com"
NAME = re.compile(r"(?=.{3,32}$)[a-zA-Z](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
NAME_ERROR = (
    "UserError",
    "The name '{name}' is not valid: it has 3 to 32 letters, digits and hyphens, begins with a letter and does not end "
    "with a hyphen.",
)


def host(endpoint: Body) -> str:
    """An endpoint's host name."""
    return f"{endpoint['name']}.{endpoint['location']}.{DOMAIN}".lower()


def holder(cloud: Cloud, name: str, region: str) -> str:
    """The id, in lower case, of the endpoint that has a name in a region; empty for none."""
    found = cloud.store.get(KIND, _key(region, name))
    return str(found["endpoint"]) if found else ""


def check_new(call: Call) -> None:
    """Refuses an endpoint whose name is taken, or that is one too many.

    Raises:
        UserError: 400.
    """
    region = str(call.body["location"])
    if holder(call.cloud, call.id.name, region):
        problem = "There is already an endpoint with this name. Endpoint name needs to be unique within a region."
        raise refused("endpoint name", problem)
    if count(call.cloud, region) >= MOST:
        raise refused("endpoint", f"The region {region} has {MOST} endpoints already, the most of a subscription.")


def claim(cloud: Cloud, endpoint: Body) -> None:
    """Takes the name for an endpoint."""
    cloud.store.put(KIND, _key(endpoint["location"], endpoint["name"]), {"endpoint": endpoint["id"].lower()})


def release(cloud: Cloud, endpoint: Body) -> None:
    """Gives the name of a removed endpoint back."""
    cloud.store.delete(KIND, _key(endpoint["location"], endpoint["name"]))


def count(cloud: Cloud, region: str) -> int:
    """How many endpoints of all kinds there are in a region."""
    return sum(1 for _ in cloud.store.items(KIND, _key(region, "")))


def _key(region: str, name: str) -> str:
    return f"{region}/{name}".lower()
