"""How pages write values: times, numbers, JSON, links."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from adapter.model.encoding import encode

_STEPS: Final = ((60, "second"), (3600, "minute"), (86_400, "hour"), (86_400 * 60, "day"))
_MONTH: Final = 86_400 * 30


def url(path: str, /, **query: Any) -> str:
    """Return a path with a query; what is None or empty is left out."""
    given = {name: value for name, value in query.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


def moment(text: str | None) -> str:
    """Return a time of a view as people read it, to the second, in UTC; a dash where there is none."""
    return f"{_time(text):%Y-%m-%d %H:%M:%S}" if text else "–"


def clock(seconds: float) -> str:
    """Return seconds since 1970 as a time in UTC, to the minute."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def ago(text: str | None, now: datetime) -> str:
    """Return how long ago a time was, or in how long it will be."""
    if not text:
        return "–"
    seconds = round((now - _time(text)).total_seconds())
    if abs(seconds) < 1:
        return "now"
    return f"{duration(abs(seconds))} ago" if seconds > 0 else f"in {duration(-seconds)}"


def number(value: Any) -> str:
    """Return a number with a blank between thousands; text as it is, a dash for nothing."""
    if value is None:
        return "–"
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int | float) else str(value)


def pretty(value: Any) -> str:
    """Return a value as indented JSON."""
    return msgspec.json.format(encode(value), indent=2).decode()


def only(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return some members of an object."""
    return {name: values[name] for name in names if name in values}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def duration(seconds: int) -> str:
    """Return a number of seconds in the largest unit that it fills."""
    size = 1
    for limit, name in _STEPS:
        if seconds < limit:
            count = seconds // size
            return f"{count} {name}{'s' if count != 1 else ''}"
        size = limit if name != "hour" else 86_400
    return f"{seconds // _MONTH} months"
