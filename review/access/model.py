"""How access to a stack differs between two revisions."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

PrincipalKind = Literal["user", "group", "service principal", "identity"]


@dataclass(frozen=True, order=True)
class Principal:
    """Somebody or something that has roles.

    Attributes:
        name: A user principal name, a group's name, a service principal's or an identity's name.
        kind: What it is; `identity` is a managed identity.
        key: What it is known by at both revisions.
    """

    name: str
    kind: PrincipalKind
    key: str


@dataclass(frozen=True)
class Grant:
    """A role that a principal has on a scope.

    Attributes:
        principal: Who.
        role: Name of the role.
        scope: On what, in words: `the resource group of team forecast`.
        team: Team of the scope; None for what is the department's.
        condition: Azure's condition on it; empty for none.
        until: Last day of the access; None if it has no end.
    """

    principal: Principal
    role: str
    scope: str
    team: str | None
    condition: str = ""
    until: date | None = None


@dataclass(frozen=True)
class Ability:
    """What a principal can do with something, by all of its roles together and those of its groups.

    Attributes:
        principal: Who.
        deed: What, in words that stand before the object: `read`, `submit jobs in`.
        target: With what, in words: `the lake of team forecast`.
        team: Team of the object; None for what is the department's.
        via: Name of the group through which alone; empty if also without one.
        unsure: Whether it depends on a condition that this evaluator does not read.
        whole: What the object is a part of, in words, such as the lake of a file system; empty if it is no part.
    """

    principal: Principal
    deed: str
    target: str
    team: str | None
    via: str = ""
    unsure: bool = False
    whole: str = ""


@dataclass(frozen=True)
class Membership:
    """A member of a group of the stack.

    Attributes:
        group: Name of the group.
        member: Who.
        until: Last day of it; None where it does not end.
    """

    group: str
    member: Principal
    until: date | None = None


@dataclass(frozen=True)
class Trust:
    """Whose tokens stand for a service principal.

    Attributes:
        principal: Name of the service principal.
        issuer: Who signs the tokens.
        subject: Which workflow or pipeline, in the issuer's words.
    """

    principal: str
    issuer: str
    subject: str


@dataclass(frozen=True)
class Password:
    """A secret of a service principal.

    Attributes:
        principal: Name of the service principal.
        expires: When it ends, as Entra has it; empty if that is not known.
    """

    principal: str
    expires: str


@dataclass(frozen=True)
class RoleChange:
    """A custom role that allows other things than before.

    Attributes:
        role: Its name.
        gained: Actions that it allows now, `not …` for exceptions that it makes no more.
        lost: Actions that it allows no more, `not …` for exceptions that it makes now.
    """

    role: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True)
class AccessDifference:
    """How access differs. Everything is sorted, people before machines.

    Attributes:
        grants_gained: Roles that are given.
        grants_lost: Roles that are taken.
        abilities_gained: What principals can do now.
        abilities_lost: What they can do no more.
        members_gained: Who is now in a group of the stack.
        members_lost: Who is in it no more.
        trusts_gained: Whose tokens now stand for a service principal.
        trusts_lost: Whose do no more.
        passwords_gained: Secrets that are made.
        passwords_lost: Secrets that end.
        roles_changed: Custom roles with other actions.
        ending: Roles that end by a date, of all that are there at the head.
        members_ending: The same of memberships.
        notes: What the evaluator could not read, a sentence each.
    """

    grants_gained: tuple[Grant, ...] = ()
    grants_lost: tuple[Grant, ...] = ()
    abilities_gained: tuple[Ability, ...] = ()
    abilities_lost: tuple[Ability, ...] = ()
    members_gained: tuple[Membership, ...] = ()
    members_lost: tuple[Membership, ...] = ()
    trusts_gained: tuple[Trust, ...] = ()
    trusts_lost: tuple[Trust, ...] = ()
    passwords_gained: tuple[Password, ...] = ()
    passwords_lost: tuple[Password, ...] = ()
    roles_changed: tuple[RoleChange, ...] = ()
    ending: tuple[Grant, ...] = ()
    members_ending: tuple[Membership, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Who can do what now, and who can no more: a sentence for each principal and object."""
        return (*_sentences(self.abilities_gained, "can now"), *_sentences(self.abilities_lost, "can no longer"))


def _sentences(abilities: tuple[Ability, ...], can: str) -> tuple[str, ...]:
    deeds: dict[tuple[str, str, str, bool], list[str]] = {}
    for one in abilities:
        deeds.setdefault((one.principal.name, one.target, one.via, one.unsure), []).append(one.deed)
    return tuple(
        f"{who} {can} {_listed(did)} {target}"
        + (f", by the group {via}" if via else "")
        + (", under a condition that this review does not read" if unsure else "")
        for (who, target, via, unsure), did in deeds.items()
    )


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
