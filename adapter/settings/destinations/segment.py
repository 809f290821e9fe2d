"""The settings of Segment as a destination."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from adapter.settings.destinations.base import (
    Wrong,
    url_problems,
    variable,
)
from adapter.settings.destinations.profiles import ProfileSettings
from adapter.settings.scalars import Secret

#: Source: segment-docs, `guides/regional-segment`.
HOSTS: Final = {"us": "https://api.segment.io", "eu": "https://events.eu1.segmentapis.com"}
_PATH = re.compile(r"/+(v1/*(batch/*)?)?\Z")
#: Segment answers very short keys with 400, and all others with 200.
_SHORTEST = 8


class Segment(ProfileSettings, frozen=True, kw_only=True):
    """A destination of type `segment`: the Tracking API of one source."""

    type: Literal["segment"] = "segment"
    region: Literal["us", "eu", ""] = ""
    write_key: Secret = Secret()
    host: str = ""

    @property
    def base(self) -> str:
        """The URL before `/v1`, whether `host` is written with it or without."""
        return _PATH.sub("", self.host) or HOSTS[self.region or "us"]

    def problems(self, name: str) -> Iterator[Wrong]:
        """Yield what is wrong with the settings of Segment as a destination."""
        yield from super().problems(name)
        if not self.region:
            remedy = 'write `region = "us"` or `region = "eu"`, where the workspace is'
            yield "region", "is missing, and Segment drops what is sent to the wrong region", remedy
        if self.host:
            yield from url_problems("host", self.host, private=self.allow_private_addresses)
        if len(self.write_key) < _SHORTEST or not self.write_key.isascii():
            remedy = f"set {variable(name, 'write_key')} to the write key of an HTTP API source"
            yield "write_key", "is no write key", remedy
