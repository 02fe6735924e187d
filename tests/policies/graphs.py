"""What a program registered in the harness, as the rules and the pack's process see it."""

from google.protobuf import json_format

from policies.resources import Graph, Resource
from policies.values import read
from tests.policies.platform import Item, Platform
from tests.program.harness import Run


def graph(run: Run) -> Graph:
    """The resources as a program registers them, with the ids that they get."""
    found = []
    for one in run.resources:
        inputs = read(json_format.MessageToDict(one.request.object))
        found.append(
            Resource(
                token=one.type,
                urn=one.urn,
                inputs=inputs,
                outputs=inputs,
                parent=one.parent,
                property_dependencies={k: tuple(v.urns) for k, v in one.request.propertyDependencies.items()},
                dependencies=tuple(one.dependencies),
            )
        )
    return Graph(found)


def platform(run: Run) -> Platform:
    """The resources of azure-native, for the process."""
    names = {one.urn: one.name for one in run.resources}
    return Platform(
        Item(
            one.type.removeprefix("azure-native:"),
            one.name,
            json_format.MessageToDict(one.request.object),
            {k: [names[urn] for urn in v.urns if urn in names] for k, v in one.request.propertyDependencies.items()},
        )
        for one in run.resources
        if one.type.startswith("azure-native:")
    )
