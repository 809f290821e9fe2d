"""An import, slice by slice. The position is committed with each slice: a killed import goes on there.

A file is read again from its beginning: rows before the position are passed over. Nothing of a slice is
stored when its worker has lost the import, or it was cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from itertools import islice

import msgspec
from msgspec.structs import replace

from adapter.bulk.csv_reader import UNDECODED, raw_of
from adapter.bulk.headers import normal, unguarded
from adapter.bulk.records import Record
from adapter.errors import Refused
from adapter.model.customers import Customer
from adapter.model.encoding import encode
from adapter.model.imports import MOST_WARNINGS, ImportCounts, ImportJob, ImportStep, RefusedRow
from adapter.model.operations import EventOccurred
from adapter.services.bulk.reader import Input, Opened, opened
from adapter.services.bulk.rows import RowTaker, Taken, named_in
from adapter.services.bulk.slices import Piece, Slices
from adapter.services.bulk.takers import Taker, taker_of
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.store.contract import Store
from adapter.store.import_contract import ErasedMeanwhile

#: Records of a slice.
SLICE = 500
#: How long a worker keeps an import without a commit, before another may go on with it.
LEASE = timedelta(seconds=60)
#: Characters after which a slice has no further record, so that long cells do not fill the memory.
MOST_SLICE = 16_000_000
#: A row longer than this is not kept with its refusal, only its place.
_MOST_RAW = 1_000_000
#: Records before the position that are passed over before other work gets its turn.
_STRETCH = 200

#: What records became, and why the file cannot be read after them.
Part = tuple[list[Taken], Refused | None]
Report = Callable[[ImportJob], Awaitable[None]]


async def _silent(_job: ImportJob) -> None:
    return


class Importer:
    """Runs one import at a time."""

    def __init__(
        self, store: Store, files: LoadedFiles, slices: Slices, clock: Callable[[], datetime], worker: str
    ) -> None:
        self._store = store
        self._files = files
        self._slices = slices
        self._clock = clock
        self._worker = worker
        self._meets_erased = False

    async def run(
        self,
        job: ImportJob,
        given: Input,
        report: Report = _silent,
        *,
        size: int = SLICE,
        weight: int = MOST_SLICE,
    ) -> ImportJob:
        """Import a file of which this worker has the lease; returns the job at its end.

        A slice has `size` records at most, and none after `weight` characters.

        A file that cannot be read is a failed import. Raises Unavailable where the store is, and ImportLost.
        """
        try:
            job = await self._imported(job, given, report, size, weight)
        except Refused as error:
            job = await self.fail(job, error.message)
        return job

    async def fail(self, job: ImportJob, why: str) -> ImportJob:
        """End an import that cannot go on; what it has stored stays."""
        current = await self._store.import_job(job.id) or job
        failed = replace(current, state="failed", error=why, finished_at=self._clock())
        await self._store.end_import(failed, self._worker)
        return failed

    async def _imported(
        self, job: ImportJob, given: Input, report: Report, size: int, weight: int
    ) -> ImportJob:
        source = await asyncio.to_thread(opened, given, job.kind, job.options)
        taker = taker_of(job, self._files, self._store)
        self._meets_erased = not isinstance(taker, RowTaker)
        if source.header:
            taker.columns.take_header(source.header)
        job = replace(
            job,
            format=source.format,
            header=source.header,
            delimiter=source.delimiter,
            encoding=source.encoding,
        )
        records = iter(source.records)
        await _pass_over(records, job.rows_done, taker)
        size = 1 if job.options.evaluate else size
        async with aclosing(_parts(records, size, weight, taker)) as parts:
            async for taken, broken in parts:
                if taken:
                    job = await self._slice(job, taken, taker, source)
                    await report(job)
                last = taken[-1].record if taken else None
                if broken is not None:
                    row = last.row if last else job.rows_done
                    raise Refused(f"{given.name}: {broken.message}, after row {row}")
                if last and last.fatal:
                    raise Refused(f"{given.name} row {last.row}: {last.flaw}; rows after it were not read")
        job = replace(job, state="done", finished_at=self._clock())
        await self._store.end_import(job, self._worker)
        return job

    async def _slice(self, job: ImportJob, taken: Sequence[Taken], taker: Taker, source: Opened) -> ImportJob:
        for one in taken:
            if one.refused and not one.source_ids and (name := _named(one, source)):
                one.source_ids = (name,)
        # The transaction looks for people who were erased. Where a file has some, more of them will come.
        while True:
            if self._meets_erased:
                await self._refuse_erased(job, taken)
            try:
                return await self._settled(job, taken, taker, source)
            except ErasedMeanwhile:
                self._meets_erased = True

    async def _settled(
        self, job: ImportJob, taken: Sequence[Taken], taker: Taker, source: Opened
    ) -> ImportJob:
        if not isinstance(taker, RowTaker):
            await taker.prepare(taken)
        piece = _piece(taken)
        made: list[ImportJob] = []
        unerased = () if job.options.include_erased else _people(taken)
        before: list[Result] = []

        def make_step(results: Sequence[Result]) -> ImportStep:
            after, refused = _after(job, taken, [*before, *results], source, self._clock())
            made.append(after)
            return ImportStep(after, self._worker, self._clock() + LEASE, refused, unerased)

        def make_part(_results: Sequence[Result]) -> ImportStep:
            return ImportStep(job, self._worker, self._clock() + LEASE, (), unerased)

        if not isinstance(taker, RowTaker):
            await taker.settle(taken, make_step, self._clock())
            return made[-1]
        if job.options.evaluate:
            # Each event of a body is decided at its own time. The position moves with the last of them: after
            # a kill those before are recognised by their keys.
            while len(piece.works) > 1:
                first = replace(piece, works=piece.works[:1])
                before += await self._slices.settle(first, make_part, _moment(first.works, self._clock))
                piece = replace(piece, works=piece.works[1:])
            await self._slices.settle(piece, make_step, _moment(piece.works, self._clock))
        else:
            await self._slices.settle(piece, make_step, self._clock())
        return made[-1]

    async def _refuse_erased(self, job: ImportJob, taken: Sequence[Taken]) -> None:
        """Refuse the rows of people who were erased; only the id of such a row is kept."""
        if job.options.include_erased:
            return
        names = _people(taken)
        erased = await self._store.erased_ids(names) if names else {}
        if not erased:
            return
        for one in taken:
            at = next((erased[name] for name in one.source_ids if name in erased), None)
            if at is not None:
                reason = (
                    f"this customer was erased on {at:%Y-%m-%d}; --include-erased takes the row all the same"
                )
                raw = encode({"source_id": one.source_ids[0]})
                one.works = []
                one.refused = [RefusedRow(one.record.row, one.record.line, reason, raw=raw)]
                one.erased = True


async def _parts(records: Iterator[Record], size: int, weight: int, taker: Taker) -> AsyncGenerator[Part]:
    """Yield parts of a file until it ends, or cannot be read further.

    The next part is read and mapped while the caller commits the one before.
    """
    coming = asyncio.ensure_future(_taken(records, size, weight, taker))
    try:
        while True:
            part, broken = await asyncio.shield(coming)
            if not part and broken is None:
                return
            if broken is None:
                coming = asyncio.ensure_future(_taken(records, size, weight, taker))
            yield part, broken
    finally:
        await asyncio.wait([coming])  # the caller closes the file
        coming.exception()


async def _taken(records: Iterator[Record], size: int, weight: int, taker: Taker) -> Part:
    """Return what the next records become.

    A thread reads them, so that decompression and long cells delay no live message. It does not map them:
    two threads that both run Python hold each other up at each statement of the store.
    """
    part, broken = await asyncio.to_thread(_next, records, size, weight)
    return [taker.take(record) for record in part], broken


async def _pass_over(records: Iterator[Record], rows: int, taker: Taker) -> None:
    """Read the rows before the position, of which the taker may have to remember something."""
    while rows > 0:
        part, broken = await asyncio.to_thread(_next, records, min(rows, _STRETCH))
        if broken is not None:
            raise broken
        if not part:
            return
        for record in part:
            taker.pass_over(record)
        rows -= len(part)


def _next(
    records: Iterator[Record], size: int, most: int = MOST_SLICE
) -> tuple[list[Record], Refused | None]:
    """Return the next records, and why the file cannot be read after them."""
    part: list[Record] = []
    weight = 0
    try:
        for record in islice(records, size):
            part.append(record)
            weight += _weight(record)
            if record.fatal or weight > most:
                break
    except Refused as error:
        return part, error
    return part, None


def _weight(record: Record) -> int:
    """Return about how many characters a record has."""
    value = record.value
    return sum(map(len, value)) if isinstance(value, list) and not record.flaw else len(record.raw)


def _piece(taken: Sequence[Taken]) -> Piece:
    works: list[Work] = []
    stored: dict[int, Customer] = {}
    identities: dict[int, bytes] = {}
    for one in taken:
        if one.works and one.stored is not None:
            stored[len(works)] = one.stored
        if one.works and one.identity:
            identities[len(works)] = one.identity
        works += one.works
    return Piece(works, stored, identities)


def _moment(works: Sequence[Work], clock: Callable[[], datetime]) -> datetime:
    """Return when rules decide over a work of the past: at the time of its event, else now."""
    for work in works:
        for operation in work.operations:
            if isinstance(operation, EventOccurred):
                return operation.event.occurred_at
    return clock()


def _after(
    job: ImportJob, taken: Sequence[Taken], results: Sequence[Result], source: Opened, now: datetime
) -> tuple[ImportJob, tuple[RefusedRow, ...]]:
    """Return the job after a slice, and the rows refused in it."""
    counts = msgspec.structs.asdict(job.counts)
    accepted = duplicates = ignored = flagged = 0
    warnings: list[str] = []
    refused: list[RefusedRow] = []
    place = 0
    for one in taken:
        rows, own = one.refused, results[place : place + len(one.works)]
        place += len(one.works)
        processed = False
        for result in own:
            processed = processed or result.outcome == "processed"
            if result.outcome == "quarantined":
                rows = [*rows, _late(one, result.reason)]
        if rows:
            refused += [_kept(row, one, source) for row in rows]
        accepted += processed
        duplicates += bool(own) and not rows and not processed
        ignored += one.ignored
        flagged += one.flagged
        if one.warning:
            warnings.append(f"row {one.record.row}: {one.warning}")
    for name, more in (
        ("rows", len(taken)), ("accepted", accepted), ("duplicates", duplicates), ("refused", len(refused)),
        ("ignored", ignored), ("flagged", flagged), ("warnings", len(warnings)),
    ):  # fmt: skip
        counts[name] += more
    after = replace(
        job,
        counts=ImportCounts(**counts),
        rows_done=job.rows_done + len(taken),
        warnings=(*job.warnings, *warnings)[:MOST_WARNINGS],
        updated_at=now,
    )
    return after, tuple(refused)


def _late(one: Taken, reason: str | None) -> RefusedRow:
    return RefusedRow(one.record.row, one.record.line, reason or "it cannot be stored", raw=one.record.raw)


def _kept(row: RefusedRow, one: Taken, source: Opened) -> RefusedRow:
    """Return a refused row with its content as it was in the file, and whose it is."""
    raw = row.raw
    if not raw:
        value = one.record.value
        raw = raw_of(one.record, source.delimiter) if isinstance(value, list) else _encoded(value)
    if len(raw) > _MOST_RAW:
        raw = b""
    return replace(row, raw=raw, source_id=row.source_id or _named(one, source))


def _encoded(value: object) -> bytes:
    try:
        return b"" if value is None else encode(value)
    except (UnicodeError, TypeError, ValueError, msgspec.MsgspecError):
        return b""


def _people(taken: Sequence[Taken]) -> tuple[str, ...]:
    """Return the customers that rows name, in order, without those that were refused as erased."""
    return tuple(sorted({name for one in taken if not one.erased for name in one.source_ids}))


def _named(one: Taken, source: Opened) -> str:
    """Return the id in a refused row, so that an erasure finds the row."""
    if one.source_ids:
        return one.source_ids[0]
    value = one.record.value
    if isinstance(value, dict):
        found = value.get("source_id", value.get("user"))
        return found if isinstance(found, str) else ""
    if isinstance(value, list):
        for name, cell in zip(source.header, value, strict=False):
            if (
                normal(name) in {"source_id", "user", "user_id", "customer_id"}
                and UNDECODED.search(cell) is None
            ):
                return unguarded(cell).strip()
    if value is None and one.record.raw:
        return named_in(one.record.raw)
    return ""
