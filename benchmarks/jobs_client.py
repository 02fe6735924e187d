"""What `jobs` costs beside azure-ai-ml: a submission by both, and the list of many runs.

`python benchmarks/jobs_client.py [--runs N] [--rounds N] [--write]` exits with 1 if a bar is broken. Both sides of the
ratio run in turn in one process, so that a busy machine hits them alike; imports are done before. `--write` renews the
page.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.report import write  # noqa: E402 # the repository's root is known only now
from tests.conftest import Sandbox  # noqa: E402

SUBMIT, PS = 1.15, 1.0  # times the bare client; seconds
JOB = """\
type: command
display_name: measured
command: "true"
code: src
environment: {image: i, conda_file: conda.yml}
compute: ds13-v2-2ndclust
"""


def cpu(call: Callable[[], Any]) -> float:
    """Processor seconds of a call in this process: other programs do not count."""
    begun = time.process_time()
    call()
    return time.process_time() - begun


def submissions(folder: Path, rounds: int) -> tuple[float, float]:
    """Median processor seconds of one submission: by azure-ai-ml alone, and by `jobs`."""
    from azure.ai.ml import load_job  # noqa: PLC0415 # imports are not measured

    from jobs import team  # noqa: PLC0415

    by_us = team("dev")
    client = by_us.client
    source = folder / "job.yml"

    def bare() -> None:
        client.jobs.create_or_update(load_job(source))

    bare_times, our_times = [], []
    for number in range(rounds + 1):
        taken = cpu(bare), cpu(lambda: by_us.submit(str(source)))
        if number:  # the first fills caches on both sides
            bare_times.append(taken[0])
            our_times.append(taken[1])
    return statistics.median(bare_times), statistics.median(our_times)


def listing(runs: int) -> float:
    """Processor seconds of a list of many runs, above its client's import."""
    from jobs import team  # noqa: PLC0415

    found = team("dev")
    found.runs(most=1)  # signs in
    count = 0

    def list_all() -> None:
        nonlocal count
        count = len(found.runs(most=runs))

    seconds = cpu(list_all)
    assert count == runs, count
    return seconds


def fill(runs: int) -> None:
    """Submit jobs by plain requests until there are that many."""
    from azure.core.rest import HttpRequest  # noqa: PLC0415

    from jobs import team  # noqa: PLC0415
    from jobs.history import client  # noqa: PLC0415
    from jobs.resources import API_VERSION, MANAGER  # noqa: PLC0415

    workspace = team("dev")._workspace
    api, base = client(MANAGER, workspace.credential), f"{MANAGER}{workspace.team.resource_id}"
    environment = f"{base}/environments/none/versions/1?api-version={API_VERSION}"
    api.send_request(HttpRequest("PUT", environment, json={"properties": {"image": "i"}})).raise_for_status()
    own = {
        "jobType": "Command",
        "command": "true",
        "computeId": f"{workspace.team.resource_id}/computes/ds13-v2-2ndclust",
        "environmentId": f"{workspace.team.resource_id}/environments/none/versions/1",
    }
    for number in range(runs):
        address = f"{base}/jobs/filled{number}?api-version={API_VERSION}"
        api.send_request(HttpRequest("PUT", address, json={"properties": own})).raise_for_status()


def main() -> int:
    """Measure, print, and write the page where that is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/jobs-client.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "src").mkdir()
        (folder / "src" / "train.py").write_text("print(1)\n")
        (folder / "conda.yml").write_text("name: none\ndependencies: [python=3.11]\n")
        (folder / "job.yml").write_text(JOB)
        sandbox = Sandbox(folder / ".sandbox")
        sandbox.start()
        try:
            done = sandbox.command("pulumi", "up", "-s", "dev", "--yes", "--skip-preview")
            assert done.returncode == 0, done.stdout + done.stderr
            own = {"SANDBOX_DIR": str(sandbox.directory), "XDG_CACHE_HOME": str(folder)}
            os.environ.update({**sandbox.environment("scientist"), **own})
            bare, ours = submissions(folder, options.rounds)
            fill(options.runs)
            listed = listing(options.runs)
        finally:
            sandbox.stop()
    lines = [
        "| What | Result | Bar |",
        "|---|---|---|",
        f"| a submission by azure-ai-ml alone | {bare * 1000:.0f} ms | |",
        f"| the same by `jobs` | {ours * 1000:.0f} ms, {ours / bare:.2f} × | ≤ {SUBMIT} × |",
        f"| a list of {options.runs} runs, above imports | {listed:.2f} s | ≤ {PS} s |",
    ]
    print("\n".join(lines))
    if options.write:
        words = "Processor time of the client, imports excluded. Again: `python benchmarks/jobs_client.py --write`."
        write("jobs-client", "The data scientists' client", words, lines)
    return 0 if ours <= SUBMIT * bare and listed <= PS else 1


if __name__ == "__main__":
    sys.exit(main())
