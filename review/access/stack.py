"""Who has which role in a stack at one revision."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from review.access.model import Grant, Membership, Password, Principal, PrincipalKind, Trust
from review.access.places import Places, places
from review.access.roles import Role, built_in, role_from
from review.access.targets import target_of
from review.model import Resource, Side

_MACHINE = re.compile(r"(.*?)-(workspace|nodes|key)-identity\b")
"""An identity's name in Pulumi, with which the names of its assignments begin."""
_IDENTITIES = {"workspace": "the workspace's identity", "nodes": "the nodes' identity", "key": "the key's identity"}
_SERVICE_PRINCIPAL = "azuread:index/servicePrincipal:ServicePrincipal"
"""Its name on Azure is that of its application."""
Ends = Mapping[tuple[str | None, str], date]
"""Last days of access, by team and person as the stack file names them."""


@dataclass(frozen=True)
class Assignment:
    """A role assignment.

    Attributes:
        principal: Who has it.
        role: The role; None if it is not known here.
        path: Path of its scope; None if that is not known.
        grant: It, in words.
    """

    principal: Principal
    role: Role | None
    path: str | None
    grant: Grant


@dataclass
class Stack:
    """Access at one revision."""

    places: Places
    assignments: list[Assignment] = field(default_factory=list)
    definitions: dict[str, Role] = field(default_factory=dict)  # of custom roles, by URN
    members: set[Membership] = field(default_factory=set)
    trusts: set[Trust] = field(default_factory=set)
    passwords: set[Password] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


class Reader:
    """Reads both revisions of a stack, so that each principal, group and custom role has one name in both: the head's.

    Args:
        sides: The base and the head.
        names: Names of people by object id, beside those that the stack's assignments tell.
    """

    def __init__(self, sides: tuple[Side, Side], names: Mapping[str, str]) -> None:
        self._principals: dict[str, Principal] = {id_: Principal(name, "user", name) for id_, name in names.items()}
        self._names = {one.urn: name for side in sides for one in side.resources if (name := _own_name(one))}
        everything = [one for side in sides for one in side.resources]
        self._names |= {
            one.urn: self._names[urn]
            for one in everything
            if one.type == _SERVICE_PRINCIPAL
            for urn in one.sources.get("clientId", ())
            if urn in self._names
        }
        for one in everything:
            self._learn(one)

    def _learn(self, one: Resource) -> None:
        """What a resource tells of the object ids of people and machines."""
        if one.type == "azure-native:authorization:RoleAssignment":
            id_ = one.inputs.get("principalId")
            if isinstance(id_, str) and one.person:
                kind: PrincipalKind = "group" if one.inputs.get("principalType") == "Group" else "user"
                self._principals.setdefault(id_, Principal(one.person, kind, f"{kind} {one.person}"))
        elif principal := self._made(one):
            for key in ("principalId", "objectId"):
                if isinstance(id_ := one.outputs.get(key), str):
                    self._principals[id_] = principal
            identity = one.outputs.get("identity")
            if isinstance(identity, Mapping) and isinstance(id_ := identity.get("principalId"), str):
                self._principals[id_] = principal

    def read(self, side: Side, ends: Ends) -> Stack:
        """A revision's access.

        Args:
            side: The revision.
            ends: Last days of access.
        """
        stack = Stack(places(side))
        for one in side.resources:
            if one.type == "azure-native:authorization:RoleDefinition":
                stack.definitions[one.urn] = role_from(self._display(one), one.inputs.get("permissions"))
        for one in side.resources:
            match one.type:
                case "azure-native:authorization:RoleAssignment":
                    stack.assignments.append(self._assignment(one, stack, ends))
                case "azuread:index/group:Group":
                    people = [self._person(id_) for id_ in _texts(one.inputs.get("members"))]
                    stack.members |= {
                        Membership(self._display(one), member, ends.get((one.team, member.name))) for member in people
                    }
                case "azuread:index/groupMember:GroupMember":
                    stack.members |= set(self._membership(one, stack.places))
                case "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential":
                    issuer, subject = str(one.inputs.get("issuer")), str(one.inputs.get("subject"))
                    stack.trusts.add(Trust(self._owner(one, "applicationId", stack.places), issuer, subject))
                case "azuread:index/servicePrincipalPassword:ServicePrincipalPassword":
                    owner, end = self._owner(one, "servicePrincipalId", stack.places), one.inputs.get("endDate")
                    stack.passwords.add(Password(owner, end if isinstance(end, str) else ""))
                case _:
                    pass
        stack.notes += [
            f"{one.grant.principal.name} has the role {one.grant.role}; this review does not know what that allows."
            for one in stack.assignments
            if one.role is None
        ]
        return stack

    def _assignment(self, one: Resource, stack: Stack, ends: Ends) -> Assignment:
        principal = self._principal(one, stack.places)
        role, role_name = _role(one, stack)
        path = stack.places.path(one, "scope")
        condition = one.inputs.get("condition")
        target = target_of(path, stack.places) if path is not None else None
        grant = Grant(
            principal=principal,
            role=role_name,
            scope=target.words if target else "something that is not there yet",
            team=target.team if target else one.team,
            condition=condition if isinstance(condition, str) else "",
            until=ends.get((one.team, one.person or "")),
        )
        return Assignment(principal, role, path, grant)

    def _principal(self, one: Resource, places_: Places) -> Principal:
        id_ = one.inputs.get("principalId")
        if isinstance(id_, str):
            kind: PrincipalKind = {"User": "user", "Group": "group"}.get(
                str(one.inputs.get("principalType")), "service principal"
            )  # type: ignore[assignment]
            return self._principals.get(id_) or Principal(one.person or id_, kind, id_)
        if made := next(self._sources(one, "principalId", places_), None):
            return made
        if one.person:
            return Principal(one.person, "user", f"user {one.person}")
        return _machine_of(one)

    def _person(self, id_: str) -> Principal:
        return self._principals.get(id_) or Principal(id_, "user", id_)

    def _membership(self, one: Resource, places_: Places) -> Iterator[Membership]:
        group = self._owner(one, "groupObjectId", places_)
        if isinstance(id_ := one.inputs.get("memberObjectId"), str):
            yield Membership(group, self._person(id_))
        for made in self._sources(one, "memberObjectId", places_):
            yield Membership(group, made)

    def _sources(self, one: Resource, key: str, places_: Places) -> Iterator[Principal]:
        """The principals that an input's value comes from."""
        return filter(None, map(self._made, places_.sources(one, key)))

    def _made(self, one: Resource) -> Principal | None:
        """The principal that a resource is."""
        match one.type:
            case "azure-native:managedidentity:UserAssignedIdentity":
                found = _MACHINE.fullmatch(one.name)
                what = _IDENTITIES[found[2]] if found else f"the identity {one.name}"
                name = f"{what} of team {one.team}" if one.team else what
                return Principal(name, "identity", f"{one.team} {one.name}")
            case "azuread:index/group:Group":
                return Principal(self._display(one), "group", one.urn)
            case _ if one.type == _SERVICE_PRINCIPAL:
                return Principal(f"the service principal {self._display(one)}", "service principal", one.urn)
            case "azure-native:machinelearningservices:Compute":
                return Principal(f"the identity of cluster {one.name}", "identity", one.urn)
            case "azure-native:machinelearningservices:Workspace":
                return Principal(f"the identity of workspace {one.name}", "identity", one.urn)
            case _:
                return None

    def _owner(self, one: Resource, key: str, places_: Places) -> str:
        """Name of the application, service principal or group that an input leads to."""
        if source := next(places_.sources(one, key), None):
            return self._display(source)
        value = one.inputs.get(key)
        return value if isinstance(value, str) else one.name

    def _display(self, one: Resource) -> str:
        return self._names.get(one.urn, one.name)


def _own_name(one: Resource) -> str:
    """The name that a group, an application or a custom role has on Azure; empty if it has none or it is not known."""
    name = one.inputs.get("roleName", one.inputs.get("displayName"))
    return name if isinstance(name, str) else ""


def _machine_of(one: Resource) -> Principal:
    """A machine whose object id and origin are not known before it is made; its assignment's name tells which it is."""
    found = _MACHINE.match(one.name)
    if found and one.team:
        name = f"{found[1]}-{found[2]}-identity"
        return Principal(f"{_IDENTITIES[found[2]]} of team {one.team}", "identity", f"{one.team} {name}")
    return Principal(f"who gets {one.name}", "identity", one.urn)


def _role(one: Resource, stack: Stack) -> tuple[Role | None, str]:
    """The role of an assignment, and its name."""
    definition = next((urn for urn in one.sources.get("roleDefinitionId", ()) if urn in stack.definitions), None)
    if definition:
        role = stack.definitions[definition]
        return role, role.name
    id_ = one.inputs.get("roleDefinitionId")
    guid = id_.rpartition("/")[2].lower() if isinstance(id_, str) else ""
    for urn, role in stack.definitions.items():
        if guid and stack.places.by_urn[urn].inputs.get("roleDefinitionId") == guid:
            return role, role.name
    role_ = built_in().get(guid)
    return role_, role_.name if role_ else guid or "a role that is not known yet"


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []
