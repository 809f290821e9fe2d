"""Imports in SQLite: jobs, uploads, refused rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import apsw
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
from adapter.store.sqlite.connection import array
from adapter.store.sqlite.statements import SQL
from adapter.store.timestamps import micros, moment

T = TypeVar("T")


class ImportVerbs(ABC):
    """The verbs of `adapter.store.import_contract.ImportStore`."""

    @abstractmethod
    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run work in a transaction of the writing connection."""

    @abstractmethod
    async def _ask(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run a query on the reading connection."""

    async def add_import(self, job: ImportJob) -> None:
        """Store a new import."""
        await self._write(lambda connection: connection.execute(SQL["add_import"], job_row(job)))

    async def import_job(self, id_: str) -> ImportJob | None:
        """Return an import."""
        rows = await self._ask(lambda connection: list(connection.execute(SQL["import_job"], (id_,))))
        return read_job(rows[0][0]) if rows else None

    async def import_jobs(self, limit: int = 100, before: str | None = None) -> list[ImportJob]:
        """Return imports, the newest first."""
        asked = before or "", before or LAST_TEXT, limit
        rows = await self._ask(lambda connection: list(connection.execute(SQL["import_jobs"], asked)))
        return [read_job(body) for (body,) in rows]

    async def add_import_chunk(self, id_: str, number: int, data: bytes) -> None:
        """Store a piece of an upload."""
        await self._write(lambda connection: _receive(connection, "add_import_chunk", (id_, number, data)))

    async def import_chunk(self, id_: str, number: int) -> bytes | None:
        """Return a piece of an upload."""
        found: bytes | None = await self._ask(
            lambda connection: connection.execute(SQL["import_chunk"], (id_, number)).get
        )
        return found

    async def import_bytes(self) -> int:
        """Return the bytes of uploads."""
        found: int = await self._ask(lambda connection: connection.execute(SQL["import_bytes"]).get)
        return found

    async def received_import(self, job: ImportJob) -> None:
        """Let an import run whose upload is complete."""
        row = job.id, job.state, changed_at(job), encode(job)
        await self._write(lambda connection: _receive(connection, "received_import", row))

    async def lease_import(
        self, worker: str, now: datetime, until: datetime, id_: str = ""
    ) -> ImportJob | None:
        """Lease an import."""
        return await self._write(lambda connection: _lease(connection, worker, now, until, id_))

    async def keep_import(self, id_: str, worker: str, until: datetime) -> None:
        """Let a lease last longer."""
        row = id_, worker, micros(until)
        await self._write(lambda connection: connection.execute(SQL["keep_import"], row))

    async def release_import(self, id_: str, worker: str) -> None:
        """End a lease."""
        await self._write(lambda connection: connection.execute(SQL["release_import"], (id_, worker)))

    async def end_import(self, job: ImportJob, worker: str = "") -> bool:
        """Store the end of an import."""
        return await self._write(lambda connection: _end(connection, job, worker))

    async def refused_rows(
        self, id_: str, after: int = 0, limit: int = 500
    ) -> Sequence[tuple[int, RefusedRow]]:
        """Return refused rows."""
        asked = id_, after, limit
        rows = await self._ask(lambda connection: list(connection.execute(SQL["refused_rows"], asked)))
        return [(number, read_refused(body, raw, name)) for number, body, raw, name in rows]

    async def drop_import(self, id_: str) -> None:
        """Delete an import."""
        await self._write(lambda connection: _drop(connection, id_))

    async def purge_imports(self, before: datetime, states: Sequence[ImportState]) -> int:
        """Delete old imports."""
        return await self._write(lambda connection: _purge(connection, before, states))

    async def dump_customers(self, after: str, limit: int) -> list[tuple[str, Customer, bytes]]:
        """Return customers behind a key."""
        rows = await self._ask(
            lambda connection: list(connection.execute(SQL["dump_customers"], (after, limit)))
        )
        return list(map(dumped_customer, rows))

    async def dump_events(
        self, after: EventKey, since: datetime | None, until: datetime | None, limit: int
    ) -> list[tuple[EventKey, Event]]:
        """Return events behind a key."""
        asked = (*after, *span(since, until), limit)
        rows = await self._ask(lambda connection: list(connection.execute(SQL["dump_events"], (*asked,))))
        return list(map(dumped_event, rows))

    async def dump_decisions(
        self, after: DecisionKey, since: datetime | None, until: datetime | None, limit: int
    ) -> list[tuple[DecisionKey, Decision]]:
        """Return decisions behind a key."""
        asked = (*after, *span(since, until), limit)
        rows = await self._ask(lambda connection: list(connection.execute(SQL["dump_decisions"], (*asked,))))
        return list(map(dumped_decision, rows))

    async def code_owners(self, codes: Sequence[str]) -> dict[str, str]:
        """Return whose codes are."""
        return await self._ask(lambda connection: _owners(connection, codes))

    async def erased_ids(self, source_ids: Sequence[str]) -> dict[str, datetime]:
        """Return which ids were erased."""
        return await self._ask(lambda connection: _erased(connection, source_ids))


def save_step(connection: apsw.Connection, step: ImportStep) -> None:
    """Store how far an import has come; raises ImportLost where the worker has it no more."""
    job = step.job
    row = job.id, step.worker, changed_at(job), micros(step.until), encode(job)
    connection.execute(SQL["step_import"], row)
    if connection.changes() != 1:
        raise ImportLost("the import was cancelled, or another process goes on with it")
    if _erased(connection, step.unerased):
        raise ErasedMeanwhile("a person of the slice was erased")
    for refused, columns in zip(step.refused, refused_rows(job, step.refused), strict=True):
        connection.execute(SQL["add_refused_row"], columns)
        number = connection.last_insert_rowid()
        connection.executemany(SQL["add_refused_name"], [(name, number) for name in refused_names(refused)])


def _receive(connection: apsw.Connection, statement: str, row: tuple[Any, ...]) -> None:
    connection.execute(SQL[statement], row)
    if connection.changes() != 1:
        raise ImportLost("the import was cancelled while its file was received")


def _lease(
    connection: apsw.Connection, worker: str, now: datetime, until: datetime, id_: str
) -> ImportJob | None:
    rows = list(connection.execute(SQL["import_to_run"], (micros(now), id_)))
    if not rows:
        return None
    job = replace(read_job(rows[0][1]), state="running", worker=worker)
    connection.execute(SQL["lease_import"], (job.id, worker, micros(until), encode(job)))
    return job


def _end(connection: apsw.Connection, job: ImportJob, worker: str) -> bool:
    connection.execute(SQL["end_import"], (job.id, job.state, changed_at(job), encode(job), worker))
    ended = connection.changes() == 1
    if ended:
        connection.execute(SQL["drop_import_chunks"], (job.id,))
    return ended


def _drop(connection: apsw.Connection, id_: str) -> None:
    for statement in ("drop_import_chunks", "drop_refused_rows", "drop_import"):
        connection.execute(SQL[statement], (id_,))


def _purge(connection: apsw.Connection, before: datetime, states: Sequence[ImportState]) -> int:
    gone = 0
    for state in states:
        for (id_,) in list(connection.execute(SQL["old_imports"], (state, micros(before)))):
            _drop(connection, id_)
            gone += 1
    return gone


def _owners(connection: apsw.Connection, codes: Sequence[str]) -> dict[str, str]:
    folds = array({folded(code) for code in codes})
    issued = {fold: "" for (fold,) in connection.execute(SQL["taken_codes"], (folds,))}
    return issued | dict(connection.execute(SQL["code_pools"], (folds,)))


def _erased(connection: apsw.Connection, source_ids: Sequence[str]) -> dict[str, datetime]:
    if not connection.execute("SELECT EXISTS (SELECT 1 FROM receipts)").get:
        return {}
    found = {}
    for source_id in source_ids:
        at = connection.execute(SQL["erased_ids"], (fingerprint(source_id),)).get
        if at is not None:
            found[source_id] = moment(at)
    return found
