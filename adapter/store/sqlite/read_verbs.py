"""What the SQLite store reads for callers: verbs that name a query, and where it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

from adapter.model.breakers import Breaker
from adapter.model.counter_key import ScopedKey
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.deliveries import Delivery, Pause, Selection
from adapter.model.discounts import DiscountRecord
from adapter.model.erasures import Receipt
from adapter.model.events import Event
from adapter.model.ignored import Ignored
from adapter.model.pages import Page
from adapter.model.pending import PendingMove
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.model.redemptions import Redemption, Rollback
from adapter.model.timers import Timer
from adapter.model.vouchers import Voucher
from adapter.store.addresses import incomplete
from adapter.store.checkout_values import BookedFigures, CheckoutQuery, CheckoutView, Issued, Pool
from adapter.store.scanning import Looks, Slice, Spot
from adapter.store.sqlite.reads import Reads
from adapter.store.values import CustomerData, CustomerHistory, Forgotten, MessageKey

T = TypeVar("T")


class ReadVerbs(ABC):
    """The reading verbs of `adapter.store.contract.Store`; an engine says where a query runs."""

    @abstractmethod
    async def _read(self, work: Callable[[Reads], T]) -> T:
        """Run a query of an open store."""

    @abstractmethod
    async def _read_by_key(self, work: Callable[[Reads], T]) -> T:
        """Run a query of an open store that finds a few rows by key."""

    @abstractmethod
    async def _read_or_peek(self, work: Callable[[Reads], T]) -> T:
        """Run a query of a store that may be closed, and open in another process."""

    async def customer(self, source_id: str) -> Customer | None:
        """Return a customer by any of their names."""
        return await self._read_by_key(lambda reads: reads.customer(source_id))

    async def discount(self, code: str) -> DiscountRecord | None:
        """Return the discount that a code means, also of a closed store."""
        return await self._read_or_peek(lambda reads: reads.discount(code))

    async def discounts(
        self, source_id: str, limit: int = 100, before: str | None = None
    ) -> Page[DiscountRecord]:
        """Return a page of a customer's discounts, newest first."""
        return await self._read(lambda reads: reads.discounts(source_id, limit, before))

    async def events(self, source_id: str, limit: int = 100, before: str | None = None) -> Page[Event]:
        """Return a page of a customer's events, latest first."""
        return await self._read(lambda reads: reads.events(source_id, limit, before))

    async def decisions(self, source_id: str, limit: int = 100, before: str | None = None) -> Page[Decision]:
        """Return a page of a customer's decisions, newest first."""
        return await self._read(lambda reads: reads.decisions(source_id, limit, before))

    async def contents(self, keys: Collection[MessageKey]) -> dict[MessageKey, bytes]:
        """Return the digests of what came under message keys."""
        return await self._read(lambda reads: reads.contents(keys))

    async def pending_moves(self, *, source_id: str = "", code: str = "") -> list[PendingMove]:
        """Return the pending moves by a customer, or of a code."""
        return await self._read(lambda reads: reads.pending_moves(source_id, code))

    async def redemption(self, id_: str) -> Redemption | None:
        """Return a redemption, or a hold."""
        return await self._read(lambda reads: reads.bookings.redemption(id_))

    async def rollbacks(self, redemption: str) -> list[Rollback]:
        """Return what was rolled back of a redemption."""
        return await self._read(lambda reads: reads.bookings.rollbacks(redemption))

    async def checkout(self, wanted: CheckoutQuery) -> CheckoutView:
        """Return what a checkout asks first."""
        return await self._read_by_key(lambda reads: reads.checkout(wanted))

    async def meant(self, codes: Sequence[str]) -> list[DiscountRecord]:
        """Return the discounts that codes may mean."""
        return await self._read_by_key(lambda reads: reads.bookings.meant(codes))

    async def used(self, counters: Sequence[ScopedKey]) -> dict[ScopedKey, int]:
        """Return counters as they are."""
        return await self._read_by_key(lambda reads: reads.bookings.used(counters)) if counters else {}

    async def issued(self, after: str = "", limit: int = 500) -> Page[Issued]:
        """Return a page of discounts in the order of their codes."""
        return await self._read_or_peek(lambda reads: reads.bookings.issued(after, limit))

    async def booked_rule(self, after: str = "") -> str | None:
        """Return the next rule of which a code was booked."""
        return await self._read_or_peek(lambda reads: reads.bookings.booked_rule(after))

    async def booked_figures(self, rule: str) -> list[BookedFigures]:
        """Return what was redeemed of a rule."""
        return await self._read_or_peek(lambda reads: reads.bookings.booked_figures(rule))

    async def vouchers_after(self, after: str = "", limit: int = 500) -> list[Voucher]:
        """Return vouchers in the order of their folded codes."""
        return await self._read(lambda reads: reads.bookings.vouchers_after(after, limit))

    async def pools(self) -> list[Pool]:
        """Return the pools by name."""
        return await self._read_or_peek(lambda reads: reads.bookings.pools())

    async def pool_levels(self, names: Sequence[str], most: int) -> dict[str, int]:
        """Return how many codes pools have left."""
        return await self._read(lambda reads: reads.bookings.pool_levels(names, most))

    async def redemptions(
        self,
        by: Literal["customer", "order", "code", "all"],
        name: str = "",
        limit: int = 100,
        before: str | None = None,
    ) -> Page[Redemption]:
        """Return a page of redemptions, newest first."""
        return await self._read(lambda reads: reads.bookings.redemptions(by, name, limit, before))

    async def lapsed_holds(self, now: datetime, limit: int, codes: Sequence[str] = ()) -> list[str]:
        """Return holds whose time is over."""
        read = self._read_by_key if codes else self._read
        return await read(lambda reads: reads.bookings.lapsed_holds(now, limit, codes))

    async def lapsed(self, now: datetime, limit: int) -> list[str]:
        """Return codes of open discounts whose time is over."""
        return await self._read(lambda reads: reads.lapsed(now, limit))

    async def due_timers(self, now: datetime, limit: int) -> list[Timer]:
        """Return timers whose moment has come."""
        return await self._read(lambda reads: reads.due_timers(now, limit))

    async def customer_histories(self, after: str, limit: int) -> list[CustomerHistory]:
        """Return a page of customers with their events and decisions."""
        return await self._read_or_peek(lambda reads: reads.customer_histories(after, limit))

    async def held(self, source_id: str, *, apart: bool = False) -> CustomerData:
        """Return all that is held of a person."""
        return await self._read(lambda reads: reads.held(source_id, apart=apart))

    async def oldest(
        self, kind: Literal["events", "decisions"], source_id: str, after: str | None = None
    ) -> Page[Any]:
        """Return a page of a customer's events or decisions, oldest first."""
        return await self._read(lambda reads: reads.oldest(kind, source_id, after))

    async def addressed(self, address: str, after: str = "", limit: int = 100) -> list[str]:
        """Return a page of customers whose data may contain an address."""
        found = await self._read(lambda reads: reads.addressed(address, after, limit))
        if found is None:
            raise incomplete()
        return found

    async def scan(self, spot: Spot, looks: Looks) -> Slice:
        """Look at one slice of all customers' data."""
        return await self._read(lambda reads: reads.scan(spot, looks))

    async def forgotten(self, limit: int) -> list[Forgotten]:
        """Return erasures under way."""
        return await self._read(lambda reads: reads.forgotten(limit))

    async def receipts(self, source_id: str) -> list[Receipt]:
        """Return the receipts of erasures of an id."""
        return await self._read(lambda reads: reads.receipts(source_id))

    async def deliveries(
        self,
        status: str,
        limit: int = 100,
        destination: str | None = None,
        *,
        selection: Selection | None = None,
        after: str | None = None,
    ) -> Page[Delivery]:
        """Return deliveries of one status, also of a closed store; raises Refused for an unknown one."""
        wanted = selection or Selection(destination=destination)
        return await self._read_or_peek(lambda reads: reads.deliveries(status, limit, wanted, after))

    async def pauses(self, now: datetime) -> list[Pause]:
        """Return the pauses in force, also of a closed store."""
        return await self._read_or_peek(lambda reads: reads.pauses(now))

    async def due_destinations(self) -> list[str]:
        """Return the names of the destinations of due deliveries."""
        return await self._read(lambda reads: reads.due_destinations())

    async def due_of(self, destination: str, source_ids: Collection[str], most: int) -> list[Delivery]:
        """Return the first due deliveries of customers to a destination."""
        return await self._read(lambda reads: reads.due_of(destination, source_ids, most))

    async def crowded(self, destination: str, above: int, limit: int) -> list[str]:
        """Return customers with many due deliveries to a destination."""
        return await self._read(lambda reads: reads.crowded(destination, above, limit))

    async def oldest_due(self) -> datetime | None:
        """Return when the oldest due delivery was made."""
        return await self._read(Reads.oldest_due)

    async def breakers(self) -> list[Breaker]:
        """Return the breakers, also of a closed store."""
        return await self._read_or_peek(lambda reads: reads.breakers())

    async def quarantined(self, after: int = 0, limit: int = 100) -> list[Excerpt]:
        """Return quarantined messages after an id."""
        return await self._read(lambda reads: reads.quarantined(after, limit))

    async def latest_quarantined(self, before: int | None = None, limit: int = 100) -> list[Excerpt]:
        """Return quarantined messages before an id, the latest first."""
        return await self._read(lambda reads: reads.latest_quarantined(before, limit))

    async def quarantined_message(self, id_: int) -> Quarantined | None:
        """Return one quarantined message, whole."""
        return await self._read(lambda reads: reads.quarantined_message(id_))

    async def quarantined_of(self, source_id: str, limit: int = 100) -> list[Excerpt]:
        """Return quarantined messages that name a customer."""
        return await self._read(lambda reads: reads.quarantined_of(source_id, limit))

    async def ignored(self, limit: int = 100) -> list[Ignored]:
        """Return which messages no mapping takes."""
        return await self._read(lambda reads: reads.ignored(limit))

    async def counts(self) -> dict[str, int]:
        """Return how many there are of each kind."""
        return await self._read(Reads.counts)

    async def check(self) -> list[str]:
        """Return what is wrong inside the store, a line each; reads all of it."""
        return await self._read(Reads.check)
