"""What is allowed but deserves a look: it is told at every preview, and by `python -m components.settings check`."""

from datetime import date

from components import vm_sizes
from components.settings.model import Department
from components.settings.problems import Problem


def warnings(department: Department, today: date) -> list[str]:
    """One line for each cluster of a VM size that Azure has retired or is about to, with its successor."""
    lines = []
    for i, team in enumerate(department.teams):
        for j, cluster in enumerate(team.clusters):
            size = vm_sizes.find(cluster.vm_size)
            if size and size.retired:
                key = Problem(("teams", i, "clusters", j, "vmSize"), "").key
                when = "was retired" if size.retired <= today else "will be retired"
                lines.append(
                    f"{key}: {size.name} {when} on {size.retired}: Azure starts no such node from then on. "
                    f"Take {size.successor} instead."
                )
    return lines
