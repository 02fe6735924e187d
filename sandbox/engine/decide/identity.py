"""Finds the resource in the state that a registration means, under its URN or an alias."""

from collections.abc import Iterator

from sandbox.engine.context import Context
from sandbox.engine.decide.decisions import Decisions
from sandbox.engine.errors import BailError
from sandbox.engine.goals import Alias, Goal
from sandbox.engine.state.resources import Resource, make_urn, name_of, type_of


class Identities:
    """Gives registrations their URNs, and finds their old states."""

    def __init__(self, context: Context, decisions: Decisions) -> None:
        self._context, self._decisions = context, decisions

    def new_urn(self, goal: Goal) -> str:
        """The URN of a registration.

        Raises:
            BailError: the parent is unknown, or the URN is taken. The user has been told.
        """
        urns = self._decisions.urns
        if goal.parent and goal.parent not in urns:
            self._context.error(f"could not find parent resource {goal.parent}", "")
            raise BailError
        urn = self._make_urn(goal.parent, goal.type, goal.name)
        if urn in urns:
            self._context.error(f"Duplicate resource URN '{urn}'; try giving it a unique name", urn)
            raise BailError
        urns.add(urn)
        return urn

    def old(self, urn: str, goal: Goal) -> tuple[Resource | None, str]:
        """The resource's old state, and the alias that it had there if that was another URN.

        Raises:
            BailError: an alias is used twice. The user has been told.
        """
        decisions = self._decisions
        if urn in decisions.aliased:
            self._context.error(
                f"Duplicate resource URN '{urn}' conflicting with alias on resource with URN "
                f"'{decisions.aliased[urn]}'",
                urn,
            )
            raise BailError
        for candidate in (urn, *self._aliases(goal)):
            old = self._context.olds.get(candidate)
            if old and candidate == urn:
                return old, ""
            if old:
                if candidate in decisions.urns or candidate in decisions.aliased:
                    message = f"Duplicate resource alias '{candidate}' applied to resource with URN '{urn}'"
                    self._context.error(message, urn)
                    raise BailError
                decisions.aliased[candidate], decisions.alias_of[urn] = urn, candidate
                return old, candidate
        return None, ""

    def _aliases(self, goal: Goal) -> Iterator[str]:
        own = [self._alias_urn(goal, alias) for alias in goal.aliases]
        yield from own
        parents_alias = self._decisions.alias_of.get(goal.parent)
        if parents_alias:
            for type_, name in [(goal.type, goal.name), *((type_of(a), name_of(a)) for a in own)]:
                prefix = name_of(goal.parent)  # a child whose name begins with its parent's was renamed with it
                old_name = name_of(parents_alias) + name[len(prefix) :] if name.startswith(prefix) else name
                yield self._make_urn(parents_alias, type_, old_name)

    def _alias_urn(self, goal: Goal, alias: Alias) -> str:
        if alias.urn:
            return alias.urn
        parent = self._decisions.alias_of.get(alias.parent, alias.parent) if alias.parent else goal.parent
        if alias.no_parent:
            parent = ""
        stack, project = alias.stack or self._context.stack_name, alias.project or self._context.project
        return make_urn(stack, project, parent, alias.type or goal.type, alias.name or goal.name)

    def _make_urn(self, parent: str, type_: str, name: str) -> str:
        return make_urn(self._context.stack_name, self._context.project, parent, type_, name)
