"""What pipelines and sweeps have in common: runs that they begin, and an end of their own."""

from sandbox.azure.ml import runs
from sandbox.azure.ml.scope import Scope

AT_ONCE = 20  # children that are begun before others have a turn
SHORTEST = 1.5  # seconds from submission to the end, as of a job: clients show nothing of a run that ended before


def too_early(scope: Scope, run: str, created: str) -> bool:
    """Whether a run of nobody else's ended before clients saw it, and so waits."""
    nested = (scope.get(runs.RUN, run) or {}).get("parentRunId")
    return not nested and runs.millis(runs.now()) - runs.millis(created) < SHORTEST * 1000


def named(run: str, outputs: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Outputs of a child as those of its parent."""
    return {name: {**one, "assetId": f"azureml://jobs/{run}/outputs/{name}"} for name, one in outputs.items()}
