"""The provider host: starts providers, in process or as plugins, and speaks Pulumi's provider protocol with them."""

import contextlib
import json
import random
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from google.protobuf.message import Message
from google.rpc import status_pb2
from pulumi.runtime import proto
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.engine import values
from sandbox.engine.carry_out.providers.plugins import PluginProcess
from sandbox.engine.provider import Diff, DiffUnavailableError, Failures, InitError, ProviderError, ReadResult, visible
from sandbox.engine.state.resources import Resource, name_of, type_of
from sandbox.engine.values import Map, from_struct, to_struct

_CANCEL_SECONDS = 5  # within which a provider must take the request to give up what it is doing


class _AbortError(Exception):
    def __init__(self, details: str) -> None:
        super().__init__(details)


class _Context:
    """The context, in place of gRPC's, that a servicer called in process gets."""

    def __init__(self) -> None:
        self.trailing: tuple[tuple[str, bytes], ...] = ()

    def abort(self, _code: grpc.StatusCode, details: str) -> NoReturn:
        raise _AbortError(details)

    def set_trailing_metadata(self, metadata: tuple[tuple[str, bytes], ...]) -> None:
        self.trailing = metadata

    def set_code(self, code: grpc.StatusCode) -> None:
        """Called by the generated servicer for methods that the provider lacks, before it raises."""

    def set_details(self, details: str) -> None:
        """Set the details of the answer, as set_code sets its code."""


def _error(details: str, trailing: Any) -> ProviderError:
    for key, value in trailing or ():
        if key == "grpc-status-details-bin":
            for any_ in status_pb2.Status.FromString(value).details:
                detail = proto.ErrorResourceInitFailed()
                if any_.Unpack(detail):
                    return InitError(detail)
    return ProviderError(details)


class Provider:
    """One provider instance, in process (`servicer`) or as a plugin process (`stub`)."""

    def __init__(self, package: str, servicer: Any = None, process: PluginProcess | None = None) -> None:
        self.package = package
        self._servicer = servicer
        self._process = process
        self._stub = provider_pb2_grpc.ResourceProviderStub(process.channel) if process else None
        self._accepts_secrets = False
        self._supports_preview = False
        self._known = True

    def call(self, method: str, request: Message) -> Any:
        """Call one method of the provider protocol.

        Raises:
            ProviderError: the provider refused (InitError: after a part of the effect).
        """
        if self._stub:
            try:
                return getattr(self._stub, method)(request)
            except grpc.RpcError as e:
                raise _error(e.details() or str(e.code()), e.trailing_metadata()) from e
        context = _Context()
        try:
            return getattr(self._servicer, method)(request, context)
        except _AbortError as e:
            raise _error(str(e), context.trailing) from None
        except Exception as e:  # as gRPC words it; a provider's fault must not end the engine
            raise ProviderError(f"{self.package}: exception calling {method}: {type(e).__name__}: {e}") from e

    def close(self) -> None:
        """End the instance."""
        if self._process:
            self._process.stop()

    def cancel(self) -> None:
        """Ask the provider to give up what it is doing."""
        if self._stub:
            with contextlib.suppress(grpc.RpcError):
                self._stub.Cancel(empty_pb2.Empty(), timeout=_CANCEL_SECONDS)

    def check_config(self, urn: str, olds: Map | None, news: Map) -> tuple[Map, Failures]:
        """Validate the provider's own configuration."""
        reply = self.call(
            "CheckConfig",
            proto.CheckRequest(
                urn=urn,
                name=name_of(urn),
                type=type_of(urn),
                olds=to_struct(values.plain(olds or {})),
                news=to_struct(values.plain(news)),
            ),
        )
        return _with_secrets(from_struct(reply.inputs), news), [(f.property, f.reason) for f in reply.failures]

    def diff_config(self, urn: str, old: Resource, news: Map) -> Diff:
        """Compare the provider's own configuration."""
        reply = self.call(
            "DiffConfig",
            proto.DiffRequest(
                urn=urn,
                name=name_of(urn),
                type=type_of(urn),
                old_inputs=to_struct(values.plain(visible(old.inputs))),
                olds=to_struct(values.plain(old.outputs)),
                news=to_struct(values.plain(visible(news))),
            ),
        )
        return _diff(reply)

    def configure(self, urn: str, id_: str, inputs: Map) -> None:
        """Give the provider its configuration; unknown ones (in a preview) make it answer without the provider."""
        if values.has_unknown(inputs):
            self._known = False
            return
        prefix = f"{self.package}:config:"
        variables = {
            prefix + k: v if isinstance(v, str) else json.dumps(v)
            for k, v in values.plain(inputs).items()
            if k != "version"
        }
        reply = self.call(
            "Configure",
            proto.ConfigureRequest(
                urn=urn,
                name=name_of(urn),
                type=type_of(urn),
                id=id_,
                args=to_struct(inputs),
                variables=variables,
                acceptSecrets=True,
                acceptResources=True,
                sends_old_inputs=True,
                sends_old_inputs_to_delete=True,
            ),
        )
        self._accepts_secrets, self._supports_preview = reply.acceptSecrets, reply.supportsPreview

    def check(self, urn: str, olds: Map | None, news: Map, preview: bool) -> tuple[Map, Failures]:
        """See ResourceProvider."""
        if not self._known:
            return news, []
        reply = self.call(
            "Check",
            proto.CheckRequest(
                urn=urn,
                name=name_of(urn),
                type=type_of(urn),
                olds=self._send(olds or {}),
                news=self._send(news),
                randomSeed=random.randbytes(32),  # noqa: S311 (varies names, protects nothing)
            ),
        )
        return self._receive(reply.inputs, news), [(f.property, f.reason) for f in reply.failures]

    def diff(self, urn: str, old: Resource, news: Map, ignore_changes: list[str], preview: bool) -> Diff:
        """See ResourceProvider."""
        if not self._known:
            raise DiffUnavailableError(
                "The provider for this resource has inputs that are not known during preview.\n"
                "This preview may not correctly represent the changes that will be applied during an update."
            )
        reply = self.call(
            "Diff",
            proto.DiffRequest(
                urn=urn,
                name=name_of(urn),
                type=type_of(urn),
                id=old.id,
                old_inputs=self._send(_elided(old.inputs)),
                olds=self._send(_elided(old.outputs)),
                news=self._send(_elided(news)),
                ignoreChanges=ignore_changes,
            ),
        )
        return _diff(reply)

    def create(self, new: Resource, preview: bool) -> tuple[str, Map]:
        """See ResourceProvider."""
        if preview and not (self._known and self._supports_preview):
            return "", new.inputs if self._known else {}
        reply = self.call(
            "Create",
            proto.CreateRequest(
                urn=new.urn,
                name=new.name,
                type=new.type,
                properties=self._send(new.inputs),
                preview=preview,
                timeout=new.custom_timeouts.get("create", 0),
            ),
        )
        if not reply.id and not preview:
            raise ProviderError("provider did not return an ID from Create")
        return reply.id, self._receive(reply.properties, new.inputs, preview)

    def update(self, old: Resource, new: Resource, ignore_changes: list[str], preview: bool) -> Map:
        """See ResourceProvider."""
        if preview and not (self._known and self._supports_preview):
            return new.inputs if self._known else {}
        reply = self.call(
            "Update",
            proto.UpdateRequest(
                urn=new.urn,
                name=new.name,
                type=new.type,
                id=old.id,
                old_inputs=self._send(_elided(old.inputs)),
                olds=self._send(_elided(old.outputs)),
                news=self._send(new.inputs),
                ignoreChanges=ignore_changes,
                preview=preview,
                timeout=new.custom_timeouts.get("update", 0),
            ),
        )
        return self._receive(reply.properties, new.inputs, preview)

    def delete(self, old: Resource) -> None:
        """See ResourceProvider."""
        self.call(
            "Delete",
            proto.DeleteRequest(
                urn=old.urn,
                name=old.name,
                type=old.type,
                id=old.id,
                old_inputs=self._send(_elided(old.inputs)),
                properties=self._send(_elided(old.outputs)),
                timeout=old.custom_timeouts.get("delete", 0),
            ),
        )

    def read(self, urn: str, id_: str, inputs: Map | None, state: Map | None) -> ReadResult:
        """See ResourceProvider."""
        if not self._known:
            return ReadResult(inputs={}, outputs={})
        request = proto.ReadRequest(urn=urn, name=name_of(urn), type=type_of(urn), id=id_)
        if inputs is not None:
            request.inputs.CopyFrom(self._send(_elided(inputs)))
        if state is not None:
            request.properties.CopyFrom(self._send(_elided(state)))
        try:
            reply = self.call("Read", request)
        except InitError as e:
            return ReadResult(e.id, e.inputs, e.outputs, e.reasons)
        return ReadResult(
            reply.id,
            self._receive(reply.inputs, inputs or {}) if reply.HasField("inputs") else None,
            self._receive(reply.properties, state or {}) if reply.id else None,
        )

    def invoke(self, token: str, args: Map, preview: bool) -> tuple[Map, Failures]:
        """See ResourceProvider."""
        if not self._known:
            return {}, []
        reply = self.call("Invoke", proto.InvokeRequest(tok=token, args=self._send(args), preview=preview))
        return from_struct(getattr(reply, "return")), [(f.property, f.reason) for f in reply.failures]

    def _send(self, properties: Map) -> Any:
        return to_struct(properties if self._accepts_secrets else values.plain(properties))

    def _receive(self, struct: Any, sent: Map, preview: bool = True) -> Map:
        received = from_struct(struct)
        if not preview and values.has_unknown(received):
            raise ProviderError("the provider returned an unknown value from an update, where all must be known")
        return received if self._accepts_secrets else _with_secrets(received, sent)


def _with_secrets(received: Map, sent: Map) -> Map:
    """The values of a provider that does not know secrets, marked where the ones sent were."""
    return {k: values.secret(v) if values.has_secret(sent.get(k)) else v for k, v in received.items()}


def _elided(properties: Map) -> Map:
    """The values with assets by their hash alone: what a provider compares needs no content."""

    def change(v: Any) -> Any:
        if isinstance(v, dict) and v.get(values.SIG) in (values.ASSET, values.ARCHIVE) and "hash" in v:
            return {values.SIG: v[values.SIG], "hash": v["hash"]}
        return v

    return values.rewrite(properties, change) if values.has_asset(properties) else properties


_KINDS = ("add", "add-replace", "delete", "delete-replace", "update", "update-replace")


def _diff(reply: proto.DiffResponse) -> Diff:
    some = {proto.DiffResponse.DIFF_NONE: False, proto.DiffResponse.DIFF_SOME: True}.get(reply.changes)
    detailed = {path: {"diffKind": _KINDS[d.kind], "inputDiff": d.inputDiff} for path, d in reply.detailedDiff.items()}
    return Diff(
        some,
        list(reply.replaces),
        list(reply.diffs),
        detailed if reply.hasDetailedDiff else None,
        reply.deleteBeforeReplace,
    )
