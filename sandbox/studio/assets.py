"""Names of assets: what an id or an address names, and the page that shows it."""

from __future__ import annotations

import re

from sandbox.studio.visit import Visit

PAGES = {
    "models": "/model/{name}:{version}/details",
    "data": "/data/{name}/{version}/details",
    "environments": "/environments/{name}/version/{version}",
    "components": "/component/{name}/{version}/details",
    "codes": "",
}
"""Addresses of Azure ML's studio, by the asset's kind in ids."""
SHORT = 12  # characters of a hash that are enough to tell it from others
_VERSIONED = re.compile(r"(?:^|/)(models|data|environments|components)/([^/]+)/versions/([^/?]+)$", re.IGNORECASE)
_RUN = re.compile(r"^azureml://(?:.*/)?jobs/([^/]+)/outputs/|/dcid\.([^/]+)/|^runs:/([^/]+)/|/azureml/([^/]+)/[^/]+/?$")


def versioned(text: str | None) -> tuple[str, str, str] | None:
    """Kind, name and version that an id names; None for another text."""
    found = _VERSIONED.search(text or "")
    return (found[1].lower(), found[2], found[3]) if found else None


def asset_title(text: str) -> str:
    """Name and version of an id, the version cut where it is a long hash; another text as it is."""
    found = versioned(text)
    if not found:
        return text
    _, name, version = found
    return f"{name}:{version[:SHORT]}…" if len(version) > 2 * SHORT else f"{name}:{version}"


def run_of(address: str | None) -> str | None:
    """The run whose output an address names, as far as it says so."""
    found = _RUN.search(address or "")
    return next((part for part in found.groups() if part), None) if found else None


def asset_page(visit: Visit, text: str | None) -> str | None:
    """The page of the asset, or else of the run, that an id or address names; None for neither."""
    found = versioned(text)
    if found:
        return visit.link(PAGES[found[0]].format(name=found[1], version=found[2]))
    run = run_of(text)
    return visit.link(f"/runs/{run}") if run else None
