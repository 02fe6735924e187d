"""Access that has ended, and names of automation."""

from collections.abc import Iterator

from settings.checks.subject import Subject, duplicates, sections
from settings.people import Member
from settings.problems import Problem, show


def problems(subject: Subject) -> Iterator[Problem]:
    """Problems of people and service principals."""
    for path, section in sections(subject.department):
        if isinstance(section, Member) and section.until and section.until < subject.today:
            yield Problem(
                (*path, "until"),
                f"the access of {show(section.user or section.group)} ended on {section.until}. "
                "Delete the entry, and the next up takes the access away; or give a later day.",
            )
    yield from duplicates(
        ((("teams", i, "name"), team.name) for i, team in enumerate(subject.department.teams)),
        "Teams of a department have distinct names.",
    )
    for at, team in subject.teams():
        yield from duplicates(
            (((*at, "automation", i, "name"), entry.name) for i, entry in enumerate(team.automation)),
            "Automation of a team have distinct names.",
        )
