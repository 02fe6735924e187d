"""A stack file from the config.yml of amls_admin: `python -m department convert config.yml`.

BlueGranite's amls_admin scripts read `config.yml` and make an Azure Machine Learning workspace by the Azure CLI. What
they do silently wrong (cut names, lists of different length, a data lake that is never made, a role that goes to the
administrator) becomes right here, or an error that names the key.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from settings import SettingsError, parse_department
from settings.problems import KEY, show
from settings.spelling import nearest

_KEYS: Mapping[str, tuple[str, ...]] = {
    "workspace": (
        "subscription",
        "custom_name",
        "department",
        "team",
        "region",
        "region_abbv",
        "environment",
        "admin",
        "security_group",
        "create_dls",
        "adls",
    ),
    "compute": ("nodes", "priority", "vm_sku", "cluster_name"),
    "roles": ("team_leads", "data_scientists"),
}
_REQUIRED = {"subscription", "department", "team", "region", "region_abbv", "environment", "admin"}
_PRIORITIES = {"lowpriority": "lowPriority", "dedicated": "dedicated"}

# Where a setting comes from, to name the key of config.yml in a message about it.
_ORIGINS = (
    (r"subscriptionId", "workspace.subscription"),
    (r"code", "workspace.department"),
    (r"environment", "workspace.environment"),
    (r"regionAbbreviation", "workspace.region_abbv"),
    (r"region", "workspace.region"),
    (r"admin", "workspace.admin"),
    (r"teams\[0\]\.name", "workspace.team"),
    (r"teams\[0\]\.customName", "workspace.custom_name"),
    (r"teams\[0\]\.leads.*", "roles.team_leads"),
    (r"teams\[0\]\.dataScientists\[\d+\]\.group", "workspace.security_group"),
    (r"teams\[0\]\.dataScientists.*", "roles.data_scientists"),
    (r"teams\[0\]\.clusters\[\d+\]\.name", "compute.cluster_name"),
    (r"teams\[0\]\.clusters\[\d+\]\.vmSize", "compute.vm_sku"),
    (r"teams\[0\]\.clusters\[\d+\]\.maxNodes", "compute.nodes"),
)


class ConversionError(Exception):
    """The file cannot be converted; its text has one line for each problem, with file and key."""

    def __init__(self, file: str, problems: list[str]) -> None:
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))


def convert(content: Any, file: str) -> tuple[dict[str, Any], list[str]]:
    """The department's settings, and notes on what is otherwise than the scripts would have done it.

    Args:
        content: The file as YAML gives it.
        file: Its name, for messages.

    Raises:
        ConversionError: With everything that keeps it from being converted.
    """
    problems = list(_shape_problems(content))
    if problems:
        raise ConversionError(file, problems)
    texts = {f"{part}.{key}": _text(content[part].get(key)) for part, keys in _KEYS.items() for key in keys}
    notes: list[str] = []
    team: dict[str, Any] = {"name": texts["workspace.team"]}
    if texts["workspace.custom_name"]:
        team["customName"] = texts["workspace.custom_name"]
    team["leads"] = _leads(texts, notes)
    team["dataScientists"] = _split(texts["roles.data_scientists"])
    if team["dataScientists"]:
        notes.append(
            "roles.data_scientists: each of them gets the role; the scripts gave it to the last team lead, again and "
            "again."
        )
    if group := texts["workspace.security_group"]:
        team["dataScientists"].append({"group": group})
        notes.append(
            "workspace.security_group: the scripts read it and did nothing; its members become data scientists."
        )
    team["clusters"] = list(_clusters(texts, problems))
    if team["clusters"]:
        notes.append(
            "compute: idle nodes are given back after 2 minutes, as the scripts' guide says; the scripts themselves "
            "set 30."
        )
    if _wants_lake(texts, problems):
        team["lake"] = {"fileSystems": ["data"], "datastores": [{"name": "data", "fileSystem": "data"}]}
        notes.append(
            "workspace.create_dls: the scripts read another key and never made the lake, nor with a "
            "hierarchical namespace; "
            "it is made, with the file system and datastore 'data'."
        )
    department = {
        "code": texts["workspace.department"],
        "environment": texts["workspace.environment"],
        "region": texts["workspace.region"],
        "regionAbbreviation": texts["workspace.region_abbv"],
        "subscriptionId": texts["workspace.subscription"].lower(),
        "admin": texts["workspace.admin"],
        "teams": [team],
    }
    try:
        parse_department(department, file)
    except SettingsError as error:
        problems += [f"{_origin(problem.key)}: {problem.message}" for problem in error.problems]
    if problems:
        raise ConversionError(file, problems)
    return department, notes


def _shape_problems(content: Any) -> Iterator[str]:
    if not isinstance(content, dict):
        yield f"expected the keys {', '.join(_KEYS)}, found {show(content)}."
        return
    yield from _unknown("", content, tuple(_KEYS))
    for part, keys in _KEYS.items():
        values = content.get(part)
        if not isinstance(values, dict):
            yield f"{part}: expected the keys {', '.join(keys)}, found {show(values)}."
            continue
        yield from _unknown(f"{part}.", values, keys)
        for key in keys:
            if isinstance(values.get(key), (dict, list)):
                yield f"{part}.{key}: expected text, found {show(values[key])}."
            elif key in _REQUIRED and not _text(values.get(key)):
                yield f"{part}.{key}: is missing."


def _unknown(prefix: str, values: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[str]:
    for key in values:
        if key not in known:
            near = nearest(key, known)
            yield f"{prefix}{key}: unknown key. {f'Did you mean {near!r}?' if near else 'Remove it.'}"


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _split(text: str) -> list[Any]:
    """The entries of a list as the scripts' shell splits them: at commas, spaces, parentheses and brackets."""
    return [entry for entry in re.split(r"[,\s()\[\]]+", text) if entry]


def _leads(texts: Mapping[str, str], notes: list[str]) -> list[Any]:
    """The team leads; the admin is the first of them, as in the scripts, which give both the same."""
    leads, admin = _split(texts["roles.team_leads"]), texts["workspace.admin"]
    if admin.lower() not in map(str.lower, leads):
        leads.insert(0, admin)
        notes.append("workspace.admin: becomes a team lead, as the scripts make them one.")
    return leads


def _clusters(texts: Mapping[str, str], problems: list[str]) -> Iterator[dict[str, Any]]:
    columns = {key: _split(texts[f"compute.{key}"]) for key in ("cluster_name", "vm_sku", "nodes", "priority")}
    if len({len(column) for column in columns.values()}) > 1:
        counts = ", ".join(f"{key} has {len(column)}" for key, column in columns.items())
        problems.append(f"compute: its lists must be equally long, but {counts} entries.")
        return
    for name, size, nodes, priority in zip(*columns.values(), strict=True):
        if not nodes.isdecimal():
            problems.append(f"compute.nodes: '{nodes}' is not a whole number.")
        if priority.lower() not in _PRIORITIES:
            problems.append(f"compute.priority: '{priority}' is not one of {', '.join(_PRIORITIES)}.")
        yield {
            "name": name,
            "vmSize": size,
            "maxNodes": int(nodes) if nodes.isdecimal() else 1,
            "priority": _PRIORITIES.get(priority.lower(), "dedicated"),
        }


def _wants_lake(texts: Mapping[str, str], problems: list[str]) -> bool:
    wanted = False
    for key in ("workspace.create_dls", "workspace.adls"):
        answer = texts[key].lower()
        if answer not in ("", "y", "n", "yes", "no", "true", "false"):
            problems.append(f"{key}: '{answer}' is neither y nor n.")
        wanted = wanted or answer in ("y", "yes", "true")
    return wanted


def _origin(key: str) -> str:
    path = key.removeprefix(f"{KEY}.")
    return next((origin for pattern, origin in _ORIGINS if re.fullmatch(pattern, path)), path)
