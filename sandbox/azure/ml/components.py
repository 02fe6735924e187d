"""Components: registered and anonymous, with their specification as the service writes it.

Source: recordings of azure-ai-ml's test_component.py of 2026-03, listed in docs/fidelity/ml.md.
"""

import copy
import json
import re
import uuid
from typing import Any

from sandbox.azure import clock
from sandbox.azure.arm.core import Body
from sandbox.azure.arm.resources import Route
from sandbox.azure.ml.assetkinds import AssetType
from sandbox.azure.ml.assets import DEFAULT_LABEL, by_asset_id, version_of
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.pipelines.bindings import parent_output
from sandbox.azure.ml.registration import AssetRoutes, put_version
from sandbox.azure.ml.scope import Scope

RETRIES, TIMEOUT = 3, 60
"""Of a mini-batch of a parallel component that says nothing of it: how often, and seconds."""
ANONYMOUS = "azureml_anonymous"
"""The name that all anonymous components share; their versions are the service's."""
DEFAULT_VERSION = "azureml_default"
"""The version that stands for the default label in an address."""
KIND = AssetType("components", (), (), "components/versions/write", {"stage": "Development"}, previews=())
MUTABLE = ("description", "display_name", "tags", "$schema")
UNKEPT = ("_source", "creation_context", "id", "sourceJobId", "jobs")
EARLY = "early_available"
DISTRIBUTIONS = {"mpi": "Mpi", "pytorch": "PyTorch", "tensorflow": "TensorFlow", "ray": "Ray"}
_CURATED = re.compile(r"azureml:([^:@/]+)(?::([^:@/]+)|@([^:@/]+))")

_NAMED = re.compile(r"azureml:([\w-]+)")


def _text(value: Any) -> Any:
    """Every scalar as text, as the service gives it back; what is unset goes."""
    if isinstance(value, dict):
        return {key: _text(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_text(one) for one in value]
    return str(value)


def _environment(reference: Any) -> Any:
    """A curated environment by its registry; the client has resolved the workspace's own."""
    found = _CURATED.fullmatch(reference) if isinstance(reference, str) else None
    if found is None:
        return reference
    at = f"versions/{found[2]}" if found[2] else f"labels/{found[3]}"
    return f"azureml://registries/azureml/environments/{found[1]}/{at}"


def _default(given: Body) -> Body:
    """An input whose default names something of the workspace has the name alone."""
    found = _NAMED.fullmatch(given["default"]) if isinstance(given.get("default"), str) else None
    return {**given, "default": found[1]} if found else given


def normalised(sent: Body, version: str) -> Body:
    """A specification as the service gives it back, without the nodes of a pipeline."""
    is_command = sent.get("type", "command") == "command"
    spec = {
        "is_deterministic": is_command,
        "type": "command",
        "version": version,
        **{key: value for key, value in sent.items() if key not in UNKEPT},
    }
    if spec.get("inputs"):
        spec["inputs"] = {name: {"optional": False, **_default(given)} for name, given in spec["inputs"].items()}
    if is_command:
        spec["environment"] = _environment(spec.get("environment"))
        spec["resources"] = {"instance_count": 1, **(spec.get("resources") or {})}
    if spec["type"] == "parallel":
        spec |= _parallel(spec)
    kept: Body = _text({key: value for key, value in spec.items() if value not in (None, {})})
    if "distribution" in kept:
        kind = kept["distribution"].get("type", "")
        kept["distribution"]["type"] = DISTRIBUTIONS.get(kind.lower(), kind)
    return kept


def _parallel(spec: Body) -> Body:
    """What the service makes of a parallel component: retries are filled in, resources and modes of inputs go.

    Source: the recording of azure-ai-ml's test_parallel_job, 2026-03.
    """
    task = spec.get("task") or {}
    inputs = {name: {k: v for k, v in one.items() if k != "mode"} for name, one in (spec.get("inputs") or {}).items()}
    return {
        "resources": None,
        "inputs": inputs,
        "retry_settings": {"max_retries": RETRIES, "timeout": TIMEOUT, **(spec.get("retry_settings") or {})},
        "task": {**task, "environment": _environment(task.get("environment"))},
    }


def _take_early(scope: Scope, spec: Body, jobs: Any) -> None:
    """Marks a pipeline's outputs as available early where those of its nodes are that they are bound to."""
    outputs = spec.get("outputs") or {}
    for node in jobs.values() if isinstance(jobs, dict) and outputs else ():
        component = by_asset_id(scope, str(node.get("componentId"))) if isinstance(node, dict) else None
        made = (component or {}).get("properties", {}).get("componentSpec", {}).get("outputs") or {}
        for name, bound in (node.get("outputs") or {}).items() if made else ():
            target = parent_output(bound.get("value") if isinstance(bound, dict) else bound)
            if EARLY in made.get(name, {}) and target in outputs:
                outputs[target][EARLY] = made[name][EARLY]


def _version_guid(spec: Body, jobs: Any) -> str:
    """The version of an anonymous component: the same for the same specification, name and nodes included."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps([spec, jobs], sort_keys=True)))


def _refuse_changes(name: str, old: Body, spec: Body, jobs: Any) -> None:
    before, after = ({**one, "jobs": graph} for one, graph in ((old["componentSpec"], old.get("jobs")), (spec, jobs)))
    for field in sorted({*before, *after}.difference(MUTABLE)):
        if before.get(field) != after.get(field):
            raise UserError(
                400,
                f'Failed to update component {name} since field "{field}" is immutable, try specifying a new version.',
                "BadArgument",
                "ArgumentInvalid",
                "UpdateComponentFailed",
            )


class ComponentRoutes(AssetRoutes):
    """The operations of components."""

    def find(self, scope: Scope, name: str, version: str) -> Body | None:
        """A version, or the default one under its label's id."""
        if version != DEFAULT_VERSION:
            return super().find(scope, name, version)
        label = f"{scope.id}/{KIND.plural}/{name}/labels/{DEFAULT_LABEL}"
        latest = by_asset_id(scope, label)
        return latest and {**latest, "id": label}

    def put(self, scope: Scope, name: str, version: str, properties: Body) -> tuple[Body, bool]:
        """Makes a version, or changes what describes it. An anonymous one is answered as new each time."""
        sent, anonymous = properties.get("componentSpec"), name == ANONYMOUS
        old = version_of(scope, KIND.plural, name, version)
        if not isinstance(sent, dict):
            if sent is not None or old is None:
                raise UserError(400, "A component needs a componentSpec, an object.", "BadArgument")
            sent = old["properties"]["componentSpec"] | {
                key: properties[key] for key in ("description", "tags") if properties.get(key) is not None
            }
            sent["jobs"] = old["properties"].get("jobs")
        spec, jobs = normalised(sent, str(sent.get("version") or "1") if anonymous else version), sent.get("jobs")
        _take_early(scope, spec, jobs)
        if anonymous:
            version = _version_guid(spec, jobs)
            known = version_of(scope, KIND.plural, name, version)
            if known is not None:
                return known, True
        elif old is not None:
            _refuse_changes(name, old["properties"], spec, jobs)
        stage = {"stage": "Logged"} if spec.get("name") == ANONYMOUS else {}
        kept = {**properties, **stage, "isAnonymous": anonymous, "componentSpec": spec, "jobs": jobs}
        return put_version(scope, KIND, name, version, kept)

    def present(self, version: Body) -> Body:
        """Shows a version without a pipeline's nodes, and with the description of its specification."""
        shown = copy.deepcopy(version)
        shown["properties"].pop("jobs", None)
        shown["properties"] |= {"description": None, "autoDeleteSetting": None}
        return shown

    def present_container(self, scope: Scope, container: Body) -> Body:
        """Shows a container: its next version is a time, and it has no latest version."""
        shown = copy.deepcopy(container)
        shown["properties"] |= {
            "description": shown["properties"].get("description") or "",
            "latestVersion": None,
            "nextVersion": _time_version(),
            "provisioningState": "Succeeded",
        }
        return shown

    def listed(self, container: Body) -> bool:
        """The components that lists show: all but the anonymous ones."""
        return bool(container["name"] != ANONYMOUS)

    def missing(self, name: str, version: str = "") -> UserError:
        """The refusal of a component that does not exist, 404, in the service's words."""
        what = f"{name}:{version}" if version else name
        return UserError(404, f"Not found component {what}.", "NotFound", "ComponentNotFound")


def _time_version() -> str:
    """Such as `2026-03-27-04-05-20-2300110`: to a ten-millionth of a second."""
    now = clock.now()
    return f"{now:%Y-%m-%d-%H-%M-%S}-{now.microsecond:06d}0"


def routes() -> list[Route]:
    """The routes of components."""
    return ComponentRoutes(KIND).routes()
