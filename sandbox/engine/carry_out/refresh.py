"""Reads the state anew from the providers (`pulumi refresh`, `up --refresh`)."""

from sandbox.engine.carry_out.deployment import Deployment
from sandbox.engine.state.resources import Resource
from sandbox.engine.steps import RefreshStep


def refresh(d: Deployment) -> None:
    """Read every resource (or the targets), and make what was found the state that the operation starts from."""
    targets = set(d.options.targets)
    steps: dict[Resource, RefreshStep] = {}
    for resource in d.prev:
        dependent = d.options.target_dependents and any(urn in targets for urn in resource.references())
        if targets and resource.urn not in targets and not dependent:
            continue
        if targets:
            targets.add(resource.urn)
        d.ensure_provider(resource)
        steps[resource] = RefreshStep(resource)
    d.run_side_by_side(list(steps.values()))
    read = [steps[r].new if r in steps else r for r in d.prev]
    resources = _without_vanished([r for r in read if r])
    if d.snapshots:
        d.snapshots.rebase(resources)
    d.rebase(resources)


def _without_vanished(resources: list[Resource]) -> list[Resource]:
    """The resources without references to those that are gone; a child of one moves to that one's parent."""
    there: set[str] = set()
    parents: dict[str, str] = {}
    remaining = []
    for resource in resources:
        r = resource.copy()
        r.dependencies = [urn for urn in r.dependencies if urn in there]
        if r.property_dependencies:  # keys without a dependency go, too, as in Pulumi
            by_key = {k: [urn for urn in urns if urn in there] for k, urns in r.property_dependencies.items()}
            r.property_dependencies = {k: urns for k, urns in by_key.items() if urns}
        if r.deleted_with not in there:
            r.deleted_with = ""
        if r.parent not in there:
            r.parent = parents.get(r.parent, "")
        parents[r.urn] = r.parent
        there.add(r.urn)
        remaining.append(r)
    return remaining
