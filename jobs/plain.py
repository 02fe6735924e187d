"""The workspace in the forms that plain azure-ai-ml, `az ml` and MLflow read: no secret in any of them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from contract import TeamOutput


def _config(team: TeamOutput) -> str:
    """Return what `MLClient.from_config` reads from config.json."""
    own = {
        "subscription_id": team.subscription_id,
        "resource_group": team.resource_group,
        "workspace_name": team.workspace,
    }
    return json.dumps(own, indent=2)


def _az(team: TeamOutput) -> str:
    """Return the commands after which `az ml` needs no names."""
    group, workspace = shlex.quote(team.resource_group), shlex.quote(team.workspace)
    account = f"az account set --subscription {team.subscription_id}"
    return f"{account}\naz configure --defaults group={group} workspace={workspace}"


def _exports(team: TeamOutput) -> str:
    """Return exports: azure-ai-ml's, as its own compute sets them, and MLflow's."""
    own = {
        "AZUREML_ARM_SUBSCRIPTION": team.subscription_id,
        "AZUREML_ARM_RESOURCEGROUP": team.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": team.workspace,
        "MLFLOW_TRACKING_URI": team.tracking_uri,
    }
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in own.items())


Format = Literal["config.json", "az", "exports"]

_FORMATS: dict[Format, Callable[[TeamOutput], str]] = {"config.json": _config, "az": _az, "exports": _exports}


def text(team: TeamOutput, form: Format) -> str:
    """Return the workspace in a form."""
    return _FORMATS[form](team)
