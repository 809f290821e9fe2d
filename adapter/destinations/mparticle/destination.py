"""mParticle's Events API v2: bulks of batches, each with one custom event of one customer.

Source: mParticle/docs, `developers/server/http`. mParticle answers 202 also where it takes only some batches
of a bulk, and never says which; so each batch is checked before it is sent.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Raw

from adapter import __version__
from adapter.destinations.contract import Attempt, BatchLimits, Configured, Told
from adapter.destinations.events.halving import send_in_halves
from adapter.destinations.mparticle import batches
from adapter.destinations.mparticle.answers import judged_by_mparticle
from adapter.destinations.transport import HttpClient, RequestFailed, guarded_client
from adapter.model.deliveries import Delivery
from adapter.model.encoding import encode
from adapter.model.own_messages import SENDER, SENDER_ATTRIBUTE, own_id
from adapter.settings.destinations.mparticle import MParticle

#: Its name in the settings.
TYPE: Final = "mparticle"
#: What mParticle takes in one bulk: batches, and bytes: 256 KB.
MOST_BATCHES: Final = 100
MOST_BYTES: Final = 250_000


class MParticleDestination:
    """Posts the batches of many deliveries to one pod, under one key.

    `client` comes from `transport.guarded_client`; its creator closes it. With `profile` each batch sets a
    user attribute too.
    """

    def __init__(self, name: str, settings: MParticle, client: HttpClient) -> None:
        self._name = name
        self._profile = settings.profile
        self._tracked = frozenset(settings.events)
        self._identity_types = {kind: name for kind, name in settings.identity_types.items() if name}
        self._client = client
        self._url = f"{settings.base}/v2/bulkevents"
        self._timeout = timedelta(seconds=settings.timeout_seconds)
        credentials = f"{settings.key}:{settings.secret}".encode()
        self._headers = {
            "authorization": "Basic " + b64encode(credentials).decode(),
            "content-type": "application/json",
            "accept": "application/json",
            "user-agent": f"behaviour-discounts-adapter/{__version__}",
        }

    @property
    def name(self) -> str:
        """The name in the settings."""
        return self._name

    @property
    def type(self) -> str:
        """`mparticle`."""
        return TYPE

    @property
    def timeout(self) -> timedelta:
        """The longest that one attempt takes, however many requests it needs."""
        return self._timeout

    @property
    def batch(self) -> BatchLimits:
        """What one bulk takes."""
        return BatchLimits(MOST_BATCHES, MOST_BYTES)

    @property
    def with_codes(self) -> bool:
        """Whether the codes of the customer are rendered."""
        return self._profile

    def render(self, delivery: Delivery) -> Raw | None:
        """Return the batch of a delivery."""
        track = not self._tracked or delivery.type in self._tracked
        return Raw(batches.rendered(delivery, self._identity_types, track=track, profile=self._profile))

    async def send(self, deliveries: Sequence[Delivery], now: datetime) -> Sequence[Attempt]:
        """Send all in one bulk; what mParticle would drop is given up without a request."""
        refusals = [batches.refusal(delivery, now) for delivery in deliveries]
        sendable = [place for place, refusal in enumerate(refusals) if refusal is None]

        async def post(places: Sequence[int]) -> Attempt:
            return await self._post([deliveries[place].body for place in places], now)

        sent = await send_in_halves(sendable, post, self._timeout)
        by_place = dict(zip(sendable, sent, strict=True))
        return [
            by_place[place] if refusal is None else Attempt(ok=False, error=refusal, final=True)
            for place, refusal in enumerate(refusals)
        ]

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
        return await self._post([encode(batch)], now)

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

    async def _post(self, sent: Sequence[bytes], now: datetime) -> Attempt:
        body = b"[" + b",".join(sent) + b"]"
        try:
            answer = await self._client.request(
                "POST", self._url, body=body, headers=self._headers, timeout=self._timeout
            )
        except RequestFailed as error:
            return Attempt(ok=False, error=str(error))
        return judged_by_mparticle(answer, now)


def build(name: str, settings: MParticle) -> Configured:
    """Return the destination that a section of the settings describes."""
    private = settings.allow_private_addresses
    client = guarded_client(
        allow_private=private,
        allow_http=private,
        timeout=timedelta(seconds=settings.timeout_seconds),
        connections=settings.concurrency,
    )
    return Configured(MParticleDestination(name, settings, client), client)
