"""How the differences between two states of a resource are written: in short, and property by property."""

import json
from collections.abc import Iterator
from typing import Any

from sandbox.engine.events import StepFacts
from sandbox.engine.provider import INTERNAL
from sandbox.engine.state.checkpoint import Codec
from sandbox.engine.state.resources import Resource
from sandbox.engine.values import SIG, UNKNOWN, Map, masked, parse_path, plain

_MOST_LINES, _LONGEST_LINE = 3, 150
_SIGNS = {"add": "+", "delete": "-", "update": "~"}


def summary(step: StepFacts) -> str:
    """The top-level properties that differ, by sign: `+added,other-gone~changed`; of what stays, its options alone."""
    old, new, detailed = step.old, step.new, step.detailed_diff
    if old is None or new is None:
        return ""
    signs: dict[str, str] = {}
    if step.op == "same":
        pass
    elif detailed is not None:
        for path, change in detailed.items():
            parsed = parse_path(path)
            whole = len(parsed) == 1
            signs[str(parsed[0])] = _SIGNS[change["diffKind"].removesuffix("-replace")] if whole else "~"
    else:
        before, after = plain(_visible(old.inputs)), plain(_visible(new.inputs))
        for key in before.keys() | after.keys():
            if key not in after or key not in before or before[key] != after[key]:
                signs[key] = "~" if key in before and key in after else "+" if key in after else "-"
    for name in ("provider", "protect"):
        if getattr(old, name) != getattr(new, name):
            signs[name] = "~"
    return "".join(
        sign + ",".join(keys) for sign in "+-~" if (keys := sorted(key for key, own in signs.items() if own == sign))
    )


def _visible(inputs: Map) -> Map:
    return {k: v for k, v in inputs.items() if k != INTERNAL}


def text(value: Any) -> str:
    """A value on one line, as Pulumi writes it."""
    if value is None:
        return "<null>"
    if value == UNKNOWN:
        return "[unknown]"
    if value == "[secret]":
        return "[secret]"
    if isinstance(value, str):
        value = _shortened(value)
    if isinstance(value, dict) and SIG in value:
        return f"asset({value.get('hash', '')[:7]})"
    return json.dumps(Codec.numbers(value), ensure_ascii=False)


def _shortened(value: str) -> str:
    """The first three lines of a text, each cut at 150 characters."""
    lines = value.split("\n")
    shown = [line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "..." for line in lines[:_MOST_LINES]]
    return "\n".join([*shown, *["..."] * (len(lines) > _MOST_LINES)])


def outputs(old: Map | None, new: Map, only_changed: bool = False) -> Iterator[str]:
    """The stack's outputs, secrets masked, with signs where they differ from the old ones.

    Args:
        old: The old outputs; None of a new stack.
        new: The new ones.
        only_changed: Whether those that stay are left out.
    """
    names = sorted({*(old or {}), *new})
    width = max(map(len, names), default=0)
    for name in names:
        key = name.ljust(width)
        yield from _output(name, key, old, new, only_changed)


def _output(name: str, key: str, old: Map | None, new: Map, only_changed: bool) -> Iterator[str]:
    """One output under its aligned key."""
    if old is None or (name in old and name in new and plain(old[name]) == plain(new[name])):
        if old is None or not only_changed:
            yield from _value("    ", key, masked(new[name]), "  ")
    elif name not in new:
        yield from _value("  - ", key, masked(old[name]), "- ")
    elif name not in old:
        yield from _value("  + ", key, masked(new[name]), "+ ")
    else:
        yield from _changed("  ", key, masked(old[name]), masked(new[name]))


def block(prefix: str, op: str, step: StepFacts, depth: int) -> Iterator[str]:
    """A step in full: what it is about, and every property that is set, changes or goes."""
    indent = "    " * depth
    resource = step.res
    yield f"{indent}{prefix}{resource.type}: ({op})"
    id_ = (step.old or resource).id
    details = {"id": "" if id_ == UNKNOWN else id_, "urn": resource.urn, "provider": resource.provider}
    for key, value in details.items():
        if value:
            yield f"{indent}    [{key}={value}]"
    if step.keys:
        yield f"{indent}    [replaced for {', '.join(step.keys)}]"
    old, new = (masked(_visible(r.inputs)) if r else None for r in (step.old, step.new))
    if (
        op in ("create", "create-replacement", "read", "import")
        and new is not None
        and not (op == "create-replacement" and old is not None)
    ):
        for key in sorted(new):
            yield from _value(f"{indent}    ", key, new[key], "  ")
    elif old is not None and new is not None and op not in ("same",):
        yield from _differences(f"{indent}  ", old, new, reveal=(step.old, step.new))
    elif new is None and old is not None:
        for key in sorted(old):
            yield from _value(f"{indent}    ", key, old[key], "  ")


def _differences(
    indent: str, old: Map, new: Map, reveal: tuple[Resource | None, Resource | None] | None = None
) -> Iterator[str]:
    """The keys that differ; secrets that changed differ, too, though both show as `[secret]`."""
    before, after = (plain(r.inputs) if r else {} for r in reveal) if reveal else (old, new)
    for key in sorted({*old, *new}):
        if key not in new:
            yield from _value(f"{indent}- ", key, old[key], "- ")
        elif key not in old:
            yield from _value(f"{indent}+ ", key, new[key], "+ ")
        elif old[key] != new[key] or before.get(key) != after.get(key):
            yield from _changed(indent, key, old[key], new[key])


def _changed(indent: str, key: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict) and old != new and SIG not in old:
        yield f"{indent}~ {key}: {{"
        yield from _differences(f"{indent}    ", old, new)
        yield f"{indent}  }}"
    elif isinstance(old, list) and isinstance(new, list) and old != new:
        yield f"{indent}~ {key}: ["
        pairs = _differences(
            f"{indent}    ", {f"[{i}]": v for i, v in enumerate(old)}, {f"[{i}]": v for i, v in enumerate(new)}
        )
        yield from pairs
        yield f"{indent}  ]"
    else:
        yield f"{indent}~ {key}: {text(old)} => {text(new)}"


def _value(indent: str, key: str, value: Any, sign: str) -> Iterator[str]:
    """A value that is there as a whole, over several lines if it is an object or list."""
    rest = " " * len(indent) if not indent.strip() else indent.replace(sign.strip(), " ")
    if isinstance(value, dict) and value and SIG not in value:
        yield f"{indent}{key}: {{"
        width = max(map(len, value))
        for inner in sorted(value):
            yield from _value(f"{rest}    ", inner.ljust(width), value[inner], sign)
        yield f"{rest}}}"
    elif isinstance(value, list) and value:
        yield f"{indent}{key}: ["
        for number, inner in enumerate(value):
            yield from _value(f"{rest}    ", f"[{number}]", inner, sign)
        yield f"{rest}]"
    else:
        yield f"{indent}{key}: {text(value)}"
