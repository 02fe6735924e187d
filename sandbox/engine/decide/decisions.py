"""The decisions of an operation so far, and the registration that is being decided on."""

from dataclasses import dataclass, field

from sandbox.engine.context import Context, Options
from sandbox.engine.goals import Goal
from sandbox.engine.provider import Failures, ResourceProvider
from sandbox.engine.state.resources import Resource
from sandbox.engine.values import masked


@dataclass
class Case:
    """A registration that is being decided on: what the program wants, the old state, the new one, the provider."""

    goal: Goal
    old: Resource | None
    new: Resource
    provider: ResourceProvider | None


@dataclass
class Decisions:
    """The decisions so far; sets of URNs, unless said otherwise.

    Attributes:
        options: The options of the command line.
        targets: The targets of the command line, and the dependents that became targets with them.
        urns: All resources that the program has registered or read.
        operated: Resources that stay: unchanged, updated, replaced or read.
        created: Resources that are created.
        replaces: Resources that are replaced.
        deletes: Resources that are deleted, for a replacement or at the end.
        skipped_creates: Resources that would be created, but are no targets.
        imported: Resources that are imported.
        pending_deletes: Resources that are deleted before their replacement.
        dependent_keys: Of those, the properties for which each is replaced.
        aliased: Old URN to new URN, of resources that an alias renamed.
        alias_of: New URN to old URN, of the same.
        failed: Something was refused, so the operation fails when it has ended.
    """

    options: Options
    targets: set[str]
    urns: set[str] = field(default_factory=set)
    operated: set[str] = field(default_factory=set)
    created: set[str] = field(default_factory=set)
    replaces: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)
    skipped_creates: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)
    pending_deletes: set[Resource] = field(default_factory=set)
    dependent_keys: dict[str, list[str]] = field(default_factory=dict)
    aliased: dict[str, str] = field(default_factory=dict)
    alias_of: dict[str, str] = field(default_factory=dict)
    failed: bool = False

    def is_target(self, resource: Resource) -> bool:
        """Whether the operation is about this resource; without `--target` it is about all."""
        if not self.options.targets or resource.urn in self.targets or self.alias_of.get(resource.urn) in self.targets:
            return True
        return self.options.target_dependents and any(urn in self.targets for urn in resource.references())


def report_failures(context: Context, new: Resource, failures: Failures) -> bool:
    """Report what a provider's Check refused; whether it refused anything."""
    for key, reason in failures:
        where = f": property {key} value {{{masked(new.inputs.get(key))}}}" if key else ""
        context.error(f"{new.type} resource '{new.name}'{where} has a problem: {reason}", new.urn)
    return bool(failures)
