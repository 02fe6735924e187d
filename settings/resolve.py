"""Every default that depends on another setting, filled in once, before anything is checked.

A default that depends on nothing stands at its field. Afterwards no code asks what a missing key means.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from settings.department import Department
from settings.problems import Path
from settings.types import PRODUCTION, Environment, Section, key_of, section_in


@dataclass(frozen=True)
class Resolved:
    """The value of `azureml-platform:department` with every dependent default.

    Attributes:
        raw: The value as YAML or JSON has it, without null where null means that a key is absent.
        origins: Of each key that was filled in, the key whose value decided: that of the whole section for a team's
            network, `environment` for what is safer in production.
    """

    raw: Mapping[str, Any]
    origins: Mapping[Path, Path]

    def origin(self, path: Path) -> Path:
        """The key that holds the value: the key itself, or the one from which the value was copied."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origin((*self.origins[path[:length]], *path[length:]))
        return path


def resolve(raw: Mapping[str, Any]) -> Resolved:
    """Fill in what is left out. Values that are wrong stay, for the types to refuse."""
    filled = _without_nulls(raw, Department)
    origins: dict[Path, Path] = {}

    def fill(holder: object, path: Path, value: object, origin: Path) -> None:
        if isinstance(holder, dict) and path[-1] not in holder and value is not None:
            holder[path[-1]] = value
            origins[path] = origin

    def fill_network(network: object, path: Path) -> None:
        if isinstance(network, dict) and network.get("mode") == "managed":
            fill(network, (*path, "outboundAccess"), "approved", (*path, "mode"))

    def fill_people(holder: object, path: Path) -> None:
        if isinstance(holder, dict) and holder.get(path[-1]) == []:
            del holder[path[-1]]
        fill(holder, path, filled.get("admin") and [filled["admin"]], ("admin",))

    vault = filled.setdefault("keyVault", {})
    if filled.get("environment") in get_args(Environment):
        production = filled["environment"] == PRODUCTION
        for holder, path in (
            (filled, ("protect",)),
            (filled, ("diagnostics",)),
            (vault, ("keyVault", "purgeProtection")),
        ):
            fill(holder, path, production, ("environment",))
        fill(filled, ("azurePolicy",), "audit" if production else "off", ("environment",))
    fill(filled, ("owner",), filled.get("admin"), ("admin",))
    fill(filled, ("costCenter",), filled.get("code"), ("code",))
    fill_people(filled, ("deployers",))
    fill_network(filled.get("network"), ("network",))
    shared = filled.get("shared")
    for at, team in _teams(filled):
        fill(team, (*at, "network"), filled.get("network"), ("network",))
        fill_network(
            team["network"] if (*at, "network") not in origins and "network" in team else None, (*at, "network")
        )
        fill_people(team.get("budget"), (*at, "budget", "contacts"))
        for key in ("registryId", "logWorkspaceId"):
            if isinstance(shared, dict) and key in shared:
                fill(team.setdefault("existing", {}), (*at, "existing", key), shared[key], ("shared", key))
    return Resolved(filled, origins)


def _teams(raw: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    teams = raw.get("teams")
    for i, team in enumerate(teams if isinstance(teams, list) else ()):
        if isinstance(team, dict):
            yield ("teams", i), team


def _without_nulls(value: Any, section: type[Section] | None) -> Any:
    """A copy in which no known key is null: that is the same as an absent key. Unknown keys stay, to be refused."""
    if isinstance(value, list):
        return [_without_nulls(entry, section) if isinstance(entry, dict) else entry for entry in value]
    if not isinstance(value, dict) or section is None:
        return value
    inner = {key_of(name, field): section_in(field.annotation) for name, field in section.model_fields.items()}
    return {
        key: _without_nulls(entry, inner.get(key))
        for key, entry in value.items()
        if entry is not None or key not in inner
    }
