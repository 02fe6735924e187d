"""Asks the rules: one resource at a time, as Pulumi does, then the whole stack.

Both ways to use the pack end here: the process that Pulumi asks (`policies.serve`) and the offline check
(`policies.offline`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Literal

from policies import pack
from policies.config import Config, RuleConfig
from policies.exemptions import Exemption
from policies.model import (
    ExemptionUse,
    Level,
    NotApplicableError,
    Outcome,
    Problem,
    ResourceRule,
    Rule,
    Undecided,
)
from policies.resources import Graph, Resource
from policies.values import UnknownValueError

STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found.

    Attributes:
        rule: The rule.
        kind: `violation`, or `undecided` where a value is not known.
        level: `mandatory` blocks, `advisory` tells. What is exempted is advisory.
        urn: The resource's URN; the stack's where the stack as a whole is meant; empty if that is not known.
        path: Dotted path of the input that is wrong or not known; empty for the resource as a whole.
        message: What is wrong, in one sentence.
        exemption: The exemption that allows the violation; None if there is none.
    """

    rule: Rule
    kind: Literal["violation", "undecided"]
    level: Level
    urn: str
    path: str
    message: str
    exemption: Exemption | None = None

    @property
    def blocks(self) -> bool:
        """Whether nothing may be deployed."""
        return self.level == Level.MANDATORY


@dataclass
class Answer:
    """The result of an evaluation.

    Attributes:
        findings: Violations, and what could not be decided.
        not_applicable: For each rule that is about such resources but does not apply: its name and the reason.
    """

    findings: list[Finding] = field(default_factory=list)
    not_applicable: dict[str, str] = field(default_factory=dict)


class Session:
    """One look at one stack."""

    def __init__(self, config: Config, *, graph: Graph | None = None, today: date | None = None) -> None:
        """Prepare a look.

        Args:
            config: The configuration of each rule, by its name.
            graph: The whole stack, where it is known beforehand. Else it becomes known resource by resource, and what
                could not be decided of one of them is asked again at the end.
            today: The day by which exemptions expire.
        """
        self._config = config
        self._whole = graph is not None
        self._graph = graph or Graph()
        self._today = today or date.today()
        self._used: set[Exemption] = set()
        self._open: dict[tuple[str, str], tuple[ResourceRule, Resource]] = {}

    def analyze(self, resource: Resource) -> Answer:
        """Ask the rules about one resource."""
        if not self._whole:
            self._graph.add(resource)
        answer = Answer()
        for rule in pack.resource_rules(resource.kind):
            own = self._config[rule.name]
            if own.level == Level.DISABLED:
                continue
            found = self._ask(rule, resource.urn, _call(rule, resource, own, self._graph), answer)
            if not self._whole and any(one.kind == "undecided" and not one.exemption for one in found):
                self._open[rule.name, resource.urn] = (rule, resource)
            answer.findings += [self._strictly(one, own) if self._whole else one for one in found]
        return answer

    def analyze_stack(self, graph: Graph) -> Answer:
        """Ask the rules about the whole stack, and again about what could not be decided of single resources."""
        answer, graph = Answer(), self._with_inputs(graph)
        for rule, resource in self._open.values():
            answer.findings += self._again(rule, resource, graph)
        self._open.clear()
        stack = next((one.urn for one in graph if one.token == STACK), "")
        for stack_rule in pack.stack_rules():
            own = self._config[stack_rule.name]
            if own.level == Level.DISABLED:
                continue
            seen = graph.with_exemptions(tuple(self._exemptions()))
            found = self._ask(stack_rule, stack, partial(stack_rule.check, seen, own.settings), answer)
            answer.findings += [self._strictly(one, own) for one in found]
        return answer

    def _with_inputs(self, graph: Graph) -> Graph:
        """The stack with the inputs that were seen of its resources: at the end, Pulumi tells outputs only."""
        if self._whole:
            return graph
        return Graph(
            (replace(one, inputs=seen.inputs) if (seen := self._graph.get(one.urn)) else one for one in graph),
            missing=graph.missing,
        )

    def may_remediate(self, kind: str) -> bool:
        """Whether a rule about resources of a type is set to `remediate`."""
        return any(self._config[rule.name].level == Level.REMEDIATE for rule in pack.resource_rules(kind))

    def remediate(self, resource: Resource) -> Iterator[tuple[ResourceRule, Mapping[str, object] | UnknownValueError]]:
        """Let the rules that are set to `remediate` change a resource's inputs, each what the ones before it left.

        Yields:
            The rule, and the inputs after it or the value that it would have to know.
        """
        for rule in pack.resource_rules(resource.kind):
            own = self._config[rule.name]
            if own.level != Level.REMEDIATE or rule.remedy is None:
                continue
            if any(self._applies(one, resource.urn) for one in own.exemptions):
                continue
            try:
                changed = rule.remedy(resource, own.settings)
            except UnknownValueError as error:
                yield rule, error
                continue
            if changed is not None and changed != resource.inputs:
                resource = replace(resource, inputs=changed)
                yield rule, changed

    def _ask(self, rule: Rule, urn: str, call: Callable[[], Outcome], answer: Answer) -> list[Finding]:
        own, found = self._config[rule.name], []
        level = Level.ADVISORY if own.level == Level.ADVISORY else Level.MANDATORY
        for one in _told(rule, call, answer.not_applicable):
            whose = one.resource.urn if one.resource else urn
            exemption = next((e for e in own.exemptions if self._applies(e, whose)), None)
            if exemption:
                self._used.add(exemption)
            if isinstance(one, Problem):
                told = Level.ADVISORY if exemption else level
                found.append(Finding(rule, "violation", told, whose, one.path, one.message, exemption))
            else:
                found.append(Finding(rule, "undecided", Level.ADVISORY, whose, one.path, one.reason, exemption))
        return found

    def _again(self, rule: ResourceRule, resource: Resource, graph: Graph) -> Iterator[Finding]:
        """The findings, in the whole stack, on a resource that was undecided before: violations, or a strict block."""
        own, linked = self._config[rule.name], graph.get(resource.urn)
        if linked:
            resource = replace(
                resource, property_dependencies=linked.property_dependencies, dependencies=linked.dependencies
            )
        for one in self._ask(rule, resource.urn, _call(rule, resource, own, graph), Answer()):
            strict = self._strictly(one, own)
            if strict.kind == "violation" or strict.blocks:
                yield strict

    def _strictly(self, finding: Finding, own: RuleConfig) -> Finding:
        """The finding, which blocks though it is undecided where the configuration is strict."""
        if finding.kind == "violation" or finding.exemption or not own.strict or own.level == Level.ADVISORY:
            return finding
        return replace(
            finding, level=Level.MANDATORY, message=f"{finding.message}; the configuration is strict, so this blocks"
        )

    def _applies(self, exemption: Exemption, urn: str) -> bool:
        return exemption.covers(urn) and not exemption.expired(self._today)

    def _exemptions(self) -> Iterator[ExemptionUse]:
        for name, own in self._config.items():
            for one in own.exemptions:
                yield ExemptionUse(name, str(one), one.expired(self._today), one in self._used)


def _call(rule: ResourceRule, resource: Resource, own: RuleConfig, graph: Graph) -> Callable[[], Outcome]:
    return partial(rule.check, resource, own.settings, graph)


def _told(rule: Rule, call: Callable[[], Outcome], not_applicable: dict[str, str]) -> Iterator[Problem | Undecided]:
    """The problems that a rule yields. A value that the rule cannot read is a problem, not a pass."""
    try:
        yield from call()
    except UnknownValueError as error:
        yield Undecided(error.path, str(error))
    except NotApplicableError as error:
        not_applicable[rule.name] = str(error)
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        yield Problem(f"the rule cannot read this resource ({type(error).__name__}: {error})")
