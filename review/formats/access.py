"""Access in words: who gains and who loses what, one line each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from review.access.model import AccessDifference, Grant


@dataclass(frozen=True)
class Line:
    """One thing that somebody gains or loses.

    Attributes:
        gained: Whether it is gained.
        text: What, in a sentence without its full stop.
    """

    gained: bool
    text: str


def counted(access: AccessDifference | None) -> str:
    """How many gain and how many lose: `1 gains, 2 lose`."""
    if access is None:
        return ""
    gaining = {one.principal.key for one in access.abilities_gained}
    losing = {one.principal.key for one in access.abilities_lost}
    texts = [f"{len(gaining)} gain{'s' if len(gaining) == 1 else ''}"] if gaining else []
    texts += [f"{len(losing)} lose{'s' if len(losing) == 1 else ''}"] if losing else []
    return ", ".join(texts) or ("other roles" if lines(access) else "as before")


def lines(access: AccessDifference) -> list[Line]:
    """What changes in roles, groups, federation, secrets and custom roles; what is gained first."""
    return sorted(_lines(access), key=lambda line: not line.gained)


def _lines(access: AccessDifference) -> Iterator[Line]:
    for gained, grants in ((True, access.grants_gained), (False, access.grants_lost)):
        for grant in grants:
            yield Line(gained, f"{grant.principal.name} {'gets' if gained else 'loses'} {_role(grant)}")
    for gained, members in ((True, access.members_gained), (False, access.members_lost)):
        for one in members:
            joins = "joins" if gained else "leaves"
            yield Line(gained, f"{one.member.name} {joins} the group {one.group}{_until(one.until)}")
    for gained, trusts in ((True, access.trusts_gained), (False, access.trusts_lost)):
        for trust in trusts:
            how = "can sign in as" if gained else "can no longer sign in as"
            yield Line(gained, f"{trust.subject} of {trust.issuer} {how} the service principal {trust.principal}")
    for gained, passwords in ((True, access.passwords_gained), (False, access.passwords_lost)):
        for password in passwords:
            until = f", which expires on {password.expires}" if gained and password.expires else ""
            gets = "gets" if gained else "loses"
            yield Line(gained, f"the service principal {password.principal} {gets} a secret{until}")
    for role in access.roles_changed:
        for gained, actions in ((True, role.gained), (False, role.lost)):
            if actions:
                verb = "allows" if gained else "no longer allows"
                yield Line(gained, f"the role {role.role} {verb} {', '.join(actions)}")


def _role(grant: Grant) -> str:
    condition = ", under a condition" if grant.condition else ""
    return f"the role {grant.role} on {grant.scope}{condition}{_until(grant.until)}"


def _until(day: date | None) -> str:
    return f", until {day}" if day else ""
