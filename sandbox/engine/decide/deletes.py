"""Decides on the deletes at the end of an operation: all that the program no longer has, in layers."""

from collections.abc import Sequence

from sandbox.engine.context import Context
from sandbox.engine.decide.decisions import Decisions
from sandbox.engine.decide.replacements import Replacements
from sandbox.engine.errors import BailError
from sandbox.engine.state.graph import Graph
from sandbox.engine.state.resources import Resource
from sandbox.engine.steps import DeleteStep, RemovePendingReplaceStep, SameStep, Step


class Deletes:
    """Makes the deletes of an operation."""

    def __init__(self, context: Context, decisions: Decisions, replacements: Replacements) -> None:
        self._context, self._decisions, self._replacements = context, decisions, replacements

    def at_end(self, registered: Sequence[Resource]) -> tuple[list[Step], list[Step]]:
        """`same` for what is no target, and the deletes of all that the program no longer has.

        Args:
            registered: In a destroy that runs the program, what the program registered: it is deleted, too.

        Raises:
            BailError: something would be deleted that is no target. The user has been told.
        """
        decisions = self._decisions
        allowed = self._allowed()
        sames: list[Step] = []
        deletes: list[Step] = []
        for resource in self._context.prev:
            gone = resource.urn not in decisions.operated
            gone = gone and decisions.aliased.get(resource.urn) not in decisions.operated
            if allowed is not None and resource.urn not in allowed:
                if gone and not resource.delete:
                    copied = resource.copy()
                    copied.id = ""
                    sames.append(SameStep(resource, copied, untargeted=True))
                continue
            if resource.delete and resource not in decisions.pending_deletes:
                deletes.append(DeleteStep(resource, replacing=True))
            elif not resource.delete and gone:
                deletes.append(
                    RemovePendingReplaceStep(resource) if resource.pending_replacement else DeleteStep(resource)
                )
            else:
                continue
            decisions.deletes.add(resource.urn)
            self._context.ensure_provider(resource)
        if registered:
            self._context.graph = Graph([*registered, *self._context.prev])
        for resource in registered:
            if allowed is None or resource.urn in allowed:
                deletes.append(DeleteStep(resource))
                decisions.deletes.add(resource.urn)
        self._refuse_untargeted(deletes)
        return sames, deletes

    def _allowed(self) -> set[str] | None:
        """The URNs that may be deleted: the targets and what depends on them; None without targets."""
        targets = self._decisions.options.targets
        if not targets:
            return None
        allowed: set[str] = set()
        for root in [r for r in self._context.prev if r.urn in targets]:
            allowed.add(root.urn)
            allowed.update(r.urn for r in self._context.graph.dependents(root, with_children=True))
            allowed.update(r.urn for r, _ in self._replacements.dependents(root))
        return allowed

    def _refuse_untargeted(self, deletes: list[Step]) -> None:
        options = self._decisions.options
        if not options.targets or options.target_dependents:
            return
        refused = [step.urn for step in deletes if step.urn not in options.targets]
        for urn in refused:
            self._context.error(
                f"Resource '{urn}' will be destroyed but was not specified in --target list.\n"
                "Either include resource in --target list or pass --target-dependents to proceed.",
                urn,
            )
        self._decisions.failed = self._decisions.failed or bool(refused)
        if refused and not self._context.dry_run:
            raise BailError


def layers(graph: Graph, deletes: list[Step]) -> list[list[Step]]:
    """The deletes in layers: each holds what nothing that is left refers to."""
    steps = {step.res: step for step in deletes}
    ordered: list[list[Step]] = []
    needs = {r: graph.dependencies(r) & steps.keys() for r in steps}
    while needs:
        free = [r for r, others in needs.items() if not others]
        ordered.insert(0, [steps[r] for r in free])
        for r in free:
            del needs[r]
        for others in needs.values():
            others.difference_update(free)
    return ordered
