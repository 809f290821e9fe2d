"""`adapter import`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from adapter import app
from adapter.cli import import_by_server, import_evaluation, import_newer, import_report
from adapter.cli.import_options import HELP, options_of
from adapter.cli.open_store import expect_readable
from adapter.cli.settings import AsJson, Config, Mappings, Rules, Store, options, settled, stopped
from adapter.cli.source_option import source_option
from adapter.errors import AdapterError, Refused, StoreInUse
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

EXAMPLES = """\b
Examples:
  adapter import customers customers.csv --dry-run
  adapter import customers customers.csv
  adapter import events 2024/*.gz --source segment
  adapter import events export.csv --zone Europe/Berlin
  adapter import codes codes.csv --pool spring
  adapter import codes vouchers.csv --currency EUR
  adapter import discounts issued.jsonl
  gunzip -c customers.csv.gz | adapter import customers -"""

#: Records of a transaction, when no server waits for the store.
_SLICE = 2_000
Kind = Annotated[
    Literal["customers", "events", "codes", "discounts"],
    typer.Argument(help="What the rows are.", metavar="customers|events|codes|discounts"),
]
Files = Annotated[
    list[Path],
    typer.Argument(help="CSV, JSON lines or Parquet, gzip and zstd too; a folder, or - for standard input.",
                   metavar="FILE..."),
]  # fmt: skip
Text = str | None


class _Ended(Struct, frozen=True):
    """One file: the import at its end, and the file of its refused rows, if there is one."""

    job: ImportJob
    refused_file: str = ""


def rows(
    *,
    kind: Kind,
    files: Files,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would become of the rows.")
    ] = False,
    source: Annotated[
        str | None, source_option("The lines are bodies of this source, or the ids are its.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", metavar="FILE", help="Map bodies by this mapping file alone.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column", metavar="NAME=TARGET", help="Read a column as another; NAME= leaves it out."
        ),
    ] = None,
    form: Annotated[Text, typer.Option("--format", metavar="csv|jsonl|parquet", help=HELP["format"])] = None,
    encoding: Annotated[Text, typer.Option("--encoding", metavar="NAME", help=HELP["encoding"])] = None,
    delimiter: Annotated[Text, typer.Option("--delimiter", metavar="CHAR", help=HELP["delimiter"])] = None,
    quote: Annotated[Text, typer.Option("--quote", metavar="CHAR", help=HELP["quote"])] = None,
    decimal: Annotated[Text, typer.Option("--decimal", metavar="point|comma", help=HELP["decimal"])] = None,
    date_format: Annotated[
        Text, typer.Option("--date-format", metavar="FORM", help=HELP["date_format"])
    ] = None,
    zone: Annotated[Text, typer.Option("--zone", metavar="ZONE", help=HELP["zone"])] = None,
    empty: Annotated[Text, typer.Option("--empty", metavar="keep|clear", help=HELP["empty"])] = None,
    as_of: Annotated[Text, typer.Option("--as-of", metavar="TIME", help=HELP["as_of"])] = None,
    evaluate: Annotated[bool, typer.Option("--evaluate", help=HELP["evaluate"])] = False,
    include_erased: Annotated[bool, typer.Option("--include-erased", help=HELP["include_erased"])] = False,
    pool: Annotated[Text, typer.Option("--pool", metavar="POOL", help=HELP["pool"])] = None,
    pool_limit: Annotated[int, typer.Option("--pool-limit", metavar="N", min=0, help=HELP["pool_limit"])] = 0,
    money: Annotated[Text, typer.Option("--money", metavar="major|minor", help=HELP["money"])] = None,
    currency: Annotated[Text, typer.Option("--currency", metavar="CODE", help=HELP["currency"])] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask whether amounts of codes are read as they are meant.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew where an import was interrupted.")
    ] = False,
    refused: Annotated[
        Path | None, typer.Option("--refused", metavar="FILE", help="The file for refused rows.")
    ] = None,
    store: Store = None,
    mappings: Mappings = None,
    rule_files: Rules = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Bring rows of files into the store; exit code 1 when a row was refused, or a file could not be read.

    Historical events earn nothing unless --evaluate, and nothing is pushed. Refused rows are written beside
    the file, to be mended and imported. An import that was interrupted goes on when the command is run again.
    Beside a running server that has the SQLite store, the server does the work.
    """
    settings = settled(config, options(store, mappings, rule_files))
    try:
        wanted = options_of(
            form=form, encoding=encoding, delimiter=delimiter, quote=quote, decimal=decimal,
            date_format=date_format, zone=zone, source=source, columns=column, empty=empty, as_of=as_of,
            evaluate=evaluate, include_erased=include_erased, pool=pool, pool_limit=pool_limit, money=money,
            currency=currency,
        )  # fmt: skip
        wanted_files = _all_of(files)
        _expect_apart(refused, wanted_files)
        command = _Command(settings, kind, wanted, mapping, restart=restart, refused=refused, as_json=as_json)
        if kind == "codes" and not (dry_run or pool or money):
            command.confirm_amounts(wanted_files, sure=yes)
        bad = asyncio.run(command.previewed(wanted_files) if dry_run else command.imported(wanted_files))
    except AdapterError as error:
        raise stopped(error, "POST /v1/imports") from None
    except OSError as error:
        typer.echo(f"adapter: {error.filename} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    if bad:
        raise typer.Exit(1)


def _all_of(files: list[Path]) -> list[Path]:
    """Return the files, those of folders included, in order; raises Refused for one that is missing."""
    found: list[Path] = []
    for path in files:
        if path.is_dir():
            found += sorted(each for each in path.rglob("*") if each.is_file() and _is_content(each))
        elif str(path) == local.STANDARD_INPUT or path.exists():
            found.append(path)
        else:
            raise Refused(f"there is no file {path}")
    return found


def _is_content(path: Path) -> bool:
    """Tell whether a file of a folder has rows of its own: refused ones are imported by name, once mended."""
    return path.name[0] != "." and ".refused." not in path.name and not path.name.endswith(".refused")


def _expect_apart(refused: Path | None, files: list[Path]) -> None:
    """Raise Refused where refused rows would overwrite those of another file, or a file itself."""
    if refused is not None and len(files) > 1:
        raise Refused("--refused names the file for the rows of one file: import each by itself")
    if refused is not None and any(each.resolve() == refused.resolve() for each in files):
        raise Refused(f"--refused {refused} is the file that is imported: name another")


class _Command:
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
