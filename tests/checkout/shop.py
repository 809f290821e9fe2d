"""A shop over HTTP, on a store of either engine, with a clock that tests set and codes that they invent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from adapter import app
from adapter.model.codes import folded
from adapter.model.counter_key import ScopedKey
from adapter.model.customers import Customer
from adapter.model.discounts import DiscountRecord
from adapter.pricing import Refusal
from adapter.services.checkout.offers import Claim, Offer
from adapter.services.environment import Environment
from adapter.settings.fields import Keys, build
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, CustomerRecord, LoadRequest

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RULES = """
rules:
  - {name: thanks, trigger: thanks_given, action: {type: free_shipping}}
"""
MakeOffer = Callable[[Claim], Offer]


class Codes:
    """Shared codes by their folded spelling; each makes its offer for the claiming customer."""

    def __init__(self) -> None:
        self.offers: dict[str, MakeOffer] = {}

    def put(self, code: str, make: MakeOffer) -> None:
        self.offers[folded(code)] = make

    def any_of(self, codes: Iterable[str]) -> bool:
        return any(folded(code) in self.offers for code in codes)

    def find(self, code: str, claim: Claim) -> Offer | Refusal | None:
        make = self.offers.get(folded(code))
        return None if make is None else make(claim)

    def all(self, claim: Claim) -> list[tuple[str, Offer | Refusal]]:
        return [(offer.code, offer) for offer in (make(claim) for make in self.offers.values())]


#: Opens two shops over one database, one where the engine has one process only.
OpenShops = Callable[..., Awaitable[list[Any]]]


class Shop:
    """The adapter, asked over HTTP; with `rules` its shared codes are theirs.

    `wrap` may break the store on purpose.
    """

    def __init__(
        self, url: str, folder: Path, rules: str = "", wrap: Callable[[Store], Store] = lambda store: store
    ) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "rules.yaml").write_text(rules or RULES)
        chosen: dict[Keys, Any] = {
            ("files", "mappings"): str(Path(__file__).parents[2] / "mappings"),
            ("files", "rules"): str(folder),
            ("store", "url"): url,
            ("ingest", "max_wait_seconds"): 60,
        }
        self.now = NOON
        self.codes = Codes()
        self.app = app.compose(
            build(chosen),
            store=wrap(open_store(url)),
            world=Environment(clock=lambda: self.now),
            shared=None if rules else self.codes,
        )
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app.asgi), base_url="http://127.0.0.1"
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Shop]:
        async with self.app.working(), self.http:
            yield self

    async def post(self, path: str, key: str | None = None, /, **body: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.http.post(path, json=body, headers=headers)

    async def posts(self, count: int, path: str, **body: Any) -> list[httpx.Response]:
        return await asyncio.gather(*(self.post(path, **body) for _ in range(count)))

    async def issue(self, *discounts: DiscountRecord, counters: dict[ScopedKey, int] | None = None) -> None:
        """Put discounts into the store with their customers, in place of those of the same codes."""

        async def script(transaction: Transaction) -> None:
            names = sorted({held.source_id for held in discounts})
            codes = [held.discount.code for held in discounts]
            loaded = await transaction.load(LoadRequest(customers=names, codes=codes), self.now)
            changes = Changes(self.now)
            changes.customers = [
                CustomerRecord(Customer(name)) for name in names if name not in loaded.customers
            ]
            changes.discounts, changes.counters = list(discounts), counters or {}
            await transaction.save(changes)

        await self.app.store.transact(script)

    async def used(self, *counters: ScopedKey) -> dict[ScopedKey, int]:
        return await self.app.store.used(counters)
