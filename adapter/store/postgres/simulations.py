"""Simulations in PostgreSQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from adapter.model.simulations import SimulationResult, SimulationRun
from adapter.store.postgres.connection import Connection, transaction
from adapter.store.postgres.statements import SQL
from adapter.store.simulation_rows import (
    before_of,
    example_rows,
    moved_row,
    read_result,
    read_simulation,
    simulation_row,
)
from adapter.store.timestamps import micros

T = TypeVar("T")


async def _begin(run: SimulationRun, now: datetime, most: int, connection: Connection) -> bool:
    async with transaction(connection):
        await connection.execute(SQL["interrupt_simulations"], micros(now))
        if not await connection.fetch(SQL["begin_simulation"], *simulation_row(run)):
            return False
        for (id_,) in await connection.fetch(SQL["older_simulations"], most - 1):
            await _dropped(connection, id_)
    return True


async def _note(run: SimulationRun, connection: Connection) -> bool:
    return bool(await connection.fetch(SQL["move_simulation"], *moved_row(run)))


async def _end(run: SimulationRun, result: SimulationResult | None, connection: Connection) -> bool:
    report = None if result is None else result.report
    async with transaction(connection):
        if not await connection.fetch(SQL["end_simulation"], *moved_row(run), report):
            return False
        for row in example_rows(run, result):
            await connection.execute(SQL["add_simulation_example"], *row)
    return True


async def _drop(id_: str, connection: Connection) -> None:
    async with transaction(connection):
        await _dropped(connection, id_)


async def _dropped(connection: Connection, id_: str) -> None:
    await connection.execute(SQL["drop_simulation"], id_)
    await connection.execute(SQL["drop_simulation_examples"], id_)


async def _list(
    before: tuple[datetime, str] | None, limit: int, connection: Connection
) -> list[SimulationRun]:
    rows = await connection.fetch(SQL["simulations"], *before_of(before), limit)
    return [read_simulation(body, state) for body, state in rows]


async def _whole(id_: str, connection: Connection) -> tuple[SimulationRun, SimulationResult | None] | None:
    row = await connection.fetchrow(SQL["simulation"], id_)
    if row is None:
        return None
    examples = [tuple(each) for each in await connection.fetch(SQL["simulation_examples"], id_)]
    return read_simulation(row[0], row[1]), read_result(row[2], examples)


class SimulationVerbs(ABC):
    """The verbs of `adapter.store.simulation_contract.SimulationVerbs`."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run work on a connection."""

    async def begin_simulation(self, run: SimulationRun, now: datetime, most: int) -> bool:
        """Store a simulation that begins."""
        return await self._read(partial(_begin, run, now, most))

    async def note_simulation(self, run: SimulationRun) -> bool:
        """Store the progress of a simulation."""
        return await self._read(partial(_note, run))

    async def end_simulation(self, run: SimulationRun, result: SimulationResult | None = None) -> bool:
        """Store the end of a simulation."""
        return await self._read(partial(_end, run, result))

    async def delete_simulation(self, id_: str) -> None:
        """Delete a simulation."""
        await self._read(partial(_drop, id_))

    async def simulations(
        self, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[SimulationRun]:
        """Return the latest simulations."""
        return await self._read(partial(_list, before, limit))

    async def simulation(self, id_: str) -> tuple[SimulationRun, SimulationResult | None] | None:
        """Return a simulation."""
        return await self._read(partial(_whole, id_))
