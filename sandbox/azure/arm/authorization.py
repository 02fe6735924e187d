"""Microsoft.Authorization: role definitions, role assignments, locks.

Sources of codes and texts: learn.microsoft.com/azure/role-based-access-control/troubleshooting, and the reports
cited in docs/fidelity/arm.md.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure import clock
from sandbox.azure.access.conditions import ConditionError, compile_condition
from sandbox.azure.access.rbac import built_in_roles
from sandbox.azure.arm.core import Body, Call, ResourceId, ResourceType, Rule, invalid, properties_of
from sandbox.azure.arm.filters import parse_terms
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError

GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
ROLES = "Microsoft.Authorization/roleDefinitions"
ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
MAX_ROLE_NAME = 512


def _scope(resource_id: ResourceId) -> str:
    return resource_id.parent or "/"


def _terms(call: Call, *allowed: str) -> dict[str, str]:
    """`$filter` by lowercased field or function: `principalId eq 'x'`, `atScope()`, `assignedTo('x')`."""
    terms = parse_terms(call.query.get("$filter", ""), allowed)
    return {(term.field or term.operator).lower(): str(term.value) for term in terms}


class RoleDefinition(ResourceType):
    """`Microsoft.Authorization/roleDefinitions`: built-in ones and the tenant's own, by GUID in every scope."""

    type = ROLES
    absent = ("RoleDefinitionDoesNotExist", "The specified role definition with ID '{name}' does not exist.")
    tracked = False
    kind = "roleDefinition"
    update_status = 201  # observed by azure-cli's users: a PUT answers 201 also for an update
    name_pattern = GUID
    name_error = ("InvalidRoleDefinitionId", "The role definition ID '{name}' is not valid. It must be a GUID.")
    required = ("properties.roleName", "properties.assignableScopes", "properties.permissions")
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.roleName": str,
        "properties.description": str,
        "properties.assignableScopes": list,
        "properties.permissions": list,
    }

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """A custom role of the tenant, or a built-in role."""
        guid = resource_id.name.lower()
        return cloud.store.get(self.kind, guid) or _built_in(guid)

    def below(self, cloud: Cloud, prefix: str) -> Iterator[Body]:
        """All roles that can be assigned at the scope."""
        at = prefix.partition("/providers/microsoft.authorization/roledefinitions/")[0].rstrip("/") + "/"
        for guid in built_in_roles():
            yield _built_in(guid) or {}
        for role in cloud.store.list(self.kind):
            if any(at.startswith(scope.lower().rstrip("/") + "/") for scope in role["properties"]["assignableScopes"]):
                yield role

    def save(self, cloud: Cloud, resource: Body) -> None:
        """Uses the role's GUID as key."""
        cloud.store.put(self.kind, resource["name"].lower(), resource)

    def erase(self, cloud: Cloud, resource: Body) -> None:
        """Uses the role's GUID as key."""
        cloud.store.delete(self.kind, resource["name"].lower())

    def canonical_id(self, parent: str, name: str) -> str:
        """A custom role's id names a subscription, whatever the scope at which the role was made."""
        return f"{'/'.join(parent.split('/')[:3])}/providers/{self.type}/{name.lower()}"

    def validate(self, call: Call, old: Body | None) -> None:
        """A role's name is unique in the tenant, and its author may make roles in each of its scopes."""
        if call.id.name.lower() in built_in_roles():
            raise AzureError(
                409, "RoleDefinitionExists", f"A role definition with the ID '{call.id.name}' exists already."
            )
        body = call.body["properties"]
        name = body["roleName"]
        if not name:
            raise AzureError(400, "RoleDefinitionNameNullOrEmpty", "The role definition's name must not be empty.")
        if len(name) > MAX_ROLE_NAME:
            raise invalid("properties.roleName", f"A role's name has 1 to {MAX_ROLE_NAME} characters.")
        _check_permissions(body["permissions"])
        _check_scopes(call, body["assignableScopes"])
        guid = call.id.name.lower()
        taken = [
            role["properties"]["roleName"] for role in call.cloud.store.list(self.kind) if role["name"].lower() != guid
        ]
        taken += [role["roleName"] for role in built_in_roles().values()]
        if name.lower() in {role_name.lower() for role_name in taken}:
            raise AzureError(
                409,
                "RoleDefinitionWithSameNameExists",
                f"A custom role with the same name already exists in this directory. Use a different name: '{name}'.",
            )

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds who made the role and when."""
        sent, now = copy.deepcopy(call.body["properties"]), clock.now().isoformat()
        before = properties_of(old or {})
        return {
            "properties": {
                "roleName": sent["roleName"],
                "type": "CustomRole",
                "description": sent.get("description") or "",
                "assignableScopes": [scope.rstrip("/") for scope in sent["assignableScopes"]],
                "permissions": [_permission(permission) for permission in sent["permissions"]],
                "createdOn": before.get("createdOn", now),
                "createdBy": before.get("createdBy", call.caller.object_id),
                "updatedOn": now,
                "updatedBy": call.caller.object_id,
            }
        }

    def before_delete(self, call: Call, resource: Body) -> None:
        """Refuses to delete a role that is assigned."""
        guid = resource["name"].lower()
        if guid in built_in_roles():
            raise AzureError(403, "RoleDefinitionNotEditable", "A built-in role cannot be deleted.")
        users = call.cloud.store.list("roleAssignment")
        if any(assignment["properties"]["roleDefinitionId"].rsplit("/", 1)[-1].lower() == guid for assignment in users):
            raise AzureError(
                400,
                "RoleDefinitionHasAssignments",
                f"There are existing role assignments referencing role (code: {guid}).",
            )

    def delete_response(self, call: Call, resource: Body | None) -> Response:
        """Answers with the deleted role."""
        return super().delete_response(call, None) if resource is None else JSONResponse(self.present(call, resource))

    def listed(self, call: Call, roles: list[Body]) -> Body:
        """Filters by `roleName eq`, `type eq 'CustomRole'` and `atScopeAndBelow()`."""
        terms = _terms(call, "roleName", "type", "atScopeAndBelow", "atScope")
        for term, field in (("rolename", "roleName"), ("type", "type")):
            if term in terms:
                roles = [role for role in roles if role["properties"][field].lower() == terms[term].lower()]
        return {"value": [self.present(call, role) for role in roles]}

    def present(self, call: Call, resource: Body) -> Body:
        """Writes the id below the asked subscription, as role assignments name the role; at the tenant without."""
        above = f"/subscriptions/{call.subscription}" if call.subscription else ""
        return {**resource, "id": f"{above}/providers/{ROLES}/{resource['name']}"}


def _built_in(guid: str) -> Body | None:
    role = built_in_roles().get(guid)
    if role is None:
        return None
    properties = {**role, "type": "BuiltInRole", "assignableScopes": ["/"]}
    return {"id": f"/providers/{ROLES}/{guid}", "name": guid, "type": ROLES, "properties": properties}


def _permission(sent: Body) -> Body:
    return {part: sent.get(part) or [] for part in ("actions", "notActions", "dataActions", "notDataActions")}


def _check_permissions(permissions: list[Any]) -> None:
    for number, permission in enumerate(permissions):
        for part in ("actions", "notActions", "dataActions", "notDataActions"):
            path = f"properties.permissions[{number}].{part}"
            listed = (permission.get(part) or []) if isinstance(permission, dict) else None
            if not isinstance(listed, list) or not all(isinstance(action, str) for action in listed):
                raise invalid(path, f"'{path}' must be a list of actions.")
            for action in listed:
                if not _known(action):
                    raise AzureError(
                        400,
                        "InvalidActionOrNotAction",
                        f"'{action}' does not match any of the actions supported by the providers.",
                        target=path,
                    )
    if not permissions:
        raise invalid("properties.permissions", "A role needs at least one permission.")


@cache
def _operations() -> dict[str, frozenset[str]]:
    """The operations of providers whose list is known, all in lower case, by namespace.

    Sources: learn.microsoft.com/azure/role-based-access-control/permissions/ai-machine-learning (2024-02), and what
    built-in roles and the REST specification name since.
    """
    text = resources.files("sandbox.azure.arm").joinpath("operations.json").read_text(encoding="utf-8")
    return {name.lower(): frozenset(action.lower() for action in known) for name, known in json.loads(text).items()}


def _known(action: str) -> bool:
    """Whether an action may exist: an exact action of a known provider must be in that provider's list."""
    if not re.fullmatch(r"\*|[\w.-]+(/[\w.*$-]+)+|\*/[\w.*/-]+", action):
        return False
    namespace, _, operation = action.lower().partition("/")
    known = _operations().get(namespace)
    return known is None or "*" in action or operation in known


def _check_scopes(call: Call, scopes: list[Any]) -> None:
    path = "properties.assignableScopes"
    if not scopes:
        raise AzureError(
            400, "MissingAssignableScopes", "The role definition must have at least one assignable scope.", target=path
        )
    for scope in scopes:
        if not isinstance(scope, str) or not scope.startswith("/"):
            raise AzureError(
                400, "LinkedInvalidPropertyId", f"Property id '{scope}' at path '{path}' is invalid.", target=path
            )
        if not re.match(r"/subscriptions/[^/]+", scope, re.IGNORECASE):
            text = f"The scope '{scope}' of a custom role must be a subscription, a resource group or a resource."
            raise AzureError(400, "InvalidAssignableScope", text, target=path)
        call.authorize(f"{ROLES}/write", scope)


class RoleAssignment(ResourceType):
    """`Microsoft.Authorization/roleAssignments`."""

    type = ASSIGNMENTS
    absent = ("RoleAssignmentNotFound", "The role assignment '{name}' is not found.")
    tracked = False
    kind = "roleAssignment"
    name_pattern = GUID
    name_error = (
        "InvalidRoleAssignmentId",
        "The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.",
    )
    required = ("properties.roleDefinitionId", "properties.principalId")
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.roleDefinitionId": str,
        "properties.principalId": str,
        "properties.principalType": frozenset({"User", "Group", "ServicePrincipal", "ForeignGroup", "Device"}),
        "properties.condition": str,
        "properties.description": str,
    }

    def attributes(self, call: Call) -> Mapping[str, Any]:
        """Role and principal: of the body, or of the assignment that is deleted."""
        body = properties_of(call.body) or properties_of(self.find(call.cloud, call.id) or {})
        names = {"RoleDefinitionId": "roleDefinitionId", "PrincipalId": "principalId", "PrincipalType": "principalType"}
        values = {name: str(body.get(key) or "").rsplit("/", 1)[-1] for name, key in names.items()}
        if not values["PrincipalType"]:
            values["PrincipalType"] = principal_type(call.cloud, values["PrincipalId"].lower()) or ""
        return {f"{ASSIGNMENTS}:{name}".lower(): value for name, value in values.items()}

    def below(self, cloud: Cloud, prefix: str) -> list[Body]:
        """The assignments at, above and below the scope: the service lists them so without a filter."""
        at = prefix.partition("/providers/microsoft.authorization/roleassignments/")[0].rstrip("/") + "/"
        assignments = []
        for assignment in cloud.store.list(self.kind):
            scope = assignment["properties"]["scope"].lower().rstrip("/") + "/"
            if scope.startswith(at) or at.startswith(scope):
                assignments.append(assignment)
        return assignments

    def validate(self, call: Call, old: Body | None) -> None:
        """Requires that role and principal exist and that the assignment is new."""
        body = call.body["properties"]
        role = _assignable(call, body["roleDefinitionId"])
        if not GUID.fullmatch(body["principalId"]):
            text = f"The Principal ID '{body['principalId']}' is not valid. Principal ID must be a GUID."
            raise AzureError(400, "InvalidPrincipalId", text, target="properties.principalId")
        _check_condition(body)
        asked = (body["principalId"].lower(), role)
        if old is not None:
            if asked != _who(old):
                raise AzureError(
                    400,
                    "RoleAssignmentUpdateNotPermitted",
                    "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
                )
            return
        _check_principal(call, body)
        scope = _scope(call.id).lower()
        for other in call.cloud.store.list(self.kind, call.id.key.rpartition("/")[0] + "/"):
            if _who(other) == asked and other["properties"]["scope"].lower() == scope:
                message = (
                    f"The role assignment already exists. The ID of the existing role assignment is {other['name']}."
                )
                raise AzureError(409, "RoleAssignmentExists", message)

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds the scope, the principal's type, who made the assignment and when."""
        sent, now = call.body["properties"], clock.now().isoformat()
        before = properties_of(old or {})
        principal = sent["principalId"].lower()
        return {
            "properties": {
                "roleDefinitionId": _role_id(call, sent["roleDefinitionId"]),
                "principalId": principal,
                "principalType": sent.get("principalType") or principal_type(call.cloud, principal),
                "scope": before.get("scope") or _scope(call.id),
                "description": sent.get("description"),
                "condition": sent.get("condition"),
                "conditionVersion": (sent.get("conditionVersion") or "2.0") if sent.get("condition") else None,
                "delegatedManagedIdentityResourceId": None,
                "createdOn": before.get("createdOn", now),
                "createdBy": before.get("createdBy", call.caller.object_id),
                "updatedOn": now,
                "updatedBy": call.caller.object_id,
            }
        }

    def delete_response(self, call: Call, resource: Body | None) -> Response:
        """Answers with the deleted assignment."""
        return super().delete_response(call, None) if resource is None else JSONResponse(resource)

    def listed(self, call: Call, assignments: list[Body]) -> Body:
        """Filters by `atScope()`, `principalId eq` and `assignedTo()`."""
        terms = _terms(call, "atScope", "principalId", "assignedTo")
        if "atscope" in terms:
            at = _scope(call.id).lower().rstrip("/") + "/"
            assignments = [
                assignment
                for assignment in assignments
                if at.startswith(assignment["properties"]["scope"].lower().rstrip("/") + "/")
            ]
        if "principalid" in terms:
            assignments = [
                assignment
                for assignment in assignments
                if assignment["properties"]["principalId"] == terms["principalid"].lower()
            ]
        if "assignedto" in terms:
            who = call.cloud.access.principals(terms["assignedto"].lower())
            assignments = [assignment for assignment in assignments if assignment["properties"]["principalId"] in who]
        return {"value": assignments}


def _role_id(call: Call, role_definition_id: str) -> str:
    guid = role_definition_id.rsplit("/", 1)[-1].lower()
    subscription = f"/subscriptions/{call.subscription}" if call.subscription else ""
    return f"{subscription}/providers/{ROLES}/{guid}"


def _check_condition(body: Body) -> None:
    """Refuses a condition that cannot be read, and one of another version than 2.0."""
    condition, version = body.get("condition"), body.get("conditionVersion")
    if not condition:
        return
    if version not in (None, "2.0"):
        text = f"The condition version '{version}' is not supported: it must be 2.0."
        raise AzureError(400, "InvalidConditionVersion", text, target="properties.conditionVersion")
    try:
        compile_condition(condition)
    except ConditionError as error:
        text = f"The given role assignment condition is invalid: {error}."
        raise AzureError(400, "InvalidConditionSyntax", text, target="properties.condition") from error


def _who(assignment: Body) -> tuple[str, str]:
    body = assignment["properties"]
    return body["principalId"].lower(), body["roleDefinitionId"].rsplit("/", 1)[-1].lower()


def _assignable(call: Call, role_definition_id: str) -> str:
    """The GUID of a role that can be assigned at the scope."""
    guid = role_definition_id.rsplit("/", 1)[-1].lower()
    if not GUID.fullmatch(guid):
        raise AzureError(
            400,
            "InvalidRoleDefinitionId",
            f"The role definition ID '{role_definition_id}' is not valid. The role definition ID must be a GUID.",
            target="properties.roleDefinitionId",
        )
    if guid in built_in_roles():
        return guid
    role = call.cloud.store.get("roleDefinition", guid)
    if role is None:
        text = f"The specified role definition with ID '{guid}' does not exist."
        raise AzureError(404, "RoleDefinitionDoesNotExist", text)
    at = _scope(call.id).lower() + "/"
    if not any(at.startswith(scope.lower() + "/") for scope in role["properties"]["assignableScopes"]):
        raise AzureError(
            400,
            "RoleAssignmentScopeNotAssignableToRoleDefinition",
            f"The role assignment scope '{_scope(call.id)}' is not assignable to the role definition '{guid}'.",
        )
    return guid


def principal_type(cloud: Cloud, object_id: str) -> str | None:
    """`User`, `Group` or `ServicePrincipal`; None where the directory has no such principal."""
    kinds = {"user": "User", "group": "Group", "servicePrincipal": "ServicePrincipal"}
    return next((name for kind, name in kinds.items() if cloud.store.get(kind, object_id) is not None), None)


def _check_principal(call: Call, body: Body) -> None:
    principal, said = body["principalId"].lower(), body.get("principalType")
    known = principal_type(call.cloud, principal)
    if known is None and said is None:
        raise AzureError(
            400,
            "PrincipalNotFound",
            f"Principal {principal.replace('-', '')} does not exist in the directory {call.cloud.seed['tenantId']}. "
            "Check "
            "that you have the correct principal ID. If you are creating this principal and then immediately "
            "assigning a "
            "role, this error might be related to a replication delay. In this case, set the role assignment "
            "principalType "
            "property to a value, such as ServicePrincipal, User, or Group.",
        )
    if known is not None and said is not None and known.lower() != said.lower():
        raise AzureError(
            400,
            "UnmatchedPrincipalType",
            f"The PrincipalId '{principal.replace('-', '')}' has type '{known}', which is different from specified "
            f"PrinciaplType '{said}'.",
        )


class Lock(ResourceType):
    """`Microsoft.Authorization/locks`."""

    type = "Microsoft.Authorization/locks"
    absent = ("LockNotFound", "The lock '{name}' could not be found.")
    tracked = False
    kind = "lock"
    name_pattern = re.compile(r"[^<>%&:?/]{0,259}[^<>%&:?/. ]")
    required = ("properties.level",)
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.level": frozenset({"CanNotDelete", "ReadOnly"}),
        "properties.notes": str,
    }

    def below(self, cloud: Cloud, prefix: str) -> list[Body]:
        """The locks at the scope and below it."""
        at = prefix.partition("/providers/microsoft.authorization/locks/")[0].rstrip("/") + "/"
        return list(cloud.store.list(self.kind, at))

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Keeps the level, the notes and the owners."""
        sent = call.body["properties"]
        levels = {"cannotdelete": "CanNotDelete", "readonly": "ReadOnly"}
        notes = {part: sent[part] for part in ("notes", "owners") if sent.get(part) is not None}
        return {"properties": {"level": levels[sent["level"].lower()], **notes}}


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [RoleDefinition(), RoleAssignment(), Lock()]
