"""Microsoft.Network's security groups and their rules. No packet is filtered."""

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.azure.arm.core import Body, Call, ResourceId, ResourceType, Rule, invalid, properties_of
from sandbox.azure.arm.network import NAME, SUBNETS
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError

GROUPS = "Microsoft.Network/networkSecurityGroups"


class NetworkSecurityGroup(ResourceType):
    """`Microsoft.Network/networkSecurityGroups`, with its rules inside."""

    type = GROUPS
    name_pattern = NAME
    fields: ClassVar[Mapping[str, Rule]] = {"properties.securityRules": list}

    def validate(self, call: Call, old: Body | None) -> None:
        """Requires complete rules, and each priority once in a direction."""
        check_rules(properties_of(call.body).get("securityRules") or [])

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Gives each rule its id and its state."""
        rules = [
            {
                "name": rule["name"],
                "id": f"{call.id.text}/securityRules/{rule['name']}",
                "type": f"{self.type}/securityRules",
                "properties": {**rule["properties"], "provisioningState": "Succeeded"},
            }
            for rule in copy.deepcopy(properties_of(call.body).get("securityRules") or [])
        ]
        properties = {"securityRules": rules, "defaultSecurityRules": [], "provisioningState": "Succeeded"}
        return {"location": call.body["location"], "tags": call.body.get("tags") or {}, "properties": properties}

    def before_delete(self, call: Call, resource: Body) -> None:
        """Refuses to delete a security group that a subnet uses."""
        at = resource["id"].lower()
        for subnet in call.cloud.store.resources(SUBNETS):
            used = (properties_of(subnet).get("networkSecurityGroup") or {}).get("id", "")
            if used.lower() == at:
                raise AzureError(
                    400,
                    "InUseNetworkSecurityGroupCannotBeDeleted",
                    f"Network security group {resource['id']} cannot be deleted because it is in use by the following "
                    f"resources: {subnet['id']}.",
                )


def check_rules(rules: list[Any]) -> None:
    """Refuses incomplete rules, and a priority that two rules of a direction have.

    Raises:
        AzureError: 400.
    """
    used: dict[tuple[str, int], str] = {}
    for number, rule in enumerate(rules):
        path = f"properties.securityRules[{number}]"
        key = _check_rule(rule, path)
        if key in used:
            raise AzureError(
                400,
                "SecurityRuleConflict",
                f"Security rule {rule['name']} conflicts with rule {used[key]}. Rules cannot have the same "
                "Priority "
                "and Direction.",
                target=path,
            )
        used[key] = rule["name"]


def _check_rule(rule: Any, path: str) -> tuple[str, int]:
    """Checks a rule; gives its direction and priority."""
    if not isinstance(rule, dict) or not isinstance(rule.get("name"), str):
        raise invalid(f"{path}.name", f"'{path}' must have a name.")
    body = properties_of(rule)
    for name, allowed in (
        ("access", ("Allow", "Deny")),
        ("direction", ("Inbound", "Outbound")),
        ("protocol", ("Tcp", "Udp", "Icmp", "Esp", "Ah", "*")),
    ):
        if str(body.get(name)).lower() not in {value.lower() for value in allowed}:
            raise invalid(
                f"{path}.properties.{name}", f"'{path}.properties.{name}' must be one of {', '.join(allowed)}."
            )
    priority = body.get("priority")
    if not isinstance(priority, int) or not 100 <= priority <= 4096:  # noqa: PLR2004 # the service's limits
        raise AzureError(
            400,
            "SecurityRuleInvalidPriority",
            f"Security rule has invalid Priority. Value provided: {priority} Allowed range 100-4096.",
            target=f"{path}.properties.priority",
        )
    return str(body["direction"]).lower(), priority


class SecurityRule(ResourceType):
    """`Microsoft.Network/networkSecurityGroups/securityRules`: a rule as a resource, the same that its group shows."""

    type = f"{GROUPS}/securityRules"
    tracked = False
    name_pattern = NAME

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """The rule in its group."""
        rules = self.below(cloud, resource_id.parent.lower() + "/")
        return next((rule for rule in rules if rule["name"].lower() == resource_id.name.lower()), None)

    def below(self, cloud: Cloud, prefix: str) -> list[Body]:
        """The rules of the group."""
        group = cloud.store.get("resource", prefix.rstrip("/").removesuffix("/securityrules"))
        return list(properties_of(group)["securityRules"]) if group else []

    def validate(self, call: Call, old: Body | None) -> None:
        """As a PUT of the group with this rule."""
        name = old["name"] if old else call.id.name
        rule = {"name": name, "properties": properties_of(call.body)}
        others = [other for other in self.below(call.cloud, call.id.parent.lower() + "/") if other["name"] != name]
        check_rules([*others, rule])

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds the rule's state."""
        return {"properties": {**copy.deepcopy(properties_of(call.body)), "provisioningState": "Succeeded"}}

    def save(self, cloud: Cloud, resource: Body) -> None:
        """Puts the rule into its group."""
        self._replace(cloud, resource, [resource])

    def erase(self, cloud: Cloud, resource: Body) -> None:
        """Takes the rule out of its group."""
        self._replace(cloud, resource, [])

    def _replace(self, cloud: Cloud, rule: Body, new: list[Body]) -> None:
        key = rule["id"].lower().rpartition("/securityrules/")[0]
        group = cloud.store.get("resource", key)
        if group is not None:
            rules = [other for other in group["properties"]["securityRules"] if other["name"] != rule["name"]]
            cloud.store.put(
                "resource", key, {**group, "properties": {**group["properties"], "securityRules": [*rules, *new]}}
            )


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [NetworkSecurityGroup(), SecurityRule()]
