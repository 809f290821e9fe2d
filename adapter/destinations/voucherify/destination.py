"""The destination `voucherify`, and how it is built from its settings."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from msgspec import Raw

from adapter.destinations.base import HttpDestination
from adapter.destinations.contract import Attempt
from adapter.destinations.transport import HttpClient, RequestFailed
from adapter.destinations.voucherify.api import Api, keys
from adapter.destinations.voucherify.carrying_out import carry_out
from adapter.destinations.voucherify.plans import Issue, Post, Refused, read_plan
from adapter.destinations.voucherify.rendering import Rendering, state_of
from adapter.destinations.voucherify.verdicts import delivered, failed
from adapter.model.deliveries import ROUND, Delivery
from adapter.model.encoding import encode
from adapter.settings.destinations.voucherify import Voucherify


class VoucherifyDestination(HttpDestination):
    """Creates and publishes codes, upserts customers and tracks events in one project of Voucherify."""

    settings_type: ClassVar = Voucherify

    def __init__(self, name: str, settings: Voucherify, client: HttpClient) -> None:
        super().__init__(name, settings, client, keys(settings.application_id, settings.token))
        self._api = Api(self._request, settings.address)
        self._rendering = Rendering(
            settings.campaign,
            settings.campaigns,
            settings.products,
            settings.ordered,
            settings.event_delivery == "at_most_once",
        )

    def render(self, delivery: Delivery) -> Raw | None:
        """Return the plan of calls; a delivery that cannot be expressed is one that says why."""
        return Raw(encode(self._rendering.plan(delivery)))

    def state(self, delivery: Delivery) -> str | None:
        """Return what a delivery sets: a voucher's activity or balance, or a profile; an issue sets none."""
        return state_of(delivery)

    def calls(self, delivery: Delivery) -> int:
        """Return the most calls of the next attempt; what an earlier one did is looked up."""
        try:
            plan = read_plan(delivery.body)
        except msgspec.ValidationError:
            return 0
        if isinstance(plan, Issue):
            return 2 if delivery.attempt % ROUND <= 1 else 4
        return 0 if isinstance(plan, Refused) else 1 if isinstance(plan, Post) else 2

    async def send(self, deliveries: Sequence[Delivery], now: datetime) -> Sequence[Attempt]:
        """Make the calls of each delivery; errors of the network and of Voucherify are returned."""
        return [await self._send(delivery, now) for delivery in deliveries]

    async def test(self, now: datetime) -> Attempt:
        """Test the keys and the region with a call that changes nothing."""
        return await self._bounded(self._test(now))

    async def erase(self, source_id: str, identities: Sequence[tuple[str, str]], now: datetime) -> Attempt:
        """Delete a customer permanently, with events and orders; an unknown customer counts as erased."""
        del identities
        return await self._bounded(self._erase(quote(source_id, safe=""), now))

    async def _send(self, delivery: Delivery, now: datetime) -> Attempt:
        try:
            plan = read_plan(delivery.body)
        except msgspec.ValidationError:
            return Attempt(ok=False, error="its body is no plan of calls", final=True)
        once = isinstance(plan, Post) and plan.once
        return await self._bounded(carry_out(plan, self._api, now), once=once)

    async def _test(self, now: datetime) -> Attempt:
        reply = await self._api.call("GET", "/v1/customers?limit=1")
        return delivered(reply) if reply.ok else failed(reply, now)

    async def _erase(self, quoted: str, now: datetime) -> Attempt:
        reply = await self._api.call("POST", f"/v1/customers/{quoted}/permanent-deletion")
        if reply.status != 404:
            return delivered(reply) if reply.ok else failed(reply, now)
        # The reference does not say whether this path takes a source_id, or only the id there.
        known = await self._api.call("GET", f"/v1/customers/{quoted}")
        if known.status == 404:
            return delivered(known)
        theirs = known.document.get("id")
        if not known.ok or not isinstance(theirs, str):
            return failed(known, now)
        again = await self._api.call("POST", f"/v1/customers/{quote(theirs, safe='')}/permanent-deletion")
        return delivered(again) if again.ok or again.status == 404 else failed(again, now)

    async def _bounded(self, calls: Coroutine[Any, Any, Attempt], *, once: bool = False) -> Attempt:
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                return await calls
        except TimeoutError:
            return Attempt(ok=False, error=f"no answer within {self.timeout.total_seconds():g} s", final=once)
        except RequestFailed as error:
            return Attempt(ok=False, error=str(error))
