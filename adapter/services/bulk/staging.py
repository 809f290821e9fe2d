"""Uploads that wait for a person: their first rows are shown, columns are chosen, and then they are started.

A staged import has the state `receiving`, so that nobody runs it, and is purged after a day as one that its
sender gave up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from adapter.bulk.kinds import KINDS
from adapter.errors import InvalidImport, WrongMove
from adapter.model.imports import ImportJob, ImportKind, ImportOptions
from adapter.services.bulk.preview import Preview, preview
from adapter.services.bulk.reader import Input, opened
from adapter.services.bulk.uploads import Uploads, expect_meaning
from adapter.services.loaded_files import LoadedFiles
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store
from adapter.store.import_contract import ImportLost

#: Bytes of which the first rows are shown, and those that a dry run reads.
SHOWN_BYTES = 1 << 19
DRY_RUN_BYTES = 32 << 20


class Choice(Struct, frozen=True):
    """A column of the file, its cells in the first rows, and what it may become."""

    column: str
    chosen: str
    default: str
    cells: list[str]
    targets: list[str]


class Staged(Struct, frozen=True):
    """A staged import: its columns, what the rows that were read become, and whether these were all."""

    job: ImportJob
    choices: list[Choice]
    preview: Preview
    whole: bool


class Staging:
    """Stages uploads, previews them, and starts them."""

    def __init__(
        self,
        store: Store,
        uploads: Uploads,
        files: LoadedFiles,
        clock: Callable[[], datetime],
        patience: ReadTimeout,
    ) -> None:
        self._store = store
        self._uploads = uploads
        self._files = files
        self._clock = clock
        self._read = patience.read

    async def stage(self, kind: ImportKind, name: str, body: AsyncIterator[bytes]) -> ImportJob:
        """Store an upload that nobody runs yet. Raises as `Uploads.receive` does."""
        return await self._uploads.stage(kind, name, body)

    async def staged(self, id_: str) -> ImportJob:
        """Return a staged import; raises NotFound, and WrongMove where it was started or has ended."""
        job = await self._uploads.job(id_)
        if job.state != "receiving" or not job.chunks:
            raise WrongMove(f"the import is {job.state}: it cannot be changed any more")
        return job

    async def preview(self, id_: str, options: ImportOptions, most: int = SHOWN_BYTES) -> Staged:
        """Return what the first rows of a staged import become, of so many bytes.

        What is wrong with the options or the file is the `error` of the preview.
        """
        job = replace(await self.staged(id_), options=options)
        chunks = await self._chunks(job, most)
        return await asyncio.to_thread(self._previewed, job, chunks)

    async def start(self, id_: str, options: ImportOptions) -> ImportJob:
        """Let a staged import run. Raises InvalidImport, NotFound, WrongMove."""
        job = await self.staged(id_)
        expect_meaning(job.kind, options)
        begun = replace(job, options=options, state="waiting", updated_at=self._clock())
        try:
            await self._store.received_import(begun)
        except ImportLost as error:
            raise WrongMove(error.message) from None
        self._uploads.wake()
        return begun

    async def _chunks(self, job: ImportJob, most: int) -> list[bytes]:
        found: list[bytes] = []
        for number in range(job.chunks):
            if sum(map(len, found)) >= most:
                break
            data = await self._read(self._store.import_chunk(job.id, number))
            if data is None:
                raise WrongMove("the upload is gone: the import was cancelled")
            found.append(data)
        return found

    def _previewed(self, job: ImportJob, chunks: list[bytes]) -> Staged:
        whole = len(chunks) == job.chunks
        if not whole:
            # The last row is cut: what is left of it would be refused, though the file has all of it.
            chunks[-1] = chunks[-1][: chunks[-1].rfind(b"\n") + 1] or chunks[-1]
        given = Input(job.name, lambda: iter(chunks))
        try:
            expect_meaning(job.kind, job.options)
            found = preview(job, given, self._files, self._store)
        except InvalidImport as error:
            found = Preview(job.name, error=error.message)
        return Staged(job, _choices(job, given), found, whole)


def _choices(job: ImportJob, given: Input) -> list[Choice]:
    """Return the columns of a file that has a header."""
    try:
        source = opened(given, job.kind, job.options)
    except InvalidImport:
        return []
    rows = [record.value for record, _ in zip(source.records, range(3), strict=False)]
    cells = [row for row in rows if isinstance(row, list)]
    return [
        Choice(
            name,
            job.options.columns.get(name, name),
            name,
            [row[at] for row in cells if at < len(row)],
            _targets(job.kind, name),
        )
        for at, name in enumerate(source.header)
    ]


def _targets(kind: ImportKind, column: str) -> list[str]:
    """Return what a column of a kind may become: what the kind knows, and a member of its rest."""
    known = KINDS[kind]
    names: dict[tuple[str, ...], str] = {}
    for alias, path in known.aliases.items():
        if path not in names or alias == path[-1]:
            names[path] = alias
    bare = column.strip().replace(".", "_").replace('"', "") or "column"
    return [*sorted(names.values()), *([f"{known.rest}.{bare}"] if known.rest else [])]
