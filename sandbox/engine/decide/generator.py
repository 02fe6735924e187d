"""Decides what has to happen to a resource: turns a registration, a read or an absence into steps.

The decisions are those of Pulumi's step generator (`pkg/resource/deploy/step_generator.go`). The deployment holds a
lock, so that one registration is decided on at a time, while steps run side by side.
"""

from sandbox.engine import values
from sandbox.engine.context import Context
from sandbox.engine.decide.decisions import Case, Decisions, report_failures
from sandbox.engine.decide.deletes import Deletes, layers
from sandbox.engine.decide.identity import Identities
from sandbox.engine.decide.replacements import Replacements, replace_on_changes
from sandbox.engine.errors import BailError
from sandbox.engine.goals import Goal
from sandbox.engine.provider import Diff, DiffUnavailableError, ResourceProvider
from sandbox.engine.state.resources import Resource
from sandbox.engine.steps import (
    CreateStep,
    ImportStep,
    ReadStep,
    ReplaceStep,
    SameStep,
    Step,
    UpdateStep,
    diff_resource,
)
from sandbox.engine.values import Map


class Generator:
    """Makes steps, and remembers for which resources it has made which."""

    def __init__(self, context: Context) -> None:
        self._d = context
        self.decisions = Decisions(context.options, set(context.options.targets))
        self._identities = Identities(context, self.decisions)
        self._replacements = Replacements(context, self.decisions)
        self._deletes = Deletes(context, self.decisions, self._replacements)
        self._registered: list[Resource] = []  # in a destroy that runs the program: what is to be deleted, too

    # ---- reads

    def read(self, goal: Goal, id_: str) -> list[Step]:
        """The steps for a resource that the program only reads."""
        urn = self._identities.new_urn(goal)
        old, alias = self._identities.old(urn, goal)
        new = goal.state(urn, alias, old)
        new.id, new.external = id_, True
        if self._d.options.run_program:
            self._registered.append(new)
        self.decisions.replaces.discard(urn)
        self.decisions.operated.add(urn)
        if old and not old.external and old.id != id_:
            self.decisions.replaces.add(urn)
            return [ReadStep(new, old, replacing=True), ReplaceStep(old, new)]
        return [ReadStep(new, old)]

    # ---- registrations

    def register(self, goal: Goal) -> tuple[list[Step], Resource]:
        """The steps for a registration, and the new state.

        For an import, only the import steps; `after_import` returns the rest.
        """
        urn = self._identities.new_urn(goal)
        old, alias = self._identities.old(urn, goal)
        new = goal.state(urn, alias, old)
        self._d.goals[urn] = goal
        if new.is_provider:
            self._d.provider_states[urn] = new
            if alias:
                self._d.provider_states[alias] = new
        if self._d.options.run_program and (step := self._instead_of_making(old, new)):
            return [step], new
        case = Case(goal, old, new, self._provider(new))
        imported_id = (old.import_id or old.id) if old else ""
        if goal.custom and goal.import_id and (not old or old.external or imported_id != goal.import_id):
            self.decisions.imported.add(urn)
            if old and urn not in self.decisions.deletes:
                return [ImportStep(new, old, goal.ignore_changes), ReplaceStep(old, new)], new
            return [ImportStep(new, None, goal.ignore_changes)], new
        return self._decide(case), new

    def _instead_of_making(self, old: Resource | None, new: Resource) -> Step | None:
        """In a destroy that runs the program: `same` for what exists, nothing for what does not, all to be deleted.

        Components and providers are made and changed as ever, so that providers have the program's configuration.
        """
        needs_missing = self.decisions.skipped_creates.intersection(new.references())
        made = not new.custom or new.is_provider
        if needs_missing or (not old and not made):
            self.decisions.skipped_creates.add(new.urn)
            new.outputs = old.outputs if old else {}
            return SameStep(None, new, skipped=True)
        self._registered.append(new)
        if made or not old:
            return None
        self.decisions.operated.add(new.urn)
        new.inputs = old.inputs
        return SameStep(old, new)

    def after_import(self, goal: Goal, imported: Resource) -> list[Step]:
        """The steps that make an imported resource what the program wants."""
        new = goal.state(imported.urn, "", imported)
        new.aliases = imported.aliases
        return self._decide(Case(goal, imported, new, self._provider(new)))

    def _provider(self, resource: Resource) -> ResourceProvider | None:
        return self._d.provider_of(resource) if resource.custom else None

    def _decide(self, case: Case) -> list[Step]:
        goal, old, new, provider = case.goal, case.old, case.new, case.provider
        recreating = new.urn in self.decisions.deletes
        targeted = new.is_provider or new.is_stack or self.decisions.is_target(new)
        if old:
            new.inputs = self._ignore_changes(new.urn, new.inputs, old.inputs, goal.ignore_changes)
        invalid = False
        if provider and targeted:
            known = None if recreating or not old or old.external else old  # whose generated names stay
            olds, news = (known.inputs, new.inputs) if known else (None, goal.properties)
            new.inputs, failures = provider.check(new.urn, olds, news, self._d.dry_run)
            invalid = report_failures(self._d, new, failures)
        elif provider:
            new.inputs = old.inputs if old else {}
        if self._d.analyze(new, goal) or invalid:
            raise BailError
        return self._replacements.recreate(old, new) if recreating else self._choose(case, targeted)

    def _choose(self, case: Case, targeted: bool) -> list[Step]:
        old, new = case.old, case.new
        decisions = self.decisions
        if old and old.external:
            decisions.created.add(new.urn)
            return [CreateStep(new, old, pending_delete=True), ReplaceStep(old, new)]
        if self._d.options.targets and decisions.is_target(new):
            decisions.targets.add(new.urn)
        if old:
            return self._compare(case, old) if targeted else self._untargeted(old, new)
        if not targeted:
            decisions.operated.add(new.urn)
            decisions.skipped_creates.add(new.urn)
            return [SameStep(None, new, skipped=True)]
        self._refuse_skipped(new)
        decisions.created.add(new.urn)
        return [CreateStep(new)]

    def _untargeted(self, old: Resource, new: Resource | None = None) -> list[Step]:
        """`same` for what is no target, after all that it depends on and that no step has been made for."""
        if old.delete:
            return []
        decisions = self.decisions
        if new:
            decisions.operated.add(new.urn)
        decisions.urns.add(old.urn)
        decisions.operated.add(old.urn)
        steps: list[Step] = []
        for urn in old.references():
            names = {urn, decisions.aliased.get(urn, urn)}
            seen = names & (decisions.operated | decisions.created | decisions.deletes)
            if not seen and urn in self._d.olds:
                steps += self._untargeted(self._d.olds[urn])
        copied = old.copy()
        copied.id = ""
        return [*steps, SameStep(old, copied, untargeted=True)]

    def _refuse_skipped(self, new: Resource) -> None:
        skipped = [urn for urn in new.references() if urn in self.decisions.skipped_creates]
        for urn in skipped:
            self._d.error(
                f"Resource '{new.urn}' depends on '{urn}' which was was not specified in --target list.\n"
                "Either include resource in --target list or pass --target-dependents to proceed.",
                new.urn,
            )
        if skipped and not self._d.dry_run:
            raise BailError
        self.decisions.failed = self.decisions.failed or bool(skipped)

    def _ignore_changes(self, urn: str, news: Map, olds: Map, paths: list[str]) -> Map:
        if not paths:
            return news
        inputs: Map = values.rewrite(news, lambda v: v)
        bad = [path for path in paths if not values.reset(values.parse_path(path), olds, inputs)]
        if bad:
            self._d.info(f'cannot ignore changes in added or removed elements of the path: "{", ".join(bad)}"', urn)
        return inputs

    # ---- updates

    def _compare(self, case: Case, old: Resource) -> list[Step]:
        goal, new = case.goal, case.new
        try:
            diff = self._diff(case, old)
        except DiffUnavailableError as e:
            diff = Diff(True)
            self._d.warn(str(e), new.urn)
        diff = replace_on_changes(diff, goal.replace_on_changes, bool(old.init_errors))
        if old.pending_replacement or (diff.some and diff.replaces):
            return self._replacements.steps(case, old, diff)
        self.decisions.operated.add(new.urn)
        if diff.some or old.init_errors:
            return [UpdateStep(old, new, diff, goal.ignore_changes)]
        return [] if new.urn in self.decisions.imported else [SameStep(old, new)]

    def _diff(self, case: Case, old: Resource) -> Diff:
        new = case.new
        if self._provider_changed(old, new):
            return Diff(True, ["provider"])
        if case.provider is None:
            return Diff(old.inputs != new.inputs)
        return diff_resource(case.provider, new.urn, old, new.inputs, case.goal.ignore_changes, self._d.dry_run)

    def _provider_changed(self, old: Resource, new: Resource) -> bool:
        if old.provider == new.provider:
            return False
        if not old.provider or not new.provider:
            return True
        old_urn, new_urn = old.provider.rpartition("::")[0], new.provider.rpartition("::")[0]
        if self.decisions.aliased.get(old_urn) == new_urn:
            return False
        news = self._d.provider_states[new_urn]
        instance = self._d.registry.get(new.provider)
        return self._d.registry.compare(instance, new_urn, self._d.olds[old_urn], news.inputs).replaces

    # ---- deletes

    def deletes_at_end(self) -> tuple[list[Step], list[Step]]:
        """`same` for what is no target, and the deletes of all that the program no longer has.

        Raises:
            BailError: something would be deleted that is no target. The user has been told.
        """
        return self._deletes.at_end(self._registered)

    def layers(self, deletes: list[Step]) -> list[list[Step]]:
        """The deletes in layers: each holds what nothing that is left refers to."""
        return layers(self._d.graph, deletes)
