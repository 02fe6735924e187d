"""The people of a team: principals, and the security groups that can stand for them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pulumi
import pulumi_azuread as azuread

from components.identity.directory import Directory, Name
from components.identity.principals import Principal, unique
from components.identity.roles import TITLES, Persona
from department.context import TeamContext
from settings import Department, Member
from settings.named import people_named


def find_people(department: Department, provider: pulumi.ProviderResource | None) -> Directory:
    """Look everybody up whom the settings name: who cannot be found is told with the key, all in one run."""
    places: dict[Name, list[str]] = {}
    for key, text, is_group in people_named(department):
        places.setdefault(Name("Group" if is_group else "User", text), []).append(key)
    return Directory(provider, places)


def principal(directory: Directory, member: Member) -> Principal:
    """The user or group that an entry of the settings names."""
    return directory.user(member.user) if member.user else directory.group(str(member.group))


def principals(context: TeamContext, members: Iterable[Member]) -> list[Principal]:
    """The users and groups of a list, each once."""
    return unique(principal(context.shared.directory, member) for member in members)


def people_of(context: TeamContext) -> Mapping[Persona, Sequence[Principal]]:
    """The principals of each persona: the team's people, or the groups that are made for them."""
    team = context.team
    lists = {
        Persona.ADMIN: team.admins,
        Persona.LEAD: team.leads,
        Persona.DATA_SCIENTIST: team.data_scientists,
        Persona.AUTOMATION: (),
        Persona.READER: team.readers,
    }
    people = {persona: principals(context, members) for persona, members in lists.items()}
    if not team.groups:
        return people
    return {persona: [_group(context, persona, members)] if members else [] for persona, members in people.items()}


def of_team(context: TeamContext, person: Principal) -> Principal:
    """The same principal under a name that no other team's has."""
    return replace(person, name=f"{context.team.name}-{person.name}")


def _group(context: TeamContext, persona: Persona, members: Sequence[Principal]) -> Principal:
    """A security group of a persona's people, which has the roles in their place."""
    group = azuread.Group(
        f"{context.team.name}-{persona}",
        display_name=f"{context.prefix} {TITLES[persona]}",
        description=f"Made and kept by the platform for the team {context.team.name}.",
        security_enabled=True,
        prevent_duplicate_names=True,
        members=[member.object_id for member in members],
        opts=pulumi.ResourceOptions(provider=context.shared.directory_provider),
    )
    return Principal(f"group-{persona}", group.object_id, "Group")
