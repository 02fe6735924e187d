"""What a stack holds at a revision, and how two revisions differ.

A value that only a deployment tells is a `policies.values.Unknown` in inputs and outputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from settings.plan import Place

Operation = Literal["created", "updated", "replaced", "deleted"]


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource of a stack.

    Attributes:
        urn: Its URN.
        type: Its type in Pulumi, such as `azure-native:storage:StorageAccount`.
        name: Its name in Pulumi.
        inputs: The inputs that the program gives, in azure-native's names.
        outputs: The resource's properties after the operation; the inputs where those are not known.
        team: Name of its team; None for what is the department's.
        person: The person or group, as in the stack file, that it gives access to or belongs to.
        id: Its id; None where there is none yet.
        parent: URN of its parent, or empty.
        sources: For each input, the URNs of the resources that its value comes from.
        place: The setting that it is made from; None for what every stack has.
    """

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    team: str | None = None
    person: str | None = None
    id: str | None = None
    parent: str = ""
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    place: Place | None = None


@dataclass(frozen=True, eq=False)
class Side:
    """A stack at one of the two revisions.

    Attributes:
        resources: Its resources, in the program's order; none where the stack is not there.
        region: Azure region of the department; empty where the stack is not there.
    """

    resources: tuple[Resource, ...] = ()
    region: str = ""


@dataclass(frozen=True)
class Loss:
    """Data that a change destroys.

    Attributes:
        what: What is lost, such as `the storage account and all files in it`.
        accepted: Whether whoever asks for the review says that it is meant.
    """

    what: str
    accepted: bool = False


UNTOLD: Final = "…"
"""What stands for a value that is not told."""


@dataclass(frozen=True)
class Difference:
    """An input that differs.

    Attributes:
        path: Its dotted path.
        before: Its value at the base, if it is a short text, a number or a boolean that is no secret; empty where
            there is none, and `…` for any other value.
        after: The same at the head.
    """

    path: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Change:
    """One resource that the head revision changes.

    Attributes:
        operation: What is done with it.
        urn: Its URN.
        type: Its type in Pulumi.
        name: Its name in Pulumi.
        team: Name of its team; None for what is the department's.
        differences: The inputs that differ.
        causes: Of a replacement, the properties for which Azure cannot change the resource in place.
        loss: The data that is lost; None where none is.
        place: The setting that it is made from, in the head's stack file or, if it is deleted, the base's.
    """

    operation: Operation
    urn: str
    type: str
    name: str
    team: str | None = None
    differences: tuple[Difference, ...] = ()
    causes: tuple[str, ...] = ()
    loss: Loss | None = None
    place: Place | None = None


@dataclass(frozen=True)
class Violation:
    """A rule that a resource breaks, at either revision.

    Attributes:
        state: `new` at the head, `fixed` by it, or `standing` at both.
        rule: Name of the rule.
        title: What must hold.
        severity: `low`, `medium`, `high` or `critical`.
        level: `mandatory` blocks a deployment, `advisory` tells.
        urn: URN of the resource; the stack's where the stack as a whole is meant.
        team: Name of its team; None for what is the department's.
        path: Dotted path of the input that is wrong; empty for the resource as a whole.
        message: What is wrong.
        remediation: The way to mend it.
        url: Page that explains the rule.
        exemption: Owner, reason and last day of the exemption that allows it; empty if none does.
        place: The value in the stack file; of a default, the section that leaves it out.
    """

    state: Literal["new", "fixed", "standing"]
    rule: str
    title: str
    severity: str
    level: Literal["mandatory", "advisory"]
    urn: str
    team: str | None
    path: str
    message: str
    remediation: str
    url: str
    exemption: str = ""
    place: Place | None = None
