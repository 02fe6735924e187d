"""A registry of models, environments and components that a department's teams share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import machinelearningservices as ml
from pulumi_azure_native import resources

from catalogue.roles import READER, REGISTRY_USER
from components.identity.principals import Principal, assign


@dataclass(frozen=True)
class ModelRegistryArgs:
    """A registry that teams share.

    Attributes:
        registry_name: Its name: 3 to 33 letters, digits, hyphens and underscores, unique in the tenant.
        resource_group_name: Resource group to make for it, as it belongs to no team.
        location: Its Azure region.
        other_regions: Further regions in which its content is kept, for workspaces there.
        replication: Redundancy of its storage: `Standard_LRS`, `Standard_ZRS`, …
        public: Whether it is reached over the internet, or by private endpoints only.
        tags: Tags of group and registry.
    """

    registry_name: str
    resource_group_name: str
    location: str
    other_regions: Sequence[str] = ()
    replication: str = "Standard_LRS"
    public: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)


class ModelRegistry(pulumi.ComponentResource):
    """An Azure Machine Learning registry in a resource group of its own: what one team registers, the others use.

    Azure makes its storage and its container registry itself, in a group that only Azure changes.

    Example:
        >>> from components.workspace.modelregistry import ModelRegistry, ModelRegistryArgs
        >>> from components.identity.principals import Principal
        >>> shared = ModelRegistry(
        ...     "shared",
        ...     ModelRegistryArgs(registry_name="bgmrmodels", resource_group_name="bgmr-models", location="eastus2"),
        ... )
        >>> shared.admit(Principal("user2@site.com", "9a0b7f6e-2a57-4c0f-8d55-0c2a0f0d2a11", "User"))
        >>> pulumi.export("registry", shared.registry_name)

    Attributes:
        registry_id: Id of the registry.
        registry_name: Its name.
        resource_group_name: Its resource group.
        uri: How clients name it: `azureml://registries/NAME`.
    """

    registry_id: pulumi.Output[str]
    registry_name: pulumi.Output[str]
    resource_group_name: pulumi.Output[str]
    uri: pulumi.Output[str]

    def __init__(self, name: str, args: ModelRegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("azureml-platform:components:ModelRegistry", name, {}, opts)
        self._name = name
        self._admitted: set[str] = set()
        group = resources.ResourceGroup(
            f"{name}-group",
            resource_group_name=args.resource_group_name,
            location=args.location,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        registry = ml.Registry(
            name,
            registry_name=args.registry_name,
            resource_group_name=group.name,
            location=args.location,
            identity=ml.ManagedServiceIdentityArgs(type=ml.ManagedServiceIdentityType.SYSTEM_ASSIGNED),
            region_details=[_region(region, args.replication) for region in (args.location, *args.other_regions)],
            public_network_access="Enabled" if args.public else "Disabled",
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.registry_id, self.registry_name = registry.id, registry.name
        self.resource_group_name = group.name
        self.uri = pulumi.Output.concat("azureml://registries/", registry.name)
        self.register_outputs({"registryId": self.registry_id, "registryName": self.registry_name, "uri": self.uri})

    def admit(self, principal: Principal, *, registers: bool = True) -> None:
        """Give a principal a role on the registry; a second call for the same principal does nothing.

        Args:
            principal: Who; its name is unique among all who are admitted.
            registers: Whether they also register what others use (AzureML Registry User), or only see what is there.
        """
        logical_name = f"{self._name}-{'user' if registers else 'reader'}-{principal.name}"
        if logical_name not in self._admitted:
            self._admitted.add(logical_name)
            role = REGISTRY_USER if registers else READER
            opts = pulumi.ResourceOptions(parent=self)
            assign(logical_name, scope=self.registry_id, principal=principal, role=role, opts=opts)


def _region(region: str, replication: str) -> ml.RegistryRegionArmDetailsArgs:
    """The resources that Azure makes for a registry in a region; their container registry must be Premium."""
    return ml.RegistryRegionArmDetailsArgs(
        location=region,
        acr_details=[
            ml.AcrDetailsArgs(system_created_acr_account=ml.SystemCreatedAcrAccountArgs(acr_account_sku="Premium"))
        ],
        storage_account_details=[
            ml.StorageAccountDetailsArgs(
                system_created_storage_account=ml.SystemCreatedStorageAccountArgs(
                    storage_account_type=replication, storage_account_hns_enabled=False, allow_blob_public_access=False
                )
            )
        ],
    )
