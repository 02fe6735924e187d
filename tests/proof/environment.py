"""The environment of Microsoft's older packages: built once from the package cache, used in a process of its own.

`python -m tests.proof.environment` builds it, and fetches what the cache lacks; tests build it offline.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib import util
from pathlib import Path
from typing import Any

from tests.proof.recording import Exchange

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
REQUIREMENTS = HERE / "models.txt"
FOLDER = ROOT / ".cache" / "models-venv"
CACHE = ROOT / ".cache" / "uv"
ML_CLIENT = "azure/ai/ml/_restclient/arm_ml_service"


@dataclass(frozen=True)
class Finding:
    """Something that a model does not allow; `tests.proof.checker.check.Finding` has the meaning of the parts."""

    where: str
    at: str
    rule: str
    text: str
    model: str
    source: str

    def __str__(self) -> str:
        return f"{self.where} {self.at}: {self.rule}: {self.text} [{self.source}]"


@dataclass(frozen=True)
class Verdict:
    """What the models say of one exchange: the operation that they know it as, if any, and what is wrong."""

    operation: str
    findings: tuple[Finding, ...]


def build() -> Path:
    """The environment's Python, made or renewed where the requirements have changed.

    Raises:
        RuntimeError: uv cannot build it; the text says what to run.
    """
    python, stamp = FOLDER / "bin" / "python", FOLDER / ".built-from"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    FOLDER.parent.mkdir(exist_ok=True)
    with (FOLDER.parent / "models-venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not (stamp.exists() and stamp.read_text() == wanted):
            _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(FOLDER))
            _uv("pip", "sync", "--require-hashes", "--quiet", "--python", str(python), str(REQUIREMENTS))
            stamp.write_text(wanted)
    return python


def _uv(*words: str) -> None:
    environment = {"UV_CACHE_DIR": str(CACHE), **os.environ}
    command = [str(Path(sys.executable).with_name("uv")), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(
            f"{FOLDER} cannot be built ({done.stderr.strip()}): run `make prepare` once while the network is there"
        )


def judge(exchanges: Iterable[Exchange]) -> list[Verdict]:
    """What the models say of each exchange."""
    command = [str(build()), "-m", "tests.proof.checker", str(_ml_client())]
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)}
    text = json.dumps([asdict(one) for one in exchanges])
    done = subprocess.run(command, env=environment, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return [
        Verdict(one["operation"], tuple(Finding(**found, source=one["source"]) for found in one["findings"]))
        for one in answers
    ]


@cache
def _ml_client() -> Path:
    """The generated client that azure-ai-ml itself uses, found without importing azure-ai-ml, which takes seconds."""
    spec = util.find_spec("azure")
    assert spec is not None
    for folder in spec.submodule_search_locations or ():
        if (found := Path(folder).parent / ML_CLIENT).is_dir():
            return found
    raise RuntimeError(f"azure-ai-ml has no {ML_CLIENT} any more")


if __name__ == "__main__":
    build()
