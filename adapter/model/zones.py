"""Time zones by name."""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from adapter.files.problems import did_you_mean

_OFFSET = re.compile(r"([-+])([01][0-9]|2[0-3]):([0-5][0-9])\Z")


def named(name: str) -> ZoneInfo | None:
    """Return the time zone of that name of the IANA database, None when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_of(text: str) -> tzinfo | None:
    """Return the zone of a name of the IANA database, or of an offset such as `+02:00`; else None."""
    found = _OFFSET.match(text)
    if found is None:
        return named(text)
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset)


@lru_cache(maxsize=256)
def remedy(name: str) -> str:
    """Return what to write instead of a name that is no zone's.

    An abbreviation is no slip for another one: CEST is not EST.
    """
    near = "" if name.isupper() and "/" not in name else did_you_mean(name, available_timezones())
    return near if near.startswith("did") else "write a name such as Europe/Berlin"
