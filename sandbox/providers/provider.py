# ruff: noqa: N802 (Pulumi's protocol names its methods so)
"""The common part of both stand-ins: the protocol's greetings, and how a failure reaches the engine."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as proto

from sandbox.providers.http import Client, Credentials, Failure, setting
from sandbox.providers.package import package_schema
from sandbox.providers.values import Properties, from_struct, plain, to_struct

P = ParamSpec("P")
R = TypeVar("R")
_PUBLIC = {"", "public", "global", "azurecloud", "azurepubliccloud"}


class InitFailed(Failure):
    """A resource was made or changed and then did not become ready. Its state is kept, so that it is not lost.

    Args:
        text: Why.
        identifier: The resource's id.
        outputs: What could still be read of it.
        inputs: The request's inputs.
    """

    def __init__(self, text: str, identifier: str, outputs: Properties, inputs: Any) -> None:
        super().__init__(text)
        self.detail = proto.ErrorResourceInitFailed(
            id=identifier, properties=to_struct(outputs), reasons=[text], inputs=inputs
        )


def answering(method: Callable[P, R]) -> Callable[P, R]:
    """Turns a `Failure` into the call's error, which the context raises."""

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except Failure as failure:
            context: Any = args[2]
            if isinstance(failure, InitFailed):
                context.set_trailing_metadata((("grpc-status-details-bin", _details(failure)),))
            context.abort(grpc.StatusCode.UNKNOWN, str(failure))
            raise

    return call


def _details(failure: InitFailed) -> bytes:
    packed = any_pb2.Any()
    packed.Pack(failure.detail)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(failure), details=[packed])
    return bytes(status.SerializeToString())


def type_of(urn: str) -> str:
    """The resource's type in its URN."""
    return urn.split("::")[2].rsplit("$", maxsplit=1)[-1]


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Greetings, configuration and cancelling. Resources are the subclass's.

    Attributes:
        package: Pulumi's name of the package, such as `azure-native`.
        version: The version of the package that this does as.
        config: The provider's configuration, in plain.
        client: Azure's client with that configuration; made by `Configure`.
    """

    package: str
    version: str

    def __init__(self) -> None:
        self.config: Properties = {}
        self.client = Client(Credentials.read(self.package, self.config))

    def Handshake(self, request: Any, context: Any) -> Any:
        """The features that this provider understands."""
        return proto.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    @answering
    def Configure(self, request: Any, context: Any) -> Any:
        """Takes the configuration; credentials are looked at when a token is needed."""
        prefix = f"{self.package}:config:"
        given = {name.removeprefix(prefix): value for name, value in request.variables.items()}
        self.config = {**given, **plain(from_struct(request.args))}
        environment = str(self.config.get("environment", ""))
        if environment.lower() not in _PUBLIC:
            raise Failure(
                f"{self.package}:environment is '{environment}'; the sandbox emulates Azure's public cloud alone. "
                "Set it to 'public', or leave it out."
            )
        self.client = Client(Credentials.read(self.package, self.config))
        return proto.ConfigureResponse(acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True)

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """Any configuration is accepted."""
        return proto.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """A changed configuration never replaces the provider."""
        return proto.DiffResponse(changes=proto.DiffResponse.DIFF_NONE)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The version that the SDK asks for."""
        return plugin_pb2.PluginInfo(version=self.version)

    def GetSchema(self, request: Any, context: Any) -> Any:
        """The emulated types, with which Pulumi writes code for what it imports."""
        return proto.GetSchemaResponse(schema=package_schema(self.package, self.version))

    def Attach(self, request: Any, context: Any) -> Any:
        """The engine's address, which nothing here needs."""
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        """Ends all waiting; operations under way fail."""
        self.client.cancelled.set()
        return empty_pb2.Empty()

    def setting(self, name: str, variable: str) -> str:
        """A setting of the configuration, else of the environment (`ARM_…`, then `AZURE_…`); empty if there is none."""
        return setting(self.config, name, variable)

    def invoke_reply(self, result: Properties) -> Any:
        """A function's result."""
        return proto.InvokeResponse(**{"return": to_struct(result)})


def check_reply(inputs: Properties, failures: list[str]) -> Any:
    """Check's answer."""
    return proto.CheckResponse(
        inputs=to_struct(inputs), failures=[proto.CheckFailure(reason=reason) for reason in failures]
    )
