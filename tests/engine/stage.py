"""A project on a temporary directory, and the engine's command line run in it, in this process."""

import contextlib
import importlib.util
import io
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from sandbox.engine import main
from sandbox.engine.state.secrets import Secrets

TRACES = Path(__file__).parent / "traces"
PASSPHRASE = "x"
# Made once for the passphrase `x`, so that the key (half a second) is derived once a process.
SALT = "v1:DBHcJyM2aRk=:v1:89TB/F5vB1NkL4j9:MqJUtWiSncw4i5tRyEfEnfTAHxVmwQ=="


def load(file: Path, name: str) -> ModuleType:
    """A module from a file, which finds its neighbours."""
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))  # last, so that a scenario hides no module of Python's
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Run:
    """What one command did."""

    code: int
    out: str
    err: str
    events: list[dict[str, Any]]


@dataclass
class Stage:
    """A project `traces` whose stacks keep their state below `work`."""

    work: Path
    provider: Callable[[], Any]
    package: str = "trace"
    name: str = "traces"
    config: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in ("project", "state", "home", "files"):
            (self.work / folder).mkdir(exist_ok=True)
        self.project = self.work / "project"
        (self.project / "Pulumi.yaml").write_text(f"name: {self.name}\nruntime: python\n")
        self.env = {
            "PULUMI_BACKEND_URL": f"file://{self.work}/state",
            "PULUMI_HOME": str(self.work / "home"),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "TRACE_DIR": str(self.work / "files"),
        }

    def program(self, text: str) -> None:
        """Give the project a program."""
        (self.project / "__main__.py").write_text(text)

    def configure(
        self, stack: str, plain: Mapping[str, str] = {}, secret: Mapping[str, str] = {}, unset: Sequence[str] = ()
    ) -> None:
        """Change a stack's configuration file."""
        values = self.config.setdefault(stack, {})
        values |= plain
        with environment(self.env):
            values |= {k: {"secure": Secrets(SALT).encrypt(v)} for k, v in secret.items()}
        for key in unset:
            del values[key]
        given = {
            "encryptionsalt": SALT,
            "config": {k if ":" in k else f"{self.name}:{k}": v for k, v in values.items()},
        }
        (self.project / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(given))

    def pulumi(self, *argv: str, env: Mapping[str, str] = {}) -> Run:
        """Run a command in this process."""
        log = self.work / "events.json"
        log.unlink(missing_ok=True)
        out, err = io.StringIO(), io.StringIO()
        operation = argv[0] in ("up", "preview", "refresh", "destroy")
        words = [*argv, "--cwd", str(self.project), *(["--event-log", str(log)] if operation else [])]
        with environment({**self.env, **env}), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words, {self.package: self.provider})
        return Run(code, out.getvalue(), err.getvalue(), read_lines(log))

    def export(self, stack: str = "dev") -> dict[str, Any]:
        """The stack's state, secrets in clear."""
        run = self.pulumi("stack", "export", "--show-secrets", "-s", stack)
        found: dict[str, Any] = json.loads(run.out)["deployment"] if not run.code else {}
        return found


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Any:
    """Environment variables, for a while."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def read_lines(path: Path) -> list[Any]:
    """The JSON lines of a file that may end in the middle of one."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]
