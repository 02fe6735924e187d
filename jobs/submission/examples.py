"""The examples that come with this package; a module of its own, so that `--help` can name them quickly."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "examples"


def names() -> list[str]:
    """Return the names of the examples that can be submitted: their folders, such as `distributed/pytorch`."""
    files = (file for kind in ("yml", "py") for file in FOLDER.rglob(f"job.{kind}"))
    return sorted({file.parent.relative_to(FOLDER).as_posix() for file in files})
