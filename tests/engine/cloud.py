"""A provider of a small cloud that lasts: one file a resource, which refuses to create what exists, as Azure's does."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import proto
from pulumi.runtime.proto import provider_pb2_grpc

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

PROGRAM = """
import json, os
import pulumi

class Box(pulumi.CustomResource):
    def __init__(self, name, opts=None, /, **inputs):
        options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(version="1.0.0"))
        super().__init__("cloud:index:Box", name, {"name": name, **inputs, "made": None}, options)

exec(os.environ["CLOUD_PROGRAM"])
"""


def struct(values: dict[str, Any]) -> Struct:
    return ParseDict(values, Struct())


class Cloud(provider_pb2_grpc.ResourceProviderServicer):
    """Type `cloud:index:Box`: input `name` is the id; `kind` replaces, `first` deletes before; `made` is an output."""

    def __init__(self, folder: Path, hook: Callable[[str, str], None] = lambda _when, _method: None) -> None:
        """`hook` is called before and after every call's effect, with "before" or "after" and the method."""
        self.folder = folder
        self.hook = hook

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def store(self, name: str, inputs: dict[str, Any]) -> None:
        """An effect is there whole or not at all, as a request to a cloud is."""
        begun = self.folder.parent / f"{name}.{threading.get_ident()}"
        begun.write_text(json.dumps(inputs))
        begun.replace(self.file(name))

    def Handshake(self, request: Any, context: Any) -> Any:
        return proto.ProviderHandshakeResponse(accept_secrets=True)

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return proto.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return proto.DiffResponse(changes=proto.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        return proto.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        self.hook("before", "Check")
        return proto.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        self.hook("before", "Diff")
        old, new = MessageToDict(request.old_inputs), MessageToDict(request.news)
        changed = sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))
        return proto.DiffResponse(
            changes=proto.DiffResponse.DIFF_SOME if changed else proto.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=[k for k in changed if k in ("name", "kind")],
            deleteBeforeReplace=True,
        )

    def Create(self, request: Any, context: Any) -> Any:
        inputs = MessageToDict(request.properties)
        if request.preview:
            return proto.CreateResponse(properties=struct({**inputs, "made": UNKNOWN}))
        self.hook("before", "Create")
        if self.file(inputs["name"]).exists():
            context.abort(grpc.StatusCode.ALREADY_EXISTS, f"cannot create {inputs['name']}: it exists already")
        self.store(inputs["name"], inputs)
        self.hook("after", "Create")
        return proto.CreateResponse(id=inputs["name"], properties=struct({**inputs, "made": f"made {inputs['name']}"}))

    def Update(self, request: Any, context: Any) -> Any:
        inputs = MessageToDict(request.news)
        if not request.preview:
            self.hook("before", "Update")
            if not self.file(request.id).exists():
                context.abort(grpc.StatusCode.NOT_FOUND, f"cannot update {request.id}: it does not exist")
            self.store(request.id, inputs)
            self.hook("after", "Update")
        return proto.UpdateResponse(properties=struct({**inputs, "made": f"made {request.id}"}))

    def Delete(self, request: Any, context: Any) -> Any:
        self.hook("before", "Delete")
        self.file(request.id).unlink(missing_ok=True)
        self.hook("after", "Delete")
        return empty_pb2.Empty()

    def Read(self, request: Any, context: Any) -> Any:
        self.hook("before", "Read")
        if not self.file(request.id).exists():
            return proto.ReadResponse()
        inputs = json.loads(self.file(request.id).read_text())
        outputs = {**inputs, "made": f"made {request.id}"}
        return proto.ReadResponse(id=request.id, inputs=struct(inputs), properties=struct(outputs))
