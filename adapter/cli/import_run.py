"""One run of `adapter import`, after its options are read."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from adapter import app
from adapter.cli import import_by_server, import_evaluation, import_newer, import_report
from adapter.cli.open_store import expect_readable
from adapter.errors import Refused, StoreInUse
from adapter.model.encoding import encode
from adapter.model.imports import ImportJob, ImportKind, ImportOptions
from adapter.services.bulk import local
from adapter.services.bulk.amounts import first_amounts
from adapter.services.bulk.importer import Importer
from adapter.services.bulk.preview import preview
from adapter.services.bulk.refused_file import Layout, reasons, refused_file
from adapter.services.bulk.slices import Slices
from adapter.services.environment import Environment
from adapter.services.loaded_files import mapped_by
from adapter.settings.values import Settings
from adapter.store.sqlite.engine import SqliteStore

#: Records of a transaction, when no server waits for the store.
_SLICE = 2_000


class _Ended(Struct, frozen=True):
    """One file: the import at its end, and the file of its refused rows, if there is one."""

    job: ImportJob
    refused_file: str = ""


class ImportRun:
    """One run of the command."""

    def __init__(
        self,
        settings: Settings,
        kind: ImportKind,
        wanted: ImportOptions,
        mapping: Path | None,
        *,
        restart: bool,
        refused: Path | None,
        as_json: bool,
    ) -> None:
        self._settings = settings
        self._kind = kind
        self._wanted = wanted
        self._mapping = mapping
        self._restart = restart
        self._refused = refused
        self._as_json = as_json
        self._world = Environment()

    def confirm_amounts(self, files: list[Path], *, sure: bool) -> None:
        """Show what the first amounts of codes become, and ask unless `sure`; raises Refused for a no."""
        if not sure:
            import_report.confirm(self._first_amounts(files))
        self._wanted = replace(self._wanted, money="major")

    def _first_amounts(self, files: list[Path]) -> list[str]:
        """Return what the first amounts of codes become; raises Refused where they cannot be shown."""
        composed = app.compose(self._settings)
        found: list[str] = []
        for path in files:
            source = local.Source(path)
            if source.is_input:
                raise Refused(
                    "amounts of standard input cannot be shown before: say what they mean with "
                    "--money major (10 is 10.00) or --money minor (10 is 0.10)"
                )
            if source.size:
                found += first_amounts(self._job(source), source.given(), composed.books, composed.store)
        return found

    async def previewed(self, files: list[Path]) -> bool:
        """Show what the import of files would do; returns whether anything would be refused."""
        composed = app.compose(self._settings)
        if self._mapping is not None:
            composed.books.mappings = mapped_by(self._settings, self._mapping, composed.books)
        bad = False
        for path in files:
            source = local.Source(path)
            if _skipped(source):
                continue
            job = self._job(source)
            found = preview(job, source.given(), composed.books, composed.store)
            if not found.error:
                found.notes += await self._remarks(composed, job, source)
            typer.echo(encode(found) if self._as_json else import_report.shown(found))
            bad = bad or bool(found.error or found.counts.refused)
        return bad

    async def _remarks(self, composed: app.App, job: ImportJob, source: local.Source) -> list[str]:
        """Return what a preview says besides, after reading the file once more."""
        settings, books = self._settings, composed.books
        newer = await import_newer.sentence(settings, books, composed.store, job, source)
        found = [newer] if newer else []
        if self._wanted.evaluate:
            found.append(await import_evaluation.sentence(settings, books, job, source))
        return found

    async def imported(self, files: list[Path]) -> bool:
        """Import files; returns whether anything was refused."""
        ended: list[_Ended] = []
        try:
            ended = await self._by_store(files)
        except StoreInUse:
            if not import_by_server.reachable(self._settings):
                raise
            ended = await self._by_server(files)
        if self._as_json:
            typer.echo(encode([import_report.plain(one.job, one.refused_file) for one in ended]))
        return any(one.job.state != "done" or one.job.counts.refused for one in ended)

    async def _by_server(self, files: list[Path]) -> list[_Ended]:
        if self._mapping is not None:
            raise Refused("a running server maps by its own files: leave --mapping out, or stop it first")
        ended = []
        for path in files:
            source = local.Source(path)
            if not _skipped(source):
                with self._progress(source) as report:
                    job = await import_by_server.imported(
                        self._settings, self._kind, self._wanted, source, report
                    )
                beside = self._beside(source) if job.counts.refused else ""
                if beside:
                    await import_by_server.write_refused(self._settings, job, Path(beside))
                ended.append(_Ended(job, beside))
                self._tell(ended[-1])
        return ended

    async def _by_store(self, files: list[Path]) -> list[_Ended]:
        await expect_readable(self._settings.store.url)
        composed = app.compose(self._settings)
        if self._mapping is not None:
            composed.books.mappings = mapped_by(self._settings, self._mapping, composed.books)
        slices = Slices(composed.store, composed.books, self._world, composed.completer.complete)
        importer = Importer(composed.store, composed.books, slices, self._world.clock, local.worker_name())
        ended = []
        async with composed.working():
            for path in files:
                source = local.Source(path)
                if not _skipped(source):
                    ended.append(await self._file(composed, importer, source))
                    self._tell(ended[-1])
        return ended

    async def _file(self, composed: app.App, importer: Importer, source: local.Source) -> _Ended:
        store = composed.store
        alone = isinstance(store, SqliteStore)
        job = await local.begin(store, self._job(source), restart=self._restart, alone=alone)
        if job.rows_done and not self._as_json:
            typer.echo(f"{source.name}: goes on after row {job.rows_done}", err=True)
        with self._progress(source) as report:
            job = await local.run(
                store, importer, job, source, clock=self._world.clock, report=report, size=_SLICE
            )
        beside = ""
        if job.counts.refused:
            beside = self._beside(source)
            await self._write_refused(store, job, Path(beside))
        if job.state == "done":
            await store.drop_import(job.id)
        return _Ended(job, beside)

    def _job(self, source: local.Source) -> ImportJob:
        return local.job_of(source, self._kind, self._wanted, self._world.clock(), self._world.new_id())

    def _beside(self, source: local.Source) -> str:
        if self._refused is not None:
            return str(self._refused)
        name = f"{self._kind}" if source.is_input else str(source.path)
        plain = name.removesuffix(".gz").removesuffix(".zst")
        return f"{plain}.refused{Path(plain).suffix or '.csv'}"

    async def _write_refused(self, store: Any, job: ImportJob, beside: Path) -> None:
        layout = Layout(job.format or "jsonl", job.header, job.delimiter, job.encoding)
        await _write(beside, refused_file(store, job.id, layout))
        if layout.format == "source":
            await _write(Path(f"{beside}.reasons.jsonl"), reasons(store, job.id))

    @contextmanager
    def _progress(self, source: local.Source) -> Iterator[Callable[[ImportJob], Awaitable[None]]]:
        """Show a bar with rate and time left on a terminal."""
        console = Console(stderr=True)
        bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
            TextColumn("{task.fields[done]:,} rows"), TextColumn("{task.fields[rate]:,}/s"),
            TimeRemainingColumn(), console=console, disable=not console.is_terminal or self._as_json,
        )  # fmt: skip
        began, first = datetime.now(UTC), -1
        with bar:
            task = bar.add_task(source.name, total=source.size or None, done=0, rate=0)

            async def report(job: ImportJob) -> None:
                nonlocal first
                first = job.rows_done if first < 0 else first
                seconds = (datetime.now(UTC) - began).total_seconds() or 1
                rate = int((job.rows_done - first) / seconds)
                bar.update(task, completed=source.read, done=job.rows_done, rate=rate)

            yield report

    def _tell(self, ended: _Ended) -> None:
        if not self._as_json:
            typer.echo(import_report.told(ended.job))
            for warning in ended.job.warnings:
                typer.echo(f"{ended.job.name} {warning}", err=True)
            if ended.refused_file:
                typer.echo(f"the refused rows are in {ended.refused_file}", err=True)
        if ended.job.error:
            typer.echo(f"adapter: {ended.job.error}", err=True)


async def _write(path: Path, pieces: AsyncIterator[bytes]) -> None:
    """Write a file that its owner alone can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        async for piece in pieces:
            file.write(piece)


def _skipped(source: local.Source) -> bool:
    """Tell of an empty file, which is no error: exports have some."""
    if source.is_input or source.size:
        return False
    typer.echo(f"{source.name}: empty", err=True)
    return True
