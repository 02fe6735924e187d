"""The list of runs: by experiment, state, name or any condition of MLflow's filter language, in any order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from sandbox.studio.history import STATES, History, Run
from sandbox.studio.people import names
from sandbox.studio.visit import View, Visit, whole_number

COLUMNS = 3  # metrics that the list shows
ROWS = 100  # that come at once; more as they are scrolled to
CONDITION = re.compile(r"[<>=]|\bi?like\b", re.IGNORECASE)
WORDS = {name: word for word, name in STATES.items()}


def show(visit: Visit) -> View:
    """The runs of a workspace, or of an experiment."""
    history = History(visit)
    experiments = history.experiments()
    by_id = {one.id: one.name for one in experiments}
    chosen = visit.query.get("experiment", "")
    wanted = [one.id for one in experiments if not chosen or chosen in (one.id, one.name)]
    found = history.search(wanted, _condition(visit), _order(visit.query.get("sort", "")))
    children = Counter(one.parent for one in found if one.parent)
    known = {one.id for one in found}
    # With a condition, a child is shown for itself; without one it is reached through its parent.
    is_searched = bool(visit.query.get("find") or visit.query.get("state"))
    listed = [one for one in found if is_searched or one.parent not in known]
    start = whole_number(visit.query["from"]) or 0
    page = listed[start : start + ROWS]
    people = names(visit.azure, (one.user for one in page))
    metrics = _metrics(page)
    data = {
        "runs": [
            {
                **vars(one),
                "experiment": by_id.get(one.experiment, one.experiment),
                "user": people.get(one.user, one.user),
                "children": children[one.id],
            }
            for one in page
        ],
        "total": len(listed),
        "from": start,
    }
    extra = {
        "start": start,
        "place": visit.link(""),  # once for all rows
        "metrics": metrics,
        "experiments": experiments,
        "experiment": chosen,
        "states": [*STATES.values()],
        "more": start + ROWS if start + ROWS < len(listed) else None,
        "sorted": visit.query.get("sort", ""),
        "live": any(not one.ended for one in page),
    }
    return View("runs.html.j2", "Runs", data, extra)


def _metrics(runs: Sequence[Run]) -> list[str]:
    """The metrics that most of the runs have."""
    counted = Counter(name for one in runs[:200] for name in one.metrics)
    return [name for name, _ in counted.most_common(COLUMNS)]


def _condition(visit: Visit) -> str:
    """What the form asks for, in MLflow's filter language: a text without an operator is a part of the name."""
    text, state = visit.query.get("find", "").strip(), visit.query.get("state", "")
    parts = []
    if state in WORDS:
        parts.append(f"attributes.status = '{WORDS[state]}'")
    if CONDITION.search(text):
        parts.append(text)
    elif text:
        mark = '"' if "'" in text else "'"
        parts.append(f"attributes.run_name ILIKE {mark}%{text.replace(mark, '_')}%{mark}")
    return " and ".join(parts)


def _order(sort: str) -> str:
    """An order of MLflow's from a column, such as `-metrics.auc`."""
    column = sort.removeprefix("-")
    known = {"name": "attributes.run_name", "state": "attributes.status", "started": "attributes.start_time"}
    kind, _, key = column.partition(".")
    if column in known:
        field = known[column]
    elif kind in ("metrics", "params") and key and "`" not in key:
        field = f"{kind}.`{key}`"
    else:
        return ""
    return f"{field} {'DESC' if sort.startswith('-') else 'ASC'}"
