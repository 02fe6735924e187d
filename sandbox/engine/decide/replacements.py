"""Decides how a resource is replaced, and which others must be replaced with it."""

from sandbox.engine import values
from sandbox.engine.context import Context
from sandbox.engine.decide.decisions import Case, Decisions, report_failures
from sandbox.engine.errors import BailError
from sandbox.engine.provider import Diff
from sandbox.engine.state.resources import Resource
from sandbox.engine.steps import CreateStep, DeleteStep, ReplaceStep, Step, diff_resource
from sandbox.engine.values import UNKNOWN

_UNPROTECT = (
    "To unprotect the resource, remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`"
)


class Replacements:
    """Makes the steps of replacements: create first, or delete first with all dependents that must go, too."""

    def __init__(self, context: Context, decisions: Decisions) -> None:
        self._context, self._decisions = context, decisions

    def steps(self, case: Case, old: Resource, diff: Diff) -> list[Step]:
        """The steps that replace a resource.

        Raises:
            BailError: The resource must not be replaced. The user has been told.
        """
        goal, new, provider = case.goal, case.new, case.provider
        self._refuse(case, old)
        self._decisions.replaces.add(new.urn)
        self._decisions.operated.add(new.urn)
        if provider:  # without the old one's defaults, such as a generated name
            new.inputs, failures = provider.check(new.urn, None, goal.properties, self._context.dry_run)
            if report_failures(self._context, new, failures):
                raise BailError
        first = goal.delete_before_replace if goal.delete_before_replace is not None else diff.delete_before_replace
        if not first:
            return [CreateStep(new, old, diff, pending_delete=True), ReplaceStep(old, new, diff)]
        steps = self._delete_dependents(old)
        self._context.ensure_provider(old)
        if not old.pending_replacement:
            self._decisions.deletes.add(old.urn)
            steps.append(DeleteStep(old, replacing=True, first=True))
        return [*steps, ReplaceStep(old, new, diff), CreateStep(new, old, diff)]

    def _refuse(self, case: Case, old: Resource) -> None:
        """Refuse to replace what is protected or imported; a preview reports it and goes on."""
        urn, dry_run = case.new.urn, self._context.dry_run
        if case.new.protect and old.protect:
            self._context.error(
                f'unable to replace resource "{urn}"\nas it is currently marked for protection. {_UNPROTECT}', urn
            )
            self._decisions.failed = True
            if not dry_run:
                raise BailError
        if case.goal.import_id:
            message = (
                "previously-imported resources that still specify an ID may not be replaced; "
                "please remove the `import` declaration from your program"
            )
            if not dry_run:
                self._context.error(message, urn)
                raise BailError
            self._context.warn(message, urn)

    def recreate(self, old: Resource | None, new: Resource) -> list[Step]:
        """The steps that bring back a dependent that was deleted before the replacement of what it depends on."""
        self._decisions.deletes.discard(new.urn)
        self._decisions.replaces.add(new.urn)
        self._decisions.operated.add(new.urn)
        keys = Diff(True, self._decisions.dependent_keys.get(new.urn, []))
        return [ReplaceStep(old, new), CreateStep(new, old, keys)]

    def _delete_dependents(self, root: Resource) -> list[Step]:
        """The deletes of all that must be replaced with a resource that is deleted first, the last dependents first."""
        steps: list[Step] = []
        decisions = self._decisions
        for dependent, keys in reversed(self.dependents(root)):
            if dependent in decisions.pending_deletes:
                continue
            if dependent.protect:
                self._context.error(
                    f'unable to replace resource "{dependent.urn}" as part of replacing "{root.urn}" '
                    f"as it is currently marked for protection. {_UNPROTECT}",
                    dependent.urn,
                )
                decisions.failed = True
                raise BailError
            decisions.dependent_keys[dependent.urn] = keys
            steps.append(
                DeleteStep(dependent) if dependent.delete else DeleteStep(dependent, replacing=True, first=True)
            )
            decisions.deletes.add(dependent.urn)
            decisions.pending_deletes.add(dependent)
        return steps

    def dependents(self, root: Resource) -> list[tuple[Resource, list[str]]]:
        """The dependents that are replaced if what they use of `root` changes, in order, each with the keys for it."""
        replaced = {root.urn}
        dependents = []
        decisions = self._decisions
        seen = decisions.operated | decisions.created | decisions.deletes | decisions.replaces
        for dependent in self._context.graph.dependents(root, ignore=seen):
            keys = self._replacement_keys(dependent, replaced)
            if keys is not None:
                replaced.add(dependent.urn)
                dependents.append((dependent, keys))
        return dependents

    def _replacement_keys(self, resource: Resource, replaced: set[str]) -> list[str] | None:
        """The properties for which a dependent is replaced; None if it is not."""
        if not resource.custom or resource.external:
            return None
        if resource.provider.rpartition("::")[0] in replaced:
            self._context.ensure_provider(resource)
            return []
        changed = {
            key
            for key, urns in resource.property_dependencies.items()
            if replaced.intersection(urns) and key in resource.inputs
        }
        if not changed:
            return None
        if resource.is_provider:
            self._context.registry.load_old(resource)
        else:
            self._context.ensure_provider(resource)
        news = {key: UNKNOWN if key in changed else value for key, value in resource.inputs.items()}
        diff = diff_resource(
            self._context.provider_of(resource), resource.urn, resource, news, resource.ignore_changes, preview=True
        )
        diff = replace_on_changes(diff, resource.replace_on_changes, has_init_errors=False)
        return diff.replace_keys if diff.replaces else None


def replace_on_changes(diff: Diff, paths: list[str], has_init_errors: bool) -> Diff:
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
