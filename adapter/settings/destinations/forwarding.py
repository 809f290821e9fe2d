"""The settings of types that customers and events can be forwarded to, and of the plan's quota."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from msgspec import Meta

from adapter.settings.destinations.base import DestinationSettings, Wrong

#: 0 is no limit.
Quota = Annotated[int, Meta(ge=0, le=1_000_000_000)]

_INTERVAL = re.compile(r"0|([1-9][0-9]{0,4})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=7)


class ForwardingSettings(DestinationSettings, frozen=True, kw_only=True):
    """What is forwarded, how often a customer at most, and how many calls may be made."""

    forward: tuple[Literal["customers", "events"], ...] = ()
    interval: str = "0"
    forward_anonymous: bool = False
    per_minute: Quota = 0
    per_month: Quota = 0

    @property
    def pause(self) -> timedelta:
        """The time in which the changes of one customer become one; zero where `interval` is not readable."""
        return interval_of(self.interval) or timedelta(0)

    def problems(self, name: str) -> Iterator[Wrong]:
        """Yield what is wrong with these settings."""
        yield from super().problems(name)
        interval = interval_of(self.interval)
        if interval is None:
            message = f"is `{self.interval}`, which is no interval"
            yield "interval", message, "write `0`, `1m`, `15m`, `1h` or `1d`"
        elif interval > _LONGEST:
            yield "interval", f"is `{self.interval}`", f"write at most `{_LONGEST.days}d`"


def interval_of(text: str) -> timedelta | None:
    """Return an interval such as `15m`; None where it is not readable."""
    found = _INTERVAL.fullmatch(text)
    if found is None:
        return None
    return timedelta(0) if text == "0" else timedelta(**{_UNITS[found[2]]: int(found[1])})
