"""Service principals: automation's identity, by trust in a pipeline's own tokens or by a secret in the vault."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pulumi
import pulumi_azuread as azuread
from pulumi_azure_native import keyvault

from components.identity.principals import Principal

AUDIENCE = "api://AzureADTokenExchange"
"""Audience of a federated token (learn.microsoft.com/entra/workload-id/workload-identity-federation)."""


@dataclass(frozen=True)
class Federation:
    """Whose tokens Entra takes for a service principal's, so that no secret is needed.

    Attributes:
        issuer: Address of who signs the tokens.
        subject: The pipeline, in the issuer's words.
    """

    issuer: str
    subject: str


@dataclass(frozen=True)
class VaultSecretArgs:
    """A secret that is kept in a key vault.

    Attributes:
        resource_group_name: Resource group of the vault.
        vault_name: Its name.
        secret_name: Name of the secret: letters, digits and hyphens.
        rotated: Day since when the secret is this one; another day makes a new one.
        valid_days: Days until it expires, counted from `rotated`.
        tags: Tags of the secret.
    """

    resource_group_name: pulumi.Input[str]
    vault_name: pulumi.Input[str]
    secret_name: str
    rotated: date
    valid_days: int
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ServicePrincipalArgs:
    """A service principal for something that runs without a person.

    Attributes:
        display_name: Its name in Entra.
        federations: Pipelines whose tokens stand for it, by a name of their own.
        secret: Where its secret is kept; none is made if left out.
    """

    display_name: str
    federations: Mapping[str, Federation] = field(default_factory=dict)
    secret: VaultSecretArgs | None = None


class ServicePrincipal(pulumi.ComponentResource):
    """An Entra application with its service principal, trusted pipelines, and at need a secret in a key vault.

    Example:
        >>> from components.identity.serviceprincipal import Federation, ServicePrincipal, ServicePrincipalArgs
        >>> release = Federation(
        ...     issuer="https://token.actions.githubusercontent.com", subject="repo:contoso/forecast:environment:prod"
        ... )
        >>> automation = ServicePrincipal(
        ...     "forecast-release",
        ...     ServicePrincipalArgs(display_name="bgmr forecast release", federations={"github": release}),
        ... )
        >>> pulumi.export("clientId", automation.client_id)

    Attributes:
        client_id: With which it signs in.
        principal: It, as somebody to give roles to.
        secret: Its secret, if it has one; a Pulumi secret.
        vault_secret_id: Azure id of the secret in the vault, if it has one.
    """

    client_id: pulumi.Output[str]
    principal: Principal
    secret: pulumi.Output[str] | None = None
    vault_secret_id: pulumi.Output[str] | None = None

    def __init__(self, name: str, args: ServicePrincipalArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("azureml-platform:components:ServicePrincipal", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        application = azuread.Application(
            name, display_name=args.display_name, prevent_duplicate_names=True, opts=child
        )
        service_principal = azuread.ServicePrincipal(name, client_id=application.client_id, opts=child)
        for key, federation in args.federations.items():
            azuread.ApplicationFederatedIdentityCredential(
                f"{name}-{key}",
                application_id=application.id,
                display_name=key,
                issuer=federation.issuer,
                subject=federation.subject,
                audiences=[AUDIENCE],
                opts=child,
            )
        self.client_id = application.client_id
        self.principal = Principal(name, service_principal.object_id, "ServicePrincipal")
        if args.secret:
            self.secret, self.vault_secret_id = self._kept(name, service_principal, args.secret)
        self.register_outputs({"clientId": self.client_id, "objectId": service_principal.object_id})

    def _kept(
        self, name: str, service_principal: azuread.ServicePrincipal, args: VaultSecretArgs
    ) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """A secret of the service principal, kept in the vault: its value, and its id there."""
        last = args.rotated + timedelta(days=args.valid_days)
        expires = datetime(last.year, last.month, last.day, tzinfo=UTC)
        password = azuread.ServicePrincipalPassword(
            name,
            service_principal_id=service_principal.id,
            display_name=args.secret_name,
            end_date=f"{last}T00:00:00Z",
            rotate_when_changed={"rotated": args.rotated.isoformat()},
            opts=pulumi.ResourceOptions(parent=self),
        )
        vault_secret = keyvault.Secret(
            name,
            secret_name=args.secret_name,
            vault_name=args.vault_name,
            resource_group_name=args.resource_group_name,
            properties=keyvault.SecretPropertiesArgs(
                value=password.value,
                content_type="client secret",
                attributes=keyvault.SecretAttributesArgs(expires=int(expires.timestamp())),
            ),
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return password.value, vault_secret.id
