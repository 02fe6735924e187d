"""Settings that a key of the customer's own asks for."""

from collections.abc import Iterator

from settings.checks.existing import in_subscription
from settings.checks.subject import Subject
from settings.problems import Problem, show


def problems(subject: Subject) -> Iterator[Problem]:
    """The problems of customer keys beside the other settings."""
    department = subject.department
    for at, team in subject.teams():
        key, path = team.customer_key, (*at, "customerKey")
        if key is None:
            continue
        if key.key_id is None and not department.key_vault.purge_protection:
            needs = "a vault that keeps what is deleted: set the department's keyVault.purgeProtection to true"
            yield Problem(path, f"Azure asks for {needs}, which cannot be undone, or give keyId and identityId.")
        if key.key_id is None and team.existing.key_vault_id:
            yield Problem(
                path, "is made in the team's own vault; where existing.keyVaultId gives one, give the key's keyId."
            )
        if key.key_id and not in_subscription(subject, key.key_id):
            text = f"is not in the department's subscription {department.subscription_id}, as Azure ML wants it."
            yield Problem((*path, "keyId"), f"{show(key.key_id)} {text}")
        if key.service_side and team.network.mode == "private":
            yield Problem(
                (*path, "serviceSide"), "Azure ML does not reach the key of a closed vault from its own side."
            )
        if department.registry_sku in ("Basic", "Standard"):
            text = f"takes no customer's key, as {subject.key(path)} gives: leave it out."
            yield Problem(("registrySku",), f"{show(department.registry_sku)} {text}")
