"""Run by a Python with mlflow: reads runs and searches from standard input, prints what mlflow's own SearchUtils finds.

A search is a filter and orders; its answer is the runs' ids in order, or null if mlflow refuses it.
"""

import json
import sys

from mlflow.entities import Metric, Param, Run, RunData, RunInfo, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchUtils

given = json.load(sys.stdin)
runs = []
for one in given["runs"]:
    info = {name: one["info"][name] for name in ("run_id", "run_name", "status", "start_time", "end_time")}
    about = RunInfo(experiment_id="0", user_id="u", lifecycle_stage="active", artifact_uri="a", **info)
    data = RunData(
        [Metric(m["key"], float(m["value"]), 0, 0) for m in one["data"]["metrics"]],
        [Param(p["key"], p["value"]) for p in one["data"]["params"]],
        [RunTag(t["key"], t["value"]) for t in one["data"]["tags"]],
    )
    runs.append(Run(about, data))

answers: list[list[str] | None] = []
for text, orders in given["searches"]:
    try:
        found = SearchUtils.sort(SearchUtils.filter(runs, text), orders)
        answers.append([run.info.run_id for run in found])
    except MlflowException:
        answers.append(None)
json.dump(answers, sys.stdout)
