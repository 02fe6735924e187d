"""azure-cli as it is shipped, run against a sandbox: it is installed, carries a list of commands out, and is judged."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.azure.client import user_id
from tests.conftest import Sandbox

VERSION = "2.91.0"
COMMANDS = Path(__file__).with_name("commands.yaml")
SECONDS = 180  # for one command
ANY = "*"
_VARIABLE = re.compile(r"\{(\w+)\}")
_EVALUATE = """
import json, sys, jmespath
answer, expressions = json.load(sys.stdin)
print(json.dumps({text: jmespath.search(text, answer) for text in expressions}))
"""


class NotInstalledError(Exception):
    """azure-cli cannot be installed here; the message says why."""


@dataclass(frozen=True)
class Command:
    """One command and what it must do.

    Attributes:
        run: The words after `az`.
        is_: Values of the answer by JMESPath expression; `*` is any value but null.
        set: Variables to take from the answer, by JMESPath expression.
        refused: A part of the message with which Azure refuses; empty where it must succeed.
    """

    run: str
    is_: dict[str, Any] = field(default_factory=dict)
    set: dict[str, str] = field(default_factory=dict)
    refused: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a command.

    Attributes:
        run: The command, with its variables filled in.
        problem: What is wrong; empty where all is as it must be.
        refused: Whether it is a command that Azure refuses.
    """

    run: str
    problem: str
    refused: bool


def install(directory: Path) -> Path:
    """Installs azure-cli into an environment of its own, unless it is there; gives its `bin` folder.

    Raises:
        NotInstalledError: No network, or no room.
    """
    if (directory / "bin" / "az").exists():
        return directory / "bin"
    online = {name: value for name, value in os.environ.items() if name != "UV_OFFLINE"}
    uv = [str(Path(sys.executable).with_name("uv"))]
    steps = (
        [*uv, "venv", "--quiet", str(directory)],
        [*uv, "pip", "install", "--quiet", "--python", str(directory / "bin" / "python"), f"azure-cli=={VERSION}"],
    )
    for step in steps:
        done = subprocess.run(step, env=online, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode != 0:
            raise NotInstalledError(f"azure-cli {VERSION} cannot be installed: {done.stderr.strip()[-300:]}")
    return directory / "bin"


def read() -> tuple[dict[str, str], list[Command]]:
    """The list's variables and commands."""
    document = yaml.safe_load(COMMANDS.read_text(encoding="utf-8"))
    commands = [
        Command(entry["run"], entry.get("is", {}), entry.get("set", {}), entry.get("refused", ""))
        for entry in document["commands"]
    ]
    return document["variables"], commands


class Cli:
    """azure-cli, signed in nowhere yet, with a sandbox as its Azure.

    Args:
        binaries: The `bin` folder of its environment.
        sandbox: Where it sends its requests.
        home: A folder for its configuration.
        variables: What commands name in braces.
    """

    def __init__(self, binaries: Path, sandbox: Sandbox, home: Path, variables: Mapping[str, str]) -> None:
        self._binaries, self.variables = binaries, dict(variables)
        self._environment = {
            **sandbox.environment("owner"),
            "AZURE_CONFIG_DIR": str(home),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
            "AZURE_CORE_NO_COLOR": "true",
        }

    def carry_out(self, command: Command) -> Outcome:
        """Runs one command and judges it."""
        words = self._filled(command.run)
        done = subprocess.run(
            [str(self._binaries / "az"), *shlex.split(words), "--output", "json"],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Outcome(words, self._problem(command, done), bool(command.refused))

    def _problem(self, command: Command, done: subprocess.CompletedProcess[str]) -> str:
        said = done.stderr.strip()
        if command.refused:
            wanted = self._filled(command.refused).lower()
            if done.returncode == 0:
                return f"it was not refused: {done.stdout.strip()[:200]}"
            return "" if wanted in said.lower() else f"the refusal lacks '{wanted}': {said[-300:]}"
        if "Traceback" in said:
            return f"a traceback: {said[-300:]}"
        if done.returncode != 0:
            return f"exit code {done.returncode}: {said[-400:]}"
        return self._differences(command, done.stdout)

    def _differences(self, command: Command, output: str) -> str:
        wanted = {self._filled(text): self._value(value) for text, value in command.is_.items()}
        taken = {name: self._filled(text) for name, text in command.set.items()}
        if not wanted and not taken:
            return ""
        values = self._evaluate(output, [*wanted, *taken.values()])
        self.variables.update({name: str(values[text]) for name, text in taken.items()})
        return "; ".join(
            f"{text} is {json.dumps(values[text])}, not {json.dumps(value)}"
            for text, value in wanted.items()
            if not (values[text] is not None if value == ANY else values[text] == value)
        )

    def _evaluate(self, output: str, expressions: list[str]) -> dict[str, Any]:
        """The values of JMESPath expressions, by the library that azure-cli brings."""
        sent = json.dumps([json.loads(output or "null"), expressions])
        done = subprocess.run(
            [str(self._binaries / "python"), "-c", _EVALUATE], input=sent, capture_output=True, text=True, check=True
        )
        values: dict[str, Any] = json.loads(done.stdout)
        return values

    def _value(self, value: Any) -> Any:
        return self._filled(value) if isinstance(value, str) else value

    def _filled(self, text: str) -> str:
        return _VARIABLE.sub(lambda match: self.variables.get(match[1], match[0]), text)


def carry_out_all(binaries: Path, sandbox: Sandbox, folder: Path) -> list[Outcome]:
    """Runs the whole list against a sandbox that nobody has used.

    Args:
        binaries: The `bin` folder of azure-cli's environment.
        sandbox: The running sandbox.
        folder: Where files and azure-cli's configuration are put.
    """
    files = folder / "files"
    files.mkdir()
    cli = Cli(binaries, sandbox, folder / "azure", variables(sandbox, files))
    return [cli.carry_out(command) for command in read()[1]]


def variables(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """The list's variables, with those of this sandbox and of files that commands read."""
    owner, scientist = sandbox.environment("owner"), sandbox.environment("scientist")
    files = {name: folder / f"{name}.json" for name in FILES}
    for name, path in files.items():
        path.write_text(json.dumps(FILES[name]).replace("SUBSCRIPTION", sandbox.subscription), encoding="utf-8")
    text = folder / "text.txt"
    text.write_text("hello\n", encoding="utf-8")
    return {
        **read()[0],
        "subscription": sandbox.subscription,
        "tenant": owner["AZURE_TENANT_ID"],
        "client_id": owner["AZURE_CLIENT_ID"],
        "client_secret": owner["AZURE_CLIENT_SECRET"],
        "other_client_id": scientist["AZURE_CLIENT_ID"],
        "other_client_secret": scientist["AZURE_CLIENT_SECRET"],
        "owner_id": user_id("user@domain.com"),
        "month": datetime.now(UTC).strftime("%Y-%m"),
        "text_file": str(text),
        **{f"{name}_file": str(path) for name, path in files.items()},
    }


FILES: dict[str, Any] = {
    "federated": {
        "name": "main",
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:o/r:ref:refs/heads/main",
        "audiences": ["api://AzureADTokenExchange"],
    },
    "role": {
        "Name": "Cluster Starter",
        "Description": "Starts computes.",
        "Actions": ["Microsoft.MachineLearningServices/workspaces/computes/start/action"],
        "NotActions": [],
        "AssignableScopes": ["/subscriptions/SUBSCRIPTION"],
    },
    "lifecycle": {
        "rules": [
            {
                "name": "cool",
                "enabled": True,
                "type": "Lifecycle",
                "definition": {
                    "filters": {"blobTypes": ["blockBlob"]},
                    "actions": {"baseBlob": {"tierToCool": {"daysAfterModificationGreaterThan": 30}}},
                },
            }
        ]
    },
    "policy": {
        "if": {
            "allOf": [
                {"field": "type", "equals": "Microsoft.Storage/storageAccounts"},
                {"field": "tags['team']", "exists": "false"},
            ]
        },
        "then": {"effect": "deny"},
    },
    "logs": [{"categoryGroup": "audit", "enabled": True}],
}
"""What commands read from files, by the variable that names the file."""
