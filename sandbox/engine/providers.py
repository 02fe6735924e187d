"""The provider host: starts providers, in process or as plugins, and speaks Pulumi's provider protocol with them."""

import contextlib
import json
import os
import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Protocol

import grpc
from google.protobuf import empty_pb2
from google.protobuf.message import Message
from google.rpc import status_pb2
from pulumi.runtime import proto
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.engine import values
from sandbox.engine.errors import EngineError
from sandbox.engine.plugins import AttachedPlugin, PluginProcess
from sandbox.engine.state import Resource, name_of, type_of
from sandbox.engine.values import Map, from_struct, to_struct

Factory = Callable[[], provider_pb2_grpc.ResourceProviderServicer]
INTERNAL = "__internal"  # what a provider resource's inputs hold for the engine alone
_CANCEL_SECONDS = 5  # within which a provider must take the request to give up what it is doing


class ProviderError(Exception):
    """A provider refused or failed; the text is its own."""


class InitError(ProviderError):
    """A provider made or changed a resource, which then did not become ready: its state is kept, with the reasons."""

    def __init__(self, detail: proto.ErrorResourceInitFailed) -> None:
        reasons = list(detail.reasons)
        lines = "".join(f"\n\t* {reason}" for reason in reasons)
        super().__init__(f"{len(reasons)} error{'s' * (len(reasons) != 1)} occurred:{lines}\n\n")
        self.id, self.reasons = detail.id, reasons
        self.outputs = from_struct(detail.properties)
        self.inputs = from_struct(detail.inputs) if detail.HasField("inputs") else None


class DiffUnavailableError(Exception):
    """The provider cannot compare yet, since its own configuration is not known."""


@dataclass
class Diff:
    """A provider's answer to what has to happen to a resource."""

    some: bool | None = False  # None: the provider does not know
    replace_keys: list[str] = field(default_factory=list)
    changed_keys: list[str] = field(default_factory=list)
    detailed: dict[str, Map] | None = None  # path -> {"diffKind", "inputDiff"}
    delete_before_replace: bool = False

    @property
    def replaces(self) -> bool:
        """Whether the resource must be replaced."""
        return bool(self.replace_keys) or any(d["diffKind"].endswith("replace") for d in (self.detailed or {}).values())


@dataclass
class ReadResult:
    """What a provider found: no `outputs` if there is no such resource, no `inputs` if it cannot tell them."""

    id: str = ""
    inputs: Map | None = None
    outputs: Map | None = None
    init_errors: list[str] = field(default_factory=list)


Failures = list[tuple[str, str]]  # of a check: property (or ""), reason


class ResourceProvider(Protocol):
    """What steps and generator need of a provider."""

    def check(self, urn: str, olds: Map | None, news: Map, preview: bool) -> tuple[Map, Failures]:
        """Validate inputs and fill in defaults."""

    def diff(self, urn: str, old: Resource, news: Map, ignore_changes: list[str], preview: bool) -> Diff:
        """Compare a resource with new inputs."""

    def create(self, new: Resource, preview: bool) -> tuple[str, Map]:
        """Make a resource: its id (empty in a preview) and outputs."""

    def update(self, old: Resource, new: Resource, ignore_changes: list[str], preview: bool) -> Map:
        """Change a resource: its new outputs."""

    def delete(self, old: Resource) -> None:
        """Delete a resource."""

    def read(self, urn: str, id_: str, inputs: Map | None, state: Map | None) -> ReadResult:
        """Find out what a resource is like."""

    def invoke(self, token: str, args: Map, preview: bool) -> tuple[Map, Failures]:
        """Call a function."""


class _AbortError(Exception):
    def __init__(self, details: str) -> None:
        super().__init__(details)


class _Context:
    """What a servicer called in process gets instead of gRPC's context."""

    def __init__(self) -> None:
        self.trailing: tuple[tuple[str, bytes], ...] = ()

    def abort(self, _code: grpc.StatusCode, details: str) -> NoReturn:
        raise _AbortError(details)

    def set_trailing_metadata(self, metadata: tuple[tuple[str, bytes], ...]) -> None:
        self.trailing = metadata

    def set_code(self, code: grpc.StatusCode) -> None:
        """Called by the generated servicer for methods that the provider lacks, before it raises."""

    def set_details(self, details: str) -> None:
        """As set_code."""


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

    def __init__(self, package: str, servicer: Any = None, process: "PluginProcess | None" = None) -> None:
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
        found = from_struct(struct)
        if not preview and values.has_unknown(found):
            raise ProviderError("the provider returned an unknown value from an update, where all must be known")
        return found if self._accepts_secrets else _with_secrets(found, sent)


def _with_secrets(found: Map, sent: Map) -> Map:
    """The values of a provider that does not know secrets, marked where the ones sent were."""
    return {k: values.secret(v) if values.has_secret(sent.get(k)) else v for k, v in found.items()}


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


def visible(inputs: Map) -> Map:
    """A provider resource's inputs without what is the engine's alone."""
    return {k: v for k, v in inputs.items() if k != INTERNAL}


class Host:
    """Loads providers: the caller's in-process ones first, then plugins where Pulumi looks for them."""

    def __init__(self, factories: Mapping[str, Factory], paths: Mapping[str, str], directory: Path) -> None:
        """Takes the in-process providers, the plugin paths of Pulumi.yaml, and the project's directory."""
        self._factories = factories
        self._paths = paths
        self._directory = directory
        self.running: list[Provider] = []

    def load(self, package: str, version: str) -> Provider:
        """A new instance of a package's provider.

        Raises:
            EngineError: there is no such plugin here.
        """
        if package in self._factories:
            provider = Provider(package, servicer=self._factories[package]())
        elif attach := self._attached(package):
            provider = Provider(package, process=attach)
        else:
            provider = Provider(package, process=PluginProcess([self._find(package, version)], self._directory))
        self.running.append(provider)
        with contextlib.suppress(ProviderError):  # older providers know no handshake
            provider.call(
                "Handshake",
                proto.ProviderHandshakeRequest(root_directory=str(self._directory), configure_with_urn=True),
            )
        return provider

    def close(self) -> None:
        """End every provider that was loaded."""
        while self.running:
            self.running.pop().close()

    def _attached(self, package: str) -> PluginProcess | None:
        for entry in os.environ.get("PULUMI_DEBUG_PROVIDERS", "").split(","):
            name, _, port = entry.strip().partition(":")
            if name == package:
                return AttachedPlugin(int(port))
        return None

    def _find(self, package: str, version: str) -> str:
        name = f"pulumi-resource-{package}"
        home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
        places = []
        if package in self._paths:
            given = self._directory / self._paths[package]
            places.append(given / name if given.is_dir() else given)
        elif on_path := shutil.which(name):
            places.append(Path(on_path))
        else:
            folder = home / "plugins"
            places += (
                [folder / f"resource-{package}-v{version}" / name]
                if version
                else sorted(folder.glob(f"resource-{package}-v*/{name}"), reverse=True)
            )
        for place in places:
            if place.is_file():
                return str(place)
        looked = " nor ".join(str(p) for p in places) or str(home / "plugins")
        raise EngineError(
            f"no resource plugin '{name}-v{version or '?'}' found: neither in process, on PATH nor at {looked}. "
            "The embedded engine downloads no plugins: put one there, "
            "or name its path in Pulumi.yaml under plugins.providers"
        )
