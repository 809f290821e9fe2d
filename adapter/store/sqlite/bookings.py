"""Reads of redemptions, rollbacks, counters and code pools, as they are committed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import apsw

from adapter.model.codes import folded
from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import DiscountRecord
from adapter.model.pages import Page
from adapter.model.redemptions import Redemption, Rollback
from adapter.model.vouchers import Voucher
from adapter.store.checkout_rows import read_redemption, read_rollback, read_vouchers
from adapter.store.checkout_values import BookedFigures, FailedBy, FailedCodes, Issued, Pool
from adapter.store.owners import given_to, own_names
from adapter.store.paging import LAST_TEXT, owned_page, read_cursor
from adapter.store.rows import read_held
from adapter.store.rule_figures import booked_figures, issued_page
from adapter.store.sqlite.connection import array
from adapter.store.sqlite.redemptions import found_vouchers
from adapter.store.sqlite.statements import SQL
from adapter.store.timestamps import micros, moment

_BY = {
    "customer": "redemptions_by_customer",
    "order": "redemptions_by_order",
    "code": "redemptions_by_code",
    "all": "redemptions",
}


class Bookings:
    """Blocking reads; see the contract for what each returns."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def redemption(self, id_: str) -> Redemption | None:
        """Return a redemption, or a hold."""
        rows = self._rows("redemption", id_)
        names = self._names(rows)
        return next((read_redemption(names.get(key, key), body) for key, body in rows), None)

    def redemptions(
        self, by: Literal["customer", "order", "code", "all"], name: str, limit: int, before: str | None
    ) -> Page[Redemption]:
        """Return a page of redemptions, newest first."""
        begin = read_cursor(before, LAST_TEXT)
        wanted = str(self._rows("resolve", name)[0][0]) if by == "customer" else name
        rows = self._rows(_BY[by], wanted, limit + 1, begin.moment, begin.tie, begin.skip)
        names = self._names([(row[3],) for row in rows])
        return owned_page(rows, names, begin, limit, read_redemption)

    def rollbacks(self, redemption: str) -> list[Rollback]:
        """Return what was rolled back, the oldest first."""
        rows = self._rows("rollbacks_of", redemption)
        names = self._names(rows)
        return [read_rollback(names.get(key, key), body) for key, body in rows]

    def lapsed_holds(self, now: datetime, limit: int, codes: Sequence[str]) -> list[str]:
        """Return ids of holds whose time is over."""
        if not codes:
            return [row[0] for row in self._rows("lapsed_holds", micros(now), limit)]
        found = [
            row[0] for code in codes for row in self._rows("lapsed_holds_of_code", micros(now), limit, code)
        ]
        return list(dict.fromkeys(found))

    def meant(self, codes: Sequence[str]) -> list[DiscountRecord]:
        """Return the discounts that codes may mean."""
        typed = (array(set(codes)), array(set(map(folded, codes))))
        bodies = dict(self._rows("discounts_by_code", *typed))
        found = [read_held(body) for body in bodies.values()]
        names = self._names([(held.source_id,) for held in found])
        return [given_to(held, names) for held in found] if names else found

    def used(self, counters: Sequence[ScopedKey]) -> dict[ScopedKey, int]:
        """Return counters as they are."""
        rows = self._connection.executemany(SQL["used"], counters)
        return {(scope, key): used for scope, key, used in rows if used}

    def failed_codes(self, by: Sequence[FailedBy]) -> dict[FailedBy, FailedCodes]:
        """Return how many wrong codes were sent."""
        return {
            each: FailedCodes(moment(since), wrong)
            for each in by
            for since, wrong in self._rows("failed_codes", *each)
        }

    def issued(self, after: str, limit: int) -> Page[Issued]:
        """Return a page of discounts."""
        return issued_page(self._rows("issued", after, limit), limit)

    def booked_rule(self, after: str) -> str | None:
        """Return the next rule of which a code was booked."""
        return next((str(row[0]) for row in self._rows("booked_rule", after)), None)

    def booked_figures(self, rule: str) -> list[BookedFigures]:
        """Return what was redeemed of a rule."""
        return booked_figures(self._rows("booked_figures", rule))

    def vouchers(self, codes: Sequence[str]) -> dict[str, Voucher]:
        """Return vouchers by folded code."""
        return found_vouchers(self._connection, codes)

    def vouchers_after(self, after: str, limit: int) -> list[Voucher]:
        """Return vouchers in the order of their folded codes."""
        return list(read_vouchers(row[1] for row in self._rows("dump_vouchers", after, limit)).values())

    def pools(self) -> list[Pool]:
        """Return the pools by name."""
        return [Pool(*row) for row in self._rows("pools")]

    def pool_levels(self, names: Sequence[str], most: int) -> dict[str, int]:
        """Return how many codes pools have left."""
        return {name: self._rows("pool_level", name, most)[0][0] for name in names}

    def _names(self, rows: Sequence[Sequence[Any]]) -> dict[str, str]:
        keys = {row[0] for row in rows if row[0]}
        return own_names(self._rows("known_as", array(keys))) if keys else {}

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        return self._connection.execute(SQL[statement], values).fetchall()
