"""Time zones by their Windows names, as schedules have them."""

from functools import cache
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

# Windows keeps these two names, which CLDR has dropped: what Windows itself takes them for.
OBSOLETE = {"Mid-Atlantic Standard Time": "Etc/GMT+2", "Kamchatka Standard Time": "Asia/Kamchatka"}


@cache
def _zones() -> dict[str, str]:
    return {name.lower(): zone for name, zone in {**win_tz, **OBSOLETE}.items()}


def time_zone(name: str) -> ZoneInfo | None:
    """The time zone of a Windows name, in any letter case; None for no such name."""
    found = _zones().get(name.lower())
    return ZoneInfo(found) if found else None
