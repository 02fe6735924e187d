"""The jobs of Azure/azureml-examples on a sandbox: `python -m tests.conformance.examples CHECKOUT`.

Each job file below `cli/jobs` is submitted by azure-ai-ml, unchanged, and awaited. What is not taken must be refused by
name. Nothing of that repository is kept here; docs/examples.md has the last results.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from tests.azure.ml.harness import Team, ml_client
from tests.azure.ml.waiting import ENDED, log_text, status
from tests.conformance import sdist, world
from tests.conftest import Sandbox
from tests.program.harness import ROOT

DOCUMENT = ROOT / "docs" / "examples.md"
RESULTS = Path(__file__).with_name("examples.yaml")
KINDS = {
    "commandJob": "command",
    "pipelineJob": "pipeline",
    "sweepJob": "sweep",
    "autoMLJob": "automl",
    "sparkJob": "spark",
}
AT_LEAST = 20  # that run to their end with right outputs
LONGEST = 110  # characters of a message in the table
MINUTES = 25


@dataclass(frozen=True)
class Example:
    """One job file.

    Attributes:
        file: Its path below `cli/jobs`.
        kind: command, pipeline, sweep, automl or spark.
        name: The job's name, once it is taken.
        outcome: Its last state, or Refused.
        why: The message, where it did not end as Completed.
        right: Whether what it must have written was there; None where nothing is known of that.
    """

    file: str
    kind: str
    name: str = ""
    outcome: str = ""
    why: str = ""
    right: bool | None = None


def main() -> int:
    """1 where too few run to their end."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.examples", description=__doc__)
    parser.add_argument("checkout", type=Path, help="a checkout of Azure/azureml-examples")
    parser.add_argument("--only", default="", help="files whose path has this; the page stays as it is")
    arguments = parser.parse_args()
    sandbox = Sandbox(sdist.HOME / "examples")
    sandbox.command("stop")
    sandbox.start()
    try:
        sandbox.command("reset")
        team = world.make(sandbox)
        os.environ.update(world.variables(sandbox, team))
        found = list(_run(arguments.checkout / "cli" / "jobs", arguments.only, team))
    finally:
        sandbox.stop()
    text = "\n".join(_page(found, _commit(arguments.checkout))) + "\n"
    print(text)
    if not arguments.only:
        DOCUMENT.write_text(text, encoding="utf-8")
    return 0 if sum(one.right is True for one in found) >= AT_LEAST else 1


def _commit(checkout: Path) -> str:
    words = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip()[:12] or "a copy without history"


def _examples(folder: Path, only: str) -> Iterator[Example]:
    """The job files, by their schema."""
    for file in sorted(folder.rglob("*.yml")):
        name = file.relative_to(folder).as_posix()
        try:
            body = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError):
            continue
        schema = re.search(r"/(\w+)\.schema", str(body.get("$schema", ""))) if isinstance(body, dict) else None
        if schema and schema[1] in KINDS and only in name:
            yield Example(name, KINDS[schema[1]])


def _run(folder: Path, only: str, team: Team) -> Iterator[Example]:
    """Submits all, then waits for all."""
    client = ml_client(team)  # imports azure-ai-ml, which the environment must have told where Azure is
    expected: dict[str, str] = yaml.safe_load(RESULTS.read_text(encoding="utf-8"))
    submitted = [_submit(client, folder, one) for one in _examples(folder, only)]
    deadline = time.monotonic() + MINUTES * 60
    for one in submitted:
        yield _ended(team, one, expected.get(one.file, ""), deadline) if one.name else one


def _submit(client: Any, folder: Path, one: Example) -> Example:
    from azure.ai.ml import load_job  # noqa: PLC0415

    try:
        job = client.jobs.create_or_update(load_job(folder / one.file))
    except Exception as error:  # whatever refuses it: the client or the service
        return replace(one, outcome="Refused", why=str(error).replace(f"{Path.cwd()}/", ""))  # no path of this machine
    print(f"{one.file}: {job.name}", file=sys.stderr)
    return replace(one, name=job.name)


def _ended(team: Team, one: Example, expected: str, deadline: float) -> Example:
    while (now := status(team, one.name)) not in ENDED and time.monotonic() < deadline:
        time.sleep(0.5)
    log = _logs(team, one.name) if now in ENDED else ""
    right = bool(re.search(expected, log, re.DOTALL)) and now == "Completed" if expected else None
    return replace(one, outcome=now, why="" if now == "Completed" else _error(team, one.name), right=right)


def _logs(team: Team, name: str) -> str:
    """The log of a job, and of its steps as they began."""
    children = team.plane("GET", "history/v1.0", f"/runs/{name}/children").json().get("value", [])
    children.sort(key=lambda child: child.get("startTimeUtc") or "")
    return "\n".join(log_text(team, run) for run in (name, *(child["runId"] for child in children)))


def _error(team: Team, name: str) -> str:
    runs = [name]
    runs += [
        one["runId"] for one in team.plane("GET", "history/v1.0", f"/runs/{name}/children").json().get("value", [])
    ]
    for run in reversed(runs):
        found = team.plane("GET", "history/v1.0", f"/runs/{run}/details").json().get("error")
        if found:
            return str(found["error"]["message"])
    return "no message"


def _page(found: list[Example], commit: str) -> Iterator[str]:
    completed = [one for one in found if one.outcome == "Completed"]
    right = [one for one in found if one.right is True]
    yield "# The public examples of Azure ML\n"
    yield f"The job files below `cli/jobs` of Azure/azureml-examples ({commit}), submitted unchanged by azure-ai-ml to"
    yield "the sandbox. There is no internet in it, and no GPU. `python -m tests.conformance.examples CHECKOUT` writes"
    yield "this page.\n"
    yield f"Of {len(found)} jobs {len(completed)} run to their end, {len(right)} of them with outputs that are checked."
    yield f"The bar is {AT_LEAST}. What is refused is refused by name.\n"
    yield "| Job | Kind | Outcome | Outputs | Reason |"
    yield "|---|---|---|---|---|"
    for one in found:
        outputs = {True: "right", False: "wrong", None: "–"}[one.right]
        yield f"| {one.file} | {one.kind} | {one.outcome} | {outputs} | {_short(one.why) or '–'} |"


def _short(message: str) -> str:
    plain = re.sub(r"\x1b\[\d+m|/\S*/cli/jobs/", "", message)
    return " ".join(plain.split()).replace("|", "\\|")[:LONGEST]


if __name__ == "__main__":
    sys.exit(main())
