"""Times as people write them: `31d`, `12h`, `1d12h`."""

import re

import typer

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_PARTS = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


def seconds_of(text: str) -> int:
    """The seconds of a time.

    Raises:
        typer.BadParameter: It is none.
    """
    found = _PARTS.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        raise typer.BadParameter(f"'{text}' is no time: write 31d, 12h, 90m, 30s or several, such as 1d12h30m")
    return sum(int(count or 0) * length for count, length in zip(found.groups(), UNITS.values(), strict=True))


def duration(seconds: float) -> str:
    """A number of seconds in the same form; empty for none."""
    left, parts = round(seconds), []
    for unit, length in UNITS.items():
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
