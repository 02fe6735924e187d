"""Problems that keep the teams from sharing a registry."""

from collections.abc import Iterator

from settings.checks.subject import Subject
from settings.problems import Problem


def problems(subject: Subject) -> Iterator[Problem]:
    """The problems of the resources that the teams share."""
    department = subject.department
    if not department.shared.registry:
        return
    if department.diagnostics and not (department.shared.log_workspace or department.shared.log_workspace_id):
        yield Problem(
            ("shared", "registry"),
            "the shared registry's logs have no place: set shared.logWorkspace or shared.logWorkspaceId too, or "
            "diagnostics to false.",
        )
    for at, team in subject.teams():
        closed_out = department.network.mode == "private" and team.network.mode == "public"
        if closed_out and team.existing.registry_id is None:
            yield Problem(
                (*at, "network"),
                "is public, and the shared registry is private as the department's network: give the team an "
                "existing.registryId, or a network of mode 'private' or 'managed'.",
            )
