"""Who depends on whom among the resources of a state."""

from collections.abc import Iterable, Iterator

from sandbox.engine.state.resources import Resource


class Graph:
    """The dependencies in a list of resources. In the list, each comes after all that it depends on."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._resources = list(resources)
        self._index = {r: n for n, r in enumerate(self._resources)}
        self._by_urn: dict[str, list[Resource]] = {}
        self._children: dict[str, list[Resource]] = {}
        for r in self._resources:
            self._by_urn.setdefault(r.urn, []).append(r)
            self._children.setdefault(r.parent, []).append(r)

    def __contains__(self, resource: Resource) -> bool:
        return resource in self._index

    def dependents(self, root: Resource, ignore: Iterable[str] = (), with_children: bool = False) -> list[Resource]:
        """All that depends on `root`, directly or not, in order."""
        dependents, urns, ignored = [], {root.urn}, set(ignore)
        for candidate in self._resources[self._index[root] + 1 :] if root in self._index else ():
            if candidate.urn not in ignored and urns.intersection(candidate.references(with_parent=with_children)):
                dependents.append(candidate)
                urns.add(candidate.urn)
        return dependents

    def dependencies(self, resource: Resource) -> set[Resource]:
        """The resources that a resource depends on directly; a component stands for all that is below it."""
        here = self._index[resource]
        needed: set[Resource] = set()
        for urn in set(resource.references(with_parent=False)):
            for candidate in self._by_urn.get(urn, ()):
                needed.add(candidate)
                if not candidate.custom:
                    needed.update(self._below(urn))
        needed.update(self._by_urn.get(resource.parent, ()))
        return {r for r in needed if self._index[r] < here}

    def _below(self, urn: str) -> Iterator[Resource]:
        for child in self._children.get(urn, ()):
            yield child
            yield from self._below(child.urn)

    def all_dependencies(self, resource: Resource) -> set[Resource]:
        """The resources that a resource depends on, directly or not, and itself."""
        needed, waiting = {resource}, [resource]
        while waiting:
            new = self.dependencies(waiting.pop()) - needed
            needed |= new
            waiting += new
        return needed
