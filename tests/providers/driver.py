"""Calls a provider as an engine does: with protocol messages and a context that raises."""

from dataclasses import dataclass, field
from typing import Any

import grpc
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2 as proto

from sandbox.providers.provider import Provider
from sandbox.providers.values import from_struct, to_struct

Properties = dict[str, Any]


class Aborted(Exception):  # noqa: N818 (the word of gRPC)
    """The provider gave up.

    Attributes:
        init: What it says of a resource that exists all the same, or None.
    """

    def __init__(self, text: str, init: Any) -> None:
        super().__init__(text)
        self.init = init


@dataclass
class Context:
    """What a provider gets besides the request."""

    metadata: Any = ()

    def set_trailing_metadata(self, metadata: Any) -> None:
        self.metadata = metadata

    def abort(self, code: grpc.StatusCode, text: str) -> None:
        raise Aborted(text, self._init_failed())

    def _init_failed(self) -> Any:
        for key, value in self.metadata:
            assert key == "grpc-status-details-bin"
            detail = proto.ErrorResourceInitFailed()
            status_pb2.Status.FromString(value).details[0].Unpack(detail)
            return detail
        return None


def call(method: Any, request: Any) -> Any:
    """Calls a method of the protocol."""
    return method(request, Context())


@dataclass
class Compared:
    """A Diff's answer, as plain values."""

    kinds: dict[str, str]
    replaces: list[str]
    changed: bool
    delete_first: bool
    diffs: list[str]


@dataclass
class Resource:
    """One resource's life with a provider: what the engine would keep of it."""

    provider: Provider
    type: str
    name: str = "thing"
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)

    @property
    def urn(self) -> str:
        return f"urn:pulumi:dev::proj::{self.type}::{self.name}"

    def check(self, inputs: Properties, **options: Any) -> tuple[Properties, list[str]]:
        request = proto.CheckRequest(
            urn=self.urn, olds=to_struct(self.inputs), news=to_struct(inputs), randomSeed=b"seed", **options
        )
        answer = call(self.provider.Check, request)
        return from_struct(answer.inputs), [one.reason for one in answer.failures]

    def checked(self, inputs: Properties) -> Properties:
        found, failures = self.check(inputs)
        assert failures == []
        return found

    def diff(self, inputs: Properties) -> Compared:
        answer = call(
            self.provider.Diff,
            proto.DiffRequest(
                id=self.id,
                urn=self.urn,
                olds=to_struct(self.outputs),
                news=to_struct(inputs),
                old_inputs=to_struct(self.inputs),
            ),
        )
        return Compared(
            {path: proto.PropertyDiff.Kind.Name(one.kind) for path, one in answer.detailedDiff.items()},
            sorted(answer.replaces),
            answer.changes == proto.DiffResponse.DIFF_SOME,
            answer.deleteBeforeReplace,
            list(answer.diffs),
        )

    def preview(self, inputs: Properties) -> Properties:
        answer = call(
            self.provider.Create,
            proto.CreateRequest(urn=self.urn, properties=to_struct(inputs), preview=True),
        )
        assert answer.id == ""
        return from_struct(answer.properties)

    def create(self, inputs: Properties, timeout: float = 0) -> "Resource":
        checked = self.checked(inputs)
        request = proto.CreateRequest(urn=self.urn, properties=to_struct(checked), timeout=timeout)
        answer = call(self.provider.Create, request)
        self.id, self.inputs, self.outputs = answer.id, checked, from_struct(answer.properties)
        return self

    def update(self, inputs: Properties, *, preview: bool = False) -> Properties:
        checked = self.checked(inputs)
        answer = call(
            self.provider.Update,
            proto.UpdateRequest(
                id=self.id,
                urn=self.urn,
                olds=to_struct(self.outputs),
                news=to_struct(checked),
                old_inputs=to_struct(self.inputs),
                preview=preview,
            ),
        )
        outputs = from_struct(answer.properties)
        if not preview:
            self.inputs, self.outputs = checked, outputs
        return outputs

    def refresh(self) -> bool:
        """Reads; whether it is still there."""
        answer = call(
            self.provider.Read,
            proto.ReadRequest(
                id=self.id, urn=self.urn, properties=to_struct(self.outputs), inputs=to_struct(self.inputs)
            ),
        )
        if answer.id:
            self.inputs, self.outputs = from_struct(answer.inputs), from_struct(answer.properties)
        return bool(answer.id)

    def imported(self, identifier: str) -> "Resource":
        answer = call(self.provider.Read, proto.ReadRequest(id=identifier, urn=self.urn))
        self.id, self.inputs, self.outputs = answer.id, from_struct(answer.inputs), from_struct(answer.properties)
        return self

    def delete(self) -> None:
        call(
            self.provider.Delete,
            proto.DeleteRequest(
                id=self.id, urn=self.urn, properties=to_struct(self.outputs), old_inputs=to_struct(self.inputs)
            ),
        )


def invoke(provider: Provider, token: str, **arguments: Any) -> Properties:
    answer = call(provider.Invoke, proto.InvokeRequest(tok=token, args=to_struct(arguments)))
    return from_struct(getattr(answer, "return"))


def configured(provider: Provider, **config: Any) -> Provider:
    variables = {f"{provider.package}:config:{name}": value for name, value in config.items()}
    call(provider.Configure, proto.ConfigureRequest(variables=variables))
    return provider
