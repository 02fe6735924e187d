"""docs/conformance.md, written from a run's results."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REASONS = Path(__file__).with_name("reasons.yaml")
BAR = 0.9  # of the tests that need neither Spark, AutoML nor a GPU
LONGEST = 110  # characters of a message in the table


@dataclass(frozen=True)
class Reason:
    """Why tests do not pass.

    Attributes:
        tests: A regular expression that finds their ids.
        why: The reason, for the page.
        counts: Whether they count for the bar: false for Spark, AutoML and GPUs.
    """

    tests: str
    why: str
    counts: bool = True


@dataclass(frozen=True)
class Result:
    """How one test ended, over all of its phases.

    Attributes:
        test: Its id.
        outcome: passed, failed or skipped; the last by azure-ai-ml's authors.
        error: The message of what did not pass.
        reason: The known reason, if there is one.
    """

    test: str
    outcome: str
    error: str
    reason: Reason | None

    @property
    def suite(self) -> str:
        """The folder of the test."""
        return self.test.split("/", 1)[0]

    @property
    def counts(self) -> bool:
        """Whether it counts for the bar."""
        return self.outcome != "skipped" and (self.reason is None or self.reason.counts)


def results(lines: list[dict[str, Any]]) -> list[Result]:
    """One result a test: a phase that failed outweighs one that passed."""
    reasons = [Reason(**one) for one in yaml.safe_load(REASONS.read_text(encoding="utf-8"))]
    worst: dict[str, dict[str, Any]] = {}
    for line in lines:
        if worst.get(line["test"], {}).get("outcome") != "failed":
            worst[line["test"]] = line
    return [
        Result(test, line["outcome"], line["error"], next((one for one in reasons if re.search(one.tests, test)), None))
        for test, line in sorted(worst.items())
    ]


def summary(lines: list[dict[str, Any]], version: str) -> tuple[str, bool]:
    """The page, and whether the bar is met."""
    found = results(lines)
    counted = [one for one in found if one.counts]
    share = sum(one.outcome == "passed" for one in counted) / max(len(counted), 1)
    return "\n".join(_page(found, version, share)) + "\n", share >= BAR


def _page(found: list[Result], version: str, share: float) -> Iterator[str]:
    yield "# azure-ai-ml's own end-to-end tests\n"
    yield f"The end-to-end tests in the sdist of azure-ai-ml {version}, live and unchanged against the sandbox. Their"
    yield "configuration files are this project's own (`tests/conformance/configs`), as the sdist has none. `make soak`"
    yield "runs them, and `python -m tests.conformance` alone; both write this page.\n"
    yield f"Of those that need neither Spark, AutoML nor a GPU, {share:.1%} pass; the bar is {BAR:.0%}.\n"
    yield "| Suite | Passed | Not passed | Beyond the sandbox | Skipped by their authors |"
    yield "|---|---|---|---|---|"
    for suite in dict.fromkeys(one.suite for one in found):
        parts = _parts([one for one in found if one.suite == suite])
        yield f"| {suite} | {' | '.join(str(len(part)) for part in parts)} |"
    yield f"| **All** | {' | '.join(str(len(part)) for part in _parts(found))} |\n"
    _, failed, beyond, _ = _parts(found)
    yield from _table("Not passed", failed)
    yield from _table("Beyond the sandbox: Spark, AutoML, GPUs", beyond)


def _parts(found: list[Result]) -> tuple[list[Result], list[Result], list[Result], list[Result]]:
    counted = [one for one in found if one.counts]
    return (
        [one for one in counted if one.outcome == "passed"],
        [one for one in counted if one.outcome == "failed"],
        [one for one in found if not one.counts and one.outcome != "skipped"],
        [one for one in found if one.outcome == "skipped"],
    )


def _table(title: str, part: list[Result]) -> Iterator[str]:
    if not part:
        return
    yield f"## {title}\n"
    yield "| Suite | Test | Reason |"
    yield "|---|---|---|"
    for one in part:
        yield f"| {one.suite} | {one.test.split('::')[-1]} | {one.reason.why if one.reason else _short(one.error)} |"
    yield ""


def _short(error: str) -> str:
    """An error's beginning as a cell, without colours and places of this machine."""
    plain = re.sub(r"\x1b\[\d+m| at 0x[0-9a-f]+", "", error)
    plain = re.sub(r"/\S*/azure_ai_ml-[^/]*/|/tmp/[^/]*/", "", plain)
    return " ".join(plain.split()).replace("|", "\\|")[:LONGEST]
