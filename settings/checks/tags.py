"""Tags of a department and a team together."""

from collections.abc import Iterator

from settings.checks.subject import Subject
from settings.problems import Problem, show
from settings.tags import MOST, merged


def problems(subject: Subject) -> Iterator[Problem]:
    """The problems of tags: more than a resource takes, and names that both `tags` and `ignoreTags` have."""
    department = subject.department
    for at, team in subject.teams():
        count = len(merged(department.tags, team.tags))
        if count > MOST and not subject.is_wrong((*at, "tags")) and not subject.is_wrong(("tags",)):
            yield Problem(
                (*at, "tags"), f"with those of the department they are {count} tags; a private DNS zone takes {MOST}."
            )
    given = {name.lower() for tags in (department.tags, *(team.tags for team in department.teams)) for name in tags}
    for i, name in enumerate(department.ignore_tags):
        if name.lower() in given:
            yield Problem(("ignoreTags", i), f"{show(name)} is given in tags. Leave it in one of the two lists.")
