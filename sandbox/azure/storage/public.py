"""Public containers: folders of the sandbox that stand for what jobs read from the internet, which is not here.

The runner copies their files for jobs' inputs; scripts that open a blob's https address get them from the endpoint.
"""

import re
import shutil
import tempfile
from pathlib import Path, PurePosixPath

from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.azure.storage.request import Request

FOLDER = "public"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*/[A-Za-z0-9$_~-][\w.$~-]*", re.ASCII)


class PublicError(Exception):
    """Files cannot be placed; the message says why."""


def place_files(directory: Path, container: str, source: Path) -> int:
    """Makes a public container of a folder's files; what it had before goes.

    Args:
        directory: The sandbox's folder.
        container: `ACCOUNT/CONTAINER`; for another web server its host and the first part of its paths.
        source: The folder.

    Returns:
        The number of its files.

    Raises:
        PublicError: The name has another form, or the source is no folder.
        OSError: The files cannot be copied.
    """
    if not _NAME.fullmatch(container):
        raise PublicError(f"'{container}' is no public container: write ACCOUNT/CONTAINER, such as examples/datasets.")
    if not source.is_dir():
        raise PublicError(f"'{source}' is no folder: give the one whose files the container has.")
    target = directory / FOLDER / container
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory / FOLDER, prefix=".new-") as part:
        new = Path(part) / "files"
        shutil.copytree(source, new)
        if target.exists():
            target.rename(Path(part) / "old")
        new.rename(target)
    return sum(path.is_file() for path in target.rglob("*"))


def placed(directory: Path, account: str, container: str, path: str) -> Path | None:
    """The file or folder that stands for a public one; None where there is none."""
    parts = PurePosixPath(account, container, path).parts
    found = (directory / FOLDER).joinpath(*parts)
    return found if ".." not in parts and "\0" not in path and found.exists() else None


def answer(directory: Path, request: Request) -> Response | None:
    """The answer to a GET or HEAD of a blob in a public container; None where no file stands for it."""
    container, path = request.target
    found = placed(directory, request.account, container, path) if container and path else None
    if found is None or not found.is_file() or request.method not in {"GET", "HEAD"} or request.service != "blob":
        return None
    return _Blob(found, headers={"x-ms-blob-type": "BlockBlob"})


class _Blob(FileResponse):
    """A file, or the range of it that storage's own header names."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = [(b"range" if name == b"x-ms-range" else name, value) for name, value in scope["headers"]]
        await super().__call__({**scope, "headers": named}, receive, send)
