"""A stack's outputs, contract 1: the only thing that a data scientist has to know of a department.

They come from `pulumi stack output --json`, from the embedded engine where there is no pulumi, or from a file that
somebody saved. Keys that this version does not know are ignored, so that a stack may offer more.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from contract import CONTRACT, StackOutputs, TeamOutput
from jobs.errors import JobError
from terminal import read_text

_SHOWN_ERRORS = 3


class Outputs(StackOutputs):
    """All outputs of a department's stack."""

    def team_name(self, name: str | None) -> str:
        """Return the name of a team that there is; without a name, that of the department's only team.

        Raises:
            JobError: There is no such team, or no name and more than one team.
        """
        names = ", ".join(sorted(self.teams)) or "none"
        if name is None:
            if len(self.teams) != 1:
                raise JobError(f"--team is needed: department {self.department.code} has the teams {names}")
            return next(iter(self.teams))
        if name not in self.teams:
            raise JobError(f"department {self.department.code} has no team '{name}'; its teams: {names}")
        return name

    def team(self, name: str | None) -> TeamOutput:
        """Return the team of that name; without a name, the department's only team.

        Raises:
            JobError: There is no such team, or no name and more than one team.
        """
        return self.teams[self.team_name(name)]


def read_file(path: Path, stack: str | None = None) -> Outputs:
    """Read outputs that were saved with `pulumi stack output --json > FILE`.

    Args:
        path: The file.
        stack: Where given, the file must be of this stack: its environment (res, dev, pro) is part of the stack's name.

    Raises:
        JobError: The file is missing, no JSON, not of contract 1, or of another stack.
    """
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not text in UTF-8"
        raise JobError(f"{path}: {reason}; --outputs takes what `pulumi stack output --json` prints") from None
    outputs = parse(text, str(path))
    environment = outputs.department.environment
    if stack is not None and environment not in stack:
        raise JobError(
            f"{path}: holds the outputs of department {outputs.department.code}, environment {environment}, "
            f"not of stack {stack}; leave out --stack to use the file, or save that stack's outputs"
        )
    return outputs


def read_stack(stack: str) -> Outputs:
    """Ask Pulumi for the stack's outputs.

    In a shell of `python -m sandbox env` the sandbox has the stack, so its `pulumi` is asked, whatever is on PATH. Any
    other shell asks the `pulumi` on PATH, or the sandbox if there is none.

    Raises:
        JobError: The stack does not exist, is not up, or its outputs are not of contract 1.
    """
    pulumi, sandbox = shutil.which("pulumi"), find_spec("sandbox") is not None
    if pulumi is None and not sandbox:
        raise JobError(
            f"no outputs of stack {stack}: there is no `pulumi` on PATH, and no sandbox beside this package\n"
            "  give --outputs FILE, which somebody saved with `pulumi stack output --json > FILE`"
        )
    own = sandbox and (pulumi is None or in_sandbox())
    command = [sys.executable, "-m", "sandbox", "pulumi"] if own else [str(pulumi)]
    done = subprocess.run(  # noqa: S603 - no shell reads the stack's name
        [*command, "stack", "output", "--json", "-s", stack],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        said = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-_SHOWN_ERRORS:]).removeprefix("error: ")
        raise JobError(f"no outputs of stack {stack}: {said}\n  bring it up first, or give --outputs FILE")
    if done.stdout.strip() in ("", "{}"):
        raise JobError(f"stack {stack} has no outputs yet: bring it up first (pulumi up -s {stack})")
    return parse(done.stdout, f"stack {stack}")


def in_sandbox() -> bool:
    """Return whether this process trusts a sandbox's certificates, and so reaches that sandbox in Azure's place."""
    directory, trusted = os.environ.get("SANDBOX_DIR"), os.environ.get("SSL_CERT_FILE")
    return bool(directory and trusted) and Path(str(trusted)).is_relative_to(Path(str(directory)).absolute())


def parse(text: str, source: str) -> Outputs:
    """Validate outputs in JSON; `source` names them in messages.

    Raises:
        JobError: No JSON, another contract, or keys missing or wrong; the message names them.
    """
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise JobError(f"{source}: is not JSON ({error})") from None
    if not isinstance(data, dict) or "contract" not in data:
        raise JobError(f"{source}: has no key 'contract', so these are not a department's outputs")
    if data["contract"] != CONTRACT:
        told = f"is of contract {data['contract']!r}, and this version of jobs reads contract {CONTRACT}"
        raise JobError(f"{source}: {told}")
    try:
        return Outputs.model_validate(data)
    except ValidationError as error:
        raise JobError(f"{source}: {_say(error)}") from None


def _say(error: ValidationError) -> str:
    """Name the first wrong keys, each with what was expected."""
    found = error.errors(include_url=False)
    lines = [
        f"{'.'.join(map(str, item['loc'])) or 'outputs'}: {item['msg'].removeprefix('Value error, ')}"
        for item in found[:_SHOWN_ERRORS]
    ]
    if len(found) > _SHOWN_ERRORS:
        lines.append(f"and {len(found) - _SHOWN_ERRORS} more")
    return "\n  ".join(lines)
