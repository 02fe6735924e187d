"""Times as people write them: `31d`, `12h`, `1d12h`."""

import re

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_PARTS = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


def read_seconds(text: str) -> int | None:
    """The seconds of a time; None for what is none."""
    found = _PARTS.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        return None
    return sum(int(count or 0) * length for count, length in zip(found.groups(), UNITS.values(), strict=True))


def seconds_of(text: str) -> int:
    """The seconds of a time that stands in a command.

    Raises:
        typer.BadParameter: It is none.
    """
    seconds = read_seconds(text)
    if seconds is None:
        import typer  # noqa: PLC0415 # only commands need it

        raise typer.BadParameter(not_a_time(text))
    return seconds


def not_a_time(text: str) -> str:
    """What is told of a text that is no time."""
    return f"'{text}' is no time: write 31d, 12h, 90m, 30s or several, such as 1d12h30m"


def duration(seconds: float) -> str:
    """A number of seconds in the same form; empty for none."""
    left, parts = round(seconds), []
    for unit, length in UNITS.items():
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
