"""What only the settings tell of access: when it ends, and who the members of a team's groups are."""

from collections.abc import Iterator, Mapping
from datetime import date

from review.model import Side
from settings import Department, Member, Team, logical

_WITH_IDS = ("azuread:index/group:Group", "azure-native:authorization:RoleAssignment")


def ends(department: Department) -> dict[tuple[str | None, str], date]:
    """The last days of access, by team and person; whoever has access without an end, too, is not there."""
    found: dict[tuple[str | None, str], date | None] = {}
    for team, member in _members(department):
        key = team, _name(member)
        last = found.get(key, member.until)
        found[key] = max(last, member.until) if last and member.until else None
    return {key: until for key, until in found.items() if until}


def names(department: Department, side: Side) -> Mapping[str, str]:
    """Names of people by object id, where Pulumi has their ids alone: of a team's groups, and of who deploys."""
    inputs = {one.name: one.inputs for one in side.resources if one.type in _WITH_IDS}
    found: dict[str, str] = {}
    for team in department.teams:
        for field, persona in logical.PERSONAS.items():
            people = list(dict.fromkeys(_name(member) for member in getattr(team, field)))
            ids = inputs.get(f"{team.name}-{persona}", {}).get("members")
            if isinstance(ids, list) and len(ids) == len(people):
                found |= {id_: name for id_, name in zip(ids, people, strict=True) if isinstance(id_, str)}
        for deployer in map(_name, department.deployers):
            id_ = inputs.get(f"{team.name}-vault-{deployer}", {}).get("principalId")
            found |= {id_: deployer} if isinstance(id_, str) else {}
    return found


def _name(member: Member) -> str:
    return member.user or str(member.group)


def _members(department: Department) -> Iterator[tuple[str | None, Member]]:
    for member in department.subscription_admins:
        yield None, member
    for team in department.teams:
        for member in _of_team(team):
            yield team.name, member


def _of_team(team: Team) -> Iterator[Member]:
    yield from (*team.admins, *team.leads, *team.data_scientists, *team.readers)
    for restricted in team.lake.restricted if team.lake else ():
        yield from (*restricted.readers, *restricted.writers)
    for automation in team.automation:
        yield from automation.secret.readers if automation.secret else ()
