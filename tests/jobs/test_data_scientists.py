"""docs/data-scientists.md as a reader follows it: the example `highspenders` from its data to a monthly schedule."""

import json
import os
import re
from datetime import datetime

import pytest

from tests.conftest import ROOT
from tests.jobs import page
from tests.jobs.platform import Platform
from tests.jobs.test_runs import succeeded

PAGE = ROOT / "docs" / "data-scientists.md"
EXAMPLE = ROOT / "jobs" / "examples" / "highspenders"
DATA = "data purchases: azureml://datastores/MLData/paths/models/highspenders/input.csv"

# A notebook's kernel, as far as plain cells need one: one namespace, and the last expression is shown. Jupyter would
# bring some forty packages for it.
CELLS = """
import ast, json, sys
notebook, space = json.load(open(sys.argv[1])), {}
assert notebook["nbformat"] == 4
for cell in notebook["cells"]:
    if cell["cell_type"] == "code":
        body = ast.parse("".join(cell["source"])).body
        last = ast.Expression(body.pop().value) if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), cell["id"], "exec"), space)
        shown = eval(compile(last, cell["id"], "eval"), space) if last else None
        print(shown._repr_html_() if hasattr(shown, "_repr_html_") else shown)
"""


@pytest.mark.timeout(900)  # it trains three times and serves two models; a busy machine takes its time
def test_from_login_to_a_monthly_schedule(platform: Platform) -> None:
    shell = {**os.environ, "SANDBOX_DIR": str(platform.sandbox.directory), "AZUREML_RUN_POLLING_INTERVAL_MIN": "1"}
    said = page.run(PAGE, shell, timeout=700)
    jobs = {line.removeprefix("python -m jobs "): text for line, text in said.items()}
    assert "WRONG" not in jobs["doctor"]
    assert re.search(r"at worst [0-9.]+ \$; nothing was sent", jobs["submit highspenders --dry-run"])
    first = jobs["submit highspenders --stream --register highspenders"]
    assert "input.csv uploaded to MLData/models/highspenders/input.csv" in first
    assert "registered model highspenders, version 1" in first
    published = re.search(r"\| ROC AUC \| ([0-9.]+) ", (EXAMPLE / "README.md").read_text())
    assert published
    assert re.search(rf"ROC AUC +{published[1]} ", first)
    assert re.search(r"parameter seed +1 +0\n", jobs["compare latest latest~1"])
    request = "jobs/examples/highspenders/request.json"
    assert "traffic of highspenders: blue 100 %" in jobs["deploy create highspenders highspenders"]
    scores = json.loads(jobs[f"invoke highspenders {request}"])["scores"]
    assert scores[0] > scores[1], "who spent much before"
    beside = jobs["deploy create highspenders highspenders --model highspenders --traffic 10"]
    assert 'smoke test: {"scores":' in beside
    assert "blue 90 %, green 10 %" in beside
    assert "green 100 %" in jobs["deploy promote highspenders green"]
    assert "blue 100 %" in jobs["deploy rollback highspenders"]
    lineage = jobs["lineage highspenders"]
    served, _, idle = lineage.partition("deployment green (0 % of the traffic)")
    assert "deployment blue (100 % of the traffic)\n    model highspenders:1\n" in served
    assert "model highspenders:2" in idle
    assert lineage.count(DATA) == 2
    notebook_runs(platform)
    a_month_later(platform)


def notebook_runs(platform: Platform) -> None:
    """The cells of the notebook, in one process; what each shows at its end."""
    done = platform.python("-c", CELLS, str(EXAMPLE / "explore.ipynb"), timeout=300)
    shown = succeeded(done)
    assert done.stderr == "", "no noise under the cells"
    assert re.search(r"<th>parameter seed</th><td>2</td>", shown)
    assert re.search(r"gain in ROC AUC: 0\.0\d+ \[", shown)
    assert re.search(r"<th>roc_auc</th>(<td>(0\.8\d+)?</td>){3}", shown), "three runs side by side"
    assert "/outputs/model" in shown or "azureml://" in shown


def a_month_later(platform: Platform) -> None:
    """The first of the month comes, and at 06:30 its run, with the data of the job that was scheduled."""
    moved = platform.sandbox.command("clock", "advance", "31d")
    assert moved.returncode == 0, moved.stderr
    monthly, *_ = json.loads(platform.jobs("ps", "--schedule", "highspenders-monthly", "--json").stdout)
    moment = datetime.fromisoformat(monthly["created"])
    assert (moment.day, moment.hour, moment.minute) == (1, 6, 30)
    assert monthly["tags"]["team"] == "bluegranit"
    assert DATA in succeeded(platform.jobs("lineage", monthly["name"]))
    cancelled = platform.jobs("cancel", monthly["name"])
    assert cancelled.returncode == 0 or "terminal status" in cancelled.stderr, cancelled.stderr  # it may have ended
