"""Which rules a stack breaks at either revision, and where in the stack file the value stands.

The configuration (levels, limits, exemptions) is the base's for both revisions.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from policies import config as config_
from policies import offline
from review.model import Violation
from review.preview import Broken, Preview, name_of, type_of
from review.settings_of import setting_of
from settings.plan import Place, Plan

Key = tuple[str, str, str]


def configuration(stack: str, folder: Path) -> offline.Config:
    """The rules' configuration for a stack, as a revision has it.

    Args:
        stack: The stack's name.
        folder: The revision's folder of policies. A stack without a layer of its own has `base.json` alone; without
            that, the pack's defaults count.

    Raises:
        ConfigError: A layer cannot be used.
    """
    if not (folder / "base.json").is_file():
        return offline.default_config()
    if (folder / f"{stack}.json").is_file():
        return offline.stack_config(stack, folder)
    return config_.from_entries(config_.load(folder / "base.json"), str(folder / "base.json"))


def violations(
    preview: Preview, config: offline.Config, before: Plan | None, after: Plan | None, today: date
) -> tuple[Violation, ...]:
    """The violations at either revision: what is new first, then what stands, then what is fixed.

    Args:
        preview: The preview of the head.
        config: The configuration of both.
        before: The plan of the base's stack file; None where the stack is new.
        after: The plan of the head's.
        today: The day by which exemptions expire.
    """
    graphs = preview.graphs
    old, new = (offline.evaluate(graph, config, today=today) if len(graph) else None for graph in graphs)
    renamed = {str(step.old["urn"]): step.urn for step in preview.steps if step.old and step.old["urn"] != step.urn}
    was = {(rule, renamed.get(urn, urn), path): one for (rule, urn, path), one in _found(old).items()}
    undecided = {_key(one) for one in new.findings if one.kind == "undecided"} if new else set[Key]()
    now = _found(new)
    told = [_shown(one, "standing" if key in was else "new", after) for key, one in now.items()]
    told += [_told(one, preview, after) for one in preview.broken if not _known(one, now)]
    for key, one in was.items():
        if key not in now:  # what the preview cannot know yet, it cannot have fixed
            state = "standing" if key in undecided else "fixed"
            told.append(_shown(one, state, before if state == "fixed" else after or before))
    order = ("new", "standing", "fixed")
    return tuple(sorted(told, key=lambda one: (order.index(one.state), one.level != "mandatory")))


def under_new_rules(
    preview: Preview, configs: tuple[offline.Config, offline.Config], plan: Plan | None, today: date
) -> tuple[Violation, ...]:
    """How the violations of the head differ under another configuration of the rules.

    Args:
        preview: The preview of the head.
        configs: The base's configuration, and the head's.
        plan: The plan of the head's stack file.
        today: The day by which exemptions expire.
    """
    _, graph = preview.graphs
    was, now = (_found(offline.evaluate(graph, config, today=today)) for config in configs)
    told = [_shown(one, "new", plan) for key, one in now.items() if _weight(was.get(key)) < _weight(one)]
    return (*told, *(_shown(one, "fixed", plan) for key, one in was.items() if _weight(now.get(key)) < _weight(one)))


def _weight(one: offline.Finding | None) -> int:
    """What a finding counts: nothing where there is none or it is exempted, most where it blocks."""
    return 0 if one is None or one.exemption else 2 if one.blocks else 1


def _found(report: offline.Report | None) -> dict[Key, offline.Finding]:
    return {_key(one): one for one in report.findings if one.kind == "violation" or one.blocks} if report else {}


def _key(one: offline.Finding) -> Key:
    return one.rule.name, one.urn, one.path


def _known(one: Broken, found: Mapping[Key, offline.Finding]) -> bool:
    return any((rule, urn) == (one.rule, one.urn) for rule, urn, _ in found) or one.level == "advisory"


def _shown(one: offline.Finding, state: str, plan: Plan | None) -> Violation:
    exempt = one.exemption
    return Violation(
        state=state,  # type: ignore[arg-type] # one of three words
        rule=one.rule.name,
        title=one.rule.title,
        severity=str(one.rule.severity),
        level="mandatory" if one.blocks else "advisory",
        urn=one.urn,
        team=_team(one.urn, plan),
        path=one.path,
        message=one.message,
        remediation=one.rule.remediation,
        url=one.rule.url,
        exemption=f"{exempt.reason} ({exempt.owner}, until {exempt.expires})" if exempt else "",
        place=place_of(one.urn, one.path, plan),
    )


def _told(one: Broken, preview: Preview, plan: Plan | None) -> Violation:
    """A violation of a rule that the base's pack has and this review's does not."""
    same = any(step.urn == one.urn and step.operation is None for step in preview.steps)
    title, _, rest = one.message.partition("\n")
    message, _, remediation = rest.rpartition("\n")
    return Violation(
        state="standing" if same else "new",
        rule=one.rule,
        title=title,
        severity="high",
        level="mandatory",
        urn=one.urn,
        team=_team(one.urn, plan),
        path="",
        message=message or title,
        remediation=remediation,
        url="",
        place=place_of(one.urn, "", plan),
    )


def _team(urn: str, plan: Plan | None) -> str | None:
    planned = plan.of(type_of(urn), name_of(urn)) if plan and urn else None
    return planned.team if planned else None


def place_of(urn: str, path: str, plan: Plan | None) -> Place | None:
    """The value in the stack file that an input is made from.

    Args:
        urn: The resource; the stack's or empty for the whole department.
        path: The input; empty for the resource as a whole.
        plan: The plan of the stack file; without one, there is no place.
    """
    if plan is None:
        return None
    planned = plan.of(type_of(urn), name_of(urn)) if urn else None
    return plan.place(setting_of(type_of(urn) if urn else "", path, planned))
