"""Our reading of MLflow's filters and orders against mlflow's own, on the same runs."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml.plane import search
from tests.conftest import ROOT

HERE = Path(__file__).parent
SEARCHES = 1500
COMPARED = ("=", "!=", "<", "<=", ">", ">=")
TEXTS = ("tree", "Tree", "linear", "a%b", "with space", "1", "0.5", "")
KEYS = ("auc", "`a b`", '"a b"', "a-b/c", "kind", "missing")


@pytest.fixture(name="judge", scope="module")
def mlflow_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with mlflow-skinny, in the version that jobs in the tests have."""
    folder = tmp_path_factory.mktemp("mlflow") / "venv"
    conda = yaml.safe_load((HERE / "environments" / "plain.yml").read_text())
    packages = next(part["pip"] for part in conda["dependencies"] if isinstance(part, dict))
    environment = {"UV_CACHE_DIR": str(ROOT / ".cache" / "uv"), **os.environ}
    uv, python = Path(sys.executable).with_name("uv"), folder / "bin" / "python"
    for command in (["venv", "--python", sys.executable, folder], ["pip", "install", "--python", python, *packages]):
        subprocess.run([uv, "-q", *command], check=True, env=environment)
    return python


def judged(judge: Path, runs: list[dict[str, Any]], searches: list[tuple[str, list[str]]]) -> list[list[str] | None]:
    done = subprocess.run(
        [judge, HERE / "scripts" / "judge_searches.py"],
        input=json.dumps({"runs": runs, "searches": searches}),
        capture_output=True,
        text=True,
        check=True,
    )
    answers: list[list[str] | None] = json.loads(done.stdout)
    return answers


def ours(runs: list[dict[str, Any]], text: str, orders: list[str]) -> list[str] | None:
    try:
        found = search.select(runs, text, search.RUN)
        search.order(found, [*orders, "attributes.start_time DESC", "attributes.run_id"], search.RUN)
    except AzureError:
        return None
    return [run["info"]["run_id"] for run in found]


def some_runs(draw: random.Random) -> list[dict[str, Any]]:
    def pairs(values: tuple[Any, ...]) -> list[dict[str, Any]]:
        keys = draw.sample(["auc", "a b", "a-b/c", "kind"], draw.randint(0, 4))
        return [{"key": key, "value": draw.choice(values)} for key in keys]

    return [
        {
            "info": {
                "run_id": f"run{number:02}",
                "run_name": draw.choice(TEXTS),
                "status": draw.choice(("RUNNING", "FINISHED", "FAILED")),
                "start_time": 1000 + draw.randint(0, 5),
                "end_time": draw.choice((None, 2000, 3000)),
            },
            "data": {
                "metrics": pairs((0, 0.5, 1, -2.5, 1e300)),
                "params": pairs(TEXTS[:-1]),
                "tags": pairs(TEXTS),
            },
        }
        for number in range(20)
    ]


def some_search(draw: random.Random) -> tuple[str, list[str]]:
    def text() -> str:
        quote = draw.choice("'\"")
        return f"{quote}{draw.choice(TEXTS)}{quote}"

    def clause() -> str:
        kind = draw.choice(("metrics", "metric", "params", "parameter", "tags", "tag"))
        name = f"{kind}.{draw.choice(KEYS)}"
        if kind.startswith("metric"):
            return f"{name} {draw.choice(COMPARED)} {draw.choice(('0', '0.5', '-2.5', '1', '1e3', text()))}"
        operator = draw.choice((*COMPARED, "LIKE", "ILIKE", "like", "IS NULL", "IS NOT NULL", "IN", "NOT IN"))
        if operator.startswith("IS"):
            return f"{name} {operator}"
        if operator.endswith("IN"):
            return f"{name} {operator} ({text()}, {text()})"
        return f"{name} {operator} {draw.choice((text(), text(), '1'))}"

    def about_the_run() -> str:
        name = draw.choice(
            ("attributes.status", "attribute.run_name", "run_id", "start_time", "attr.end_time", "nothing")
        )
        if "time" in name:
            return f"{name} {draw.choice(COMPARED)} {draw.choice(('1002', '2000', text()))}"
        if name == "run_id" and draw.random() < 0.5:
            return f"{name} {draw.choice(('IN', 'NOT IN'))} ('run01', 'run02')"
        return f"{name} {draw.choice((*COMPARED[:2], 'LIKE', 'ILIKE', '<'))} {text()}"

    clauses = [draw.choice((clause, clause, about_the_run))() for _ in range(draw.randint(0, 3))]
    orders = [
        f"{draw.choice(('metrics.auc', 'params.kind', 'tags.kind', 'start_time', 'attributes.run_name', 'none.x'))}"
        f"{draw.choice(('', ' ASC', ' DESC', ' desc'))}"
        for _ in range(draw.randint(0, 2))
    ]
    return draw.choice((" AND ", " and ")).join(clauses), orders


def test_searches_find_what_mlflow_finds(judge: Path) -> None:
    draw = random.Random(20261129)
    runs = some_runs(draw)
    searches = [some_search(draw) for _ in range(SEARCHES)]
    answers = judged(judge, runs, searches)
    assert sum(1 for answer in answers if answer) > SEARCHES / 10
    assert sum(1 for answer in answers if answer is None) > SEARCHES / 10
    differing = [
        f"{text!r} {orders}: {found}, mlflow {answer}"
        for (text, orders), answer in zip(searches, answers, strict=True)
        # mlflow finds no fault with a clause if no run is left when its turn comes
        if (found := ours(runs, text, orders)) != answer and not (found is None and answer == [])
    ]
    assert differing == []
