"""Schedules in PostgreSQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.store.postgres.connection import Connection, transaction
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array, arrays
from adapter.store.schedule_contract import ScheduleRow, ScheduleStep
from adapter.store.schedule_rows import INDEXED, date_rows, lost, read_keyed, read_schedule, step_row
from adapter.store.timestamps import micros

T = TypeVar("T")


class ScheduleVerbs(ABC):
    """The verbs of `adapter.store.schedule_contract.ScheduleVerbs`."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run work on a connection."""

    async def schedules(self) -> list[ScheduleRow]:
        """Return all occurrences."""
        rows = await self._read(lambda connection: connection.fetch(SQL["schedules"]))
        return [read_schedule(tuple(row)) for row in rows]

    async def start_schedule(self, row: ScheduleRow) -> None:
        """Store the next occurrence of a rule."""
        given = row.name, row.schedule, micros(row.due_at)
        await self._read(lambda connection: connection.execute(SQL["start_schedule"], *given))

    async def lease_schedule(
        self, row: ScheduleRow, worker: str, now: datetime, until: datetime
    ) -> ScheduleRow | None:
        """Lease an occurrence."""
        given = row.name, micros(row.due_at), worker, micros(now), micros(until)
        rows = await self._read(lambda connection: connection.fetch(SQL["lease_schedule"], *given))
        return replace(row, reached=rows[0][0], worker=worker, lease_until=until) if rows else None

    async def step_schedule(self, step: ScheduleStep) -> None:
        """Save a step."""
        await self._read(lambda connection: save_step(connection, step))

    async def drop_schedule(self, row: ScheduleRow) -> None:
        """Delete an occurrence."""
        given = row.name, micros(row.due_at)
        await self._read(lambda connection: connection.execute(SQL["drop_schedule"], *given))

    async def customers_after(self, after: str, limit: int) -> list[tuple[str, Customer]]:
        """Return customers behind a key."""
        rows = await self._read(lambda connection: connection.fetch(SQL["keyed_customers"], after, limit))
        return [read_keyed(tuple(row)) for row in rows]

    async def dated_customers(
        self, trait: str, month_days: Sequence[int], after: str, limit: int
    ) -> list[tuple[str, Customer]]:
        """Return customers behind a key who have a date."""
        asked = trait, month_days[0], month_days[-1], after, limit
        rows = await self._read(lambda connection: connection.fetch(SQL["dated_customers"], *asked))
        return [read_keyed(tuple(row)) for row in rows]

    async def index_dates(self, trait: str, step: ScheduleStep, limit: int) -> ScheduleStep:
        """Note the dates of some customers."""
        return await self._read(lambda connection: _index(connection, trait, step, limit))


async def save_step(connection: Connection, step: ScheduleStep) -> None:
    """Store how far an occurrence has come; raises ScheduleLost where the worker has it no more."""
    if await connection.execute(SQL["step_schedule"], *step_row(step)) != "UPDATE 1":
        raise lost()


async def put_dates(
    connection: Connection, customers: Sequence[tuple[str, Customer]], traits: Sequence[str]
) -> None:
    """Replace the dates of customers, who are given with their keys."""
    await connection.execute(SQL["drop_dates"], array(key for key, _ in customers))
    await _add(connection, customers, traits)


async def _add(
    connection: Connection, customers: Sequence[tuple[str, Customer]], traits: Sequence[str]
) -> None:
    rows = date_rows(customers, traits)
    if rows:
        await connection.execute(SQL["put_dates"], *arrays(sorted(rows)))


async def _index(connection: Connection, trait: str, step: ScheduleStep, limit: int) -> ScheduleStep:
    async with transaction(connection):
        rows = await connection.fetch(SQL["undated_customers"], step.row.reached, limit)
        done = replace(step, reached=rows[-1]["source_id"]) if rows else replace(step, due_at=INDEXED)
        await save_step(connection, done)
        await _add(connection, [read_keyed(tuple(row)) for row in rows], (trait,))
    return done
