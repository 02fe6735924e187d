"""The examples that come with this package; a module of its own, so that `--help` can name them quickly."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "examples"


def names() -> list[str]:
    """Return the names of the examples that can be submitted."""
    return sorted({path.parent.name for path in FOLDER.glob("*/job.*") if path.suffix in (".yml", ".py")})
