"""Segment's HTTP Tracking API: batches of track and identify calls.

Source: segment-docs, `connections/sources/catalog/libraries/server/http-api`. Segment answers 200 whatever
the write key, so a 200 says nothing of the key; `test` asks for the settings of the source that has it, as
Segment's own Segment destination does (action-destinations, `destinations/segment`).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from adapter import __version__
from adapter.destinations.answers import judged
from adapter.destinations.contract import Attempt, BatchLimits, Configured, Told
from adapter.destinations.events.halving import send_in_halves
from adapter.destinations.segment import calls
from adapter.destinations.segment.answers import judged_by_segment
from adapter.destinations.transport import HttpClient, RequestFailed, guarded_client
from adapter.model.deliveries import Delivery
from adapter.model.times import iso_text
from adapter.settings.destinations.segment import Segment

#: Its name in the settings.
TYPE: Final = "segment"
#: The same host for both regions.
CDN: Final = "https://cdn.segment.com"
#: What Segment takes in one batch: calls, and bytes, of which the members around the calls need a few.
MOST_CALLS: Final = 2_500
MOST_BYTES: Final = 475_000
_AROUND: Final = 1_000

_calls = msgspec.json.Decoder(list[Raw]).decode


class SegmentDestination:
    """Posts the calls of many deliveries to `host`, under one write key.

    `client` comes from `transport.guarded_client`; its creator closes it. With `profile` each delivery has an
    identify too.
    """

    def __init__(
        self,
        name: str,
        settings: Segment,
        client: HttpClient,
        *,
        cdn: str = CDN,
    ) -> None:
        self._name = name
        self._key = str(settings.write_key)
        self._region = settings.region
        self._profile = settings.profile
        self._tracked = frozenset(settings.events)
        self._client = client
        self._url = f"{settings.base}/v1/batch"
        self._source_url = f"{cdn}/v1/projects/{quote(self._key, safe='')}/settings"
        self._timeout = timedelta(seconds=settings.timeout_seconds)
        self._headers = {
            "authorization": "Basic " + b64encode(f"{self._key}:".encode()).decode(),
            "content-type": "application/json",
            "user-agent": f"behaviour-discounts-adapter/{__version__}",
        }

    @property
    def name(self) -> str:
        """The name in the settings."""
        return self._name

    @property
    def type(self) -> str:
        """`segment`."""
        return TYPE

    @property
    def timeout(self) -> timedelta:
        """The longest that one attempt takes, however many requests it needs."""
        return self._timeout

    @property
    def batch(self) -> BatchLimits:
        """What one batch takes."""
        each = 2 if self._profile else 1
        return BatchLimits(MOST_CALLS // each, MOST_BYTES - _AROUND)

    @property
    def with_codes(self) -> bool:
        """Whether the codes of the customer are rendered."""
        return self._profile

    def render(self, delivery: Delivery) -> Raw | None:
        """Return the calls of a delivery, a JSON array."""
        track = not self._tracked or delivery.type in self._tracked
        return Raw(calls.rendered(delivery, track=track, profile=self._profile))

    async def send(self, deliveries: Sequence[Delivery], now: datetime) -> Sequence[Attempt]:
        """Send all in one batch; what Segment would drop is given up without a request."""
        parts = [_parts(delivery) for delivery in deliveries]
        refusals = [_refusal(each) for each in parts]
        sendable = [place for place, refusal in enumerate(refusals) if refusal is None]

        async def post(places: Sequence[int]) -> Attempt:
            return await self._post([call for place in places for call in parts[place]], now)

        sent = await send_in_halves(sendable, post, self._timeout)
        by_place = dict(zip(sendable, sent, strict=True))
        return [
            by_place[place] if refusal is None else Attempt(ok=False, error=refusal, final=True)
            for place, refusal in enumerate(refusals)
        ]

    async def test(self, now: datetime) -> Attempt:
        """Ask Segment for the settings of the source with the write key; nothing is sent to the source."""
        try:
            answer = await self._client.request("GET", self._source_url, timeout=self._timeout)
        except RequestFailed as error:
            return Attempt(ok=False, error=str(error))
        attempt = judged(answer, now)
        if attempt.ok:
            told = f"Segment knows the write key, and does not say whether its region is `{self._region}`"
            return replace(attempt, answer=told.encode())
        if answer.status in (403, 404):
            unknown = f"answered {answer.status}: Segment knows no source with the write key"
            return replace(attempt, error=unknown)
        return attempt

    async def erase(
        self, source_id: str, identities: Sequence[tuple[str, str]], now: datetime
    ) -> Attempt | Told:
        """Say what the operator must do, without an id, as receipts keep it.

        A write key gives no right to delete.
        """
        del source_id, identities, now
        return Told(
            "in Segment, delete the user with the erased id (Privacy, Deletion and Suppression; or the "
            "Public API, `POST /regulations` with `DELETE_ONLY`)"
        )

    async def _post(self, sent: Sequence[bytes], now: datetime) -> Attempt:
        # `sentAt` is of this attempt: Segment moves each timestamp by the time between it and the receipt.
        after = msgspec.json.encode({"sentAt": iso_text(now), "writeKey": self._key})
        body = b'{"batch":[' + b",".join(sent) + b"]," + after[1:]
        try:
            answer = await self._client.request(
                "POST", self._url, body=body, headers=self._headers, timeout=self._timeout
            )
        except RequestFailed as error:
            return Attempt(ok=False, error=str(error))
        return judged_by_segment(answer, now)


def _parts(delivery: Delivery) -> list[bytes]:
    return [bytes(call) for call in _calls(delivery.body)]


def _refusal(parts: Sequence[bytes]) -> str | None:
    return next(filter(None, map(calls.refusal, parts)), None)


def build(name: str, settings: Segment) -> Configured:
    """Return the destination that a section of the settings describes."""
    private = settings.allow_private_addresses
    client = guarded_client(
        allow_private=private,
        allow_http=private,
        timeout=timedelta(seconds=settings.timeout_seconds),
        connections=settings.concurrency,
    )
    return Configured(SegmentDestination(name, settings, client), client)
