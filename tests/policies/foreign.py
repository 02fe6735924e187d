"""Programs of nobody's here, in the manner of Pulumi's public examples: names that azure-native makes up, no tags, no
regions but the group's, a hub with projects, several workspaces, and much that is no machine learning.

The shapes are those of pulumi/examples (azure-py-static-website, -functions, -synapse, -virtual-data-center,
-containerapps; 2026-08) and of Microsoft's quickstarts for hubs; the programs are this project's.
"""

import pulumi
from pulumi_azure_native import (
    app,
    applicationinsights,
    authorization,
    containerregistry,
    keyvault,
    machinelearningservices,
    managedidentity,
    network,
    operationalinsights,
    resources,
    storage,
    web,
)

_SYSTEM = {"type": "SystemAssigned"}
_HOME = "/subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27"
_ROLES = f"{_HOME}/providers/Microsoft.Authorization/roleDefinitions"


def website() -> None:
    """A public website from a storage account."""
    group = resources.ResourceGroup("site-group")
    account = storage.StorageAccount(
        "site",
        resource_group_name=group.name,
        kind="StorageV2",
        sku={"name": "Standard_LRS"},
        network_rule_set={"default_action": "Allow"},
    )
    storage.StorageAccountStaticWebsite("pages", account_name=account.name, resource_group_name=group.name)
    pulumi.export("url", account.primary_endpoints)


def functions() -> None:
    """A function app whose settings hold a storage account's key."""
    group = resources.ResourceGroup("calls-group")
    account = storage.StorageAccount(
        "calls", resource_group_name=group.name, kind="StorageV2", sku={"name": "Standard_LRS"}
    )
    keys = storage.list_storage_account_keys_output(account_name=account.name, resource_group_name=group.name)
    connection: pulumi.Output[str] = pulumi.Output.secret(pulumi.Output.concat("AccountKey=", keys.apply(str)))
    plan = web.AppServicePlan("plan", resource_group_name=group.name, sku={"name": "Y1", "tier": "Dynamic"})
    settings = [{"name": "AzureWebJobsStorage", "value": connection}]
    web.WebApp(
        "function",
        resource_group_name=group.name,
        server_farm_id=plan.id,
        kind="functionapp",
        site_config={"app_settings": settings},
    )


def lake() -> None:
    """An analytics lake: a name from the configuration, roles by ids that are put together."""
    group = resources.ResourceGroup("lake-group", location="westeurope")
    account = storage.StorageAccount(
        "lake",
        account_name="analyticslake77",
        resource_group_name=group.name,
        is_hns_enabled=True,
        kind="StorageV2",
        sku={"name": "Standard_LRS"},
        minimum_tls_version="TLS1_2",
        allow_blob_public_access=False,
    )
    for person, role in (
        ("anne", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),
        ("bo", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
    ):
        authorization.RoleAssignment(
            person, scope=account.id, principal_id=f"object-of-{person}", role_definition_id=f"{_ROLES}/{role}"
        )


class Hub(pulumi.ComponentResource):
    """A network hub."""

    def __init__(self, name: str, group: pulumi.Input[str]) -> None:
        super().__init__("datacenter:index:Hub", name)
        own = pulumi.ResourceOptions(parent=self)
        guard = network.NetworkSecurityGroup(f"{name}-guard", resource_group_name=group, opts=own)
        made = network.VirtualNetwork(
            name,
            resource_group_name=group,
            address_space={"address_prefixes": ["10.0.0.0/16"]},
            subnets=[
                {"name": "GatewaySubnet", "address_prefix": "10.0.0.0/24"},
                {"name": "AzureFirewallSubnet", "address_prefix": "10.0.1.0/24"},
                {"name": "guarded", "address_prefix": "10.0.2.0/24", "network_security_group": {"id": guard.id}},
                {"name": "open", "address_prefix": "10.0.3.0/24"},
            ],
            opts=own,
        )
        network.Subnet(
            f"{name}-late",
            resource_group_name=group,
            virtual_network_name=made.name,
            address_prefix="10.0.4.0/24",
            opts=own,
        )


def datacenter() -> None:
    """Networks by a component."""
    Hub("hub", resources.ResourceGroup("datacenter-group").name)


def containers() -> None:
    """An image in a registry, with the registry's admin account, and an app that runs it."""
    group = resources.ResourceGroup("apps-group")
    logs = operationalinsights.Workspace("logs", resource_group_name=group.name, sku={"name": "PerGB2018"})
    registry = containerregistry.Registry(
        "images", resource_group_name=group.name, sku={"name": "Basic"}, admin_user_enabled=True
    )
    found = containerregistry.list_registry_credentials_output(
        resource_group_name=group.name, registry_name=registry.name
    )
    environment = app.ManagedEnvironment(
        "environment",
        resource_group_name=group.name,
        app_logs_configuration={
            "destination": "log-analytics",
            "log_analytics_configuration": {"customer_id": logs.customer_id},
        },
    )
    app.ContainerApp(
        "apps",
        resource_group_name=group.name,
        managed_environment_id=environment.id,
        configuration={
            "registries": [{"server": registry.login_server, "password_secret_ref": "pwd"}],
            "secrets": [{"name": "pwd", "value": found.apply(str)}],
        },
    )


def hub_and_projects() -> None:
    """A hub with two projects, and two workspaces beside it, one of them with another's vault."""
    group = resources.ResourceGroup("ai-group", location="swedencentral")
    vault = keyvault.Vault(
        "ai-vault",
        resource_group_name=group.name,
        properties={"tenant_id": "t", "sku": {"family": "A", "name": "standard"}, "access_policies": []},
    )
    account = storage.StorageAccount(
        "ai-store",
        resource_group_name=group.name,
        kind="StorageV2",
        sku={"name": "Standard_GRS"},
        minimum_tls_version="TLS1_2",
    )
    insights = applicationinsights.Component(
        "ai-insights",
        resource_group_name=group.name,
        kind="web",
        application_type="web",
        ingestion_mode="ApplicationInsights",
    )
    needs = {"storage_account": account.id, "key_vault": vault.id, "application_insights": insights.id}
    hub = machinelearningservices.Workspace(
        "hub", resource_group_name=group.name, kind="Hub", identity=_SYSTEM, public_network_access="Disabled", **needs
    )
    for name in ("chat", "search"):
        machinelearningservices.Workspace(
            name, resource_group_name=group.name, kind="Project", identity=_SYSTEM, hub_resource_id=hub.id
        )
    machinelearningservices.WorkspaceConnection(
        "model",
        resource_group_name=group.name,
        workspace_name=hub.name,
        properties={
            "auth_type": "ApiKey",
            "category": "AzureOpenAI",
            "target": "https://model.example",
            "credentials": {"key": pulumi.Output.secret("k")},
        },
    )
    identity = managedidentity.UserAssignedIdentity("nodes", resource_group_name=group.name)
    training = machinelearningservices.Workspace(
        "training",
        resource_group_name=group.name,
        identity=_SYSTEM,
        **needs,
    )
    machinelearningservices.Compute(
        "gpu",
        workspace_name=training.name,
        resource_group_name=group.name,
        identity={"type": "UserAssigned", "user_assigned_identities": [identity.id]},
        properties={
            "compute_type": "AmlCompute",
            "properties": {
                "vm_size": "Standard_NC24ads_A100_v4",
                "scale_settings": {"min_node_count": 1, "max_node_count": 8},
            },
        },
    )
    machinelearningservices.OnlineEndpoint(
        "scores",
        workspace_name=training.name,
        resource_group_name=group.name,
        identity=_SYSTEM,
        properties={"auth_mode": "Key"},
    )


PROGRAMS = (website, functions, lake, datacenter, containers, hub_and_projects)
