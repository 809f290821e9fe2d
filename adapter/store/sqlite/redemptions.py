"""Redemptions, rollbacks and code pools: what is booked, and writing more; runs inside a transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import apsw

from adapter.model.codes import folded
from adapter.model.vouchers import Voucher
from adapter.store.checkout_rows import (
    order_code_rows,
    read_redemption,
    read_vouchers,
    redemption_row,
    rollback_row,
    use_rows,
)
from adapter.store.checkout_values import BookedState, BookingRequest
from adapter.store.sqlite.connection import array
from adapter.store.sqlite.statements import SQL
from adapter.store.timestamps import micros
from adapter.store.values import Changes

_FRUITLESS = ("released", "expired")


def booked(connection: apsw.Connection, wanted: BookingRequest) -> BookedState:
    """Read what is booked."""
    found = connection.executemany(SQL["redemption"], [(id_,) for id_ in set(wanted.redemptions)])
    redemptions = [read_redemption(*row) for row in found]
    for holder in set(wanted.holders):
        redemptions += [read_redemption(*row) for row in connection.execute(SQL["holds_of"], (holder,))]
    rows = connection.executemany(SQL["codes_on_order"], [(order,) for order in set(wanted.orders)])
    on_orders = {(order, code): id_ for order, code, id_ in rows}
    pools = {
        pool: [code for (code,) in connection.execute(SQL["free_pool_codes"], (pool, count))]
        for pool, count in wanted.pools.items()
    }
    vouchers = found_vouchers(connection, wanted.vouchers)
    return BookedState({each.id: each for each in redemptions}, on_orders, pools, vouchers)


def found_vouchers(connection: apsw.Connection, codes: Sequence[str]) -> dict[str, Voucher]:
    """Read the vouchers of codes."""
    if not codes:
        return {}
    rows = connection.execute(SQL["vouchers"], (array({folded(code) for code in codes}),))
    return read_vouchers(body for (body,) in rows)


def book(connection: apsw.Connection, changes: Changes, owner: Callable[[str], str]) -> None:
    """Write redemptions, rollbacks and codes that are handed out."""
    if changes.redemptions:
        connection.executemany(
            SQL["put_redemption"],
            [redemption_row(each, owner(each.source_id)) for each in changes.redemptions],
        )
        for each in changes.redemptions:
            if each.revision:
                connection.execute(SQL["drop_uses_of_hold"], (each.id,))  # it may have had more codes
            if each.state not in _FRUITLESS:
                connection.executemany(SQL["put_redemption_use"], use_rows(each, owner(each.source_id)))
        connection.executemany(SQL["free_order_codes"], [(each.id,) for each in changes.redemptions])
        rows = order_code_rows(changes.redemptions)
        connection.executemany(
            SQL["take_order_code"], [(order, code, owner(name), id_) for order, code, name, id_ in rows]
        )
    connection.executemany(
        SQL["add_rollback"], [rollback_row(each, owner(each.source_id)) for each in changes.rollbacks]
    )
    drawn_at = micros(changes.seen_at)
    connection.executemany(SQL["draw_pool_code"], [(folded(code), drawn_at) for code in changes.drawn])


def add_pool_codes(connection: apsw.Connection, pool: str, codes: Sequence[str], now: datetime) -> list[str]:
    """Add codes that no discount and no pool has."""
    folds = {folded(code): code for code in reversed(codes)}
    taken = {fold for (fold,) in connection.execute(SQL["taken_codes"], (array(folds),))}
    rows = [(pool, code, folded(code), micros(now)) for code in codes]
    added: list[str] = []
    for row in rows:
        if row[2] not in taken:
            added += [code for (code,) in connection.execute(SQL["add_pool_code"], row)]
    return added
