"""Converts between imports and rows of both engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.emails import each_in, may_hold
from adapter.model.encoding import encode
from adapter.model.events import Event
from adapter.model.imports import ImportJob, RefusedRow
from adapter.store.erasures import name_digests
from adapter.store.import_contract import DecisionKey, EventKey
from adapter.store.paging import FIRST_MOMENT, LAST_ID
from adapter.store.rows import read_customer, read_decision, read_event
from adapter.store.timestamps import micros

read_job: Callable[[bytes], ImportJob] = msgspec.json.Decoder(ImportJob).decode
#: Addresses of a refused row by which an erasure finds it.
_MOST_ADDRESSES = 100
_refused: Callable[[bytes], RefusedRow] = msgspec.json.Decoder(RefusedRow).decode


def job_row(job: ImportJob) -> tuple[Any, ...]:
    """Return id, created_at, updated_at, state, local and body."""
    changed = job.updated_at or job.created_at
    return job.id, micros(job.created_at), micros(changed), job.state, job.local, encode(job)


def span(since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """Return the first moment of a time, and the one after its last."""
    return FIRST_MOMENT if since is None else micros(since), LAST_ID if until is None else micros(until)


def dumped_customer(row: Sequence[Any]) -> tuple[str, Customer, bytes]:
    """Return key, customer and history of a row."""
    return row[0], read_customer(row[1]).named(), row[2]


def dumped_event(row: Sequence[Any]) -> tuple[EventKey, Event]:
    """Return key and event of a row."""
    return (row[0], row[1], row[2], row[3]), read_event(row[4])


def dumped_decision(row: Sequence[Any]) -> tuple[DecisionKey, Decision]:
    """Return key and decision of a row."""
    return (row[0], row[1], row[2]), read_decision(row[0], row[3])


def changed_at(job: ImportJob) -> int:
    """Return the moment of the last change of a job."""
    return micros(job.finished_at or job.updated_at or job.created_at)


def refused_rows(job: ImportJob, rows: Sequence[RefusedRow]) -> list[tuple[str, str, bytes, bytes]]:
    """Return the rows of refused rows."""
    return [(job.id, each.source_id, encode(replace(each, raw=b"", source_id="")), each.raw) for each in rows]


def refused_names(row: RefusedRow) -> list[bytes]:
    """Return the digests of the email addresses in a refused row and its reason."""
    if not may_hold(row.raw) and "@" not in row.reason:
        return []
    text = f"{row.reason}\n{row.raw.decode('utf-8', 'replace')}"
    return name_digests(islice(each_in(text), _MOST_ADDRESSES))


def read_refused(body: bytes, raw: bytes, source_id: str) -> RefusedRow:
    """Return a refused row."""
    return replace(_refused(body), raw=raw, source_id=source_id)
