"""One department: what concerns all teams, then each team."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pulumi
import pulumi_azure_native as azure_native
from pulumi_azure_native import authorization

from catalogue.prices import read_prices
from components.retries import lookup, retry_what_passes
from components.workspace.modelregistry import ModelRegistry
from contract import CONTRACT, DepartmentOutput, ModelRegistryOutput, StackOutputs
from department.aliases import drop_version_aliases, keep_renamed
from department.context import DepartmentContext
from department.models import make_model_registry
from department.outputs import exported, later
from department.people import find_people
from department.preflight import keep_names, report_demanded_tags, report_quota
from department.providers import directory_provider
from department.shared import admit_subscription_admins, define_policies, make_shared_services
from department.tags import leave_alone
from department.team import build_team
from settings import Department
from settings.warnings import warnings


def build_department(department: Department) -> Mapping[str, Any]:
    """Register everything of a department; the stack's outputs, as `contract.StackOutputs` describes them."""
    for warning in warnings(department, date.today()):
        pulumi.log.warn(warning)
    report_quota(department)
    report_demanded_tags(department)
    keep_names(department)
    if not department.keep_version_aliases:
        drop_version_aliases()
    leave_alone(department.ignore_tags)
    keep_renamed(department.teams)
    retry_what_passes()
    provider = azure_native.Provider("azure", subscription_id=department.subscription_id)
    entra = directory_provider()
    client = lookup(lambda: authorization.get_client_config_output(opts=pulumi.InvokeOptions(provider=provider)))
    policies = define_policies(department, provider)
    shared = DepartmentContext(
        department=department,
        provider=provider,
        directory_provider=entra,
        tenant_id=client.tenant_id,
        directory=find_people(department, entra),
        prices=read_prices(),
        custom_policies=policies,
        services=make_shared_services(department, provider, policies),
        model_registry=make_model_registry(department, provider),
    )
    admit_subscription_admins(department, provider, shared.directory)
    outputs = StackOutputs.model_construct(
        contract=CONTRACT,
        department=_output(department, shared.model_registry),
        teams={team.name: build_team(shared, team) for team in department.teams},
    )
    return dict(exported(outputs))


def _output(department: Department, registry: ModelRegistry | None) -> DepartmentOutput:
    model_registry = None
    if registry:
        model_registry = ModelRegistryOutput.model_construct(
            name=later(registry.registry_name),
            resource_group=later(registry.resource_group_name),
            uri=later(registry.uri),
        )
    return DepartmentOutput.model_construct(
        code=department.code,
        environment=department.environment,
        region=department.region,
        subscription_id=department.subscription_id,
        owner=department.owner,
        cost_center=department.cost_center,
        model_registry=model_registry,
    )
