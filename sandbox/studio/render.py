"""Templates and their filters. Whatever a template shows is escaped, unless it is markup that this room made."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

HERE = Path(__file__).parent
STATIC = HERE / "static"
MANY = 10_000  # from which a number is written with a power
KILO = 1024


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "when": when,
        "span": span,
        "number": number,
        "bytes": size,
        "pretty": pretty,
        "state": state,
        "dollars": dollars,
    }
    made.globals["version"] = _version
    return made


@cache
def _version(file: str) -> str:
    """An address of a static file that changes with its content."""
    return f"/static/{file}?{hashlib.sha256((STATIC / file).read_bytes()).hexdigest()[:16]}"


def page(template: str, **given: Any) -> str:
    """The text of a template."""
    return _environment().get_template(template).render(**given)


def moment(value: str | float | datetime | None) -> datetime | None:
    """A time of this machine's zone from ISO 8601, or milliseconds since 1970; None for none."""
    if not value:
        return None
    try:
        if isinstance(value, int | float):
            read = datetime.fromtimestamp(value / 1000, UTC)
        else:
            read = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def when(value: str | float | datetime | None) -> Markup:
    """A time as a person here reads it, with the zone; a dash for none."""
    read = moment(value)
    if read is None:
        return Markup('<span class="none">–</span>')
    text = read.isoformat(" ", "seconds")[:19]
    return Markup(f'<time datetime="{read.isoformat()}">{text} <small>{escape(read.tzname())}</small></time>')  # noqa: S704 # digits, and an escaped name


def span(seconds: float | None) -> str:
    """A length of time; a dash for none."""
    if seconds is None:
        return "–"
    if seconds < 60:  # noqa: PLR2004 # a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def number(value: float | str | None) -> str:
    """A number with six digits that count; whole ones whole."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if math.isfinite(value) and value == int(value) and abs(value) < MANY**3:
        return f"{int(value):,}".replace(",", "\u2009")
    return f"{value:.6g}"


def dollars(value: float) -> str:
    """A price: cents, and more digits where it has them."""
    if not value:
        return "$0"
    return f"${value:,.2f}" if round(value, 2) == value else f"${value:.4g}"


def size(count: float | None) -> str:
    """A number of bytes."""
    if count is None:
        return "–"
    for unit in ("B", "KB", "MB", "GB"):
        if count < KILO or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= KILO
    raise AssertionError("unreachable")


def pretty(value: Any) -> str:
    """JSON with indents; numbers that JSON has not, such as NaN, are texts."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:
        return pretty(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


STATES = {
    "Completed": "good", "Succeeded": "good", "Running": "live", "Failed": "bad", "Canceled": "off",
    "CancelRequested": "live", "Preparing": "live", "Starting": "live", "Provisioning": "live", "Queued": "wait",
    "NotStarted": "wait", "Finalizing": "live", "Creating": "live", "Updating": "live", "Deleting": "live",
    "FINISHED": "good", "RUNNING": "live", "FAILED": "bad", "KILLED": "off", "SCHEDULED": "wait",
}  # fmt: skip
"""How a state is drawn, by the state's name."""


@lru_cache(64)
def state(name: str | None) -> Markup:
    """A state with its mark."""
    return Markup('<span class="state {}">{}</span>').format(STATES.get(name or "", "off"), name or "Unknown")
