"""Files that are there whole or not at all."""

from pathlib import Path


def write_whole(target: Path, text: str) -> None:
    """Write a text file so that nobody ever reads half of it; missing folders are made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(target)
