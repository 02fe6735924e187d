"""The job types that can be submitted; what is not in the table is refused by name."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.beyond import instead
from sandbox.azure.ml.jobfields import bad
from sandbox.azure.ml.jobs import command, pipeline, sweep
from sandbox.azure.ml.scope import Scope


@dataclass(frozen=True)
class Kind:
    """A job type.

    Attributes:
        checked: The definition with what the service fills in; refuses with a `UserError` what the service refuses.
        run_fields: What the run of a checked definition begins with: status, properties, target, parameters.
        start: Queues the run; further arguments become part of its work.
    """

    checked: Callable[[Scope, Body], Body]
    run_fields: Callable[[Body], Body]
    start: Callable[..., None]


KINDS = {
    "Command": Kind(command.checked, command.run_fields, command.start),
    "Pipeline": Kind(pipeline.checked, pipeline.run_fields, pipeline.start),
    "Sweep": Kind(sweep.checked, sweep.run_fields, sweep.start),
}


def kind_of(sent: Body) -> Kind:
    """The job type of a body.

    Raises:
        UserError: 400 for one that is not emulated.
    """
    found = KINDS.get(str(sent.get("jobType")))
    if found is None:
        raise bad(
            "jobType",
            f"Jobs of type '{sent.get('jobType')}' are not emulated by the sandbox, only {', '.join(KINDS)} are: "
            f"{instead(str(sent.get('jobType')))}.",
        )
    return found
