"""The two revisions of the project that a review compares, as git has them. Nothing in the repository is changed.

A revision's files are laid into a folder by an index of their own, so that no worktree is registered, no file of the
user's is touched, and a symbolic link becomes a plain file with its target's path.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from terminal import read_text

_STACK_FILE = re.compile(r"Pulumi\.([A-Za-z0-9_.-]{1,100})\.yaml")
_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;\\]+)")
_INERT = re.compile(
    r"(docs|tests|benchmarks|examples|jobs|tools|sandbox|review|\.github|\.ci|\.devcontainer)/|[^/]+\.md|\.[^/]+|LICENSE|NOTICE|Makefile"
)
"""What no stack is made of."""


_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
"""What git sets for a hook, from which a review may be run."""


class UsageError(Exception):
    """The review cannot begin; the text says why and what to do."""


@dataclass(frozen=True)
class Revision:
    """The project at a revision.

    Attributes:
        shown: How the report names it, such as `main (995f4c2)` or `the working tree`.
        folder: The project's folder there, with Pulumi.yaml.
    """

    shown: str
    folder: Path

    def stack_file(self, stack: str) -> Path:
        """The stack's file, which need not be there."""
        return self.folder / f"Pulumi.{stack}.yaml"

    @property
    def stacks(self) -> frozenset[str]:
        """The names of the stacks that have a file."""
        names = (_STACK_FILE.fullmatch(path.name) for path in self.folder.glob("Pulumi.*.yaml") if path.is_file())
        return frozenset(name[1] for name in names if name)

    @property
    def requirements(self) -> Mapping[str, str]:
        """The pinned version of each package in requirements.txt; none where it cannot be read."""
        try:
            text = read_text(self.folder / "requirements.txt")
        except (OSError, UnicodeDecodeError):
            return {}
        return {match[1]: match[2] for line in text.splitlines() if (match := _PIN.match(line))}


class Repository:
    """The git repository around a project's folder."""

    def __init__(self, project: Path) -> None:
        """Find it.

        Args:
            project: The project's folder, with Pulumi.yaml.

        Raises:
            UsageError: There is no git, or no repository, or no project.
        """
        if not (project / "Pulumi.yaml").is_file():
            raise UsageError(f"{project} has no Pulumi.yaml: run it in the project's folder, or name that by --project")
        self._project = project
        self._prefix = Path(self._git("rev-parse", "--show-prefix").strip())

    def commit(self, revision: str) -> str:
        """The commit that a revision names.

        Raises:
            UsageError: There is no such commit.
        """
        try:
            return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
        except UsageError:
            raise UsageError(
                f"there is no revision {revision!r} here: name a branch, tag or commit; "
                "a shallow clone has only its last ones (git fetch --unshallow)"
            ) from None

    def check_out(self, revision: str, folder: Path) -> Revision:
        """Lay the files of a revision into a new folder.

        Raises:
            UsageError: There is no such revision, or the folder cannot be written.
        """
        commit = self.commit(revision)
        folder.mkdir(parents=True)
        own = {"GIT_INDEX_FILE": str(folder.with_name(f"{folder.name}.index"))}
        top = Path(self._git("rev-parse", "--show-toplevel").strip())
        self._git("read-tree", commit, own=own)
        words = ["checkout-index", "--all", "--quiet", f"--prefix={folder}/"]
        self._git("-C", str(top), "-c", "core.symlinks=false", *words, own=own)
        short = commit[:10]
        shown = short if commit.startswith(revision) else f"{revision} ({short})"
        return Revision(shown, folder / self._prefix)

    def working_tree(self) -> tuple[Revision, tuple[str, ...]]:
        """The project's folder as it is, and the files in it that are not committed."""
        dirty = self._git("status", "--porcelain", "-z", "--untracked-files=all", "--", ".").split("\0")
        changed = tuple(entry[3:] for entry in dirty if entry[3:])
        shown = "the working tree, with what is not committed" if changed else f"HEAD ({self.commit('HEAD')[:10]})"
        return Revision(shown, self._project), changed

    def changed(self, base: str, head: str | None) -> frozenset[str]:
        """Paths, relative to the project, that differ between two commits, or one and the working tree."""
        words = ["diff", "--name-only", "--no-renames", "-z", "--relative", base, *([head] if head else [])]
        found = {path for path in self._git(*words).split("\0") if path}
        if head is None:
            untracked = self._git("ls-files", "--others", "--exclude-standard", "-z", "--", ".").split("\0")
            found |= {path for path in untracked if path}
        return frozenset(found)

    def _git(self, *words: str, own: Mapping[str, str] | None = None) -> str:
        command = ["git", "-C", str(self._project), *words]
        given = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
        environment = {**given, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", **(own or {})}
        try:
            done = subprocess.run(command, capture_output=True, check=False, env=environment)  # noqa: S603 # git, no shell
        except FileNotFoundError:
            raise UsageError("git is not installed, and a review compares two revisions: install git") from None
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
            raise UsageError(f"git {words[0]} failed: {said or f'exit code {done.returncode}'}")
        return done.stdout.decode(errors="surrogateescape")


def stack_of(path: str) -> str | None:
    """The stack whose file a path, relative to the project, is; None for any other."""
    match = _STACK_FILE.fullmatch(path)
    return match[1] if match else None


def touches_every_stack(changed: frozenset[str]) -> bool:
    """Whether anything that every stack is made of differs: the program, its settings, packages or rules."""
    return any(stack_of(path) is None and not _INERT.match(path) for path in changed)
