"""Time zones by name."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from adapter.files.problems import did_you_mean


def named(name: str) -> ZoneInfo | None:
    """Return the time zone of that name of the IANA database, None when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache(maxsize=256)
def remedy(name: str) -> str:
    """Return what to write instead of a name that is no zone's.

    An abbreviation is no slip for another one: CEST is not EST.
    """
    near = "" if name.isupper() and "/" not in name else did_you_mean(name, available_timezones())
    return near if near.startswith("did") else "write a name such as Europe/Berlin"
