"""MPI jobs where `mpirun` is there: one launcher starts all ranks, so that programs find each other by MPI itself.

Source: the manuals of MPICH and Open MPI, for what both take: programs apart by `:`, each with `-n` and `-wdir`.
"""

import shutil
from collections.abc import Sequence

from sandbox.azure.ml.runner.launch import Command

# Open MPI alone reads these: a sandbox in a container is root's, and a machine may have fewer cores than ranks.
FLAGS = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}
INTO_LOG = 'exec >> "$0" 2>&1; exec env "$@"'
"""Becomes a rank whose output goes to its own log, with the variables that are its own."""


def launcher(ranks: Sequence[Command]) -> str | None:
    """The environment's `mpirun`, else the machine's; None where there is none."""
    return shutil.which("mpirun", path=ranks[0].environment["PATH"])


def together(ranks: Sequence[Command], mpirun: str) -> Command:
    """One command for all ranks. What they share comes by its environment, as others can read a command's words."""
    shared = dict(set.intersection(*({*one.environment.items()} for one in ranks)))
    words: list[str] = []
    for one in ranks:
        own = [f"{name}={value}" for name, value in one.environment.items() if name not in shared]
        start = ["bash", "-c", INTO_LOG, str(one.log.path), *own, *one.words]
        words += [":", "-n", "1", "-wdir", str(one.folder), *start]
    return Command([mpirun, *words[1:]], ranks[0].folder, {**FLAGS, **shared}, ranks[0].log)
