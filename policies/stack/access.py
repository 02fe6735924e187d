"""Who gets which role."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from policies import roles
from policies.azuretypes import name_of
from policies.baseline import controls
from policies.links import undecided
from policies.model import Level, NotApplicableError, Outcome, Problem, Setting, Settings, Severity, StackRule
from policies.resources import Graph, Resource, matches, value_or_none
from policies.rules.checks import alike, texts
from policies.rules.roles import too_wide
from policies.values import UnknownValueError

ASSIGNMENT: Final = "authorization:RoleAssignment"
DEFINITION: Final = "authorization:RoleDefinition"
ASSIGN: Final = "microsoft.authorization/roleassignments/write"
PRINCIPAL_TYPES: Final = ("User", "Group", "ServicePrincipal", "ForeignGroup", "Device")
_GUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_DOCS = "https://learn.microsoft.com/azure/role-based-access-control/best-practices"
_SOURCE = "Microsoft: give only the access that people need (Azure RBAC's best practices; security baseline, PA-7)."


def role_of(assignment: Resource, graph: Graph) -> tuple[str, Resource | None]:
    """The id of an assignment's role, and its definition if the program has it.

    Raises:
        UnknownValueError: If the role is not known.
    """
    source = graph.source(assignment, "roleDefinitionId", DEFINITION)
    try:
        guid = _guid(assignment.get("roleDefinitionId"))
    except UnknownValueError:
        if source is None:
            raise
        return _guid(value_or_none(source, "roleDefinitionId") or name_of(source) or source.name), source
    return guid, _by_guid(graph).get(guid)


def _by_guid(graph: Graph) -> dict[str, Resource]:
    """The program's custom roles by their ids."""

    def make() -> dict[str, Resource]:
        ids = ((guid, one) for one in graph.of(DEFINITION) for guid in (value_or_none(one, "roleDefinitionId"), one.id))
        return {_guid(id_): one for id_, one in ids if isinstance(id_, str)}

    return graph.cached("guids", (DEFINITION,), make)


def _guid(role_id: object) -> str:
    return str(role_id or "").rstrip("/").rpartition("/")[2].casefold()


def title(guid: str, definition: Resource | None) -> str:
    """The title of a role, as messages show it."""
    own = value_or_none(definition, "roleName") if definition else None
    return own if isinstance(own, str) else roles.NAMES.get(guid, guid)


def assignments(graph: Graph, unknown: list[UnknownValueError]) -> Iterator[tuple[Resource, str, Resource | None]]:
    """Each assignment with its role's id and definition; of roles that are not known, the errors are collected."""
    for assignment in graph.of(ASSIGNMENT):
        try:
            guid, definition = role_of(assignment, graph)
        except UnknownValueError as error:
            unknown.append(error)
            continue
        yield assignment, guid, definition


def _owner(graph: Graph, _settings: Settings) -> Outcome:
    unknown: list[UnknownValueError] = []
    for assignment, guid, definition in assignments(graph, unknown):
        if guid in roles.GIVE_ACCESS:
            message = f"it gives the role {title(guid, definition)}, with which one gives any role to anybody"
            yield Problem(message, "roleDefinitionId", assignment)
        elif definition and any(map(too_wide, _actions(definition))):
            message = f"it gives the custom role {title(guid, definition)}, which may do everything"
            yield Problem(message, "roleDefinitionId", assignment)
        elif definition and any(map(_gives_access, _permissions(definition))):
            message = f"it gives the custom role {title(guid, definition)}, with which one gives any role to anybody"
            yield Problem(message, "roleDefinitionId", assignment)
    yield from undecided(unknown, "the role")


def _actions(definition: Resource) -> Iterator[str]:
    for permission in _permissions(definition):
        for part in ("actions", "dataActions"):
            yield from texts(permission.get(part))


def _permissions(definition: Resource) -> Iterator[Mapping[str, Any]]:
    permissions = value_or_none(definition, "permissions")
    yield from (one for one in (permissions if isinstance(permissions, list) else ()) if isinstance(one, dict))


def _gives_access(permission: Mapping[str, Any]) -> bool:
    """Whether a permission allows role assignments, by its name or by a wider action."""
    allowed, left_out = (
        any(fnmatchcase(ASSIGN, action.casefold()) for action in texts(permission.get(part)))
        for part in ("actions", "notActions")
    )
    return allowed and not left_out


def _contributor(graph: Graph, settings: Settings) -> Outcome:
    unknown: list[UnknownValueError] = []
    flagged = [entry["assignment"] for entry in settings.get("exceptions", ())]
    for assignment, guid, _ in assignments(graph, unknown):
        if guid != roles.CONTRIBUTOR:
            continue
        if not any(matches(assignment.urn, pattern) for pattern in flagged):
            message = "it gives the role Contributor, and no exception of the configuration flags it"
            yield Problem(message, "roleDefinitionId", assignment)
    yield from undecided(unknown, "the role")


def _ceiling(graph: Graph, settings: Settings) -> Outcome:
    if "principals" not in settings:
        raise NotApplicableError("the configuration has no 'principals' that say which roles each may have")
    unknown: list[UnknownValueError] = []
    for assignment, guid, definition in assignments(graph, unknown):
        name = title(guid, definition)
        for whose, ceiling in settings["principals"].items():
            try:
                if not _is_meant(whose, assignment):
                    continue
            except UnknownValueError as error:
                unknown.append(error)
                continue
            if not any(guid == one.casefold() or fnmatchcase(name.casefold(), one.casefold()) for one in ceiling):
                most = ", ".join(ceiling) or "none"
                message = f"it gives the role {name}; the ceiling of '{whose}' is: {most}"
                yield Problem(message, "roleDefinitionId", assignment)
                break
    yield from undecided(unknown, "the principal or its role")


def _is_meant(whose: str, assignment: Resource) -> bool:
    """Whether a key of `principals` means the principal of an assignment.

    Raises:
        UnknownValueError: If that is not known.
    """
    makers = assignment.property_dependencies.get("principalId", ())
    if ":" in whose or "*" in whose:
        return any(matches(urn, whose) for urn in (assignment.urn, *makers))
    if whose in PRINCIPAL_TYPES:
        kind = assignment.get("principalType")
        if kind is None:  # Azure looks the type up
            raise UnknownValueError("principalType", "string")
        return alike(kind, whose)
    if makers and value_or_none(assignment, "principalId") is None:
        return False  # a new principal, whose id nobody has configured
    return alike(assignment.get("principalId"), whose)


RULES = (
    StackRule(
        name="authorization-assignment-refuse-owner",
        title="Nobody gets a role that may do everything or give access.",
        check=_owner,
        severity=Severity.CRITICAL,
        counterparts=controls("PA-7"),
        source=_SOURCE,
        url=_DOCS,
        remediation="Give a role with just the actions that are needed.",
        applies=(
            "Role assignments: Owner, User Access Administrator, RBAC Administrator, and custom roles that may do "
            "everything or assign roles."
        ),
    ),
    StackRule(
        name="authorization-assignment-limit-contributor",
        title="The role Contributor is given only where an exception flags it.",
        check=_contributor,
        severity=Severity.HIGH,
        level=Level.ADVISORY,
        counterparts=controls("PA-7"),
        source=_SOURCE,
        url=_DOCS,
        remediation="Give a narrower role, or flag the assignment in the rule's 'exceptions', with the reason.",
        settings={
            "exceptions": Setting(
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["assignment", "reason"],
                        "properties": {
                            "assignment": {"type": "string", "minLength": 1},
                            "reason": {"type": "string", "minLength": 10},
                        },
                    },
                    "description": "Flagged assignments: a URN or a pattern for URNs, and why they need the role.",
                }
            )
        },
        applies="Role assignments.",
    ),
    StackRule(
        name="authorization-assignment-limit-principals",
        title="No principal gets a role above the ceiling of its persona.",
        check=_ceiling,
        severity=Severity.HIGH,
        counterparts=controls("PA-7"),
        source=_SOURCE,
        url=_DOCS,
        remediation="Take the assignment out, or have the principal's ceiling raised.",
        settings={
            "principals": Setting(
                {
                    "type": "object",
                    "propertyNames": {"pattern": rf"^({_GUID}|{'|'.join(PRINCIPAL_TYPES)}|.*[:*].*)$"},
                    "additionalProperties": {"type": "array", "items": {"type": "string", "minLength": 1}},
                    "description": (
                        "The roles that a principal may have at most, by name, pattern or id. The principal is an "
                        f"object id, a principalType ({', '.join(PRINCIPAL_TYPES)}), or a pattern for the URN of the "
                        "assignment or of the resource that makes the principal. Each that matches is a ceiling."
                    ),
                }
            )
        },
        applies="Role assignments of the principals that the configuration names, one by one, by type or by pattern.",
    ),
)
