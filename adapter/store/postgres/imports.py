"""Imports in PostgreSQL: jobs, uploads, refused rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from msgspec.structs import replace

from adapter.model.codes import folded
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.encoding import encode
from adapter.model.erasures import fingerprint
from adapter.model.events import Event
from adapter.model.imports import ImportJob, ImportState, ImportStep, RefusedRow
from adapter.store.import_contract import DecisionKey, ErasedMeanwhile, EventKey, ImportLost
from adapter.store.import_rows import (
    changed_at,
    dumped_customer,
    dumped_decision,
    dumped_event,
    job_row,
    read_job,
    read_refused,
    refused_names,
    refused_rows,
    span,
)
from adapter.store.paging import LAST_TEXT
from adapter.store.postgres.connection import Connection, transaction
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array, arrays
from adapter.store.timestamps import micros, moment

T = TypeVar("T")


class ImportVerbs(ABC):
    """The verbs of `adapter.store.import_contract.ImportStore`."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run work on a connection."""

    async def add_import(self, job: ImportJob) -> None:
        """Store a new import."""
        await self._read(lambda connection: connection.execute(SQL["add_import"], *job_row(job)))

    async def import_job(self, id_: str) -> ImportJob | None:
        """Return an import."""
        body = await self._read(lambda connection: connection.fetchval(SQL["import_job"], id_))
        return None if body is None else read_job(body)

    async def import_jobs(self, limit: int = 100, before: str | None = None) -> list[ImportJob]:
        """Return imports, the newest first."""
        asked = before or "", before or LAST_TEXT, limit
        rows = await self._read(lambda connection: connection.fetch(SQL["import_jobs"], *asked))
        return [read_job(body) for (body,) in rows]

    async def add_import_chunk(self, id_: str, number: int, data: bytes) -> None:
        """Store a piece of an upload."""
        await self._read(lambda connection: _receive(connection, "add_import_chunk", (id_, number, data)))

    async def import_chunk(self, id_: str, number: int) -> bytes | None:
        """Return a piece of an upload."""
        found: bytes | None = await self._read(
            lambda connection: connection.fetchval(SQL["import_chunk"], id_, number)
        )
        return found

    async def import_bytes(self) -> int:
        """Return the bytes of uploads."""
        found: int = await self._read(lambda connection: connection.fetchval(SQL["import_bytes"]))
        return found

    async def received_import(self, job: ImportJob) -> None:
        """Let an import run whose upload is complete."""
        row = job.id, job.state, changed_at(job), encode(job)
        await self._read(lambda connection: _receive(connection, "received_import", row))

    async def lease_import(
        self, worker: str, now: datetime, until: datetime, id_: str = ""
    ) -> ImportJob | None:
        """Lease an import."""
        return await self._read(lambda connection: _lease(connection, worker, now, until, id_))

    async def keep_import(self, id_: str, worker: str, until: datetime) -> None:
        """Let a lease last longer."""
        row = id_, worker, micros(until)
        await self._read(lambda connection: connection.execute(SQL["keep_import"], *row))

    async def release_import(self, id_: str, worker: str) -> None:
        """End a lease."""
        await self._read(lambda connection: connection.execute(SQL["release_import"], id_, worker))

    async def end_import(self, job: ImportJob, worker: str = "") -> bool:
        """Store the end of an import."""
        return await self._read(lambda connection: _end(connection, job, worker))

    async def refused_rows(
        self, id_: str, after: int = 0, limit: int = 500
    ) -> Sequence[tuple[int, RefusedRow]]:
        """Return refused rows."""
        rows = await self._read(lambda connection: connection.fetch(SQL["refused_rows"], id_, after, limit))
        return [(number, read_refused(body, raw, name)) for number, body, raw, name in rows]

    async def drop_import(self, id_: str) -> None:
        """Delete an import."""
        await self._read(lambda connection: _drop(connection, id_))

    async def purge_imports(self, before: datetime, states: Sequence[ImportState]) -> int:
        """Delete old imports."""
        return await self._read(lambda connection: _purge(connection, before, states))

    async def dump_customers(self, after: str, limit: int) -> list[tuple[str, Customer, bytes]]:
        """Return customers behind a key."""
        rows = await self._read(lambda connection: connection.fetch(SQL["dump_customers"], after, limit))
        return [dumped_customer(tuple(row)) for row in rows]

    async def dump_events(
        self, after: EventKey, since: datetime | None, until: datetime | None, limit: int
    ) -> list[tuple[EventKey, Event]]:
        """Return events behind a key."""
        asked = (*after, *span(since, until), limit)
        rows = await self._read(lambda connection: connection.fetch(SQL["dump_events"], *asked))
        return [dumped_event(tuple(row)) for row in rows]

    async def dump_decisions(
        self, after: DecisionKey, since: datetime | None, until: datetime | None, limit: int
    ) -> list[tuple[DecisionKey, Decision]]:
        """Return decisions behind a key."""
        asked = (*after, *span(since, until), limit)
        rows = await self._read(lambda connection: connection.fetch(SQL["dump_decisions"], *asked))
        return [dumped_decision(tuple(row)) for row in rows]

    async def code_owners(self, codes: Sequence[str]) -> dict[str, str]:
        """Return whose codes are."""
        folds = array({folded(code) for code in codes})
        rows = await self._read(lambda connection: connection.fetch(SQL["read_counters"], [], [], folds))
        pools = await self._read(lambda connection: connection.fetch(SQL["code_pools"], folds))
        return {row[1]: "" for row in rows} | {row[0]: row[1] for row in pools}

    async def erased_ids(self, source_ids: Sequence[str]) -> dict[str, datetime]:
        """Return which ids were erased."""
        names = {fingerprint(source_id): source_id for source_id in source_ids}
        rows = await self._read(lambda connection: connection.fetch(SQL["erased_ids"], list(names)))
        return {names[customer]: moment(at) for customer, at in rows}


async def save_step(connection: Connection, step: ImportStep) -> None:
    """Store how far an import has come; raises ImportLost where the worker has it no more."""
    job = step.job
    row = job.id, step.worker, changed_at(job), micros(step.until), encode(job)
    if await connection.execute(SQL["step_import"], *row) != "UPDATE 1":
        raise ImportLost("the import was cancelled, or another process goes on with it")
    if step.unerased:
        names = [fingerprint(each) for each in step.unerased]
        if await connection.fetch(SQL["erased_ids"], names):
            raise ErasedMeanwhile("a person of the slice was erased")
    if step.refused:
        numbers = [row[0] for row in await connection.fetch(SQL["refused_numbers"], len(step.refused))]
        rows = zip(refused_rows(job, step.refused), numbers, strict=True)
        await connection.execute(SQL["add_refused_rows"], *arrays((*row, number) for row, number in rows))
        pairs = zip(step.refused, numbers, strict=True)
        addresses = [(name, number) for refused, number in pairs for name in refused_names(refused)]
        if addresses:
            await connection.execute(SQL["add_refused_names"], *arrays(addresses))


async def _receive(connection: Connection, statement: str, row: tuple[Any, ...]) -> None:
    if not (await connection.execute(SQL[statement], *row)).endswith(" 1"):
        raise ImportLost("the import was cancelled while its file was received")


async def _lease(
    connection: Connection, worker: str, now: datetime, until: datetime, id_: str
) -> ImportJob | None:
    async with transaction(connection):
        await connection.execute(SQL["lock_imports"])
        row = await connection.fetchrow(SQL["import_to_run"], micros(now), id_)
        if row is None:
            return None
        job = replace(read_job(row["body"]), state="running", worker=worker)
        await connection.execute(SQL["lease_import"], job.id, worker, micros(until), encode(job))
    return job


async def _end(connection: Connection, job: ImportJob, worker: str) -> bool:
    async with transaction(connection):
        row = job.id, job.state, changed_at(job), encode(job), worker
        ended = await connection.execute(SQL["end_import"], *row) == "UPDATE 1"
        if ended:
            await connection.execute(SQL["drop_import_chunks"], job.id)
    return ended


async def _drop(connection: Connection, id_: str) -> None:
    async with transaction(connection):
        for statement in ("drop_import_chunks", "drop_refused_rows", "drop_import"):
            await connection.execute(SQL[statement], id_)


async def _purge(connection: Connection, before: datetime, states: Sequence[ImportState]) -> int:
    gone = 0
    for state in states:
        for (id_,) in await connection.fetch(SQL["old_imports"], state, micros(before)):
            await _drop(connection, id_)
            gone += 1
    return gone
