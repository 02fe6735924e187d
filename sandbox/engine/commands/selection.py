"""Which project, stack and configuration a command works on, as Pulumi finds them."""

import argparse
import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.engine.carry_out.policies import load_config
from sandbox.engine.errors import EngineError, StackNotFoundError, UsageError
from sandbox.engine.project import Config, Project
from sandbox.engine.provider import Factory
from sandbox.engine.state.backend import Backend
from sandbox.engine.state.files import write_file
from sandbox.engine.state.secrets import Secrets
from sandbox.engine.workspace import Workspace

_STACK_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def say(text: str) -> None:
    """Print a line for the user."""
    sys.stdout.write(text + "\n")


def confirmed(args: argparse.Namespace, question: str) -> bool:
    """Whether the user agrees: by --yes, or asked on a terminal; where nobody can be asked, the command says it all."""
    if args.yes or not sys.stdin.isatty():
        return True
    return input(f"{question} [yes/no] ").strip().lower() in ("y", "yes")


def project_of(args: argparse.Namespace) -> tuple[Project, Backend]:
    """The project of the directory, and the backend that holds its stacks.

    Raises:
        EngineError: The directory is in no project.
    """
    if not args.cwd.is_dir():
        raise EngineError(f"the directory {args.cwd} (--cwd) does not exist")
    project = Project.find(args.cwd.absolute())
    return project, Backend(os.environ.get("PULUMI_BACKEND_URL") or project.backend or "file://~")


def _selection(project: Project) -> Path:
    """The file in which Pulumi keeps the name of a project's selected stack."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    digest = hashlib.sha1(str(project.directory / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    return home / "workspaces" / f"{project.name}-{digest}-workspace.json"


def selected(project: Project) -> str:
    """The name of the stack that was selected; empty if none was."""
    with contextlib.suppress(OSError, ValueError):
        return str(json.loads(_selection(project).read_text()).get("stack", ""))
    return ""


def select(project: Project, stack: str) -> None:
    """Remember the stack (or, empty, that none is selected)."""
    write_file(_selection(project), json.dumps({"stack": stack} if stack else {}))


def _stack_name(args: argparse.Namespace, project: Project, backend: Backend) -> str:
    name = args.stack or os.environ.get("PULUMI_STACK") or selected(project)
    if not name:
        files = [p.name.removeprefix("Pulumi.").removesuffix(".yaml") for p in project.directory.glob("Pulumi.*.yaml")]
        known = sorted({*backend.stacks(project.name), *files})
        there = f": there are {', '.join(known)}" if known else ""
        raise EngineError(f"no stack selected; use --stack NAME or `pulumi stack select`{there}")
    name = name.rsplit("/", 1)[-1]
    if not _STACK_NAME.fullmatch(name):
        raise EngineError(
            f"{name!r} is no stack name: letters, digits, '-', '_' and '.' are allowed, up to 100 of them"
        )
    return str(name)


def workspace_of(args: argparse.Namespace, providers: Mapping[str, Factory]) -> Workspace:
    """The workspace of a command line: project, stack and configuration. The stack need not exist yet.

    Raises:
        EngineError: there is no such project, or its files cannot be read.
    """
    project, backend = project_of(args)
    stack = backend.stack(project.name, _stack_name(args, project, backend))
    file, given = getattr(args, "config_file", None), getattr(args, "config", [])
    config = Config.load(project, stack.name, file, given, Secrets)
    return Workspace(project, stack, backend, config, providers, _packs(args))


def existing(args: argparse.Namespace, providers: Mapping[str, Factory] | None = None) -> Workspace:
    """The same as `workspace_of`, for a stack that must exist.

    Raises:
        StackNotFoundError: There is no such stack.
    """
    workspace = workspace_of(args, providers or {})
    if not workspace.stack.exists():
        raise StackNotFoundError(f"no stack named '{workspace.stack.name}' found in {workspace.backend.root}")
    return workspace


def _packs(args: argparse.Namespace) -> list[tuple[Path, Any]]:
    directories, files = getattr(args, "policy_pack", []), getattr(args, "policy_pack_config", [])
    if files and len(files) != len(directories):
        raise UsageError(
            "--policy-pack-config must be given as often as --policy-pack: one file a pack, in the same order"
        )
    configs = [load_config(file) for file in files] or [{} for _ in directories]
    return [(directory.absolute(), config) for directory, config in zip(directories, configs, strict=True)]
