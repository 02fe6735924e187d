"""A project under git with stacks of pull requests, and the command that reviews them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.review.pulls import PULLS, Pull, code_of

ROOMS = ("catalogue", "settings", "contract", "components", "department", "operations", "policies", "terminal")
FILES = ("__main__.py", "Pulumi.yaml", "requirements.txt")


@dataclass(frozen=True)
class Project:
    """A copy of the project, whose first commit is the base.

    Attributes:
        folder: Its folder.
    """

    folder: Path

    @classmethod
    def make(cls, folder: Path, files: Mapping[str, str]) -> "Project":
        """A new one with some files more."""
        for room in ROOMS:
            shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
        for name in FILES:
            shutil.copy(ROOT / name, folder / name)
        (folder / ".gitignore").write_text("__pycache__/\n*.pyc\n")
        project = cls(folder)
        project.write(files)
        project.git("init", "--quiet", "--initial-branch", "main")
        project.commit()
        return project

    def write(self, files: Mapping[str, str | None]) -> None:
        """Write files; of those without a text, remove them."""
        for name, text in files.items():
            if text is None:
                (self.folder / name).unlink()
            else:
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / name).write_text(text, encoding="utf-8")

    def commit(self) -> None:
        """Commit all that is there."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")

    def git(self, *words: str) -> str:
        """What a command of git prints."""
        who = {f"GIT_{role}_{what}": "test@test" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        own = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        command = ["git", "-C", str(self.folder), *words]
        done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def review(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`python -m review WORDS` of this project, by the tests' own code."""
        return subprocess.run(
            [sys.executable, "-m", "review", *words, "--project", str(self.folder)],
            cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, timeout=3600, check=False,
        )  # fmt: skip


@dataclass(frozen=True)
class Reviewed:
    """One review of many pull requests.

    Attributes:
        code: The exit code of the command.
        report: Its JSON.
        project: The project.
        said: What it said on standard error.
    """

    code: int
    report: dict[str, Any]
    project: Project
    said: str

    def stack(self, name: str) -> dict[str, Any]:
        """The review of one of the pull requests."""
        found: dict[str, Any] = next(one for one in self.report["stacks"] if one["stack"] == name)
        return found

    def line(self, place: Mapping[str, Any] | None) -> str:
        """The line of the stack file that a place names."""
        assert place
        text = (self.project.folder / str(place["file"])).read_text()
        return text.splitlines()[int(place["line"]) - 1]


def reviewed(folder: Path, names: Iterable[str]) -> Reviewed:
    """Review pull requests, each a stack of its own, in one go."""
    pulls: dict[str, Pull] = {name: PULLS[name] for name in names}
    files = {name: pull.files(code_of(name)) for name, pull in pulls.items()}
    project = Project.make(folder, {f"Pulumi.{name}.yaml": text for name, (text, _) in files.items() if text})
    project.write({f"Pulumi.{name}.yaml": text for name, (_, text) in files.items()})
    accepted = [f"urn:pulumi:{name}::{urn}" for name, pull in pulls.items() for urn in pull.accepted]
    words = [word for urn in accepted for word in ("--accept-loss", urn)]
    done = project.review("--base", "main", "--json", *words, TMPDIR=str(folder.parent))
    assert done.stdout, done.stderr
    (folder.parent / "report.json").write_text(done.stdout)  # for tests/review/table.py
    return Reviewed(done.returncode, json.loads(done.stdout), project, done.stderr)
