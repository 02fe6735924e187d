"""docs/pictures: a review's page as a browser shows it, light and dark."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.browser import Browser, program
from tools.generate import ROOT, GenerateError

FOLDER = ROOT / "docs" / "pictures"
EDITS = {
    "Pulumi.dev.yaml": (("maxNodes: 2", "maxNodes: 6"), ("[user1@site.com, user2@site.com]", "[user1@site.com]")),
    "Pulumi.prod.yaml": (("fileSystems: [sales, features]", "fileSystems: [sales]"),
                         ("            - name: Features\n              fileSystem: features\n", "")),
}  # fmt: skip
"""The pull request in the pictures: more nodes, a person less, and a file system of a lake less."""
WINDOWS = {"review-light.png": (1100, 1000, False), "review-dark.png": (400, 1000, True)}
"""By file: width and height in pixels, and whether it is dark."""


def draw() -> None:
    """Review the pull request, and take the pictures.

    Raises:
        GenerateError: There is no Chromium, or no review.
    """
    chromium = program()
    if chromium is None:
        raise GenerateError("the pictures need chromium or google-chrome on PATH")
    with tempfile.TemporaryDirectory(prefix="pictures-") as made:
        folder = Path(made)
        _run("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder / "project"))
        for name, edits in EDITS.items():
            file = folder / "project" / name
            text = file.read_text(encoding="utf-8")
            for old, new in edits:
                if old not in text:
                    raise GenerateError(f"{name} has no {old!r}, which the pull request in the pictures edits")
                text = text.replace(old, new)
            file.write_text(text, encoding="utf-8")
        words = ["--base", "HEAD", "--project", str(folder / "project"), "--output", str(folder)]
        _run(sys.executable, "-m", "review", *words, codes=(0, 1))
        FOLDER.mkdir(exist_ok=True)
        with Browser(chromium) as browser:
            for picture, (width, height, dark) in WINDOWS.items():
                browser.open(folder / "review.html", width=width, height=height, dark=dark)
                browser.picture(FOLDER / picture)


def _run(*command: str, codes: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise GenerateError(f"{' '.join(command[:3])} failed: {done.stderr.strip()}")
