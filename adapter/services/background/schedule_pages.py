"""The customers of an occurrence, read ahead of its steps: who fires next."""

from __future__ import annotations

import asyncio
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from adapter.metrics import Metrics
from adapter.model.customers import Customer
from adapter.model.triggers import Every, Firing
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.engine.schedules import dates_of
from adapter.store.contract import Store
from adapter.store.schedule_contract import ScheduleRow

#: A firing with the key of its customer.
Keyed = tuple[str, Firing]


class Ahead(Struct):
    """Customers who were read since the last step of an occurrence, and how many of them were looked at.

    `reached` is the key of the last one looked at, `firings` are those for whom the occurrence fires, and
    `rest` those still to be looked at. It is `complete` when there are no more customers.
    """

    place: ScheduleRow
    reached: str
    firings: list[Keyed]
    rest: list[tuple[str, Customer]]
    looked_at: int = 0
    complete: bool = False


class SchedulePages:
    """Reads pages of customers, and finds who fires; `slice_` customers are looked at without a break."""

    def __init__(self, store: Store, metrics: Metrics, page: int, slice_: int) -> None:
        self._store = store
        self._metrics = metrics
        self._page = page
        self._slice = slice_
        self._ahead: Ahead | None = None

    async def look(self, rules: RuleSet, row: ScheduleRow, now: datetime, firings: int) -> Ahead:
        """Look at the customers of one page, until there are so many firings; raises Unavailable."""
        ahead = self._ahead
        if ahead is None or ahead.place != _place(row):
            ahead = self._ahead = Ahead(_place(row), row.reached, [], [])
        ahead.rest = ahead.rest or await self._next(rules, row, ahead.reached)
        ahead.complete = not ahead.rest
        concerned = rules.schedules.concerned(row.name, row.due_at, now)
        looked_at = 0
        for key, customer in ahead.rest:
            if len(ahead.firings) >= firings:
                break
            if looked_at and looked_at % self._slice == 0:
                await asyncio.sleep(0)
            looked_at += 1
            ahead.reached = key
            if concerned(customer):
                ahead.firings.append((key, Firing(row.name, customer.source_id, row.due_at)))
        ahead.rest = ahead.rest[looked_at:]
        ahead.looked_at += looked_at
        return ahead

    def forget(self) -> None:
        """Read again from the last step that was saved."""
        self._ahead = None

    def saved(self, row: ScheduleRow, ahead: Ahead) -> None:
        """Go on behind a step that is saved: what is left of the page need not be read again."""
        place = _place(replace(row, reached=ahead.reached))
        self._ahead = Ahead(place, ahead.reached, [], ahead.rest)

    async def _next(self, rules: RuleSet, row: ScheduleRow, after: str) -> list[tuple[str, Customer]]:
        """Return the next customers behind a key; a paused rule has none."""
        scheduled = rules.schedules.by_name[row.name]
        if scheduled.rule.status == "paused":
            return []
        if isinstance(scheduled.trigger, Every):
            page = await self._store.customers_after(after, self._page)
        else:
            trait, (_, days) = scheduled.trigger.trait, dates_of(scheduled.trigger, row.due_at)
            page = await self._store.dated_customers(trait, days, after, self._page)
        self._metrics.schedule_customers.labels("read").inc(len(page))
        return page


def _place(row: ScheduleRow) -> ScheduleRow:
    """Return how far an occurrence has come, whichever process runs it."""
    return replace(row, worker="", lease_until=None)
