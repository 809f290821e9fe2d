"""The verbs of simulations, which are part of the contract of a store."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from adapter.model.simulations import SimulationResult, SimulationRun


class SimulationVerbs(Protocol):
    """Simulations, one of which runs at a time, and their results."""

    async def begin_simulation(self, run: SimulationRun, now: datetime, most: int) -> bool:
        """Store a simulation that begins; returns False, and stores nothing, while another one runs.

        One whose lease is over is noted as interrupted. Of all `most` are kept, the latest.
        """
        ...

    async def note_simulation(self, run: SimulationRun) -> bool:
        """Store the progress and the lease of a running one; returns whether it still is to run."""
        ...

    async def end_simulation(self, run: SimulationRun, result: SimulationResult | None = None) -> bool:
        """Store the end of a running one; returns False, and stores nothing, where it was ended already.

        Examples of customers who are unknown by now, as those that were erased, are left out.
        """
        ...

    async def delete_simulation(self, id_: str) -> None:
        """Delete one with its result; a running one is ended with it."""
        ...

    async def simulations(
        self, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[SimulationRun]:
        """Return simulations before a time and an id, the latest first."""
        ...

    async def simulation(self, id_: str) -> tuple[SimulationRun, SimulationResult | None] | None:
        """Return one with its result, where it has one."""
        ...
