"""The time that the runner goes by."""

from datetime import UTC, datetime


class Clock:
    """The time of the machine. All that waits for days or minutes asks it, never the system itself."""

    def now(self) -> datetime:
        """The time, with its zone."""
        return datetime.now(UTC)

    def seconds_since(self, time: str) -> float:
        """Seconds since a time as run history writes it."""
        return (self.now() - datetime.fromisoformat(time)).total_seconds()
