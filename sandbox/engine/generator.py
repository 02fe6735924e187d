"""Decides what has to happen to a resource: turns a registration, a read or an absence into steps.

The decisions are those of Pulumi's step generator (`pkg/resource/deploy/step_generator.go`). One registration is
looked at at a time (the deployment holds a lock), while steps run side by side.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.engine import values
from sandbox.engine.providers import Diff, DiffUnavailableError, Failures, ResourceProvider
from sandbox.engine.state import Resource, make_urn, name_of, type_of
from sandbox.engine.steps import (
    CreateStep,
    DeleteStep,
    ImportStep,
    ReadStep,
    RemovePendingReplaceStep,
    ReplaceStep,
    SameStep,
    Step,
    UpdateStep,
    diff_resource,
)
from sandbox.engine.values import UNKNOWN, Map

if TYPE_CHECKING:
    from sandbox.engine.deployment import Deployment


_UNPROTECT = (
    "To unprotect the resource, remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`"
)


class BailError(Exception):
    """The deployment cannot go on, and the user has been told why."""


@dataclass(frozen=True)
class Alias:
    """Another identity that a resource may have in the state: a whole URN, or parts that are not the present ones."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str = ""
    no_parent: bool = False


@dataclass
class Goal:
    """A resource as the program wants it."""

    type: str
    name: str
    custom: bool
    properties: Map
    parent: str = ""
    protect: bool | None = None
    dependencies: list[str] = field(default_factory=list)
    provider: str = ""
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    delete_before_replace: bool | None = None
    ignore_changes: list[str] = field(default_factory=list)
    additional_secret_outputs: list[str] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    import_id: str = ""
    custom_timeouts: dict[str, float] = field(default_factory=dict)
    replace_on_changes: list[str] = field(default_factory=list)
    retain_on_delete: bool | None = None
    deleted_with: str = ""
    hooks: dict[str, list[str]] = field(default_factory=dict)

    def state(self, urn: str, alias: str) -> Resource:
        """The state that the resource will have, before anything is done."""
        return Resource(
            urn=urn,
            type=self.type,
            custom=self.custom,
            inputs=self.properties,
            parent=self.parent,
            protect=bool(self.protect),
            dependencies=self.dependencies,
            provider=self.provider,
            property_dependencies=self.property_dependencies,
            additional_secret_outputs=self.additional_secret_outputs,
            aliases=[alias] if alias else [],
            custom_timeouts=self.custom_timeouts,
            import_id=self.import_id,
            retain_on_delete=bool(self.retain_on_delete),
            deleted_with=self.deleted_with,
            ignore_changes=self.ignore_changes,
            replace_on_changes=self.replace_on_changes,
            hooks=self.hooks,
        )


@dataclass
class _Case:
    """A registration that is being decided on."""

    goal: Goal
    old: Resource | None
    new: Resource
    provider: ResourceProvider | None


class Generator:
    """Makes steps, and remembers for which resources it has made which."""

    def __init__(self, deployment: "Deployment") -> None:
        self._d = deployment
        self.urns: set[str] = set()
        self.deletes: set[str] = set()
        self.replaces: set[str] = set()
        self.failed = False
        self._operated: set[str] = set()  # same, updated, replaced, read: what the program still wants
        self._created: set[str] = set()
        self._skipped_creates: set[str] = set()
        self._imported: set[str] = set()
        self._registered: list[Resource] = []  # in a destroy that runs the program: what is to be deleted, too
        self._pending_deletes: set[Resource] = set()
        self._dependent_keys: dict[str, list[str]] = {}
        self._aliased: dict[str, str] = {}  # old URN -> new
        self._alias_of: dict[str, str] = {}  # new URN -> old
        self._targets = set(deployment.options.targets)

    # ---- reads

    def read(self, goal: Goal, id_: str) -> list[Step]:
        """The steps for a resource that the program only reads."""
        urn = self._new_urn(goal)
        old, alias = self._old(urn, goal)
        new = goal.state(urn, alias)
        new.id, new.external = id_, True
        if self._d.options.run_program:
            self._registered.append(new)
        self.replaces.discard(urn)
        self._operated.add(urn)
        if old and not old.external and old.id != id_:
            self.replaces.add(urn)
            return [ReadStep(new, old, replacing=True), ReplaceStep(old, new)]
        return [ReadStep(new, old)]

    # ---- registrations

    def register(self, goal: Goal) -> tuple[list[Step], Resource]:
        """The steps for a registration, and the new state.

        Of an import, only its own: `after_import` makes those that follow.
        """
        urn = self._new_urn(goal)
        old, alias = self._old(urn, goal)
        new = goal.state(urn, alias)
        self._d.goals[urn] = goal
        if new.is_provider:
            self._d.provider_states[urn] = new
            if alias:
                self._d.provider_states[alias] = new
        if self._d.options.run_program and (step := self._instead_of_making(old, new)):
            return [step], new
        case = _Case(goal, old, new, self._provider(new))
        imported_id = (old.import_id or old.id) if old else ""
        if goal.custom and goal.import_id and (not old or old.external or imported_id != goal.import_id):
            self._imported.add(urn)
            if old and urn not in self.deletes:
                return [ImportStep(new, old, goal.ignore_changes), ReplaceStep(old, new)], new
            return [ImportStep(new, None, goal.ignore_changes)], new
        return self._decide(case), new

    def _instead_of_making(self, old: Resource | None, new: Resource) -> Step | None:
        """In a destroy that runs the program: `same` for what is there, nothing for what is not, all to be deleted.

        Components and providers are made and changed as ever, so that providers have the program's configuration.
        """
        needs_missing = self._skipped_creates.intersection(new.references())
        made = not new.custom or new.is_provider
        if needs_missing or (not old and not made):
            self._skipped_creates.add(new.urn)
            new.outputs = old.outputs if old else {}
            return SameStep(None, new, skipped=True)
        self._registered.append(new)
        if made or not old:
            return None
        self._operated.add(new.urn)
        new.inputs = old.inputs
        return SameStep(old, new)

    def after_import(self, goal: Goal, imported: Resource) -> list[Step]:
        """The steps that make an imported resource what the program wants."""
        new = goal.state(imported.urn, "")
        new.aliases, new.created, new.modified = imported.aliases, imported.created, imported.modified
        return self._decide(_Case(goal, imported, new, self._provider(new)))

    def _new_urn(self, goal: Goal) -> str:
        if goal.parent and goal.parent not in self.urns:
            self._d.error(f"could not find parent resource {goal.parent}", "")
            raise BailError
        urn = make_urn(self._d.stack.name, self._d.stack.project, goal.parent, goal.type, goal.name)
        if urn in self.urns:
            self._d.error(f"Duplicate resource URN '{urn}'; try giving it a unique name", urn)
            raise BailError
        self.urns.add(urn)
        return urn

    def _old(self, urn: str, goal: Goal) -> tuple[Resource | None, str]:
        """The resource's old state, and the alias it was found under if it was under another URN."""
        if urn in self._aliased:
            self._d.error(
                f"Duplicate resource URN '{urn}' conflicting with alias on resource with URN '{self._aliased[urn]}'",
                urn,
            )
            raise BailError
        for candidate in (urn, *self._aliases(goal)):
            old = self._d.olds.get(candidate)
            if old and candidate == urn:
                return old, ""
            if old:
                if candidate in self.urns or candidate in self._aliased:
                    self._d.error(f"Duplicate resource alias '{candidate}' applied to resource with URN '{urn}'", urn)
                    raise BailError
                self._aliased[candidate], self._alias_of[urn] = urn, candidate
                return old, candidate
        return None, ""

    def _aliases(self, goal: Goal) -> Iterator[str]:
        own = [self._alias_urn(goal, alias) for alias in goal.aliases]
        yield from own
        parents_alias = self._alias_of.get(goal.parent)
        if parents_alias:
            for type_, name in [(goal.type, goal.name), *((type_of(a), name_of(a)) for a in own)]:
                prefix = name_of(goal.parent)  # a child named after its parent, as `parent-child`, was so before
                old_name = name_of(parents_alias) + name[len(prefix) :] if name.startswith(prefix) else name
                yield make_urn(self._d.stack.name, self._d.stack.project, parents_alias, type_, old_name)

    def _alias_urn(self, goal: Goal, alias: Alias) -> str:
        if alias.urn:
            return alias.urn
        parent = alias.parent or goal.parent
        parent = self._alias_of.get(alias.parent, alias.parent) if alias.parent else parent
        if alias.no_parent:
            parent = ""
        stack, project = alias.stack or self._d.stack.name, alias.project or self._d.stack.project
        return make_urn(stack, project, parent, alias.type or goal.type, alias.name or goal.name)

    def _provider(self, resource: Resource) -> ResourceProvider | None:
        return self._d.provider_of(resource) if resource.custom else None

    def _decide(self, case: "_Case") -> list[Step]:
        goal, old, new, provider = case.goal, case.old, case.new, case.provider
        recreating = new.urn in self.deletes
        targeted = new.is_provider or new.is_stack or self._is_target(new)
        if old:
            new.inputs = self._ignore_changes(new.urn, new.inputs, old.inputs, goal.ignore_changes)
        invalid = False
        if provider and targeted:
            known = None if recreating or not old or old.external else old  # whose generated names stay
            olds, news = (known.inputs, new.inputs) if known else (None, goal.properties)
            new.inputs, failures = provider.check(new.urn, olds, news, self._d.dry_run)
            invalid = self._report(new, failures)
        elif provider:
            new.inputs = old.inputs if old else {}
        if self._d.analyze(new, goal) or invalid:
            raise BailError
        return self._recreate(old, new) if recreating else self._choose(case, targeted)

    def _choose(self, case: "_Case", targeted: bool) -> list[Step]:
        old, new = case.old, case.new
        if old and old.external:
            self._created.add(new.urn)
            return [CreateStep(new, old, pending_delete=True), ReplaceStep(old, new)]
        if self._d.options.targets and self._is_target(new):
            self._targets.add(new.urn)
        if old:
            return self._compare(case, old) if targeted else self._untargeted(old, keep=new)
        if not targeted:
            self._operated.add(new.urn)
            self._skipped_creates.add(new.urn)
            return [SameStep(None, new, skipped=True)]
        self._refuse_skipped(new)
        self._created.add(new.urn)
        return [CreateStep(new)]

    def _recreate(self, old: Resource | None, new: Resource) -> list[Step]:
        """A dependent that was deleted before its dependency's replacement comes back."""
        self.deletes.discard(new.urn)
        self.replaces.add(new.urn)
        self._operated.add(new.urn)
        keys = Diff(True, self._dependent_keys.get(new.urn, []))
        return [ReplaceStep(old, new), CreateStep(new, old, keys)]

    def _untargeted(self, old: Resource, keep: Resource | None = None) -> list[Step]:
        """`same` for what is no target, after all that it depends on and that no step has been made for."""
        if old.delete:
            return []
        if keep:
            self._operated.add(keep.urn)
        self.urns.add(old.urn)
        self._operated.add(old.urn)
        steps: list[Step] = []
        for urn in old.references():
            seen = {urn, self._aliased.get(urn, urn)} & (self._operated | self._created | self.deletes)
            if not seen and urn in self._d.olds:
                steps += self._untargeted(self._d.olds[urn])
        copied = old.copy()
        copied.id = ""
        return [*steps, SameStep(old, copied, untargeted=True)]

    def _refuse_skipped(self, new: Resource) -> None:
        skipped = [urn for urn in new.references() if urn in self._skipped_creates]
        for urn in skipped:
            self._d.error(
                f"Resource '{new.urn}' depends on '{urn}' which was was not specified in --target list.\n"
                "Either include resource in --target list or pass --target-dependents to proceed.",
                new.urn,
            )
        if skipped and not self._d.dry_run:
            raise BailError
        self.failed = self.failed or bool(skipped)

    def _is_target(self, resource: Resource) -> bool:
        options = self._d.options
        if not options.targets or resource.urn in self._targets or self._alias_of.get(resource.urn) in self._targets:
            return True
        return options.target_dependents and any(urn in self._targets for urn in resource.references())

    def _ignore_changes(self, urn: str, news: Map, olds: Map, paths: list[str]) -> Map:
        if not paths:
            return news
        kept: Map = values.rewrite(news, lambda v: v)
        bad = [path for path in paths if not values.reset(values.parse_path(path), olds, kept)]
        if bad:
            self._d.info(f'cannot ignore changes in added or removed elements of the path: "{", ".join(bad)}"', urn)
        return kept

    def _report(self, new: Resource, failures: Failures) -> bool:
        for key, reason in failures:
            where = f": property {key} value {{{values.masked(new.inputs.get(key))}}}" if key else ""
            self._d.error(f"{new.type} resource '{new.name}'{where} has a problem: {reason}", new.urn)
        return bool(failures)

    # ---- updates and replacements

    def _compare(self, case: "_Case", old: Resource) -> list[Step]:
        goal, new = case.goal, case.new
        try:
            diff = self._diff(case, old)
        except DiffUnavailableError as e:
            diff = Diff(True)
            self._d.warn(str(e), new.urn)
        diff = _replace_on_changes(diff, goal.replace_on_changes, bool(old.init_errors))
        if old.pending_replacement or (diff.some and diff.replaces):
            return self._replace(case, old, diff)
        self._operated.add(new.urn)
        if diff.some or old.init_errors:
            return [UpdateStep(old, new, diff, goal.ignore_changes)]
        return [] if new.urn in self._imported else [SameStep(old, new)]

    def _diff(self, case: "_Case", old: Resource) -> Diff:
        new = case.new
        if new.deleted_with and new.deleted_with in self.replaces:
            return Diff(True, ["deletedWith"])
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
        if self._aliased.get(old_urn) == new_urn:
            return False
        news = self._d.provider_states[new_urn]
        diff = self._d.registry.compare(self._d.registry.get(new.provider), new_urn, self._d.olds[old_urn], news.inputs)
        return diff.replaces

    def _replace(self, case: "_Case", old: Resource, diff: Diff) -> list[Step]:
        goal, new, provider = case.goal, case.new, case.provider
        urn = new.urn
        if new.protect and old.protect:
            self._d.error(
                f'unable to replace resource "{urn}"\nas it is currently marked for protection. {_UNPROTECT}', urn
            )
            self.failed = True
            if not self._d.dry_run:
                raise BailError
        if goal.import_id:
            message = (
                "previously-imported resources that still specify an ID may not be replaced; "
                "please remove the `import` declaration from your program"
            )
            if not self._d.dry_run:
                self._d.error(message, urn)
                raise BailError
            self._d.warn(message, urn)
        self.replaces.add(urn)
        self._operated.add(urn)
        if provider:  # without the old one's defaults, such as a generated name
            new.inputs, failures = provider.check(urn, None, goal.properties, self._d.dry_run)
            if self._report(new, failures):
                raise BailError
        first = goal.delete_before_replace if goal.delete_before_replace is not None else diff.delete_before_replace
        if not first:
            return [CreateStep(new, old, diff, pending_delete=True), ReplaceStep(old, new, diff)]
        steps = self._delete_dependents(old)
        self._d.ensure_provider(old)
        if not old.pending_replacement:
            self.deletes.add(old.urn)
            steps.append(DeleteStep(old, replacing=True, first=True))
        return [*steps, ReplaceStep(old, new, diff), CreateStep(new, old, diff)]

    def _delete_dependents(self, root: Resource) -> list[Step]:
        """The deletes of all that must be replaced with a resource that is deleted first, the last dependents first."""
        steps: list[Step] = []
        for dependent, keys in reversed(self.dependent_replacements(root)):
            if dependent in self._pending_deletes:
                continue
            if dependent.protect:
                self._d.error(
                    f'unable to replace resource "{dependent.urn}" as part of replacing "{root.urn}" '
                    f"as it is currently marked for protection. {_UNPROTECT}",
                    dependent.urn,
                )
                self.failed = True
                raise BailError
            self._dependent_keys[dependent.urn] = keys
            steps.append(
                DeleteStep(dependent) if dependent.delete else DeleteStep(dependent, replacing=True, first=True)
            )
            self.deletes.add(dependent.urn)
            self._pending_deletes.add(dependent)
        return steps

    def dependent_replacements(self, root: Resource) -> list[tuple[Resource, list[str]]]:
        """The dependents, in order, that are replaced if what they use of `root` changes, each with the keys for it."""
        replaced = {root.urn}
        found = []
        seen = self._operated | self._created | self.deletes | self.replaces
        for dependent in self._d.graph.dependents(root, ignore=seen):
            keys = self._replacement_keys(dependent, replaced)
            if keys is not None:
                replaced.add(dependent.urn)
                found.append((dependent, keys))
        known = {resource.urn for resource, _ in found}
        found += [(r, []) for r in self._d.olds.values() if r.deleted_with == root.urn and r.urn not in known]
        return found

    def _replacement_keys(self, resource: Resource, replaced: set[str]) -> list[str] | None:
        if not resource.custom or resource.external:
            return None
        if resource.provider.rpartition("::")[0] in replaced:
            self._d.ensure_provider(resource)
            return []
        if resource.deleted_with in replaced:
            return []
        changed = {
            key
            for key, urns in resource.property_dependencies.items()
            if replaced.intersection(urns) and key in resource.inputs
        }
        if not changed:
            return None
        if resource.is_provider:
            self._d.registry.load_old(resource)
        else:
            self._d.ensure_provider(resource)
        news = {key: UNKNOWN if key in changed else value for key, value in resource.inputs.items()}
        diff = diff_resource(
            self._d.provider_of(resource), resource.urn, resource, news, resource.ignore_changes, preview=True
        )
        diff = _replace_on_changes(diff, resource.replace_on_changes, has_init_errors=False)
        return diff.replace_keys if diff.replaces else None

    # ---- deletes

    def deletes_at_end(self) -> tuple[list[Step], list[Step]]:
        """`same` for what is no target, and the deletes of all that the program no longer has."""
        allowed = self._allowed_deletes()
        sames: list[Step] = []
        deletes: list[Step] = []
        for resource in self._d.prev:
            gone = resource.urn not in self._operated and self._aliased.get(resource.urn) not in self._operated
            if allowed is not None and resource.urn not in allowed:
                if gone and not resource.delete:
                    copied = resource.copy()
                    copied.id = ""
                    sames.append(SameStep(resource, copied, untargeted=True))
                continue
            if resource.delete and resource not in self._pending_deletes:
                deletes.append(DeleteStep(resource, replacing=True))
            elif not resource.delete and gone:
                deletes.append(
                    RemovePendingReplaceStep(resource) if resource.pending_replacement else DeleteStep(resource)
                )
            else:
                continue
            self.deletes.add(resource.urn)
            self._d.ensure_provider(resource)
        if self._registered:
            self._d.graph = Graph([*self._registered, *self._d.prev])
        for resource in self._registered:
            if allowed is None or resource.urn in allowed:
                deletes.append(DeleteStep(resource))
                self.deletes.add(resource.urn)
        self._refuse_untargeted(deletes)
        return sames, deletes

    def _allowed_deletes(self) -> set[str] | None:
        if not self._d.options.targets:
            return None
        allowed: set[str] = set()
        for root in [r for r in self._d.prev if r.urn in self._d.options.targets]:
            allowed.add(root.urn)
            allowed.update(r.urn for r in self._d.graph.dependents(root, with_children=True))
            allowed.update(r.urn for r, _ in self.dependent_replacements(root))
        return allowed

    def _refuse_untargeted(self, deletes: list[Step]) -> None:
        options = self._d.options
        if not options.targets or options.target_dependents:
            return
        refused = [step.urn for step in deletes if step.urn not in options.targets]
        for urn in refused:
            self._d.error(
                f"Resource '{urn}' will be destroyed but was not specified in --target list.\n"
                "Either include resource in --target list or pass --target-dependents to proceed.",
                urn,
            )
        self.failed = self.failed or bool(refused)
        if refused and not self._d.dry_run:
            raise BailError

    def layers(self, deletes: list[Step]) -> list[list[Step]]:
        """The deletes in layers: each holds what nothing that is left refers to."""
        condemned = {step.res: step for step in deletes}
        layers: list[list[Step]] = []
        needs = {r: self._d.graph.dependencies(r) & condemned.keys() for r in condemned}
        while needs:
            free = [r for r, others in needs.items() if not others]
            layers.insert(0, [condemned[r] for r in free])
            for r in free:
                del needs[r]
            for others in needs.values():
                others.difference_update(free)
        return layers


def _replace_on_changes(diff: Diff, paths: list[str], has_init_errors: bool) -> Diff:
    """The diff with the changes that the program wants to replace for turned into replacements."""
    if not paths or not (diff.some or has_init_errors):
        return diff
    parsed = [values.parse_path(path) for path in paths]

    def hit(path: str) -> bool:
        return any(values.contains(p, values.parse_path(path)) for p in parsed)

    detailed = diff.detailed and {
        p: {**d, "diffKind": d["diffKind"].removesuffix("-replace") + "-replace" * (hit(p) or "-" in d["diffKind"])}
        for p, d in diff.detailed.items()
    }
    keys = diff.replace_keys + [k for k in diff.changed_keys if hit(k) and k not in diff.replace_keys]
    if has_init_errors and hit("#initerror"):
        return Diff(True, [*keys, "#initerror"], diff.changed_keys, detailed, diff.delete_before_replace)
    return Diff(diff.some, keys, diff.changed_keys, detailed, diff.delete_before_replace)


class Graph:
    """Who depends on whom in a list of resources, in which each comes after all that it depends on."""

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
        found, urns, ignored = [], {root.urn}, set(ignore)
        for candidate in self._resources[self._index[root] + 1 :] if root in self._index else ():
            if candidate.urn not in ignored and urns.intersection(candidate.references(with_parent=with_children)):
                found.append(candidate)
                urns.add(candidate.urn)
        return found

    def dependencies(self, resource: Resource) -> set[Resource]:
        """What a resource depends on directly; a component stands for all that is below it."""
        here = self._index[resource]
        found: set[Resource] = set()
        for urn in set(resource.references(with_parent=False)):
            for candidate in self._by_urn.get(urn, ()):
                found.add(candidate)
                if not candidate.custom:
                    found.update(self._below(urn))
        found.update(self._by_urn.get(resource.parent, ()))
        return {r for r in found if self._index[r] < here}

    def _below(self, urn: str) -> Iterator[Resource]:
        for child in self._children.get(urn, ()):
            yield child
            yield from self._below(child.urn)

    def all_dependencies(self, resource: Resource) -> set[Resource]:
        """What a resource depends on, directly or not, itself included."""
        found, waiting = {resource}, [resource]
        while waiting:
            new = self.dependencies(waiting.pop()) - found
            found |= new
            waiting += new
        return found
