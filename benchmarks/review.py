"""How long a review takes: dev and prod, and a department of 50 teams.

`python benchmarks/review.py [--write]`: a clone of the project, in which a cluster of each stack gets a node more, is
reviewed by `python -m review`. Beside it, the same stack is brought up and previewed in a sandbox that already runs,
which a review cannot go below.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it knows only its own folder

from benchmarks.report import write
from benchmarks.sdk_time import department
from tests.conftest import ROOT, Sandbox
from tests.program.stack import KEY

LIMITS = {"dev and prod": 30.0, "50 teams": 60.0}
"""Seconds that a review may take on two cores."""


def project(folder: Path) -> Path:
    """A clone of the project with the two changes."""
    made = folder / "project"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(made)], check=True)
    stack = {"config": {KEY: department(50, keep_version_aliases=False)}}
    (made / "Pulumi.fifty.yaml").write_text(yaml.safe_dump(stack, sort_keys=False))
    who = ["-c", "user.name=bench", "-c", "user.email=bench@bench"]
    subprocess.run(["git", "-C", str(made), "add", "--all"], check=True)
    subprocess.run(["git", "-C", str(made), *who, "commit", "--quiet", "-m", "base"], check=True)
    for name in ("dev", "prod", "fifty"):
        file = made / f"Pulumi.{name}.yaml"
        file.write_text(file.read_text().replace("maxNodes: 2", "maxNodes: 3").replace("maxNodes: 1", "maxNodes: 2"))
    return made


def reviewed(made: Path, stacks: list[str]) -> float:
    """Seconds of a review."""
    words = [word for stack in stacks for word in ("--stack", stack)]
    begun = time.perf_counter()
    command = [sys.executable, "-m", "review", "--base", "HEAD", "--project", str(made), "--json", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return time.perf_counter() - begun


def floor(made: Path, stacks: list[str], folder: Path) -> float:
    """Seconds of an up and a preview of each stack, one after the other, in a sandbox that runs."""
    sandbox = Sandbox(folder / stacks[0])
    sandbox.start()
    try:
        begun = time.perf_counter()
        for stack in stacks:
            words = ["--stack", stack, "--config-file", str(made / f"Pulumi.{stack}.yaml"), "--non-interactive"]
            for command in (["up", "--yes", "--skip-preview"], ["preview"]):
                done = sandbox.command("pulumi", *command, *words, SANDBOX_ENGINE="embedded")
                assert done.returncode == 0, done.stderr
        return time.perf_counter() - begun
    finally:
        sandbox.stop()


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/review.md")
    options = parser.parse_args()
    lines = ["| what | review, s | up and preview alone, s | allowed, s |", "|---|---|---|---|"]
    slow = False
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        clone = project(folder)
        for what, stacks in (("dev and prod", ["dev", "prod"]), ("50 teams", ["fifty"])):
            seconds, alone = reviewed(clone, stacks), floor(clone, stacks, folder)
            slow = slow or seconds > LIMITS[what]
            lines.append(f"| {what} | {seconds:.1f} | {alone:.1f} | {LIMITS[what]:.0f} |")
            print(lines[-1], flush=True)
    if options.write:
        words = (
            "Clusters of each stack get a node more. Measured are `python -m review`, and the same stacks, brought up\n"
            "and previewed one after the other in a sandbox that already runs, without the policy pack.\n"
            "Again: `python benchmarks/review.py --write`."
        )
        write("review", "A review", words, lines)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
