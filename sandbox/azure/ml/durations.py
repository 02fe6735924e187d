"""Durations as bodies have them: ISO 8601, such as `PT120S`."""

from datetime import timedelta

import isodate


def seconds(duration: str) -> float:
    """The seconds of an ISO 8601 duration such as `PT120S`.

    Raises:
        ValueError: The text is no duration, or its length depends on the calendar, or it is negative.
    """
    try:
        length = isodate.parse_duration(duration)
    except isodate.ISO8601Error:
        length = None
    if not isinstance(length, timedelta) or length < timedelta() or duration.endswith("T"):
        raise ValueError(f"'{duration}' is no ISO 8601 duration such as PT120S")
    return length.total_seconds()
