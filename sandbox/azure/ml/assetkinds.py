"""The types of assets: what a version must have, what never changes, and what the service makes of it.

Sources: recordings of azure-ai-ml's tests, listed in docs/fidelity/ml.md.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import yaml

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.names import WORKSPACES
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import AddressError, Location, locate, long_uri

DATA_TYPES = ("uri_file", "uri_folder", "mltable")
FOLDERS = ("uri_folder", "mltable")
MODEL_TYPES = ("custom_model", "mlflow_model", "triton_model")
ANONYMOUS_ENVIRONMENT = "CliV2AnonymousEnvironment"


@dataclass(frozen=True)
class AssetType:
    """A type of asset.

    Attributes:
        plural: Its segment in paths.
        content: The properties that never change once a version is made.
        required: Those that a version must have.
        write: The right that a PUT needs.
        defaults: What the service fills in.
        check: Refuses a new version's properties, and completes them.
        unset: What is shown as null where it is not set, in all API versions.
        previews: The same, in preview versions of the API.
        settles: Whether a version has a provisioningState.
        conflict: Status and text of the refusal of other content; `{name}` and `{version}` stand for the asset's.
        again: The status of a PUT that changes a version.
        missing: Code and text of the refusal where there is no container; empty for the general one.
    """

    plural: str
    content: tuple[str, ...]
    required: tuple[str, ...]
    write: str
    defaults: Body = field(default_factory=dict)
    check: Callable[[Scope, Body], None] = lambda scope, properties: None
    unset: tuple[str, ...] = ()
    previews: tuple[str, ...] = ("autoDeleteSetting", "intellectualProperty")
    settles: bool = True
    conflict: tuple[int, str] = (400, "Asset paths cannot be updated.")
    again: int = 200
    missing: tuple[str, str] = ("", "")

    @property
    def type(self) -> str:
        """The type's name."""
        return f"{WORKSPACES}/{self.plural}"


def _bad(text: str, target: str) -> UserError:
    return UserError(400, text, "BadArgument", target=f"properties.{target}")


def _located(scope: Scope, uri: str, target: str) -> Location:
    try:
        return locate(scope, uri)
    except AddressError as error:
        raise _bad(str(error), target) from error


def _environment(scope: Scope, properties: Body) -> None:
    """What describes packages is a conda file, and with an image only."""
    del scope
    if not properties.get("image") and not properties.get("build"):
        raise _bad("An environment needs an image or a build context.", "image")
    if properties.get("image") and properties.get("build"):
        raise _bad("An environment has an image or a build context, not both.", "build")
    if properties.get("condaFile") and properties.get("build"):
        raise _bad("An environment with a build context takes no conda file.", "condaFile")
    try:
        conda = yaml.safe_load(properties.get("condaFile") or "")
    except (yaml.YAMLError, RecursionError) as error:
        raise _bad(f"The conda file is no YAML: {error}", "condaFile") from error
    if conda is not None and not isinstance(conda, dict):
        raise _bad("The conda file must be a mapping with `dependencies`.", "condaFile")
    properties["stage"] = "Logged" if properties.get("isAnonymous") else "Development"


def conda_text(conda_file: str | None) -> str:
    """A conda file as the service gives it back: as JSON, and empty for none. It is kept as it was sent."""
    conda = yaml.safe_load(conda_file or "")
    return json.dumps(conda, indent=2, default=str) if conda else ""


def _data(scope: Scope, properties: Body) -> None:
    """A datastore's address comes back with the workspace, a folder's with `/` at its end."""
    kind = properties["dataType"] = str(properties.get("dataType") or "uri_folder").lower()
    if kind not in DATA_TYPES:
        raise _bad(f"Data type '{kind}' is not one of {', '.join(DATA_TYPES)}.", "dataType")
    uri = str(properties["dataUri"])
    if uri.startswith("azureml:"):
        uri = long_uri(scope, _located(scope, uri, "dataUri"))
    properties["dataUri"] = f"{uri}/" if kind in FOLDERS and not uri.endswith("/") else uri


def _model(scope: Scope, properties: Body) -> None:
    """A model of a job or run is kept by where its files are, as the job's own names may go."""
    kind = properties.get("modelType", MODEL_TYPES[0])
    if kind not in MODEL_TYPES:
        raise _bad(f"Model type '{kind}' is not one of {', '.join(MODEL_TYPES)}.", "modelType")
    uri = str(properties["modelUri"])
    if uri.startswith(("azureml:", "runs:")):
        # here, unlike with data, the group's segment is in camel case
        address = long_uri(scope, _located(scope, uri, "modelUri"))
        properties["modelUri"] = address.replace("/resourcegroups/", "/resourceGroups/", 1)
        job = re.search(r"(?:jobs|runs:)/([^/]+)/", uri)
        if job is not None:
            properties.setdefault("jobName", job[1])


TYPES = (
    AssetType(
        "data",
        ("dataUri", "dataType"),
        ("dataUri",),
        "data/versions/write",
        check=_data,
        previews=("autoDeleteSetting", "intellectualProperty", "stage"),
        settles=False,
    ),
    AssetType(
        "environments",
        ("image", "condaFile", "build", "osType"),
        (),
        "environments/write",
        {"osType": "Linux", "environmentType": "UserCreated", "autoRebuild": "Disabled"},
        _environment,
        conflict=(409, "Environment {name} with version {version} is already registered and cannot be changed."),
        again=201,
    ),
    # The least set of rights to submit a job (how-to-assign-roles) names none for code but this one.
    AssetType("codes", ("codeUri",), ("codeUri",), "metadata/artifacts/write"),
    AssetType(
        "models",
        ("modelUri", "modelType"),
        ("modelUri",),
        "models/versions/write",
        {"modelType": "custom_model", "flavors": {}, "stage": "Development"},
        _model,
        unset=("jobName",),
        missing=("ModelNotFound", "Model container with name: {name} not found."),
    ),
)
BY_PLURAL = {one.plural: one for one in TYPES}
