"""Simulations in SQLite."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import apsw

from adapter.model.simulations import SimulationResult, SimulationRun
from adapter.store.simulation_rows import (
    before_of,
    example_rows,
    moved_row,
    read_result,
    read_simulation,
    simulation_row,
)
from adapter.store.sqlite.statements import SQL
from adapter.store.timestamps import micros

T = TypeVar("T")


def _begin(connection: apsw.Connection, run: SimulationRun, now: datetime, most: int) -> bool:
    connection.execute(SQL["interrupt_simulations"], (micros(now),))
    if not list(connection.execute(SQL["begin_simulation"], simulation_row(run))):
        return False
    for (id_,) in list(connection.execute(SQL["older_simulations"], (most - 1,))):
        _drop(connection, str(id_))
    return True


def _end(connection: apsw.Connection, run: SimulationRun, result: SimulationResult | None) -> bool:
    report = None if result is None else result.report
    if not list(connection.execute(SQL["end_simulation"], (*moved_row(run), report))):
        return False
    connection.executemany(SQL["add_simulation_example"], example_rows(run, result))
    return True


def _drop(connection: apsw.Connection, id_: str) -> None:
    connection.execute(SQL["drop_simulation"], (id_,))
    connection.execute(SQL["drop_simulation_examples"], (id_,))


def _whole(connection: apsw.Connection, id_: str) -> tuple[SimulationRun, SimulationResult | None] | None:
    rows: list[Any] = list(connection.execute(SQL["simulation"], (id_,)))
    if not rows:
        return None
    [(body, state, report)] = rows
    examples: list[Any] = list(connection.execute(SQL["simulation_examples"], (id_,)))
    return read_simulation(body, state), read_result(report, examples)


class SimulationVerbs(ABC):
    """The verbs of `adapter.store.simulation_contract.SimulationVerbs`."""

    @abstractmethod
    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run work in a transaction of the writing connection."""

    @abstractmethod
    async def _ask(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run a query on the reading connection."""

    async def begin_simulation(self, run: SimulationRun, now: datetime, most: int) -> bool:
        """Store a simulation that begins."""
        return await self._write(lambda connection: _begin(connection, run, now, most))

    async def note_simulation(self, run: SimulationRun) -> bool:
        """Store the progress of a simulation."""
        return await self._write(
            lambda connection: bool(list(connection.execute(SQL["move_simulation"], moved_row(run))))
        )

    async def end_simulation(self, run: SimulationRun, result: SimulationResult | None = None) -> bool:
        """Store the end of a simulation."""
        return await self._write(lambda connection: _end(connection, run, result))

    async def delete_simulation(self, id_: str) -> None:
        """Delete a simulation."""
        await self._write(lambda connection: _drop(connection, id_))

    async def simulations(
        self, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[SimulationRun]:
        """Return the latest simulations."""
        given = (*before_of(before), limit)
        rows: list[Any] = await self._ask(
            lambda connection: list(connection.execute(SQL["simulations"], given))
        )
        return [read_simulation(body, state) for body, state in rows]

    async def simulation(self, id_: str) -> tuple[SimulationRun, SimulationResult | None] | None:
        """Return a simulation."""
        return await self._ask(lambda connection: _whole(connection, id_))
