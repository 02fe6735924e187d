"""How an endpoint's requests are shared out among its deployments.

Source: learn.microsoft.com/azure/machine-learning/how-to-safely-rollout-online-endpoints.
"""

import random
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.endpoints.refusals import refused

WHOLE = 100
MOST_MIRRORED = 50
NAMES = {"traffic": "traffic", "mirrorTraffic": "mirror traffic"}


def check(properties: Body, deployments: set[str]) -> None:
    """Refuses weights that are no whole percentages, do not add up, or name no deployment.

    Args:
        properties: An endpoint's.
        deployments: The names of its deployments, in lower case.

    Raises:
        UserError: 400.
    """
    for key, what in NAMES.items():
        for name, weight in (properties.get(key) or {}).items():
            if isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight <= WHOLE:
                raise refused(what, f"The weight of deployment '{name}' must be a whole number from 0 to 100.")
            if name.lower() not in deployments:
                raise refused(what, f"Deployment '{name}' does not exist in the endpoint.")
    live, mirrored = weights(properties, "traffic"), weights(properties, "mirrorTraffic")
    if sum(live.values()) not in (0, WHOLE):
        raise refused("traffic", f"The sum of all weights must be 0 or 100, not {sum(live.values())}.")
    if len(mirrored) > 1:
        raise refused("mirror traffic", "Traffic can be mirrored to one deployment only.")
    for name, weight in mirrored.items():
        if weight > MOST_MIRRORED:
            raise refused("mirror traffic", f"At most {MOST_MIRRORED} percent can be mirrored, not {weight}.")
        if name in live:
            raise refused("mirror traffic", f"Deployment '{name}' has live traffic: it cannot have mirrored traffic.")


def weights(properties: Body, key: str) -> dict[str, int]:
    """The weights above zero, by the deployment's name in lower case."""
    return {name.lower(): weight for name, weight in (properties.get(key) or {}).items() if weight}


def choose(properties: Body, draw: Any = random) -> str:
    """The deployment for a request, in lower case; empty where none has any traffic."""
    found = weights(properties, "traffic")
    return str(draw.choices(list(found), list(found.values()))[0]) if found else ""


def mirror(properties: Body, draw: Any = random) -> str:
    """The deployment that gets a copy of a request, in lower case; empty for none."""
    for name, weight in weights(properties, "mirrorTraffic").items():
        if draw.random() * WHOLE < weight:
            return name
    return ""
