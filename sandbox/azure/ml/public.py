"""Public containers: folders of the sandbox that stand for what jobs read from the internet, which is not here."""

import re
import shutil
import tempfile
from pathlib import Path, PurePosixPath

from sandbox.azure.ml.uris import Location

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


def placed(directory: Path, location: Location) -> Path | None:
    """The file or folder that stands for a public location; None where there is none."""
    parts = PurePosixPath(location.account, location.container, location.path).parts
    path = (directory / FOLDER).joinpath(*parts)
    return path if ".." not in parts and "\0" not in location.path and path.exists() else None


def missing(location: Location) -> str:
    """Says of a location outside this Azure that it is not there, and the command that places such files."""
    name = f"{location.account}/{location.container}"
    web = f"'{location.address}' lies on another web server."
    storage = f"There is no container '{location.container}' in a storage account '{location.account}'."
    return (
        f"{web if '.' in location.account else storage} The sandbox has no internet: place the files of a public one "
        f"with `python -m sandbox public {name} FOLDER`."
    )
