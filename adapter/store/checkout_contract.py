"""What a store guarantees of redemptions, shared codes and pools of codes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import DiscountRecord
from adapter.model.pages import Page
from adapter.model.redemptions import Redemption, Rollback
from adapter.model.vouchers import Voucher
from adapter.store.checkout_values import BookedFigures, CheckoutQuery, CheckoutView, FailedBy, Issued, Pool


class CheckoutVerbs(Protocol):
    """The verbs of a checkout beside `transact`, and of the figures of what was redeemed."""

    async def redemption(self, id_: str) -> Redemption | None:
        """Return a redemption, or a hold."""
        ...

    async def redemptions(
        self,
        by: Literal["customer", "order", "code", "all"],
        name: str = "",
        limit: int = 100,
        before: str | None = None,
    ) -> Page[Redemption]:
        """Return a page of redemptions and holds, newest first; a customer's redirects are followed.

        A code is named in its folded spelling.
        """
        ...

    async def rollbacks(self, redemption: str) -> list[Rollback]:
        """Return what was rolled back of a redemption, the oldest first."""
        ...

    async def lapsed_holds(self, now: datetime, limit: int, codes: Sequence[str] = ()) -> list[str]:
        """Return ids of holds whose time is over; only those of folded codes where these are given."""
        ...

    async def checkout(self, wanted: CheckoutQuery) -> CheckoutView:
        """Return what a checkout asks first, in one read."""
        ...

    async def meant(self, codes: Sequence[str]) -> list[DiscountRecord]:
        """Return every discount that one of the codes may mean, in whatever spelling."""
        ...

    async def used(self, counters: Sequence[ScopedKey]) -> dict[ScopedKey, int]:
        """Return counters as they are; absent ones are 0, and left out."""
        ...

    async def issued(self, after: str = "", limit: int = 500) -> Page[Issued]:
        """Return a page of all discounts, in the order of their codes; `next` is given as `after`.

        A page may have fewer than there are, or none, before the last one.
        """
        ...

    async def booked_rule(self, after: str = "") -> str | None:
        """Return the first rule by name after one, of which a code was redeemed or held."""
        ...

    async def booked_figures(self, rule: str) -> list[BookedFigures]:
        """Return what was redeemed of a rule, by day and currency, in this order."""
        ...

    async def add_pool_codes(self, pool: str, codes: Sequence[str], now: datetime) -> list[str]:
        """Add codes to a pool; returns those that were added.

        A code is left out where a discount or a pool has one that differs in case, blanks and dashes alone.
        """
        ...

    async def vouchers_after(self, after: str = "", limit: int = 500) -> list[Voucher]:
        """Return vouchers behind a folded code, in this order."""
        ...

    async def pools(self) -> list[Pool]:
        """Return the pools by name; a store that is not open is read too."""
        ...

    async def pool_levels(self, names: Sequence[str], most: int) -> dict[str, int]:
        """Return how many codes pools have left; no more than `most` of each are counted."""
        ...

    async def add_failed_codes(
        self, by: Sequence[FailedBy], wrong: int, now: datetime, before: datetime
    ) -> None:
        """Add wrong codes of customers and callers; a count that began at `before` or earlier begins anew."""
        ...
