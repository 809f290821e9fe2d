"""Run the imports that wait in the store, one at a time among all processes, beside live traffic.

A slice has few rows, and after it as much time passes as it took, so that live messages wait for one slice at
most. A process that stops gives its import back; of one that was killed the lease ends.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.model.imports import ENDED, ImportCounts, ImportJob
from adapter.services.bulk.importer import LEASE, Importer
from adapter.services.bulk.reader import Input
from adapter.services.periodic import tried
from adapter.settings.values import Settings
from adapter.store.contract import Store
from adapter.store.import_contract import ImportLost

_log = logging.getLogger(__name__)
#: Records of a slice beside live traffic.
_SLICE = 50
#: Characters after which a slice beside live traffic has no further record.
_WEIGHT = 1 << 18
#: How much longer than a slice other work gets.
_SHARE = 1.0
_IDLE = timedelta(seconds=5)
_PURGE = timedelta(hours=1)
#: An upload that was not completed in this time was given up by its sender.
_RECEIVED_WITHIN = timedelta(hours=24)
_READ = 1 << 18


class _Stopping(Exception):
    """The process ends; the import is given back."""


class ImportRunner:
    """Runs uploaded imports until the process ends.

    The lease of the one that runs is kept every `keep_every`: to read the rows before its position may take
    minutes.
    """

    def __init__(
        self,
        store: Store,
        importer: Importer,
        clock: Callable[[], datetime],
        *,
        worker: str,
        metrics: Metrics,
        keep: timedelta,
        keep_every: timedelta = LEASE / 3,
    ) -> None:
        self._store = store
        self._importer = importer
        self._clock = clock
        self._worker = worker
        self._metrics = metrics
        self._keep = keep
        self._keep_every = keep_every
        self._woken = asyncio.Event()
        self._purged_at: datetime | None = None

    def follow(self, settings: Settings) -> None:
        """Keep ended imports as long as these settings say."""
        self._keep = timedelta(days=settings.retention.import_days)

    def wake(self) -> None:
        """Look for an import at once."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Run imports until `stop` is set."""
        stopping = asyncio.ensure_future(stop.wait())
        try:
            while not stop.is_set():
                found = await tried("run an import", lambda: self.run_next(stop))
                await tried("purge old imports", self.purge)
                if not found:
                    await self._rest(stopping)
        finally:
            stopping.cancel()

    async def run_next(self, stop: asyncio.Event | None = None) -> bool:
        """Run the next import, if there is one; returns whether there was. Raises Unavailable."""
        now = self._clock()
        job = await self._store.lease_import(self._worker, now, now + LEASE)
        if job is None:
            return False
        _log.info("import %s of %s begins after row %d", job.id, job.kind, job.rows_done)
        try:
            await self._run(job, stop or asyncio.Event())
        except _Stopping:
            await self._store.release_import(job.id, self._worker)
        except ImportLost:
            _log.info("import %s was cancelled, or another process has it", job.id)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the file must not be tried again for ever
            _log.exception("import %s failed", job.id)
            await self._importer.fail(job, "internal error: the log has it")
        return True

    async def purge(self) -> None:
        """Delete imports that ended long ago, and uploads that were never completed."""
        now = self._clock()
        if self._purged_at is None or now - self._purged_at >= _PURGE:
            self._purged_at = now
            # A command that was killed may never be run again, and has refused rows of people.
            await self._store.purge_imports(now - self._keep, (*ENDED, "running"))
            await self._store.purge_imports(now - _RECEIVED_WITHIN, ("receiving",))

    async def _run(self, job: ImportJob, stop: asyncio.Event) -> None:
        began, before = time.perf_counter(), job.counts

        async def report(after: ImportJob) -> None:
            nonlocal began, before
            self._count(after, before)
            before = after.counts
            await asyncio.sleep((time.perf_counter() - began) * _SHARE)
            if stop.is_set():
                raise _Stopping
            began = time.perf_counter()

        async with self._kept(job):
            with tempfile.TemporaryFile() as file:
                await self._fetch(job, file)
                ended = await self._importer.run(job, _given(job, file), report, size=_SLICE, weight=_WEIGHT)
        _log.info(
            "import %s is %s: %d accepted, %d refused",
            ended.id, ended.state, ended.counts.accepted, ended.counts.refused,
        )  # fmt: skip

    @asynccontextmanager
    async def _kept(self, job: ImportJob) -> AsyncIterator[None]:
        """Keep the lease of an import while the block runs."""
        keeping = asyncio.create_task(self._keep_lease(job))
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])

    async def _keep_lease(self, job: ImportJob) -> None:
        while True:
            await asyncio.sleep(self._keep_every.total_seconds())
            await tried(
                "keep an import",
                lambda: self._store.keep_import(job.id, self._worker, self._clock() + LEASE),
            )

    async def _fetch(self, job: ImportJob, file: BinaryIO) -> None:
        """Write an upload into a file of this process."""
        for number in range(job.chunks):
            data = await self._store.import_chunk(job.id, number)
            if data is None:
                raise ImportLost("the upload is gone: the import was cancelled")
            await asyncio.to_thread(file.write, data)

    def _count(self, after: ImportJob, before: ImportCounts) -> None:
        for outcome in ("accepted", "duplicates", "refused"):
            more = getattr(after.counts, outcome) - getattr(before, outcome)
            if more:
                self._metrics.import_rows.labels(after.kind, outcome).inc(more)

    async def _rest(self, stopping: asyncio.Future[Any]) -> None:
        woken = asyncio.ensure_future(self._woken.wait())
        await asyncio.wait(
            (woken, stopping), timeout=_IDLE.total_seconds(), return_when=asyncio.FIRST_COMPLETED
        )
        woken.cancel()
        self._woken.clear()


def _given(job: ImportJob, file: BinaryIO) -> Input:
    def chunks() -> Iterator[bytes]:
        file.seek(0)
        while piece := file.read(_READ):
            yield piece

    def seekable() -> BinaryIO:
        file.seek(0)
        return file

    return Input(job.name, chunks, seekable)
