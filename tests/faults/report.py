"""docs/soak.md, written from a soak's results."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.faults.plans import BARS, BEYOND, PASSING, REFUSALS, Bar
from tests.faults.sweep import FASTER
from tests.results import when

OPERATIONS = ("up", "job", "update", "destroy")
SHOWN = 12  # failures told in full
HEAD = """# Long runs

`make soak` runs `tests/faults/soak.py` and writes this page. It goes on where it was stopped:
`.soak/results.jsonl` has a line for each result. Remove the folder to begin again.

A **seed** is a new sandbox, in which these operations run while a plan makes faults happen:

1. the dev stack comes up;
2. a training run is submitted, followed to its end, and its model registered: the `highspenders` example, on
  one in 20 customers. Then a pipeline of two steps runs to its end;
3. the stack is updated;
4. the stack is destroyed.

A failed operation is run again, three runs at most. If its message asks for `pulumi import`, the import comes
first, as often. Clients wait at most 50 ms between two tries. How often they try is unchanged, and
`Retry-After` is 0 here. The program's own pauses are {faster} times shorter.

Faults that pass: {passing}. Faults that may need manual action, each at most once a seed: {refusals}. For the
last one, Azure ML refuses a workspace whose identity does not have its roles yet.

A **kill** is SIGKILL to the sandbox at a random moment of one of these:

- an up;
- uploads: blobs, blocks, appends, renames;
- runs: submitted, running, ending;
- pipelines: their steps beginning, running, ending;
- registrations: models, data, environments, metrics;
- schedules: made, and submitting jobs while the clock moves.

The sandbox is then started again, and everything that it had acknowledged must be there. After an up, the stack
is brought up to the end. After runs and pipelines, no process of theirs may be left. No step of a pipeline may have
run again whose success had been read. [Kills of the engine](soak-crashes.md) have their own page.

## Last result
"""


def summary(results: list[dict[str, Any]], seeds: int, kills: int) -> tuple[str, bool]:
    """The page, and whether every bar that was asked for is met by enough seeds."""
    lives = {name: [one for one in results if one["bar"] == name] for name in (*BARS, BEYOND.name)}
    dead = [one for one in results if one["bar"] == "kill"]
    met = [_met(bar, lives[bar.name]) and len(lives[bar.name]) >= seeds * bar.part for bar in BARS.values()]
    met.append(len(dead) >= kills and not any(one["lost"] for one in dead))
    parts = [
        HEAD.format(passing=", ".join(PASSING), refusals=", ".join(REFUSALS), faster=FASTER),
        when(results),
        *(_missing(seeds, kills, lives, dead)),
        "",
        "| Plan | Asked | Seeds | In one run: up, job, update, destroy | All in one run | All within three | Faults |",
        "|---|---|---|---|---|---|---|",
        *(_row(bar, lives[bar.name]) for bar in (*BARS.values(), BEYOND)),
        "",
        "| Killed during | Kills | Acknowledged | Lost |",
        "|---|---|---|---|",
        *_kill_rows(dead),
        "",
        "The first plan by kind, seeds that needed nobody:",
        "",
        "| Kind | Seeds | Unaided |",
        "|---|---|---|",
        *_kind_rows(lives["one-5"]),
        "",
        *_failures([one for name in BARS for one in lives[name]], dead),
    ]
    return "\n".join(parts).rstrip() + "\n", all(met)


def _missing(
    seeds: int, kills: int, lives: dict[str, list[dict[str, Any]]], dead: list[dict[str, Any]]
) -> Iterable[str]:
    least = min(len(lives[bar.name]) / bar.part for bar in BARS.values())
    if least < seeds or len(dead) < kills:
        share = f"at least {least / seeds:.0%} of the seeds of each plan"
        yield f"\n**Not complete: {share}, {len(dead)} of {kills} kills.**"


def _unaided(one: dict[str, Any]) -> bool:
    return [one["runs"].get(name) for name in OPERATIONS] == [1] * len(OPERATIONS)


def _converged(one: dict[str, Any]) -> bool:
    return all(one["runs"].get(name) for name in OPERATIONS)


def _met(bar: Bar, lives: list[dict[str, Any]]) -> bool:
    good = sum(map(_unaided if bar.runs == 1 else _converged, lives))
    return good >= bar.least * len(lives) and not any(one["unclear"] for one in lives)


def _share(good: int, of: int) -> str:
    return f"{good} of {of} ({good / of:.1%})" if of else "-"


def _row(bar: Bar, lives: list[dict[str, Any]]) -> str:
    reached = [[one["runs"][name] for one in lives if name in one["runs"]] for name in OPERATIONS]
    single = ", ".join(f"{sum(runs == 1 for runs in each)}/{len(each)}" for each in reached)
    wanted = "every seed within three" if bar.runs > 1 else f"≥ {bar.least:.0%} in one run"
    asked = "nothing" if bar is BEYOND else f"{wanted}: {'met' if _met(bar, lives) else '**not met**'}"
    faults = sum(sum(one["faults"].values()) for one in lives)
    unaided, converged = (sum(map(check, lives)) for check in (_unaided, _converged))
    cells = (bar.says, asked, len(lives), single, _share(unaided, len(lives)), _share(converged, len(lives)), faults)
    return f"| {' | '.join(map(str, cells))} |"


def _kill_rows(dead: list[dict[str, Any]]) -> Iterable[str]:
    for kind in dict.fromkeys(one["kind"] for one in dead):
        these = [one for one in dead if one["kind"] == kind]
        lost = "; ".join(one["lost"] for one in these if one["lost"]) or "nothing"
        yield f"| {kind} | {len(these)} | {sum(one['acknowledged'] for one in these)} | {_cell(lost)} |"


def _kind_rows(lives: list[dict[str, Any]]) -> Iterable[str]:
    seen = Counter(one["kind"] for one in lives)
    good = Counter(one["kind"] for one in lives if _unaided(one))
    for kind in PASSING:
        yield f"| {kind} | {seen[kind]} | {good[kind]} |"


def _failures(lives: list[dict[str, Any]], dead: list[dict[str, Any]]) -> Iterable[str]:
    """What did not end well, or was not told clearly."""
    told = [
        f"- {one['key']} {one['kind']}: {next(name for name in OPERATIONS if not one['runs'].get(name))} failed three "
        f"times, at last: `{_cell(one['said'][-1][1][-300:])}`"
        for one in lives
        if not _converged(one) and one["said"]
    ]
    told += [f"- {one['key']}: not clear, {why} missing" for one in lives for _, why, _ in one["unclear"]]
    said = Counter(name for one in lives for name, _ in one["said"])
    messages = sum(said.values())
    shares = ", ".join(f"{name} {count}" for name, count in said.items())
    yield f"{messages} runs of operations failed in all ({shares or 'none'}); "
    yield f"{sum(len(one['unclear']) for one in lives)} of their messages lacked what they are about, or why."
    if told:
        yield "\nWhat did not end well:\n"
        yield from told[:SHOWN]
        if len(told) > SHOWN:
            yield f"- … and {len(told) - SHOWN} more, in `.soak/results.jsonl`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "/").replace("`", "'")
