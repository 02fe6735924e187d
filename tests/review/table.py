"""docs/review-soak.md: what reviews told of the pull requests of `pulls.py`, as their tests have found it right.

`python -m tests.review.table REPORT...`: the reports that `pytest tests/review -m "soak or not soak"` leaves as
`report.json` in its temporary folders.
"""

import json
import os
import platform
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from terminal import write_whole
from tests.conftest import ROOT
from tests.review.pulls import IN_EVERY_RUN, PULLS, Pull, with_name

PAGE = ROOT / "docs" / "review-soak.md"
WORDS = """\
# Reviewed pull requests

Each row is a pull request that edits one stack file, and what `python -m review` told of it. `tests/review/pulls.py`
has the whole edits and what is expected. {few} of them run in `make test`, all in `make soak`. The page is written from
the reports of such runs, in which every test passed: `python -m tests.review.table REPORT...`.

*Idle* and *worst* are US dollars a month more. *Rules* are new violations with the line of the value.

Last result: {day}, {machine}, {cores} cores, Python {python}. {count} pull requests.

| Pull request | Edit | Review | Rules | Idle, worst | More access | Less access | Data lost |
|---|---|---|---|---|---|---|---|
"""
_CELL, _NAMES = 70, 2  # characters of an edit, and names before `more`


def main(files: Sequence[str]) -> int:
    """Write the page; 2 if the reports do not have every pull request."""
    stacks = {one["stack"]: one for file in files for one in json.loads(Path(file).read_text())["stacks"]}
    if missing := sorted(PULLS.keys() - stacks.keys()):
        print(f"the reports lack {', '.join(missing)}", file=sys.stderr)
        return 2
    head = WORDS.format(
        few=len(IN_EVERY_RUN), count=len(PULLS), day=date.today(), machine=platform.machine(), cores=os.cpu_count(),
        python=platform.python_version(),
    )  # fmt: skip
    write_whole(PAGE, head + "".join(f"| {' | '.join(_row(name, PULLS[name], stacks[name]))} |\n" for name in PULLS))
    return 0


def _row(name: str, pull: Pull, stack: Mapping[str, Any]) -> Iterator[str]:
    access = stack["access"] or {}
    yield name
    yield _edit(pull)
    counts = Counter(one["operation"] for one in stack["changes"])
    yield ", ".join([stack["state"], *(f"{count} {operation}" for operation, count in sorted(counts.items()))])
    new = {one["rule"]: one["place"] for one in stack["violations"] if one["state"] == "new" and pull.base}
    yield _listed(f"`{rule}`" + (f" line {place['line']}" if place else "") for rule, place in sorted(new.items()))
    yield _costs(stack["costs"]) if stack["costs"] else ""
    for key in ("abilities_gained", "abilities_lost"):
        yield _listed(sorted({one["principal"]["name"] for one in access.get(key, ())}))
    yield _listed(with_name(one["urn"]) + _accepted(one) for one in stack["changes"] if one["loss"])


def _accepted(change: Mapping[str, Any]) -> str:
    return " (accepted)" if change["loss"]["accepted"] else ""


def _costs(costs: Mapping[str, Any]) -> str:
    unknown = "; a price is not known" if costs["unpriced_before"] or costs["unpriced_after"] else ""
    return ", ".join(_shift(costs, key) for key in ("floor", "worst")) + unknown


def _shift(costs: Mapping[str, Any], key: str) -> str:
    return f"{Decimal(costs['after'][key]) - Decimal(costs['before'][key]):+,.0f}".replace("-0", "0").replace("+0", "0")


def _edit(pull: Pull) -> str:
    if pull.gone:
        return "the file is deleted"
    if pull.base is None:
        return "the file is new"
    return _listed(f"{_short(old)} → {_short(new)}" for old, new in pull.edits.items() if old != new)


def _short(text: str) -> str:
    plain = " ".join(text.split()).replace("|", "")
    return f"`{plain[: _CELL // 2].strip()}{'…' if len(plain) > _CELL // 2 else ''}`" if plain else "nothing"


def _listed(texts: Iterable[str]) -> str:
    every = list(texts)
    return ", ".join(every[:_NAMES]) + (f" and {len(every) - _NAMES} more" if len(every) > _NAMES else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
