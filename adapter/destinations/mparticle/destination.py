"""mParticle's Events API v2: bulks of batches, each with one custom event of one customer.

Source: mParticle/docs, `developers/server/http`. mParticle answers 202 also where it takes only some batches
of a bulk, and never says which; so each batch is checked before it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapter.destinations.contract import Attempt, BatchLimits, Told
from adapter.destinations.events.destination import EventsDestination
from adapter.destinations.mparticle import batches
from adapter.destinations.mparticle.answers import judged_by_mparticle
from adapter.destinations.transport import HttpClient
from adapter.model.deliveries import Delivery
from adapter.model.encoding import encode
from adapter.model.own_messages import SENDER, SENDER_ATTRIBUTE, own_id
from adapter.settings.destinations.mparticle import MParticle

#: What mParticle takes in one bulk: batches, and bytes: 256 KB.
MOST_BATCHES: Final = 100
MOST_BYTES: Final = 250_000


class MParticleDestination(EventsDestination):
    """Posts the batches of many deliveries to one pod, under one key.

    With `profile` each batch sets a user attribute too.
    """

    settings_type: ClassVar = MParticle
    batch = BatchLimits(MOST_BATCHES, MOST_BYTES)

    def __init__(self, name: str, settings: MParticle, client: HttpClient) -> None:
        super().__init__(name, settings, client, (settings.key, settings.secret))
        self._identity_types = {kind: name for kind, name in settings.identity_types.items() if name}
        self._url = f"{settings.base}/v2/bulkevents"

    async def test(self, now: datetime) -> Attempt:
        """Send an event of the development environment: mParticle has no other way to try credentials."""
        data = {
            "event_name": "adapter_test",
            "custom_event_type": "other",
            "source_message_id": own_id(f"test-{now:%Y%m%d%H%M%S%f}"),
            "custom_attributes": {SENDER_ATTRIBUTE: SENDER},
        }
        batch = {
            "environment": "development",
            "user_identities": {"customer_id": f"{SENDER}-test"},
            "events": [{"event_type": "custom_event", "data": data}],
        }
        return await self._bulk([encode(batch)], now)

    async def erase(
        self, source_id: str, identities: Sequence[tuple[str, str]], now: datetime
    ) -> Attempt | Told:
        """Say what the operator must do, without an id, as receipts keep it.

        Requests of data subjects have credentials and a protocol of their own.
        """
        del source_id, identities, now
        return Told(
            "in mParticle, send a data subject request of type `erasure` for the erased `customer_id` "
            "(OpenDSR, `POST /v3/requests`)"
        )

    def _rendered(self, delivery: Delivery, *, track: bool, profile: bool) -> bytes:
        return batches.rendered(delivery, self._identity_types, track=track, profile=profile)

    def _refusal(self, delivery: Delivery, now: datetime) -> str | None:
        return batches.refusal(delivery, now)

    async def _send_batch(self, deliveries: Sequence[Delivery], now: datetime) -> Attempt:
        return await self._bulk([delivery.body for delivery in deliveries], now)

    async def _bulk(self, sent: Sequence[bytes], now: datetime) -> Attempt:
        body = b"[" + b",".join(sent) + b"]"
        return await self._post(self._url, body, now, judge=judged_by_mparticle)
