"""docs/pictures: a review's page and the studio's as a browser shows them, light and dark."""

from __future__ import annotations

import json
import os
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
UP = ("pulumi", "up", "--stack", "dev", "--yes", "--skip-preview")
SUBMIT = (
    "submit", "highspenders", "--stack", "dev", "--team", "bluegranit", "--cluster", "ds3-v2-cluster",
    "--stream", "--register", "highspenders",
)  # fmt: skip
STUDIO = {
    "studio-light.png": ("/runs/{run}?tab=metrics", 1100, 760, False),
    "studio-dark.png": ("/runs/{run}", 400, 760, True),
}
"""By file: the page of the studio, width and height in pixels, and whether it is dark."""


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
            _draw_studio(browser, folder)


def _draw_studio(browser: Browser, folder: Path) -> None:
    """The demo in a sandbox of its own, and the pages of its run as the data scientist sees them."""
    sandbox = [sys.executable, "-m", "sandbox"]
    own = {**os.environ, "SANDBOX_DIR": str(folder / ".sandbox")}
    _run(*sandbox, "start", "--port", "0", variables=own)
    try:
        _run(*sandbox, *UP, variables=own)
        client = own | json.loads(_run(*sandbox, "env", "--persona", "scientist", "--json", variables=own))
        _run(sys.executable, "-m", "jobs", *SUBMIT, variables=client)
        (run,) = json.loads(_run(sys.executable, "-m", "jobs", "ps", "--stack", "dev", "--json", variables=client))
        address = _run(*sandbox, "studio", "--persona", "scientist", "--no-browser", variables=own).strip()
        browser.open(address, width=1100, dark=False)
        browser.wait("!!document.querySelector('nav.side')")
        origin = address.partition("/login")[0]
        for picture, (path, width, height, dark) in STUDIO.items():
            browser.open(origin + path.format(run=run["name"]), width=width, height=height, dark=dark)
            browser.picture(FOLDER / picture)
    finally:
        _run(*sandbox, "stop", variables=own)


def _run(*command: str, codes: tuple[int, ...] = (0,), variables: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise GenerateError(f"{' '.join(command[:3])} failed: {done.stderr.strip()}")
    return done.stdout
