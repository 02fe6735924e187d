"""The resource monitor: the object in the program's own process that Pulumi's SDK sends its requests to.

It stands where the SDK expects the stub of `pulumirpc.ResourceMonitor`, turns requests into goals, finds the provider
for each, runs the program's transforms, and answers. A call comes in a worker thread of the program's event loop.
"""
# ruff: noqa: N802 (the methods have gRPC's names)

import json
import re
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import grpc
from google.protobuf import empty_pb2
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc, engine_pb2, resource_pb2

from sandbox.engine import values
from sandbox.engine.carry_out.deployment import Deployment, Result
from sandbox.engine.carry_out.hooks import Start, bindings
from sandbox.engine.carry_out.providers.plugins import CHANNEL_OPTIONS
from sandbox.engine.carry_out.requests import (
    Register,
    RpcError,
    alias_of,
    ended,
    source_position,
    timeouts,
    transform_options,
)
from sandbox.engine.errors import BailError, CancelledError, EngineError
from sandbox.engine.events import Diagnostic
from sandbox.engine.goals import Goal
from sandbox.engine.provider import INTERNAL, ProviderError
from sandbox.engine.state.backend import ORGANIZATION
from sandbox.engine.state.resources import is_provider_type, make_urn
from sandbox.engine.values import from_struct, to_struct

FEATURES = [
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
]


_UNSUPPORTED_ONE = "is not supported by the embedded engine; use the pulumi CLI"
_UNSUPPORTED = _UNSUPPORTED_ONE.replace("is", "are", 1)


class Monitor:
    """Answers one run of the program."""

    def __init__(self, deployment: Deployment, at_end: Callable[[], None]) -> None:
        """Begins to answer; `at_end` is called once the program has registered all, and waits."""
        self._d, self._at_end = deployment, at_end
        self._lock = threading.Lock()
        self._defaults: dict[tuple[str, str, str], str] = {}
        self._defaults_lock = threading.Lock()
        self._goals: dict[str, Goal] = {}
        self._component_providers: dict[str, dict[str, str]] = {}
        self._parents: dict[str, str] = {}
        self._transforms: dict[str, list[callback_pb2.Callback]] = {}
        self._stack_transforms: list[callback_pb2.Callback] = []
        self._invoke_transforms: list[callback_pb2.Callback] = []
        self._channels: dict[str, grpc.Channel] = {}
        self._closed = False

    def _refusal(self, message: str, urn: str = "") -> RpcError:
        """End the operation with a message, and what the program is to be answered."""
        with self._lock:
            if not self._d.bailed:
                self._d.error(message, urn)
            self._d.bailed = True
        self._d.cancel()
        return ended()

    def close(self) -> None:
        """Close the channels to the program's transforms and hooks: after its loop's end nobody answers."""
        with self._lock:
            self._closed = True
            for channel in self._channels.values():
                channel.close()

    # ---- what the SDK asks first and last

    def GetDeploymentInfo(self, _request: empty_pb2.Empty) -> resource_pb2.DeploymentInfo:
        """The features that the engine supports."""
        return resource_pb2.DeploymentInfo(
            project=self._d.stack.project,
            stack=self._d.stack.name,
            organization=ORGANIZATION,
            dryRun=self._d.dry_run,
            supportedFeatures=FEATURES,
        )

    def SignalAndWaitForShutdown(self, _request: empty_pb2.Empty) -> empty_pb2.Empty:
        """Delete what is left over, while the program still answers for its hooks."""
        self._at_end()
        return empty_pb2.Empty()

    def RegisterPackage(self, request: resource_pb2.RegisterPackageRequest) -> resource_pb2.RegisterPackageResponse:
        """Refuse a parameterized package: this engine has none."""
        raise self._refusal(f"package {request.name}: parameterized packages {_UNSUPPORTED}")

    # ---- transforms

    def RegisterStackTransform(self, request: callback_pb2.Callback) -> empty_pb2.Empty:
        """Note a transform of every resource."""
        self._stack_transforms.append(request)
        return empty_pb2.Empty()

    def RegisterStackInvokeTransform(self, request: callback_pb2.Callback) -> empty_pb2.Empty:
        """Note a transform of every function call."""
        self._invoke_transforms.append(request)
        return empty_pb2.Empty()

    # ---- hooks

    def RegisterResourceHook(self, request: resource_pb2.RegisterResourceHookRequest) -> empty_pb2.Empty:
        """Note a hook that is called before or after steps."""
        return self._noted(self._d.hooks.register, request)

    def RegisterErrorHook(self, request: resource_pb2.RegisterErrorHookRequest) -> empty_pb2.Empty:
        """Note a hook that is asked when a step fails."""
        return self._noted(self._d.hooks.register_error_hook, request)

    def _noted(self, register: Callable[[Any, Start], None], request: Any) -> empty_pb2.Empty:
        try:
            register(request, partial(self._send, request.callback))
        except EngineError as e:
            raise RpcError(str(e)) from e
        return empty_pb2.Empty()

    # ---- calling the program

    def _send(self, callback: callback_pb2.Callback, request: bytes) -> Any:
        """Begin to call a function of the program; what comes of it can be waited for."""
        with self._lock:
            if self._closed:
                raise ended()
            if callback.target not in self._channels:
                self._channels[callback.target] = grpc.insecure_channel(callback.target, options=CHANNEL_OPTIONS)
            return callback_pb2_grpc.CallbacksStub(self._channels[callback.target]).Invoke.future(
                callback_pb2.CallbackInvokeRequest(token=callback.token, request=request)
            )

    def _call_back(self, callback: callback_pb2.Callback, request: bytes) -> bytes:
        call = self._send(callback, request)
        try:
            reply = call.result()
        except (grpc.RpcError, grpc.FutureCancelledError) as e:
            raise RpcError(f"a transform failed: {call.details()}") from e
        return bytes(reply.response)

    def _transform(self, request: Register, provider: str) -> tuple[Struct, resource_pb2.TransformResourceOptions]:
        """The properties and options after the resource's own transforms, its parents' upwards, and the stack's."""
        options = transform_options(request, provider)
        callbacks, parent = list(request.transforms), request.parent
        while parent:
            callbacks += self._transforms.get(parent, ())
            parent = self._parents.get(parent, "")
        callbacks += self._stack_transforms
        properties = request.object
        for callback in callbacks:
            asked = resource_pb2.TransformRequest(
                type=request.type,
                name=request.name,
                custom=request.custom,
                parent=request.parent,
                properties=properties,
                options=options,
            )
            reply = resource_pb2.TransformResponse.FromString(self._call_back(callback, asked.SerializeToString()))
            properties = reply.properties
            if reply.HasField("options"):
                options = reply.options
        return properties, options

    # ---- providers

    def _default_provider(self, package: str, version: str, url: str, user: str) -> str:
        """The reference of a package's default provider, which is made when it is first needed.

        Raises:
            EngineError: `pulumi:disable-default-providers` forbids it to the user, a URN or a kind of call.
        """
        with self._defaults_lock:
            key = (package, version, url)
            if key not in self._defaults:
                if self._is_denied(package):
                    raise EngineError(
                        f"Default provider for '{package}' disabled. '{user}' must use an explicit provider."
                    )
                inputs = dict(self._d.config.get(package, {}))
                if version or url:
                    inputs[INTERNAL] = {"pluginDownloadURL": url} if url else {}
                if version:
                    inputs["version"] = version
                name = re.sub(r"[^A-Za-z0-9_]", "_", "_".join(["default", *filter(None, key[1:])]))
                state = self._d.register(Goal(f"pulumi:providers:{package}", name, True, inputs)).state
                self._defaults[key] = f"{state.urn}::{state.id}"
            return self._defaults[key]

    def _is_denied(self, package: str) -> bool:
        """Whether the stack's configuration wants explicit providers of this package."""
        setting = str(values.plain(self._d.config.get("pulumi", {}).get("disable-default-providers", "")))
        try:
            denied = [str(name).strip() for name in json.loads(setting or "[]")]
        except (ValueError, TypeError) as e:
            raise EngineError(f"pulumi:disable-default-providers must be a list of packages, not {setting!r}") from e
        return package != "pulumi" and bool({"*", package} & set(denied))

    def _provider_for(self, package: str, given: str, providers: dict[str, str], parent: str) -> str:
        return given or providers.get(package, "") or self._component_providers.get(parent, {}).get(package, "")

    # ---- registrations

    def RegisterResource(self, request: Register) -> resource_pb2.RegisterResourceResponse:
        """Register a resource, and do what it needs."""
        if request.remote:
            raise self._refusal(f"{request.type} ({request.name}): component providers {_UNSUPPORTED}")
        if request.HasField("replacement_trigger"):
            raise self._refusal(f"{request.type} ({request.name}): the option replacement_trigger {_UNSUPPORTED_ONE}")
        self._inherit(request)
        package = request.type.split(":", 1)[0]
        provider = (
            self._provider_for(package, request.provider, dict(request.providers), request.parent)
            if request.custom
            else request.provider
        )
        properties, options = self._transform(request, provider)
        providers = dict(options.providers)
        if not request.custom:
            providers = {**self._component_providers.get(request.parent, {}), **providers}
        try:
            goal = self._goal(request, properties, options)
            if request.custom and not is_provider_type(request.type):
                goal.provider = options.provider or self._default_provider(
                    package, options.version, options.plugin_download_url, self._urn(request)
                )
            result = self._d.register(goal)
        except CancelledError:
            raise ended() from None
        except EngineError as e:
            raise self._refusal(str(e), self._urn(request)) from None
        with self._lock:
            urn = result.state.urn
            self._goals[urn], self._parents[urn] = goal, request.parent
            self._transforms[urn] = list(request.transforms)
            if not request.custom:
                self._component_providers[urn] = providers
        return self._reply(goal, result)

    def _urn(self, request: Register) -> str:
        return make_urn(self._d.stack_name, self._d.project, request.parent, request.type, request.name)

    def _inherit(self, request: Register) -> None:
        """Give a child what its parent has and it has not."""
        parent = self._goals.get(request.parent)
        if parent is None:
            return
        request.deletedWith = request.deletedWith or parent.deleted_with
        if not request.HasField("protect") and parent.protect is not None:
            request.protect = parent.protect
        if not request.HasField("retainOnDelete") and parent.retain_on_delete is not None:
            request.retainOnDelete = parent.retain_on_delete
        package = request.type.split(":", 1)[0]
        if not request.provider and (not request.custom or f"pulumi:providers:{package}::" in parent.provider):
            request.provider = parent.provider

    def _goal(self, request: Register, properties: Struct, options: resource_pb2.TransformResourceOptions) -> Goal:
        sent = from_struct(properties)
        inputs = dict(values.collapse(sent, self._d.root))
        if self._d.options.continue_on_error and not self._d.dry_run:
            inputs = {
                k: v for k, v in inputs.items() if not values.has_unknown(v)
            }  # they come from resources that failed
        if is_provider_type(request.type) and (options.version or options.plugin_download_url):
            inputs[INTERNAL] = {"pluginDownloadURL": options.plugin_download_url} if options.plugin_download_url else {}
            if options.version:
                inputs["version"] = options.version
        by_property: dict[str, list[str]] = {k: [] for k in sent}
        by_property |= {k: sorted(v.urns) for k, v in request.propertyDependencies.items() if k in sent}
        return Goal(
            type=request.type,
            name=request.name,
            custom=request.custom,
            properties=inputs,
            parent=request.parent,
            protect=options.protect if options.HasField("protect") else None,
            dependencies=sorted(options.depends_on),
            property_dependencies=by_property,
            delete_before_replace=options.delete_before_replace if options.HasField("delete_before_replace") else None,
            ignore_changes=list(options.ignore_changes),
            additional_secret_outputs=list(options.additional_secret_outputs),
            aliases=[alias_of(a) for a in options.aliases],
            import_id=getattr(options, "import"),
            custom_timeouts=self._timeouts(request, options),
            replace_on_changes=list(options.replace_on_changes),
            retain_on_delete=options.retain_on_delete if options.HasField("retain_on_delete") else None,
            deleted_with=options.deleted_with,
            hooks=bindings(options.hooks),
            source_position=source_position(request.sourcePosition, self._d.root),
        )

    def _timeouts(self, request: Register, options: resource_pb2.TransformResourceOptions) -> dict[str, float]:
        try:
            return timeouts(options.custom_timeouts)
        except ValueError as e:
            raise self._refusal(f"{request.type} ({request.name}): {e}") from None

    def _reply(self, goal: Goal, result: Result) -> resource_pb2.RegisterResourceResponse:
        state = result.state
        reply = resource_pb2.RegisterResourceResponse(urn=state.urn)
        if result.failed:
            reply.result = resource_pb2.Result.FAIL
            return reply
        reply.id = "" if state.id == values.UNKNOWN and not state.is_provider else state.id
        reply.unknown = result.unknown
        if state.custom:
            reply.object.CopyFrom(to_struct(state.outputs))
        return reply

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> empty_pb2.Empty:
        """Take a component's or the stack's outputs, even when the operation is ending."""
        try:
            self._d.register_outputs(request.urn, values.collapse(from_struct(request.outputs), self._d.root))
        except EngineError as e:
            raise RpcError(str(e)) from e
        return empty_pb2.Empty()

    # ---- reads and function calls

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:
        """Read a resource that exists."""
        package = request.type.split(":", 1)[0]
        try:
            goal = Goal(
                type=request.type,
                name=request.name,
                custom=True,
                properties=values.collapse(from_struct(request.properties), self._d.root),
                parent=request.parent,
                dependencies=sorted(request.dependencies),
                provider=request.provider
                or self._default_provider(package, request.version, request.pluginDownloadURL, "Read"),
                additional_secret_outputs=list(request.additionalSecretOutputs),
                source_position=source_position(request.sourcePosition, self._d.root),
            )
            result = self._d.read(goal, request.id)
        except CancelledError:
            raise ended() from None
        except EngineError as e:
            raise self._refusal(str(e)) from None
        state = result.state
        reply = resource_pb2.ReadResourceResponse(
            urn=state.urn, id="" if state.id == values.UNKNOWN else state.id, properties=to_struct(state.outputs)
        )
        if result.failed:
            reply.result = resource_pb2.Result.FAIL
        return reply

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:
        """Call a provider's function."""
        args = request.args
        options = resource_pb2.TransformInvokeOptions(
            provider=request.provider, version=request.version, plugin_download_url=request.pluginDownloadURL
        )
        for callback in self._invoke_transforms:
            asked = resource_pb2.TransformInvokeRequest(token=request.tok, args=args, options=options)
            reply = resource_pb2.TransformInvokeResponse.FromString(
                self._call_back(callback, asked.SerializeToString())
            )
            args, options = reply.args, reply.options if reply.HasField("options") else options
        try:
            reference = options.provider or self._default_provider(
                request.tok.split(":", 1)[0], options.version, options.plugin_download_url, "Invoke"
            )
            provider = self._d.registry.get(reference)
            if provider is None:
                raise RpcError(f"unknown provider '{reference}'")
            returned, failures = provider.invoke(
                request.tok, values.collapse(from_struct(args), self._d.root), self._d.dry_run
            )
        except CancelledError:
            raise ended() from None
        except (ProviderError, EngineError, BailError) as e:
            raise RpcError(f"invocation of {request.tok} returned an error: {e}") from e
        answer = resource_pb2.ResourceInvokeResponse()
        getattr(answer, "return").CopyFrom(to_struct(returned))
        for name, reason in failures:
            answer.failures.add(property=name, reason=reason)
        return answer

    def Call(self, request: resource_pb2.ResourceCallRequest) -> Any:
        """Refuse a method of a remote component: this engine has none."""
        raise self._refusal(f"{request.tok}: methods of component providers {_UNSUPPORTED}")


class Engine:
    """The engine's other service, which the SDK sends log messages to."""

    _SEVERITIES = ("debug", "info", "warning", "error")

    def __init__(self, deployment: Deployment) -> None:
        self._d = deployment

    def Log(self, request: engine_pb2.LogRequest, _context: Any = None) -> empty_pb2.Empty:
        """Report a message of the program."""
        severity = self._SEVERITIES[request.severity]
        if severity != "debug":
            self._d.emit(Diagnostic(severity, request.message, request.urn, request.ephemeral))
        return empty_pb2.Empty()

    def RequirePulumiVersion(
        self, _request: engine_pb2.RequirePulumiVersionRequest
    ) -> engine_pb2.RequirePulumiVersionResponse:
        """Always met: the engine follows the SDK it is installed with."""
        return engine_pb2.RequirePulumiVersionResponse()
