"""Azure Policy: definitions, assignments, and what they deny.

`policies.json` has the built-in definitions that govern Azure Machine Learning, from github.com/Azure/azure-policy
(MIT, Microsoft; 2026-04). Of the effects, Deny is carried out when a resource is made or changed; the others are kept
and do nothing.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, ClassVar

from sandbox.azure.arm.core import GROUP_TYPE, Body, Call, ResourceId, ResourceType, Rule, invalid, properties_of
from sandbox.azure.arm.identities import check_identity, forget_identity, shown_identity
from sandbox.azure.arm.policyrules import Condition, Request, RuleError, compile_condition
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError

DEFINITIONS = "Microsoft.Authorization/policyDefinitions"
EFFECTS = frozenset(
    {"Append", "Audit", "AuditIfNotExists", "Deny", "DenyAction", "DeployIfNotExists", "Disabled", "Manual", "Modify"}
)
NEED_IDENTITY = ("deployifnotexists", "modify")
MODES = frozenset({"All", "Indexed", "Microsoft.Kubernetes.Data", "Microsoft.KeyVault.Data", "Microsoft.Network.Data"})
PARAMETER_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "array": list,
    "object": dict,
    "boolean": bool,
    "integer": int,
    "float": (int, float),
    "datetime": str,
}


@cache
def built_in_policies() -> dict[str, Body]:
    """The built-in definitions the sandbox knows, by GUID: displayName, mode, parameters, policyRule."""
    text = resources.files("sandbox.azure.arm").joinpath("policies.json").read_text(encoding="utf-8")
    definitions: dict[str, Body] = json.loads(text)
    return definitions


class PolicyDefinition(ResourceType):
    """`Microsoft.Authorization/policyDefinitions`."""

    type = DEFINITIONS
    absent = ("PolicyDefinitionNotFound", "The policy definition '{name}' could not be found.")
    tracked = False
    name_pattern = re.compile(r"[^<>%&:\\?/#]{0,63}[^<>%&:\\?/#. ]")
    invalid_value = "InvalidPolicyDefinition"
    required = ("properties.policyRule",)
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.mode": MODES,
        "properties.policyType": frozenset({"Custom", "NotSpecified"}),
        "properties.policyRule": dict,
        "properties.parameters": dict,
        "properties.displayName": str,
    }

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """A stored definition, or at tenant level a built-in definition."""
        return super().find(cloud, resource_id) or (None if resource_id.parent else _built_in(resource_id.name.lower()))

    def below(self, cloud: Cloud, prefix: str) -> Iterator[Body]:
        """The definitions of the scope and the built-in definitions."""
        for guid in built_in_policies():
            yield _built_in(guid) or {}
        yield from super().below(cloud, prefix)

    def validate(self, call: Call, old: Body | None) -> None:
        """A rule has a condition and an effect; parameters that it uses are declared."""
        if not call.subscription:
            raise AzureError(400, "InvalidPolicyScope", "A policy definition belongs to a subscription.")
        body = call.body["properties"]
        rule, declared = body["policyRule"], body.get("parameters") or {}
        effect = (rule.get("then") or {}).get("effect") if isinstance(rule.get("then"), dict) else None
        if not isinstance(rule.get("if"), dict) or not isinstance(effect, str):
            raise _invalid_rule("It must have an 'if' and a 'then' with an 'effect'.")
        try:
            compile_condition(rule["if"])
        except RuleError as error:
            raise _invalid_rule(f"It is not valid, or not evaluated by the sandbox: {error}.") from error
        used = set(re.findall(r"\[\s*parameters\('([^']+)'\)", json.dumps(rule)))
        unknown = sorted({name.lower() for name in used} - {name.lower() for name in declared})
        if unknown:
            raise AzureError(
                400,
                "InvalidPolicyParameters",
                f"The policy definition '{call.id.name}' uses the parameter(s) '{', '.join(unknown)}' which it does "
                "not "
                "declare.",
            )
        if not effect.startswith("[") and effect.lower() not in {known.lower() for known in EFFECTS}:
            raise _invalid_rule(f"The effect '{effect}' is none of {', '.join(sorted(EFFECTS))}.")
        for name, parameter in declared.items():
            if not isinstance(parameter, dict) or str(parameter.get("type")).lower() not in PARAMETER_TYPES:
                path = f"properties.parameters.{name}.type"
                raise AzureError(
                    400, "InvalidPolicyParameters", f"The parameter '{name}' has no valid type.", target=path
                )

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Marks the definition as custom."""
        sent = copy.deepcopy(call.body["properties"])
        return {"properties": {"mode": "Indexed", "version": "1.0.0", **sent, "policyType": "Custom"}}

    def before_delete(self, call: Call, resource: Body) -> None:
        """Refuses to delete a definition that is assigned."""
        at = resource["id"].lower()
        for assignment in call.cloud.store.resources(PolicyAssignment.type):
            if properties_of(assignment)["policyDefinitionId"].lower() == at:
                raise AzureError(
                    400,
                    "InvalidDeletePolicyDefinitionRequest",
                    f"The policy definition '{resource['name']}' cannot be deleted. It is referenced by the policy "
                    f"assignment '{assignment['id']}'. Please delete all policy assignments referencing the policy.",
                )


def _invalid_rule(message: str) -> AzureError:
    return AzureError(
        400, "InvalidPolicyRule", f"The policy rule is invalid. {message}", target="properties.policyRule"
    )


def _built_in(guid: str) -> Body | None:
    known = built_in_policies().get(guid)
    if known is None:
        return None
    properties = {**known, "policyType": "BuiltIn"}
    return {"id": f"/providers/{DEFINITIONS}/{guid}", "name": guid, "type": DEFINITIONS, "properties": properties}


class PolicyAssignment(ResourceType):
    """`Microsoft.Authorization/policyAssignments`, an extension of a subscription, group or resource."""

    type = "Microsoft.Authorization/policyAssignments"
    absent = ("PolicyAssignmentNotFound", "The policy assignment '{name}' is not found.")
    tracked = False
    name_pattern = re.compile(r"[^<>%&:\\?/#]{0,63}[^<>%&:\\?/#. ]")
    invalid_value = "InvalidPolicyAssignment"
    required = ("properties.policyDefinitionId",)
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.policyDefinitionId": str,
        "properties.parameters": dict,
        "properties.notScopes": list,
        "properties.nonComplianceMessages": list,
        "properties.enforcementMode": frozenset({"Default", "DoNotEnforce"}),
    }

    def validate(self, call: Call, old: Body | None) -> None:
        """The definition is there and stays the one it was, and its parameters are met."""
        check_identity(call, self)
        body = call.body["properties"]
        before = properties_of(old)["policyDefinitionId"] if old else body["policyDefinitionId"]
        if before.lower() != body["policyDefinitionId"].lower():
            raise AzureError(
                400,
                "InvalidPolicyDefinitionIdUpdate",
                f"The policy assignment '{call.id.name}' create request is invalid. Cannot update existing "
                f"assignment's policy definition '{before}' with new policy definition "
                f"'{body['policyDefinitionId']}'.",
            )
        definition = _definition(call, body["policyDefinitionId"])
        given = {
            name: parameter.get("value")
            for name, parameter in (body.get("parameters") or {}).items()
            if isinstance(parameter, dict)
        }
        declared = properties_of(definition).get("parameters") or {}
        _check_parameters(call, definition["name"], given, declared)
        effect = _effect(definition, given)
        identity = (call.body.get("identity") or {}).get("type", "None")
        if effect.lower() in NEED_IDENTITY and identity.lower() == "none":
            raise AzureError(
                400,
                "ResourceIdentityRequired",
                "Policy assignments must include a 'managed identity' when assigning 'deployIfNotExists' or 'modify' "
                "policy "
                "definitions.",
            )
        if identity.lower() != "none" and not call.body.get("location"):
            raise AzureError(400, "LocationRequired", "The location property is required when an identity is given.")

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds the scope and the enforcement mode."""
        properties = {
            "enforcementMode": "Default",
            "notScopes": [],
            **copy.deepcopy(call.body["properties"]),
            "scope": call.id.parent,
        }
        location = {"location": call.body["location"]} if call.body.get("location") else {}
        return {**location, **shown_identity(call, old), "properties": properties}

    def deleted(self, call: Call, resource: Body) -> None:
        """Removes the assignment's identity."""
        forget_identity(call, resource)


def _definition(call: Call, definition_id: str) -> Body:
    definition = call.resource(definition_id)
    if definition is None and definition_id.lower().startswith("/providers/"):
        definition = _built_in(definition_id.lower().rsplit("/", 1)[-1])
    if definition is None or definition["type"] != DEFINITIONS:
        raise AzureError(
            404, "PolicyDefinitionNotFound", f"The policy definition '{definition_id}' could not be found."
        )
    return definition


def _check_parameters(call: Call, definition: str, given: Mapping[str, Any], declared: Mapping[str, Body]) -> None:
    undefined = sorted(set(given) - set(declared))
    if undefined:
        raise AzureError(
            400,
            "UndefinedPolicyParameter",
            f"The policy assignment '{call.id.name}' assigns parameter(s) '{', '.join(undefined)}' that are undefined "
            "in the "
            f"policy definition '{definition}'.",
        )
    missing = sorted(
        name for name, parameter in declared.items() if "defaultValue" not in parameter and given.get(name) is None
    )
    if missing:
        raise AzureError(
            400,
            "MissingPolicyParameter",
            f"The policy assignment '{call.id.name}' is missing the parameter(s) '{', '.join(missing)}' as defined in "
            "the "
            f"policy definition '{definition}'. Please either define a default value for the parameter or supply a "
            "value in "
            "the policy assignment.",
        )
    for name, value in given.items():
        rule = declared[name]
        kind = PARAMETER_TYPES.get(str(rule["type"]).lower(), object)
        if not isinstance(value, kind):
            raise invalid(f"properties.parameters.{name}", f"The parameter '{name}' must be of type {rule['type']}.")
        allowed = rule.get("allowedValues")
        if allowed and value not in allowed:
            raise AzureError(
                400,
                "PolicyParameterValueNotAllowed",
                f"The value '{value}' is not allowed for policy parameter '{name}' in policy definition "
                f"'{definition}'. The "
                f"allowed values are '{', '.join(map(str, allowed))}'.",
            )


def _effect(definition: Body, given: Mapping[str, Any]) -> str:
    body = properties_of(definition)
    effect = str(body["policyRule"]["then"]["effect"])
    parameter = re.fullmatch(r"\[\s*parameters\('([^']+)'\)\s*\]", effect)
    if parameter is None:
        return effect
    return str(given.get(parameter[1]) or (body.get("parameters") or {}).get(parameter[1], {}).get("defaultValue", ""))


@lru_cache(maxsize=256)
def _condition(rule: str) -> Condition:
    return compile_condition(json.loads(rule)["if"])


def enforce(call: Call, kind: ResourceType) -> None:
    """Refuses a PUT or PATCH that an assignment at the resource or above it denies.

    Raises:
        AzureError: 403 RequestDisallowedByPolicy, with every assignment that denies it.
    """
    violations = [
        violation for assignment in _assignments(call) if (violation := _violation(call, kind, assignment)) is not None
    ]
    if not violations:
        return
    identifiers = [
        {
            "policyAssignment": {
                "name": violation["policyAssignmentDisplayName"],
                "id": violation["policyAssignmentId"],
            },
            "policyDefinition": {
                "name": violation["policyDefinitionDisplayName"],
                "id": violation["policyDefinitionId"],
            },
        }
        for violation in violations
    ]
    raise AzureError(
        403,
        "RequestDisallowedByPolicy",
        f"Resource '{call.id.name}' was disallowed by policy. Policy identifiers: '{json.dumps(identifiers)}'.",
        target=call.id.name,
        additional_info=[{"type": "PolicyViolation", "info": violation} for violation in violations],
    )


def _assignments(call: Call) -> Iterator[Body]:
    """The assignments at the resource and above it."""
    words = call.id.key.split("/")
    for end in range(3, len(words) + 1, 2):
        prefix = "/".join(words[:end]) + "/providers/microsoft.authorization/policyassignments/"
        for key, assignment in call.cloud.store.items("resource", prefix):
            body = properties_of(assignment)
            excluded = any(
                f"{call.id.key}/".startswith(f"{excluded_scope.lower()}/")
                for excluded_scope in body.get("notScopes") or ()
            )
            if "/" not in key[len(prefix) :] and body["enforcementMode"].lower() == "default" and not excluded:
                yield assignment


def _violation(call: Call, kind: ResourceType, assignment: Body) -> Body | None:
    """Azure's description of what an assignment denies, or None."""
    body = properties_of(assignment)
    named = body["policyDefinitionId"]
    definition = call.resource(named) or _built_in(named.rsplit("/", 1)[-1].lower())
    if definition is None:
        return None
    rule = properties_of(definition)
    given = {name: parameter.get("value") for name, parameter in (body.get("parameters") or {}).items()}
    mode = str(rule.get("mode")).lower()
    applies = mode == "all" or (mode == "indexed" and kind.tracked and kind.type != GROUP_TYPE)
    if not applies or _effect(definition, given).lower() != "deny":
        return None
    defaults = {name: parameter.get("defaultValue") for name, parameter in (rule.get("parameters") or {}).items()}
    resource = {**call.body, "id": call.id.text, "name": call.id.name, "type": kind.type}
    request = Request(resource, call.resource(call.id.group) or {}, {**defaults, **given}, call.api_version)
    if not _condition(json.dumps(rule["policyRule"]))(request):
        return None
    return {
        "evaluationDetails": {
            "evaluatedExpressions": [expression for expression in request.evaluated if expression["result"] == "True"]
        },
        "policyDefinitionId": definition["id"],
        "policyDefinitionName": definition["name"],
        "policyDefinitionDisplayName": rule.get("displayName") or definition["name"],
        "policyDefinitionEffect": "deny",
        "policyAssignmentId": assignment["id"],
        "policyAssignmentName": assignment["name"],
        "policyAssignmentDisplayName": body.get("displayName") or assignment["name"],
        "policyAssignmentScope": body["scope"],
        "policyAssignmentParameters": body.get("parameters") or {},
    }


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [PolicyDefinition(), PolicyAssignment()]
