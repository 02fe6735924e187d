# ruff: noqa: N802 (Pulumi's protocol names its methods so)
"""The stand-in for Pulumi's azuread provider, version 6.11.1, on Microsoft Graph v1.0."""

import copy
import re
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2 as proto

from sandbox.providers import lookups
from sandbox.providers.convert import refreshed
from sandbox.providers.directory import KINDS, Kind
from sandbox.providers.graph import Graph
from sandbox.providers.http import Failure
from sandbox.providers.provider import Provider, answering, check_reply, type_of
from sandbox.providers.resources import directory_shape
from sandbox.providers.values import (
    UNKNOWN,
    Properties,
    from_struct,
    has_unknowns,
    marked_like,
    plain,
    same,
    secret,
    to_struct,
    unmarked,
    without_nulls,
)

_SECRET_OUTPUT = "value"  # noqa: S105 (a property's name)
_EMPTY = {"string": "", "boolean": False, "integer": 0, "number": 0}


class AzureAD(Provider):
    """Applications, service principals, groups and their credentials and members."""

    package = "azuread"
    version = "6.11.1"

    @property
    def _graph(self) -> Graph:
        return Graph(self.client)

    @answering
    def Check(self, request: Any, context: Any) -> Any:
        """Reports what is missing or contradictory."""
        kind = _kind(request.urn)
        news = {**kind.defaults, **without_nulls(from_struct(request.news))}
        new, old = unmarked(news), unmarked(from_struct(request.olds))
        failures = [
            f'Missing required argument. The argument "{_snake(name)}" is required, but no definition was found.'
            for name in kind.required
            if name not in new
        ]
        failures += [f"The sandbox's azuread does not emulate '{name}'." for name in sorted(new.keys() - kind.inputs)]
        if not failures and not has_unknowns(new):
            failures = kind.problems(self._graph, new, old)
        return check_reply(news, failures)

    @answering
    def Diff(self, request: Any, context: Any) -> Any:
        """Compares old inputs with new ones, property by property."""
        kind = _kind(request.urn)
        old, new = unmarked(from_struct(request.old_inputs)), unmarked(from_struct(request.news))
        changes = {
            name: _change(old, new, name) + ("_REPLACE" if name in kind.replaces else "")
            for name in sorted(old.keys() | new.keys())
            if not _unchanged(kind, old, new, name)
        }
        kinds = proto.PropertyDiff.Kind
        return proto.DiffResponse(
            changes=proto.DiffResponse.DIFF_SOME if changes else proto.DiffResponse.DIFF_NONE,
            replaces=[name for name in changes if name in kind.replaces],
            diffs=list(changes),
            detailedDiff={name: proto.PropertyDiff(kind=kinds.Value(how)) for name, how in changes.items()},
            hasDetailedDiff=bool(changes),
        )

    @answering
    def Create(self, request: Any, context: Any) -> Any:
        """Makes the object and waits until the directory shows it. A preview sends nothing."""
        kind, given = _kind(request.urn), from_struct(request.properties)
        inputs = unmarked(given)
        if request.preview:
            foreseen = _foreseen(request.urn, kind, inputs)
            return proto.CreateResponse(properties=to_struct(marked_like(foreseen, given)))
        identifier, outputs = kind.create(self._graph, inputs)
        outputs = _complete(request.urn, {**{name: inputs[name] for name in kind.settings & inputs.keys()}, **outputs})
        return proto.CreateResponse(id=identifier, properties=to_struct(_marked(outputs, given)))

    @answering
    def Update(self, request: Any, context: Any) -> Any:
        """Changes what may change."""
        kind, given, state = _kind(request.urn), from_struct(request.news), from_struct(request.olds)
        inputs = unmarked(given)
        if request.preview:
            return proto.UpdateResponse(properties=to_struct(marked_like({**state, **inputs}, given)))
        kind.update(self._graph, request.id, inputs, unmarked(from_struct(request.old_inputs)))
        outputs = kind.read(self._graph, request.id, {**state, **inputs})
        if outputs is None:
            raise Failure(f"{kind.name} {request.id} was deleted while it was updated.")
        return proto.UpdateResponse(properties=to_struct(_marked(_complete(request.urn, outputs), given)))

    @answering
    def Delete(self, request: Any, context: Any) -> Any:
        """Deletes the object and waits until the directory shows it no more."""
        _kind(request.urn).delete(self._graph, request.id)
        return empty_pb2.Empty()

    @answering
    def Read(self, request: Any, context: Any) -> Any:
        """Reads for a refresh or an import; an empty id says that the object is gone."""
        kind = _kind(request.urn)
        given, state = from_struct(request.inputs), from_struct(request.properties)
        outputs = kind.read(self._graph, request.id, state)
        if outputs is None:
            return proto.ReadResponse()
        inputs = {name: value for name, value in plain(outputs).items() if name in kind.inputs}
        if request.HasField("inputs"):
            old = unmarked(given)
            before = {name: value for name, value in unmarked(state).items() if name in old}
            inputs = refreshed(old, before, {name: value for name, value in inputs.items() if name in old})
        return proto.ReadResponse(
            id=request.id,
            inputs=to_struct(marked_like(inputs, given)),
            properties=to_struct(_marked(_complete(request.urn, outputs), state)),
        )

    @answering
    def Invoke(self, request: Any, context: Any) -> Any:
        """Functions that look something up in the directory."""
        arguments = unmarked(from_struct(request.args))
        if request.tok == "azuread:index/getClientConfig:getClientConfig":
            return self.invoke_reply(lookups.client_config(self.client))
        lookup = lookups.LOOKUPS.get(request.tok)
        if lookup is None:
            raise Failure(f"Invoke type {request.tok} not found: the sandbox's azuread does not have this function.")
        try:
            return self.invoke_reply(lookup(self._graph, arguments))
        except lookups.NotFound as failure:  # as the bridge words what Terraform reports
            raise Failure(f"invoking {request.tok}: 1 error occurred:\n\t* {failure}\n\n") from failure


def _kind(urn: str) -> Kind:
    token = type_of(urn)
    kind = KINDS.get(token)
    if kind is None:
        raise Failure(f"Resource type {token} not found: the sandbox's azuread does not emulate it.")
    return kind


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _change(old: Properties, new: Properties, name: str) -> str:
    if name not in old:
        return "ADD"
    return "UPDATE" if name in new else "DELETE"


def _unchanged(kind: Kind, old: Properties, new: Properties, name: str) -> bool:
    if name not in new:
        return name in kind.kept or name.startswith("__")
    before, after = old.get(name), new[name]
    if isinstance(before, list) and isinstance(after, list) and name not in kind.ordered:
        before, after = sorted(map(str, before)), sorted(map(str, after))
    return name in old and same(before, after)


def _foreseen(urn: str, kind: Kind, inputs: Properties) -> Properties:
    """The outputs that a preview knows: the inputs. What only the directory sets is unknown."""
    shape = directory_shape(type_of(urn))
    computed = shape["outputs"].keys() - shape["inputs"].keys()
    unknown = computed | kind.unknown_outputs() | (kind.kept - inputs.keys())
    return {**dict.fromkeys(sorted(unknown), UNKNOWN), **inputs}


def _complete(urn: str, outputs: Properties) -> Properties:
    """The outputs with all that the type has. What the directory leaves empty is "", [], {} or false (Terraform)."""
    shape = directory_shape(type_of(urn))["outputs"]
    return {**{name: copy.copy(_empty(type_)) for name, type_ in shape.items()}, **outputs}


def _empty(type_: str) -> Any:
    return [] if type_.startswith("[]") else {} if type_.startswith("{}") else _EMPTY.get(type_)


def _marked(outputs: Properties, given: Properties) -> Properties:
    """The outputs, secret where the inputs or the state are; a password's value always."""
    value = {_SECRET_OUTPUT: secret(plain(outputs[_SECRET_OUTPUT]))} if _SECRET_OUTPUT in outputs else {}
    marked: Properties = marked_like({**outputs, **value}, given)
    return marked
