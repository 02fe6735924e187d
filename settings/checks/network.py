"""Settings that a network asks for."""

from collections.abc import Iterator

from catalogue import vm_sizes
from settings.checks.subject import Subject, duplicates
from settings.problems import Problem, show


def problems(subject: Subject) -> Iterator[Problem]:
    """The problems of networks beside the other settings."""
    sku = subject.department.registry_sku
    for at, team in subject.teams():
        path, mode = (*at, "network"), team.network.mode
        if mode != "public" and sku in ("Basic", "Standard"):
            yield Problem(
                ("registrySku",),
                f"{show(sku)} has no private endpoints, which {subject.key(path)} needs: leave it out.",
            )
        sizes = [vm_sizes.find(cluster.vm_size) for cluster in team.clusters]
        if mode == "private" and all(size and size.gpus for size in sizes):
            yield Problem(
                (*at, "clusters"),
                f"has no cluster without GPUs, on which Azure ML builds images where the registry is closed, as "
                f"{subject.key(path)} makes it: add a small one.",
            )
        yield from duplicates(
            (((*path, "outbound", i, "name"), rule.name) for i, rule in enumerate(team.network.outbound)),
            "Rules have distinct names.",
        )
