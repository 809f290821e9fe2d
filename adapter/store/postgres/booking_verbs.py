"""What the PostgreSQL store reads of redemptions, rules, counters and pools: verbs that name a query."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Literal, TypeVar

from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import DiscountRecord
from adapter.model.pages import Page
from adapter.model.redemptions import Redemption, Rollback
from adapter.model.vouchers import Voucher
from adapter.store.checkout_values import BookedFigures, CheckoutQuery, CheckoutView, FailedBy, Issued, Pool
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.redemptions import Bookings
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import arrays
from adapter.store.timestamps import micros

T = TypeVar("T")


class BookingVerbs(ABC):
    """These verbs of `adapter.store.contract.Store`; the engine says on which connection a query runs."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a query on a connection for reads."""

    @abstractmethod
    async def _read_or_peek(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a query of a store that may be closed."""

    async def redemption(self, id_: str) -> Redemption | None:
        """Return a redemption, or a hold."""
        return await self._read(lambda connection: Bookings(connection).redemption(id_))

    async def rollbacks(self, redemption: str) -> list[Rollback]:
        """Return what was rolled back of a redemption."""
        return await self._read(lambda connection: Bookings(connection).rollbacks(redemption))

    async def checkout(self, wanted: CheckoutQuery) -> CheckoutView:
        """Return what a checkout asks first."""
        return await self._read(lambda connection: Bookings(connection).checkout(wanted))

    async def meant(self, codes: Sequence[str]) -> list[DiscountRecord]:
        """Return the discounts that codes may mean."""
        return await self._read(lambda connection: Bookings(connection).meant(codes))

    async def used(self, counters: Sequence[ScopedKey]) -> dict[ScopedKey, int]:
        """Return counters as they are."""
        return await self._read(lambda connection: Bookings(connection).used(counters)) if counters else {}

    async def issued(self, after: str = "", limit: int = 500) -> Page[Issued]:
        """Return a page of discounts in the order of their codes."""
        return await self._read(lambda connection: Bookings(connection).issued(after, limit))

    async def booked_rule(self, after: str = "") -> str | None:
        """Return the next rule of which a code was booked."""
        return await self._read(lambda connection: Bookings(connection).booked_rule(after))

    async def booked_figures(self, rule: str) -> list[BookedFigures]:
        """Return what was redeemed of a rule."""
        return await self._read(lambda connection: Bookings(connection).booked_figures(rule))

    async def vouchers_after(self, after: str = "", limit: int = 500) -> list[Voucher]:
        """Return vouchers in the order of their folded codes."""
        return await self._read(lambda connection: Bookings(connection).vouchers_after(after, limit))

    async def pools(self) -> list[Pool]:
        """Return the pools by name."""
        return await self._read_or_peek(lambda connection: Bookings(connection).pools())

    async def pool_levels(self, names: Sequence[str], most: int) -> dict[str, int]:
        """Return how many codes pools have left."""
        return await self._read(lambda connection: Bookings(connection).pool_levels(names, most))

    async def add_failed_codes(
        self, by: Sequence[FailedBy], wrong: int, now: datetime, before: datetime
    ) -> None:
        """Add wrong codes."""
        row = (*arrays(by, 2), wrong, micros(now), micros(before))
        await self._read(lambda connection: connection.execute(SQL["add_failed_codes"], *row))

    async def redemptions(
        self,
        by: Literal["customer", "order", "code", "all"],
        name: str = "",
        limit: int = 100,
        before: str | None = None,
    ) -> Page[Redemption]:
        """Return a page of redemptions, newest first."""
        return await self._read(lambda connection: Bookings(connection).redemptions(by, name, limit, before))

    async def lapsed_holds(self, now: datetime, limit: int, codes: Sequence[str] = ()) -> list[str]:
        """Return holds whose time is over."""
        return await self._read(lambda connection: Bookings(connection).lapsed_holds(now, limit, codes))
