"""Encryption with a key of the customer's own: made in the team's vault, or given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azuread as azuread
from pulumi_azure_native import containerregistry, keyvault, managedidentity, storage
from pulumi_azure_native import machinelearningservices as ml

from catalogue.roles import KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER
from components.identity.principals import Principal, assign
from components.retries import lookup

COSMOS_DB = "a232010e-820c-4083-83bb-3ace5fc29d0b"
"""Application of Azure Cosmos DB in every tenant of the public cloud, which keeps an encrypted workspace's metadata
(learn.microsoft.com/azure/machine-learning/how-to-setup-customer-managed-keys)."""

_KEY_SIZE = 3072  # at least, says the same page


@dataclass(frozen=True)
class CustomerKey:
    """A key of the customer's own. What is encrypted with it stays so, and is lost with it.

    Attributes:
        key_id: Azure id of a key that exists, in a vault with purge protection in the same subscription; one is made
            in the team's vault if left out.
        identity_id: Id of a user-assigned identity that may wrap with that key.
        service_side: Whether Azure ML keeps the workspace's metadata encrypted on its own side, which is in preview,
            and not in a Cosmos DB, a search service and a storage account that it makes in the subscription.
    """

    key_id: str | None = None
    identity_id: str | None = None
    service_side: bool = False

    def __post_init__(self) -> None:
        """Refuse half a key.

        Raises:
            ValueError: If only one of key and identity is given.
        """
        if (self.key_id is None) != (self.identity_id is None):
            raise ValueError("give both key_id and identity_id, to use a key that exists, or neither, to make one")


@dataclass(frozen=True)
class Encryption:
    """A key with which services encrypt, and the identity by which they do.

    Attributes:
        vault_id: Id of the key's vault.
        vault_uri: Address of the vault.
        key_name: Name of the key.
        key_uri: Address of its present version.
        identity_id: Id of the identity.
        client_id: Its client id.
        service_side: As in `CustomerKey`.
        needs: What must be there before anything is encrypted.
    """

    vault_id: pulumi.Output[str]
    vault_uri: pulumi.Output[str]
    key_name: pulumi.Output[str]
    key_uri: pulumi.Output[str]
    identity_id: pulumi.Output[str]
    client_id: pulumi.Output[str]
    service_side: bool
    needs: Sequence[pulumi.Resource] = ()

    @property
    def versionless_uri(self) -> pulumi.Output[str]:
        """Address of the key; services that take it follow its rotation by themselves."""
        return pulumi.Output.concat(self.vault_uri, "keys/", self.key_name)

    def first(self, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
        """The options of what is encrypted, once the key can be used."""
        return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(self.needs)))

    def of_storage(self) -> storage.EncryptionArgs:
        """The encryption settings of a storage account."""
        service = storage.EncryptionServiceArgs(enabled=True, key_type="Account")
        return storage.EncryptionArgs(
            key_source=storage.KeySource.MICROSOFT_KEYVAULT,
            key_vault_properties=storage.KeyVaultPropertiesArgs(
                key_name=self.key_name, key_vault_uri=self.vault_uri.apply(lambda uri: uri.rstrip("/"))
            ),
            encryption_identity=storage.EncryptionIdentityArgs(encryption_user_assigned_identity=self.identity_id),
            services=storage.EncryptionServicesArgs(blob=service, file=service),
        )

    def of_registry(self) -> containerregistry.EncryptionPropertyArgs:
        """For a container registry, whose tier must be Premium."""
        return containerregistry.EncryptionPropertyArgs(
            status=containerregistry.EncryptionStatus.ENABLED,
            key_vault_properties=containerregistry.KeyVaultPropertiesArgs(
                identity=self.client_id, key_identifier=self.versionless_uri
            ),
        )

    def of_workspace(self) -> ml.EncryptionPropertyArgs:
        """For a workspace, which takes one version of a key."""
        return ml.EncryptionPropertyArgs(
            status=ml.EncryptionStatus.ENABLED,
            key_vault_properties=ml.KeyVaultPropertiesArgs(key_vault_arm_id=self.vault_id, key_identifier=self.key_uri),
            identity=ml.IdentityForCmkArgs(user_assigned_identity=self.identity_id),
        )


@dataclass(frozen=True)
class MadeKeyArgs:
    """A key to make.

    Attributes:
        vault_id: Id of the vault, which has purge protection and goes by roles.
        vault_name: Its name.
        vault_group_name: Its resource group.
        identity_id: Id of the identity that encrypts.
        identity: It, as somebody to give a role to.
        client_id: Its client id.
        service_side: As in `CustomerKey`.
        tags: Tags of the key.
    """

    vault_id: pulumi.Output[str]
    vault_name: pulumi.Output[str]
    vault_group_name: pulumi.Output[str]
    identity_id: pulumi.Output[str]
    identity: Principal
    client_id: pulumi.Output[str]
    service_side: bool
    tags: Mapping[str, str]


def make_key(logical_name: str, args: MadeKeyArgs, *, opts: pulumi.ResourceOptions) -> Encryption:
    """Make a key that the identity may use, and Cosmos DB where that keeps the metadata.

    Pulumi never deletes the key: it goes with its vault, which can be recovered.
    """
    key = keyvault.Key(
        logical_name,
        key_name="platform",
        vault_name=args.vault_name,
        resource_group_name=args.vault_group_name,
        properties=keyvault.KeyPropertiesArgs(
            kty=keyvault.JsonWebKeyType.RSA,
            key_size=_KEY_SIZE,
            key_ops=[keyvault.JsonWebKeyOperation.WRAP_KEY, keyvault.JsonWebKeyOperation.UNWRAP_KEY],
        ),
        tags=args.tags,
        # The resource manager changes no key that exists, and so none of its tags either.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True, ignore_changes=["tags"])),
    )
    users = [args.identity]
    if not args.service_side:
        invoke = pulumi.InvokeOptions(parent=opts.parent)
        cosmos = lookup(lambda: azuread.get_service_principal_output(client_id=COSMOS_DB, opts=invoke))
        users.append(Principal("cosmos-db", cosmos.object_id, "ServicePrincipal"))
    role = KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER
    access = [
        assign(f"{logical_name}-{user.name}", scope=key.id, principal=user, role=role, opts=opts) for user in users
    ]
    return Encryption(
        vault_id=args.vault_id,
        vault_uri=pulumi.Output.concat("https://", args.vault_name, ".vault.azure.net/"),
        key_name=pulumi.Output.from_input(key.name),
        key_uri=key.key_uri_with_version,
        identity_id=args.identity_id,
        client_id=args.client_id,
        service_side=args.service_side,
        needs=[key, *access],
    )


def given_key(key: CustomerKey, *, parent: pulumi.Resource) -> Encryption:
    """Look up a key that exists; its vault must keep what is deleted."""
    key_id, identity_id = str(key.key_id), str(key.identity_id)
    words, opts = key_id.split("/"), pulumi.InvokeOptions(parent=parent)
    group, vault_name, key_name = words[4], words[8], words[10]
    vault = lookup(lambda: keyvault.get_vault_output(vault_name=vault_name, resource_group_name=group, opts=opts))
    present = lookup(
        lambda: keyvault.get_key_output(key_name=key_name, vault_name=vault_name, resource_group_name=group, opts=opts)
    )
    identity = lookup(
        lambda: managedidentity.get_user_assigned_identity_output(
            resource_name=identity_id.split("/")[8], resource_group_name=identity_id.split("/")[4], opts=opts
        )
    )
    return Encryption(
        vault_id=vault.apply(lambda answer: _protected(answer.id, answer.properties.enable_purge_protection)),
        vault_uri=pulumi.Output.from_input(f"https://{vault_name}.vault.azure.net/"),
        key_name=pulumi.Output.from_input(key_name),
        key_uri=present.key_uri_with_version,
        identity_id=pulumi.Output.from_input(identity_id),
        client_id=identity.client_id,
        service_side=key.service_side,
    )


def _protected(vault_id: str, purge_protection: bool | None) -> str:
    if not purge_protection:
        raise pulumi.RunError(
            f"the key vault {vault_id} has no purge protection, which Azure asks of a vault whose key encrypts data: "
            f"az keyvault update --ids {vault_id} --enable-purge-protection true"
        )
    return vault_id
