"""What pipelines and sweeps have in common: runs that they begin, whose outputs become theirs."""

AT_ONCE = 20  # children that are begun before others have a turn


def named(run: str, outputs: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Outputs of a child as those of its parent."""
    return {name: {**one, "assetId": f"azureml://jobs/{run}/outputs/{name}"} for name, one in outputs.items()}
