"""Teams and clusters that were renamed in the settings: what Azure has tells of them before an update destroys it.

The program cannot see the state. The tags of workspaces and clusters tell whose they are.
"""

from collections.abc import Iterable, Iterator, Sequence

from operations.quota import API, workspace_id
from operations.resourcemanager import Send, body_of
from operations.workspaces import Made
from settings import Department, Team


def refusal(department: Department, made: Iterable[Made]) -> str:
    """Return why the update would fail: a team would get another team's names on Azure; empty if it would not."""
    found = {one.id: one for one in made}
    for team in department.teams:
        one = found.get(workspace_id(department, team).lower())
        other = _team_of(department, one) if one else None
        if other and other not in (team.name, team.former_name) and other not in _names(department):
            return (
                f"The team '{team.name}' has the names on Azure that the team '{other}' has, which the settings no "
                f"longer have. If it was renamed, set formerName: {other}, and its resources stay. If not, set another "
                f"customName or naming: no two teams can have one workspace."
            )
    return ""


def warnings(department: Department, made: Sequence[Made]) -> list[str]:
    """A sentence for the teams that are gone from the settings while others are new: they may be the same."""
    ours = {workspace_id(department, team).lower(): team for team in department.teams}
    there = {ours[one.id].name for one in made if one.id in ours}
    names = _names(department)
    others = {other: one.id for one in made if one.id not in ours and (other := _team_of(department, one))}
    moved = {name: id_ for name, id_ in others.items() if name in names - there}
    gone = {name: id_ for name, id_ in others.items() if name not in names}
    new = [team.name for team in department.teams if team.name not in there | moved.keys()]
    lines = [
        f"The names on Azure of the team '{name}' change, and Azure renames nothing: up deletes its workspace "
        f"'{id_.rpartition('/')[2]}' with its models and runs, and all else whose name changes, with its data."
        for name, id_ in moved.items()
    ]
    if not new:
        return lines
    return lines + [
        f"The team '{name}' is gone from the settings, and {_listed(new)} is new. If it was renamed, set "
        f"formerName: {name} at the new one, and its resources stay. If not, up deletes its resource group "
        f"'{id_.split('/')[4]}' with its workspace, data, models and secrets."
        for name, id_ in gone.items()
    ]


def cluster_warnings(department: Department, made: Iterable[Made], send: Send) -> list[str]:
    """A sentence for each cluster or instance that is gone from the settings while another of its team is new.

    Raises:
        AzureRefusedError: If Azure does not answer the question.
    """
    exist = {one.id for one in made}
    teams = [team for team in department.teams if workspace_id(department, team).lower() in exist]
    return [line for team in teams for line in _of_team(team, list(_computes(workspace_id(department, team), send)))]


def _of_team(team: Team, computes: Sequence[tuple[str, str]]) -> Iterator[str]:
    wanted = {cluster.name: cluster.vm_size for cluster in team.clusters}
    wanted |= {instance.name: instance.vm_size for instance in team.instances}
    there = {name.lower() for name, _ in computes}
    for name, size in computes:
        if name.lower() in {each.lower() for each in wanted}:
            continue
        alike = [each for each, its in wanted.items() if each.lower() not in there and its.lower() == size.lower()]
        if alike:
            yield (
                f"{team.name}: the compute '{name}' is gone from the settings, and {_listed(alike)} with its VM size "
                f"is new. Azure renames no compute: up deletes '{name}', and its jobs end. Data and models stay."
            )


def _computes(workspace: str, send: Send) -> Iterator[tuple[str, str]]:
    """Name and VM size of the clusters and instances of a workspace."""
    for one in body_of(send("GET", f"{workspace}/computes?api-version={API}", None)).get("value", ()):
        size = (one.get("properties", {}).get("properties") or {}).get("vmSize")
        if size:
            yield str(one.get("name")), str(size)


def _team_of(department: Department, one: Made) -> str | None:
    """The team of this department, in this environment and region, that a workspace was made for; None if of none."""
    tags = department.tags_of()
    mine = all(one.tags.get(key) == tags[key] for key in ("department", "environment"))
    return one.tags.get("team") if mine and one.region == department.region else None


def _names(department: Department) -> set[str]:
    """The present and former names of the teams."""
    return {name for team in department.teams for name in (team.name, team.former_name) if name}


def _listed(names: Sequence[str]) -> str:
    return " or ".join(f"'{name}'" for name in names)
