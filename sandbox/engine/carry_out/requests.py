"""Reads the parts of the SDK's requests, and refuses in the form in which the SDK reads a gRPC call's failure."""

import re
import urllib.parse
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import alias_pb2, resource_pb2

from sandbox.engine.goals import Alias

Register = resource_pb2.RegisterResourceRequest


class RpcError(grpc.RpcError):  # type: ignore[misc]  # grpc has no types
    """The monitor's refusal, in the form in which the SDK reads a gRPC call's failure."""

    def __init__(self, details: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> None:
        super().__init__(details)
        self._details, self._code = details, code

    def code(self) -> grpc.StatusCode:
        """The status; UNAVAILABLE tells the SDK that the engine is ending."""
        return self._code

    def details(self) -> str:
        """The message."""
        return self._details


def ended() -> RpcError:
    """The refusal of a monitor that has shut down."""
    return RpcError("resource monitor shut down", grpc.StatusCode.UNAVAILABLE)


def transform_options(request: Register, provider: str) -> resource_pb2.TransformResourceOptions:
    """The options of a registration, as transforms get them."""
    options = resource_pb2.TransformResourceOptions(
        depends_on=request.dependencies,
        ignore_changes=request.ignoreChanges,
        replace_on_changes=request.replaceOnChanges,
        version=request.version,
        aliases=[*(alias_pb2.Alias(urn=urn) for urn in request.aliasURNs), *request.aliases],
        provider=provider,
        custom_timeouts=request.customTimeouts if request.HasField("customTimeouts") else None,
        plugin_download_url=request.pluginDownloadURL,
        deleted_with=request.deletedWith,
        additional_secret_outputs=request.additionalSecretOutputs,
        providers=request.providers,
        hooks=request.hooks if request.HasField("hooks") else None,
    )
    setattr(options, "import", request.importId)  # a keyword of Python's
    if request.HasField("protect"):
        options.protect = request.protect
    if request.HasField("retainOnDelete"):
        options.retain_on_delete = request.retainOnDelete
    if request.deleteBeforeReplaceDefined or request.deleteBeforeReplace:
        options.delete_before_replace = request.deleteBeforeReplace
    return options


def alias_of(alias: alias_pb2.Alias) -> Alias:
    """An alias of a registration."""
    if alias.HasField("urn"):
        return Alias(urn=alias.urn)
    spec = alias.spec
    return Alias("", spec.name, spec.type, spec.stack, spec.project, spec.parentUrn, spec.noParent)


_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def timeouts(given: Any) -> dict[str, float]:
    """Custom timeouts in seconds, from Go's form of durations such as `1h30m`.

    Raises:
        ValueError: one is no duration.
    """
    seconds = {}
    for name in ("create", "update", "delete", "read"):
        if text := getattr(given, name):
            parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", text)
            if "".join(number + unit for number, unit in parts) != text:
                raise ValueError(f"custom timeout {name}={text!r} is not a duration such as 90s, 5m or 1h30m")
            seconds[name] = sum(float(number) * _UNITS[unit] for number, unit in parts)
    return seconds


def source_position(position: Any, root: Path) -> str:
    """Where the program makes a resource, as the state has it: relative to the project, without its machine."""
    file = urllib.parse.unquote(urllib.parse.urlparse(position.uri).path)
    if not position.uri.startswith("file://") or not Path(file).is_relative_to(root):
        return ""
    column = f",{position.column}" if position.column else ""
    return f"project:///{Path(file).relative_to(root).as_posix()}#{position.line}{column}"
