"""`adapter store`: what an operator does to a store, and sees of one that a server has open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from adapter.cli.open_store import expect_current, other
from adapter.cli.settings import AsJson, Config, Store, options, settled, stopped
from adapter.errors import AdapterError, Refused, Unavailable
from adapter.model.encoding import encode
from adapter.store.copy import copy as copying
from adapter.store.copy import reopen as reopening
from adapter.store.engines import open_store, shown
from adapter.store.migrations import Schema
from adapter.store.postgres.engine import PostgresStore
from adapter.store.sqlite.engine import SqliteStore

EXAMPLES = """\b
Examples:
  adapter store status
  adapter store migrate --store postgresql://adapter@db1,db2/adapter
  adapter store check --json
  adapter store copy sqlite:///data/adapter.db postgresql://adapter@db1/adapter
  adapter store reopen --store sqlite:///data/adapter.db
  adapter store backup /mnt/backups/adapter-monday.db"""

T = TypeVar("T")
commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None,
    help="The store: see its state, bring its schema up to date, check it, copy it, back it up.",
)  # fmt: skip
Source = Annotated[
    str, typer.Argument(metavar="SOURCE_URL", help="The store to copy; it is not used afterwards.")
]
Target = Annotated[
    str, typer.Argument(metavar="TARGET_URL", help="A new store, or one into which a copy was stopped.")
]

Backup = Annotated[Path, typer.Argument(metavar="PATH", help="The file to write; it must not be there yet.")]


class Status(Struct, frozen=True):
    """The state of a store; `note` says why there are no `counts`, or that the store is newer than we are."""

    url: str
    schema: Schema
    counts: dict[str, int] | None
    note: str = ""


@commands.command(epilog=EXAMPLES)
def status(*, store: Store = None, config: Config = None, as_json: AsJson = False) -> None:
    """Tell which store is used, its schema, and how much it holds; nothing is changed."""
    found = _finished(_status(_url(store, config)))
    if as_json:
        typer.echo(encode(found))
        return
    typer.echo(f"store   {found.url}")
    typer.echo(f"schema  {found.schema.applied} of {found.schema.latest}")
    for name, count in (found.counts or {}).items():
        typer.echo(f"{name:<16} {count:>12,}")
    if found.note:
        typer.echo(f"adapter: {found.note}", err=True)


@commands.command(epilog=EXAMPLES)
def migrate(*, store: Store = None, config: Config = None, as_json: AsJson = False) -> None:
    """Bring the schema up to date; processes of the version before may go on serving meanwhile."""
    url = _url(store, config)
    before, after = _finished(_migrated(url))
    if as_json:
        typer.echo(encode({"url": shown(url), "before": before, "after": after}))
    elif before == after:
        typer.echo(f"schema {after} is up to date")
    else:
        typer.echo(f"schema {before} is now {after}")


@commands.command(epilog=EXAMPLES)
def check(*, store: Store = None, config: Config = None, as_json: AsJson = False) -> None:
    """Read all of the store, and tell what does not fit together; exit code 1 when something does not."""
    url = _url(store, config)
    wrong = _finished(_checked(url))
    if as_json:
        typer.echo(encode({"ok": not wrong, "url": shown(url), "wrong": wrong}))
    else:
        typer.echo("\n".join(wrong) or "the store is sound")
    if wrong:
        raise typer.Exit(1)


@commands.command(epilog=EXAMPLES)
def copy(*, source: Source, target: Target, as_json: AsJson = False) -> None:
    """Copy everything into another store, and verify it by counts and sums. Stop the servers of both first.

    A copy that was stopped goes on where it was when the command is given again. A source that was copied is
    refused by every other command, until `adapter store reopen` lets it be used again. Passwords of
    PostgreSQL are best left out of the URLs, and given in PGPASSWORD or in ~/.pgpass.
    """
    counts = _finished(_copied(source, target, Bars(shown=not as_json)))
    if as_json:
        typer.echo(encode({"ok": True, "rows": counts}))
        return
    typer.echo(f"{sum(counts.values()):,} rows copied, counts and sums are equal")
    told = "the source is marked as copied, and no command uses it any more; name the target in store.url"
    typer.echo(f"adapter: {told}", err=True)


@commands.command(epilog=EXAMPLES)
def reopen(*, store: Store = None, config: Config = None, as_json: AsJson = False) -> None:
    """Let a store be used again that was copied. See first that no server uses the copy."""
    url = _url(store, config)
    was = _finished(_reopened(url))
    if as_json:
        typer.echo(encode({"url": shown(url), "reopened": was}))
    else:
        typer.echo("the store may be used again" if was else "the store was not copied, and may be used")


@commands.command(epilog=EXAMPLES)
def backup(*, path: Backup, store: Store = None, config: Config = None, as_json: AsJson = False) -> None:
    """Write a SQLite store as of this moment into a new file, also while a server has it open."""
    url = _url(store, config)
    size = _finished(_backed_up(url, path))
    if as_json:
        typer.echo(encode({"ok": True, "url": shown(url), "path": str(path), "bytes": size}))
        return
    typer.echo(f"{size:,} bytes in {path}")


class Bars:
    """A progress bar for each table, on standard error, where that is a terminal."""

    def __init__(self, *, shown: bool, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn())
        self.progress = Progress(
            *columns, TimeRemainingColumn(), console=console, disable=not (shown and console.is_terminal)
        )
        self._tasks: dict[str, TaskID] = {}

    def show(self, table: str, copied: int, total: int) -> None:
        """Move the bar of a table."""
        if table not in self._tasks:
            self._tasks[table] = self.progress.add_task(table, total=total)
        self.progress.update(self._tasks[table], completed=copied)


def _url(store: str | None, config: Any) -> str:
    return settled(config, options(store)).store.url


def _finished(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except AdapterError as error:
        raise stopped(error) from None


@asynccontextmanager
async def _opened(url: str, *, copying: bool = False) -> AsyncIterator[Any]:
    store = open_store(url)
    await store.open(copying=copying)
    try:
        yield store
    finally:
        await store.close()


async def _status(url: str) -> Status:
    at, schema = shown(url), await open_store(url).schema()
    if not schema.usable or schema.applied < schema.latest:
        return Status(at, schema, None, other(url, schema))
    try:
        async with _opened(url) as store:
            return Status(at, schema, await store.counts(), _note(store, schema))
    except Unavailable as error:  # a server has the SQLite file, or a copy into the store is not finished
        return Status(at, schema, None, error.message)


async def _migrated(url: str) -> tuple[int, int]:
    schema = await open_store(url).schema()
    async with _opened(url):
        return schema.applied, max(schema.applied, schema.latest)


async def _checked(url: str) -> list[str]:
    await expect_current(url)
    async with _opened(url) as store:
        wrong: list[str] = await store.check()
        return wrong


async def _copied(source: str, target: str, bars: Bars) -> dict[str, int]:
    await expect_current(source)
    into = f"{shown(target)} at {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    async with _opened(source, copying=True) as origin, _opened(target, copying=True) as goal:
        with bars.progress:
            return await copying(origin, goal, bars.show, into)


async def _reopened(url: str) -> bool:
    await expect_current(url)
    async with _opened(url, copying=True) as store:
        return await reopening(store)


async def _backed_up(url: str, path: Path) -> int:
    store = open_store(url)
    if not isinstance(store, SqliteStore):
        raise Refused("only a SQLite store is backed up so: use pg_dump, as docs/backup.md says")
    schema = await store.schema()
    if not schema.applied:
        raise Refused(other(url, schema))
    return await store.back_up(path)


def _note(store: SqliteStore | PostgresStore, schema: Schema) -> str:
    if schema.applied == schema.latest:
        return store.exposed if isinstance(store, SqliteStore) else ""
    return (
        f"the store has schema {schema.applied}, newer than this program's; the newer program left it so "
        "that this one may go on serving"
    )
