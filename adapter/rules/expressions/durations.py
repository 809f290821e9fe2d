"""Windows of time as authors write them: 30m, 24h, 7d, 2w."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_WINDOW = re.compile(r"([1-9][0-9]{0,5})([smhdw])\Z")


def parse_window(text: str) -> timedelta | None:
    """Return the time that `30m`, `24h`, `7d` or `2w` means, None when it is not written so."""
    match = _WINDOW.match(text)
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]]) if match else None


def duration_text(window: timedelta) -> str:
    """Return a time as `duration()` reads it, which knows no days: 336h, 90m, 45s."""
    seconds = int(window.total_seconds())
    unit = next(unit for unit in "hms" if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


def window_text(window: timedelta) -> str:
    """Return a time in its largest whole unit up to days: 7d, 36h."""
    seconds = window.total_seconds()
    for unit, length in _UNITS.items():
        if unit != "w" and seconds and seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:g}s"
