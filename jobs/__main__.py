"""The command line: `python -m jobs --help`. The commands are in `jobs.commands`, a module a subject."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from jobs.commands import batch, compare, cost, data, deploy, doctor, env, logs, metrics, models, runs, schedule, submit
from jobs.errors import JobError, explain, invalid
from terminal import application, run

app = application("Training runs on a team's clusters.")
for subject in (submit, runs, logs, metrics, compare, data, models, schedule, deploy, batch, cost, doctor, env):
    subject.register(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    # What the clients log and warn of (experimental classes, attributes they do not know) is not for the user:
    # whatever goes wrong arrives as an exception.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    return run(
        app,
        _program(),
        arguments,
        explain=_explain,
        interrupted="interrupted; a run on a cluster goes on: ps, logs --follow, cancel",
    )


def _program() -> str:
    """Return how this was started: as a module, or by the script that an installed package brings."""
    script = Path(sys.argv[0])
    return script.name if script.name == "azureml-jobs" else "python -m jobs"


def _explain(error: Exception) -> str | None:
    if isinstance(error, JobError):
        return str(error)
    ml = sys.modules.get("azure.ai.ml.exceptions")  # loaded by whatever raised one of its errors, as azure-core's
    if ml and isinstance(error, ml.MlException):
        return invalid(error)
    azure = sys.modules.get("azure.core.exceptions")
    return explain(error) if azure and isinstance(error, azure.AzureError) else None


if __name__ == "__main__":
    sys.exit(main())
