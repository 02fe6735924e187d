"""What only the settings tell of access: when it ends, and who the members of a team's groups are."""

from collections.abc import Iterator, Mapping
from datetime import date

from review.model import Side
from settings import Department, Member, logical
from settings.checks.subject import sections

_WITH_IDS = ("azuread:index/group:Group", "azure-native:authorization:RoleAssignment")


def ends(department: Department) -> dict[tuple[str | None, str], date]:
    """The last days of access, by team and person; whoever has access without an end, too, is not there."""
    found: dict[tuple[str | None, str], date | None] = {}
    for team, member in _members(department):
        key = team, member.name
        last = found.get(key, member.until)
        found[key] = max(last, member.until) if last and member.until else None
    return {key: until for key, until in found.items() if until}


def names(department: Department, side: Side) -> Mapping[str, str]:
    """Names of people by object id, where Pulumi has their ids alone: of a team's groups, and of who deploys."""
    inputs = {one.name: one.inputs for one in side.resources if one.type in _WITH_IDS}
    found: dict[str, str] = {}
    for team in department.teams:
        for field, persona in logical.PERSONAS.items():
            people = list(dict.fromkeys(member.name for member in getattr(team, field)))
            ids = inputs.get(f"{team.name}-{persona}", {}).get("members")
            if isinstance(ids, list) and len(ids) == len(people):
                found |= {id_: name for id_, name in zip(ids, people, strict=True) if isinstance(id_, str)}
        for deployer in department.deployers:
            id_ = inputs.get(f"{team.name}-vault-{deployer.name}", {}).get("principalId")
            found |= {id_: deployer.name} if isinstance(id_, str) else {}
    return found


def _members(department: Department) -> Iterator[tuple[str | None, Member]]:
    for team, holder in ((None, department.subscription_admins), *((one.name, one) for one in department.teams)):
        for _, section in sections(holder):
            if isinstance(section, Member):
                yield team, section
