"""docs/azure-cli.md: what became of each command of the list."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.azure.cli.harness import VERSION, Outcome, read

LONGEST = 110  # characters of a command in the table


def page(outcomes: list[Outcome]) -> str:
    """The page."""
    return "\n".join(_lines(outcomes)) + "\n"


def _lines(outcomes: list[Outcome]) -> Iterator[str]:
    commands = read()[1]
    good = sum(not outcome.problem for outcome in outcomes)
    refusals = sum(outcome.refused for outcome in outcomes)
    yield "# azure-cli against the sandbox"
    yield ""
    yield f"azure-cli {VERSION} from PyPI, unmodified, runs the commands of `tests/azure/cli/commands.yaml`."
    yield "`python -m tests.azure.cli` installs it into an environment of its own, runs the list and writes this page."
    yield "`make soak` runs the list as a test."
    yield ""
    yield f"Last run, {datetime.now(UTC).date().isoformat()}: {good} of {len(outcomes)} commands did what they must;"
    yield f"{refusals} of them are refused by Azure, and here with the same code."
    yield ""
    yield "| Group | Commands | As documented | Refusals among them |"
    yield "|---|---|---|---|"
    counts: Counter[str] = Counter()
    right: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for command, outcome in zip(commands, outcomes, strict=True):
        group = "az " + " ".join(_group(command.run))
        counts[group] += 1
        right[group] += not outcome.problem
        refused[group] += outcome.refused
    for group in sorted(counts):
        yield f"| `{group}` | {counts[group]} | {right[group]} | {refused[group]} |"
    wrong = [(command, outcome) for command, outcome in zip(commands, outcomes, strict=True) if outcome.problem]
    if wrong:
        yield ""
        yield "| What failed | Problem |"
        yield "|---|---|"
        for command, outcome in wrong:
            yield f"| `az {command.run[:LONGEST]}` | {outcome.problem[:LONGEST].replace('|', ' ')} |"


def _group(run: str) -> list[str]:
    words = run.split()
    return words[:2] if words[0] in ("ad", "monitor", "network", "role", "storage") else words[:1]
