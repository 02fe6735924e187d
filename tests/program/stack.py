"""A stack of the program in a sandbox: real engine commands, real providers over HTTPS, in this process for speed."""

import contextlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox import pulumi
from tests.conftest import Sandbox
from tests.program.harness import ROOT

KEY = "azureml-platform:department"
THE_DEPARTMENTS_OWN: Mapping[str, Mapping[str, Any]] = {
    "azure-resource-match-name-pattern": {"patterns": {"resources:ResourceGroup": "^[a-z]"}},
    "azure-resource-require-tags": {"required": ["department", "environment"], "patterns": {}},
    "machinelearning-stack-limit-monthly-cost": {"total": 1_000_000},
    "machinelearning-stack-limit-nodes": {"maxNodes": 1000},
    "machinelearning-stack-limit-vcpus": {"families": {"lowPriority": 10_000}, "others": True},
}
"""Settings that fit any department of the tests, where the shipped ones are made for the shipped department."""


@dataclass(frozen=True)
class Done:
    """What a command did.

    Attributes:
        code: Its exit code.
        steps: `operation Type name` of every resource that was not left as it is.
        text: All that it printed.
    """

    code: int
    steps: frozenset[str]
    text: str


@dataclass
class Stack:
    """One stack with a stack file of its own, in one sandbox."""

    sandbox: Sandbox
    folder: Path
    name: str = "dev"
    under_policy: bool = True
    _file: Path = field(init=False)

    def __post_init__(self) -> None:
        self._file = self.folder / f"Pulumi.{self.name}.yaml"

    def preview(self, department: Any, *words: str) -> Done:
        return self._operate("preview", department, *words)

    def up(self, department: Any) -> Done:
        return self._operate("up", department, "--yes", "--skip-preview")

    def refresh(self, department: Any) -> Done:
        return self._operate("refresh", department, "--yes", "--skip-preview")

    def destroy(self, department: Any, *words: str) -> Done:
        return self._operate("destroy", department, "--yes", *words)

    def outputs(self) -> Any:
        code, text = self.run("stack", "output", "--json")
        assert code == 0, text
        return json.loads(text)

    def resources(self) -> list[Any]:
        """What the state holds."""
        code, text = self.run("stack", "export")
        assert code == 0, text
        found: list[Any] = json.loads(text)["deployment"].get("resources", [])
        return found

    def _operate(self, operation: str, department: Any, *words: str) -> Done:
        policies = ["--policy-pack", "policies", "--policy-pack-config", self._policies(department)]
        packs = policies if self.under_policy and operation in ("preview", "up") else []
        code, text = self.run(operation, "--config-file", self.configure(department), "--json", *words, *packs)
        return Done(code, frozenset(_steps(text)), text)

    def configure(self, department: Any) -> str:
        """Give the stack a department; the path of its stack file."""
        self._file.write_text(yaml.safe_dump({"config": {KEY: department}}))
        return str(self._file)

    def _policies(self, department: Any) -> str:
        """The shipped stack's policies; regions, limits and flagged Contributors are the department's own."""
        config = json.loads((ROOT / "policies" / "merged" / f"{self.name}.json").read_text())
        for rule, settings in THE_DEPARTMENTS_OWN.items():
            config[rule] |= settings
        config["azure-resource-allow-regions"]["allowed"] += _regions(department)
        config["authorization-assignment-limit-contributor"]["exceptions"] += _contributors(department)
        file = self.folder / "policies.json"
        file.write_text(json.dumps(config))
        return str(file)

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code and output of `python -m sandbox pulumi WORDS -s NAME`, run in this process."""
        output = io.StringIO()
        before, here = dict(os.environ), Path.cwd()
        os.chdir(ROOT)
        os.environ["SANDBOX_ENGINE"] = "embedded"  # even where there is a real one, whose output would not come here
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                code = pulumi.run(self.sandbox.directory, [*words, "-s", self.name])
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ.update(before)
        return code, output.getvalue()


def _contributors(department: Any) -> list[Mapping[str, str]]:
    """The exceptions for the automation that a department makes a Contributor of its workspace."""
    return [
        {"assignment": f"*-{entry.get('name')}-workspace", "reason": "The settings ask for it."}
        for entry in _sections(department)
        if entry.get("role") == "contributor"
    ]


def _regions(department: Any) -> list[str]:
    """Every region in a department's settings."""
    return [one["region"] for one in _sections(department) if isinstance(one.get("region"), str)]


def _sections(settings: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in settings, however odd they are."""
    if isinstance(settings, dict):
        yield settings
        settings = list(settings.values())
    for one in settings if isinstance(settings, list) else ():
        yield from _sections(one)


def _steps(text: str) -> Iterator[str]:
    for operation, urn in _events(text):
        type_, name = urn.split("::")[2].rsplit("$", 1)[-1], urn.split("::")[3]
        if operation not in ("same", "read", "refresh") and type_ != "pulumi:pulumi:Stack":
            yield f"{operation} {type_.rsplit(':', 1)[1]} {name}"


def _events(text: str) -> Iterator[tuple[str, str]]:
    """Operations of a preview's one document, or of an update's lines of events."""
    try:
        for step in json.loads(text).get("steps", ()):
            yield step["op"], step["urn"]
    except ValueError:
        for line in text.splitlines():
            event = json.loads(line) if line.startswith('{"') else {}
            if found := event.get("resOutputsEvent") or event.get("resourcePreEvent"):
                yield found["metadata"]["op"], found["metadata"]["urn"]
