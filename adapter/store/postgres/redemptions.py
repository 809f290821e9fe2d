"""Redemptions, rollbacks and code pools: what is booked, writing more, and reads of what is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

import asyncpg

from adapter.model.codes import folded
from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import DiscountRecord
from adapter.model.pages import Page
from adapter.model.redemptions import Redemption, Rollback
from adapter.model.vouchers import Voucher
from adapter.store.checkout_rows import (
    order_code_rows,
    pool_code_rows,
    read_redemption,
    read_rollback,
    read_vouchers,
    redemption_row,
    rollback_row,
    use_rows,
)
from adapter.store.checkout_values import (
    MOST_LAPSED,
    BookedFigures,
    BookedState,
    BookingRequest,
    CheckoutQuery,
    CheckoutView,
    FailedCodes,
    Issued,
    Pool,
)
from adapter.store.owners import given_to, own_names
from adapter.store.paging import LAST_TEXT, owned_page, read_cursor
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array, arrays
from adapter.store.rows import read_customer, read_held
from adapter.store.rule_figures import booked_figures, issued_page
from adapter.store.timestamps import micros, moment
from adapter.store.values import Changes

_FRUITLESS = ("released", "expired")
_BY = {
    "customer": "redemptions_by_customer",
    "order": "redemptions_by_order",
    "code": "redemptions_by_code",
    "all": "redemptions",
}


async def booked(connection: Connection, wanted: BookingRequest) -> BookedState:
    """Lock and read what is booked: orders, also those that have nothing yet, redemptions, codes of pools."""
    if wanted.orders:
        await connection.execute(SQL["lock_orders"], array(sorted(set(wanted.orders))))
    redemptions: dict[str, Redemption] = {}
    if wanted.redemptions:
        ids = array(sorted(set(wanted.redemptions)))
        for row in await connection.fetch(SQL["lock_redemptions"], ids):
            found = read_redemption(row[0], row[1])
            redemptions[found.id] = found
    if wanted.holders:
        for row in await connection.fetch(SQL["lock_holds_of"], array(sorted(set(wanted.holders)))):
            found = read_redemption(row[0], row[1])
            redemptions[found.id] = found
    on_orders: dict[tuple[str, str], str] = {}
    if wanted.orders:
        rows = await connection.fetch(SQL["codes_on_orders"], array(sorted(set(wanted.orders))))
        on_orders = {(row[0], row[1]): row[2] for row in rows}
    pools = {
        pool: [row[0] for row in await connection.fetch(SQL["free_pool_codes"], pool, count)]
        for pool, count in sorted(wanted.pools.items())
    }
    vouchers: dict[str, Voucher] = {}
    if wanted.vouchers:
        folds = array(sorted(set(map(folded, wanted.vouchers))))
        vouchers = read_vouchers(row[0] for row in await connection.fetch(SQL["lock_vouchers"], folds))
    return BookedState(redemptions, on_orders, pools, vouchers)


async def book(connection: Connection, changes: Changes, owner: Callable[[str], str]) -> None:
    """Write redemptions, rollbacks and codes that are handed out, each table in the order of its keys."""

    async def many(statement: str, rows: Iterable[Sequence[Any]]) -> None:
        taken = arrays(rows)
        if taken:
            await connection.execute(SQL[statement], *taken)

    kept = sorted(changes.redemptions, key=lambda each: each.id)
    before = [(owner(each.source_id), each.id) for each in kept if each.revision]
    await many("drop_redemptions_of_others", before)
    await many("put_redemptions", [redemption_row(each, owner(each.source_id)) for each in kept])
    await many("drop_uses_of_holds", before)  # as holds they may have had more codes
    others = [each for each in kept if each.state not in _FRUITLESS]
    await many(
        "put_redemption_uses", [row for each in others for row in use_rows(each, owner(each.source_id))]
    )
    if kept:
        await connection.execute(SQL["free_order_codes"], array(each.id for each in kept))
    rows = order_code_rows(kept)
    await many("take_order_codes", [(order, code, owner(name), id_) for order, code, name, id_ in rows])
    await many("add_rollbacks", [rollback_row(each, owner(each.source_id)) for each in changes.rollbacks])
    if changes.drawn:
        folds = array(sorted(map(folded, changes.drawn)))
        await connection.execute(SQL["draw_pool_codes"], folds, micros(changes.seen_at))


async def add_pool_codes(connection: Connection, pool: str, codes: Sequence[str], now: datetime) -> list[str]:
    """Add codes that no discount and no pool has."""
    folds = [folded(code) for code in codes]
    rows = await connection.fetch(SQL["read_counters"], [], [], array(sorted(set(folds))))
    taken = {row[1] for row in rows}
    new = [(code, fold) for code, fold in zip(codes, folds, strict=True) if fold not in taken]
    added = await connection.fetch(SQL["add_pool_codes"], pool, *arrays(new, 2), micros(now))
    return [row[0] for row in added]


def pool_code_columns(changes: Changes) -> Iterator[tuple[Any, ...]]:
    """Yield pool, codes, folded codes and moment for each pool to which codes are added."""
    rows = pool_code_rows(changes)
    for pool in dict.fromkeys(row[0] for row in rows):
        own = [row[1:3] for row in rows if row[0] == pool]
        yield (pool, *arrays(own, 2), micros(changes.seen_at))


class Bookings:
    """Reads on one connection; see the contract for what each returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def redemption(self, id_: str) -> Redemption | None:
        """Return a redemption, or a hold."""
        rows = await self._rows("redemption", id_)
        names = await self._names(row[0] for row in rows)
        return next((read_redemption(names.get(row[0], row[0]), row[1]) for row in rows), None)

    async def redemptions(
        self, by: Literal["customer", "order", "code", "all"], name: str, limit: int, before: str | None
    ) -> Page[Redemption]:
        """Return a page of redemptions, newest first."""
        begin = read_cursor(before, LAST_TEXT)
        wanted = str((await self._rows("resolve", name))[0][0]) if by == "customer" else name
        rows = await self._rows(_BY[by], wanted, limit + 1, begin.moment, begin.tie, begin.skip)
        names = await self._names(row[3] for row in rows)
        return owned_page([tuple(row) for row in rows], names, begin, limit, read_redemption)

    async def rollbacks(self, redemption: str) -> list[Rollback]:
        """Return what was rolled back, the oldest first."""
        rows = await self._rows("rollbacks_of", redemption)
        names = await self._names(row[0] for row in rows)
        return [read_rollback(names.get(row[0], row[0]), row[1]) for row in rows]

    async def lapsed_holds(self, now: datetime, limit: int, codes: Sequence[str]) -> list[str]:
        """Return ids of holds whose time is over."""
        if not codes:
            return [row[0] for row in await self._rows("lapsed_holds", micros(now), limit)]
        rows = await self._rows("lapsed_holds_of_codes", micros(now), limit, array(codes))
        return [row[0] for row in rows]

    async def checkout(self, wanted: CheckoutQuery) -> CheckoutView:
        """Return what a checkout asks first."""
        codes, now = wanted.codes, micros(wanted.now)
        folds = array(sorted(set(map(folded, codes))))
        rows = await self._rows(
            "checkout",
            *arrays(wanted.failed, 2),
            array(set(codes)),
            folds,
            wanted.source_id,
            now,
            MOST_LAPSED,
        )
        by_kind: dict[str, list[asyncpg.Record]] = {
            "failed": [],
            "lapsed": [],
            "discount": [],
            "customer": [],
            "voucher": [],
        }
        for row in rows:
            by_kind[row[0]].append(row)
        return CheckoutView(
            failed={(row[2], row[1]): FailedCodes(moment(row[4]), row[5]) for row in by_kind["failed"]},
            lapsed=[row[1] for row in by_kind["lapsed"]],
            discounts=_own([(row[2], row[3]) for row in by_kind["discount"]]),
            customer=next((read_customer(row[2]).named() for row in by_kind["customer"]), None),
            vouchers=read_vouchers(row[2] for row in by_kind["voucher"]),
        )

    async def meant(self, codes: Sequence[str]) -> list[DiscountRecord]:
        """Return the discounts that codes may mean."""
        folds = array(sorted(set(map(folded, codes))))
        rows = await self._rows("discounts_meant", array(set(codes)), folds)
        return _own([(row[0], row[1]) for row in rows])

    async def used(self, counters: Sequence[ScopedKey]) -> dict[ScopedKey, int]:
        """Return counters as they are."""
        rows = await self._rows("read_counters", *arrays(sorted(set(counters)), 2), [])
        return {(row[0], row[1]): row[2] for row in rows if row[0] is not None and row[2]}

    async def issued(self, after: str, limit: int) -> Page[Issued]:
        """Return a page of discounts."""
        return issued_page([tuple(row) for row in await self._rows("issued", after, limit)], limit)

    async def booked_rule(self, after: str) -> str | None:
        """Return the next rule of which a code was booked."""
        return next((str(row[0]) for row in await self._rows("booked_rule", after)), None)

    async def booked_figures(self, rule: str) -> list[BookedFigures]:
        """Return what was redeemed of a rule."""
        return booked_figures(tuple(row) for row in await self._rows("booked_figures", rule))

    async def vouchers_after(self, after: str, limit: int) -> list[Voucher]:
        """Return vouchers in the order of their folded codes."""
        rows = await self._rows("dump_vouchers", after, limit)
        return list(read_vouchers(row[1] for row in rows).values())

    async def pools(self) -> list[Pool]:
        """Return the pools by name."""
        return [Pool(row[0], row[1], row[2]) for row in await self._rows("pools")]

    async def pool_levels(self, names: Sequence[str], most: int) -> dict[str, int]:
        """Return how many codes pools have left."""
        return {row[0]: row[1] for row in await self._rows("pool_levels", array(names), most)}

    async def _names(self, keys: Iterable[str]) -> dict[str, str]:
        wanted = sorted({key for key in keys if key})
        rows = await self._rows("known_as", array(wanted)) if wanted else []
        return own_names((row[0], row[1]) for row in rows)

    async def _rows(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        return await self._connection.fetch(SQL[statement], *values)


def _own(rows: Sequence[tuple[bytes, bytes | None]]) -> list[DiscountRecord]:
    """Return discounts under their owners' ids; beside each is the customer who is kept under another id."""
    found = [(read_held(body), customer) for body, customer in rows]
    names = own_names((held.source_id, customer) for held, customer in found if customer is not None)
    return [given_to(held, names) for held, _ in found]
