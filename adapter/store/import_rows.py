"""Converts between imports and rows of both engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from adapter.model.encoding import encode
from adapter.model.imports import ImportJob, RefusedRow
from adapter.store.timestamps import micros

read_job: Callable[[bytes], ImportJob] = msgspec.json.Decoder(ImportJob).decode
_refused: Callable[[bytes], RefusedRow] = msgspec.json.Decoder(RefusedRow).decode


def job_row(job: ImportJob) -> tuple[Any, ...]:
    """Return id, created_at, updated_at, state, local and body."""
    changed = job.updated_at or job.created_at
    return job.id, micros(job.created_at), micros(changed), job.state, job.local, encode(job)


def changed_at(job: ImportJob) -> int:
    """Return the moment of the last change of a job."""
    return micros(job.finished_at or job.updated_at or job.created_at)


def refused_rows(job: ImportJob, rows: Sequence[RefusedRow]) -> list[tuple[str, str, bytes, bytes]]:
    """Return the rows of refused rows."""
    return [(job.id, each.source_id, encode(replace(each, raw=b"", source_id="")), each.raw) for each in rows]


def read_refused(body: bytes, raw: bytes) -> RefusedRow:
    """Return a refused row."""
    return replace(_refused(body), raw=raw)
