"""Departments that are right: every setting drawn from the schema, which says its type, limits and pattern.

A new setting is drawn without an edit here. The tables below have what no schema says: values that belong together.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from hypothesis import strategies as st

from settings import Department

SCHEMA = Department.model_json_schema()
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = st.text(LETTERS + "0123456789", min_size=3, max_size=8)
VISIBLE = st.characters(min_codepoint=33, max_codepoint=126) | st.sampled_from("éßñ日")
LARGEST = 10**6
MOST = 2  # entries of a list

NOT_DRAWN = {
    **dict.fromkeys(("Department.network", "Team.network"), "a network decides on registries, clusters and outbound"),
    **dict.fromkeys(("Department.shared", "Team.existing"), "ids of resources and what takes their place"),
    "Department.naming": "patterns whose names must be unique",
    "Team.customerKey": "needs purge protection and a tier of the registry",
    "Lake.accountId": "an account in the same subscription",
    "LifecycleRule.archiveAfterDays": "not for storage across zones, which production has",
    "Team.formerName": "another team's name would be taken",
    "GitHub.environment": "either an environment or a branch",
}
"""Settings that depend on others. The stacks of tests/proof, which are mutated too, have each of them."""

KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "Department.code": st.from_regex(r"[a-z][a-z0-9]{0,2}", fullmatch=True),
    "Department.regionAbbreviation": st.from_regex(r"[a-z0-9]{2}", fullmatch=True),
    "Department.tags": st.dictionaries(WORDS.map("d-{}".format), WORDS, max_size=4),
    "Department.ignoreTags": st.lists(WORDS.map("i-{}".format), max_size=MOST, unique=True),
    "Team.name": WORDS,
    "Team.customName": WORDS.map("x{}".format),
    "Team.quota": st.dictionaries(st.sampled_from(["standardDSv2Family", "standardDv2Family"]), st.integers(900, 9000)),
    "Team.tags": st.dictionaries(WORDS.map("t-{}".format), WORDS, max_size=4),
    "Restricted.writers": st.just(["user1@site.com"]),
    "Budget.start": st.just("2026-11"),
    "Secret.rotated": st.just("2026-11-01"),
    "Secret.validDays": st.integers(30, 365),
}
"""Values within limits that the schema does not say: lengths of whole names, names of tags, days near today."""

ALWAYS = {"GitHub.branch", "InstanceSchedule.stop", "Automation.secret", "Data.containers", "Restricted.writers"}
"""Optional keys of which one is needed."""


@cache
def scalar(written: str) -> st.SearchStrategy[Any]:
    """A value of a plain type, from its schema as JSON: each strategy is made once, for patterns are slow to read."""
    return _scalar(json.loads(written))


def _scalar(schema: dict[str, Any]) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one for each type
    match schema:
        case {"const": value}:
            return st.just(value)
        case {"enum": values}:
            return st.sampled_from(values)
        case {"pattern": pattern}:
            least, most = schema.get("minLength", 0), schema.get("maxLength", LARGEST)
            texts = st.from_regex(pattern, fullmatch=True, alphabet=VISIBLE | st.just(" "))
            return texts.filter(lambda text: least <= len(text) <= most)
        case {"type": "string", "format": "date"}:
            return st.dates().map(lambda day: day.replace(year=2090 + day.year % 9, day=min(day.day, 28)).isoformat())
        case {"type": "string"}:
            most = min(schema.get("maxLength", 20), 20)
            return st.text(VISIBLE, min_size=schema.get("minLength", 0), max_size=most)
        case {"type": "integer"}:
            return st.integers(schema["minimum"], schema["maximum"])
        case {"type": "number"}:
            return st.floats(schema["exclusiveMinimum"], LARGEST, exclude_min=True)
        case {"type": "boolean"}:
            return st.booleans()
    raise NotImplementedError(f"no strategy for {schema}")


@st.composite
def value(draw: st.DrawFn, schema: dict[str, Any]) -> Any:
    """A value of any schema."""
    match schema:
        case {"$ref": reference}:
            return draw(sections(reference.rsplit("/", 1)[1]))
        case {"anyOf": [first, *_]}:
            return draw(value(first))
        case {"type": "array", "items": items}:
            entries = draw(st.lists(value(items), min_size=schema.get("minItems", 0), max_size=MOST))
            return unlike(entries, set())
    return draw(scalar(json.dumps(schema)))


@st.composite
def section(draw: st.DrawFn, name: str) -> Any:
    """A section of that name, its keys related as they must be."""
    schema = SCHEMA if name == "Department" else SCHEMA["$defs"][name]
    if name == "Member":
        return draw(member(schema["anyOf"][1]["properties"]))
    required = ALWAYS | {f"{name}.{key}" for key in schema.get("required", ())}
    drawn = {}
    for key, field in schema["properties"].items():
        place = f"{name}.{key}"
        if place not in NOT_DRAWN and (place in required or draw(st.integers(0, 3)) == 0):
            drawn[key] = draw(KNOWN[place] if place in KNOWN else value(field))
    return RELATED[name](drawn) if name in RELATED else drawn


@st.composite
def member(draw: st.DrawFn, fields: dict[str, Any]) -> Any:
    """A name, or a user or group with other keys."""
    key = draw(st.sampled_from(["", "user", "group"]))
    who = draw(value(fields[key or "user"]))
    rest = {name: draw(value(field)) for name, field in fields.items() if name not in ("user", "group")}
    return {key: who} | (rest if draw(st.booleans()) else {}) if key else who


def unlike(entries: list[Any], taken: set[str]) -> list[Any]:
    """The entries, each with a text or name that none of the others has."""
    kept = []
    for entry in entries:
        text = entry.get("name") if isinstance(entry, dict) else entry
        if isinstance(text, str) and text.lower() in taken:
            if not isinstance(entry, dict):
                continue
            mark = f"x{len(taken)}"
            # No longer than it was: what is named by it has its limits.
            text = entry["name"] = text[: max(1, min(16, len(text)) - len(mark))].rstrip("-_") + mark
        if isinstance(text, str):
            taken.add(text.lower())
        kept.append(entry)
    return kept


def in_order(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule that ends in deletion, after the cool tier."""
    rule["deleteAfterDays"] = rule.get("coolAfterDays", 1) + rule.get("deleteAfterDays", 1)
    return rule


def lake(drawn: dict[str, Any]) -> dict[str, Any]:
    """A lake whose entries name its own file systems, each of which is restricted once."""
    systems = drawn["fileSystems"]
    drawn["restricted"] = drawn.get("restricted", [])[: len(systems)]
    for entries in (value for value in drawn.values() if isinstance(value, list) and value is not systems):
        for i, entry in enumerate(entries):
            if "fileSystem" in entry:
                entry["fileSystem"] = systems[i % len(systems)]
            if "fileSystems" in entry:
                entry["fileSystems"] = systems[:1]
    return drawn


def data(drawn: dict[str, Any]) -> dict[str, Any]:
    """Data whose datastores name its own containers."""
    drawn["containers"] = drawn["containers"] or ["raw"]
    stores = drawn.get("datastores", ())
    drawn["datastores"] = [{"name": store["name"], "container": drawn["containers"][0]} for store in stores]
    return drawn


def team(drawn: dict[str, Any]) -> dict[str, Any]:
    """A team whose datastores have distinct names."""
    stores: set[str] = set()
    for holder in (drawn.get("lake", {}), drawn.get("data", {})):
        unlike(holder.get("datastores", []), stores)
    return drawn


def department(drawn: dict[str, Any]) -> dict[str, Any]:
    """A department whose compute has distinct names and sizes that it allows."""
    computes: set[str] = set()
    names: set[str] = set()
    for drawn_team in drawn["teams"]:
        if drawn_team.get("customName") in names:
            del drawn_team["customName"]
        names.add(drawn_team.get("customName", ""))
        for key in ("clusters", "instances"):
            unlike(drawn_team.get(key, []), computes)
    if "allowedVmSizes" in drawn:
        drawn["allowedVmSizes"] = sorted({*drawn["allowedVmSizes"], *_sizes(drawn)})
    return drawn


def _sizes(drawn: Any) -> Iterator[str]:
    """All VM sizes in the teams."""
    for drawn_team in drawn["teams"]:
        for compute in (*drawn_team.get("clusters", ()), *drawn_team.get("instances", ())):
            yield compute["vmSize"]
        yield from drawn_team.get("serving", {}).get("vmSizes", ())


RELATED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "Data": data,
    "Department": department,
    "Lake": lake,
    "LifecycleRule": in_order,
    "Team": team,
}


sections = cache(section)


def departments() -> st.SearchStrategy[dict[str, Any]]:
    """A department in which nothing is wrong."""
    return sections("Department")
