"""All rules of the pack."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from policies.model import ResourceRule, Rule, StackRule
from policies.rules import (
    compute,
    containerregistry,
    credentials,
    endpoints,
    governance,
    insights,
    keyvault,
    network,
    roles,
    storage,
    workspace,
)
from policies.stack import access, cost, exemptions, identity, logs, names, privacy, quota, sharing

NAME = "azureml-platform"
VERSION = Path(__file__).with_name("PulumiPolicy.yaml").read_text(encoding="utf-8").rpartition("version: ")[2].strip()
"""Version of the pack, which is the project's: `make generate` copies it to the last line of PulumiPolicy.yaml."""


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its name, in the order of the documentation."""
    families: tuple[tuple[Rule, ...], ...] = (
        compute.RULES,
        workspace.RULES,
        credentials.RULES,
        endpoints.RULES,
        storage.RULES,
        keyvault.RULES,
        containerregistry.RULES,
        insights.RULES,
        network.RULES,
        roles.RULES,
        governance.RULES,
        privacy.RULES,
        identity.RULES,
        access.RULES,
        sharing.RULES,
        logs.RULES,
        quota.RULES,
        cost.RULES,
        names.RULES,
        exemptions.RULES,
    )
    found = {rule.name: rule for family in families for rule in family}
    if len(found) != sum(map(len, families)):
        raise ValueError("two rules have one name")
    return found


@cache
def resource_rules(kind: str) -> tuple[ResourceRule, ...]:
    """The rules about single resources of a type, those about every type included."""
    return tuple(
        rule
        for rule in rules().values()
        if isinstance(rule, ResourceRule) and (kind in rule.kinds or governance.ANY in rule.kinds)
    )


@cache
def stack_rules() -> tuple[StackRule, ...]:
    """The rules about whole stacks."""
    return tuple(rule for rule in rules().values() if isinstance(rule, StackRule))
