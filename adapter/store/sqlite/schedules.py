"""Schedules in SQLite."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

import apsw
from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.store.schedule_contract import ScheduleRow, ScheduleStep
from adapter.store.schedule_rows import INDEXED, date_rows, lost, read_keyed, read_schedule, step_row
from adapter.store.sqlite.statements import SQL
from adapter.store.timestamps import micros

T = TypeVar("T")


class ScheduleVerbs(ABC):
    """The verbs of `adapter.store.schedule_contract.ScheduleVerbs`."""

    @abstractmethod
    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run work in a transaction of the writing connection."""

    @abstractmethod
    async def _ask(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run a query on the reading connection."""

    async def schedules(self) -> list[ScheduleRow]:
        """Return all occurrences."""
        rows = await self._ask(lambda connection: list(connection.execute(SQL["schedules"])))
        return list(map(read_schedule, rows))

    async def start_schedule(self, row: ScheduleRow) -> None:
        """Store the next occurrence of a rule."""
        given = row.name, row.schedule, micros(row.due_at)
        await self._write(lambda connection: connection.execute(SQL["start_schedule"], given))

    async def lease_schedule(
        self, row: ScheduleRow, worker: str, now: datetime, until: datetime
    ) -> ScheduleRow | None:
        """Lease an occurrence."""
        given = row.name, micros(row.due_at), worker, micros(now), micros(until)
        rows = await self._write(lambda connection: list(connection.execute(SQL["lease_schedule"], given)))
        return replace(row, reached=rows[0][0], worker=worker, lease_until=until) if rows else None

    async def step_schedule(self, step: ScheduleStep) -> None:
        """Save a step."""
        await self._write(lambda connection: save_step(connection, step))

    async def drop_schedule(self, row: ScheduleRow) -> None:
        """Delete an occurrence."""
        given = row.name, micros(row.due_at)
        await self._write(lambda connection: connection.execute(SQL["drop_schedule"], given))

    async def customers_after(self, after: str, limit: int) -> list[tuple[str, Customer]]:
        """Return customers behind a key."""
        rows = await self._ask(
            lambda connection: list(connection.execute(SQL["keyed_customers"], (after, limit)))
        )
        return list(map(read_keyed, rows))

    async def dated_customers(
        self, trait: str, month_days: Sequence[int], after: str, limit: int
    ) -> list[tuple[str, Customer]]:
        """Return customers behind a key who have a date."""
        asked = trait, month_days[0], month_days[-1], after, limit
        rows = await self._ask(lambda connection: list(connection.execute(SQL["dated_customers"], asked)))
        return list(map(read_keyed, rows))

    async def index_dates(self, trait: str, step: ScheduleStep, limit: int) -> ScheduleStep:
        """Note the dates of some customers."""
        return await self._write(lambda connection: _index(connection, trait, step, limit))


def save_step(connection: apsw.Connection, step: ScheduleStep) -> None:
    """Store how far an occurrence has come; raises ScheduleLost where the worker has it no more."""
    connection.execute(SQL["step_schedule"], step_row(step))
    if connection.changes() != 1:
        raise lost()


def put_dates(
    connection: apsw.Connection, customers: Sequence[tuple[str, Customer]], traits: Sequence[str]
) -> None:
    """Replace the dates of customers, who are given with their keys."""
    connection.executemany(SQL["drop_dates"], [(key,) for key, _ in customers])
    _add(connection, customers, traits)


def _add(
    connection: apsw.Connection, customers: Iterable[tuple[str, Customer]], traits: Sequence[str]
) -> None:
    connection.executemany(SQL["put_date"], date_rows(customers, traits))


def _index(connection: apsw.Connection, trait: str, step: ScheduleStep, limit: int) -> ScheduleStep:
    rows = list(connection.execute(SQL["keyed_customers"], (step.row.reached, limit)))
    done = replace(step, reached=rows[-1][0]) if rows else replace(step, due_at=INDEXED)
    save_step(connection, done)
    _add(connection, map(read_keyed, rows), (trait,))
    return done
