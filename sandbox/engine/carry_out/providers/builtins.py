"""The engine's own package `pulumi`: stack references, stashes, and resources by their references."""

import uuid
from collections.abc import Callable

from sandbox.engine import values
from sandbox.engine.provider import Diff, Failures, ProviderError, ReadResult
from sandbox.engine.state.resources import Resource, type_of
from sandbox.engine.values import Map


class Builtins:
    """The engine's own package `pulumi`: stack references and the hydration of resource references."""

    def __init__(self, outputs_of: Callable[[str], Map | None], resource: Callable[[str], Resource | None]) -> None:
        """Takes how to find a stack's outputs by its full name, and a resource by its URN."""
        self._outputs_of = outputs_of
        self._resource = resource

    def check(self, urn: str, olds: Map | None, news: Map, preview: bool) -> tuple[Map, Failures]:
        """A StackReference may be read only; a Stash is kept as it is."""
        if type_of(urn) != "pulumi:index:Stash":
            raise ProviderError(f"{type_of(urn)} can be read (`.get`, StackReference) but not made")
        return news, [(k, f'unknown property "{k}"') for k in news if k != "input"]

    def diff(self, urn: str, old: Resource, news: Map, ignore_changes: list[str], preview: bool) -> Diff:
        """Compare a Stash."""
        changed = values.plain(old.inputs) != values.plain(news)
        return Diff(changed, changed_keys=["input"] * changed)

    def create(self, new: Resource, preview: bool) -> tuple[str, Map]:
        """Make a Stash: its output is the first input, for good."""
        return "" if preview else str(uuid.uuid4()), {"input": new.inputs["input"], "output": new.inputs["input"]}

    def update(self, old: Resource, new: Resource, ignore_changes: list[str], preview: bool) -> Map:
        """Note a Stash's new input."""
        return {"input": new.inputs["input"], "output": old.outputs["output"]}

    def delete(self, old: Resource) -> None:
        """Nothing to do."""

    def read(self, urn: str, id_: str, inputs: Map | None, state: Map | None) -> ReadResult:
        """Read a StackReference (or a Stash, in a refresh)."""
        if type_of(urn) == "pulumi:index:Stash":
            return ReadResult(id_, inputs, state)
        if not inputs or "name" not in inputs:
            raise ProviderError("stack reference can not be imported")
        return ReadResult(id_, inputs, self._stack_outputs(str(values.plain(inputs["name"]))))

    def invoke(self, token: str, args: Map, preview: bool) -> tuple[Map, Failures]:
        """Answer the functions that the SDK itself calls."""
        if token == "pulumi:pulumi:readStackOutputs":  # noqa: S105 (a function's name)
            return self._stack_outputs(args["name"]), []
        if token == "pulumi:pulumi:getResource":  # noqa: S105 (a function's name)
            resource = self._resource(args["urn"])
            if not resource:
                raise ProviderError(f"unknown resource {args['urn']}")
            return {
                "urn": resource.urn,
                "id": resource.id,
                "provider": resource.provider,
                "state": resource.outputs,
            }, []
        raise ProviderError(f"unrecognized function name: '{token}'")

    def _stack_outputs(self, name: str) -> Map:
        outputs = self._outputs_of(name)
        if outputs is None:
            raise ProviderError(f'unknown stack "{name}"')
        return {
            "name": name,
            "outputs": outputs,
            "secretOutputNames": sorted(k for k, v in outputs.items() if values.has_secret(v)),
        }
