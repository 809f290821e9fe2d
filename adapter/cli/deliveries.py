"""`adapter deliveries`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer

from adapter.cli.existing import existing, expect_readable
from adapter.cli.ids import all_in_utf8, in_utf8
from adapter.cli.settings import AsJson, Config, Store, options, settled, stopped
from adapter.errors import AdapterError
from adapter.files.problems import did_you_mean
from adapter.model.deliveries import Delivery
from adapter.model.encoding import encode
from adapter.settings.values import Destinations
from adapter.store.engines import open_store
from adapter.store.postgres.engine import PostgresStore
from adapter.store.sqlite.engine import SqliteStore

EXAMPLES = """\b
Examples:
  adapter deliveries
  adapter deliveries --dead --destination webhook --json
  adapter deliveries --retry msg_2f6c9d0e4b7a41d8a5c3e1f09b8d7a62
  adapter deliveries --retry-all --destination webhook"""

T = TypeVar("T")
Dead = Annotated[bool, typer.Option("--dead", help="Only those that were given up.")]
Destination = Annotated[
    str | None,
    typer.Option("--destination", metavar="NAME", help="Only those for this destination.", callback=in_utf8),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many of a kind, oldest first.")]
Retry = Annotated[
    list[str] | None,
    typer.Option(
        "--retry",
        metavar="ID",
        help="Have a dead one wait again; may stand several times.",
        callback=all_in_utf8,
    ),
]
RetryAll = Annotated[bool, typer.Option("--retry-all", help="Have all dead ones wait again.")]


def deliveries(
    *,
    dead: Dead = False,
    destination: Destination = None,
    limit: Limit = 100,
    retry: Retry = None,
    retry_all: RetryAll = False,
    store: Store = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List the pushes that wait and those that were given up, or have dead ones wait again.

    A list may be asked for while a server runs. To retry with the SQLite store, stop the server first: one
    process may write.
    """
    if retry and retry_all:
        raise typer.BadParameter("leave out either --retry or --retry-all", param_hint="--retry-all")
    url = settled(config, options(store)).store.url
    if retry or retry_all:
        _tell_revived(_finished(_revived(url, retry, destination)), retry, as_json=as_json)
        return
    found = _finished(_found(url, ["dead"] if dead else ["due", "dead"], destination, limit))
    if as_json:
        typer.echo(encode([_plain(one) for one in found]))
        return
    for one in found:
        typer.echo(_line(one))
    if not found:
        typer.echo(f"adapter: no delivery {'is dead' if dead else 'waits or is dead'}", err=True)


def _finished(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except AdapterError as error:
        raise stopped(error) from None


async def _found(url: str, statuses: list[str], destination: str | None, limit: int) -> list[Delivery]:
    await expect_readable(url)
    store = open_store(url)
    await _expect_known(store, destination)
    return [one for status in statuses for one in await store.deliveries(status, limit, destination)]


async def _revived(url: str, ids: Sequence[str] | None, destination: str | None) -> int:
    async with existing(url) as store:
        await _expect_known(store, destination)
        return await store.revive(datetime.now(UTC), ids=ids, destination=destination)


async def _expect_known(store: SqliteStore | PostgresStore, destination: str | None) -> None:
    """Refuse a destination that neither the settings nor the store know: its answer would be nothing."""
    names = Destinations.__struct_fields__
    if destination is None or destination in names:
        return
    for status in ("due", "dead", "done"):
        if await store.deliveries(status, 1, destination):
            return
    message = f"no destination is named `{destination}`, and no delivery in the store is for it"
    remedy = did_you_mean(destination, names)
    raise typer.BadParameter("; ".join(filter(None, (message, remedy))), param_hint="--destination")


def _tell_revived(count: int, ids: Sequence[str] | None, *, as_json: bool) -> None:
    """Tell how many wait again; exit code 1 when one that was named is not dead."""
    if as_json:
        typer.echo(encode({"retried": count}))
    else:
        typer.echo(f"{count} {'delivery waits' if count == 1 else 'deliveries wait'} again")
    if ids and count < len(set(ids)):
        typer.echo(f"adapter: {len(set(ids)) - count} of those named are not dead deliveries", err=True)
        raise typer.Exit(1)


def _plain(delivery: Delivery) -> dict[str, object]:
    """Return what an operator needs, and not the body: it holds a code."""
    return {
        "id": delivery.id,
        "status": delivery.status,
        "destination": delivery.destination,
        "type": delivery.type,
        "source_id": delivery.source_id,
        "attempts": delivery.tries,
        "created_at": delivery.created_at,
        "next_at": delivery.due_at if delivery.status == "due" else None,
        "last_error": delivery.last_error,
    }


def _line(delivery: Delivery) -> str:
    attempts = f"{delivery.tries} attempt{'s' * (delivery.tries != 1)}"
    state = f"next at {delivery.due_at:%Y-%m-%d %H:%M:%S} UTC" if delivery.status == "due" else "dead"
    head = f"{delivery.id} {delivery.type} of {delivery.source_id} to {delivery.destination}"
    return f"{head}: {state}, {attempts}" + (f", {delivery.last_error}" if delivery.last_error else "")
