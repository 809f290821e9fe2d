"""What every engine guarantees of schedules: occurrences of rules, and the dates of customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from adapter.errors import AdapterError
from adapter.model.customers import Customer


class ScheduleLost(AdapterError):
    """Another worker has the occurrence, or has ended it: nothing of the step was saved."""

    code = "schedule_lost"


class ScheduleRow(Struct, frozen=True):
    """The next or running occurrence of a scheduled rule.

    Customers whose keys are not above `reached` are done. `worker` has it until `lease_until`. `schedule` is
    its schedule. A row named `date:` and a trait says how far the trait's dates are indexed: until `due_at`
    is INDEXED, those of customers up to `reached`.
    """

    name: str
    schedule: str
    due_at: datetime
    reached: str = ""
    worker: str = ""
    lease_until: datetime | None = None


class ScheduleStep(Struct, frozen=True):
    """That `worker` has done the customers after `row.reached` up to `reached` of an occurrence.

    With `due_at` the occurrence is over, and this is the next one. The lease lasts until `until`.
    """

    row: ScheduleRow
    worker: str
    until: datetime
    reached: str = ""
    due_at: datetime | None = None


class ScheduleVerbs(Protocol):
    """The verbs of schedules. A step with firings is saved by `Changes.schedule`, in their transaction."""

    async def schedules(self) -> list[ScheduleRow]:
        """Return all occurrences, by name."""
        ...

    async def start_schedule(self, row: ScheduleRow) -> None:
        """Store the next occurrence of a rule that has none, or whose schedule is another one."""
        ...

    async def lease_schedule(
        self, row: ScheduleRow, worker: str, now: datetime, until: datetime
    ) -> ScheduleRow | None:
        """Lease an occurrence, and return it as it is; None where another worker has it, or it is over."""
        ...

    async def step_schedule(self, step: ScheduleStep) -> None:
        """Save a step without firings. Raises ScheduleLost."""
        ...

    async def drop_schedule(self, row: ScheduleRow) -> None:
        """Delete an occurrence, unless another one took its place."""
        ...

    async def customers_after(self, after: str, limit: int) -> list[tuple[str, Customer]]:
        """Return customers behind a key with their keys, in order."""
        ...

    async def dated_customers(
        self, trait: str, month_days: Sequence[int], after: str, limit: int
    ) -> list[tuple[str, Customer]]:
        """Return customers behind a key whose date may be on one of one or two days of the year."""
        ...

    async def index_dates(self, trait: str, step: ScheduleStep, limit: int) -> ScheduleStep:
        """Note the dates of up to `limit` customers after `step.row.reached`, and save and return the step.

        Its `due_at` is set where no customers are left. Raises ScheduleLost.
        """
        ...
