"""`docs/policies.md`: each rule, who else has it, and what it is set to in each stack. Written by `make generate`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies import baseline, config, pack
from policies.model import Level, ResourceRule, Rule

_FRAMEWORKS: Final = ("Azure Policy", "PSRule", "checkov", "Azure Landing Zones", baseline.FRAMEWORK)
_HEAD: Final = """\
# Policies

{count} rules for an Azure Machine Learning platform, for any Pulumi program on azure-native. This page is generated.

- Under Pulumi: `pulumi preview --policy-pack policies --policy-pack-config policies/merged/<stack>.json`.
- Without an engine: `python -m policies check FILE`, for an exported state, a `preview --json` or an event log.
- One rule: `python -m policies explain RULE`.

## How it is configured

`policies/base.json` holds for every stack, `policies/<stack>.json` lies on top: a rule's name to a level (`advisory`,
`mandatory`, `remediate`, `disabled`) or to an object with `enforcementLevel` and settings. `all` stands for every rule
that has the setting. `policies/merged/<stack>.json` is generated (`python -m policies config --stack STACK --write`).
Engines take the merged file, and `make check` refuses a stale one.

The pack's list of VM sizes is the authority. A stack file's `allowedVmSizes` may be narrower. If it allows more,
`python -m policies config --check` fails and names both places.

## What is not known in a preview

A rule that meets an unknown value is an advisory, in Pulumi's words (`can't run policy …`). At the end
of the preview the pack asks again with the whole stack. A value that comes from one resource of the right type is
decided then. A known value counts more than where it comes from.
What is still open blocks if the rule is mandatory and its setting `strict` is true. Production is strict in every
mandatory rule: nothing is open in the first preview of the shipped stacks.

Pulumi runs rules about whole stacks after the creates of an `up`. Deploying workflows therefore require the preview.
With `--target`, Pulumi may show a part of the stack, and an exemption for the rest is reported as unused.
A preview without `--show-sames`, and an event log that was cut off, are a part too: `check` reports what is missing.

States and `preview --json` name the resources that a value comes from. Event logs do not, so more is undecided, and
blocks where the configuration is strict.

## Who may have which role

`authorization-assignment-limit-principals` has a ceiling for each persona of this platform, and for users, groups and
service principals. Add people by object id in `policies/<stack>.json`. Automation with `role: contributor` needs an
exception of `authorization-assignment-limit-contributor` there, with its reason.

## Exemptions

Each rule takes `exemptions`: a list of objects with `resource` (a URN, or a pattern with `*`), `reason`, `owner` and
`expires` (its last day). An exempted violation is an advisory. An expired or unused exemption is a violation.
In SARIF an exempted finding has `suppressions`. `check --sarif --for-upload` leaves it out, since GitHub ignores them.

## In another repository

Copy the folder `policies/`. The served pack needs the packages of `policies/requirements.txt`; set `virtualenv` in
`PulumiPolicy.yaml` to an environment that has them. The command line also needs `terminal/`, Typer, Rich and PyYAML.
Without a configuration each rule has its default. A rule that lacks a required setting is then off.
"""


def page() -> str:
    """The page's text."""
    merged = {stack: config.merged(stack) for stack in config.stacks()}
    parts = [_HEAD.format(count=len(pack.rules())), *_overview(merged), *_baseline(), "## The rules\n"]
    for rule in pack.rules().values():
        parts += _section(rule, merged)
    return "\n".join(parts)


def _overview(merged: Mapping[str, Any]) -> Iterator[str]:
    yield "## At a glance\n"
    yield "| Rule | Severity | " + " | ".join((*merged, *_FRAMEWORKS)) + " |"
    yield "|---" * (2 + len(merged) + len(_FRAMEWORKS)) + "|"
    for rule in pack.rules().values():
        levels = [_level(entries[rule.name]) for entries in merged.values()]
        cells = [f"[{rule.name}](#{rule.name})", str(rule.severity), *levels, *(_ids(rule, one) for one in _FRAMEWORKS)]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _baseline() -> Iterator[str]:
    yield "## The Azure security baseline for Machine Learning\n"
    yield "Every control of the baseline, and what answers it. A rule's own section has the ids of other controls.\n"
    for id_, control in baseline.CONTROLS.items():
        named = [f"[{rule.name}](#{rule.name})" for rule in pack.rules().values() if baseline.answers(rule, id_)]
        yield f"- **{id_}** ({control.asks}): {', '.join(named) or f'no rule; {control.why_none}'}."
    yield ""


def _ids(rule: Rule, framework: str) -> str:
    found = [
        one.reference[:8] if framework == "Azure Policy" else one.reference
        for one in rule.counterparts
        if one.framework == framework
    ]
    return "yes" if framework == "Azure Landing Zones" and found else ", ".join(found) or "none"


def _level(entry: Mapping[str, Any]) -> str:
    level = str(entry[config.LEVEL])
    return f"{level}, strict" if entry.get("strict") else "off" if level == Level.DISABLED else level


def _section(rule: Rule, merged: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {rule.name}\n"
    about = "one resource" if isinstance(rule, ResourceRule) else "the whole stack"
    remedy = " It can be set to `remediate`." if isinstance(rule, ResourceRule) and rule.remedy else ""
    yield f"{rule.title} Severity: {rule.severity}. It looks at {about}.{remedy}\n"
    yield f"- Applies to: {rule.applies}"
    yield f"- What to do: {rule.remediation} [Read more]({rule.url})."
    for one in rule.counterparts:
        yield f"- {one.framework}: `{one.reference}`{f'. {one.difference}' if one.difference else ''}"
    if absent := [one for one in _FRAMEWORKS[:3] if all(found.framework != one for found in rule.counterparts)]:
        yield f"- No counterpart in: {', '.join(absent)}"
    if rule.source:
        yield f"- Source: {rule.source}"
    for key, setting in rule.settings.items():
        yield f"- `{key}`: {setting.schema['description']}{_default(setting.default, required=setting.required)}"
    default = str(config.level_alone(rule, {}))
    values = "; ".join(f"{stack}: {_settings(entries[rule.name])}" for stack, entries in merged.items())
    yield f"- Default: {'off' if default == Level.DISABLED else default}; {values}\n"


def _default(value: Any, *, required: bool) -> str:
    return " Required." if required else "" if value is None else f" Default: `{json.dumps(value)}`."


def _settings(entry: Mapping[str, Any]) -> str:
    hidden = (config.LEVEL, "strict", "exemptions", "exceptions", "principals", "teamTag", "departmentTag")
    own = {key: value for key, value in entry.items() if key not in hidden}
    return _level(entry) + (f" `{json.dumps(own)}`" if own and entry[config.LEVEL] != Level.DISABLED else "")
