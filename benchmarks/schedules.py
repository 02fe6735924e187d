"""How long a year of a daily schedule takes when the clock is moved at once, without the jobs' own run time.

`python benchmarks/schedules.py [--days N] [--write]`: plain requests drive a sandbox of its own through the gateway,
and its own command moves the clock. The floor is as many submissions by a client. `--write` puts the result into
docs/benchmarks/schedules.md.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.report import write  # noqa: E402 # the repository's root is known only now
from tests.azure.client import Client  # noqa: E402
from tests.azure.ml.harness import Team, team  # noqa: E402
from tests.conftest import Sandbox  # noqa: E402

BAR = 60.0  # seconds of a year


def job(place: Team) -> dict[str, object]:
    """A job on a cluster's one node, which the first of them holds: what is measured is submission."""
    return {
        "jobType": "Command",
        "command": "sleep 3600",
        "computeId": f"{place.id}/computes/cpu",
        "environmentId": f"{place.id}/environments/none/versions/1",
    }


def bare(place: Team, count: int) -> float:
    """Seconds of as many submissions by a client."""
    begun = time.perf_counter()
    for number in range(count):
        assert place.arm("PUT", f"/jobs/bare{number}", {"properties": job(place)}).ok
    return time.perf_counter() - begun


def year(sandbox: Sandbox, place: Team, days: int) -> tuple[float, bool]:
    """Seconds of the command that moves the clock, and whether each day has its job, in order."""
    properties = {
        "trigger": {"triggerType": "Cron", "expression": "0 6 * * *", "startTime": "2026-01-01T00:00:00"},
        "action": {"actionType": "CreateJob", "jobDefinition": job(place)},
    }
    assert place.arm("PUT", "/schedules/daily", {"properties": properties}).ok
    begun = time.perf_counter()
    done = sandbox.command("clock", "advance", f"{days}d", "--json")
    seconds = time.perf_counter() - begun
    assert json.loads(done.stdout)["done"] == {"schedule": days}, done.stdout + done.stderr
    found = place.arm("GET", "/jobs", scheduleId="daily").json()["value"]
    names = [one["properties"]["displayName"] for one in sorted(found, key=lambda one: one["systemData"]["createdAt"])]
    return seconds, len(set(names)) == days and names == sorted(names)


def main() -> int:
    """1 where the bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(Path(folder) / ".sandbox")
        sandbox.start()
        try:
            place = team(Client(sandbox))
            place.arm("PUT", "/environments/none/versions/1", {"properties": {"image": "python:3.11"}})
            floor = bare(place, arguments.days)
            seconds, ordered = year(sandbox, place, arguments.days)
        finally:
            sandbox.stop()
    met = ordered and seconds <= BAR * arguments.days / 365
    order = "each once and in order" if ordered else "not each once and in order"
    lines = [
        "| What | Seconds |",
        "|---|---|",
        f"| `clock advance {arguments.days}d`: a job a day, {order} | {seconds:.1f} |",
        f"| Floor: {arguments.days} submissions by a client, one after the other | {floor:.1f} |",
        "",
        f"Bar: {BAR:.0f} s for a year, without the jobs' own run time: {'met' if met else 'not met'}.",
    ]
    print("\n".join(lines))
    if arguments.write:
        again = "Measured again by `python benchmarks/schedules.py --write`."
        write("schedules", "Schedules", f"A daily schedule, and the clock moved by a year at once. {again}", lines)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
