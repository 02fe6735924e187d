"""A workspace's endpoints: their deployments and traffic, logs, and a box that sends a request."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox.ask import ask
from sandbox.studio.assets import asset_page, asset_title
from sandbox.studio.azure import API, ML, Answer, Refused, quoted
from sandbox.studio.charts import share
from sandbox.studio.pages.activity import shown
from sandbox.studio.render import pretty
from sandbox.studio.visit import Done, Missing, Page, Route, View, Visit, whole_number

KINDS = {"realtime": "onlineEndpoints", "batch": "batchEndpoints"}
"""The resource types by the word that Azure ML's studio has in its addresses."""
DEPLOYMENT_HEADER = "azureml-model-deployment"
CONTAINERS = ("InferenceServer", "StorageInitializer")
NAME = re.compile(r"[\w-]*")
SHARE = "share:"
"""Begins the form's field of a deployment's share."""
TAIL = 200  # lines of a log
MOST_REQUESTS = 20
MOST_SHOWN = 20_000  # characters of an answer
BATCH_BODY = '{"properties": {"InputData": {"data": {"JobInputType": "UriFolder", "Uri": ""}}}}'


def _kind(visit: Visit) -> str:
    kind = KINDS.get(visit.path["kind"])
    if kind is None:
        raise Missing(f"An endpoint is one of {', '.join(KINDS)}, not '{visit.path['kind']}'.")
    return kind


def _path(visit: Visit) -> str:
    return f"{visit.workspace.id}/{_kind(visit)}/{visit.path['name']}"


def show(visit: Visit) -> View:
    """All endpoints of the workspace."""
    endpoints = [
        _read(word, body) for word, kind in KINDS.items() for body in visit.azure.listed(f"{visit.workspace.id}/{kind}")
    ]
    return View("endpoints.html.j2", "Endpoints", {"endpoints": endpoints})


def _read(word: str, body: Mapping[str, Any]) -> dict[str, Any]:
    own = body["properties"]
    default = (own.get("defaults") or {}).get("deploymentName")
    return {
        "kind": word,
        "name": body["name"],
        "state": own.get("provisioningState"),
        "address": own.get("scoringUri"),
        "authMode": own.get("authMode"),
        "publicNetworkAccess": own.get("publicNetworkAccess"),
        "traffic": own.get("traffic") or ({default: 100} if default else {}),
        "mirrorTraffic": own.get("mirrorTraffic") or {},
    }


def show_one(visit: Visit, sent: dict[str, Any] | None = None) -> View:
    """An endpoint; `sent` is what a request of the box has brought."""
    body = visit.azure.arm(_path(visit))
    endpoint = _read(visit.path["kind"], body)
    deployments = [_deployment(endpoint, one) for one in visit.azure.listed(f"{_path(visit)}/deployments")]
    data = {
        "endpoint": endpoint,
        "deployments": deployments,
        "log": _log(visit, deployments),
        "requests": _requests(visit, endpoint),
        "resource": body,
        "sent": sent,
    }
    template = "{}" if endpoint["kind"] == "realtime" else BATCH_BODY
    extra = {
        "body": visit.form.get("body", template),
        "wanted": visit.form.get("deployment", ""),
        "containers": CONTAINERS,
        "shares": {one["name"]: share(one["traffic"], 100) for one in deployments},
        "asset_link": lambda text: asset_page(visit, text),
        "asset_title": asset_title,
    }
    return View("endpoint.html.j2", endpoint["name"], data, extra)


def _deployment(endpoint: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    own = body["properties"]
    model = own.get("model")
    return {
        "name": body["name"],
        "state": own.get("provisioningState"),
        "model": model.get("assetId") if isinstance(model, dict) else model,
        "size": own.get("instanceType") or (own.get("resources") or {}).get("instanceType"),
        "instances": (body.get("sku") or {}).get("capacity") or (own.get("resources") or {}).get("instanceCount"),
        "compute": own.get("compute"),
        "traffic": endpoint["traffic"].get(body["name"], 0),
        "mirror": endpoint["mirrorTraffic"].get(body["name"], 0),
        "resource": body,
    }


def _log(visit: Visit, deployments: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The end of the chosen deployment's log; None where there is none to read."""
    names = [one["name"] for one in deployments]
    if visit.path["kind"] != "realtime" or not names:
        return None
    name = visit.query.get("log", names[0])
    container = visit.query.get("container", CONTAINERS[0])
    address = f"{visit.workspace.arm}/onlineEndpoints/{quoted(visit.path['name'])}/deployments/{quoted(name)}/getLogs"
    found = {"deployment": name, "container": container, "content": "", "refused": ""}
    try:
        told = visit.azure.send("POST", address, {"containerType": container, "tail": TAIL}, api_version=API).json()
    except Refused as refused:
        return {**found, "refused": refused.message}
    return {**found, "content": told["content"]}


def _requests(visit: Visit, endpoint: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The last requests that the endpoint had, from the sandbox's record of activity."""
    host = urlsplit(endpoint["address"] or "").hostname
    if not host:
        return []
    asked = {"principal": visit.azure.object_id, "host": host, "limit": MOST_REQUESTS}
    told = ask(visit.directory, "GET", f"/activity?{urlencode(asked)}")["requests"]
    return [shown(one) for one in told[::-1]]


def send(visit: Visit) -> View:
    """Sends the box's request as the persona, and shows what came back."""
    body = visit.azure.arm(_path(visit))
    endpoint = _read(visit.path["kind"], body)
    text, deployment = visit.form.get("body", ""), visit.form.get("deployment", "")
    if not NAME.fullmatch(deployment):
        raise Missing(f"The endpoint '{endpoint['name']}' has no deployment '{deployment}'.")
    headers = {"Content-Type": "application/json", **({DEPLOYMENT_HEADER: deployment} if deployment else {})}
    begun = time.perf_counter()
    try:
        headers["Authorization"] = f"Bearer {_credential(visit, endpoint)}"
        answer = visit.azure.send("POST", endpoint["address"], text.encode(), headers=headers)
        told = {"status": answer.status, "code": "", "body": _shown(answer), "deployment": _served(answer)}
    except Refused as refused:
        told = {"status": refused.status, "code": refused.code, "body": refused.message, "deployment": ""}
    told |= {"milliseconds": round((time.perf_counter() - begun) * 1000, 1), "run": ""}
    if endpoint["kind"] == "batch" and told["status"] == 200:  # noqa: PLR2004 # the job began
        told["run"] = json.loads(str(told["body"])).get("name", "")
    return show_one(visit, told)


def _credential(visit: Visit, endpoint: Mapping[str, Any]) -> str:
    """What the endpoint takes: its key or its own token where the persona may have that, else the persona's token."""
    address = f"{visit.workspace.arm}/onlineEndpoints/{quoted(endpoint['name'])}"
    if endpoint["authMode"] == "Key":
        return str(visit.azure.send("POST", f"{address}/listKeys", api_version=API).json()["primaryKey"])
    if endpoint["authMode"] == "AMLToken":
        return str(visit.azure.send("POST", f"{address}/token", api_version=API).json()["accessToken"])
    return visit.azure.token(ML)


def _served(answer: Answer) -> str:
    return str(answer.headers.get(DEPLOYMENT_HEADER, ""))


def _shown(answer: Answer) -> str:
    """The answer's text, JSON with indents."""
    text = answer.data.decode(errors="replace")
    with suppress(ValueError):
        text = pretty(json.loads(text))
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}\n… {len(text) - MOST_SHOWN} more characters"


def route_traffic(visit: Visit) -> Done:
    """Sets the shares of an online endpoint's deployments."""
    body = visit.azure.arm(_path(visit))
    shares = {name.removeprefix(SHARE): _share(text) for name, text in visit.form.items() if name.startswith(SHARE)}
    changed = {
        **body,
        "properties": {**body["properties"], "traffic": {name: one for name, one in shares.items() if one}},
    }
    address = f"{visit.workspace.arm}/onlineEndpoints/{quoted(visit.path['name'])}"
    visit.azure.send("PUT", address, changed, api_version=API)
    return Done(visit.link(f"/endpoints/{visit.path['kind']}/{visit.path['name']}/detail"))


def _share(text: str) -> int:
    share = whole_number(text)
    if share is None or share > 100:  # noqa: PLR2004 # per cent
        raise Refused(400, "BadShare", f"A deployment's share is a whole number from 0 to 100, not '{text}'.")
    return share


PAGE = Page(
    "Endpoints",
    "/endpoints",
    (
        Route("/endpoints", show),
        Route("/endpoints/{kind}/{name}/detail", show_one),
        Route("/endpoints/{kind}/{name}/detail", send, "POST"),
        Route("/endpoints/{kind}/{name}/traffic", route_traffic, "POST"),
    ),
    group="Workspace",
)
