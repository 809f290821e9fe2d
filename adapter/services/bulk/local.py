"""Imports that a command runs on a file: begun, gone on with, and cleared away."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from adapter.errors import Refused
from adapter.model.encoding import encode
from adapter.model.imports import ENDED, ImportJob, ImportKind, ImportOptions
from adapter.services.bulk.importer import LEASE, Importer, Report
from adapter.services.bulk.reader import Input
from adapter.store.contract import Store

_PIECE = 1 << 18
#: Bytes from the beginning by which a file is recognised.
_LEADING = 65_536
STANDARD_INPUT = "-"
#: Objects after which cycles are looked for.
_COLLECTED = 200_000


class Source:
    """A file or standard input; `read` counts the bytes that were read of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read = 0
        self.is_input = str(path) == STANDARD_INPUT

    @property
    def name(self) -> str:
        """The name for people."""
        return "standard input" if self.is_input else str(self.path)

    @property
    def size(self) -> int:
        """The bytes of the file, 0 where that is not known."""
        return 0 if self.is_input else self.path.stat().st_size

    @property
    def fingerprint(self) -> str:
        """What tells whether the file is the same: size, time of change, and leading bytes."""
        if self.is_input:
            return ""
        with self.path.open("rb") as file:
            leading = file.read(_LEADING)
        stat = self.path.stat()
        return sha256(f"{stat.st_size}\0{stat.st_mtime_ns}\0".encode() + leading).hexdigest()

    def given(self) -> Input:
        """Return the file as the importer reads it."""
        return Input(self.name, self._chunks, None if self.is_input else self._opened)

    def _opened(self) -> BinaryIO:
        return self.path.open("rb")

    def _chunks(self) -> Iterator[bytes]:
        self.read = 0
        if self.is_input:
            yield from self._pieces(sys.stdin.buffer)
            return
        with self.path.open("rb") as file:
            yield from self._pieces(file)

    def _pieces(self, file: BinaryIO) -> Iterator[bytes]:
        while piece := file.read(_PIECE):
            self.read += len(piece)
            yield piece


def job_of(
    source: Source, kind: ImportKind, options: ImportOptions, now: datetime, fresh_id: str
) -> ImportJob:
    """Return a new import; of the same file and options it has the same id."""
    name = sha256(encode([str(source.path.resolve()), kind, options])).hexdigest()[:20]
    return ImportJob(
        id=f"local_{fresh_id if source.is_input else name}",
        kind=kind,
        name=source.name,
        created_at=now,
        options=options,
        size=source.size,
        fingerprint=source.fingerprint,
        local=True,
    )


async def begin(store: Store, job: ImportJob, *, restart: bool, alone: bool) -> ImportJob:
    """Return the import to run: the new one, or the one that was interrupted.

    The lease of a worker that is dead ends, which is certain where this process is `alone` with the store.
    Raises Refused where the file has changed since.
    """
    before = await store.import_job(job.id)
    if before is not None and before.state == "running" and (alone or _is_dead(before.worker)):
        await store.release_import(before.id, before.worker)
    if before is not None and (restart or before.state in ENDED):
        await store.drop_import(job.id)
        before = None
    if before is None:
        await store.add_import(job)
        return job
    if before.fingerprint != job.fingerprint:
        raise Refused(
            f"{job.name} has changed since its import was interrupted after row {before.rows_done}: "
            "put the file back, or begin anew with --restart"
        )
    return replace(before, size=job.size)


async def run(
    store: Store,
    importer: Importer,
    job: ImportJob,
    source: Source,
    *,
    clock: Callable[[], datetime],
    report: Report,
    size: int,
) -> ImportJob:
    """Run an import to its end; raises Refused where another command runs it."""
    now = clock()
    leased = await store.lease_import(worker_name(), now, now + LEASE, job.id)
    if leased is None:
        raise Refused(f"another process is importing {job.name}: wait for it, or a minute if it was killed")
    # Nothing of a slice is in cycles, and to look for these would take a tenth of the time.
    thresholds = gc.get_threshold()
    gc.set_threshold(_COLLECTED, *thresholds[1:])
    try:
        return await importer.run(leased, source.given(), report, size=size)
    finally:
        gc.set_threshold(*thresholds)


def _is_dead(worker: str) -> bool:
    """Return whether a worker was a process of this machine that is not there any more."""
    host, _, process = worker.partition(":")
    if host != os.uname().nodename or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def worker_name() -> str:
    """Return the name of this process among workers."""
    return f"{os.uname().nodename}:{os.getpid()}"
