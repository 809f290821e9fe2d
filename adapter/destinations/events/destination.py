"""What the destinations have in common that send events about customers in batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime

from msgspec import Raw

from adapter.destinations.base import HttpDestination
from adapter.destinations.contract import Attempt
from adapter.destinations.events.halving import send_in_halves
from adapter.destinations.transport import HttpClient
from adapter.model.deliveries import Delivery
from adapter.settings.destinations.profiles import ProfileSettings


class EventsDestination(HttpDestination, ABC):
    """Posts many deliveries in one request, with a user and a password; a refused batch is sent in halves.

    With `profile` the codes of the customer are sent too.
    """

    def __init__(
        self, name: str, settings: ProfileSettings, client: HttpClient, credentials: tuple[str, str]
    ) -> None:
        authorization = b64encode(":".join(credentials).encode()).decode()
        headers = {"authorization": f"Basic {authorization}", "accept": "application/json"}
        super().__init__(name, settings, client, headers)
        self.with_codes = settings.profile
        self._tracked = frozenset(settings.events)

    def render(self, delivery: Delivery) -> Raw:
        """Return what is sent of a delivery."""
        track = not self._tracked or delivery.type in self._tracked
        return Raw(self._rendered(delivery, track=track, profile=self.with_codes))

    async def send(self, deliveries: Sequence[Delivery], now: datetime) -> Sequence[Attempt]:
        """Send all in one request; what the receiver would drop is given up without one."""
        refusals = [self._refusal(delivery, now) for delivery in deliveries]
        sendable = [place for place, refusal in enumerate(refusals) if refusal is None]

        async def post(places: Sequence[int]) -> Attempt:
            return await self._send_batch([deliveries[place] for place in places], now)

        sent = await send_in_halves(sendable, post, self.timeout)
        by_place = dict(zip(sendable, sent, strict=True))
        return [
            by_place[place] if refusal is None else Attempt(ok=False, error=refusal, final=True)
            for place, refusal in enumerate(refusals)
        ]

    @abstractmethod
    def _rendered(self, delivery: Delivery, *, track: bool, profile: bool) -> bytes:
        """Return the JSON of a delivery: the event with `track`, the customer's codes with `profile`."""

    @abstractmethod
    def _refusal(self, delivery: Delivery, now: datetime) -> str | None:
        """Return why the receiver would drop a delivery, though it answers that it takes it."""

    @abstractmethod
    async def _send_batch(self, deliveries: Sequence[Delivery], now: datetime) -> Attempt:
        """Send deliveries in one request; errors of the network are returned."""
