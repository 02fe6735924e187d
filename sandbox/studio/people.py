"""Who is who: display names of object ids, as far as the persona may read the directory."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.studio.azure import GRAPH, Azure, Refused

MOST = 1000  # ids of one request


def names(azure: Azure, ids: Iterable[str]) -> dict[str, str]:
    """Names of users, groups and service principals by object id; one that Graph does not tell is the id itself."""
    wanted = {one for one in ids if one} - azure.people.keys()
    if wanted:
        try:
            told = azure.send("POST", f"{GRAPH}/v1.0/directoryObjects/getByIds", {"ids": sorted(wanted)[:MOST]}).json()
        except Refused:
            told = {"value": []}
        found = {one["id"]: one.get("displayName") or one["id"] for one in told["value"]}
        azure.people |= {one: found.get(one, one) for one in wanted}
    return azure.people
