"""MLflow's model registry: the same models that azure-ai-ml registers and lists.

What Azure's models have no field for (stage, source, run, aliases) is kept in properties under `mlflow.`.
"""

import json
import re
from typing import Any

from sandbox.azure.arm.core import Body, system_data
from sandbox.azure.ml import runs
from sandbox.azure.ml.assetkinds import BY_PLURAL
from sandbox.azure.ml.assets import CONTAINER, VERSION, next_version, refuse_deployed, version_of, versions_of
from sandbox.azure.ml.plane import search
from sandbox.azure.ml.plane.artifacts import model_uri
from sandbox.azure.ml.plane.mlflow import MlflowError, api, pairs, plain, text_of
from sandbox.azure.ml.plane.routing import Answer, Request
from sandbox.azure.ml.registration import put_version
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import locate, long_uri

PLURAL = "models"
STAGES = ("None", "Staging", "Production", "Archived")
READ, WRITE, DELETE = "models/read", "models/write", "models/delete"
V_READ, V_WRITE, V_DELETE = "models/versions/read", "models/versions/write", "models/versions/delete"
SOURCE, RUN, STAGE, ALIASES = "mlflow.source", "mlflow.runId", "mlflow.stage", "mlflow.aliases"


def _container(request: Request, name: str) -> Body:
    found = request.scope.get(CONTAINER, PLURAL, name)
    if found is None:
        raise MlflowError("RESOURCE_DOES_NOT_EXIST", f"Registered Model with name={name} not found")
    return found


def _version(request: Request, name: str, version: str) -> Body:
    found = version_of(request.scope, PLURAL, name, version)
    if found is None:
        raise MlflowError("RESOURCE_DOES_NOT_EXIST", f"Model Version (name={name}, version={version}) not found")
    return found


def _aliases(container: Body) -> dict[str, str]:
    found: dict[str, str] = json.loads(container["properties"]["properties"].get(ALIASES, "{}"))
    return found


def _shown(request: Request, container: Body) -> Body:
    versions = versions_of(request.scope, PLURAL, container["name"])
    created = runs.millis(container["systemData"]["createdAt"])
    return {
        "name": container["name"],
        "creation_timestamp": created,
        "last_updated_timestamp": max((_updated(one) for one in versions), default=created),
        "description": container["properties"]["description"] or "",
        "latest_versions": [_shown_version(request, container["name"], one) for one in _latest(versions)],
        "tags": pairs(container["properties"]["tags"]),
        "aliases": [{"alias": alias, "version": version} for alias, version in _aliases(container).items()],
    }


def _latest(versions: list[Body], stages: tuple[str, ...] = STAGES) -> list[Body]:
    """The newest version of each stage."""
    found: dict[str, Body] = {}
    for one in versions:
        found.setdefault(one["properties"]["properties"].get(STAGE, "None"), one)
    return [found[stage] for stage in stages if stage in found]


def _updated(version: Body) -> int:
    return runs.millis(version["systemData"]["lastModifiedAt"])


def _shown_version(request: Request, name: str, version: Body) -> Body:
    own = version["properties"]["properties"]
    container = request.scope.get(CONTAINER, PLURAL, name)
    run_id = own.get(RUN) or version["properties"].get("jobName") or ""
    return {
        "name": name,
        "version": version["name"],
        "creation_timestamp": runs.millis(version["systemData"]["createdAt"]),
        "last_updated_timestamp": _updated(version),
        "user_id": version["systemData"]["createdBy"],
        "current_stage": own.get(STAGE, "None"),
        "description": version["properties"]["description"] or "",
        "source": own.get(SOURCE) or version["properties"]["modelUri"],
        "run_id": run_id,
        "status": "READY",
        "tags": pairs(version["properties"]["tags"]),
        "aliases": [one for one, at in _aliases(container).items() if at == version["name"]] if container else [],
    }


def _save(request: Request, container: Body, **changes: Any) -> Body:
    container["properties"] |= changes
    request.scope.put(CONTAINER, container, PLURAL, container["name"])
    return container


def _save_version(request: Request, name: str, version: Body, **changes: Any) -> Body:
    version["properties"] |= changes
    version["systemData"]["lastModifiedAt"] = runs.now()
    request.scope.put(VERSION, version, PLURAL, name, "versions", version["name"])
    return version


def _create(request: Request) -> Answer:
    name = text_of(request, "name")
    if request.scope.get(CONTAINER, PLURAL, name) is not None:
        raise MlflowError("RESOURCE_ALREADY_EXISTS", f"Registered Model (name={name}) already exists.")
    body = {
        "id": f"{request.scope.id}/{PLURAL}/{name}",
        "name": name,
        "type": BY_PLURAL[PLURAL].type,
        "properties": {
            "isArchived": False,
            "description": request.body.get("description"),
            "tags": {one["key"]: str(one.get("value", "")) for one in request.body.get("tags") or []},
            "properties": {},
        },
        "systemData": system_data(request.scope.cloud, request.scope.caller, None),
    }
    request.scope.put(CONTAINER, body, PLURAL, name)
    return {"registered_model": _shown(request, body)}


def _get(request: Request) -> Answer:
    return {"registered_model": _shown(request, _container(request, text_of(request, "name")))}


def _update(request: Request) -> Answer:
    container = _container(request, text_of(request, "name"))
    return {
        "registered_model": _shown(request, _save(request, container, description=text_of(request, "description", "")))
    }


def _delete(request: Request) -> Answer:
    container = _container(request, text_of(request, "name"))
    store, name = request.scope.cloud.store, container["name"]
    refuse_deployed(request.scope, PLURAL, name)
    with store.transaction():
        for version in versions_of(request.scope, PLURAL, name):
            store.delete(VERSION, request.scope.key(PLURAL, name, "versions", version["name"]))
        store.delete(CONTAINER, request.scope.key(PLURAL, name))
    return {}


def _search(request: Request) -> Answer:
    """By name alone: the service refuses tags, which MLflow's client asks for since 2.21.

    Source: azure-sdk-for-python#42155, as are code and text.
    """
    text = text_of(request, "filter", "")
    if any(kind == "tags" for kind in search.kinds(text)):
        why = "Currently unsupported filter string format (we currently do not support OR)."
        raise MlflowError("INVALID_PARAMETER_VALUE", f"{why} Provided filter string: {text}")
    found = [_shown(request, one) for one in request.scope.list(CONTAINER, PLURAL)]
    wanted = text_of(request, "filter", "")
    if re.search(r"\btags?\.", wanted, re.IGNORECASE):  # which mlflow asks for by itself since 2.21
        raise MlflowError(
            "INVALID_PARAMETER_VALUE",
            "Currently unsupported filter string format (we currently do not support OR). Provided filter string: "
            f"{wanted}",
        )
    chosen = search.select(found, wanted, search.REGISTERED)
    search.order(chosen, request.http.query_values("order_by") or ["name ASC"], search.REGISTERED)
    return {"registered_models": chosen}


def _tag(request: Request) -> Answer:
    container = _container(request, text_of(request, "name"))
    tags = {**container["properties"]["tags"], text_of(request, "key"): text_of(request, "value", "")}
    _save(request, container, tags=tags)
    return {}


def _untag(request: Request) -> Answer:
    container, key = _container(request, text_of(request, "name")), text_of(request, "key")
    _save(
        request, container, tags={name: value for name, value in container["properties"]["tags"].items() if name != key}
    )
    return {}


def _latest_versions(request: Request) -> Answer:
    container = _container(request, text_of(request, "name"))
    stages = request.body.get("stages") or request.http.query_values("stages") or STAGES
    versions = versions_of(request.scope, PLURAL, container["name"])
    chosen = _latest(versions, tuple(str(stage) for stage in stages))
    return {"model_versions": [_shown_version(request, container["name"], one) for one in chosen]}


def _set_alias(request: Request) -> Answer:
    container = _container(request, text_of(request, "name"))
    version = _version(request, container["name"], text_of(request, "version"))
    aliases = {**_aliases(container), text_of(request, "alias"): version["name"]}
    own = {**container["properties"]["properties"], ALIASES: json.dumps(aliases)}
    _save(request, container, properties=own)
    return {}


def _delete_alias(request: Request) -> Answer:
    container, alias = _container(request, text_of(request, "name")), text_of(request, "alias")
    aliases = {name: version for name, version in _aliases(container).items() if name != alias}
    _save(request, container, properties={**container["properties"]["properties"], ALIASES: json.dumps(aliases)})
    return {}


def _by_alias(request: Request) -> Answer:
    container, alias = _container(request, text_of(request, "name")), text_of(request, "alias")
    version = _aliases(container).get(alias)
    if version is None:
        raise MlflowError("INVALID_PARAMETER_VALUE", f"Registered model alias {alias} not found.")
    return {"model_version": _shown_version(request, container["name"], _version(request, container["name"], version))}


def _model_uri(scope: Scope, source: str) -> str:
    """Where a version's files are, from the source that a client names.

    Raises:
        MlflowError, AddressError: It names nothing.
    """
    for start in ("mlflow-artifacts:/", "azureml://artifacts/"):
        if source.startswith(start):
            parts = source.removeprefix(start).strip("/").split("/")
            if parts[1:2] == ["artifacts"]:
                return long_uri(scope, locate(scope, f"runs:/{parts[0]}/{'/'.join(parts[2:])}"))
            return long_uri(
                scope, locate(scope, f"azureml://datastores/workspaceartifactstore/paths/{'/'.join(parts)}")
            )
    if "/runs/" in source and "/artifacts" in source:
        run_id, _, path = source.partition("/runs/")[2].partition("/artifacts")
        return long_uri(scope, locate(scope, f"runs:/{run_id}/{path.strip('/')}"))
    return long_uri(scope, locate(scope, source))


def _create_version(request: Request) -> Answer:
    scope, name, source = request.scope, text_of(request, "name"), text_of(request, "source")
    _container(request, name)
    run_id = text_of(request, "run_id", "")
    version = next_version(versions_of(scope, PLURAL, name))
    own = {SOURCE: source, **({RUN: run_id} if run_id else {})}
    properties = {
        "modelUri": _model_uri(scope, source),
        "modelType": "mlflow_model",
        "jobName": run_id or None,
        "description": request.body.get("description"),
        "tags": {one["key"]: str(one.get("value", "")) for one in request.body.get("tags") or []},
        "properties": own,
    }
    body, _ = put_version(scope, BY_PLURAL[PLURAL], name, version, properties)
    return {"model_version": _shown_version(request, name, body)}


def _get_version(request: Request) -> Answer:
    name = text_of(request, "name")
    return {"model_version": _shown_version(request, name, _version(request, name, text_of(request, "version")))}


def _update_version(request: Request) -> Answer:
    name = text_of(request, "name")
    version = _version(request, name, text_of(request, "version"))
    saved = _save_version(request, name, version, description=text_of(request, "description", ""))
    return {"model_version": _shown_version(request, name, saved)}


def _transition(request: Request) -> Answer:
    name, stage = text_of(request, "name"), text_of(request, "stage").capitalize()
    if stage not in STAGES:
        raise MlflowError(
            "INVALID_PARAMETER_VALUE", f"Invalid Model Version stage: {stage}. Allowed: {', '.join(STAGES)}."
        )
    version = _version(request, name, text_of(request, "version"))
    if str(request.body.get("archive_existing_versions", False)).lower() == "true":
        for other in versions_of(request.scope, PLURAL, name):
            own = other["properties"]["properties"]
            if own.get(STAGE) == stage and other["name"] != version["name"]:
                _save_version(request, name, other, properties={**own, STAGE: "Archived"})
    saved = _save_version(request, name, version, properties={**version["properties"]["properties"], STAGE: stage})
    return {"model_version": _shown_version(request, name, saved)}


def _delete_version(request: Request) -> Answer:
    name = text_of(request, "name")
    version = _version(request, name, text_of(request, "version"))
    refuse_deployed(request.scope, PLURAL, name, version["name"])
    request.scope.cloud.store.delete(VERSION, request.scope.key(PLURAL, name, "versions", version["name"]))
    return {}


def _search_versions(request: Request) -> Answer:
    found = [
        _shown_version(request, container["name"], version)
        for container in request.scope.list(CONTAINER, PLURAL)
        for version in versions_of(request.scope, PLURAL, container["name"])
    ]
    chosen = search.select(found, text_of(request, "filter", ""), search.REGISTERED)
    search.order(chosen, request.http.query_values("order_by") or ["last_updated_timestamp DESC"], search.REGISTERED)
    return {"model_versions": chosen}


def _download_uri(request: Request) -> Answer:
    name, version = text_of(request, "name"), text_of(request, "version")
    _version(request, name, version)
    path = model_uri(request.scope, name, version)
    return {"artifact_uri": f"mlflow-artifacts:/{path}" if plain(request) else f"azureml://artifacts/{path}"}


def _tag_version(request: Request) -> Answer:
    name = text_of(request, "name")
    version = _version(request, name, text_of(request, "version"))
    tags = {**version["properties"]["tags"], text_of(request, "key"): text_of(request, "value", "")}
    _save_version(request, name, version, tags=tags)
    return {}


def _untag_version(request: Request) -> Answer:
    name, key = text_of(request, "name"), text_of(request, "key")
    version = _version(request, name, text_of(request, "version"))
    tags = {one: value for one, value in version["properties"]["tags"].items() if one != key}
    _save_version(request, name, version, tags=tags)
    return {}


ROUTES = [
    api("POST", "/registered-models/create", WRITE, _create),
    api("GET", "/registered-models/get", READ, _get),
    api("PATCH", "/registered-models/update", WRITE, _update),
    api("DELETE", "/registered-models/delete", DELETE, _delete),
    api("GET", "/registered-models/search", READ, _search),
    api("POST", "/registered-models/get-latest-versions", V_READ, _latest_versions),
    api("GET", "/registered-models/get-latest-versions", V_READ, _latest_versions),
    api("POST", "/registered-models/set-tag", WRITE, _tag),
    api("DELETE", "/registered-models/delete-tag", WRITE, _untag),
    api("POST", "/registered-models/alias", WRITE, _set_alias),
    api("DELETE", "/registered-models/alias", WRITE, _delete_alias),
    api("GET", "/registered-models/alias", READ, _by_alias),
    api("POST", "/model-versions/create", V_WRITE, _create_version),
    api("GET", "/model-versions/get", V_READ, _get_version),
    api("PATCH", "/model-versions/update", V_WRITE, _update_version),
    api("POST", "/model-versions/transition-stage", V_WRITE, _transition),
    api("DELETE", "/model-versions/delete", V_DELETE, _delete_version),
    api("GET", "/model-versions/search", V_READ, _search_versions),
    api("GET", "/model-versions/get-download-uri", V_READ, _download_uri),
    api("POST", "/model-versions/set-tag", V_WRITE, _tag_version),
    api("DELETE", "/model-versions/delete-tag", V_WRITE, _untag_version),
]
