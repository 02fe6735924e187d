"""What a rule is: data, and one pure function."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from policies.resources import Graph, Resource


class Level(StrEnum):
    """The effect of a violation, in Pulumi's words."""

    DISABLED = "disabled"
    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    REMEDIATE = "remediate"


class Severity(StrEnum):
    """The severity of a violation."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Counterpart:
    """The same rule elsewhere.

    Attributes:
        framework: Where: `Azure Policy`, `PSRule`, `checkov`, `Azure Landing Zones`, …
        reference: Its id there.
        difference: How that rule differs from ours; empty if it does not.
    """

    framework: str
    reference: str
    difference: str = ""


@dataclass(frozen=True)
class Setting:
    """One thing that can be configured of a rule.

    Attributes:
        schema: Its JSON schema: the words that `policies.schema` knows, and `description`.
        default: Its value if it is left out; None if there is none.
        required: Whether an enabled rule must be given it.
    """

    schema: Mapping[str, Any]
    default: Any = None
    required: bool = False


class NotApplicableError(Exception):
    """A rule says that it does not apply, and why."""


@dataclass(frozen=True)
class Problem:
    """One thing that breaks a rule.

    Attributes:
        message: One sentence: what is wrong, and what the value must be.
        path: Dotted path of the input that is wrong, empty for the resource as a whole.
        resource: The resource with the problem; None for the one that was checked, or for the whole stack.
    """

    message: str
    path: str = ""
    resource: Resource | None = None


@dataclass(frozen=True)
class Undecided:
    """One check that cannot be decided yet.

    Attributes:
        path: Dotted path of the input that is not known.
        reason: One sentence: which value is not known.
        resource: The resource with that input; None for the one that was checked, or for the whole stack.
    """

    path: str
    reason: str
    resource: Resource | None = None


@dataclass(frozen=True)
class ExemptionUse:
    """An exemption's state after an evaluation.

    Attributes:
        rule: The rule that may be broken.
        text: The exemption, as messages name it.
        expired: Whether its last day is over.
        used: Whether anything was exempted by it.
    """

    rule: str
    text: str
    expired: bool
    used: bool


Settings = Mapping[str, Any]
Outcome = Iterator[Problem | Undecided]
Check = Callable[[Resource, Settings, Graph], Outcome]
"""From a resource, the rule's settings and the resources seen so far to what is wrong. It may raise
`UnknownValueError` and `NotApplicableError`."""
StackCheck = Callable[[Graph, Settings], Outcome]
Remedy = Callable[[Resource, Settings], Mapping[str, Any] | None]
"""From a resource to right inputs, None if they are right."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The fields that every rule has.

    Attributes:
        name: `<service>-<resource>-<verb>-…`; unique in the pack.
        title: The requirement, in one sentence.
        severity: The severity of a violation.
        level: The effect of a violation where no configuration says otherwise.
        counterparts: The same rule elsewhere, best known first; empty if nobody has it.
        source: The document or institution that asks for the rule, where no counterpart does.
        url: Page that explains the rule.
        remediation: The way to mend a violation, in a sentence.
        settings: The rule's own settings.
        one_of: Settings of which an enabled rule must be given at least one.
        applies: One sentence: the resources to which the rule applies, and when it does not.
    """

    name: str
    title: str
    severity: Severity
    level: Level = Level.MANDATORY
    counterparts: tuple[Counterpart, ...] = ()
    source: str = ""
    url: str
    remediation: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    one_of: tuple[str, ...] = ()
    applies: str

    @property
    def framework(self) -> tuple[str, str]:
        """The best known counterpart's framework and id; the pack's own where there is none."""
        first = self.counterparts[0] if self.counterparts else Counterpart("azureml-platform", self.name)
        return first.framework, first.reference


@dataclass(frozen=True, kw_only=True)
class ResourceRule(Rule):
    """A rule about one resource by itself.

    Attributes:
        kinds: Types that it looks at, such as `storage:StorageAccount`.
        check: Tells what is wrong.
        remedy: Sets it right where the configuration says `remediate`.
    """

    kinds: tuple[str, ...]
    check: Check
    remedy: Remedy | None = None


@dataclass(frozen=True, kw_only=True)
class StackRule(Rule):
    """A rule about all resources of a stack together.

    Attributes:
        check: Tells what is wrong.
    """

    check: StackCheck
