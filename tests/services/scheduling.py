"""Runs the schedules of a desk until nothing is due at its moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from adapter.metrics import Metrics
from adapter.services.background.schedules import SchedulePacing, ScheduleRunner
from adapter.services.ingest.work_item import Work


class Schedule:
    """A process that fires the schedules of a desk; `worker` is its name."""

    def __init__(self, desk: Any, worker: str = "one", **pacing: Any) -> None:
        self.desk = desk
        self.metrics = Metrics()
        self.settled = 0
        self._runner = ScheduleRunner(
            desk.store, self, self, self._clock, worker=worker, metrics=self.metrics,  # type: ignore[arg-type]
            complete=self._complete, pacing=SchedulePacing(**pacing),
        )  # fmt: skip

    @property
    def rules(self) -> Any:
        """The book of the desk at the moment."""
        return self.desk.book

    async def settle(self, works: Sequence[Work], locked: Any, complete: Any) -> Any:
        """Settle as the desk does at its moment."""
        self.settled += 1
        return await self.desk.transactions.settle(works, locked, complete)

    async def turn(self) -> int | None:
        """Do one piece."""
        return await self._runner.turn()

    async def until_idle(self) -> int:
        """Do all that is due; returns how many firings there were."""
        fired = 0
        while (done := await self.turn()) is not None:
            fired += done
        return fired

    def read(self) -> float:
        """Return how many customers were read."""
        read: float = self.metrics.schedule_customers.labels("read")._value.get()
        return read

    def _clock(self) -> datetime:
        moment: datetime = self.desk.now
        return moment

    async def _complete(self, names: Any) -> None:
        raise AssertionError(names)
