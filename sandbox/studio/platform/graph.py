"""A team's resources as a graph: SVG without scripts, each resource a link.

What a resource uses is read from its own body: wherever it names the id of another one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

WIDTH, HEIGHT, GAP, BETWEEN = 196, 40, 10, 84
LETTERS = 26  # of a name that fit into its box
RANKS = {
    "microsoft.machinelearningservices/workspaces/onlineendpoints": 0,
    "microsoft.machinelearningservices/workspaces/batchendpoints": 0,
    "microsoft.machinelearningservices/workspaces/computes": 0,
    "microsoft.machinelearningservices/workspaces": 1,
    "microsoft.operationalinsights/workspaces": 3,
    "microsoft.network/virtualnetworks": 3,
    "microsoft.network/networksecuritygroups": 3,
    "microsoft.network/privatednszones": 3,
}
"""The columns, from the left, by type; what is not named stands in the third."""
OTHERS = 2
UNDRAWN = ("microsoft.machinelearningservices/workspaces/onlineendpoints/deployments",)
"""What has a page of its own to be seen on."""
TITLES = {
    "microsoft.machinelearningservices/workspaces": "Azure ML workspace",
    "microsoft.machinelearningservices/workspaces/computes": "Compute",
    "microsoft.machinelearningservices/workspaces/onlineendpoints": "Online endpoint",
    "microsoft.machinelearningservices/workspaces/batchendpoints": "Batch endpoint",
    "microsoft.machinelearningservices/workspaces/onlineendpoints/deployments": "Deployment",
    "microsoft.storage/storageaccounts": "Storage account",
    "microsoft.keyvault/vaults": "Key vault",
    "microsoft.containerregistry/registries": "Container registry",
    "microsoft.insights/components": "Application Insights",
    "microsoft.operationalinsights/workspaces": "Log Analytics",
    "microsoft.managedidentity/userassignedidentities": "Managed identity",
    "microsoft.network/privateendpoints": "Private endpoint",
    "microsoft.network/virtualnetworks": "Virtual network",
    "microsoft.network/privatednszones": "Private DNS zone",
    "microsoft.network/networksecuritygroups": "Network security group",
}


def title(resource_type: str) -> str:
    """A type's name as people say it."""
    return TITLES.get(resource_type.lower(), resource_type.rpartition("/")[2])


def uses(body: Any) -> set[str]:
    """The ids, in lower case, that a resource's body names."""
    return {text.lower().rstrip("/") for text in _texts(body) if text.startswith("/subscriptions/")}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def drawn(resources: Sequence[Mapping[str, Any]], link: Callable[[str], str]) -> Markup:
    """The graph.

    Args:
        resources: Each with `id`, `type`, `name` and `uses`, the ids of other resources in lower case.
        link: The address of a resource's page, by its id.
    """
    resources = [one for one in resources if one["type"].lower() not in UNDRAWN]
    places, height = _places(resources)
    width = max((x for x, _ in places.values()), default=0) + WIDTH
    edges = Markup("").join(
        _edge(places[str(one["id"]).lower()], places[other])
        for one in resources
        for other in sorted(one["uses"])
        if other in places and other != str(one["id"]).lower()
    )
    boxes = Markup("").join(_box(one, places[str(one["id"]).lower()], link) for one in resources)
    return Markup(
        '<svg class="resources" viewBox="-1 -1 {} {}" width="{}" role="group" aria-label="{}">{}{}</svg>'
    ).format(width + 2, height + 2, width, "How the resources hang together; the table has them too", edges, boxes)


def _places(resources: Sequence[Mapping[str, Any]]) -> tuple[dict[str, tuple[int, int]], int]:
    """The upper left corner of each resource's box, and the height of all."""
    columns: dict[int, list[str]] = defaultdict(list)
    for one in sorted(resources, key=lambda one: (title(one["type"]), one["name"])):
        columns[RANKS.get(one["type"].lower(), OTHERS)].append(str(one["id"]).lower())
    height = max((len(column) for column in columns.values()), default=0) * (HEIGHT + GAP) - GAP
    places = {}
    for index, rank in enumerate(sorted(columns)):
        for row, key in enumerate(columns[rank]):
            places[key] = (index * (WIDTH + BETWEEN), row * (HEIGHT + GAP))
    return places, max(height, HEIGHT)


def _edge(one: tuple[int, int], other: tuple[int, int]) -> Markup:
    """A line between two boxes, from the right side of the left one."""
    (x1, y1), (x2, y2) = sorted((one, other))
    y1, y2 = y1 + HEIGHT // 2, y2 + HEIGHT // 2
    if x1 == x2:
        path = f"M{x1 + WIDTH} {y1}C{x1 + WIDTH + 36} {y1} {x2 + WIDTH + 36} {y2} {x2 + WIDTH} {y2}"
    else:
        middle = (x2 - x1 - WIDTH) // 2
        path = f"M{x1 + WIDTH} {y1}C{x1 + WIDTH + middle} {y1} {x2 - middle} {y2} {x2} {y2}"
    return Markup('<path class="edge" d="{}"/>').format(path)


def _box(one: Mapping[str, Any], place: tuple[int, int], link: Callable[[str], str]) -> Markup:
    name = str(one["name"])
    short = name if len(name) <= LETTERS else f"{name[: LETTERS // 2 - 1]}…{name[-LETTERS // 2 :]}"
    x, y = place
    return Markup(
        '<a href="{}"><title>{}: {}</title><rect x="{}" y="{}" width="{}" height="{}" rx="5"/>'
        '<text x="{}" y="{}">{}</text><text class="kind" x="{}" y="{}">{}</text></a>'
    ).format(
        link(str(one["id"])), title(one["type"]), name, x, y, WIDTH, HEIGHT,
        x + 10, y + 17, short, x + 10, y + 32, title(one["type"]),
    )  # fmt: skip
