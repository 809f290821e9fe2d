"""The settings of Segment as a destination."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from adapter.settings.destinations.base import (
    DISCOUNT_EVENTS,
    DestinationSettings,
    DestinationType,
    Wrong,
    events_problems,
    url_problems,
    variable,
)
from adapter.settings.scalars import Secret

#: Source: segment-docs, `guides/regional-segment`.
HOSTS: Final = {"us": "https://api.segment.io", "eu": "https://events.eu1.segmentapis.com"}
_PATH = re.compile(r"/+(v1/*(batch/*)?)?\Z")
#: Segment answers very short keys with 400, and all others with 200.
_SHORTEST = 8


class Segment(DestinationSettings, frozen=True, kw_only=True):
    """A destination of type `segment`: the Tracking API of one source."""

    type: Literal["segment"] = "segment"
    region: Literal["us", "eu", ""] = ""
    write_key: Secret = Secret()
    profile: bool = False
    host: str = ""

    @property
    def received(self) -> tuple[str, ...]:
        """The `events`, and those after which a profile has other codes."""
        return (*self.events, *DISCOUNT_EVENTS) if self.events and self.profile else self.events

    @property
    def keeps_order(self) -> bool:
        """Whether the deliveries of one customer keep their order: an older profile follows no newer one."""
        return self.ordered or self.profile

    @property
    def base(self) -> str:
        """The URL before `/v1`, whether `host` is written with it or without."""
        return _PATH.sub("", self.host) or HOSTS[self.region or "us"]


def problems(name: str, segment: Segment) -> Iterator[Wrong]:
    """Yield what is wrong with the settings of Segment as a destination."""
    yield from events_problems(segment)
    if not segment.region:
        remedy = 'write `region = "us"` or `region = "eu"`, where the workspace is'
        yield "region", "is missing, and Segment drops what is sent to the wrong region", remedy
    if segment.host:
        yield from url_problems("host", segment.host, allow_http=segment.allow_private_addresses)
    if len(segment.write_key) < _SHORTEST or not segment.write_key.isascii():
        remedy = f"set {variable(name, 'write_key')} to the write key of an HTTP API source"
        yield "write_key", "is no write key", remedy


SEGMENT = DestinationType(Segment, problems)
