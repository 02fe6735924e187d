"""The configuration of the pack: layers, the merged file that Pulumi takes, and what is wrong with either.

A file maps a rule's name to its level, or to an object with `enforcementLevel`, the rule's settings, `strict` and
`exemptions`: Pulumi's own form. `all` stands for every rule that has the setting. `base.json` holds for every stack,
`<stack>.json` lies on top; `merged/<stack>.json` is the result, with every rule and every setting written out.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from policies import exemptions as exemptions_
from policies import pack
from policies.model import Level, ResourceRule, Rule, Setting
from policies.schema import nearest, problems
from policies.textfiles import TextFileError, read_text

FOLDER: Final = Path(__file__).resolve().parent
ALL: Final = "all"
LEVEL: Final = "enforcementLevel"
STRICT: Final = Setting(
    {
        "type": "boolean",
        "description": "Whether the rule, if it is mandatory, blocks a preview in which it cannot be decided.",
    },
    default=False,
)
COMMON: Final[Mapping[str, Setting]] = {"strict": STRICT, "exemptions": Setting(exemptions_.SCHEMA)}
"""The settings that every rule has."""


class ConfigError(ValueError):
    """A configuration cannot be used. The text names file, rule and key, a line each fault."""


@dataclass(frozen=True)
class RuleConfig:
    """The configuration of one rule.

    Attributes:
        level: The effect of a violation.
        settings: Its settings, with the defaults of those left out.
        strict: Whether the rule blocks a preview in which it cannot be decided.
        exemptions: The resources that may break the rule.
    """

    level: Level
    settings: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = False
    exemptions: tuple[exemptions_.Exemption, ...] = ()


Config = Mapping[str, RuleConfig]
"""The configuration of every rule of the pack, by the rule's name."""


def settings_of(rule: Rule) -> Mapping[str, Setting]:
    """Everything that can be configured of a rule, besides its level."""
    return {**rule.settings, **COMMON}


def from_entries(entries: Mapping[str, Any], source: str) -> Config:
    """Read a configuration in Pulumi's form. Rules that it does not name have their own level and defaults.

    Args:
        entries: A rule's name, or `all`, to a level or an object.
        source: What messages call it, such as its file.

    Raises:
        ConfigError: It cannot be used.
    """
    if faults := list(_faults(entries)):
        raise ConfigError("\n".join(f"{source}: {fault}" for fault in faults))
    everywhere = _entry(entries.get(ALL, {}))
    return {name: _rule_config(rule, everywhere, _entry(entries.get(name, {}))) for name, rule in pack.rules().items()}


def _rule_config(rule: Rule, everywhere: Mapping[str, Any], own: Mapping[str, Any]) -> RuleConfig:
    known = settings_of(rule)
    given = {**{key: value for key, value in everywhere.items() if key in known or key == LEVEL}, **own}
    values = {key: given.get(key, setting.default) for key, setting in rule.settings.items()}
    return RuleConfig(
        level=Level(own[LEVEL]) if LEVEL in own else level_alone(rule, given),
        settings={key: value for key, value in values.items() if value is not None},
        strict=bool(given.get("strict", False)),
        exemptions=exemptions_.of(rule.name, given.get("exemptions", [])),
    )


def level_alone(rule: Rule, given: Mapping[str, Any]) -> Level:
    """The level of a rule that is not set by its name: that of `all`, or its own; off if it lacks what it needs."""
    return Level.DISABLED if any(_lacking(rule, given)) else Level(given.get(LEVEL, rule.level))


def _lacking(rule: Rule, given: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each setting that an enabled rule needs and does not have."""
    for key, setting in rule.settings.items():
        if setting.required and key not in given:
            yield f"{rule.name}: '{key}' must be set: {setting.schema['description']}"
    if rule.one_of and not any(key in given for key in rule.one_of):
        yield f"{rule.name}: one of {', '.join(rule.one_of)} must be set"


def _entry(given: Any) -> dict[str, Any]:
    return {LEVEL: given} if isinstance(given, str) else dict(given)


def _faults(entries: Mapping[str, Any]) -> Iterator[str]:
    everywhere = entries.get(ALL, {})
    shared = everywhere if isinstance(everywhere, Mapping) else {}
    for name, given in entries.items():
        rule = pack.rules().get(name)
        if name == ALL:
            yield from _shared_faults(given)
        elif rule is None:
            yield f"there is no rule '{name}'{nearest(name, pack.rules())}; `python -m policies list` has them all"
        elif not isinstance(given, (str, Mapping)):
            yield f"{name} must be a level or an object, it is {given!r}"
        else:
            yield from _rule_faults(rule, _entry(given), shared)


def _rule_faults(rule: Rule, given: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[str]:
    known = settings_of(rule)
    yield from _level_faults(rule.name, given)
    for key, value in given.items():
        if key == LEVEL:
            continue
        if key not in known:
            yield f"{rule.name} has no setting '{key}'{nearest(key, known)}; it has {', '.join(known)}"
        else:
            yield from problems(value, known[key].schema, f"{rule.name}: '{key}'")
    level = given.get(LEVEL) or shared.get(LEVEL)
    if level == Level.REMEDIATE and not (isinstance(rule, ResourceRule) and rule.remedy):
        yield f"{rule.name} cannot be set to remediate: it has no remedy; allowed are advisory, mandatory, disabled"
    if level is not None and level != Level.DISABLED and given.keys() <= {LEVEL, *known}:
        yield from _lacking(rule, {**shared, **given})


def _shared_faults(given: Any) -> Iterator[str]:
    if not isinstance(given, (str, Mapping)):
        yield f"'{ALL}' must be a level or an object, it is {given!r}"
        return
    entry = _entry(given)
    yield from _level_faults(ALL, entry)
    schemas: dict[str, Setting] = {}
    for rule in pack.rules().values():
        schemas |= settings_of(rule)
    for key, value in entry.items():
        if key == "exemptions":
            yield f"'{ALL}' cannot have exemptions: give them to the rule that is broken"
        elif key != LEVEL and key not in schemas:
            yield f"'{ALL}': no rule has a setting '{key}'{nearest(key, schemas)}"
        elif key != LEVEL:
            yield from problems(value, schemas[key].schema, f"'{ALL}': '{key}'")


def _level_faults(name: str, given: Mapping[str, Any]) -> Iterator[str]:
    level = given.get(LEVEL)
    if LEVEL in given and level not in tuple(Level):
        yield f"{name}: {LEVEL} is {level!r}, allowed are {', '.join(Level)}"


def load(file: Path) -> dict[str, Any]:
    """Read one file: a layer or a merged one.

    Raises:
        ConfigError: It cannot be read or is no JSON object.
    """
    try:
        text = read_text(file)
    except TextFileError as error:
        raise ConfigError(str(error)) from error
    try:
        loaded = json.loads(text, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file} is no valid JSON: {error}") from error
    if not isinstance(loaded, dict):
        raise ConfigError(f"{file} must be a JSON object from a rule's name, or `{ALL}`, to a level or an object")
    return loaded


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [key for key, _ in pairs]
        raise ValueError(f"'{next(key for key in names if names.count(key) > 1)}' stands there twice")
    return found


def stacks(folder: Path = FOLDER) -> list[str]:
    """The stacks that have a layer of their own."""
    return sorted(file.stem for file in folder.glob("*.json") if file.stem != "base")


def merged(stack: str, folder: Path = FOLDER) -> dict[str, Any]:
    """The configuration of a stack: its layers, laid on one another and written out for every rule.

    Raises:
        ConfigError: A layer is not there or cannot be used.
    """
    layers = [load(folder / f"{name}.json") for name in ("base", stack)]
    for name, layer in zip(("base", stack), layers, strict=True):
        _check_layer(layer, str(folder / f"{name}.json"))
    entries: dict[str, Any] = {}
    for layer in layers:
        entries = _laid_on(entries, layer)
    config = from_entries(entries, f"{folder / 'base.json'} with {stack}.json on top")
    return {name: written_out(name, config[name]) for name in pack.rules()}


def _check_layer(layer: Mapping[str, Any], source: str) -> None:
    """Refuse in a layer what is wrong by itself; what another layer may still give is not asked for."""
    if faults := [fault for fault in _faults(layer) if "must be set" not in fault]:
        raise ConfigError("\n".join(f"{source}: {fault}" for fault in faults))


def _laid_on(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One layer on another: its keys win, exemptions add up."""
    found = {name: _entry(given) for name, given in below.items()}
    for name, given in above.items():
        entry, old = _entry(given), found.get(name, {})
        exempt = [*old.get("exemptions", []), *entry.get("exemptions", [])]
        found[name] = {**old, **entry, **({"exemptions": exempt} if exempt else {})}
    return found


def written_out(name: str, config: RuleConfig) -> dict[str, Any]:
    """A rule's configuration in Pulumi's form."""
    entry: dict[str, Any] = {LEVEL: str(config.level), **config.settings}
    if config.level in (Level.MANDATORY, Level.REMEDIATE) and config.strict:
        entry["strict"] = True
    if config.exemptions:
        entry["exemptions"] = [
            {"resource": one.resource, "reason": one.reason, "owner": one.owner, "expires": one.expires.isoformat()}
            for one in config.exemptions
        ]
    return entry


def merged_text(stack: str, folder: Path = FOLDER) -> str:
    """The text of the merged file of a stack, a rule a line where it is short.

    Raises:
        ConfigError: A layer is not there or cannot be used.
    """
    lines = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in merged(stack, folder).items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"
