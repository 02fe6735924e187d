"""A run's page: what it is, what it logged, its children, its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from sandbox.studio import lineage
from sandbox.studio.assets import asset_page, asset_title
from sandbox.studio.azure import Refused
from sandbox.studio.history import ENDED, REUSED, History
from sandbox.studio.pages.runs import artifacts, change, graph, logs, metrics, sweep
from sandbox.studio.people import names
from sandbox.studio.render import moment
from sandbox.studio.visit import View, Visit

NOT_FOUND = 404
SERVICE = ("_aml_system", "azureml.", "mlflow.")
"""What tags begin with that the service itself sets: the definition has them."""
TABS = ("overview", "log", "metrics", "files", "definition")


def show(visit: Visit) -> View:
    """A run."""
    history, name = History(visit), visit.path["run"]
    tab = visit.query.get("tab", "overview")
    asks: list[Callable[[str], Any]] = [
        history.record, history.details, history.logged, history.children, partial(_definition, history),
    ]  # fmt: skip
    record, details, logged, children, definition = visit.azure.all(lambda ask: ask(name), asks)
    kind, ended = _kind(record, definition), details["status"] in ENDED
    data: dict[str, Any] = {
        "run": {
            **{key: record[key] for key in ("runId", "displayName", "experimentId", "description", "parentRunId")},
            "state": details["status"],
            "kind": kind,
            "created": record["createdUtc"],
            "started": details.get("startTimeUtc"),
            "ended": details.get("endTimeUtc"),
            "seconds": logged.seconds,
            "target": record.get("target"),
            "submittedBy": names(visit.azure, [logged.user]).get(logged.user, logged.user),
            "error": _error(details),
            "warnings": [one.get("message") for one in record.get("warnings") or []],
            "reuses": record["properties"].get(REUSED),
            "tags": record["tags"],
            "properties": record["properties"],
            "inputs": _assets(record, definition, "inputs"),
            "outputs": _assets(record, definition, "outputs"),
        },
        "metrics": dict(logged.metrics),
        "parameters": dict(logged.parameters),
        "children": [_child(one) for one in children],
        "origins": _origins(definition),
        "models": lineage.models_of(visit.azure, visit.workspace, name) if ended else [],
        "definition": definition,
        "logs": sorted(details["logFiles"]),
    }
    extra: dict[str, Any] = {
        "tab": tab if tab in TABS else "overview",
        "tabs": TABS,
        "ended": ended,
        "above": _above(history, record),
        "sorted": visit.query["sort"],
        "asset_title": asset_title,
        "tags": {key: value for key, value in record["tags"].items() if not key.startswith(SERVICE)},
        "asset_link": lambda text: asset_page(visit, text),
    }
    extra["can"] = {
        "cancel": not ended and kind != "MLflow",
        "retry": ended and definition is not None and kind in change.DEFINED,
    }
    if kind == "Pipeline" and definition:
        drawn = graph.read(definition, children, None if ended else visit.now)
        data["steps"] = [asdict(one) for one in drawn.steps]
        extra |= {"graph": graph.draw(drawn, visit.link), "bars": graph.bars(drawn)}
    if kind == "Sweep" and definition:
        trials = sweep.read(history, definition, logged.experiment, name)
        trials = sweep.ordered(trials, visit.query["sort"])
        data["trials"] = [asdict(one) for one in trials]
        extra |= {
            "scatter": sweep.charts_of(trials, definition),
            "hyperparameters": sweep.names(trials),
            "best": sweep.best(trials, definition),
        }
    if extra["tab"] == "metrics":
        shown, charts = metrics.read(history, name, sorted(logged.metrics), visit.query.get("step"))
        data["curves"] = shown
        extra["charts"] = charts
    if extra["tab"] == "files":
        data["artifacts"] = artifacts.listed(history, name)
    if extra["tab"] == "log":
        extra |= logs.read(visit, details["logFiles"])
    return View("run.html.j2", record["displayName"] or name, data, extra)


def _definition(history: History, run: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] | None = history.definition(run)
    except Refused as refused:
        if refused.status != NOT_FOUND:
            raise
        return None
    return found


def _kind(record: Mapping[str, Any], definition: Mapping[str, Any] | None) -> str:
    """Command, Pipeline, Sweep, Step or MLflow."""
    if definition:
        return str(definition["jobType"])
    source = record["properties"].get("azureml.runsource", "")
    return {"azureml.PipelineRun": "Pipeline", "azureml.StepRun": "Step", "hyperdrive": "Sweep"}.get(source, "MLflow")


def _seconds(details: Mapping[str, Any]) -> float | None:
    start, end = moment(details.get("startTimeUtc")), moment(details.get("endTimeUtc"))
    return (end - start).total_seconds() if start and end else None


def _error(details: Mapping[str, Any]) -> str | None:
    told = (details.get("error") or {}).get("error") or {}
    return told.get("message")


def _child(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "runId": record["runId"],
        "name": record["displayName"] or record["runId"],
        "state": record["status"],
        "started": record.get("startTimeUtc"),
        "ended": record.get("endTimeUtc"),
        "seconds": _seconds(record),
        "reuses": record["properties"].get(REUSED),
    }


def _assets(record: Mapping[str, Any], definition: Mapping[str, Any] | None, side: str) -> list[dict[str, Any]]:
    """The inputs or outputs: from the definition, else from the record."""
    given = (definition or {}).get(side) or {}
    kept = record.get(side) or {}
    type_of = "jobInputType" if side == "inputs" else "jobOutputType"
    return [
        {
            "name": name,
            "type": (given.get(name) or {}).get(type_of) or (kept.get(name) or {}).get("type"),
            "value": (given.get(name) or {}).get("uri") or (given.get(name) or {}).get("value"),
            "asset": (kept.get(name) or {}).get("assetId"),
        }
        for name in {**given, **kept}
    ]


def _origins(definition: Mapping[str, Any] | None) -> dict[str, str]:
    """The environment, the component and the commit that a run was made from."""
    own = definition or {}
    trial = own.get("trial") or own
    tags, properties = own.get("tags") or {}, own.get("properties") or {}
    found = {
        "Environment": trial.get("environmentId"),
        "Component": own.get("componentId"),
        "Schedule": properties.get("azureml.genericTriggerName"),
        "Commit": tags.get("git_commit") or properties.get("mlflow.source.git.commit"),
    }
    return {kind: str(name) for kind, name in found.items() if name}


def _above(history: History, record: Mapping[str, Any]) -> list[dict[str, str]]:
    """The runs that a run is nested in, the outermost first."""
    found: list[dict[str, str]] = []
    parent = record.get("parentRunId")
    while parent and parent not in {one["runId"] for one in found}:
        above = history.record(parent)
        found.insert(0, {"runId": parent, "name": above["displayName"] or parent})
        parent = above.get("parentRunId")
    return found
