"""The section `automation`, and the service principal of a lake."""

from collections.abc import Mapping

import pulumi

from catalogue.roles import CONTRIBUTOR, KEY_VAULT_SECRETS_OFFICER, KEY_VAULT_SECRETS_USER
from components.identity.principals import assign
from components.identity.serviceprincipal import Federation, ServicePrincipal, ServicePrincipalArgs, VaultSecretArgs
from contract import AutomationOutput
from department.context import WorkspaceContext
from department.outputs import later
from department.people import principals
from settings import Automation, Secret, logical
from settings.names import secret_name

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
AZURE_DEVOPS_ISSUER = "https://vstoken.dev.azure.com"


def make_automation(context: WorkspaceContext, entry: Automation) -> tuple[AutomationOutput, ServicePrincipal]:
    """Make a service principal for what runs without a person; its output, and itself."""
    made = make_service_principal(context, entry.name, entry.secret, _federations(entry))
    if entry.role == "contributor":
        assign(
            f"{context.team.name}-{entry.name}-workspace",
            scope=context.workspace.workspace_id,
            principal=made.principal,
            role=CONTRIBUTOR,
            opts=context.child,
        )
    output = AutomationOutput.model_construct(
        client_id=later(made.client_id),
        tenant_id=later(context.shared.tenant_id),
        vault=later(context.workspace.vault_name) if entry.secret else None,
        secret_name=_secret_name(context, entry.name) if entry.secret else None,
    )
    return output, made


def make_service_principal(
    context: WorkspaceContext, name: str, secret: Secret | None, federations: Mapping[str, Federation] | None = None
) -> ServicePrincipal:
    """Make a service principal of the team, with a secret in the team's vault if it needs one."""
    vault_secret = None
    if secret:
        vault_secret = VaultSecretArgs(
            resource_group_name=context.workspace.vault_group_name,
            vault_name=context.workspace.vault_name,
            secret_name=_secret_name(context, name),
            rotated=secret.rotated,
            valid_days=secret.valid_days,
            tags=context.tags,
        )
    made = ServicePrincipal(
        logical.service_principal(context.team, name),
        ServicePrincipalArgs(
            display_name=f"{context.prefix} {name}", federations=federations or {}, secret=vault_secret
        ),
        opts=context.child_after(*(_vault_officers(context) if secret else ())),
    )
    for reader in principals(context, secret.readers if secret else ()):
        assign(
            f"{context.team.name}-{name}-secret-{reader.name}",
            scope=made.vault_secret_id or "",
            principal=reader,
            role=KEY_VAULT_SECRETS_USER,
            opts=pulumi.ResourceOptions(parent=made),
        )
    return made


def _secret_name(context: WorkspaceContext, name: str) -> str:
    return secret_name(context.prefix, name, shared_vault=context.team.existing.key_vault_id is not None)


def _vault_officers(context: WorkspaceContext) -> list[pulumi.Resource]:
    """Let those who deploy remove secrets, which azure-native does at the vault and not by rights on the group."""
    if not context.vault_officers:
        context.vault_officers.extend(
            assign(
                f"{context.team.name}-vault-{deployer.name}",
                scope=context.workspace.vault_id,
                principal=deployer,
                role=KEY_VAULT_SECRETS_OFFICER,
                opts=context.child,
            )
            for deployer in principals(context, context.department.deployers)
        )
    return context.vault_officers


def _federations(entry: Automation) -> Mapping[str, Federation]:
    """The pipelines whose tokens stand for a service principal.

    Source of the subjects: docs.github.com/actions/concepts/security/openid-connect and
    learn.microsoft.com/azure/devops/pipelines/release/configure-workload-identity.
    """
    federations = {}
    if github := entry.git_hub:
        where = f"environment:{github.environment}" if github.environment else f"ref:refs/heads/{github.branch}"
        federations["github"] = Federation(GITHUB_ISSUER, f"repo:{github.repository}:{where}")
    if devops := entry.azure_dev_ops:
        subject = f"sc://{devops.organization}/{devops.project}/{devops.service_connection}"
        federations["azure-devops"] = Federation(f"{AZURE_DEVOPS_ISSUER}/{devops.organization_id}", subject)
    return federations
