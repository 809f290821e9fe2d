"""Segment's HTTP Tracking API: batches of track and identify calls.

Source: segment-docs, `connections/sources/catalog/libraries/server/http-api`. Segment answers 200 whatever
the write key, so a 200 says nothing of the key; `test` asks for the settings of the source that has it, as
Segment's own Segment destination does (action-destinations, `destinations/segment`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final
from urllib.parse import quote

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from adapter.destinations.answers import judged
from adapter.destinations.contract import Attempt, BatchLimits, Told
from adapter.destinations.events.destination import EventsDestination
from adapter.destinations.segment import calls
from adapter.destinations.segment.answers import judged_by_segment
from adapter.destinations.transport import HttpClient, RequestFailed
from adapter.model.deliveries import Delivery
from adapter.model.times import iso_text
from adapter.settings.destinations.segment import Segment

#: The same host for both regions.
CDN: Final = "https://cdn.segment.com"
#: What Segment takes in one batch: calls, and bytes, of which the members around the calls need a few.
MOST_CALLS: Final = 2_500
MOST_BYTES: Final = 475_000
_AROUND: Final = 1_000

_calls = msgspec.json.Decoder(list[Raw]).decode


class SegmentDestination(EventsDestination):
    """Posts the calls of many deliveries to `host`, under one write key.

    With `profile` each delivery has an identify too.
    """

    settings_type: ClassVar = Segment

    def __init__(self, name: str, settings: Segment, client: HttpClient, *, cdn: str = CDN) -> None:
        super().__init__(name, settings, client, (settings.write_key, ""))
        self.batch = BatchLimits(MOST_CALLS // (2 if settings.profile else 1), MOST_BYTES - _AROUND)
        self._key = str(settings.write_key)
        self._region = settings.region
        self._url = f"{settings.base}/v1/batch"
        self._source_url = f"{cdn}/v1/projects/{quote(self._key, safe='')}/settings"

    async def test(self, now: datetime) -> Attempt:
        """Ask Segment for the settings of the source with the write key; nothing is sent to the source."""
        try:
            # Without the headers of the Tracking API: the key is in the path.
            answer = await self._client.request("GET", self._source_url, timeout=self.timeout)
        except RequestFailed as error:
            return Attempt(ok=False, error=str(error))
        attempt = judged(answer, now)
        if attempt.ok:
            known = f"Segment knows the write key, and does not say whether its region is `{self._region}`"
            return replace(attempt, answer=known.encode())
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

    def _rendered(self, delivery: Delivery, *, track: bool, profile: bool) -> bytes:
        return calls.rendered(delivery, track=track, profile=profile)

    def _refusal(self, delivery: Delivery, now: datetime) -> str | None:
        del now
        return next(filter(None, map(calls.refusal, _parts(delivery))), None)

    async def _send_batch(self, deliveries: Sequence[Delivery], now: datetime) -> Attempt:
        # `sentAt` is of this attempt: Segment moves each timestamp by the time between it and the receipt.
        after = msgspec.json.encode({"sentAt": iso_text(now), "writeKey": self._key})
        parts = (call for delivery in deliveries for call in _parts(delivery))
        body = b'{"batch":[' + b",".join(parts) + b"]," + after[1:]
        return await self._post(self._url, body, now, judge=judged_by_segment)


def _parts(delivery: Delivery) -> list[bytes]:
    return [bytes(call) for call in _calls(delivery.body)]
