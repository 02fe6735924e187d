"""Logs of a deployment's containers, which the runner writes as files in the sandbox's folder.

Source: learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints, "Get container logs".
"""

import hashlib
import os
from pathlib import Path

from sandbox.azure.arm.core import Body, Call
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.errors import UserError

SERVER, INITIALIZER = "InferenceServer", "StorageInitializer"
FILES = {SERVER: "inference-server.log", INITIALIZER: "storage-initializer.log"}
DEFAULT_TAIL = 500  # lines
LARGEST = 16 * 1024 * 1024  # bytes of a log that are kept


def folder(cloud: Cloud, deployment_id: str) -> Path:
    """Where a deployment's files lie."""
    return cloud.directory / "serving" / hashlib.sha256(deployment_id.lower().encode()).hexdigest()[:12]


def trim(deployment: Path) -> None:
    """Empties a log in a deployment's folder that has grown too large; servers add to its end, wherever that is."""
    for name in FILES.values():
        path = deployment / name
        if path.exists() and path.stat().st_size > LARGEST:
            os.truncate(path, 0)


def get_logs(call: Call, deployment: Body) -> Body:
    """The end of a container's log."""
    given = {key: value for key, value in call.body.items() if value is not None}
    kind, tail = given.get("containerType", SERVER), given.get("tail", DEFAULT_TAIL)
    if kind not in FILES:
        raise UserError(400, f"containerType must be {SERVER} or {INITIALIZER}, not '{kind}'.", "BadArgument")
    if isinstance(tail, bool) or not isinstance(tail, int) or tail < 1:
        raise UserError(400, f"tail must be a number of lines, not '{tail}'.", "BadArgument")
    path = folder(call.cloud, deployment["id"]) / FILES[kind]
    return {"content": "".join(f"{line}\n" for line in _end(path).splitlines()[-tail:])}


def _end(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
