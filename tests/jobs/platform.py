"""The dev stack in a sandbox, and its people at `python -m jobs`."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT, Sandbox

JOB = """
type: command
display_name: {name}
command: {command}
code: src
environment: {{image: "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04", conda_file: conda.yml}}
compute: azureml:ds3-v2-cluster
outputs: {{model: {{type: uri_folder}}}}
"""
CONDA = "name: none\ndependencies: [python=3.11]\n"


SESSION = """
import contextlib, io, json, sys
from jobs.__main__ import main
ended = []
for words in json.loads(sys.argv[1]):
    out, err = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    ended.append((code, *(one.buffer.getvalue().decode() for one in (out, err))))
print(json.dumps(ended))
"""


@dataclass(frozen=True)
class Done:
    """How a command of a session ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Platform:
    """The dev stack, up, and its people."""

    sandbox: Sandbox
    folder: Path

    def job(self, name: str, command: str) -> str:
        """A job's folder with this command."""
        folder = self.folder / name
        (folder / "src").mkdir(parents=True)
        (folder / "src" / "hello.py").write_text("print('hello from the cluster')\n")
        (folder / "conda.yml").write_text(CONDA)
        (folder / "job.yml").write_text(JOB.format(name=name, command=json.dumps(command)))
        return str(folder)

    def jobs(self, *words: str, persona: str = "scientist") -> subprocess.CompletedProcess[str]:
        """Runs `python -m jobs WORDS` as this person."""
        done = self.python("-m", "jobs", *words, "--stack", "dev", persona=persona, timeout=240)
        assert "Traceback (most recent call last)" not in done.stderr
        return done

    def session(self, *commands: tuple[str, ...], persona: str = "scientist", timeout: int = 280) -> list[Done]:
        """Runs commands one after the other in one process, which loads azure-ai-ml once."""
        words = json.dumps([[*command, "--stack", "dev"] for command in commands])
        done = self.python("-c", SESSION, words, persona=persona, timeout=timeout)
        assert done.returncode == 0, done.stdout + done.stderr
        return [Done(*one) for one in json.loads(done.stdout)]

    def python(
        self, *arguments: str, persona: str = "scientist", timeout: int = 120, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs Python in the checkout as this person."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment(persona) | variables,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def environment(self, persona: str) -> dict[str, str]:
        """A person's shell. The SDK's shortest poll, as it otherwise waits for seconds after a run's end."""
        own = {
            "SANDBOX_DIR": str(self.sandbox.directory),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "AZUREML_RUN_POLLING_INTERVAL_MIN": "1",
        }
        return {**os.environ, **self.sandbox.environment(persona), **own}
