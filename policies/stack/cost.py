"""What a stack's compute costs if every node runs all the time."""

from collections import defaultdict

from policies import vmsizes
from policies.links import undecided
from policies.model import NotApplicableError, Outcome, Problem, Setting, Settings, Severity, StackRule, Undecided
from policies.resources import Graph
from policies.rules.checks import tag
from policies.rules.compute.kinds import TEAM_TAG
from policies.stack.quota import demands
from policies.values import UnknownValueError

HOURS = 730  # of a month, as Azure's own calculator counts them


def _monthly(graph: Graph, settings: Settings) -> Outcome:
    teams, total = settings.get("teams", {}), settings.get("total")
    if teams and "teamTag" not in settings:
        raise NotApplicableError("the rule has budgets by team, but no 'teamTag' that names the tag with the team")
    unknown: list[UnknownValueError] = []
    spent: defaultdict[str, float] = defaultdict(float)
    for one in demands(graph, unknown):
        region = one.compute.inputs.get("location")
        place = region if isinstance(region, str) else None
        price = vmsizes.hourly(one.size, place, low_priority=one.low_priority) or vmsizes.hourly(one.size, place)
        if price is None:
            yield Undecided("location", f"the price of VM size {one.size} in {place} is not known", one.compute)
            continue
        try:
            team = tag(one.compute, settings["teamTag"]) if teams else None
        except UnknownValueError as error:
            unknown.append(error)
            team = None
        spent[""] += price * one.nodes * HOURS
        spent[(team or "").casefold() or "-"] += price * one.nodes * HOURS
    if total is not None:
        yield from _over(graph, spent[""], total, "the stack")
    for team, most in teams.items():
        yield from _over(graph, spent[team.casefold()], most, f"team {team}")
    yield from undecided(unknown, "the cost")


def _over(graph: Graph, cost: float, most: float, whose: str) -> Outcome:
    if cost > most:
        yield Problem(
            f"the compute of {whose} costs up to ${cost:,.0f} a month with every node on, the budget is ${most:,.0f}"
        )
    elif graph.missing:
        yield Undecided("", graph.missing)


RULES = (
    StackRule(
        name="machinelearning-stack-limit-monthly-cost",
        title="A month of all compute with every node on keeps to the budget.",
        check=_monthly,
        severity=Severity.MEDIUM,
        source="This project: nobody prices a Pulumi program before it is deployed (infracost#187).",
        url="https://learn.microsoft.com/azure/machine-learning/how-to-manage-optimize-cost",
        remediation="Lower the clusters' maxima, take cheaper sizes, or have the budget raised.",
        settings={
            "total": Setting({"type": "number", "minimum": 0, "description": "Most US dollars a month of the stack."}),
            "teams": Setting(
                {
                    "type": "object",
                    "additionalProperties": {"type": "number", "minimum": 0},
                    "description": "Most US dollars a month by team.",
                }
            ),
            "teamTag": TEAM_TAG,
        },
        one_of=("total", "teams"),
        applies="Clusters at their maximum, and instances, for 730 hours; no disks, load balancers or other services. "
        "Unknown low-priority prices count in full.",
    ),
)
