"""Converts between schedules and rows of both engines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from adapter.model.customers import Customer
from adapter.model.dates import dated
from adapter.store.rows import read_customer
from adapter.store.schedule_contract import ScheduleLost, ScheduleRow, ScheduleStep
from adapter.store.timestamps import micros, moment
from adapter.store.values import Changes

#: When the dates of a trait are indexed while they are not yet, and once they are.
UNINDEXED, INDEXED = datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC)


def read_schedule(row: Sequence[Any]) -> ScheduleRow:
    """Return an occurrence."""
    return ScheduleRow(row[0], row[1], moment(row[2]), row[3], row[4], moment(row[5]))


def step_row(step: ScheduleStep) -> tuple[Any, ...]:
    """Return the values of `step_schedule`."""
    row, ended = step.row, step.due_at is not None
    due_at = step.due_at or row.due_at
    reached = "" if ended else step.reached
    until = 0 if ended else micros(step.until)
    return row.name, micros(row.due_at), step.worker, row.reached, micros(due_at), reached, until


def lost() -> ScheduleLost:
    """Return the error of a step whose worker has the occurrence no more."""
    return ScheduleLost("another process goes on with the schedule, or has ended it")


def read_keyed(row: Sequence[Any]) -> tuple[str, Customer]:
    """Return key and customer of a row."""
    return row[0], read_customer(row[1]).named()


def date_rows(customers: Iterable[tuple[str, Customer]], traits: Sequence[str]) -> list[tuple[str, int, str]]:
    """Return the dates of customers, given with their keys: trait, day of the year and key."""
    return [(path, day, key) for key, customer in customers for path, day in dated(customer, traits)]


def changed_customers(changes: Changes) -> list[tuple[str, Customer]]:
    """Return the customers of whom facts changed, with their keys."""
    return [(each.customer.source_id, each.customer) for each in changes.customers if each.changed]
