"""Imports over HTTP: uploads are received into the store, so that any process goes on with them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from adapter.errors import InvalidImport, NotFound, TooLarge, Unavailable, WrongMove
from adapter.model.imports import ENDED, ImportJob, ImportKind, ImportOptions, RefusedRow
from adapter.services.bulk.refused_file import Layout, refused_file
from adapter.services.bulk.valid_options import expect_valid
from adapter.services.read_timeout import ReadTimeout
from adapter.settings.values import Imports, Settings
from adapter.store.contract import Store
from adapter.store.import_contract import ImportLost

T = TypeVar("T")
#: Bytes of one piece in the store.
_PIECE = 1 << 19
#: Pieces of an upload after which its room is looked at again: others arrive meanwhile.
_LOOK_AFTER = 16
#: Imports and refused rows of a page.
PAGE = 100


class Refusal(Struct, frozen=True, omit_defaults=True):
    """A refused row as a list shows it; `content` is the row as it was."""

    row: int
    line: int
    reason: str
    column: str = ""
    path: str = ""
    content: str = ""


class Uploads:
    """Receives, lists and cancels imports. `wake` wakes what runs them."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        *,
        limits: Imports,
        patience: ReadTimeout,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._limits = limits
        self._read = patience.read
        self.wake = wake

    def follow(self, settings: Settings) -> None:
        """Use the limits of these settings for the next uploads."""
        self._limits = settings.imports

    async def receive(
        self, kind: ImportKind, name: str, options: ImportOptions, body: AsyncIterator[bytes]
    ) -> ImportJob:
        """Store an upload, and return its import, which waits for its turn.

        Raises TooLarge over the limit of a file, and Unavailable where too many wait.
        """
        expect_meaning(kind, options)
        job = await self._uploaded(kind, name, options, body)
        job = replace(job, state="waiting", updated_at=self._clock())
        await self._received(job)
        self.wake()
        return job

    async def stage(self, kind: ImportKind, name: str, body: AsyncIterator[bytes]) -> ImportJob:
        """Store an upload that waits to be started, and return its import, in the state `receiving`.

        Raises as `receive` does.
        """
        job = await self._uploaded(kind, name, ImportOptions(), body)
        await self._received(job)
        return job

    async def _uploaded(
        self, kind: ImportKind, name: str, options: ImportOptions, body: AsyncIterator[bytes]
    ) -> ImportJob:
        await self._expect_room()
        now = self._clock()
        job = ImportJob(f"imp_{self._new_id()}", kind, name, now, options, state="receiving")
        await self._store.add_import(job)
        try:
            size, chunks = await self._stored(job, body)
        except ImportLost as error:
            raise WrongMove(error.message) from None
        except BaseException:
            await self._store.drop_import(job.id)
            raise
        if not size:
            await self._store.drop_import(job.id)
            raise InvalidImport("the body is empty: send the file as the body, or as a part named `file`")
        return replace(job, size=size, chunks=chunks, updated_at=self._clock())

    async def _received(self, job: ImportJob) -> None:
        try:
            await self._store.received_import(job)
        except ImportLost as error:
            raise WrongMove(error.message) from None

    async def job(self, id_: str) -> ImportJob:
        """Return an import; raises NotFound."""
        found = await self._read(self._store.import_job(id_))
        if found is None:
            raise NotFound("there is no such import; a finished one is kept for `retention.import_days`")
        return found

    async def jobs(self, before: str | None = None) -> list[ImportJob]:
        """Return a page of imports, the newest first."""
        return await self._read(self._store.import_jobs(PAGE, before))

    async def cancel(self, id_: str) -> ImportJob:
        """Cancel an import; what it has stored stays. Raises NotFound, and WrongMove where it has ended."""
        job = await self.job(id_)
        cancelled = replace(job, state="cancelled", finished_at=self._clock())
        if job.state in ENDED or not await self._store.end_import(cancelled):
            raise WrongMove(f"the import is {(await self.job(id_)).state} already")
        return await self.job(id_)

    async def refusals(self, id_: str, after: int) -> tuple[list[Refusal], int | None]:
        """Return a page of refused rows, and the number after which the next page begins."""
        await self.job(id_)
        rows = await self._read(self._store.refused_rows(id_, after, PAGE))
        following = rows[-1][0] if len(rows) == PAGE else None
        return [_shown(row) for _, row in rows], following

    async def first_refused(self, id_: str, limit: int) -> list[RefusedRow]:
        """Return the first refused rows."""
        return [row for _, row in await self._read(self._store.refused_rows(id_, 0, limit))]

    async def refused_file(self, id_: str) -> AsyncIterator[bytes]:
        """Return the refused rows as a file that can be mended and imported; raises NotFound."""
        job = await self.job(id_)
        return refused_file(self._store, id_, Layout(job.format, job.header, job.delimiter, job.encoding))

    async def _expect_room(self) -> None:
        waiting = [job for job in await self.jobs() if job.state not in ENDED and not job.local]
        if len(waiting) >= self._limits.max_waiting:
            raise Unavailable(
                f"{len(waiting)} imports wait: `imports.max_waiting` is reached", retry_after=60
            )
        await self._expect_bytes()

    async def _expect_bytes(self) -> None:
        stored = await self._read(self._store.import_bytes())
        if stored >= self._limits.max_stored_bytes:
            raise Unavailable(
                "uploads fill `imports.max_stored_bytes`: wait for imports to end", retry_after=60
            )

    async def _stored(self, job: ImportJob, body: AsyncIterator[bytes]) -> tuple[int, int]:
        """Store a body in pieces, and return its size and the number of pieces."""
        waiting, size, chunks = bytearray(), 0, 0
        async for piece in body:
            waiting += piece
            size += len(piece)
            if size > self._limits.max_file_bytes:
                most = self._limits.max_file_bytes
                raise TooLarge(f"the file is over {most} bytes, the bound of `imports.max_file_bytes`")
            while len(waiting) >= _PIECE:
                await self._store.add_import_chunk(job.id, chunks, bytes(waiting[:_PIECE]))
                del waiting[:_PIECE]
                chunks += 1
                if chunks % _LOOK_AFTER == 0:
                    await self._expect_bytes()
        if waiting:
            await self._store.add_import_chunk(job.id, chunks, bytes(waiting))
            chunks += 1
        return size, chunks


def expect_meaning(kind: ImportKind, options: ImportOptions) -> None:
    """Raise InvalidImport for options that cannot be, or that leave open what amounts of codes mean."""
    if kind == "codes" and not options.pool and not options.money:
        raise InvalidImport(
            "say what amounts of codes mean: `money=major` where 10 is 10.00, `money=minor` where 10 is "
            "0.10; or name the `pool` that the codes go into"
        )
    expect_valid(options)


def _shown(row: RefusedRow) -> Refusal:
    return Refusal(
        row.row, row.line, row.reason, row.column, row.path, row.raw[:10_000].decode("utf-8", "replace")
    )
