"""Names and VM sizes of clusters, instances and deployments."""

from collections.abc import Iterator

from catalogue import vm_sizes
from settings.checks.subject import Subject, duplicates
from settings.problems import Path, Problem, show

_MOST_NAMED = 20  # of the sizes that are allowed


def problems(subject: Subject) -> Iterator[Problem]:
    """The problems of clusters and instances that only their resolved values show."""
    yield from duplicates(
        ((path, name) for path, name, _ in _computes(subject)),
        "Azure wants the name of a cluster or instance to be unique in the region, so those of a department have "
        "distinct names.",
    )
    yield from _quota_problems(subject)
    allowed = subject.department.allowed_vm_sizes
    if allowed is None:
        return
    names = sorted({name.upper() for name in allowed if name})
    some = f": {', '.join(map(show, names))}" if len(names) <= _MOST_NAMED else ""
    for path, size in _sizes(subject):
        if size and size.upper() not in names:
            yield Problem(path, f"{show(size)} is not one of the department's allowedVmSizes{some}.")


def _quota_problems(subject: Subject) -> Iterator[Problem]:
    """A team's own limit holds one node of each of its dedicated clusters and instances, or Azure makes none."""
    for at, team in subject.teams():
        machines = [(one.name, one.vm_size) for one in team.clusters if one.priority == "dedicated"]
        machines += [(one.name, one.vm_size) for one in team.instances]
        for name, size_name in machines:
            size = vm_sizes.find(size_name)
            limit = team.quota.get(size.family, -1) if size else -1
            if size and 0 <= limit < size.vcpus:
                yield Problem(
                    (*at, "quota"), f"{size.family} is {limit}, and one node of {show(name)} needs {size.vcpus} vCPUs."
                )


def _computes(subject: Subject) -> Iterator[tuple[Path, str, str]]:
    """Path of the name, name and VM size of each cluster and instance."""
    for at, team in subject.teams():
        for i, cluster in enumerate(team.clusters):
            yield (*at, "clusters", i, "name"), cluster.name, cluster.vm_size
        for i, instance in enumerate(team.instances):
            yield (*at, "instances", i, "name"), instance.name, instance.vm_size


def _sizes(subject: Subject) -> Iterator[tuple[Path, str]]:
    for path, _, size in _computes(subject):
        yield (*path[:-1], "vmSize"), size
    for at, team in subject.teams():
        for i, size in enumerate(team.serving.vm_sizes):
            yield (*at, "serving", "vmSizes", i), size
