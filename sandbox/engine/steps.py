"""The steps that a deployment is made of: what each does with the provider and with the state.

They are Pulumi's (`pkg/resource/deploy/step.go`): a resource's registration becomes one step or a chain of them.
"""

import re
from typing import ClassVar

from sandbox.engine import values
from sandbox.engine.context import Context
from sandbox.engine.provider import Diff, InitError, ProviderError, ReadResult, ResourceProvider
from sandbox.engine.state.resources import STACK_TYPE, Resource, name_of, now, type_of
from sandbox.engine.state.snapshot import SnapshotManager
from sandbox.engine.values import UNKNOWN, Map


class ProtectedError(ProviderError):
    """A delete of a protected resource was asked for."""

    def __init__(self, urn: str) -> None:
        super().__init__(
            f'resource "{urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, '
            "either remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`, "
            f"or use the command:\n`pulumi state unprotect '{urn}'`"
        )


class Step:
    """One step: `op` names it, `res` is the resource it is about, `logical` ones are counted in the summary."""

    op: str = ""
    pending: ClassVar[str] = ""  # how the state names the operation while it runs

    def __init__(
        self, old: Resource | None, new: Resource | None, diff: Diff | None = None, logical: bool = True
    ) -> None:
        self.old, self.new = old, new
        self.logical = logical
        self.keys = sorted(diff.replace_keys) if diff else []
        self.diffs = sorted(diff.changed_keys) if diff else []
        self.detailed_diff = diff.detailed if diff else None

    @property
    def res(self) -> Resource:
        """The resource as it will be, or as it was if it goes."""
        resource = self.new or self.old
        assert resource  # noqa: S101 (a step has one side at least)
        return resource

    @property
    def urn(self) -> str:
        """The resource's URN."""
        return self.res.urn

    def apply(self, d: Context) -> None:
        """Do it.

        Raises:
            ProviderError: it could not be done (InitError: but the resource is there and belongs into the state).
        """

    def completed(self, d: Context) -> None:
        """Do what belongs to the end of a component, whose outputs have come."""

    def begin(self, snapshots: SnapshotManager) -> None:
        """Note in the state that the step starts."""
        if self.pending:
            snapshots.begin(self.pending, self.res)

    def end(self, snapshots: SnapshotManager, done: bool) -> None:
        """Note in the state how the step ended."""
        snapshots.end(self.res)

    def provider(self, d: Context) -> ResourceProvider:
        """The provider that the step's resource belongs to."""
        return d.provider_of(self.res)


class SameStep(Step):
    """The resource stays as it is; options may change in the state.

    `skipped`: it was to be made but is no target, so it is left out of the state. `untargeted`: nothing is asked of it.
    """

    op = "same"

    def __init__(self, old: Resource | None, new: Resource, skipped: bool = False, untargeted: bool = False) -> None:
        super().__init__(old or new.copy(), new)
        self.skipped, self.untargeted = skipped, untargeted

    def apply(self, d: Context) -> None:
        """Take over id and outputs; load the provider, if it is one."""
        assert self.old and self.new  # noqa: S101 (its kind of step has it)
        self.new.id, self.new.outputs = self.old.id, self.old.outputs
        if self.new.is_provider and not self.skipped and not self.untargeted:
            instance = self.new.copy()
            instance.inputs = self.old.inputs
            d.registry.ensure(instance)

    def end(self, snapshots: SnapshotManager, done: bool) -> None:
        """The new state takes the old one's place."""
        if done and not self.skipped and self.old:
            snapshots.end(done=[self.old], new=self.new)


_EXISTS = re.compile(r"cannot create already existing (?:sub)?resource '([^']+)'")  # azure-native's words


def _existing_advice(d: Context, new: Resource, id_: str) -> str:
    """Advice for a create that is refused because the resource exists.

    The state may have it under another name. Else an earlier create may have been carried out and never answered.
    """
    owner = next((r for r in [*d.prev, *d.news.values()] if r.custom and r.id.lower() == id_.lower()), None)
    if owner:
        return (
            f"The stack has it already, as '{owner.urn}'. If the program gave that resource another name, "
            f"give the new one `aliases=[pulumi.Alias(name={owner.name!r})]`; else give it another name in Azure."
        )
    words = [new.type, f"'{new.name}'", f"'{id_}'"]
    if new.parent and type_of(new.parent) != STACK_TYPE:
        words.append(f"--parent 'parent={new.parent}'")
    provider = new.provider.rpartition("::")[0]
    if not name_of(provider).startswith("default"):
        words.append(f"--provider 'provider={provider}'")
    return (
        "If an earlier update made it and never got the answer, take it into the state and run `pulumi up` again:\n"
        f"  pulumi import {' '.join(words)} --protect=false --generate-code=false --yes"
    )


class CreateStep(Step):
    """The resource is made; as a part of a replacement (`op` create-replacement) it is not counted."""

    op, pending = "create", "creating"

    def __init__(
        self, new: Resource, old: Resource | None = None, diff: Diff | None = None, pending_delete: bool = False
    ) -> None:
        super().__init__(old, new, diff, logical=old is None)
        self._pending_delete = pending_delete
        if old:
            self.op = "create-replacement"

    def apply(self, d: Context) -> None:
        """Call Create; the replaced one is deleted at the end of the deployment."""
        assert self.new  # noqa: S101 (its kind of step has it)
        d.hooks.run("BeforeCreate", None, self.new)
        new, failed = self.new, None
        if new.custom:
            provider = self.provider(d)
            try:
                new.id, new.outputs = d.hooks.repeated("create", None, new, lambda: provider.create(new, d.dry_run))
            except InitError as e:
                failed = e
                new.id, new.outputs, new.init_errors = e.id, e.outputs, e.reasons
            except ProviderError as e:
                if (existing := _EXISTS.search(str(e))) and not self.old:
                    raise ProviderError(f"{e}\n{_existing_advice(d, self.new, existing[1])}") from e
                raise
        self.new.created = self.new.modified = now()
        if self.old and self._pending_delete:
            self.old.delete = True
        if failed:
            raise failed
        if new.custom:
            d.hooks.run_after("AfterCreate", None, new)

    def completed(self, d: Context) -> None:
        """Call the hooks of a component."""
        if self.new and not self.new.custom:
            d.hooks.run_after("AfterCreate", None, self.new)

    def end(self, snapshots: SnapshotManager, done: bool) -> None:
        """The new resource is there; one that waits for deletion, too."""
        if not done:
            snapshots.end(self.new)
            return
        replaced = self.old and self.old.pending_replacement
        snapshots.end(self.new, done=[self.old] if self.old and replaced else [], new=self.new)
        if self.old and self.old.delete and self._pending_delete:
            snapshots.set(self.old)


class ReplaceStep(Step):
    """Says that a create and a delete belong together; does nothing itself."""

    op = "replace"


class UpdateStep(Step):
    """The resource is changed in place."""

    op, pending = "update", "updating"

    def __init__(self, old: Resource, new: Resource, diff: Diff, ignore_changes: list[str]) -> None:
        super().__init__(old, new, diff)
        self._ignore_changes = ignore_changes

    def apply(self, d: Context) -> None:
        """Call Update; one that fails half-way keeps the old inputs with the new outputs."""
        assert self.old and self.new  # noqa: S101 (its kind of step has it)
        self.new.id = self.old.id
        old, new = self.old, self.new
        d.hooks.run("BeforeUpdate", old, new)
        if not new.custom:
            return
        provider = self.provider(d)
        try:
            new.outputs = d.hooks.repeated(
                "update", old, new, lambda: provider.update(old, new, self._ignore_changes, d.dry_run)
            )
        except InitError as e:
            new.outputs, new.init_errors, new.inputs = e.outputs, e.reasons, old.inputs
            raise
        new.modified = now()
        d.hooks.run_after("AfterUpdate", old, new)

    def completed(self, d: Context) -> None:
        """Call the hooks of a component."""
        if self.new and not self.new.custom:
            d.hooks.run_after("AfterUpdate", self.old, self.new)

    def end(self, snapshots: SnapshotManager, done: bool) -> None:
        """The new state takes the old one's place."""
        snapshots.end(self.new, done=[self.old] if done and self.old else [], new=self.new if done else None)


class DeleteStep(Step):
    """The resource is deleted: after it was replaced (`replacing`), or before (`first`), or because it is gone."""

    pending = "deleting"

    def __init__(self, old: Resource, replacing: bool = False, first: bool = False) -> None:
        super().__init__(old, None, logical=not replacing)
        self._replacing, self._first = replacing, first
        self.op = (
            ("discard-replaced" if replacing else "discard")
            if old.external
            else "delete-replaced"
            if replacing
            else "delete"
        )

    def apply(self, d: Context) -> None:
        """Call Delete, unless the resource is only read, kept on purpose, or goes with another one."""
        old = self.res
        d.hooks.run("BeforeDelete", old, None)
        if not self._replacing and old.protect:
            raise ProtectedError(old.urn)
        spared = old.external or old.retain_on_delete or d.is_deleted(old.deleted_with)
        if not d.dry_run and not spared and old.custom:
            provider = self.provider(d)
            d.hooks.repeated("delete", old, None, lambda: provider.delete(old))
        if self._first:
            old.pending_replacement = True
        d.hooks.run_after("AfterDelete", old, None)

    def end(self, snapshots: SnapshotManager, done: bool) -> None:
        """The resource is gone, or waits for the create that takes its place."""
        if done and self.res.pending_replacement:
            snapshots.end(self.res)
            snapshots.set(self.res)
        else:
            snapshots.end(self.res, done=[self.res] if done else [])


class RemovePendingReplaceStep(Step):
    """A resource that was deleted for a replacement which never came leaves the state."""

    op = "remove-pending-replace"

    def __init__(self, old: Resource) -> None:
        super().__init__(old, None, logical=False)

    def end(self, snapshots: SnapshotManager, done: bool) -> None:
        """Remove the resource from the state."""
        snapshots.end(done=[self.res])


class ReadStep(Step):
    """A resource that the program only reads (`.get`), in previews too; `replacing`: in place of one that was made."""

    op, pending = "read", "reading"

    def __init__(self, new: Resource, old: Resource | None, replacing: bool = False) -> None:
        super().__init__(old, new)
        self._replacing = replacing
        if replacing:
            self.op = "read-replacement"

    def apply(self, d: Context) -> None:
        """Call Read, if the id is known."""
        assert self.new  # noqa: S101 (its kind of step has it)
        read = ReadResult(outputs={})
        if self.new.id != UNKNOWN:
            read = self.provider(d).read(self.new.urn, self.new.id, self.new.inputs, self.new.inputs)
            if read.outputs is None:
                raise ProviderError(f"resource '{self.new.id}' does not exist")
        self.new.outputs, self.new.id = read.outputs or {}, read.id or self.new.id
        self.new.init_errors = read.init_errors
        if self.old:
            self.old.delete = self.old.delete or self._replacing
            if (self.new.inputs, self.new.outputs) != (self.old.inputs, self.old.outputs):
                self.new.modified = now()
        self.logical = self.old is not None and not self._replacing and self.old.outputs != self.new.outputs

    def end(self, snapshots: SnapshotManager, done: bool) -> None:
        """Store what was read in place of the old state."""
        replaced = [self.old] if done and self.old and not self._replacing else []
        snapshots.end(self.new, done=replaced, new=self.new if done else None)
        if done and self.old and self._replacing:
            snapshots.set(self.old)


class ImportStep(Step):
    """A resource that exists is adopted as the provider reads it (option `import_`)."""

    op, pending = "import", "importing"

    def __init__(self, new: Resource, original: Resource | None, ignore_changes: list[str]) -> None:
        super().__init__(None, new, logical=original is None)
        self._original = original
        self._ignore_changes = ignore_changes
        if original:
            self.op = "import-replacement"

    def apply(self, d: Context) -> None:
        """Call Read."""
        assert self.new  # noqa: S101 (its kind of step has it)
        read = self.provider(d).read(self.new.urn, self.new.import_id, None, None)
        if read.outputs is None:
            raise ProviderError(f"resource '{self.new.import_id}' does not exist")
        if read.inputs is None:
            raise ProviderError(
                "provider does not support importing resources; "
                f"please try updating the '{self.new.type.split(':')[0]}' plugin"
            )
        self.new.id, self.new.inputs, self.new.outputs = read.id or self.new.import_id, read.inputs, read.outputs
        self.new.init_errors = read.init_errors
        self.old = self.new.copy()
        self.new.created = self.new.modified = now()
        if self._original:
            self._original.delete = True

    def end(self, snapshots: SnapshotManager, done: bool) -> None:
        """The imported resource is there; the replaced one waits for its deletion."""
        snapshots.end(self.new, new=self.new if done else None)
        if done and self._original:
            snapshots.set(self._original)


class RefreshStep(Step):
    """A resource's state is read anew; `outcome` is same, update or delete."""

    op = "refresh"

    def __init__(self, old: Resource) -> None:
        super().__init__(old, old, logical=False)
        self.outcome = "same"

    def apply(self, d: Context) -> None:
        """Call Read and compare what is there with the state, as an update that sets it back would."""
        old = self.res
        if not old.custom or old.is_provider or old.pending_replacement:
            return
        provider = self.provider(d)
        read = provider.read(old.urn, old.id, old.inputs, old.outputs)
        if not read.id or read.outputs is None:
            self.new, self.outcome = None, "delete"
            return
        if read.init_errors:
            d.warn("Refreshed resource is in an unhealthy state:\n* " + "\n* ".join(read.init_errors), old.urn)
        self.new = new = old.copy()
        new.id, new.init_errors, new.outputs = read.id, read.init_errors, read.outputs
        new.inputs = old.inputs if read.inputs is None else read.inputs
        if (new.inputs, new.outputs) != (old.inputs, old.outputs):
            new.modified = now()
        if old.external:
            self.outcome = "same" if new.outputs == old.outputs else "update"
            return
        diff = diff_resource(provider, new.urn, new, old.inputs, old.ignore_changes, d.dry_run)
        self.outcome = "update" if diff.some else "same"
        self.diffs = sorted(diff.changed_keys)
        self.detailed_diff = _inverted(diff.detailed)

    def end(self, snapshots: SnapshotManager, done: bool) -> None:
        """Nothing: what the refresh makes of the state is stored as a whole."""


def _inverted(detailed: dict[str, Map] | None) -> dict[str, Map] | None:
    turned = {"add": "delete", "delete": "add", "add-replace": "delete-replace", "delete-replace": "add-replace"}
    return detailed and {
        path: {**d, "diffKind": turned.get(d["diffKind"], d["diffKind"])} for path, d in detailed.items()
    }


def diff_resource(  # noqa: PLR0917 (the parts of Pulumi's own request)
    provider: ResourceProvider, urn: str, old: Resource, news: Map, ignore_changes: list[str], preview: bool
) -> Diff:
    """The provider's Diff; where it does not know, the engine compares the inputs itself."""
    diff = provider.diff(urn, old, news, ignore_changes, preview)
    if diff.some is None:
        before, after = values.plain(old.inputs), values.plain(news)
        diff.changed_keys = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
        diff.some = bool(diff.changed_keys)
    return diff
